"""A person whose every joint is known, walking before a known camera: keypoints with exact truth, without a picture."""

from functools import cache

import jax
import jax.numpy as jnp
import numpy as np

from bodies import legs
from monomsk.io.body import load_anatomy
from monomsk.model.compile import compile_model
from monomsk.model.model import complete
from monomsk.model.scale import scale_model
from monomsk.physics.forward_kinematics import forward_kinematics, marker_positions
from monomsk.types import Camera, Keypoints

RATE = 60.0
TILT = np.deg2rad(4.0)
CAMERA = Camera(
    size=(720, 1280),
    focal=(930.0, 930.0),
    center=(360.0, 640.0),
    focal_sigma=0.02,
    gravity=np.array([0.0, np.cos(TILT), np.sin(TILT)]),
    gravity_sigma=np.deg2rad(1.0),
)


def walking(names: tuple[str, ...], time: np.ndarray) -> np.ndarray:
    """Coordinates of an easy stride [rad, m]: no gait laboratory's, but smooth, with swing, stance and arm swing."""
    phase = 2 * np.pi * 0.95 * time
    q = np.zeros((len(time), len(names)))
    column = {n: i for i, n in enumerate(names)}
    q[:, column["pelvis_tx"]] = 1.1 * time
    q[:, column["pelvis_ty"]] = 0.95 + 0.02 * np.cos(2 * phase)
    q[:, column["pelvis_rotation"]] = 0.08 * np.sin(phase)
    for side, shift in (("r", 0.0), ("l", np.pi)):
        p = phase + shift
        q[:, column[f"hip_flexion_{side}"]] = 0.2 + 0.4 * np.cos(p)
        q[:, column[f"hip_adduction_{side}"]] = -0.04
        q[:, column[f"knee_angle_{side}"]] = 0.5 + 0.4 * np.cos(p + 1.2)
        q[:, column[f"ankle_angle_{side}"]] = 0.1 * np.sin(p)
        q[:, column[f"arm_flex_{side}"]] = -0.35 * np.cos(p)
        q[:, column[f"arm_add_{side}"]] = -0.15
        q[:, column[f"elbow_flex_{side}"]] = 0.5
    return q


@cache
def seen_walker(frames: int, *, noise: float = 0.0, depth_error: float = 0.0, seed: int = 0):
    """Truth of the keypoints (time, keypoint, 3) in the walker's ground frame, Keypoints, and the camera's true pose R, p.

    The walker goes obliquely past the camera, is 1.75 m tall and has his own segment lengths.
    """
    spec = legs()
    anchors = tuple(a for a in load_anatomy().anchors if a.name not in ("sole_r", "sole_l", "head_top", "neck", "hip_mid"))
    model = compile_model(spec.with_markers(anchors))
    sized = scale_model(model, jnp.full((len(model.body_names), 3), 1.75 / 1.70), 70.0)
    time = np.arange(frames) / RATE
    q = walking(model.coordinate_names, time)
    q = np.asarray(jax.vmap(lambda v: complete(model, v))(jnp.asarray(q)))
    truth = np.asarray(jax.jit(jax.vmap(lambda v: marker_positions(sized, forward_kinematics(sized, v))))(jnp.asarray(q)))
    yaw = np.deg2rad(35.0)
    down = CAMERA.gravity
    right = np.array([1.0, 0.0, 0.0])
    into = np.cross(right, down)
    horizontal = np.stack([right, -down, into], -1)  # columns: the camera's right, up and horizontal view in its own axes
    turn = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
    R = horizontal @ np.diag([1.0, 1.0, -1.0]) @ turn
    p = np.array([-0.4, 0.95, 4.2])
    in_camera = truth @ R.T + p
    rng = np.random.default_rng(seed)
    xy = in_camera[..., :2] / in_camera[..., 2:] * np.array(CAMERA.focal) + np.array(CAMERA.center)
    xy = xy + noise * rng.normal(size=xy.shape)
    names = model.marker_names
    hips = in_camera[:, [names.index("hip_r"), names.index("hip_l")]].mean(1, keepdims=True)
    depth = in_camera - hips
    depth[..., 2] += depth_error * rng.normal(size=depth.shape[1])
    return truth, Keypoints(time, names, xy, np.full(xy.shape[:2], max(noise, 2.0)), depth), R, p
