"""A small model that uses everything an .osim may hold, and a way to make real OpenSim be quiet."""

import math
from typing import Any

import pytest

from monomsk.io.osim_joints import NATIVE, native_slots
from monomsk.model.spec import (
    Axis,
    Body,
    Constant,
    ContactSphere,
    Coordinate,
    CoordinateActuator,
    CoordinateExponential,
    CoordinateLimit,
    CoordinateSpring,
    Coupler,
    Frame,
    Joint,
    Linear,
    Marker,
    ModelSpec,
    Muscle,
    PassiveForce,
    PathPoint,
    PathWrap,
    Polynomial,
    Spline,
    Step,
    Wrap,
)

X, Y, Z = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)


@pytest.fixture(scope="session")
def osim() -> Any:
    """Real OpenSim, told not to chatter; the test is skipped where it is not installed."""
    module = pytest.importorskip("opensim")
    module.Logger.setLevelString("error")
    return module


def _native_chain() -> tuple[list[Body], list[Joint]]:
    """A chain of bodies, one joint of every class with fixed axes."""
    bodies, joints, parent = list[Body](), list[Joint](), "ground"
    for number, kind in enumerate(NATIVE):
        name = f"body_{number}"
        coordinates = tuple(f"{kind}_{i}" for i in range(len(NATIVE[kind][1])))
        slots = native_slots(kind, coordinates)
        assert slots is not None
        frames = Frame((0.1, -0.2, 0.03), (0.3, -0.2, 0.1)), Frame((0.0, 0.1 / 3, 0.0), (0.0, 0.5, -1.2))
        read = tuple(Coordinate(c, NATIVE[kind][1][i] < 3, (-1.5, 1.0 + i / 7), 0.1, i == 1, i == 0) for i, c in enumerate(coordinates))
        radii = (0.1, 0.2, 0.1 / 3) if kind == "EllipsoidJoint" else None
        joints.append(Joint(f"joint_{number}", kind, parent, name, *frames, slots[:3], slots[3:], read, radii))
        bodies.append(
            Body(name, 1.0 + number / 3, (0.0, -0.1, 0.01), (0.02, 0.01, 0.03, 1e-3, -1e-3, 2e-3), ((f"b{number}.vtp", (1.0, 0.9, 1.1)),))
        )
        parent = name
    return bodies, joints


def _knee(parent: str) -> Joint:
    spline = Spline("SimmSpline", (-2.0, -1.0, 0.0, 0.5), (0.1, 0.2, 0.05, 1e-17))
    line = Spline("PiecewiseLinearFunction", (0.0, 1.0), (0.0, 0.01))
    rotations = (
        Axis(X, Linear(-1.0), "knee_angle"),
        Axis(Z, Polynomial((0.01, -0.02, 0.0)), "knee_angle"),
        Axis(Y, Linear(1.0, 0.2), "knee_turn"),
    )
    rise = Step(-1.0, 0.3, 0.1, 0.2 / 3)
    translations = (Axis(X, spline, "knee_angle", 1.0688), Axis(Y, rise, "knee_angle", 1.2), Axis(Z, line, "knee_angle"))
    coordinates = (Coordinate("knee_angle", True, (-2.5, 0.1)), Coordinate("knee_turn", True, (-0.1, 0.1)))
    return Joint("knee", "CustomJoint", parent, "shank", Frame((0.0, -0.4, 0.0)), Frame(), rotations, translations, coordinates)


