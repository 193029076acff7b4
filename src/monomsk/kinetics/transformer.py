"""The inverse dynamics transformer: a motion and what Newton and Euler make of it → what the ground does to each foot.

The motion is seen from the person: turned to where the pelvis faces in that frame, lengths in statures, forces in body weights. What
the classic way says of each foot goes through to the answer: an untrained network says just that, and few people stood on
force plates. The network learns what is wrong with it: load that belongs to the other foot, force that the motion needs and the classic
way gave to nobody, peaks that its filter took away, and where in the foot the force acts. Nothing pulls.
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
SAID = 14
"""Numbers a foot: contact, load of the other foot, shares of what was not given (2), force (3), place (2), twist, and uncertainties
of force (3) and place."""
SURE = -2.5
"""Logarithm of the standard deviation of a force that an untrained network states [body weights]."""
REACH = 0.06
"""The centre of pressure lies no further from the classic way's than this, each way [statures]."""
CHANGE = 0.2
"""Forces that the network adds, as large as what it is best asked for [body weights]."""
TWIST = 0.01
"""The same for free moments, relative to the force [statures]."""
BELIEVED = 3.0
"""Log odds that a foot is on the ground where the classic way has a force on it, before the network says anything."""
HESITANT = -3.0
"""Log odds of the shares of a force that was given to no foot, before the network says anything."""
WHOLE = ("height", "mass", "trunk")
"""Fields of an effort that have no time."""


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
    quick: Float[Array, "time 6"]
    """The same of a motion that was smoothed less."""
    force: Float[Array, "time foot 3"]
    """Of the classic way [body weights]; axis `foot` is right, left."""
    cop: Float[Array, "time foot 3"]
    """Its centres of pressure from the centre of mass [statures]."""
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
    trunk: Float[Array, ""]
    """1 where the motion of trunk and arms is the person's, 0 where it was made up because nothing showed it."""


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
        """An untrained network for these coordinates and contact points: it says what the classic way says."""
        keys = jax.random.split(key, 3)
        self.read = Linear(4 * len(coordinates) + 12 + 12 + 6 * len(points) + 4, shape.width, keys[0])
        self.body = Transformer(shape, keys[1])
        self.write = Linear(shape.width, 2 * SAID, keys[2], gain=0.0)
        self.coordinates, self.points, self.shape = coordinates, points, shape

    def __call__(self, effort: Effort) -> Ground:
        """What the ground does in windows; every array has a first axis more."""
        features = jax.vmap(_features)(effort).astype(self.read.weight.dtype)
        said = self.write(self.body(self.read(features), effort.time, effort.seen[..., 0]))
        return ground(effort, said, self.points)


def ground(effort: Effort, said: Float[Array, "window time number"], points: tuple[str, ...]) -> Ground:
    """Forces from the network's numbers, which change those of the classic way."""
    foot = said.reshape(*said.shape[:2], 2, SAID)
    given = effort.force.astype(said.dtype)
    contact = foot[..., 0] + BELIEVED * jnp.where(given[..., 1] > 0.0, 1.0, -1.0)
    # From left to right where positive: no more than the foot has.
    handed = jnp.tanh(foot[..., 0, 1] - foot[..., 1, 1])[..., None]
    right, left = jax.nn.relu(handed) * given[..., 1, :], jax.nn.relu(-handed) * given[..., 0, :]
    moved = given + jnp.stack([right - left, left - right], -2)
    total = given.sum(-2)
    missed = effort.needed[..., 3:].astype(said.dtype) - total
    sharp = (effort.quick - effort.needed)[..., 3:].astype(said.dtype)
    share = jax.nn.sigmoid(foot[..., 2:4] + HESITANT)
    force = moved + share[..., :1] * missed[..., None, :] + share[..., 1:] * sharp[..., None, :] + CHANGE * foot[..., 4:7]
    force = force.at[..., 1].set(jax.nn.relu(force[..., 1])) * jax.nn.sigmoid(2.0 * contact)[..., None]
    return Ground(
        contact=contact,
        force=force,
        cop=_place(effort, foot[..., 7:9], points),
        twist=TWIST * foot[..., 9] * force[..., 1],
        log_sigma=jnp.clip(foot[..., 10:14] + SURE, -6.0, 1.0),
    )


def _place(effort: Effort, offset: Float[Array, "window time foot 2"], names: tuple[str, ...]) -> Float[Array, "window time foot 3"]:
    """Centres of pressure about those of the classic way, at the height of the feet's lowest points."""
    height = effort.point[..., 1]
    of = [jnp.array([i for i, name in enumerate(names) if name.endswith(side)]) for side in SIDES]
    lowest = jnp.stack([jnp.min(height[..., i], -1) for i in of], -1)
    aside = REACH * jnp.tanh(offset)
    return jnp.stack([effort.cop[..., 0] + aside[..., 0], lowest, effort.cop[..., 2] + aside[..., 1]], -1).astype(offset.dtype)


def _features(effort: Effort) -> Float[Array, "time feature"]:
    """A window as the network takes it."""
    count = len(effort.time)
    doubt = jnp.clip(jnp.log(effort.sigma / 0.05), -3.0, 3.0)
    needed = [jnp.concatenate([10.0 * w[:, :3], w[:, 3:] - jnp.array([0.0, 1.0, 0.0])], -1) for w in (effort.needed, effort.quick)]
    whole = jnp.stack([jnp.log(effort.height / 1.7), jnp.log(effort.mass / effort.height**2 / 23.0), effort.trunk])
    parts = (
        effort.posture,
        effort.speed / SPEED,
        effort.acceleration / ACCELERATION,
        doubt,
        *(jnp.clip(w, -8.0, 8.0) for w in needed),
        effort.force.reshape(count, -1),
        4.0 * effort.cop.reshape(count, -1),
        4.0 * effort.point.reshape(count, -1),
        effort.velocity.reshape(count, -1) / MOVING,
        jnp.broadcast_to(whole, (count, 3)),
        effort.seen.astype(effort.posture.dtype),
    )
    return jnp.concatenate(parts, -1) * effort.seen
