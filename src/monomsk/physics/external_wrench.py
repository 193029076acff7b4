"""Wrenches between the body and its surroundings, about the ground origin in ground axes, moment first."""

import jax.numpy as jnp
from jaxtyping import Array, Float

from monomsk.model.model import Model
from monomsk.physics.forward_kinematics import Poses
from monomsk.physics.inverse_dynamics import net_wrenches
from monomsk.physics.jacobian import coordinate_twists
from monomsk.spatial import motion


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
