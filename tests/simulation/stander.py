"""The smallest body that stands, jumps and falls: a trunk that floats and two rigid feet on hips that bend."""

from functools import cache

import numpy as np

from monomsk.model.compile import compile_model
from monomsk.model.model import Model
from monomsk.model.spec import Axis, Body, ContactSphere, Coordinate, Frame, Joint, Linear, ModelSpec

X, Y, Z = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)
STILL = Axis(X), Axis(Y), Axis(Z)
HEIGHT = 0.9
"""Of the trunk's origin above the ground on straight legs [m]."""
WEIGHT = 50.0 * 9.80665


@cache
def spec() -> ModelSpec:
    names = ("pelvis_tilt", "pelvis_list", "pelvis_rotation", "pelvis_tx", "pelvis_ty", "pelvis_tz")
    turns = Axis(Z, Linear(1.0), names[0]), Axis(X, Linear(1.0), names[1]), Axis(Y, Linear(1.0), names[2])
    slides = Axis(X, Linear(1.0), names[3]), Axis(Y, Linear(1.0), names[4]), Axis(Z, Linear(1.0), names[5])
    free = tuple(Coordinate(n, i < 3, (-3.0, 3.0), HEIGHT if n == "pelvis_ty" else 0.0) for i, n in enumerate(names))
    joints = [Joint("root", "CustomJoint", "ground", "pelvis", Frame(), Frame(), turns, slides, free)]
    bodies, contacts = [Body("pelvis", 40.0, (0.0, 0.2, 0.0), (1.5, 0.6, 1.4, 0.0, 0.0, 0.0))], list[ContactSphere]()
    for side, z in (("r", 0.1), ("l", -0.1)):
        hinge = (Axis(Z, Linear(1.0), f"hip_{side}"), Axis(X), Axis(Y))
        hip = Coordinate(f"hip_{side}", True, (-1.0, 1.0))
        joints.append(Joint(f"hip_{side}", "PinJoint", "pelvis", f"leg_{side}", Frame((0.0, 0.0, z)), Frame(), hinge, STILL, (hip,)))
        bodies.append(Body(f"leg_{side}", 5.0, (0.0, -0.4, 0.0), (0.3, 0.05, 0.3, 0.0, 0.0, 0.0)))
        places = ((-0.08, -0.87, 0.03), (-0.08, -0.87, -0.03), (0.12, -0.87, 0.03), (0.12, -0.87, -0.03))
        contacts += [ContactSphere(f"s{i}_{side}", f"leg_{side}", p, 0.03) for i, p in enumerate(places)]
    return ModelSpec("stander", tuple(bodies), tuple(joints), contacts=tuple(contacts))


@cache
def model() -> Model:
    return compile_model(spec())


def rotational() -> np.ndarray:
    return np.array([c.rotational for c in spec().coordinates])
