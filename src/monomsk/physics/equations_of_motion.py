"""The equations of motion solved for the accelerations, with locks and couplers as the body has them.

Coordinates that are free move; a coupled one follows one of them (the patella the knee), a locked one none. With G, the rates
at which all follow the free ones, and b, what they accelerate while the free ones do not,

    (Gᵀ M G + D) a = Gᵀ (tau − ID(q, qd, b, f_ext)),   qdd = G a + b

where ID is inverse dynamics: the constraints do no work (Lagrange; Featherstone 2008, chapter 8). D is an armature.
"""

from collections.abc import Callable
from functools import partial
from typing import Literal, cast

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PyTree

from monomsk.model.model import Model, complete_rates
from monomsk.physics import inverse_dynamics as plain_inverse
from monomsk.physics import mass_matrix as plain_matrix
from monomsk.physics import native_dynamics

Derivatives = Literal["backward", "first", "any"]


def accelerations(
    model: Model,
    q: Float[Array, " nq"],
    qd: Float[Array, " nq"],
    tau: Float[Array, " nq"],
    f_ext: Float[Array, "body 6"] | None = None,
    *,
    armature: Float[Array, " nq"] | None = None,
    constrained: bool = True,
    derivatives: Derivatives = "backward",
) -> Float[Array, " nq"]:
    """Accelerations of all coordinates under generalized forces [N·m, N] and wrenches on the bodies.

    Args:
        model: the body.
        q: coordinates [rad, m]; coupled ones are taken from those that determine them.
        qd: speeds; those of coupled coordinates are set, those of locked ones are zero.
        tau: generalized forces; those on coupled coordinates act on the ones that determine them.
        f_ext: moments and forces on the bodies about the ground origin, as in `inverse_dynamics`.
        armature: added to the diagonal of the mass matrix [kg·m², kg]. Time step × damping makes damping implicit.
        constrained: False lets every coordinate stand for itself. Equals `forward_dynamics` then.
        derivatives: those that are to work. "backward": the first, in reverse mode, which costs a second solution and the
            derivative of inverse dynamics, but none of the mass matrix. "first": in both modes, through the whole matrix of
            derivatives, which pays where all of it is wanted (implicit integration). "any": all, by JAX alone, without kernels.
    """
    follows = follow(model) if constrained else tuple(range(model.nq))
    q, rate, qd, rest = _motion(model, q, qd, constrained)
    diagonal = _fold(follows, rate * rate * (jnp.zeros_like(q) if armature is None else armature))
    values = (q, rate, qd, rest, tau, jnp.zeros((0, 6), q.dtype) if f_ext is None else f_ext, diagonal)
    solve = {"backward": _solve_compiled, "first": _solve_both_ways, "any": _solve_plain}[derivatives]
    return rest + rate * _spread(follows, solve(model, follows, values))


def opensim_accelerations(
    model: Model,
    q: Float[Array, " nq"],
    qd: Float[Array, " nq"],
    tau: Float[Array, " nq"],
    f_ext: Float[Array, "body 6"] | None = None,
) -> Float[Array, " nq"]:
    """The accelerations with OpenSim's error of bias accelerations in them (docs/mechanics.md), for comparison."""
    q, _, qd, rest = _motion(model, q, qd, constrained=True)
    theirs, right = (plain_inverse.inverse_dynamics(model, q, qd, rest, simbody_compatible=flag) for flag in (True, False))
    return accelerations(model, q, qd, tau + right - theirs, f_ext)


def follow(model: Model) -> tuple[int, ...]:
    """Number, among the free coordinates, of the one that each coordinate follows; −1 for none."""
    number = {coordinate: i for i, coordinate in enumerate(model.free)}
    source = dict(zip(model.dependent, model.independent, strict=True))
    return tuple(number.get(source.get(c, c), -1) for c in range(model.nq))


_Values = tuple[Array, Array, Array, Array, Array, Array, Array]
"""q, rates at which the coordinates follow, qd, accelerations at rest of the free ones, tau, f_ext, diagonal."""


def _motion(model: Model, q: Array, qd: Array, constrained: bool) -> tuple[Array, Array, Array, Array]:
    """Coordinates, rates, speeds and remaining accelerations that keep to couplers and locks."""
    one, zero = jnp.ones_like(q), jnp.zeros_like(q)
    if not constrained or len(model.free) == model.nq:
        return q, one, qd, zero
    moving = jnp.array([not locked or c in model.dependent for c, locked in enumerate(model.locked)])
    qd = jnp.where(moving, qd, 0.0)
    _, rate, _ = complete_rates(model, q, one, zero)
    q, qd, rest = complete_rates(model, q, qd, zero)
    stuck = jnp.array([f < 0 for f in follow(model)])
    return q, jnp.where(stuck, 0.0, rate), jnp.where(stuck, 0.0, qd), jnp.where(stuck, 0.0, rest)


