"""The joint-space mass matrix by composite rigid bodies."""

import jax.numpy as jnp
from jaxtyping import Array, Float

from monomsk.model.model import Model
from monomsk.physics.forward_kinematics import Poses, forward_kinematics
from monomsk.physics.jacobian import coordinate_twists
from monomsk.spatial import rotation


def mass_matrix(model: Model, q: Float[Array, " nq"]) -> Float[Array, "nq nq"]:
    """Symmetric mass matrix (Featherstone 2008, chapter 6). Equals the derivative of `inverse_dynamics` by qdd."""
    poses = forward_kinematics(model, q)
    origin = poses.p[0]
    twist = coordinate_twists(model, poses, origin)
    inertia = spatial_inertias(model, poses, origin)
    composite = jnp.einsum("ba,bij->aij", model.ancestor, inertia)
    body = jnp.array(model.coordinate_body)
    momentum = jnp.einsum("qij,qj->qi", composite[body], twist)
    below = model.ancestor[body][:, body]
    half = (momentum @ twist.T) * below
    return jnp.where(below > 0, half, half.T)


def spatial_inertias(model: Model, poses: Poses, origin: Float[Array, "3"]) -> Float[Array, "body 6 6"]:
    """Spatial inertia of every body about `origin`, ground axes: turns a twist into momentum, angular part first."""
    arm = jnp.einsum("bij,bj->bi", poses.R, model.mass_center) + poses.p - origin
    center = rotation.skew(arm)
    mass = model.mass[:, None, None]
    upper = poses.R @ model.inertia @ jnp.swapaxes(poses.R, -1, -2) + mass * center @ jnp.swapaxes(center, -1, -2)
    coupling = mass * center
    lower = mass * jnp.eye(3, dtype=arm.dtype)
    return jnp.concatenate([jnp.concatenate([upper, coupling], -1), jnp.concatenate([jnp.swapaxes(coupling, -1, -2), lower], -1)], -2)
