"""The classic way from pixels to joint angles: one optimisation over all frames, the body's size and the camera."""

from dataclasses import dataclass, replace

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float
from scipy.interpolate import CubicSpline
from threadpoolctl import threadpool_limits

from monomsk.config import KinematicsConfig
from monomsk.errors import ModelError
from monomsk.kinematics import levenberg, residuals, trajectories
from monomsk.kinematics.learned import believe
from monomsk.kinematics.levenberg import Estimate, Prior
from monomsk.kinematics.planted import planted_beliefs
from monomsk.kinematics.quality import fit_quality, fit_warnings
from monomsk.kinematics.residuals import Frames, Scene
from monomsk.kinematics.scene import build_frames, build_prior, build_scene, informed_prior
from monomsk.kinematics.start import starting_coordinates
from monomsk.kinematics.transformer import KinematicsTransformer
from monomsk.kinematics.uncertainty import errors_of, with_errors
from monomsk.model.anatomy import Anatomy
from monomsk.model.compile import compile_model
from monomsk.model.edit import with_numbers
from monomsk.model.scale import scale_model
from monomsk.model.spec import ModelSpec
from monomsk.types import Camera, Markers, Motion, Progress, Subject, Trial

MOST_RATE = 60.0
"""Faster clips are fitted on every second, third, … frame [Hz]: movement has nothing more to say."""
ROUGH_STEPS = 10
REPLANT_EVERY = 4
STILL = 2e-3
"""The full fit ends when a round of steps lowers the cost by less than this share."""
MARKER_SIGMA = 0.03
"""Said of the fitted body's markers [m], until the fit tells its own uncertainty."""


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
    trial: Trial,
    anatomy: Anatomy,
    config: KinematicsConfig,
    *,
    network: KinematicsTransformer | None = None,
    progress: Progress = lambda done: None,
) -> Fit:
    """Fit the body to the keypoints, started from and weakly held by the lifted markers of the same names.

    Two rounds of Levenberg–Marquardt: a rough one to the lifted markers, then the full one to pixels, floor and planted
    feet, in which the belief which sole points are planted is renewed every few steps. With a network, what it makes of the
    markers is where the fit starts, in place of the rough round, and what poses and sizes are believed to be.

    The trial has its keypoints, markers, placed camera and the body before it is scaled.

    Raises:
        ModelError: the body has no hips, knees, ankles, shoulders or contact spheres by the expected names.
        KeypointError: hips and shoulders are never seen together.
    """
    keypoints, markers, camera, subject, body = trial.keypoints, trial.markers, trial.camera, trial.subject, trial.body
    assert keypoints is not None
    assert markers is not None
    assert camera is not None
    assert body is not None
    model = compile_model(body.with_markers(anatomy.anchors_on(body)))
    if not model.contact_names:
        raise ModelError(f"model {body.name} has no contact spheres on its feet: give it some (`model.edit.with_contacts_of`)")
    stride = max(1, round(1.0 / (MOST_RATE * (markers.time[1] - markers.time[0]))))
    scene = build_scene(model, camera, anatomy, config)
    frames = build_frames(scene, keypoints, markers, camera, anatomy=anatomy, config=config, stride=stride)
    prior = build_prior(scene, camera, subject, anatomy, duration=float(markers.time[-1] - markers.time[0]))
    # Thousands of small factorisations: threads of the linear algebra library only wait for each other there, tenfold on a busy machine.
    with threadpool_limits(limits=1, user_api="blas"):
        if network is None:
            estimate = _rough(scene, frames, prior, _start(scene, markers, prior, stride), progress)
        else:
            belief = believe(markers, subject, network, model, anatomy)
            prior = informed_prior(prior, scene, belief, config, stride=stride)
            estimate = Estimate(belief.q[::stride][:, list(scene.free)], prior.unknown)
        estimate, planted = _full(scene, frames, prior, estimate, config, progress)
        followed = replace(frames, planted=jnp.asarray(planted), target_weight=jnp.zeros_like(frames.target_weight))
        found = errors_of(scene, followed, prior, estimate, "classic" if network is None else "both", config.draws)
    fitted = _outcome(scene, frames, estimate, planted, time=keypoints.time, camera=camera, subject=subject, body=body)
    return replace(fitted, motion=with_errors(fitted.motion, found, keypoints.time[::stride]))


