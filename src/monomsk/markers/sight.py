"""What one camera shows of a person over a window of time, brought into a form that camera, place and size do not change.

The *view frame* stands in the camera with Y against gravity: X to the right, Z level and back towards the camera from the person.
Slopes x/−z and y/−z in it are centred on the person in every frame and divided by the person's angular size, so a network sees
the same whatever the lens, the distance and the direction of the walk. Lengths come out in statures.
"""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

CORE = ("hip_r", "hip_l", "shoulder_r", "shoulder_l", "hip_mid", "neck")
"""Keypoints that say where the person is."""
OTHERS_COUNT = 0.02
"""Weight of the other keypoints in that."""
CALM = 0.1
"""Width of the kernel that smooths the person's place [s]."""
RADIUS = 0.28
"""Root mean square distance of keypoints from the trunk's middle, seen from any side, in statures: first guess of the distance."""
FRAME_FEATURES = 7
"""Of the person as a whole, in every frame."""
POINT_FEATURES = 4
"""Of every keypoint."""


class Sight(NamedTuple):
    """Keypoints of one window, in the order that a network knows them in."""

    time: Float[Array, " time"]
    """[s]"""
    slope: Float[Array, "time keypoint 2"]
    """x/z and y/z of the undistorted rays in the camera frame."""
    sigma: Float[Array, "time keypoint"]
    """Standard deviation of the slopes per axis; what it is where `seen` is False does not matter."""
    seen: Bool[Array, "time keypoint"]
    down: Float[Array, "3"]
    """Direction of gravity in the camera frame."""
    height: Float[Array, ""]
    """Standing height [m]."""
    mass: Float[Array, ""]
    """[kg]"""


class View(NamedTuple):
    """A sight as the network takes it, and what leads back."""

    features: Float[Array, "time feature"]
    there: Bool[Array, " time"]
    """Frames that show anything."""
    center: Float[Array, "time 2"]
    """Slopes of the person's middle in the view frame."""
    size: Float[Array, ""]
    """Angular size: root mean square of the slopes about the middle."""
    R_camera_view: Float[Array, "3 3"]


def core_of(keypoints: tuple[str, ...]) -> Float[Array, " keypoint"]:
    """How much each keypoint says of where the person is."""
    return jnp.array([1.0 if name in CORE else OTHERS_COUNT for name in keypoints], jnp.float32)


def look(sight: Sight, core: Float[Array, " keypoint"]) -> View:
    """Bring a sight into the view frame and centre it; `core` is `core_of` its keypoints."""
    weight = jnp.where(sight.seen, 1.0, 0.0)
    R = _view_frame(sight, weight)
    rays = jnp.concatenate([sight.slope, jnp.ones_like(sight.slope[..., :1])], -1) @ R
    ahead = jnp.maximum(-rays[..., 2:], 0.1)
    slope = rays[..., :2] / ahead
    center = _middle(sight.time, slope, weight * core)
    apart = slope - center[:, None]
    size = jnp.sqrt(jnp.sum(weight[..., None] * apart**2) / jnp.maximum(jnp.sum(weight), 1.0) + 1e-8)
    doubt = jnp.clip(jnp.log(sight.sigma / size / 0.03), -3.0, 3.0)
    points = jnp.concatenate([apart / size, (doubt * weight)[..., None], weight[..., None]], -1) * weight[..., None]
    whole = jnp.mean(center, 0)
    index = sight.mass / sight.height**2
    numbers = jnp.stack([whole[1], jnp.log(size), jnp.log(sight.height / 1.7), jnp.log(index / 23.0)])
    frame = jnp.concatenate([(center - whole) / size, jnp.broadcast_to(numbers, (len(center), 4)), jnp.mean(weight, 1, keepdims=True)], -1)
    features = jnp.concatenate([points.reshape(len(points), -1), frame], -1)
    return View(features, jnp.any(sight.seen, 1), center, size, R)


def _view_frame(sight: Sight, weight: Float[Array, "time keypoint"]) -> Float[Array, "3 3"]:
    """Axes of the view frame in the camera frame, as columns."""
    up = -sight.down / jnp.linalg.norm(sight.down)
    middle = jnp.sum(sight.slope * weight[..., None], (0, 1)) / jnp.maximum(jnp.sum(weight), 1.0)
    ray = jnp.concatenate([middle, jnp.ones(1, middle.dtype)])
    back = -(ray - up * (ray @ up))
    back = back / jnp.maximum(jnp.linalg.norm(back), 1e-6)
    return jnp.stack([jnp.cross(up, back), up, back], -1)


def _middle(
    time: Float[Array, " time"], slope: Float[Array, "time keypoint 2"], share: Float[Array, "time keypoint"]
) -> Float[Array, "time 2"]:
    """The person's place in every frame, bridged and calmed over time."""
    near = jnp.exp(-0.5 * ((time[:, None] - time) / CALM) ** 2) + 1e-9
    total = near @ jnp.sum(share[..., None] * slope, 1)
    return total / jnp.maximum(near @ jnp.sum(share, 1), 1e-9)[:, None]
