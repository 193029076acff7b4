"""Inverse dynamics, mass matrix and forward dynamics by compiled kernels: the functions of the same names, many times as fast.

Each takes one frame; `jax.vmap` over frames makes one call of many, side by side in the registers of the processor. They can
be differentiated once and backwards (`jax.grad`, `jax.vjp`) by everything, by the frame through a kernel, by the body's
numbers through JAX. For forward mode and higher derivatives take the functions of the modules `inverse_dynamics`,
`mass_matrix` and `forward_dynamics`; they also serve where there are no kernels, and bodies with an EllipsoidJoint, which
the kernels do not know.
"""

from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp
from jax.custom_derivatives import SymbolicZero
from jaxtyping import Array, Float, PyTree

from monomsk import native
from monomsk.model.model import Model
from monomsk.physics import inverse_dynamics as plain_inverse
from monomsk.physics import mass_matrix as plain_matrix

_Frame = tuple[Float[Array, " nq"], Float[Array, " nq"], Float[Array, " nq"], Float[Array, "body 6"]]


def compiled(model: Model) -> bool:
    """Whether the kernels serve for this body."""
    return native.available() and not model.ellipsoid


def inverse_dynamics(
    model: Model,
    q: Float[Array, " nq"],
    qd: Float[Array, " nq"],
    qdd: Float[Array, " nq"],
    f_ext: Float[Array, "body 6"] | None = None,
) -> Float[Array, " nq"]:
    """Generalized forces [N·m, N] that produce the motion. Equals `inverse_dynamics.inverse_dynamics`."""
    if not compiled(model):
        return plain_inverse.inverse_dynamics(model, q, qd, qdd, f_ext)
    nothing = jnp.zeros((0, 6), q.dtype)
    return _inverse_dynamics(*_of_one_type(model, (q, qd, qdd, nothing if f_ext is None else f_ext)))


def mass_matrix(model: Model, q: Float[Array, " nq"]) -> Float[Array, "nq nq"]:
    """Symmetric mass matrix. Equals `mass_matrix.mass_matrix`."""
    if not compiled(model):
        return plain_matrix.mass_matrix(model, q)
    return _mass_matrix(*_of_one_type(model, (q,)))


def solve_mass_matrix(
    model: Model,
    follows: tuple[int, ...],
    q: Float[Array, " nq"],
    rate: Float[Array, " nq"],
    diagonal: Float[Array, " free"],
    right: Float[Array, " free"],
) -> Float[Array, " free"]:
    """The solution x of (Gᵀ M(q) G + diagonal) x = right, M being the mass matrix.

    Coordinate c follows the free coordinate number `follows[c]` at `rate[c]`, which makes its row of G; −1 stands for a coordinate
    that is locked. The caller must not differentiate this: derivatives come from the equations of motion that are solved
    with it, and cost a second solution and no derivative of M.
    """
    if not compiled(model):
        free = right.shape[0]
        G = jnp.zeros((model.nq, free + 1), q.dtype).at[jnp.arange(model.nq), jnp.array(follows)].set(rate)[:, :free]
        matrix = G.T @ plain_matrix.mass_matrix(model, q) @ G + jnp.diag(diagonal)
        return jax.scipy.linalg.cho_solve(jax.scipy.linalg.cho_factor(matrix, lower=True), right)
    model, frame = _of_one_type(model, (q, rate, diagonal, right))
    return native.call("solve", _tree(model, follows), _numbers(model), frame, [right.shape])[0]


@jax.custom_vjp
def _inverse_dynamics(model: Model, frame: _Frame) -> Float[Array, " nq"]:
    return native.call("inverse_dynamics", _tree(model), _numbers(model), frame, [(model.nq,)])[0]


def _inverse_dynamics_forward(model: PyTree, frame: PyTree) -> tuple[Float[Array, " nq"], PyTree]:
    model, frame, by_body = handed(model, frame)
    return _inverse_dynamics(model, frame), (model, frame, by_body)


