"""Wrenches between the body and its surroundings, about the ground origin in ground axes, moment first."""

from dataclasses import dataclass

import jax.numpy as jnp
from jaxtyping import Array, Float

from monomsk.model.model import Model
from monomsk.physics.forward_kinematics import Poses
from monomsk.physics.inverse_dynamics import net_wrenches
from monomsk.physics.jacobian import coordinate_twists
from monomsk.spatial import motion


@dataclass(frozen=True)
class Attachment:
    """Where forces act, a body index each; −1 is the ground."""

    body: tuple[int, ...]
    """Bodies that they act on."""
    force_frame: tuple[int, ...]
    """Bodies whose axes forces and torques are given in."""
    point_frame: tuple[int, ...]
    """Bodies whose frames the points are given in."""


def applied_wrenches(model: Model, poses: Poses, where: Attachment, values: Float[Array, "force 9"]) -> Float[Array, "body 6"]:
    """Wrenches on all bodies, `f_ext` of inverse and forward dynamics, of forces [N], points [m] and torques [N·m] side by side."""
    R = jnp.concatenate([poses.R, jnp.eye(3, dtype=values.dtype)[None]])
    p = jnp.concatenate([poses.p, jnp.zeros((1, 3), values.dtype)])
    turn, place = jnp.array(where.force_frame, int), jnp.array(where.point_frame, int)
    force, torque = (jnp.einsum("nij,nj->ni", R[turn], v) for v in (values[:, :3], values[:, 6:]))
    point = p[place] + jnp.einsum("nij,nj->ni", R[place], values[:, 3:6])
    wrench = motion.wrench_at(force, torque, point)
    return jnp.zeros((len(model.body_names), 6), values.dtype).at[jnp.array(where.body, int)].add(wrench)


def required_wrench(model: Model, poses: Poses, qd: Float[Array, " nq"], qdd: Float[Array, " nq"]) -> Float[Array, "6"]:
    """Total moment [N·m] about the ground origin and force [N] from outside that the motion needs, gravity not counted.

    Equals the rate of change of the whole body's momentum less its weight (Newton–Euler).
    """
    total = net_wrenches(model, poses, qd, qdd).sum(0)
    return motion.wrench_at(total[3:], total[:3], poses.p[0])


def wrench_jacobian(model: Model, poses: Poses, body: tuple[int, ...]) -> Float[Array, "n nq 6"]:
    """Generalized forces per unit of wrench on each body: `jacobian @ wrench` is what the wrench does on the coordinates.

    Equals `inverse_dynamics` without the wrench less `inverse_dynamics` with it.
    """
    twist = coordinate_twists(model, poses, 0.0 * poses.p[0])
    moves = model.ancestor[jnp.array(body)][:, jnp.array(model.coordinate_body)]
    return twist[None] * moves[..., None]