def _fold(follows: tuple[int, ...], x: Float[Array, " nq"]) -> Float[Array, " free"]:
    """Sum over the coordinates that follow each free one."""
    if follows == tuple(range(len(follows))):
        return x
    return jnp.zeros(max(follows) + 2, x.dtype).at[jnp.array(follows)].add(x)[:-1]


def _spread(follows: tuple[int, ...], a: Float[Array, " free"]) -> Float[Array, " nq"]:
    """Value of the free coordinate that each one follows."""
    return a if follows == tuple(range(len(follows))) else a[jnp.array(follows)]


def _solve_plain(model: Model, follows: tuple[int, ...], values: _Values) -> Float[Array, " free"]:
    q, rate, qd, rest, tau, f_ext, diagonal = values
    missing = tau - plain_inverse.inverse_dynamics(model, q, qd, rest, f_ext if f_ext.size else None)
    G = jnp.zeros((model.nq, diagonal.size + 1), q.dtype).at[jnp.arange(model.nq), jnp.array(follows)].set(rate)[:, :-1]
    matrix = G.T @ plain_matrix.mass_matrix(model, q) @ G + jnp.diag(diagonal)
    return jax.scipy.linalg.cho_solve(jax.scipy.linalg.cho_factor(matrix, lower=True), G.T @ missing)


def _missing(
    model: Model,
    follows: tuple[int, ...],
    values: _Values,
    a: Float[Array, " free"],
    inverse_dynamics: Callable[..., Array] = native_dynamics.inverse_dynamics,
) -> Float[Array, " free"]:
    """What is missing from the equations of motion; zero at the solution."""
    q, rate, qd, rest, tau, f_ext, diagonal = values
    qdd = rest + rate * _spread(follows, a)
    present = inverse_dynamics(model, q, qd, qdd, f_ext if f_ext.size else None)
    return _fold(follows, rate * (tau - present)) - diagonal * a


def _solve_mass(model: Model, follows: tuple[int, ...], values: _Values, right: Float[Array, " free"]) -> Float[Array, " free"]:
    q, rate, *_, diagonal = values
    return native_dynamics.solve_mass_matrix(model, follows, q, rate, diagonal, right)


@partial(jax.custom_vjp, nondiff_argnums=(1,))
def _solve_compiled(model: Model, follows: tuple[int, ...], values: _Values) -> Float[Array, " free"]:
    return _solve_mass(model, follows, values, _missing(model, follows, values, jnp.zeros_like(values[-1])))


def _forward(model: PyTree, follows: tuple[int, ...], values: PyTree) -> tuple[Float[Array, " free"], PyTree]:
    model, values, by_body = native_dynamics.handed(model, values)
    a: Array = _solve_compiled(model, follows, values)  # pyright: ignore[reportAssignmentType]
    return a, (model, values, a, by_body)


def _backward(follows: tuple[int, ...], kept: PyTree, weight: PyTree) -> tuple[PyTree, PyTree]:
    """Implicit function theorem: the derivative of what is missing, weighted with the solution for the weights."""
    model, values, a, by_body = kept
    if isinstance(weight, native_dynamics.SymbolicZero):
        return None, None
    weight = _solve_mass(model, follows, values, weight)
    if by_body is None:
        return None, jax.vjp(lambda v: _missing(model, follows, v, a), values)[1](weight)[0]
    return jax.vjp(lambda m, v: _missing(m, follows, v, a), model, values)[1](weight)


_solve_compiled.defvjp(_forward, _backward, symbolic_zeros=True)


@partial(jax.custom_jvp, nondiff_argnums=(1,))
def _solve_both_ways(model: Model, follows: tuple[int, ...], values: _Values) -> Float[Array, " free"]:
    return _solve_compiled(model, follows, values)


@partial(_solve_both_ways.defjvp, symbolic_zeros=True)
def _along(follows: tuple[int, ...], at: PyTree, direction: PyTree) -> tuple[Float[Array, " free"], Float[Array, " free"]]:
    """Change of the accelerations along a direction, by their matrix of derivatives, which does not depend on it."""
    (model, values), (body, directions) = at, direction
    a = cast(Array, _solve_compiled(model, follows, values))
    inverse = jax.vmap(lambda unit: _solve_mass(model, follows, values, unit))(jnp.eye(a.size, dtype=a.dtype))
    (matrices,) = jax.vmap(jax.vjp(lambda v: _missing(model, follows, v, a), values)[1])(inverse)
    parts = [jnp.tensordot(m, d, d.ndim) for m, d in zip(matrices, directions, strict=True) if not _is_zero(d)]
    if not all(_is_zero(leaf) for leaf in jax.tree.leaves(body, is_leaf=_is_zero)):
        body = jax.tree.map(lambda d, x: jnp.zeros_like(x) if _is_zero(d) else d, body, model, is_leaf=_is_zero)
        parts.append(inverse @ jax.jvp(lambda m: _missing(m, follows, values, a, plain_inverse.inverse_dynamics), (model,), (body,))[1])
    return a, sum(parts, jnp.zeros_like(a))


def _is_zero(leaf: object) -> bool:
    return isinstance(leaf, native_dynamics.SymbolicZero)