def _start(scene: Scene, markers: Markers, prior: Prior, stride: int) -> Estimate:
    thin = Markers(markers.time[::stride], markers.names, markers.xyz[::stride], markers.sigma[::stride])
    model = residuals.scaled(scene, jnp.asarray(prior.unknown))
    return Estimate(starting_coordinates(model, thin)[:, list(scene.free)], prior.unknown)


def _rough(scene: Scene, frames: Frames, prior: Prior, start: Estimate, progress: Progress) -> Estimate:
    """Follow the lifted markers; pixels count too, but not yet the floor."""
    estimate = start
    for step, better in enumerate(levenberg.iterate(scene, frames, prior, start, ROUGH_STEPS)):
        estimate = better
        progress(0.3 * (step + 1) / ROUGH_STEPS)
    return estimate


def _full(
    scene: Scene, frames: Frames, prior: Prior, start: Estimate, config: KinematicsConfig, progress: Progress
) -> tuple[Estimate, Float[np.ndarray, "time contact"]]:
    """Follow pixels, floor and planted feet; the lifted markers only through their relative depth."""
    estimate, planted = replace(start, damping=levenberg.FIRST_DAMPING), np.asarray(frames.planted)
    frames = replace(frames, target_weight=jnp.zeros_like(frames.target_weight))
    rate = 1.0 / float(frames.step[0])
    done = 0
    while done < config.iterations:
        lenient = max(1.0, 1.6 - 0.2 * done / REPLANT_EVERY)
        planted = planted_beliefs(trajectories.soles(scene, frames, estimate), rate, lenient=lenient)
        frames = replace(frames, planted=jnp.asarray(planted))
        began = levenberg.total_cost(scene, frames, prior, estimate.x, estimate.unknown)
        for better in levenberg.iterate(scene, frames, prior, estimate, min(REPLANT_EVERY, config.iterations - done)):
            estimate = better
            done += 1
            progress(0.3 + 0.7 * done / config.iterations)
        if lenient == 1.0 and estimate.cost > (1.0 - STILL) * began:
            break
    return estimate, planted


def _outcome(
    scene: Scene,
    frames: Frames,
    estimate: Estimate,
    planted: Float[np.ndarray, "time contact"],
    *,
    time: Float[np.ndarray, " time"],
    camera: Camera,
    subject: Subject,
    body: ModelSpec,
) -> Fit:
    """Motion on the clip's grid, the scaled body, the placed camera and the body's markers."""
    fitted_time = time[0] + np.concatenate([[0.0], np.cumsum(frames.step[:-1])])
    q = trajectories.in_chunks(residuals.all_coordinates, scene, estimate.x)
    if len(q) != len(time):
        q = CubicSpline(fitted_time, q)(time)
    factors = scene.segments.factors(scene.model, jnp.asarray(estimate.unknown[: len(scene.segments.names)]))
    sized = scale_model(compile_model(body), factors, subject.mass)
    R, position, focal = (np.asarray(v) for v in residuals.camera_pose(scene, jnp.asarray(estimate.unknown)))
    placed = replace(camera, R_camera_ground=R, p_camera_ground=-R @ position, focal=(float(focal[0]), float(focal[1])), gravity=-R[:, 1])
    quality = fit_quality(scene, frames, planted, *trajectories.observe(scene, frames, estimate), height=subject.height)
    feet = [[i for i, b in enumerate(scene.model.contact_body) if scene.model.body_names[b].endswith(side)] for side in ("_r", "_l")]
    contact = np.stack([np.interp(time, fitted_time, planted[:, foot].max(1) if foot else np.zeros(len(planted))) for foot in feet], -1)
    motion = Motion(
        time=time,
        names=scene.model.coordinate_names,
        rotational=np.array(scene.model.rotational),
        q=q,
        contact=contact,
        quality=quality,
        warnings=fit_warnings(quality),
    )
    xyz = trajectories.in_chunks(trajectories.marker_trajectories, sized, q)
    markers = Markers(time, sized.marker_names, xyz, np.full(xyz.shape[:2], MARKER_SIGMA))
    return Fit(motion, with_numbers(body, sized, factors), placed, markers)
