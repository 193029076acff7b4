"""The learned way to depth: windows of the clip through the lifting transformer, blended, and the camera put over the floor."""

from dataclasses import replace
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float

from monomsk.errors import KeypointError
from monomsk.keypoints.skeleton import NAMES
from monomsk.markers.lift import heading, undistorted
from monomsk.markers.sight import Sight
from monomsk.markers.transformer import CONTACTS, MarkerTransformer
from monomsk.types import Camera, Keypoints, Markers, Subject

FRAMES, HOP = 64, 32
"""Frames of a window, and from one window to the next."""
WINDOWS = 8
"""Windows that go through the network together."""
MOST_RATE = 60.0
"""Faster clips are lifted at every second, third, … frame [Hz]; in between lie straight lines."""
FEWEST = 4
"""Keypoints that a frame must show to count."""


class Blend(NamedTuple):
    """What all windows say together; camera frame."""

    points: Float[np.ndarray, "time marker 3"]
    """[m]"""
    sigma: Float[np.ndarray, "time marker"]
    """Standard deviation per axis [m], the mean over the axes."""
    floor: Float[np.ndarray, " time"]
    """Height of the hips over the floor [m]."""
    contact: Float[np.ndarray, "time 4"]
    """Probability that `CONTACTS` stand on the floor."""


def lift(keypoints: Keypoints, camera: Camera, subject: Subject, network: MarkerTransformer) -> tuple[Markers, Camera]:
    """Markers of the network's names in the ground frame, and the camera placed in that frame; as `markers.lift.lift`.

    Raises KeypointError when no frame shows enough of the person.
    """
    stride = max(1, round(1.0 / (MOST_RATE * (keypoints.time[1] - keypoints.time[0]))))
    sight = _sight(keypoints, camera, subject, stride)
    if not (sight.seen.sum(1) >= FEWEST).any():
        raise KeypointError(f"no frame shows {FEWEST} keypoints together: the person cannot be placed in space; film the whole body")
    blend = _between(_blended(network, sight), keypoints.time[::stride], keypoints.time)
    placed = _placed(blend, network.markers, camera)
    ground = (blend.points - np.asarray(placed.p_camera_ground)) @ np.asarray(placed.R_camera_ground)
    return Markers(keypoints.time, network.markers, ground, blend.sigma), placed


def _sight(keypoints: Keypoints, camera: Camera, subject: Subject, stride: int) -> Sight:
    """The whole clip in canonical order, thinned."""
    column = [NAMES.index(name) for name in keypoints.names]
    slope = np.zeros((len(keypoints.time), len(NAMES), 2), np.float32)
    sigma = np.ones(slope.shape[:2], np.float32)
    seen = np.zeros(slope.shape[:2], bool)
    good = np.isfinite(keypoints.sigma)
    slope[:, column] = np.where(good[..., None], (undistorted(keypoints, camera) - np.array(camera.center)) / np.array(camera.focal), 0.0)
    sigma[:, column] = np.where(good, keypoints.sigma / camera.focal[0], 1.0)
    seen[:, column] = good
    down = camera.gravity if camera.gravity is not None else np.array([0.0, 1.0, 0.0])
    size = (np.float32(subject.height), np.float32(subject.mass))
    time = (keypoints.time - keypoints.time[0]).astype(np.float32)
    return Sight(time[::stride], slope[::stride], sigma[::stride], seen[::stride], down.astype(np.float32), *size)


@eqx.filter_jit
def _run(network: MarkerTransformer, sight: Sight) -> tuple[jax.Array, ...]:
    """Windows side by side, in the camera frame."""

    def one(window: Sight) -> tuple[jax.Array, ...]:
        lifted, view = network(window)
        relative = lifted.relative @ view.R_camera_view.T
        root = lifted.root @ view.R_camera_view.T
        lateral, depth = jnp.exp(lifted.log_sigma[..., 0]), jnp.exp(lifted.log_sigma[..., 1])
        sigma = jnp.sqrt((2.0 * lateral**2 + depth**2) / 3.0)
        return window.height * relative, window.height * root, window.height * sigma, window.height * lifted.floor, lifted.contact

    return jax.vmap(one)(sight)


