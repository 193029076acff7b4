"""The fit's problem put together: who is seen (Scene), what is seen (Frames), what is believed before (Prior)."""

from dataclasses import replace

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from monomsk.config import KinematicsConfig
from monomsk.errors import ModelError
from monomsk.kinematics import residuals
from monomsk.kinematics.learned import Belief
from monomsk.kinematics.levenberg import Prior
from monomsk.kinematics.residuals import CAMERA_UNKNOWNS, Frames, Scene
from monomsk.model.anatomy import Anatomy
from monomsk.model.model import Model
from monomsk.spatial import projection
from monomsk.types import Camera, Keypoints, Markers, Subject

CLIP_FIRMNESS = 15.0
"""How many frames' worth of certainty a second of video adds to the beliefs about sizes and camera."""
LIFTED_SIGMA, FLAT_SIGMA = 0.06, 0.15
"""Trust in lifted markers during the rough fit [m], with the estimator's depth and without any."""
LEAST_DEPTH_SIGMA = 0.005
"""No learned depth is trusted more than this [m]."""
CALMER = 0.3
"""Accelerations of what is added to a network's motion, relative to those of movements themselves."""
LEAST_PIXEL_SIGMA = 0.5
"""No keypoint is trusted more than this [px]."""


def build_scene(model: Model, camera: Camera, anatomy: Anatomy, config: KinematicsConfig) -> Scene:
    """The body and the camera before the fit. Raises ModelError when the camera has no place in the ground frame."""
    _, segments = anatomy.segments_of(model)
    R, p = camera.R_camera_ground, camera.p_camera_ground
    if R is None or p is None:
        raise ModelError("the camera has no place in the ground frame: lift the keypoints first")
    return Scene(
        model=model,
        segments=segments,
        shift=jnp.asarray(_shift_directions(model, anatomy)),
        free=model.free,
        hips=tuple(model.marker_names.index(f"hip_{s}") for s in "rl"),
        R_camera_ground=jnp.asarray(R),
        camera_position=jnp.asarray(-R.T @ p),
        focal=jnp.asarray(camera.focal, float),
        center=jnp.asarray(camera.center, float),
        sole_sigma=jnp.asarray(config.sole_sigma),
        slide_sigma=jnp.asarray(config.slide_sigma),
        robust=jnp.asarray(config.robust),
    )


def _shift_directions(model: Model, anatomy: Anatomy) -> Float[np.ndarray, "marker 3 shift"]:
    """Three shifts for each paired keypoint, mirrored between the sides."""
    names = _shifted(model, anatomy)
    shift = np.zeros((len(model.marker_names), 3, 3 * len(names)))
    for k, name in enumerate(names):
        for side, mirror in (("r", 1.0), ("l", -1.0)):
            shift[model.marker_names.index(f"{name}_{side}"), :, 3 * k : 3 * k + 3] = np.diag([1.0, 1.0, mirror])
    return shift


def _shifted(model: Model, anatomy: Anatomy) -> list[str]:
    return [n for n in anatomy.shifts if f"{n}_r" in model.marker_names and f"{n}_l" in model.marker_names]


def build_frames(
    scene: Scene, keypoints: Keypoints, markers: Markers, camera: Camera, *, anatomy: Anatomy, config: KinematicsConfig, stride: int
) -> Frames:
    """Observations in the model's order of markers, every `stride`-th frame; what is not seen has weight 0."""
    time = markers.time[::stride]
    names = scene.model.marker_names
    count, n = len(time), len(names)
    xy, weight = np.zeros((count, n, 2)), np.zeros((count, n))
    target, seen = np.zeros((count, n, 3)), np.zeros((count, n))
    pixels = np.asarray(projection.undistort(jnp.asarray(keypoints.xy), scene.focal, scene.center, jnp.asarray(camera.distortion)))
    # Errors last about an eighth of a second (measured), so the frames of a faster clip each say less.
    inflation = config.pixel_inflation * np.sqrt(1.0 / (60.0 * (time[1] - time[0])))
    for i, name in enumerate(names):
        if name in keypoints.names:
            k = keypoints.names.index(name)
            sigma, loose = keypoints.sigma[::stride, k], anatomy.loose.get(name, 1.0)
            good = np.isfinite(sigma)
            xy[good, i] = pixels[::stride, k][good]
            weight[good, i] = 1.0 / (np.maximum(sigma[good], LEAST_PIXEL_SIGMA) * inflation * loose)
        if name in markers.names:
            k = markers.names.index(name)
            good = np.isfinite(markers.sigma[::stride, k]) & np.isfinite(markers.xyz[::stride, k]).all(-1)
            target[good, i] = markers.xyz[::stride, k][good]
            seen[good, i] = 1.0 / anatomy.loose.get(name, 1.0)
    depth, depth_weight = _depths(scene, keypoints, markers, target, seen, config=config, stride=stride)
    guessed = keypoints.depth is not None or markers.depth_sigma is not None
    return Frames(
        xy=jnp.asarray(xy),
        weight=jnp.asarray(weight),
        depth=jnp.asarray(depth),
        depth_weight=jnp.asarray(depth_weight),
        target=jnp.asarray(target),
        target_weight=jnp.asarray(seen / (LIFTED_SIGMA if guessed else FLAT_SIGMA)),
        planted=jnp.zeros((count, len(scene.model.contact_names))),
        step=jnp.asarray(np.append(np.diff(time), 0.0)),
        share=jnp.full(count, np.sqrt((time[1] - time[0]) / 0.1)),
    )