def _muscles() -> tuple[Muscle, ...]:
    moving = (
        Axis(X, Spline("SimmSpline", (-2.0, 0.0, 1.0), (0.04, 0.05, 0.06)), "knee_angle"),
        Axis(Y, Constant(0.02), "knee_angle"),
        Axis(Z, Linear(0.01, 0.002), "knee_angle", 2.0),
    )
    path = (
        PathPoint("p1", "body_0", (0.1, 0.0, 0.0)),
        PathPoint("p2", "body_1", (0.0, 1 / 3, 0.0), "knee_angle", (-1.0, 0.3)),
        PathPoint("p3", "shank", (0.0, 0.0, 0.0), moving=moving),
        PathPoint("p4", "shank", (0.02, -0.1, 0.0)),
    )
    wraps = (PathWrap("cylinder"), PathWrap("ellipsoid", (2, 3), "midpoint"))
    millard = (
        ("FiberForceLengthCurve.strain_at_one_norm_force", 0.5),
        ("TendonForceLengthCurve.strain_at_one_norm_force", 0.033),
        ("appliesForce", 0.0),
        ("fiber_damping", 0.01),
    )
    return (
        Muscle("soleus", "Millard2012EquilibriumMuscle", 3549.0, 0.044, 0.27, 0.4, 10.0, path[:2], wraps, millard, True, "ankle leg"),
        Muscle("vasti", "Thelen2003Muscle", 1000.0, 0.1, 0.1, 0.0, 12.0, path, (), (("Af", 0.3),), group="leg"),
        Muscle("tibant", "DeGrooteFregly2016Muscle", 900.0, 0.1, 0.2, 0.1, 10.0, path[::3], (), (("ignore_passive_fiber_force", 1.0),)),
    )


def _passive() -> tuple[PassiveForce, ...]:
    """Angles and stiffnesses that are whole in degrees, so that they come back as they were."""
    degree = math.pi / 180.0
    return (
        CoordinateLimit("stop", "knee_angle", -120.0 * degree, 5.0 * degree, 20.0 / degree, 10.0 / degree, 2.0 * degree, 0.5 / degree),
        CoordinateLimit("rail", "SliderJoint_0", -0.2, 0.4, 1e4 / 3, 2e4, 0.01, 3.0, applied=False),
        CoordinateSpring("spring", "knee_turn", 30.0, 0.1 / 3, 2.0),
        CoordinateSpring("off", "knee_turn", 1.0, applied=False),
        CoordinateExponential("tissue", "knee_angle", ((6.09, -33.94, -0.13), (-11.03, 11.33, 2.4), (0.5, 0.0, 0.0)), 1 / 3, 0.1),
    )


@pytest.fixture(scope="session")
def everything() -> ModelSpec:
    """A model with every joint class, function, wrap surface, path point and muscle class that can be read."""
    bodies, joints = _native_chain()
    bodies.append(Body("shank", 3.0, (0.0, -0.2, 0.0), (0.05, 0.005, 0.05, 0.0, 0.0, 0.0)))
    joints.append(_knee(joints[-1].child))
    return ModelSpec(
        name="everything",
        bodies=tuple(bodies),
        joints=tuple(joints),
        couplers=(Coupler("couple", "knee_turn", "knee_angle", Polynomial((0.1, 0.0, 0.01)), 0.5),),
        markers=(Marker("M1", "shank", (0.0, 0.1, 0.05)), Marker("M2", "ground", (1.0, 0.0, 0.0), fixed=True)),
        wraps=(
            Wrap("torus", "WrapTorus", "ground", (0.0, 0.0, 0.1), (0.0, 0.0, 0.0), (0.01, 0.05)),
            Wrap("cylinder", "WrapCylinder", "body_0", (0.0, 0.0, 0.1), (0.1, 0.2, 0.3), (0.03, 0.1), "-x"),
            Wrap("sphere", "WrapSphere", "body_1", (0.0, 0.0, 0.1), (0.0, 0.0, 0.0), (0.03,), active=False),
            Wrap("ellipsoid", "WrapEllipsoid", "shank", (0.0, 0.0, 0.1), (0.0, 1.0, 0.0), (0.03, 0.02, 0.01), "z"),
        ),
        muscles=_muscles(),
        contacts=(
            ContactSphere("s1_r", "shank", (0.0, -0.4, 0.1 / 3), 0.032),
            ContactSphere("s2_r", "shank", (0.1, -0.4, 0.0), 0.03, 2e6, 1.0, 0.9, 0.7, 0.4, 0.1, applied=False),
        ),
        passive=_passive(),
        actuators=(CoordinateActuator("motor", "knee_angle", 1.0 / 3.0), CoordinateActuator("slide", "SliderJoint_0")),
        gravity=(0.0, -9.81, 0.0),
        credits="Somebody & <others>",
        publications="A paper (2020)",
    )
