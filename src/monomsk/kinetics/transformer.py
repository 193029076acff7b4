"""The inverse dynamics transformer: a motion and what Newton and Euler make of it → what the ground does to each foot.

The motion is seen from the person: turned to where the pelvis faces in that frame, lengths in statures, forces in body weights. The
force that the motion needs from outside goes through to the answer, divided among the feet, so that the network only has to
say how it is shared, and how far noise of the accelerations is in it. Nothing pulls, and a foot that does not touch gets nothing.
"""

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, PRNGKeyArray

from monomsk.kinetics.feet import SIDES
from monomsk.nn.transformer import Linear, Shape, Transformer

SPEED, ACCELERATION = 5.0, 50.0
"""Of angles, as large as what a network is best given [rad/s, rad/s²]."""
MOVING = 1.5
"""The same for soles [statures/s]."""
SAID = 12
"""Numbers a foot: contact, share, force against the other foot's (3), place (2), twist, and uncertainties of force (3) and place."""
SURE = -2.5
"""Logarithm of the standard deviation of a force that an untrained network states [body weights]."""
REACH = 0.12
"""The centre of pressure lies no further from the middle of the sole points than this, each way [statures]."""
CHANGE = 0.2
"""Forces that the network adds, as large as what it is best asked for [body weights]."""
TWIST = 0.01
"""The same for free moments, relative to the force [statures]."""
TOUCHING = 1e-3
"""Feet whose odds of touching are below this share nothing."""


class Effort(NamedTuple):
    """A motion over one window."""

    time: Float[Array, " time"]
    """[s]"""
    posture: Float[Array, "time coordinate"]
    """Tilt and list of the pelvis, and the joint angles [rad]."""
    speed: Float[Array, "time coordinate"]
    """[rad/s]"""
    acceleration: Float[Array, "time coordinate"]
    """[rad/s²]"""
    sigma: Float[Array, "time coordinate"]
    """Standard deviation of the posture [rad]."""
    needed: Float[Array, "time 6"]
    """Moment about the centre of mass [body weights × statures] and force [body weights] that the motion needs from outside."""
    point: Float[Array, "time contact 3"]
    """Lowest points of the contact spheres from the centre of mass [statures]."""
    velocity: Float[Array, "time contact 3"]
    """Their velocities over the ground [statures/s]."""
    seen: Bool[Array, "time 1"]
    """Whether there is motion."""
    height: Float[Array, ""]
    """[m]"""
    mass: Float[Array, ""]
    """[kg]"""


class Ground(NamedTuple):
    """What the network says of windows, in the facing frame; axis `foot` is right, left."""

    contact: Float[Array, "window time foot"]
    """Log odds that the foot is on the ground."""
    force: Float[Array, "window time foot 3"]
    """[body weights]"""
    cop: Float[Array, "window time foot 3"]
    """Centre of pressure from the centre of mass [statures], at the height of the lowest sole point."""
    twist: Float[Array, "window time foot"]
    """Free moment about the vertical [body weights × statures]."""
    log_sigma: Float[Array, "window time foot 4"]
    """Logarithms of standard deviations: force fore-aft, upwards, sideways [body weights], centre of pressure [statures]."""


class DynamicsTransformer(eqx.Module):
    """Effort → Ground."""

    read: Linear
    body: Transformer
    write: Linear
    coordinates: tuple[str, ...] = eqx.field(static=True)
    """Of the posture, in order."""
    points: tuple[str, ...] = eqx.field(static=True)
    """Contact points, in order; their endings tell the feet."""
    shape: Shape = eqx.field(static=True)

    def __init__(self, coordinates: tuple[str, ...], points: tuple[str, ...], shape: Shape, key: PRNGKeyArray) -> None:
        """An untrained network for these coordinates and contact points."""
        keys = jax.random.split(key, 3)
        self.read = Linear(4 * len(coordinates) + 6 + 6 * len(points) + 3, shape.width, keys[0])
        self.body = Transformer(shape, keys[1])
        self.write = Linear(shape.width, 3 + 2 * SAID, keys[2], gain=0.1)
        self.coordinates, self.points, self.shape = coordinates, points, shape

    def __call__(self, effort: Effort) -> Ground:
        """What the ground does in windows; every array has a first axis more."""
        features = jax.vmap(_features)(effort).astype(self.read.weight.dtype)
        said = self.write(self.body(self.read(features), effort.time, effort.seen[..., 0]))
        return ground(effort, said, self.points)


def ground(effort: Effort, said: Float[Array, "window time number"], points: tuple[str, ...]) -> Ground:
    """Forces from the network's numbers: the needed force, corrected, shared by the feet that touch."""
    foot = said[..., 3:].reshape(*said.shape[:2], 2, SAID)
    touch = jax.nn.sigmoid(foot[..., 0])
    weight = touch * jax.nn.softmax(foot[..., 1], -1)
    # Everything is shared while any foot touches, nothing while none does.
    share = weight / (weight.sum(-1, keepdims=True) + TOUCHING)
    total = (effort.needed[..., 3:] + CHANGE * said[..., :3]).astype(said.dtype)
    # Two feet can also push against each other, or one of them bear the other's part.
    against = CHANGE * (foot[..., 0, 2:5] - foot[..., 1, 2:5]) * (touch[..., 0] * touch[..., 1])[..., None]
    force = share[..., None] * total[..., None, :] + jnp.stack([against, -against], -2)
    force = force.at[..., 1].set(jax.nn.relu(force[..., 1]))
    return Ground(
        contact=foot[..., 0],
        force=force,
        cop=_place(effort.point.astype(said.dtype), foot[..., 5:7], points),
        twist=TWIST * foot[..., 7] * force[..., 1],
        log_sigma=jnp.clip(foot[..., 8:12] + SURE, -6.0, 1.0),
    )


def _place(
    point: Float[Array, "window time contact 3"], offset: Float[Array, "window time foot 2"], names: tuple[str, ...]
) -> Float[Array, "window time foot 3"]:
    """Centres of pressure about the middles of the feet's points, at the height of the lowest."""
    of = [jnp.array([i for i, name in enumerate(names) if name.endswith(side)]) for side in SIDES]
    middle = jnp.stack([jnp.mean(point[..., i, :], -2) for i in of], -2)
    lowest = jnp.stack([jnp.min(point[..., i, 1], -1) for i in of], -1)
    aside = REACH * jnp.tanh(offset)
    return jnp.stack([middle[..., 0] + aside[..., 0], lowest, middle[..., 2] + aside[..., 1]], -1)


def _features(effort: Effort) -> Float[Array, "time feature"]:
    """A window as the network takes it."""
    count = len(effort.time)
    doubt = jnp.clip(jnp.log(effort.sigma / 0.05), -3.0, 3.0)
    needed = jnp.concatenate([10.0 * effort.needed[:, :3], effort.needed[:, 3:] - jnp.array([0.0, 1.0, 0.0])], -1)
    whole = jnp.stack([jnp.log(effort.height / 1.7), jnp.log(effort.mass / effort.height**2 / 23.0)])
    parts = (
        effort.posture,
        effort.speed / SPEED,
        effort.acceleration / ACCELERATION,
        doubt,
        jnp.clip(needed, -8.0, 8.0),
        4.0 * effort.point.reshape(count, -1),
        effort.velocity.reshape(count, -1) / MOVING,
        jnp.broadcast_to(whole, (count, 2)),
        effort.seen.astype(effort.posture.dtype),
    )
    return jnp.concatenate(parts, -1) * effort.seen