def _inverse_dynamics_backward(kept: PyTree, weight: Float[Array, " nq"] | SymbolicZero) -> tuple[Model | None, tuple[Array, ...] | None]:
    model, frame, by_body = kept
    if isinstance(weight, SymbolicZero):
        return None, None
    shapes = [a.shape for a in frame]
    by_frame = native.call("derivative", _tree(model), _numbers(model), (*frame, weight), shapes)
    return _pull(lambda m: plain_inverse.inverse_dynamics(m, *_with_wrenches(m, frame)), model, weight, by_body), tuple(by_frame)


_inverse_dynamics.defvjp(_inverse_dynamics_forward, _inverse_dynamics_backward, symbolic_zeros=True)


@jax.custom_vjp
def _mass_matrix(model: Model, frame: tuple[Float[Array, " nq"]]) -> Float[Array, "nq nq"]:
    return native.call("mass_matrix", _tree(model), _numbers(model), frame, [(model.nq, model.nq)])[0]


def _mass_matrix_forward(model: PyTree, frame: PyTree) -> tuple[Float[Array, "nq nq"], PyTree]:
    model, frame, by_body = handed(model, frame)
    return _mass_matrix(model, frame), (model, frame, by_body)


def _mass_matrix_backward(kept: PyTree, weight: Float[Array, "nq nq"] | SymbolicZero) -> tuple[Model | None, tuple[Array] | None]:
    model, (q,), by_body = kept
    if isinstance(weight, SymbolicZero):
        return None, None
    (by_q,) = jax.vjp(partial(plain_matrix.mass_matrix, model), q)[1](weight)
    return _pull(lambda m: plain_matrix.mass_matrix(m, q), model, weight, by_body), (by_q,)


_mass_matrix.defvjp(_mass_matrix_forward, _mass_matrix_backward, symbolic_zeros=True)


def handed(model: PyTree, frame: PyTree) -> tuple[Model, PyTree, tuple[()] | None]:
    """The values that a rule was handed, and an empty tuple when a derivative by the body's numbers is asked for, else None.

    Whether it is must be known while tracing: following the body's numbers through JAX takes its seconds to compile.
    """

    def is_handed(leaf: object) -> bool:
        return hasattr(leaf, "perturbed")

    asked = any(leaf.perturbed for leaf in jax.tree.leaves(model, is_leaf=is_handed))
    model, frame = jax.tree.map(lambda leaf: leaf.value, (model, frame), is_leaf=is_handed)
    return model, frame, () if asked else None


def _pull(function: Callable[[Model], Array], model: Model, weight: Array, by_body: tuple[()] | None) -> Model | None:
    return None if by_body is None else jax.vjp(function, model)[1](weight)[0]


def _with_wrenches(model: Model, frame: _Frame) -> tuple[Array, Array, Array, Array | None]:
    q, qd, qdd, f_ext = frame
    return q, qd, qdd, f_ext if f_ext.size else None


def _of_one_type(model: Model, frame: tuple[Array, ...]) -> tuple[Model, PyTree]:
    """All numbers of the type that JAX would compute in."""
    kind = jnp.result_type(model.mass, *frame)
    return jax.tree.map(lambda a: a.astype(kind), (model, frame))


def _numbers(model: Model) -> tuple[Array, ...]:
    """In the order of `Numbers` in tree.h."""
    frames = (model.R_parent_joint, model.p_parent_joint, model.R_child_joint, model.p_child_joint)
    curves = (model.curves.breaks, model.curves.origins, model.curves.coefficients)
    slots = (model.axis, model.slope, model.intercept, model.gain)
    return (model.mass, model.mass_center, model.inertia, *frames, *slots, *curves, model.gravity)


def _tree(model: Model, follows: tuple[int, ...] | None = None) -> native.Tree:
    curve = [-1] * len(model.slot_coordinate)
    for row, slot in enumerate(model.curve_slot):
        curve[slot] = row
    return native.Tree(model.parent, model.slot_coordinate, tuple(curve), follows or tuple(range(model.nq)))
