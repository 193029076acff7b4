from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from monomsk.io.body import load_body
from monomsk.model.compile import compile_model
from monomsk.model.model import Model
from monomsk.physics.external_wrench import required_wrench, wrench_jacobian
from monomsk.physics.forward_kinematics import forward_kinematics
from monomsk.physics.inverse_dynamics import inverse_dynamics


@jax.jit
def needed(model: Model, q: jax.Array, qd: jax.Array, qdd: jax.Array) -> jax.Array:
    return required_wrench(model, forward_kinematics(model, q), qd, qdd)


@pytest.fixture(scope="module")
def model() -> Model:
    return compile_model(replace(load_body(), muscles=(), wraps=()))


def test_a_still_body_needs_its_weight_at_its_centre_of_mass(model: Model) -> None:
    still = jnp.zeros(model.nq)
    poses = jax.jit(forward_kinematics)(model, model.coordinate_default)
    wrench = needed(model, model.coordinate_default, still, still)
    weight = float(model.mass.sum()) * 9.80665
    center = (model.mass @ (jnp.einsum("bij,bj->bi", poses.R, model.mass_center) + poses.p)) / model.mass.sum()
    np.testing.assert_allclose(wrench[3:], [0.0, weight, 0.0], atol=1e-9)
    np.testing.assert_allclose(wrench[:3], jnp.cross(center, wrench[3:]), atol=1e-9)


def test_a_falling_body_needs_nothing(model: Model) -> None:
    falls = jnp.zeros(model.nq).at[model.coordinate("pelvis_ty")].set(-9.80665)
    np.testing.assert_allclose(needed(model, model.coordinate_default, jnp.zeros(model.nq), falls), 0.0, atol=1e-9)


def test_the_jacobian_is_what_a_wrench_takes_off_inverse_dynamics(model: Model) -> None:
    random = np.random.default_rng(0)
    q, qd, qdd = (jnp.array(0.3 * random.normal(size=model.nq)) for _ in range(3))
    body = (model.body("calcn_r"), model.body("torso"))
    wrench = random.normal(size=(2, 6))
    f_ext = jnp.zeros((len(model.body_names), 6)).at[jnp.array(body)].set(wrench)
    tau = jax.jit(inverse_dynamics)
    taken = tau(model, q, qd, qdd, None) - tau(model, q, qd, qdd, f_ext)
    jacobian = jax.jit(lambda m, x: wrench_jacobian(m, forward_kinematics(m, x), body))(model, q)
    np.testing.assert_allclose(jnp.einsum("bqi,bi->q", jacobian, wrench), taken, atol=1e-9)
