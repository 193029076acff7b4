"""How well depth and angles come out of one camera: moving bodies whose truth is known, seen by simulated cameras with measured noise."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray
from scipy.spatial.transform import Rotation

from monomsk.datasets.corpus import MotionClip
from monomsk.datasets.fitting import generic_body
from monomsk.datasets.seeing import Noise, Pose, load_noise, place_camera, see
from monomsk.keypoints.skeleton import NAMES
from monomsk.kinematics import trajectories
from monomsk.markers.sight import Sight
from monomsk.model.model import Model, complete
from monomsk.physics.forward_kinematics import forward_kinematics, marker_positions
from monomsk.types import Camera, Keypoints, Markers, Motion, Subject

RATE, FRAMES = 30.0, 120
"""Of a seen stretch [Hz], and its most frames."""
SHORTEST = 40
"""Frames that a clip must have at that rate."""
FOCAL, SIZE = 1400.0, (1920, 1080)
"""Of the simulated camera [px]."""
BODY_MASS_INDEX = 23.0
"""Where a clip does not know the mass [kg/m²]."""
DEPTH_STEADY, DEPTH_SLOW = 0.07, 0.10
"""Standard deviations of a pose estimator's own depth relative to the hips [m]: over the clip, and slow; 0.12 together, as measured."""
JOINTS = ("shoulder", "elbow", "wrist", "hip", "knee", "ankle", "heel", "big_toe")
"""Points, on both sides, whose mean distance is the error about the hips."""
ANGLES = ("hip_flexion", "hip_adduction", "hip_rotation", "knee_angle", "ankle_angle")
"""Of both legs; with the three of the pelvis they are 13."""
PELVIS = ("pelvis_list", "pelvis_rotation", "pelvis_tilt")


@dataclass(frozen=True)
class Seen:
    """A stretch of a clip as one simulated camera sees it, and what is so."""

    clip: MotionClip
    keypoints: Keypoints
    camera: Camera
    """Lens and gravity as they are believed."""
    subject: Subject
    q: Float[np.ndarray, "time nq"]
    points: Float[np.ndarray, "time keypoint 3"]
    """True keypoints of the names `NAMES` about the middle of the hips, camera frame [m]."""
    pelvis: Float[np.ndarray, "time 3 3"]
    """True rotation of the pelvis in the camera frame."""
    distance: float
    """Of the camera from the person [m]."""


def look_at(clips: Sequence[MotionClip], *, views: int, seed: int) -> Iterator[Seen]:
    """The middle of every clip, at most four seconds, from so many sides. Equal for equal seeds. Clips that are too short are left out."""
    noise = load_noise()
    for number, clip in enumerate(clips):
        frames = stretch_of(clip)
        if frames is None:
            continue
        q = np.asarray(clip.q[frames], float)
        for view in range(views):
            yield _seen(clip, q, noise, jax.random.fold_in(jax.random.fold_in(jax.random.key(seed), number), view))


