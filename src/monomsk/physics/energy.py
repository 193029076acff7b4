"""Energy and momentum of the whole body."""

import jax.numpy as jnp
from jaxtyping import Array, Float

from monomsk.model.model import Model
from monomsk.physics.center_of_mass import center_of_mass
from monomsk.physics.forward_kinematics import Poses
from monomsk.physics.jacobian import coordinate_twists
from monomsk.physics.mass_matrix import spatial_inertias


def kinetic_energy(model: Model, poses: Poses, qd: Float[Array, " nq"]) -> Float[Array, ""]:
    """Of all bodies in the ground frame [J]. Equals half of qd · `mass_matrix` · qd."""
    origin = poses.p[0]
    v = _body_twists(model, poses, qd, origin)
    return 0.5 * jnp.sum(v * jnp.einsum("bij,bj->bi", spatial_inertias(model, poses, origin), v))


def potential_energy(model: Model, poses: Poses) -> Float[Array, ""]:
    """Of gravity, zero with the centre of mass at the ground origin [J]."""
    return -model.mass.sum() * model.gravity @ center_of_mass(model, poses)


def momentum(model: Model, poses: Poses, qd: Float[Array, " nq"]) -> Float[Array, "6"]:
    """Angular momentum about the centre of mass of the whole body [kg·m²/s] and linear momentum [kg·m/s], ground axes.

    Without contact the first stays as it is and the second changes by the weight.
    """
    center = center_of_mass(model, poses)
    v = _body_twists(model, poses, qd, center)
    return jnp.einsum("bij,bj->i", spatial_inertias(model, poses, center), v)


def _body_twists(model: Model, poses: Poses, qd: Float[Array, " nq"], origin: Float[Array, "3"]) -> Float[Array, "body 6"]:
    moves = model.ancestor[:, jnp.array(model.coordinate_body)]
    return moves @ (coordinate_twists(model, poses, origin) * qd[:, None])
