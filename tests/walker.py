"""The demo's walker before a known camera: keypoints with exact truth, without a picture."""

from functools import cache

import jax
import jax.numpy as jnp
import numpy as np

from bodies import legs
from monomsk.datasets.gait import gait_motion, load_gait, walker
from monomsk.io.body import load_anatomy
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


@cache
def seen_walker(frames: int, *, noise: float = 0.0, depth_error: float = 0.0, seed: int = 0):
    """Motion, truth of the keypoints (time, keypoint, 3) in the walker's ground frame, Keypoints, and the camera's true pose R, p.

    The walk is the demo's, by a person of 1.75 m and 72 kg with his own segment lengths, obliquely past the camera.
    """
    anchors = tuple(a for a in load_anatomy().anchors if a.name not in ("sole_r", "sole_l", "head_top", "neck", "hip_mid"))
    gait = load_gait()
    model = walker(legs().with_markers(anchors), gait.person)
    motion = gait_motion(model, gait.stride, np.arange(frames) / RATE)
    truth = np.asarray(jax.jit(jax.vmap(lambda v: marker_positions(model, forward_kinematics(model, v))))(jnp.asarray(motion.q)))
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
    return motion, truth, Keypoints(motion.time, names, xy, np.full(xy.shape[:2], max(noise, 2.0)), depth), R, p
