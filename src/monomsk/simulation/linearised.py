"""What the equations of motion and the contact ask of a frame, and how it changes with the motion and the forces.

Joint moments do not appear: they are whatever the motion asks for. What is left of the equations of motion are those of the root,
which nothing but the ground can answer. Derivatives come from the kernels (`physics.native_dynamics`), six passes backwards a frame.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from monomsk.model.model import Model, complete_rates
from monomsk.physics import native_dynamics
from monomsk.physics.forward_kinematics import forward_kinematics, points_on_bodies
from monomsk.physics.jacobian import coordinate_twists, point_jacobian
from monomsk.spatial import motion

CHUNK = 128
"""Frames a compiled call takes; the last chunk is filled up, so that no length of clip compiles anew."""


@dataclass(frozen=True)
class Frames:
    """Of every frame: what is missing, where the soles are, and how both change. State: value, speed, acceleration."""

    missing: Float[np.ndarray, "time root"]
    """Generalized forces on the root's coordinates that nothing gives [N·m, N]."""
    by_state: Float[np.ndarray, "time root 3 nx"]
    by_force: Float[np.ndarray, "time root contact 3"]
    point: Float[np.ndarray, "time contact 3"]
    """Lowest points of the contact spheres [m]."""
    velocity: Float[np.ndarray, "time contact 3"]
    """Their velocities as points of the foot [m/s]."""
    point_by_x: Float[np.ndarray, "time contact 3 nx"]
    velocity_by_rate: Float[np.ndarray, "time contact 3 nx"]
    velocity_by_x: Float[np.ndarray, "time contact 3 nx"]


def coordinates(model: Model, place: Float[Array, " nq"], state: Float[Array, "3 nx"]) -> tuple[Array, Array, Array]:
    """q, qd, qdd of free coordinates; locked ones stay at `place`, coupled ones follow."""
    free, still = jnp.array(model.free), jnp.zeros_like(place)
    return complete_rates(model, place.at[free].set(state[0]), still.at[free].set(state[1]), still.at[free].set(state[2]))


def forces_of(
    model: Model, place: Float[Array, " nq"], state: Float[Array, "3 nx"], force: Float[Array, "contact 3"], level: Float[Array, " contact"]
) -> Float[Array, " nq"]:
    """Generalized forces that the motion asks for under forces [N] at the contact spheres, which act at the height `level` [m]."""
    q, qd, qdd = coordinates(model, place, state)
    at = points_on_bodies(forward_kinematics(model, q), model.contact_body, model.contact_location).at[:, 1].set(level)
    wrench = motion.wrench_at(force, jnp.zeros_like(force), at)
    f_ext = jnp.zeros((len(model.body_names), 6), wrench.dtype).at[jnp.array(model.contact_body, int)].add(wrench)
    return native_dynamics.inverse_dynamics(model, q, qd, qdd, f_ext)


def soles(model: Model, place: Float[Array, " nq"], state: Float[Array, "3 nx"]) -> tuple[Array, ...]:
    """Lowest points of the contact spheres, their velocities as points of the foot, and the derivatives of both by the coordinates.

    The derivative of the speeds of a place by the coordinates is the rate of its derivative: one more pass, not one a coordinate. It is
    not so for turning, which is the rate of nothing (∂ω/∂a − ∂ω_a/∂t = ω_a × ω, ω_a being what a unit rate of a turns).
    """
    q, qd, _ = coordinates(model, place, state)
    moves = model.ancestor[jnp.array(model.contact_body, int)][:, jnp.array(model.coordinate_body)]

    def placed(q: Float[Array, " nq"]) -> tuple[Array, Array, Array]:
        poses = forward_kinematics(model, q)
        center = points_on_bodies(poses, model.contact_body, model.contact_location)
        # The lowest point is another point of the foot at every time: it moves with the centre, and rests as a point of the foot.
        low = center.at[:, 1].add(-model.contact_radius)
        turns = moves[..., None] * coordinate_twists(model, poses, poses.p[0])[None, :, :3]
        return low, point_jacobian(model, poses, model.contact_body, low), jnp.swapaxes(turns, 1, 2)

    (low, J, turns), (_, rate, _) = jax.jvp(placed, (q,), (qd,))
    down = jnp.zeros_like(low).at[:, 1].set(-model.contact_radius)
    rolling = jnp.cross(jnp.cross(turns, (turns @ qd)[..., None], axis=1), down[..., None], axis=1)
    free = jnp.array(model.free)
    # The place itself moves with the centre of the sphere.
    by_x = J - jnp.cross(turns, down[..., None], axis=1)
    return low, J @ qd, by_x[..., free], J[..., free], (rate + rolling)[..., free]


