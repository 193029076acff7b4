"""Roots of many scalar equations at once: Newton's steps kept in a bracket, with the derivative of the implicit function."""

from collections.abc import Callable
from typing import TypeVar

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PyTree

STEPS = 40
"""Enough to halve a bracket to rounding where Newton's steps never help."""
_SETTLED = 1e-13


P = TypeVar("P", bound=PyTree)


def increasing_root(
    residual: Callable[[P, Float[Array, "*shape"]], Float[Array, "*shape"]],
    parameters: P,
    bracket: tuple[Float[Array, "*shape"], Float[Array, "*shape"]],
    *,
    steps: int = STEPS,
) -> Float[Array, "*shape"]:
    """Where each residual, negative at the bracket's lower end and positive at its upper, is zero.

    A step that leaves the bracket or does not halve the one before is replaced by halving the bracket (Press et al. 2007,
    section 9.4). The number of steps is fixed. The derivative by `parameters` is that of the implicit function; without a
    change of sign the result is the end at which the residual is nearer to zero, and has none.
    """
    held, (low, high) = jax.lax.stop_gradient((parameters, bracket))

    def at(x: Float[Array, "*shape"]) -> tuple[Float[Array, "*shape"], Float[Array, "*shape"]]:
        return jax.jvp(lambda x: residual(held, x), (x,), (jnp.ones_like(x),))

    def improve(_: int, state: tuple[Array, Array, Array, Array]) -> tuple[Array, Array, Array, Array]:
        low, high, x, before = state
        value, slope = at(x)
        low, high = jnp.where(value <= 0.0, x, low), jnp.where(value >= 0.0, x, high)
        step = -value / jnp.where(slope > 0.0, slope, 1.0)
        inside = (slope > 0.0) & (x + step >= low) & (x + step <= high)
        small = jnp.abs(step) <= jnp.maximum(0.5 * before, _SETTLED * (jnp.abs(x) + _SETTLED))
        new = jnp.where((value == 0.0) | (inside & small), x + jnp.where(value == 0.0, 0.0, step), 0.5 * (low + high))
        return low, high, new, jnp.abs(new - x)

    start = (low, high, 0.5 * (low + high), jnp.abs(high - low))
    x = jax.lax.fori_loop(0, steps, improve, start)[2]
    # Both ends at once: residuals can be long, and every further one is compiled.
    at_low, at_high = jax.vmap(lambda end: residual(held, end))(jnp.stack(jnp.broadcast_arrays(low, high)))
    crosses = (at_low < 0.0) & (at_high > 0.0)
    # One more step outside the loop carries the derivative (implicit function theorem).
    _, slope = at(x)
    scale = jnp.where(crosses & (slope > 0.0), 1.0 / jnp.where(slope > 0.0, slope, 1.0), 0.0)
    return x - jax.lax.stop_gradient(scale) * residual(parameters, x)
