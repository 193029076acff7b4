"""The learned way to depth: windows of the clip through the lifting transformer, blended, and the camera put over the floor."""

from dataclasses import replace
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from monomsk.errors import KeypointError
from monomsk.markers.lift import heading, undistorted
from monomsk.markers.sight import Sight
from monomsk.markers.transformer import CONTACTS, MarkerTransformer, mirrored_sight
from monomsk.model.sides import mirror_order
from monomsk.types import Camera, Keypoints, Markers, Subject
from monomsk.windowing import batches, between, blended, stride_of, windows_of

FEWEST = 4
"""Keypoints that a frame must show to count."""


class Blend(NamedTuple):
    """What all windows say together; camera frame."""

    relative: Float[np.ndarray, "time marker 3"]
    """About the middle of the hips [m]."""
    root: Float[np.ndarray, "time 3"]
    """The middle of the hips [m]."""
    lateral: Float[np.ndarray, "time marker"]
    """Standard deviation across the line of sight, per axis [m]."""
    depth: Float[np.ndarray, "time marker"]
    """Along it [m]."""
    floor: Float[np.ndarray, " time"]
    """Height of the hips over the floor [m]."""
    contact: Float[np.ndarray, "time 4"]
    """Log odds that `CONTACTS` stand on the floor."""


def lift(keypoints: Keypoints, camera: Camera, subject: Subject, network: MarkerTransformer) -> tuple[Markers, Camera]:
    """Markers of the network's names in the ground frame, and the camera placed in that frame; as `markers.lift.lift`.

    Raises KeypointError when no frame shows enough of the person.
    """
    stride = stride_of(1.0 / float(keypoints.time[1] - keypoints.time[0]))
    sight = _sight(keypoints, camera, subject, network)
    sight = sight._replace(**{name: getattr(sight, name)[::stride] for name in ("time", "slope", "sigma", "seen")})
    if not (sight.seen.sum(1) >= FEWEST).any():
        raise KeypointError(f"no frame shows {FEWEST} keypoints together: the person cannot be placed in space; film the whole body")
    thin = keypoints.time[::stride]
    blend = Blend(*(between(v, thin, keypoints.time) for v in lifted(network, sight)))
    points = blend.relative + blend.root[:, None]
    placed = _placed(points, blend, network.markers, camera)
    ground = (points - np.asarray(placed.p_camera_ground)) @ np.asarray(placed.R_camera_ground)
    sigma = np.sqrt((2.0 * blend.lateral**2 + blend.depth**2) / 3.0)
    return Markers(keypoints.time, network.markers, ground, sigma, blend.depth), placed


def _sight(keypoints: Keypoints, camera: Camera, subject: Subject, network: MarkerTransformer) -> Sight:
    """The whole clip, its keypoints in the network's order; those that it does not know are left out.

    A network knows those keypoints that it also lifts: others (a finger, where the body has none) were never seen in its training, and
    what it would make of them is chance.
    """
    names = network.keypoints
    own = [i for i, name in enumerate(keypoints.names) if name in names and name in network.markers]
    column = [names.index(keypoints.names[i]) for i in own]
    slope = np.zeros((len(keypoints.time), len(names), 2), np.float32)
    sigma = np.ones(slope.shape[:2], np.float32)
    seen = np.zeros(slope.shape[:2], bool)
    good = np.isfinite(keypoints.sigma[:, own])
    plain = (undistorted(keypoints, camera)[:, own] - np.array(camera.center)) / np.array(camera.focal)
    slope[:, column] = np.where(good[..., None], plain, 0.0)
    sigma[:, column] = np.where(good, keypoints.sigma[:, own] / camera.focal[0], 1.0)
    seen[:, column] = good
    fields: dict[str, Any] = {
        "time": (keypoints.time - keypoints.time[0]).astype(np.float32),
        "slope": slope,
        "sigma": sigma,
        "seen": seen,
        "down": _gravity(camera).astype(np.float32),
        "height": np.float32(subject.height),
        "mass": np.float32(subject.mass),
    }
    return Sight(**fields)


def _gravity(camera: Camera) -> Float[np.ndarray, "3"]:
    return camera.gravity if camera.gravity is not None else np.array([0.0, 1.0, 0.0])


def lifted(network: MarkerTransformer, sight: Sight) -> Blend:
    """Every frame of a sight of any length as the windows that show it say, those in whose middle it lies the most."""
    windows = windows_of(len(sight.time))
    parts = [_run(network, part) for part in batches(sight, windows, ("down", "height", "mass"))]
    said = (np.concatenate([np.asarray(p[i]) for p in parts])[: len(windows.frame)] for i in range(len(Blend._fields)))
    return Blend(*(blended(v, windows) for v in said))


@eqx.filter_jit
def _run(network: MarkerTransformer, sight: Sight) -> tuple[Array, ...]:
    """Windows, each lifted as it is and in the mirror; the mean of both, in the camera frame."""
    keypoints = jnp.array(mirror_order(network.keypoints))
    plain, view = network(sight)
    other, _ = network(jax.vmap(lambda s: mirrored_sight(s, keypoints))(sight))
    order, flip = jnp.array(mirror_order(network.markers)), jnp.array([-1.0, 1.0, 1.0], jnp.float32)
    sides = jnp.array(mirror_order(CONTACTS))
    relative = 0.5 * (plain.relative + other.relative[:, :, order] * flip)
    root = 0.5 * (plain.root + other.root * flip)
    sigma = jnp.exp(0.5 * (plain.log_sigma + other.log_sigma[:, :, order]))
    back = view.R_camera_view.swapaxes(-1, -2)
    tall = sight.height[:, None, None]
    return (
        jnp.einsum("wtmi,wij->wtmj", relative, back) * tall[..., None],
        (root @ back) * tall,
        sigma[..., 0] * tall,
        sigma[..., 1] * tall,
        0.5 * (plain.floor + other.floor) * tall[..., 0],
        0.5 * (plain.contact + other.contact[..., sides]),
    )


def _placed(points: Float[np.ndarray, "time marker 3"], blend: Blend, names: tuple[str, ...], camera: Camera) -> Camera:
    """The camera over the floor that the network sees under the hips; X along the way or the facing."""
    if camera.R_camera_ground is not None and camera.p_camera_ground is not None:
        return camera
    up = -_gravity(camera) / np.linalg.norm(_gravity(camera))
    forward = heading(points, blend.root, up, names)
    R = np.stack([forward, up, np.cross(forward, up)], -1)
    standing = _standing(blend.contact)
    height = float(np.median((blend.root @ up - blend.floor)[standing]))
    origin = blend.root[0] + up * (height - blend.root[0] @ up)
    return replace(camera, R_camera_ground=R, p_camera_ground=origin)


def _standing(contact: Float[np.ndarray, "time 4"]) -> Bool[np.ndarray, " time"]:
    """Frames in which a part of a foot stands; all of them when none does."""
    stands = contact.max(1) > 0.0
    return stands if stands.any() else np.ones(len(contact), bool)
