"""Where the fit begins: pelvis placed by the lifted hips and shoulders, all else in an easy posture."""

import numpy as np
from jaxtyping import Float
from scipy.spatial.transform import Rotation, Slerp

from monomsk.errors import KeypointError
from monomsk.model.model import Model
from monomsk.model.sides import plain
from monomsk.types import Markers

EASY = {"knee_angle": 0.25, "hip_flexion": 0.12, "elbow_flex": 0.4, "arm_add": -0.15}
"""Slightly bent [rad], so that hinges begin on the side they bend to."""


def starting_coordinates(model: Model, markers: Markers) -> Float[np.ndarray, "time nq"]:
    """Coordinates of every frame for a model whose first joint is ground–pelvis (tilt about Z, list about X, rotation about Y).

    Raises KeypointError when the four trunk points are never seen together.
    """
    corners = [markers.names.index(n) for n in ("hip_r", "hip_l", "shoulder_r", "shoulder_l")]
    good = np.isfinite(markers.xyz[:, corners]).all((1, 2))
    if not good.any():
        raise KeypointError("hips and shoulders are never seen together: film the whole body")
    hip_r, hip_l, shoulder_r, shoulder_l = np.moveaxis(markers.xyz[good][:, corners], 1, 0)
    up = _unit(shoulder_r + shoulder_l - hip_r - hip_l)
    right = hip_r - hip_l + shoulder_r - shoulder_l
    right = _unit(right - up * np.sum(right * up, -1, keepdims=True))
    frames = Rotation.from_matrix(np.stack([np.cross(up, right), up, right], -1))
    middle = 0.5 * (hip_r + hip_l)
    time, known = markers.time, markers.time[good]
    at = np.clip(time, known[0], known[-1])
    turned = Slerp(known, frames)(at) if len(known) > 1 else Rotation.concatenate([frames] * len(time))
    place = np.stack([np.interp(time, known, middle[:, k]) for k in range(3)], -1)
    q = np.tile(np.asarray(model.coordinate_default), (len(time), 1))
    for name, value in EASY.items():
        for i, coordinate in enumerate(model.coordinate_names):
            if plain(coordinate) == name:
                q[:, i] = value
    root = list(model.root)
    q[:, root[:3]] = np.unwrap(turned.as_euler("ZXY"), axis=0)
    hips = 0.5 * sum(np.asarray(model.p_parent_joint)[model.body(f"femur_{s}")] for s in "rl")
    q[:, root[3:]] = place - turned.apply(hips)
    return q


def _unit(v: Float[np.ndarray, "time 3"]) -> Float[np.ndarray, "time 3"]:
    return v / np.maximum(np.linalg.norm(v, axis=-1, keepdims=True), 1e-9)