def stretch_of(clip: MotionClip) -> slice | None:
    """The frames of a clip that `look_at` shows; None for one that is too short."""
    stride = round(clip.rate / RATE)
    count = min(FRAMES, len(clip.time) // stride)
    first = (len(clip.time) - count * stride) // 2
    return slice(first, first + count * stride, stride) if count >= SHORTEST else None


def _seen(clip: MotionClip, q: Float[np.ndarray, "time nq"], noise: Noise, key: PRNGKeyArray) -> Seen:
    generic = generic_body()
    held = q[np.minimum(np.arange(FRAMES), len(q) - 1)]
    index = clip.mass / clip.stature**2 if np.isfinite(clip.mass) else BODY_MASS_INDEX
    subject = Subject(clip.stature, float(np.clip(index, 12.0, 50.0)) * clip.stature**2)
    sight, pose, points, pelvis, depth = _simulated(clip.body(generic), jnp.asarray(held), noise, key, subject.height, subject.mass)
    count = len(q)
    seen = np.asarray(sight.seen)[:count]
    names = tuple(n for k, n in enumerate(NAMES) if seen[:, k].any())
    column = [NAMES.index(n) for n in names]
    sigma = np.where(seen, np.asarray(sight.sigma)[:count] * FOCAL, np.inf)[:, column]
    xy = np.asarray(sight.slope, float)[:count, column] * FOCAL + np.array(SIZE) / 2.0
    camera = Camera(
        size=SIZE,
        focal=(FOCAL, FOCAL),
        center=(SIZE[0] / 2.0, SIZE[1] / 2.0),
        focal_sigma=0.05,
        gravity=np.asarray(sight.down, float),
        gravity_sigma=0.04,
    )
    return Seen(
        clip=clip,
        keypoints=Keypoints(np.arange(count) / RATE, names, xy, sigma, np.asarray(depth, float)[:count, column], "simulated"),
        camera=camera,
        subject=subject,
        q=q,
        points=np.asarray(points, float)[:count],
        pelvis=np.asarray(pelvis, float)[:count],
        distance=float(np.linalg.norm(np.asarray(pose.position) - held[:, 3:6].mean(0))),
    )


@eqx.filter_jit
def _simulated(
    model: Model, q: Float[Array, "time nq"], noise: Noise, key: PRNGKeyArray, height: float, mass: float
) -> tuple[Sight, Pose, Array, Array, Array]:
    poses = jax.vmap(lambda row: forward_kinematics(model, complete(model, row)))(q)
    markers = jax.vmap(lambda p: marker_positions(model, p))(poses)
    names = model.marker_names
    column = jnp.array([names.index(n) if n in names else 0 for n in NAMES])
    points = jnp.where(jnp.array([n not in names for n in NAMES])[:, None], jnp.nan, markers[:, column])
    where, what, steady, slow = jax.random.split(key, 4)
    pose = place_camera(where, markers)
    sight, _ = see(what, noise, pose, points, jnp.arange(len(q)) / RATE, (jnp.asarray(height), jnp.asarray(mass)))
    hips = jnp.array([NAMES.index(f"hip_{side}") for side in "rl"])
    local = (points - jnp.mean(points[:, hips], 1, keepdims=True)) @ pose.R_camera_ground.T
    pelvis = pose.R_camera_ground @ poses.R[:, model.body("pelvis")]
    guess = local.at[..., 2].add(
        DEPTH_STEADY * jax.random.normal(steady, (local.shape[1],)) + DEPTH_SLOW * _wandering(slow, len(local), local.shape[1])
    )
    return sight, pose, local, pelvis, jnp.nan_to_num(guess)


def _wandering(key: PRNGKeyArray, frames: int, count: int) -> Float[Array, "time keypoint"]:
    """Unit noise that lasts about half a second."""
    white = jax.random.normal(key, (frames + 30, count))
    kernel = jnp.exp(-0.5 * ((jnp.arange(31) - 15) / 7.0) ** 2)
    kernel = kernel / jnp.linalg.norm(kernel)
    return jax.vmap(lambda column: jnp.convolve(column, kernel, mode="valid"), 1, 1)(white)


@dataclass(frozen=True)
class Errors:
    """Of one seen stretch."""

    points: float
    """Mean distance of the points about the hips [mm]."""
    angles: dict[str, float]
    """Mean absolute error of each of the 13 angles [°]; a leg's angles, both sides together."""

    @property
    def mean_angle(self) -> float:
        """Of the 13 [°]."""
        legs = sum(2.0 * self.angles[n] for n in ANGLES)
        return (legs + sum(self.angles[n] for n in PELVIS)) / 13.0


def point_error(seen: Seen, markers: Markers, camera: Camera) -> float:
    """Mean distance of `JOINTS` about the middle of the hips from the truth, directions as the camera sees them [mm]."""
    R = np.asarray(camera.R_camera_ground)
    names = [f"{joint}_{side}" for joint in JOINTS for side in "rl"]
    found = (markers.xyz - _middle(markers)[:, None])[:, [markers.names.index(n) for n in names]] @ R.T
    return 1000.0 * float(np.nanmean(np.linalg.norm(found - seen.points[:, [NAMES.index(n) for n in names]], axis=-1)))


def _middle(markers: Markers) -> Float[np.ndarray, "time 3"]:
    return 0.5 * (markers.xyz[:, markers.names.index("hip_r")] + markers.xyz[:, markers.names.index("hip_l")])


def angle_errors(seen: Seen, motion: Motion, camera: Camera) -> dict[str, float]:
    """Mean absolute errors [°] of a leg's angles, and about the pelvis's own axes of its direction as the camera sees it."""
    own = list(seen.clip.names)
    found = {}
    for name in ANGLES:
        pairs = [(motion.names.index(f"{name}_{s}"), own.index(f"{name}_{s}")) for s in "rl"]
        found[name] = float(np.degrees(np.mean([np.abs(motion.q[:, i] - seen.q[:, j]).mean() for i, j in pairs])))
    turn = Rotation.from_euler("ZXY", motion.q[:, [motion.names.index(n) for n in ("pelvis_tilt", "pelvis_list", "pelvis_rotation")]])
    pelvis = np.asarray(camera.R_camera_ground) @ turn.as_matrix()
    off = Rotation.from_matrix(seen.pelvis.swapaxes(1, 2) @ pelvis).as_rotvec()
    return found | {name: float(np.degrees(np.abs(off[:, k]).mean())) for k, name in enumerate(PELVIS)}


def with_keypoints(markers: Markers, motion: Motion, model: Model) -> Markers:
    """Markers of a model along a motion."""
    xyz = trajectories.in_chunks(trajectories.marker_trajectories, model, motion.q)
    return replace(markers, names=model.marker_names, xyz=xyz, sigma=np.zeros(xyz.shape[:2]), depth_sigma=None)