def _depths(
    scene: Scene,
    keypoints: Keypoints,
    markers: Markers,
    target: Float[np.ndarray, "time marker 3"],
    seen: Float[np.ndarray, "time marker"],
    *,
    config: KinematicsConfig,
    stride: int,
) -> tuple[Float[np.ndarray, "time marker"], Float[np.ndarray, "time marker"]]:
    """Depth relative to the hips [m] and its weight [1/m]: that of the markers; the estimator's guess has a part beside a network's."""
    names, hips, time = scene.model.marker_names, list(scene.hips), markers.time[::stride]
    depth = _about(hips, (target - np.asarray(scene.camera_position)) @ np.asarray(scene.R_camera_ground)[2])
    known = np.where((seen[:, hips] > 0).all(1, keepdims=True), seen, 0.0)
    if markers.depth_sigma is None:
        return depth, known / config.depth_sigma * (keypoints.depth is not None)
    column = [markers.names.index(n) if n in markers.names else 0 for n in names]
    precision = (known / (np.maximum(markers.depth_sigma[::stride, column], LEAST_DEPTH_SIGMA) * _firmness(config, time))) ** 2
    if keypoints.depth is None:
        return depth, np.sqrt(precision)
    column = [keypoints.names.index(n) if n in keypoints.names else -1 for n in names]
    told = np.array([c >= 0 for c in column]) & np.isfinite(keypoints.sigma[::stride, column]) & (known > 0.0)
    guess = _about(hips, np.where(told, keypoints.depth[::stride, column, 2], 0.0))
    other = np.where(told & told[:, hips].all(1, keepdims=True), known / config.depth_sigma, 0.0) ** 2
    total = np.maximum(precision + other, 1e-12)
    return (precision * depth + other * guess) / total, np.sqrt(precision + other)


def _about(hips: list[int], depth: Float[np.ndarray, "time marker"]) -> Float[np.ndarray, "time marker"]:
    return depth - depth[:, hips].mean(1, keepdims=True)


def _firmness(config: KinematicsConfig, time: Float[np.ndarray, " time"]) -> float:
    """How many times less each frame's learned depth or angle is trusted than the networks say, because their errors last."""
    return float(np.sqrt(max(1.0, config.learned_memory / (time[1] - time[0]))))


def informed_prior(prior: Prior, scene: Scene, belief: Belief, config: KinematicsConfig, *, stride: int) -> Prior:
    """Beliefs about poses and sizes after a network has looked at the markers; joints' habits remain where it says nothing."""
    free = list(scene.free)
    known = np.isfinite(belief.sigma[::stride][:, free])
    # Beliefs about poses count thirty times a second, whatever the frame rate.
    sigma = belief.sigma[::stride][:, free] * np.sqrt(max(1.0, config.learned_memory * 30.0))
    count = len(scene.segments.names)
    unknown = prior.unknown.copy()
    unknown[:count] = belief.lengths
    return replace(
        prior,
        pose=belief.q[::stride][:, free],
        pose_sigma=np.where(known, sigma, prior.pose_sigma),
        unknown=unknown,
        acceleration_sigma=CALMER * prior.acceleration_sigma,
    )


def build_prior(scene: Scene, camera: Camera, subject: Subject, anatomy: Anatomy, *, duration: float) -> Prior:
    """Beliefs before the fit; `duration` of the clip in seconds."""
    model, free = scene.model, list(scene.free)
    habits = [anatomy.habit(model.coordinate_names[i]) for i in free]
    ranges = np.asarray(model.coordinate_range)[free]
    rotational = np.array(model.rotational)[free]
    described, _ = anatomy.segments_of(model)
    points = model.marker_names.index("head_top"), model.marker_names.index("sole_r")
    shifts = [anatomy.shifts[n] for n in _shifted(model, anatomy) for _ in range(3)]
    plain = float(residuals.stature(scene, *points, jnp.zeros(len(described) + len(shifts) + CAMERA_UNKNOWNS)))
    size = np.log(subject.height / plain)
    tilt, focal = max(camera.gravity_sigma, 1e-4), max(camera.focal_sigma, 1e-4)
    # What is wrong with a clip is wrong in all its frames: more frames do not make sizes and camera surer, so beliefs grow along.
    firmness = np.sqrt(max(1.0, CLIP_FIRMNESS * duration))
    return Prior(
        pose=np.array([[h.mean for h in habits]]),
        pose_sigma=np.array([[h.spread for h in habits]]),
        low=np.where(rotational, ranges[:, 0], -np.inf),
        high=np.where(rotational, ranges[:, 1], np.inf),
        limit_sigma=np.full(len(free), 0.02),
        acceleration_sigma=np.array([h.acceleration for h in habits]),
        unknown=np.array([*(size + s.by_sex.get(subject.sex or "", 0.0) for s in described), *(0.0 for _ in shifts), 0.0, 0.0, 0.0, 0.0]),
        unknown_sigma=np.array([*(s.spread for s in described), *shifts, tilt, tilt, 0.5, focal]) / firmness,
        stature=subject.height,
        stature_sigma=0.005 / firmness,
        stature_points=points,
    )
