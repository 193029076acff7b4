"""Forward and inverse in one: how far a motion, its moments and its ground forces are from agreeing, to learn from.

Forward: from states of the kinematic estimate, moments and ground forces make short motions, which should be the estimate. Inverse: what
these simulated motions ask for should be the moments and forces that were given, and nothing at the root. Gradients flow through
the differential equation to all of them.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from monomsk.model.model import Model
from monomsk.physics import native_dynamics
from monomsk.simulation.rollout import Forces, rollout


class Estimate(NamedTuple):
    """A motion as the kinematics gives it, at even steps of time."""

    q: Float[Array, "time nq"]
    """[rad, m]"""
    qd: Float[Array, "time nq"]


class Given(NamedTuple):
    """Moments and ground forces as the kinetics gives them, at the same times."""

    tau: Float[Array, "time nq"]
    """[N·m, N]; what it says of the root is not used: nothing holds a person there."""
    wrench: Float[Array, "time part 6"]
    """On the bodies that carry them, about the ground origin, moment first [N·m, N]."""


class Scale(NamedTuple):
    """What counts as one."""

    q: Float[Array, " nq"]
    qd: Float[Array, " nq"]
    tau: Float[Array, " nq"]


class Consistency(NamedTuple):
    """Mean squares over windows, frames and coordinates."""

    forward: Float[Array, ""]
    """Of the simulated motion's distance from the estimate."""
    inverse: Float[Array, ""]
    """Of what the simulated motion asks for, less what was given."""


def consistency_loss(
    model: Model, bodies: tuple[int, ...], estimate: Estimate, given: Given, *, step: float | Array, horizon: int, scale: Scale
) -> Consistency:
    """Both losses over windows of `horizon` steps of `step` seconds, one beginning where the one before ends.

    Between frames forces follow straight lines. `horizon` is at least two. Batch over clips with `jax.vmap`.
    """
    count = estimate.q.shape[0]
    frames = jnp.arange(0, count - horizon, horizon)[:, None] + jnp.arange(horizon + 1)
    tau = given.tau.at[:, jnp.array(model.root)].set(0.0)
    force = Forces(_with_middles(tau[frames]), _with_middles(given.wrench[frames]))
    start = estimate.q[frames[:, 0]], estimate.qd[frames[:, 0]]
    q, qd = jax.vmap(lambda s, f: rollout(model, bodies, s, f, step))(start, force)
    away = ((q - estimate.q[frames]) / scale.q) ** 2 + ((qd - estimate.qd[frames]) / scale.qd) ** 2
    asked = jax.vmap(lambda q, qd, w: inverse_of(model, bodies, (q, qd), w, step))(q, qd, given.wrench[frames])
    missed = (asked - tau[frames][:, 1:-1]) / scale.tau
    free = jnp.array(model.free)
    return Consistency(0.5 * jnp.mean(away[:, 1:, free]), jnp.mean(missed[..., free] ** 2))


def inverse_of(
    model: Model,
    bodies: tuple[int, ...],
    motion: tuple[Float[Array, "time nq"], Float[Array, "time nq"]],
    wrench: Float[Array, "time part 6"],
    step: float | Array,
) -> Float[Array, "time-2 nq"]:
    """Generalized forces that a motion (coordinates, speeds) asks for under wrenches, but at its first and last frame.

    Accelerations are differences of the speeds one frame before and after. What coupled
    coordinates ask for stands on them.
    """
    q, qd = motion
    qdd = (qd[2:] - qd[:-2]) / (2.0 * step)

    def one(q: Array, qd: Array, qdd: Array, wrench: Array) -> Array:
        f_ext = jnp.zeros((len(model.body_names), 6), wrench.dtype).at[jnp.array(bodies, int)].add(wrench) if bodies else None
        return native_dynamics.inverse_dynamics(model, q, qd, qdd, f_ext)

    return jax.vmap(one)(q[1:-1], qd[1:-1], qdd, wrench[1:-1])


def _with_middles(values: Float[Array, "window time *rest"]) -> Float[Array, "window grid *rest"]:
    """Values at frames and halfway between them."""
    middle = 0.5 * (values[:, :-1] + values[:, 1:])
    pairs = jnp.stack([values[:, :-1], middle], axis=2)
    return jnp.concatenate([pairs.reshape(values.shape[0], -1, *values.shape[2:]), values[:, -1:]], axis=1)