def linearise(
    model: Model,
    place: Float[np.ndarray, " nq"],
    state: Float[np.ndarray, "3 time nx"],
    force: Float[np.ndarray, "time contact 3"],
    level: Float[np.ndarray, "time contact"],
) -> Frames:
    """All of it at a motion and forces [N] on the contact spheres, which act at the heights `level` [m]."""
    return Frames(*_whole(partial(_linearised, model), place, state, force, level))


def missing(
    model: Model,
    place: Float[np.ndarray, " nq"],
    state: Float[np.ndarray, "3 time nx"],
    force: Float[np.ndarray, "time contact 3"],
    level: Float[np.ndarray, "time contact"],
) -> tuple[Float[np.ndarray, "time nq"], Float[np.ndarray, "time contact 3"], Float[np.ndarray, "time contact 3"]]:
    """Generalized forces (those on the root are missing), lowest points of the spheres and their velocities; no derivatives."""
    return _whole(partial(_values, model), place, state, force, level)


def joint_forces(
    model: Model,
    bodies: tuple[int, ...],
    place: Float[np.ndarray, " nq"],
    state: Float[np.ndarray, "3 time nx"],
    wrench: Float[np.ndarray, "time foot 6"],
) -> tuple[Float[np.ndarray, "time nq"], Float[np.ndarray, "time nq"], Float[np.ndarray, "time nq"]]:
    """Generalized forces that the motion asks for under wrenches on `bodies` about the ground origin, all coordinates and speeds."""
    return _whole(partial(_under_wrenches, model, bodies), place, state, wrench, wrench)


@eqx.filter_jit
def _under_wrenches(model: Model, bodies: tuple[int, ...], place: Array, state: Array, wrench: Array, _: Array) -> tuple[Array, ...]:
    def one(state: Array, wrench: Array) -> tuple[Array, ...]:
        q, qd, qdd = coordinates(model, place, state)
        f_ext = jnp.zeros((len(model.body_names), 6), wrench.dtype).at[jnp.array(bodies, int)].add(wrench)
        return native_dynamics.inverse_dynamics(model, q, qd, qdd, f_ext), q, qd

    return jax.vmap(one)(state, wrench)


def _whole(one: Callable[..., Any], place: np.ndarray, state: np.ndarray, force: np.ndarray, level: np.ndarray) -> Any:
    """A compiled function of chunks of frames, over all frames."""
    count, parts = len(force), list[Any]()
    rows = (np.swapaxes(state, 0, 1), force, level)
    for low in range(0, count, CHUNK):
        part = [jnp.asarray(a[np.minimum(np.arange(low, low + CHUNK), count - 1)]) for a in rows]
        parts.append(jax.tree.map(np.asarray, one(jnp.asarray(place), *part)))
    return jax.tree.map(lambda *a: np.concatenate(a)[:count], *parts)


@eqx.filter_jit
def _values(model: Model, place: Array, state: Array, force: Array, level: Array) -> tuple[Array, Array, Array]:
    def one(state: Array, force: Array, level: Array) -> tuple[Array, Array, Array]:
        low, velocity, *_ = soles(model, place, state)
        return forces_of(model, place, state, force, level), low, velocity

    return jax.vmap(one)(state, force, level)


@eqx.filter_jit
def _linearised(model: Model, place: Array, state: Array, force: Array, level: Array) -> tuple[Array, ...]:
    root = jnp.array(model.root)

    def one(state: Array, force: Array, level: Array) -> tuple[Array, ...]:
        left, back = jax.vjp(lambda s, f: forces_of(model, place, s, f, level)[root], state, force)
        by_state, by_force = jax.vmap(back)(jnp.eye(len(model.root), dtype=left.dtype))
        return left, by_state, by_force, *soles(model, place, state)

    return jax.vmap(one)(state, force, level)
