"""The inverse kinematics transformer: anatomical markers over time, as sure as they are → joint angles within their ranges, and sizes.

Markers are seen from the person: about the middle of the hips, turned to where the person faces in that frame, in statures. What
comes out is the body's: the pelvis in that frame, an angle a coordinate that cannot leave its range, one set of segment lengths for
the whole window. `posed` puts the body there, so that the network is taught in angles and in markers alike (MonoMSK's anatomical
layer).
"""

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, PRNGKeyArray

from monomsk.model.model import Model, complete
from monomsk.model.scale import Segments, scale_model
from monomsk.nn.transformer import Linear, Shape, Transformer
from monomsk.physics.forward_kinematics import forward_kinematics, marker_positions

CALM = 0.1
"""Width of the kernel that smooths the facing [s]."""
SOFTNESS = 0.03
"""Over which angles bend away from the ends of their ranges [rad]."""
SURE = -2.5
"""Logarithm of the standard deviation that an untrained network states [rad]."""
FRAME_FEATURES = 4
"""Of the person as a whole, in every frame."""
ROOT = 6
"""Coordinates of the pelvis in the ground frame, which come first."""


class Cloud(NamedTuple):
    """Markers of one window, in the network's order, in any frame whose Y is up."""

    time: Float[Array, " time"]
    """[s]"""
    xyz: Float[Array, "time marker 3"]
    """About the middle of the hips, in statures."""
    sigma: Float[Array, "time marker"]
    """Standard deviation per axis, in statures."""
    seen: Bool[Array, "time marker"]
    floor: Float[Array, " time"]
    """Height of the middle of the hips over the floor, in statures."""
    height: Float[Array, ""]
    """Standing height [m]."""
    mass: Float[Array, ""]
    """[kg]"""


class Posture(NamedTuple):
    """What the network says of windows."""

    R_frame_pelvis: Float[Array, "window time 3 3"]
    """The pelvis in the markers' frame."""
    joints: Float[Array, "window time joint"]
    """All coordinates but the pelvis's [rad]."""
    log_sigma: Float[Array, "window time coordinate"]
    """Logarithms of standard deviations [rad]: three of the pelvis, then the joints'."""
    lengths: Float[Array, "window segment"]
    """Logarithms of the segments' lengths, relative to one another."""


class Facing(NamedTuple):
    """A cloud as the network takes it, and what leads back."""

    features: Float[Array, "time feature"]
    there: Bool[Array, " time"]
    R_frame_facing: Float[Array, "time 3 3"]


class KinematicsTransformer(eqx.Module):
    """Cloud → Posture."""

    read: Linear
    body: Transformer
    write: Linear
    size: Linear
    markers: tuple[str, ...] = eqx.field(static=True)
    joints: tuple[str, ...] = eqx.field(static=True)
    """Coordinates after the pelvis's, in order."""
    ranges: tuple[tuple[float, float], ...] = eqx.field(static=True)
    """[rad], of each joint coordinate."""
    segments: tuple[str, ...] = eqx.field(static=True)
    shape: Shape = eqx.field(static=True)

    def __init__(
        self,
        markers: tuple[str, ...],
        joints: dict[str, tuple[float, float]],
        segments: tuple[str, ...],
        shape: Shape,
        key: PRNGKeyArray,
    ) -> None:
        """An untrained network from these markers to these coordinates, with their ranges [rad], and lengths."""
        keys = jax.random.split(key, 4)
        self.read = Linear(5 * len(markers) + FRAME_FEATURES, shape.width, keys[0])
        self.body = Transformer(shape, keys[1])
        self.write = Linear(shape.width, 6 + len(joints) + 3 + len(joints), keys[2], gain=0.1)
        self.size = Linear(shape.width, len(segments), keys[3], gain=0.02)
        self.markers, self.segments, self.shape = markers, segments, shape
        self.joints, self.ranges = tuple(joints), tuple(joints.values())

    def __call__(self, cloud: Cloud) -> Posture:
        """The posture in every frame of windows; every array of the cloud has a first axis more."""
        hips = tuple(self.markers.index(n) for n in ("hip_r", "hip_l", "shoulder_r", "shoulder_l"))
        facing = jax.vmap(lambda c: face(c, hips))(cloud)
        inner = self.body(self.read(facing.features.astype(self.read.weight.dtype)), cloud.time, facing.there)
        said = self.write(inner)
        count = len(self.joints)
        turn = said[..., :6] + jnp.array([1.0, 0.0, 0.0, 0.0, 1.0, 0.0], said.dtype)
        there = facing.there[..., None]
        mean = jnp.sum(jnp.where(there, inner, 0.0), 1) / jnp.maximum(jnp.sum(there, 1), 1)
        return Posture(
            R_frame_pelvis=facing.R_frame_facing.astype(said.dtype) @ _orthonormal(turn),
            joints=_within(said[..., 6 : 6 + count], jnp.array(self.ranges, said.dtype)),
            log_sigma=jnp.clip(said[..., 6 + count :] + SURE, -6.0, 0.5),
            lengths=self.size(mean),
        )


