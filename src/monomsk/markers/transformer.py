"""The lifting transformer: keypoints of one camera over time → anatomical markers in space, the way of the body, feet on the floor.

It says how a person like those it was trained on moves when a camera sees this: what pixels leave open (depth) and how far the
answer may be off. After the sight has been brought into the view frame (`markers.sight`) a transformer over time reads it; a
linear layer beside it hands the slopes on, so that the network only has to add to them.
"""

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from monomsk.markers.sight import FRAME_FEATURES, POINT_FEATURES, RADIUS, Sight, View, core_of, look
from monomsk.nn.transformer import Linear, Shape, Transformer

CONTACTS = ("heel_r", "toes_r", "heel_l", "toes_l")
"""Parts of the feet whose contact with the floor is told."""
LATERAL, DEPTH = 0.02, 0.04
"""Standard deviations that an untrained network states, across and along the line of sight [statures]."""


class Lifted(NamedTuple):
    """What the network says of windows, in their view frames; lengths in statures."""

    relative: Float[Array, "window time marker 3"]
    """Markers about the middle of the hips."""
    log_sigma: Float[Array, "window time marker 2"]
    """Logarithms of the standard deviation per axis across the line of sight, and along it."""
    root: Float[Array, "window time 3"]
    """Middle of the hips from the camera."""
    root_log_sigma: Float[Array, "window time"]
    """Of the distance, as a share of it."""
    floor: Float[Array, "window time"]
    """Height of the middle of the hips over the floor."""
    contact: Float[Array, "window time 4"]
    """Log odds that the parts `CONTACTS` stand on the floor."""


class MarkerTransformer(eqx.Module):
    """Sight → Lifted."""

    read: Linear
    body: Transformer
    write: Linear
    hand_on: Linear
    keypoints: tuple[str, ...] = eqx.field(static=True)
    """Names in the order that a sight has them in."""
    markers: tuple[str, ...] = eqx.field(static=True)
    shape: Shape = eqx.field(static=True)

    def __init__(self, keypoints: tuple[str, ...], markers: tuple[str, ...], shape: Shape, key: PRNGKeyArray) -> None:
        """An untrained network from the keypoints to the markers of these names."""
        keys = jax.random.split(key, 4)
        features = POINT_FEATURES * len(keypoints) + FRAME_FEATURES
        out = 5 * len(markers) + 9
        self.read = Linear(features, shape.width, keys[0])
        self.body = Transformer(shape, keys[1])
        self.write = Linear(shape.width, out, keys[2], gain=0.1)
        self.hand_on = Linear(features, 3 * len(markers), keys[3], gain=0.0)
        self.keypoints, self.markers, self.shape = keypoints, markers, shape

    def __call__(self, sight: Sight) -> tuple[Lifted, View]:
        """Lift windows: every array of the sight, and of the view, with a first axis more."""
        core = core_of(self.keypoints)
        view = jax.vmap(lambda s: look(s, core))(sight)
        features = view.features.astype(self.read.weight.dtype)
        said = self.write(self.body(self.read(features), sight.time, view.there))
        count = len(self.markers)
        relative = said[..., : 3 * count] + self.hand_on(features)
        log_sigma = said[..., 3 * count : 5 * count].reshape(*said.shape[:2], count, 2) + jnp.log(jnp.array([LATERAL, DEPTH], said.dtype))
        rest = said[..., 5 * count :]
        distance = RADIUS / view.size[:, None] * jnp.exp(rest[..., 0])
        slope = view.center + view.size[:, None, None] * rest[..., 1:3]
        root = jnp.concatenate([slope * distance[..., None], -distance[..., None]], -1)
        lifted = Lifted(
            relative=relative.reshape(*said.shape[:2], count, 3),
            log_sigma=jnp.clip(log_sigma, -7.0, 0.0),
            root=root,
            root_log_sigma=rest[..., 3] - 2.5,
            floor=0.5 + rest[..., 4],
            contact=rest[..., 5:9],
        )
        return lifted, view


def mirrored_sight(sight: Sight, order: Array) -> Sight:
    """The mirror image: left is right. `order` exchanges the sides of the keypoints (`model.sides.mirror_order`)."""
    flip = jnp.array([-1.0, 1.0])
    return sight._replace(
        slope=sight.slope[:, order] * flip,
        sigma=sight.sigma[:, order],
        seen=sight.seen[:, order],
        down=sight.down * jnp.array([-1.0, 1.0, 1.0]),
    )
