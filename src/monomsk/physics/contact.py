"""Spheres under the feet that press on the ground plane y = 0: Hunt and Crossley's law made smooth.

Serrancolí et al. (2019), Falisse et al. (2019); OpenSim's SmoothSphereHalfSpaceForce. Normal force and friction have
derivatives everywhere, so that they can be inside an optimisation; a sphere above the ground is left with a trace of force.
"""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from monomsk.model.model import Model
from monomsk.physics.forward_kinematics import Poses, points_on_bodies
from monomsk.physics.jacobian import coordinate_twists
from monomsk.spatial import motion

RESIDUAL = 1e-5
"""What keeps roots differentiable at zero: added to the square of the depth [m²] and of the slip [m²/s²] (OpenSim's default)."""
HERTZ_SMOOTHING = 300.0
"""Steepness of the passage from air to ground [1/m] (OpenSim's default)."""
HUNT_CROSSLEY_SMOOTHING = 50.0
"""Steepness of the passage to no force where a sphere leaves faster than it springs back [s/m] (OpenSim's default)."""


class ContactForces(eqx.Module):
    """Forces of the ground on the contact spheres, in the ground frame."""

    point: Float[Array, "contact 3"]
    """Where they act: midway between the plane and the lowest point of the sphere [m]."""
    force: Float[Array, "contact 3"]
    """[N]."""


def contact_forces(model: Model, poses: Poses, qd: Float[Array, " nq"]) -> ContactForces:
    """Force of the ground on every contact sphere. Equals OpenSim's, its smoothing at the default."""
    center = points_on_bodies(poses, model.contact_body, model.contact_location)
    depth = model.contact_radius - center[:, 1]
    point = center.at[:, 1].add(0.5 * depth - model.contact_radius)
    velocity = _velocities(model, poses, qd, point)
    sinking = -velocity[:, 1]
    pressure = normal_force(model, depth, sinking)
    slip = velocity.at[:, 1].set(0.0)
    speed = jnp.sqrt(jnp.sum(slip * slip, -1) + RESIDUAL)
    friction = -pressure * friction_coefficient(model, speed) / speed
    force = slip * friction[:, None]
    return ContactForces(point, force.at[:, 1].set(pressure))


def contact_wrenches(model: Model, poses: Poses, qd: Float[Array, " nq"]) -> Float[Array, "body 6"]:
    """The same forces as wrenches on the bodies about the ground origin: `f_ext` of inverse and forward dynamics."""
    contact = contact_forces(model, poses, qd)
    wrench = motion.wrench_at(contact.force, jnp.zeros_like(contact.force), contact.point)
    return jnp.zeros((len(model.body_names), 6), wrench.dtype).at[jnp.array(model.contact_body, int)].add(wrench)


def normal_force(model: Model, depth: Float[Array, " contact"], sinking: Float[Array, " contact"]) -> Float[Array, " contact"]:
    """Force along the normal [N] at a depth [m] and a speed into the ground [m/s]: Hertz's, damped, never pulling."""
    modulus = 0.5 * model.contact_stiffness ** (2.0 / 3.0)
    hertz = 4.0 / 3.0 * modulus * jnp.sqrt(model.contact_radius * modulus) * (depth * depth + RESIDUAL) ** 0.75
    hertz = hertz * 0.5 * (1.0 + jnp.tanh(HERTZ_SMOOTHING * depth))
    c = 1.5 * model.contact_dissipation
    # Without dissipation there is no speed at which the ground would pull.
    damped = c > 0.0
    release = jnp.tanh(HUNT_CROSSLEY_SMOOTHING * (sinking + 1.0 / jnp.where(damped, c, 1.0)))
    return hertz * (1.0 + c * sinking) * 0.5 * (1.0 + jnp.where(damped, release, 1.0))


def friction_coefficient(model: Model, speed: Float[Array, " contact"]) -> Float[Array, " contact"]:
    """Friction over normal force at a slip speed [m/s]: Stribeck's curve with a viscous part (Sherman et al. 2011)."""
    static, dynamic, viscous = model.contact_friction.T
    relative = speed / model.contact_transition_velocity
    return jnp.minimum(relative, 1.0) * (dynamic + 2.0 * (static - dynamic) / (1.0 + relative**2)) + viscous * speed


def _velocities(model: Model, poses: Poses, qd: Float[Array, " nq"], point: Float[Array, "contact 3"]) -> Float[Array, "contact 3"]:
    origin = poses.p[0]
    moves = model.ancestor[jnp.array(model.contact_body, int)][:, jnp.array(model.coordinate_body)]
    twist = moves @ (coordinate_twists(model, poses, origin) * qd[:, None])
    return motion.velocity_at(twist, point - origin)