def face(cloud: Cloud, trunk: tuple[int, ...]) -> Facing:
    """Turn a cloud to where the person faces; `trunk` are right hip, left hip, right and left shoulder."""
    weight = jnp.where(cloud.seen, 1.0, 0.0)
    hip_r, hip_l, shoulder_r, shoulder_l = trunk
    across = 0.0
    for right, left in ((hip_r, hip_l), (shoulder_r, shoulder_l)):
        both = (weight[:, right] * weight[:, left])[:, None]
        across = across + both * (cloud.xyz[:, right] - cloud.xyz[:, left])
    near = jnp.exp(-0.5 * ((cloud.time[:, None] - cloud.time) / CALM) ** 2) + 1e-6
    across = near @ across
    right = across * jnp.array([1.0, 0.0, 1.0], across.dtype)
    right = right / jnp.maximum(jnp.linalg.norm(right, axis=-1, keepdims=True), 1e-9)
    up = jnp.broadcast_to(jnp.array([0.0, 1.0, 0.0], across.dtype), right.shape)
    R = jnp.stack([jnp.cross(up, right), up, right], -1)
    turned = jnp.where(cloud.seen[..., None], cloud.xyz, 0.0) @ R
    doubt = jnp.clip(jnp.log(cloud.sigma / 0.02), -3.0, 3.0) * weight
    points = jnp.concatenate([4.0 * turned, doubt[..., None], weight[..., None]], -1)
    index = cloud.mass / cloud.height**2
    whole = jnp.stack([jnp.log(cloud.height / 1.7), jnp.log(index / 23.0)])
    frame = jnp.concatenate(
        [4.0 * (cloud.floor - 0.5)[:, None], jnp.broadcast_to(whole, (len(turned), 2)), jnp.mean(weight, 1, keepdims=True)], -1
    )
    return Facing(jnp.concatenate([points.reshape(len(points), -1), frame], -1), jnp.any(cloud.seen, 1), R)


def _orthonormal(columns: Float[Array, "*n 6"]) -> Float[Array, "*n 3 3"]:
    """Rotation from two of its columns, roughly (Zhou et al. 2019)."""
    x, y = columns[..., :3], columns[..., 3:]
    x = x / jnp.maximum(jnp.linalg.norm(x, axis=-1, keepdims=True), 1e-6)
    y = y - x * jnp.sum(x * y, -1, keepdims=True)
    y = y / jnp.maximum(jnp.linalg.norm(y, axis=-1, keepdims=True), 1e-6)
    return jnp.stack([x, y, jnp.cross(x, y)], -1)


def _within(angle: Float[Array, "*n joint"], ranges: Float[Array, "joint 2"]) -> Float[Array, "*n joint"]:
    """The angle itself in the middle of its range, bent so that it never leaves it."""
    low, high = ranges[:, 0], ranges[:, 1]
    return low + SOFTNESS * (jax.nn.softplus((angle - low) / SOFTNESS) - jax.nn.softplus((angle - high) / SOFTNESS))


def sized(
    model: Model, segments: Segments, ends: tuple[int, int], lengths: Float[Array, " segment"], height: Float[Array, ""]
) -> tuple[Model, Float[Array, "body 3"]]:
    """The generic model with segments of these relative lengths and the given stature [m], and its scale factors.

    `ends` are the markers at the head's top and on the sole, between which the stature lies in the neutral posture.
    """

    def stature(model: Model) -> Float[Array, ""]:
        at = marker_positions(model, forward_kinematics(model, complete(model, model.coordinate_default)))
        return at[ends[0], 1] - at[ends[1], 1]

    relative = segments.factors(model, lengths)
    factors = relative * (height / stature(scale_model(model, relative, 1.0)))
    return scale_model(model, factors, 1.0), factors


def posed(
    model: Model, joints: tuple[int, ...], R_frame_pelvis: Float[Array, "time 3 3"], angles: Float[Array, "time joint"]
) -> Float[Array, "time marker 3"]:
    """Markers of the model over one window [m], in the frame in which the pelvis's rotation is told, from the pelvis's origin.

    `joints` are the columns of the coordinates whose angles these are; others are left as they are by default.
    """
    plain = model.coordinate_default.at[jnp.array(range(ROOT))].set(0.0).astype(angles.dtype)

    def markers(row: Float[Array, " joint"]) -> Float[Array, "marker 3"]:
        return marker_positions(model, forward_kinematics(model, complete(model, plain.at[jnp.array(joints)].set(row))))

    return jnp.einsum("tij,tmj->tmi", R_frame_pelvis, jax.vmap(markers)(angles))


def pelvis_rotation(model: Model, q: Float[Array, " nq"]) -> Float[Array, "3 3"]:
    """Rotation of the pelvis in the ground frame."""
    return forward_kinematics(model, q).R[model.body("pelvis")]
