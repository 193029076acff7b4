"""Energy and momentum obey their laws."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from bodies import random_state, shipped
from monomsk.physics.center_of_mass import center_of_mass
from monomsk.physics.energy import kinetic_energy, momentum, potential_energy
from monomsk.physics.external_wrench import required_wrench
from monomsk.physics.forward_kinematics import forward_kinematics
from monomsk.physics.inverse_dynamics import inverse_dynamics
from monomsk.physics.mass_matrix import mass_matrix

MODEL = shipped()


@pytest.fixture(scope="module")
def state() -> tuple[jax.Array, ...]:
    return tuple(random_state(MODEL, 2))


def test_kinetic_energy_is_the_mass_matrix_twice_with_the_speeds(state: tuple[jax.Array, ...]) -> None:
    q, qd, _ = state
    ours = kinetic_energy(MODEL, forward_kinematics(MODEL, q), qd)
    np.testing.assert_allclose(ours, 0.5 * qd @ mass_matrix(MODEL, q) @ qd, rtol=1e-12)


def test_energy_changes_by_the_power_of_the_generalized_forces(state: tuple[jax.Array, ...]) -> None:
    q, qd, qdd = state

    def energy(q: jax.Array, qd: jax.Array) -> jax.Array:
        poses = forward_kinematics(MODEL, q)
        return kinetic_energy(MODEL, poses, qd) + potential_energy(MODEL, poses)

    rate = jax.jvp(energy, (q, qd), (qd, qdd))[1]
    np.testing.assert_allclose(rate, inverse_dynamics(MODEL, q, qd, qdd) @ qd, rtol=1e-9)


def test_momentum_changes_by_what_acts_from_outside(state: tuple[jax.Array, ...]) -> None:
    q, qd, qdd = state
    rate = jax.jvp(lambda a, b: momentum(MODEL, forward_kinematics(MODEL, a), b), (q, qd), (qd, qdd))[1]
    poses = forward_kinematics(MODEL, q)
    needed = required_wrench(MODEL, poses, qd, qdd)
    center, force = center_of_mass(MODEL, poses), needed[3:]
    np.testing.assert_allclose(rate[3:], force + MODEL.mass.sum() * MODEL.gravity, atol=1e-9)
    np.testing.assert_allclose(rate[:3], needed[:3] - jnp.cross(center, force), atol=1e-9)


def test_linear_momentum_is_mass_times_the_speed_of_the_center_of_mass(state: tuple[jax.Array, ...]) -> None:
    q, qd, _ = state
    speed = jax.jvp(lambda v: center_of_mass(MODEL, forward_kinematics(MODEL, v)), (q,), (qd,))[1]
    np.testing.assert_allclose(momentum(MODEL, forward_kinematics(MODEL, q), qd)[3:], MODEL.mass.sum() * speed, atol=1e-10)
