"""Bodies made up to try every class of joint, and every force along a coordinate."""

from monomsk.io.osim_joints import NATIVE, native_slots
from monomsk.model.spec import (
    Axis,
    Body,
    Coordinate,
    CoordinateExponential,
    CoordinateLimit,
    CoordinateSpring,
    Frame,
    Joint,
    Linear,
    Marker,
    ModelSpec,
    PassiveForce,
    Polynomial,
    Spline,
    Step,
)

X, Y, Z = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)
ALL_CLASSES = (
    *("PlanarJoint", "EllipsoidJoint", "CustomJoint", "BallJoint", "WeldJoint"),
    *("PinJoint", "FreeJoint", "UniversalJoint", "SliderJoint", "GimbalJoint"),
)
FORCES = (
    CoordinateLimit("stop", "bend", -0.5, 0.8, 900.0, 1100.0, 0.2, 3.0),
    CoordinateLimit("rail", "slide", -0.1, 0.2, 2e3, 3e3, 0.05, 7.0),
    CoordinateLimit("unused", "bend", -0.1, 0.1, 1e3, 1e3, 0.1, 1.0, applied=False),
    CoordinateSpring("spring", "bend", 12.0, 0.3, 1.7),
    CoordinateSpring("damper", "slide", 0.0, 0.0, 4.0),
    CoordinateExponential("tissue", "bend", ((6.09, -3.94, -0.13), (-11.03, 1.33, 0.4), (0.5, 0.0, 0.0)), 2.0, 0.1),
)


def joint(kind: str, parent: str) -> Joint:
    """A joint between crooked frames."""
    frames = Frame((0.1, -0.2, 0.03), (0.3, -0.2, 0.1)), Frame((0.02, 0.3, -0.1), (-0.1, 0.5, -1.2))
    name = f"{kind}_body"
    if kind == "CustomJoint":
        names = ("custom_1", "custom_2")
        bent = Spline("SimmSpline", (-1.0, 0.2, 0.9, 1.6), (0.3, -0.2, 0.4, 0.1))
        line = Spline("PiecewiseLinearFunction", (-1.5, 0.1, 1.5), (0.2, -0.1, 0.3))
        a, b = names
        turns = Axis((0.0, 0.6, 0.8), Linear(1.0), a), Axis((1.0, 0.0, 0.0), bent, a), Axis((0.0, 0.0, 1.0), Step(-0.5, 0.8, 0.1, -0.4), b)
        slides = Axis((1.0, 0.0, 0.0), Polynomial((0.1, -0.3, 0.2)), b, 1.3), Axis((0.0, 1.0, 0.0), line, a), Axis((0.0, 0.0, 1.0))
    else:
        names = tuple(f"{kind}_{i}" for i in range(len(NATIVE[kind][1])))
        slots = native_slots(kind, names)
        assert slots is not None
        turns, slides = slots[:3], slots[3:]
    coordinates = tuple(Coordinate(c, True, (-1.0, 1.0), 0.1 * i) for i, c in enumerate(names))
    radii = (0.3, 0.2, 0.1) if kind == "EllipsoidJoint" else None
    return Joint(f"{kind}_joint", kind, parent, name, *frames, turns, slides, coordinates, radii)


def chain(kinds: tuple[str, ...]) -> ModelSpec:
    """One joint after the other."""
    joints, parent = list[Joint](), "ground"
    for kind in kinds:
        joints.append(joint(kind, parent))
        parent = joints[-1].child
    bodies = tuple(Body(j.child, 2.0 + i / 3, (0.1, -0.2, 0.05), (0.03, 0.02, 0.04, 0.001, 0.002, -0.003)) for i, j in enumerate(joints))
    return ModelSpec("chain", bodies, tuple(joints), markers=(Marker("tip", parent, (0.1, 0.2, 0.3)),))


def cart_and_rod(forces: tuple[PassiveForce, ...] = FORCES) -> ModelSpec:
    """A body that slides and another that bends on it."""
    bodies = tuple(Body(name, 1.0, (0.0, -0.1, 0.0), (0.01, 0.01, 0.01, 0.0, 0.0, 0.0)) for name in ("cart", "rod"))
    still = Axis(X), Axis(Y), Axis(Z)
    slider = Axis(X, Linear(1.0), "slide"), Axis(Y), Axis(Z)
    hinge = Axis(Z, Linear(1.0), "bend"), Axis(X), Axis(Y)
    joints = (
        Joint("rails", "SliderJoint", "ground", "cart", Frame(), Frame(), still, slider, (Coordinate("slide", False, (-1.0, 1.0)),)),
        Joint("hinge", "PinJoint", "cart", "rod", Frame(), Frame(), hinge, still, (Coordinate("bend", True, (-2.0, 2.0)),)),
    )
    return ModelSpec("cart_and_rod", bodies, joints, passive=forces)
