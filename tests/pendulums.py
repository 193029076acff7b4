"""A body of two segments and one hinge, with the muscles that a test gives it."""

from dataclasses import replace

from monomsk.model.spec import (
    Axis,
    Body,
    Coordinate,
    Frame,
    Joint,
    Linear,
    ModelSpec,
    Muscle,
    PathPoint,
    PathWrap,
    Vec3,
    Wrap,
)

X, Y, Z = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)


def elbow(*muscles: Muscle, wraps: tuple[Wrap, ...] = ()) -> ModelSpec:
    """`ulna` turns about z against `humerus`, which is fixed in the ground, by the coordinate `flexion`."""
    still = (Axis(X), Axis(Y), Axis(Z))
    hinge = (Axis(Z, Linear(1.0), "flexion"), Axis(X), Axis(Y))
    flexion = Coordinate("flexion", True, (-2.0, 2.0))
    bodies = tuple(Body(name, 1.0, (0.0, -0.1, 0.0), (0.01, 0.01, 0.01, 0.0, 0.0, 0.0)) for name in ("humerus", "ulna"))
    return ModelSpec(
        name="elbow",
        bodies=bodies,
        joints=(
            Joint("shoulder", "WeldJoint", "ground", "humerus", Frame(), Frame(), still, still, ()),
            Joint("elbow", "PinJoint", "humerus", "ulna", Frame(), Frame(), hinge, still, (flexion,)),
        ),
        muscles=muscles,
        wraps=wraps,
    )


def muscle(name: str, points: tuple[tuple[str, Vec3], ...], *, wraps: tuple[PathWrap, ...] = (), force: float = 1000.0) -> Muscle:
    """A muscle of fibres of 0.2 m on a tendon of 0.1 m, without pennation."""
    return Muscle(
        name=name,
        kind="Millard2012EquilibriumMuscle",
        max_isometric_force=force,
        optimal_fiber_length=0.2,
        tendon_slack_length=0.1,
        pennation=0.0,
        max_contraction_velocity=10.0,
        points=tuple(PathPoint(f"{name}-P{i + 1}", body, place) for i, (body, place) in enumerate(points)),
        wraps=wraps,
    )


def odd_elbow() -> ModelSpec:
    """A weak extensor, a muscle whose points leave its path where the elbow is straight, and one that begins inside a pulley."""
    flexor = muscle("flexor", (("humerus", (0.04, 0.0, 0.0)), ("ulna", (0.04, -0.3, 0.0))))
    extensor = muscle("extensor", (("humerus", (-0.04, 0.0, 0.0)), ("ulna", (-0.04, -0.3, 0.0))), force=10.0)
    gone = muscle("gone", (("humerus", (0.03, 0.1, 0.0)), ("ulna", (0.03, -0.3, 0.0))), force=1.0)
    gone = replace(gone, points=tuple(replace(p, coordinate="flexion", range=(0.5, 2.0)) for p in gone.points))
    pulley = Wrap("pulley", "WrapCylinder", "humerus", (-0.03, 0.0, 0.0), (0.0, 0.0, 0.0), (0.02, 0.2))
    stuck = muscle("stuck", (("humerus", (-0.03, 0.01, 0.0)), ("ulna", (-0.03, -0.3, 0.0))), wraps=(PathWrap("pulley"),), force=1.0)
    return elbow(flexor, extensor, gone, stuck, wraps=(pulley,))
