"""The classic way from pixels to joint angles: one optimisation over all frames, the body's size and the camera."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from scipy.interpolate import CubicSpline

from monomsk.config import KinematicsConfig
from monomsk.errors import ModelError
from monomsk.kinematics import levenberg, residuals
from monomsk.kinematics.levenberg import Estimate, Prior
from monomsk.kinematics.planted import planted_beliefs
from monomsk.kinematics.residuals import CAMERA_UNKNOWNS, Frames, Scene
from monomsk.kinematics.start import starting_coordinates
from monomsk.model.anatomy import Anatomy
from monomsk.model.compile import compile_model
from monomsk.model.edit import with_numbers
from monomsk.model.model import Model
from monomsk.model.scale import scale_model
from monomsk.model.spec import ModelSpec
from monomsk.physics.forward_kinematics import forward_kinematics, marker_positions
from monomsk.types import Camera, Keypoints, Markers, Motion, Progress, Subject

MOST_RATE = 60.0
"""Faster clips are fitted on every second, third, … frame [Hz]: movement has nothing more to say."""
CLIP_FIRMNESS = 10.0
"""How many frames' worth of certainty a second of video adds to the beliefs about sizes and camera."""
ROUGH_STEPS = 10
REPLANT_EVERY = 4


@dataclass(frozen=True)
class Fit:
    """What the kinematics stage makes."""

    motion: Motion
    body: ModelSpec
    """Scaled to the person."""
    camera: Camera
    """Placed in the ground frame."""
    markers: Markers
    """The body's anatomical markers along the motion."""


def fit(
    keypoints: Keypoints,
    markers: Markers,
    camera: Camera,
    subject: Subject,
    *,
    body: ModelSpec,
    anatomy: Anatomy,
    config: KinematicsConfig,
    progress: Progress = lambda done: None,
) -> Fit:
    """Fit the body to undistorted keypoints, started from and weakly held by the lifted markers of the same names.

    Two rounds of Levenberg–Marquardt: a rough one to the lifted markers, then the full one to pixels, floor and planted
    feet, in which the belief which sole points are planted is renewed every few steps.

    Raises:
        ModelError: the body has no hips, knees, ankles, shoulders or contact spheres by the expected names.
        KeypointError: hips and shoulders are never seen together.
    """
    bare = compile_model(replace(body, markers=()))
    model = compile_model(body.with_markers(anatomy.anchors_on(bare)))
    if not model.contact_names:
        raise ModelError(
            f"model {body.name} has no contact spheres on its feet: add SmoothSphereHalfSpaceForce spheres, or leave --model out"
        )
    stride = max(1, round(1.0 / (MOST_RATE * (markers.time[1] - markers.time[0]))))
    scene = _scene(model, camera, anatomy, config)
    frames = _frames(scene, keypoints, markers, camera, anatomy, config, stride)
    prior = _prior(scene, camera, subject, anatomy, duration=float(markers.time[-1] - markers.time[0]))
    estimate = _start(scene, markers, prior, stride)
    estimate = _rough(scene, frames, prior, estimate, progress)
    estimate, planted = _full(scene, frames, prior, estimate, config, progress)
    return _result(scene, frames, estimate, planted, keypoints=keypoints, camera=camera, subject=subject, body=body)


def _scene(model: Model, camera: Camera, anatomy: Anatomy, config: KinematicsConfig) -> Scene:
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
    names = [n for n in anatomy.shifts if f"{n}_r" in model.marker_names]
    shift = np.zeros((len(model.marker_names), 3, 3 * len(names)))
    for k, name in enumerate(names):
        for side, mirror in (("r", 1.0), ("l", -1.0)):
            shift[model.marker_names.index(f"{name}_{side}"), :, 3 * k : 3 * k + 3] = np.diag([1.0, 1.0, mirror])
    return shift


