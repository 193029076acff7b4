"""Forces of joints on their own coordinates, muscles aside: stops at the ends of a range, springs, dampers and soft tissue.

Functions of coordinates and speeds alone, smooth to the second derivative, as in OpenSim 4.6 (CoordinateLimitForce,
SpringGeneralizedForce, ExpressionBasedCoordinateForce).
"""

import jax.numpy as jnp
from jaxtyping import Array, Float

from monomsk.model.model import Model
from monomsk.model.passive import PassiveElements
from monomsk.physics.simulate import Drive, Forces, State


def passive_forces(model: Model, q: Float[Array, " nq"], qd: Float[Array, " nq"]) -> Float[Array, " nq"]:
    """Generalized forces [N·m, N] of all passive elements, positive in the direction of the coordinate.

    They act on the body: `forward_dynamics` takes them within tau; of the tau of `inverse_dynamics` they are a part.
    """
    elements = model.passive
    tau = jnp.zeros_like(q)
    if elements.limit_coordinate:
        at = jnp.array(elements.limit_coordinate)
        tau = tau.at[at].add(_limits(elements, q[at], qd[at]))
    if elements.spring_coordinate:
        at = jnp.array(elements.spring_coordinate)
        tau = tau.at[at].add(-elements.spring_stiffness * (q[at] - elements.spring_rest) - elements.spring_damping * qd[at])
    if elements.exponential_coordinate:
        at = jnp.array(elements.exponential_coordinate)
        exponent = elements.exponential_rate * (q[at] - elements.exponential_offset)
        tau = tau.at[at].add(elements.exponential_gain * jnp.exp(exponent))
    return tau


def with_passive(drive: Drive) -> Drive:
    """A drive of `simulate` with the body's passive forces on top."""

    def both(model: Model, t: Float[Array, ""], state: State, control: Float[Array, " control"]) -> Forces:
        forces = drive(model, t, state, control)
        return Forces(forces.tau + passive_forces(model, state.q, state.qd), forces.f_ext, forces.extra_rate)

    return both


def _limits(elements: PassiveElements, q: Float[Array, " limit"], qd: Float[Array, " limit"]) -> Float[Array, " limit"]:
    """Stops: beyond either end, stiffness and damping rise over the transition, the further way at full stiffness."""
    beyond = jnp.stack([q - elements.limit[:, 0], q - elements.limit[:, 1]], -1)
    # Positive outwards at both ends, in units of the transition.
    way = beyond * jnp.array([-1.0, 1.0], q.dtype) / elements.limit_transition[:, None]
    rise = _smooth_step(way)
    return -jnp.sum(rise * elements.limit_stiffness * beyond, -1) - elements.limit_damping * jnp.sum(rise, -1) * qd


def _smooth_step(x: Float[Array, "*n"]) -> Float[Array, "*n"]:
    """From 0 at x ≤ 0 to 1 at x ≥ 1, its first and second derivative zero at both (Simbody's stepUp)."""
    x = jnp.clip(x, 0.0, 1.0)
    return x * x * x * (10.0 + x * (-15.0 + 6.0 * x))