def _blended(network: MarkerTransformer, sight: Sight) -> Blend:
    """Every frame as the windows that show it say, those in whose middle it lies the most."""
    count = len(sight.time)
    starts = [*range(0, max(count - FRAMES, 0), HOP), max(count - FRAMES, 0)]
    frame = np.stack([np.arange(s, s + FRAMES) for s in starts])
    beyond = frame >= count
    frame = np.minimum(frame, count - 1)
    step = float(sight.time[1] - sight.time[0])
    windows = Sight(
        time=np.broadcast_to(np.arange(FRAMES, dtype=np.float32) * step, frame.shape),
        slope=np.asarray(sight.slope)[frame],
        sigma=np.asarray(sight.sigma)[frame],
        seen=np.asarray(sight.seen)[frame] & ~beyond[..., None],
        down=np.broadcast_to(np.asarray(sight.down), (len(frame), 3)),
        height=np.full(len(frame), sight.height),
        mass=np.full(len(frame), sight.mass),
    )
    parts: list[list[np.ndarray]] = []
    for low in range(0, len(frame), WINDOWS):
        rows = np.minimum(np.arange(low, low + WINDOWS), len(frame) - 1)
        kept = min(WINDOWS, len(frame) - low)
        parts.append([np.asarray(a)[:kept] for a in _run(network, jax.tree.map(lambda a, rows=rows: jnp.asarray(a[rows]), windows))])
    relative, root, sigma, floor, contact = (np.concatenate(a) for a in zip(*parts, strict=True))
    share = np.where(beyond, 0.0, np.minimum(np.arange(FRAMES) + 1.0, FRAMES - np.arange(FRAMES)))

    def mean(values: np.ndarray) -> np.ndarray:
        weight = share.reshape(*share.shape, *[1] * (values.ndim - 2))
        total = np.zeros((count, *values.shape[2:]))
        np.add.at(total, frame, weight * values)
        norm = np.zeros(count)
        np.add.at(norm, frame, share)
        return total / norm.reshape(-1, *[1] * (values.ndim - 2))

    return Blend(mean(relative) + mean(root)[:, None], mean(sigma), mean(floor), 1.0 / (1.0 + np.exp(-mean(contact))))


def _between(blend: Blend, thin: Float[np.ndarray, " time"], time: Float[np.ndarray, " time"]) -> Blend:
    """At all frames of the clip."""
    if len(thin) == len(time):
        return blend

    def at(values: np.ndarray) -> np.ndarray:
        flat = values.reshape(len(thin), -1)
        return np.stack([np.interp(time, thin, column) for column in flat.T], -1).reshape(len(time), *values.shape[1:])

    return Blend(*(at(np.asarray(v)) for v in blend))


def _placed(blend: Blend, names: tuple[str, ...], camera: Camera) -> Camera:
    """The camera over the floor that the network sees under the hips; X along the way or the facing."""
    if camera.R_camera_ground is not None and camera.p_camera_ground is not None:
        return camera
    gravity = camera.gravity if camera.gravity is not None else np.array([0.0, 1.0, 0.0])
    up = -gravity / np.linalg.norm(gravity)
    hips = 0.5 * (blend.points[:, names.index("hip_r")] + blend.points[:, names.index("hip_l")])
    forward = heading(blend.points, hips, up, names)
    R = np.stack([forward, up, np.cross(forward, up)], -1)
    standing = _standing(blend.contact)
    height = float(np.median((hips @ up - blend.floor)[standing]))
    origin = hips[0] + up * (height - hips[0] @ up)
    return replace(camera, R_camera_ground=R, p_camera_ground=origin)


def _standing(contact: Float[np.ndarray, "time 4"]) -> Bool[np.ndarray, " time"]:
    """Frames in which a part of a foot stands; all of them when none does."""
    assert contact.shape[1] == len(CONTACTS)
    stands = contact.max(1) > 0.5
    return stands if stands.any() else np.ones(len(contact), bool)