def _frames(
    scene: Scene, keypoints: Keypoints, markers: Markers, camera: Camera, anatomy: Anatomy, config: KinematicsConfig, stride: int
) -> Frames:
    """Observations in the model's order of markers, thinned to the fit's rate; what is not seen has weight 0."""
    from monomsk.spatial import projection

    time = markers.time[::stride]
    names = scene.model.marker_names
    count, n = len(time), len(names)
    xy, weight = np.zeros((count, n, 2)), np.zeros((count, n))
    target, seen = np.zeros((count, n, 3)), np.zeros((count, n))
    pixels = np.asarray(projection.undistort(jnp.asarray(keypoints.xy), scene.focal, scene.center, jnp.asarray(camera.distortion)))
    for i, name in enumerate(names):
        if name not in keypoints.names:
            continue
        k = keypoints.names.index(name)
        sigma = keypoints.sigma[::stride, k]
        good = np.isfinite(sigma) & np.isfinite(markers.xyz[::stride, k]).all(-1)
        # Errors last about an eighth of a second (measured), so faster frames each say less.
        inflation = config.pixel_inflation * np.sqrt(1.0 / (60.0 * (time[1] - time[0]))) * anatomy.loose.get(name, 1.0)
        xy[good, i] = pixels[::stride, k][good]
        weight[good, i] = 1.0 / (np.maximum(sigma[good], 0.5) * inflation)
        target[good, i] = markers.xyz[::stride, k][good]
        seen[good, i] = 1.0 / anatomy.loose.get(name, 1.0)
    R, position = np.asarray(scene.R_camera_ground), np.asarray(scene.camera_position)
    depth = (target - position) @ R[2]
    hips = list(scene.hips)
    has_root = (seen[:, hips] > 0).all(1, keepdims=True)
    guessed = keypoints.depth is not None
    return Frames(
        xy=xy,
        weight=weight,
        depth=depth - depth[:, hips].mean(1, keepdims=True),
        depth_weight=np.where(has_root, seen / config.depth_sigma, 0.0) * guessed,
        target=target,
        target_weight=seen / (0.06 if guessed else 0.15),
        planted=np.zeros((count, len(scene.model.contact_names))),
        step=np.append(np.diff(time), 0.0),
    )


def _prior(scene: Scene, camera: Camera, subject: Subject, anatomy: Anatomy, *, duration: float) -> Prior:
    model, free = scene.model, list(scene.free)
    habits = [anatomy.habit(model.coordinate_names[i]) for i in free]
    ranges = np.asarray(model.coordinate_range)[free]
    rotational = np.array(model.rotational)[free]
    described, _ = anatomy.segments_of(model)
    names = model.marker_names
    points = names.index("head_top"), names.index("sole_r")
    shifts = [sigma for n, sigma in anatomy.shifts.items() if f"{n}_r" in names for _ in range(3)]
    plain = float(residuals.stature(scene, *points, jnp.zeros(len(described) + len(shifts) + CAMERA_UNKNOWNS)))
    size = np.log(subject.height / plain)
    center = [size + s.by_sex.get(subject.sex or "", 0.0) for s in described]
    # What is wrong with a clip is wrong in all its frames: more frames do not make sizes and camera surer, so beliefs grow along.
    firmness = np.sqrt(max(1.0, CLIP_FIRMNESS * duration))
    return Prior(
        pose=np.array([h.mean for h in habits]),
        pose_sigma=np.array([h.spread for h in habits]),
        low=np.where(rotational, ranges[:, 0], -np.inf),
        high=np.where(rotational, ranges[:, 1], np.inf),
        limit_sigma=np.full(len(free), 0.02),
        acceleration_sigma=np.array([h.acceleration for h in habits]),
        unknown=np.array([*center, *(0.0 for _ in shifts), 0.0, 0.0, 0.0, 0.0]),
        unknown_sigma=np.array(
            [*(s.spread for s in described), *shifts, *[max(camera.gravity_sigma, 1e-4)] * 2, 0.5, max(camera.focal_sigma, 1e-4)]
        )
        / firmness,
        stature=subject.height,
        stature_sigma=0.005 / firmness,
        stature_points=points,
    )


def _start(scene: Scene, markers: Markers, prior: Prior, stride: int) -> Estimate:
    thin = Markers(markers.time[::stride], markers.names, markers.xyz[::stride], markers.sigma[::stride])
    model = residuals.scaled(scene, jnp.asarray(prior.unknown))
    return Estimate(starting_coordinates(model, thin)[:, list(scene.free)], prior.unknown)


def _rough(scene: Scene, frames: Frames, prior: Prior, start: Estimate, progress: Progress) -> Estimate:
    """Follow the lifted markers; pixels count too, but not yet the floor."""
    estimate = start
    for step, estimate in enumerate(levenberg.iterate(scene, frames, prior, start, ROUGH_STEPS)):  # noqa: B007
        progress(0.3 * (step + 1) / ROUGH_STEPS)
    return estimate


