"""Who makes up a movement: the body and its lengths, and the postures of the arms."""

from dataclasses import dataclass

import numpy as np

from monomsk.datasets import augment
from monomsk.datasets.plan import mass_centers
from monomsk.model.model import Model, complete
from monomsk.physics.forward_kinematics import forward_kinematics, marker_positions

ARMS = {
    "hanging": {"arm_flex": 0.05, "arm_add": -0.14, "arm_rot": 0.0, "elbow_flex": 0.25, "pro_sup": 1.2},
    "forward": {"arm_flex": 1.45, "arm_add": -0.05, "arm_rot": 0.1, "elbow_flex": 0.15, "pro_sup": 1.4},
    "crossed": {"arm_flex": 0.75, "arm_add": 0.15, "arm_rot": 0.95, "elbow_flex": 1.9, "pro_sup": 1.7},
    "on_hips": {"arm_flex": -0.35, "arm_add": -0.75, "arm_rot": 0.35, "elbow_flex": 1.5, "pro_sup": 1.9},
    "on_thighs": {"arm_flex": 0.45, "arm_add": -0.15, "arm_rot": 0.25, "elbow_flex": 0.75, "pro_sup": 1.7},
    "back": {"arm_flex": -0.75, "arm_add": -0.15, "arm_rot": 0.0, "elbow_flex": 0.35, "pro_sup": 1.3},
    "high": {"arm_flex": 2.4, "arm_add": -0.2, "arm_rot": 0.1, "elbow_flex": 0.35, "pro_sup": 1.2},
}
"""Postures of both arms [rad]."""


@dataclass(frozen=True)
class Person:
    """The body, and the lengths that a plan needs [m]."""

    model: Model
    hip: float
    """Height of the hips when standing straight."""
    mass: float
    """Height of the centre of mass then."""
    leg: float
    """Of thigh and shank; what is between hip and ankle of a straight leg is `reach`."""
    reach: float
    thigh: float
    shank: float
    foot: float
    """From the ankle to the ball."""
    width: float
    """Between the hips."""


def person_of(model: Model) -> Person:
    """Lengths of a scaled body with the anatomy's keypoints for markers."""
    q = complete(model, model.coordinate_default)
    poses = forward_kinematics(model, q)
    at = dict(zip(model.marker_names, np.asarray(marker_positions(model, poses)), strict=True))
    floor = float(augment.soles(model, np.asarray(q)[None])[0, :, 1].min())
    ball = np.asarray(poses.p)[model.body("toes_r")]
    return Person(
        model=model,
        hip=float(at["hip_mid"][1]) - floor,
        mass=float(mass_centers(model, np.asarray(q)[None])[0, 1]) - floor,
        leg=float(np.linalg.norm(at["hip_r"] - at["knee_r"]) + np.linalg.norm(at["knee_r"] - at["ankle_r"])),
        reach=float(np.linalg.norm(at["hip_r"] - at["ankle_r"])),
        thigh=float(np.linalg.norm(at["hip_r"] - at["knee_r"])),
        foot=float(ball[0] - at["ankle_r"][0]),
        shank=float(np.linalg.norm(at["knee_r"] - at["ankle_r"])),
        width=float(np.linalg.norm(at["hip_r"] - at["hip_l"])),
    )
