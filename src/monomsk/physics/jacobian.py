"""Motion per coordinate: twists of the coordinates and Jacobians of points."""

import jax.numpy as jnp
from jaxtyping import Array, Float

from monomsk.model.model import Model
from monomsk.physics.forward_kinematics import Poses


def slot_twists(poses: Poses, origin: Float[Array, "3"]) -> Float[Array, "body 6 6"]:
    """Spatial velocity that a unit rate of each slot gives to everything behind its joint, about `origin`, ground axes."""
    turn, slide = poses.axis[:, :3], poses.axis[:, 3:]
    arm = jnp.broadcast_to((poses.pivot - origin)[:, None], turn.shape)
    rotations = jnp.concatenate([turn, jnp.cross(arm, turn)], -1)
    if poses.ellipsoid:
        rotations = rotations.at[jnp.array(poses.ellipsoid), :, 3:].add(slips(poses))
    return jnp.concatenate([rotations, jnp.concatenate([jnp.zeros_like(slide), slide], -1)], 1)


def slips(poses: Poses) -> Float[Array, "ellipsoid 3 3"]:
    """Velocity at which the pivot of each EllipsoidJoint slides over its ellipsoid when one of the three rotations has a unit rate.

    The pivot is stretch · n from the ellipsoid's centre, n the third axis, and n turns with the joint.
    """
    turn = poses.axis[jnp.array(poses.ellipsoid, int), :3]
    return jnp.einsum("eij,ekj->eki", poses.stretch, jnp.cross(turn, turn[:, 2:]))


def coordinate_twists(model: Model, poses: Poses, origin: Float[Array, "3"]) -> Float[Array, "nq 6"]:
    """Spatial velocity that a unit rate of each coordinate gives to everything behind its joint, about `origin`."""
    twists = slot_twists(poses, origin) * poses.slot_rate[..., None]
    return model.slot_to_coordinate.T @ twists.reshape(-1, 6)


def point_jacobian(model: Model, poses: Poses, body: tuple[int, ...], point: Float[Array, "point 3"]) -> Float[Array, "point 3 nq"]:
    """Derivative of ground positions of points fixed in bodies by the coordinates. Equals the Jacobian of `points_on_bodies`."""
    origin = poses.p[0]
    twist = coordinate_twists(model, poses, origin)
    moves = model.ancestor[jnp.array(body, int)][:, jnp.array(model.coordinate_body)]
    velocity = twist[None, :, 3:] + jnp.cross(twist[None, :, :3], (point - origin)[:, None])
    return jnp.swapaxes(velocity * moves[..., None], -1, -2)
