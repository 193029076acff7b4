"""Many small problems at once: share a moment among muscles, each with its bounds, reserves making up the rest.

    minimize  Σ a^p + Σ w r²   over   lower ≤ a ≤ upper,   with   r = d − B a

One problem a frame. The prices λ = 2 w r of the moments take the place of the reserves, and every Newton step solves for
them alone: a matrix of as many rows as there are coordinates. Derivatives are those of the conditions that hold at the
solution (implicit function theorem), by all numbers of the problem: nothing differentiates the iterations.
"""

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

MOST_STEPS = 60
TOLERANCE = 1e-11
"""Mean complementarity, relative to the root of the steepest pull of the moments, at which a frame is done."""
ROUNDING = 1e-13
"""The same relative to the pull itself: smaller is not to be had where it is steep."""
EXACT = 1e-8
"""Largest violation of stationarity and of the moments, each relative to its size, at which it is done."""
STEADIER = 1e-7
"""Added to the curvature of the cost in Newton's matrix, so that it can be inverted where the cost is flat (exponent 1)."""
TO_THE_BOUND = 0.995
"""How much of the way to the nearest bound a step may go."""


class Shares(NamedTuple):
    """Solutions, one a frame."""

    activation: Float[Array, "frame muscle"]
    reserve: Float[Array, "frame row"]
    """d − B a."""
    converged: Bool[Array, " frame"]


class _State(NamedTuple):
    a: Float[Array, "frame muscle"]
    z_low: Float[Array, "frame muscle"]
    z_high: Float[Array, "frame muscle"]
    price: Float[Array, "frame row"]
    done: Bool[Array, " frame"]
    step: Array


class _Problem(NamedTuple):
    B: Float[Array, "frame row muscle"]
    d: Float[Array, "frame row"]
    weight: Float[Array, " row"]
    lower: Float[Array, " muscle"]
    upper: Float[Array, " muscle"]
    exponent: Float[Array, ""]


@eqx.filter_jit
def share(
    B: Float[Array, "frame row muscle"],
    d: Float[Array, "frame row"],
    weight: Float[Array, " row"],
    lower: Float[Array, " muscle"],
    upper: Float[Array, " muscle"],
    exponent: float | Float[Array, ""],
) -> Shares:
    """Solve all frames by Mehrotra's predictor and corrector (Nocedal & Wright 2006, chapter 16).

    `B` are the moments of fully active muscles, `d` those to be made up. `exponent` ≥ 1. Bounds must lie apart. Where an activation
    just reaches a bound its derivative jumps; one side's is given. At exponent 1 solutions are corners, which stay.
    """
    activation, reserve, solved = _solve(_Problem(B, d, weight, lower, upper, jnp.asarray(exponent, B.dtype)))
    return Shares(activation, reserve, solved > 0.5)


_Solution = tuple[Float[Array, "frame muscle"], Float[Array, "frame row"], Float[Array, " frame"]]
"""Activations, reserves, and 1 where they are a solution."""


@jax.custom_jvp
def _solve(problem: _Problem) -> _Solution:
    B, d, _, lower, upper, _ = problem
    end = jax.lax.while_loop(
        lambda s: (s.step < MOST_STEPS) & ~jnp.all(s.done),
        lambda s: _improve(problem, s),
        _start(problem),
    )
    a = jnp.clip(end.a, lower, upper)
    return a, d - jnp.einsum("frm,fm->fr", B, a), end.done.astype(a.dtype)


@_solve.defjvp
def _follow(primals: tuple[_Problem], tangents: tuple[_Problem]) -> tuple[_Solution, _Solution]:
    """How the solution follows the problem: activations inside their bounds keep their cost in balance, those at a bound go with it."""
    (problem,), (change,) = primals, tangents
    a, reserve, converged = _solve(problem)
    p = problem.exponent
    price = 2.0 * problem.weight * reserve
    slope = p * a ** (p - 1.0) - jnp.einsum("frm,fr->fm", problem.B, price)
    # What a bound pushes back with, over the room that is left: nothing inside, without limit at the bound.
    low = jnp.maximum(slope, 0.0) / jnp.maximum(a - problem.lower, 1e-14)
    high = jnp.maximum(-slope, 0.0) / jnp.maximum(problem.upper - a, 1e-14)
    diagonal = STEADIER + p * (p - 1.0) * a ** (p - 2.0) + low + high
    steeper = a ** (p - 1.0) * (1.0 + p * jnp.log(jnp.maximum(a, 1e-30))) * change.exponent
    right = jnp.einsum("frm,fr->fm", change.B, price) - steeper + low * change.lower + high * change.upper
    wanted = change.d - jnp.einsum("frm,fm->fr", change.B, a) + reserve / problem.weight * change.weight
    scaled = problem.B / diagonal[:, None, :]
    factor = jnp.linalg.cholesky(jnp.einsum("frm,fsm->frs", scaled, problem.B) + jnp.diag(0.5 / problem.weight))
    unmet = wanted - jnp.einsum("frm,fm->fr", scaled, right)
    dprice = jax.scipy.linalg.cho_solve((factor, True), unmet[..., None])[..., 0]
    da = (right + jnp.einsum("frm,fr->fm", problem.B, dprice)) / diagonal
    dreserve = change.d - jnp.einsum("frm,fm->fr", change.B, a) - jnp.einsum("frm,fm->fr", problem.B, da)
    return (a, reserve, converged), (da, dreserve, jnp.zeros_like(converged))


