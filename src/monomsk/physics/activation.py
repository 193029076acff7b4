"""Activation of muscles by excitation: first-order dynamics, quicker to rise than to fall."""

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from monomsk.model.muscles import KINDS, Muscles
from monomsk.physics.bracketed_newton import increasing_root

Batch = Float[Array, "*batch muscle"]

_MARGIN = 0.05
"""How far the search for an activation goes beyond where it must lie."""


def activation_rate(muscles: Muscles, activation: Batch, excitation: Batch) -> Batch:
    """Rates of change of activation [1/s], as OpenSim 4.6 has them for each kind of muscle.

    Millard's and Thelen's: Thelen (2003), equations 1 and 2, from the least activation to one. Less excitation than that
    counts as that (OpenSim wants `min_control` no lower). De Groote's: De Groote et al. (2016), supplement, with a tanh
    instead of the switch between rising and falling. OpenSim 4.6 takes the time constants of the first De Groote muscle that
    a program computes for all of them; here each has its own.
    """
    numbers = muscles.parameters
    least, rise, fall = (numbers[name] for name in ("minimum_activation", "activation_time_constant", "deactivation_time_constant"))
    u, a = jnp.clip(excitation, least, 1.0), jnp.clip(activation, least, 1.0)
    pace = 0.5 + 1.5 * a
    switched = jnp.where(u > a, (u - a) / (rise * pace), (u - a) * pace / fall)
    pace = 0.5 + 1.5 * activation
    difference = excitation - activation
    rising = 0.5 + 0.5 * jnp.tanh(numbers["activation_dynamics_smoothing"] * difference)
    smooth = (rising / (rise * pace) + (1.0 - rising) * pace / fall) * difference
    return jnp.where(_degroote(muscles), smooth, switched)


def activation_step(muscles: Muscles, activation: Batch, excitation: Batch, step: Float[Array, ""] | float) -> Batch:
    """Activation after a time step [s] at constant excitation, by backward Euler: it never passes its steady state."""
    least = muscles.parameters["minimum_activation"]
    steady = jnp.where(_degroote(muscles), excitation, jnp.clip(excitation, least, 1.0))

    def residual(parameters: tuple[Muscles, Batch, Batch, Float[Array, ""]], new: Batch) -> Batch:
        muscles, activation, excitation, step = parameters
        return new - activation - step * activation_rate(muscles, new, excitation)

    bracket = (jnp.minimum(activation, steady) - _MARGIN, jnp.maximum(activation, steady) + _MARGIN)
    return increasing_root(residual, (muscles, activation, excitation, jnp.asarray(step)), bracket)


def _degroote(muscles: Muscles) -> Bool[Array, " muscle"]:
    return jnp.array([KINDS[k] == "DeGrooteFregly2016Muscle" for k in muscles.kind])
