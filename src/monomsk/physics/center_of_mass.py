"""Centre of mass of the whole body."""

import jax.numpy as jnp
from jaxtyping import Array, Float

from monomsk.model.model import Model
from monomsk.physics.forward_kinematics import Poses


def center_of_mass(model: Model, poses: Poses) -> Float[Array, "3"]:
    """Position in the ground frame [m]."""
    centers = jnp.einsum("bij,bj->bi", poses.R, model.mass_center) + poses.p
    return model.mass @ centers / model.mass.sum()
