"""Motion from forces: by the mass matrix, and by articulated bodies."""

import jax.numpy as jnp
import jax.scipy.linalg as linalg
from jaxtyping import Array, Float, Int

from monomsk.model.model import Model
from monomsk.physics.forward_kinematics import forward_kinematics
from monomsk.physics.inverse_dynamics import inverse_dynamics, net_wrenches
from monomsk.physics.jacobian import coordinate_twists
from monomsk.physics.mass_matrix import mass_matrix, spatial_inertias


def forward_dynamics(
    model: Model,
    q: Float[Array, " nq"],
    qd: Float[Array, " nq"],
    tau: Float[Array, " nq"],
    f_ext: Float[Array, "body 6"] | None = None,
    *,
    simbody_compatible: bool = False,
) -> Float[Array, " nq"]:
    """Accelerations of the coordinates under the generalized forces tau [N·m, N] and wrenches on the bodies.

    By Cholesky's factors of the mass matrix (Featherstone 2008, chapter 6). Every coordinate stands for itself, as in
    `inverse_dynamics`, whose inverse this is: couplers and locks are not enforced. `f_ext` as there.
    """
    bias = inverse_dynamics(model, q, qd, jnp.zeros_like(qd), f_ext, simbody_compatible=simbody_compatible)
    return linalg.cho_solve(linalg.cho_factor(mass_matrix(model, q), lower=True), tau - bias)


def articulated_body(
    model: Model,
    q: Float[Array, " nq"],
    qd: Float[Array, " nq"],
    tau: Float[Array, " nq"],
    f_ext: Float[Array, "body 6"] | None = None,
    *,
    simbody_compatible: bool = False,
) -> Float[Array, " nq"]:
    """The same accelerations by the articulated-body algorithm (Featherstone 2008, chapter 7). Equals `forward_dynamics`.

    Without the mass matrix: inertias and forces are gathered from the leaves to the root, accelerations handed back. What
    the motion needs without acceleration of the coordinates is taken off first, so that the tree starts from rest:
    accelerations are linear in the forces that remain.
    """
    poses = forward_kinematics(model, q)
    origin = poses.p[0]
    twist = coordinate_twists(model, poses, origin)
    inertia = spatial_inertias(model, poses, origin)
    wrench = net_wrenches(model, poses, qd, jnp.zeros_like(qd), f_ext, simbody_compatible=simbody_compatible)
    return _solve_tree(model, twist, inertia, wrench, tau)


def _solve_tree(
    model: Model,
    twist: Float[Array, "nq 6"],
    inertia: Float[Array, "body 6 6"],
    wrench: Float[Array, "body 6"],
    tau: Float[Array, " nq"],
) -> Float[Array, " nq"]:
    """Accelerations of the coordinates of a tree at rest, whose bodies each need `wrench` beside what their acceleration needs.

    Bodies of one depth are treated at once. Joints with fewer coordinates than the widest of their depth are padded with
    coordinates that move nothing.
    """
    padded_twist = jnp.concatenate([twist, jnp.zeros_like(twist[:1])])
    padded_tau = jnp.concatenate([tau, jnp.zeros_like(tau[:1])])
    parts = list[tuple[Float[Array, "n c 6"], Float[Array, "n c 6"], Float[Array, "n c"]]]()
    for low, high in reversed(model.levels):
        own = _own_coordinates(model, low, high)
        S, A, p = padded_twist[own], inertia[low:high], wrench[low:high]
        U = S @ A
        D = U @ jnp.swapaxes(S, -1, -2) + jnp.eye(own.shape[1], dtype=S.dtype) * (own == model.nq)[:, :, None]
        u = padded_tau[own] - jnp.einsum("bci,bi->bc", S, p)
        factor = linalg.cho_factor(D, lower=True)
        # Accelerations of the joint's coordinates are `free` less `drag` times the parent's acceleration.
        drag = linalg.cho_solve(factor, U)
        free = linalg.cho_solve(factor, u[..., None])[..., 0]
        parts.append((S, drag, free))
        if low:
            up = jnp.array(model.parent[low:high])
            inertia = inertia.at[up].add(A - jnp.swapaxes(U, -1, -2) @ drag)
            wrench = wrench.at[up].add(p + jnp.einsum("bci,bc->bi", U, free))
    acceleration = jnp.zeros((1, 6), twist.dtype)
    qdd = jnp.zeros_like(padded_tau)
    for (low, high), (S, drag, free) in zip(model.levels, reversed(parts), strict=True):
        from_parent = acceleration[jnp.array(model.parent[low:high]) + 1]
        own_qdd = free - jnp.einsum("bci,bi->bc", drag, from_parent)
        acceleration = jnp.concatenate([acceleration, from_parent + jnp.einsum("bci,bc->bi", S, own_qdd)])
        qdd = qdd.at[_own_coordinates(model, low, high)].set(own_qdd)
    return qdd[:-1]


def _own_coordinates(model: Model, low: int, high: int) -> Int[Array, "n c"]:
    """Coordinates of the joints of the bodies low … high−1; `nq` fills up."""
    own = [[i for i, b in enumerate(model.coordinate_body) if b == body] for body in range(low, high)]
    width = max(1, *(len(row) for row in own))
    return jnp.array([row + [model.nq] * (width - len(row)) for row in own])