def _start(problem: _Problem) -> _State:
    """All activations well inside their bounds, which push as hard as they may come to where muscles cannot do what is asked.

    Bounds that push too little at first leave room for short steps only: such frames took three times as many.
    """
    B, d, weight, lower, upper, p = problem
    a = jnp.broadcast_to(lower + 0.3 * (upper - lower), B.shape[::2])
    missing = d - jnp.einsum("frm,fm->fr", B, a)
    kernel = jnp.einsum("frm,fsm->frs", B, B) / p + jnp.diag(0.5 / weight)
    price = jax.scipy.linalg.cho_solve((jnp.linalg.cholesky(kernel), True), missing[..., None])[..., 0]
    slope = p * a ** (p - 1.0) - jnp.einsum("frm,fr->fm", B, price)
    most = jnp.abs(jnp.einsum("frm,fr->fm", B, 2.0 * weight * missing))
    push = 0.1 * jnp.maximum(jnp.mean(most, 1, keepdims=True), 1.0)
    z_low, z_high = jnp.maximum(slope, 0.0) + push / (a - lower), jnp.maximum(-slope, 0.0) + push / (upper - a)
    return _State(a, z_low, z_high, price, jnp.zeros(B.shape[0], bool), jnp.zeros((), int))


def _improve(problem: _Problem, state: _State) -> _State:
    """One predictor–corrector step of every frame that is not done."""
    a, z_low, z_high, price = state.a, state.z_low, state.z_high, state.price
    p = problem.exponent
    # At a bound the room is lost in rounding; it must not become zero.
    room_low, room_high = jnp.maximum(a - problem.lower, 1e-14), jnp.maximum(problem.upper - a, 1e-14)
    pull = jnp.einsum("frm,fr->fm", problem.B, price)
    slope = p * a ** (p - 1.0) - pull
    missing = problem.d - jnp.einsum("frm,fm->fr", problem.B, a) - 0.5 * price / problem.weight
    diagonal = STEADIER + p * (p - 1.0) * a ** (p - 2.0) + z_low / room_low + z_high / room_high
    scaled = problem.B / diagonal[:, None, :]
    factor = jnp.linalg.cholesky(jnp.einsum("frm,fsm->frs", scaled, problem.B) + jnp.diag(0.5 / problem.weight))
    mean = 0.5 * jnp.mean(room_low * z_low + room_high * z_high, 1, keepdims=True)

    def direction(low: Array, high: Array) -> tuple[Array, ...]:
        right = -slope + low / room_low - high / room_high
        wanted = missing - jnp.einsum("frm,fm->fr", scaled, right)
        dprice = jax.scipy.linalg.cho_solve((factor, True), wanted[..., None])[..., 0]
        da = (right + jnp.einsum("frm,fr->fm", problem.B, dprice)) / diagonal
        return da, (low - z_low * da) / room_low - z_low, (high + z_high * da) / room_high - z_high, dprice

    da, dz_low, dz_high, _ = direction(jnp.zeros_like(mean), jnp.zeros_like(mean))
    reach = _reach(state, room_low, room_high, da, dz_low, dz_high)
    ahead = (room_low + reach * da) * (z_low + reach * dz_low) + (room_high - reach * da) * (z_high + reach * dz_high)
    centre = (0.5 * jnp.mean(ahead, 1, keepdims=True) / mean) ** 3 * mean
    # The part of second order belongs to a full step: for a short one it points elsewhere, and can go around in circles (Cartis 2009).
    second = reach**2 * da
    da, dz_low, dz_high, dprice = direction(centre - second * dz_low, centre + second * dz_high)
    reach = TO_THE_BOUND * _reach(state, room_low, room_high, da, dz_low, dz_high)
    size = 1.0 + jnp.max(jnp.abs(pull), 1)
    off = jnp.max(jnp.abs(slope - z_low + z_high), 1) / size
    short = jnp.max(jnp.abs(missing), 1) / (1.0 + jnp.max(jnp.abs(problem.d), 1))
    done = state.done | ((mean[:, 0] < TOLERANCE * jnp.sqrt(size) + ROUNDING * size) & (off < EXACT) & (short < EXACT))
    new = (a + reach * da, z_low + reach * dz_low, z_high + reach * dz_high, price + reach * dprice)
    kept = [jnp.where(done[:, None], old, better) for old, better in zip((a, z_low, z_high, price), new, strict=True)]
    return _State(kept[0], kept[1], kept[2], kept[3], done, state.step + 1)


def _reach(state: _State, room_low: Array, room_high: Array, da: Array, dz_low: Array, dz_high: Array) -> Float[Array, "frame 1"]:
    """The longest step, at most one, that keeps all slacks and multipliers positive."""
    slack = jnp.concatenate([room_low, room_high, state.z_low, state.z_high], 1)
    change = jnp.concatenate([da, -da, dz_low, dz_high], 1)
    longest = jnp.where(change < 0.0, slack / jnp.where(change < 0.0, -change, 1.0), jnp.inf)
    return jnp.minimum(1.0, jnp.min(longest, 1, keepdims=True))
