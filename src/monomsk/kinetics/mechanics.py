"""What the motion says before anything is known of the ground: joint forces without contact, the wrench the body needs, the feet.

Frames run through one compiled program in chunks of fixed size, so no length of clip compiles anew.
"""

from collections.abc import Callable
from dataclasses import dataclass

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from monomsk.kinetics.feet import Feet
from monomsk.model.model import Model, complete_rates
from monomsk.physics.center_of_mass import center_of_mass
from monomsk.physics.external_wrench import required_wrench, wrench_jacobian
from monomsk.physics.forward_kinematics import forward_kinematics, points_on_bodies
from monomsk.physics.inverse_dynamics import inverse_dynamics
from monomsk.physics.jacobian import point_jacobian
from monomsk.physics.mass_matrix import mass_matrix

CHUNK = 128


@dataclass(frozen=True)
class Mechanics:
    """Per frame, ground frame."""

    q: Float[np.ndarray, "time nq"]
    """Coordinates with the coupled ones set [rad, m]."""
    tau: Float[np.ndarray, "time nq"]
    """Generalized forces if nothing outside touched the body [N·m, N]."""
    wrench: Float[np.ndarray, "time 6"]
    """Moment about the centre of mass [N·m] and force [N] that the motion needs from outside."""
    center: Float[np.ndarray, "time 3"]
    """Centre of mass [m]."""
    point: Float[np.ndarray, "time contact 3"]
    """Lowest points of the contact spheres [m]."""
    velocity: Float[np.ndarray, "time contact 3"]
    """Their velocities as points of the foot [m/s]."""
    hip: Float[np.ndarray, "time foot 3"]
    """Hip joints [m]: where the chain that ends in each foot leaves the root body."""
    jacobian: Float[np.ndarray, "time foot nq 6"]
    """Generalized force per unit of wrench on a foot, wrench about the ground origin, moment first."""
    R_ground_root: Float[np.ndarray, "time 3 3"]
    inertia: Float[np.ndarray, "time nq root"]
    """Columns of the mass matrix that belong to the root's coordinates."""


def mechanics(
    model: Model,
    feet: Feet,
    rates: tuple[Float[np.ndarray, "time nq"], ...],
    progress: Callable[[float], None] | None = None,
) -> Mechanics:
    """Mechanics of all frames; `rates` are q, qd, qdd [rad, m, s]."""
    foot_body = tuple(model.body(b) for b in feet.bodies)
    where = (tuple(model.body(b) for b in feet.body), foot_body, tuple(_limb_top(model, b) for b in foot_body))
    location, radius = jnp.array(feet.location), jnp.array(feet.radius)
    frames = len(rates[0])
    chunks: list[tuple[np.ndarray, ...]] = []
    for start in range(0, frames, CHUNK):
        part = [r[start : start + CHUNK] for r in rates]
        count = len(part[0])
        padded = [jnp.array(np.concatenate([p, np.repeat(p[-1:], CHUNK - count, axis=0)])) for p in part]
        out = _chunk(model, where, (location, radius), padded)
        chunks.append(tuple(np.asarray(a)[:count] for a in out))
        if progress is not None:
            progress(min(1.0, (start + CHUNK) / frames))
    return Mechanics(*(np.concatenate(columns) for columns in zip(*chunks, strict=True)))


@eqx.filter_jit
def _chunk(
    model: Model,
    where: tuple[tuple[int, ...], ...],
    spheres: tuple[Float[Array, "contact 3"], Float[Array, " contact"]],
    rates: list[Float[Array, "chunk nq"]],
) -> tuple[Array, ...]:
    return jax.vmap(lambda q, qd, qdd: _frame(model, where, spheres, (q, qd, qdd)))(*rates)


def _frame(
    model: Model,
    where: tuple[tuple[int, ...], ...],
    spheres: tuple[Float[Array, "contact 3"], Float[Array, " contact"]],
    rates: tuple[Float[Array, " nq"], Float[Array, " nq"], Float[Array, " nq"]],
) -> tuple[Array, ...]:
    q, qd, qdd = complete_rates(model, *rates)
    sphere_body, foot_body, limb_body = where
    location, radius = spheres
    poses = forward_kinematics(model, q)
    center = center_of_mass(model, poses)
    wrench = required_wrench(model, poses, qd, qdd)
    about_center = jnp.concatenate([wrench[:3] - jnp.cross(center, wrench[3:]), wrench[3:]])
    down = jnp.array([0.0, 1.0, 0.0]) * radius[:, None]
    point = points_on_bodies(poses, sphere_body, location)
    velocity = point_jacobian(model, poses, sphere_body, point) @ qd
    hip = poses.pivot[jnp.array(limb_body)]
    jacobian = wrench_jacobian(model, poses, foot_body)
    tau = inverse_dynamics(model, q, qd, qdd)
    inertia = mass_matrix(model, q)[:, jnp.array(model.root)]
    return q, tau, about_center, center, point - down, velocity, hip, jacobian, poses.R[0], inertia


def _limb_top(model: Model, body: int) -> int:
    """The body of the same limb that hangs on the root body."""
    while model.parent[model.parent[body]] != -1:
        body = model.parent[body]
    return body