def _full(
    scene: Scene, frames: Frames, prior: Prior, start: Estimate, config: KinematicsConfig, progress: Progress
) -> tuple[Estimate, Float[np.ndarray, "time contact"]]:
    """Follow pixels, floor and planted feet; the lifted markers only through their relative depth."""
    estimate = replace(start, damping=1e-3)
    free_of_target = replace_weights(frames, target_weight=np.zeros_like(frames.target_weight))
    planted = frames.planted
    done = 0
    while done < config.iterations:
        lenient = max(1.0, 1.6 - 0.2 * done / REPLANT_EVERY)
        planted = planted_beliefs(sole_points(scene, frames, estimate), 1.0 / frames.step[0], lenient=lenient)
        current = replace_weights(free_of_target, planted=planted)
        before = done
        for estimate in levenberg.iterate(scene, current, prior, estimate, min(REPLANT_EVERY, config.iterations - done)):
            done += 1
            progress(0.3 + 0.7 * done / config.iterations)
        if done == before:
            break
    return estimate, planted


def replace_weights(frames: Frames, **fields: Float[np.ndarray, "..."]) -> Frames:
    """Frames with some fields replaced."""
    return replace(frames, **fields)


def sole_points(scene: Scene, frames: Frames, estimate: Estimate) -> Float[np.ndarray, "time contact 3"]:
    """Lowest points of the contact spheres in the ground frame [m]."""
    return _observe(scene, frames, estimate)[1][:, len(scene.model.marker_names) :]


def _observe(scene: Scene, frames: Frames, estimate: Estimate) -> tuple[np.ndarray, np.ndarray]:
    parts = [residuals.observe(scene, jnp.asarray(w[:-1]), jnp.asarray(estimate.unknown)) for _, w in levenberg.chunks(frames, estimate.x)]
    seen, points = (np.concatenate([np.asarray(p[i]) for p in parts])[: len(estimate.x)] for i in (0, 1))
    return seen, points


def _result(
    scene: Scene,
    frames: Frames,
    estimate: Estimate,
    planted: Float[np.ndarray, "time contact"],
    *,
    keypoints: Keypoints,
    camera: Camera,
    subject: Subject,
    body: ModelSpec,
) -> Fit:
    full = in_chunks(residuals.all_coordinates, scene, estimate.x)
    model = scene.model
    time = keypoints.time
    stride_time = time[0] + np.concatenate([[0.0], np.cumsum(frames.step[:-1])])
    q = full if len(full) == len(time) else CubicSpline(stride_time, full)(time)
    factors = scene.segments.factors(model, jnp.asarray(estimate.unknown[: len(scene.segments.names)]))
    complete = compile_model(body)
    sized = scale_model(complete, factors, subject.mass)
    scaled_body = with_numbers(body, sized, factors)
    R, position, focal = (np.asarray(v) for v in residuals.camera_pose(scene, jnp.asarray(estimate.unknown)))
    placed = replace(camera, R_camera_ground=R, p_camera_ground=-R @ position, focal=(float(focal[0]), float(focal[1])), gravity=-R[:, 1])
    xyz = in_chunks(marker_trajectories, sized, q)
    motion = Motion(
        time=time,
        names=model.coordinate_names,
        rotational=np.array(model.rotational),
        q=q,
        contact=None,
        quality={},
    )
    return Fit(motion, scaled_body, placed, Markers(time, sized.marker_names, xyz, np.full(xyz.shape[:2], 0.03)))


def in_chunks(function: Callable[..., Array], model: Model | Scene, rows: Float[np.ndarray, "time n"]) -> Float[np.ndarray, "time *rest"]:
    """A compiled function of (model, chunk of rows) over all rows, the last chunk padded."""
    parts = [rows[np.minimum(np.arange(low, low + levenberg.CHUNK), len(rows) - 1)] for low in range(0, len(rows), levenberg.CHUNK)]
    return np.concatenate([np.asarray(function(model, jnp.asarray(part))) for part in parts])[: len(rows)]


@eqx.filter_jit
def marker_trajectories(model: Model, q: Float[Array, "time nq"]) -> Float[Array, "time marker 3"]:
    """Markers of the body in the ground frame [m]."""
    return jax.vmap(lambda row: marker_positions(model, forward_kinematics(model, row)))(q)
