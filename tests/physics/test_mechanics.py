"""Identities that hold for any body, proved on the shipped one.

Each side of an identity is one compiled program: JAX compiles hundreds of small ones for a body that it goes through step by step.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from bodies import random_state, shipped
from monomsk.model.model import complete, complete_rates
from monomsk.model.scale import scale_model
from monomsk.physics.center_of_mass import center_of_mass
from monomsk.physics.forward_kinematics import forward_kinematics, marker_positions
from monomsk.physics.inverse_dynamics import inverse_dynamics, velocity_kinematics
from monomsk.physics.jacobian import point_jacobian
from monomsk.physics.mass_matrix import mass_matrix
from monomsk.spatial import motion

MODEL = shipped()
inverse = jax.jit(inverse_dynamics)
inertia = jax.jit(mass_matrix)
posed = jax.jit(forward_kinematics)
jacobian = jax.jit(point_jacobian, static_argnums=2)


@pytest.fixture(scope="module")
def state():
    return tuple(random_state(MODEL, 0))


def test_point_jacobian_is_the_derivative(state):
    q, _, _ = state

    @jax.jit
    def both(q):
        poses = forward_kinematics(MODEL, q)
        ours = point_jacobian(MODEL, poses, MODEL.marker_body, marker_positions(MODEL, poses))
        return ours, jax.jacfwd(lambda v: marker_positions(MODEL, forward_kinematics(MODEL, v)))(q)

    ours, reference = both(q)
    np.testing.assert_allclose(ours, reference, atol=1e-12)


def test_mass_matrix_is_symmetric_positive_and_the_slope_of_inverse_dynamics(state):
    q, qd, qdd = state
    M = inertia(MODEL, q)
    np.testing.assert_allclose(M, M.T, atol=1e-12)
    assert np.linalg.eigvalsh(M).min() > 0
    still = inverse(MODEL, q, qd, jnp.zeros_like(qdd))
    np.testing.assert_allclose(inverse(MODEL, q, qd, qdd) - still, M @ qdd, atol=1e-9)


def test_velocity_terms_are_lagranges(state):
    """Bias forces equal dM/dt qd − ∂T/∂q + ∂V/∂q, which knows nothing of Newton–Euler."""
    q, qd, _ = state
    total = MODEL.mass.sum()

    @jax.jit
    def lagrange(q, qd):
        M_rate = jax.jvp(lambda v: mass_matrix(MODEL, v), (q,), (qd,))[1]
        kinetic = jax.grad(lambda v: 0.5 * qd @ mass_matrix(MODEL, v) @ qd)(q)
        potential = jax.grad(lambda v: -total * MODEL.gravity @ center_of_mass(MODEL, forward_kinematics(MODEL, v)))(q)
        return M_rate @ qd - kinetic + potential

    np.testing.assert_allclose(inverse(MODEL, q, qd, jnp.zeros_like(q)), lagrange(q, qd), atol=1e-9)


def test_angular_accelerations_are_derivatives_but_for_opensims_error():
    """At a bent knee one coordinate turns three axes: there OpenSim's acceleration is not the derivative of its velocity."""
    knee, tibia = MODEL.coordinate("knee_angle_r"), MODEL.body("tibia_r")
    q, qd = MODEL.coordinate_default.at[knee].set(0.3), jnp.zeros(MODEL.nq).at[knee].set(3.0)

    def turn(v, compatible):
        return velocity_kinematics(MODEL, forward_kinematics(MODEL, v), qd, 0.0 * qd, simbody_compatible=compatible)

    @jax.jit
    def told(q):
        rate = jax.jvp(lambda v: turn(v, False).v[tibia, :3], (q,), (qd,))[1]
        return rate, turn(q, False).a[tibia, :3], turn(q, True).a[tibia, :3]

    rate, right, opensims = told(q)
    np.testing.assert_allclose(right, rate, atol=1e-12)
    assert 0.1 < float(jnp.abs(opensims - rate).max()) < 1.0


def test_root_force_carries_the_weight_and_the_acceleration_of_the_center_of_mass(state):
    q, qd, qdd = state
    tau = inverse(MODEL, q, qd, qdd)

    def center(v):
        return center_of_mass(MODEL, forward_kinematics(MODEL, v))

    speed = lambda v, w: jax.jvp(center, (v,), (w,))[1]  # noqa: E731
    acceleration = jax.jit(lambda *v: jax.jvp(speed, v[:2], v[1:])[1])(q, qd, qdd)
    root = np.array(MODEL.root[3:])
    np.testing.assert_allclose(tau[root], MODEL.mass.sum() * (acceleration - MODEL.gravity), atol=1e-9)


def test_external_wrench_enters_as_its_virtual_work(state):
    q, qd, qdd = state
    body, force, moment = MODEL.body("calcn_r"), jnp.array([30.0, 700.0, -50.0]), jnp.array([1.0, 2.0, 3.0])
    poses = posed(MODEL, q)
    point = poses.p[body] + jnp.array([0.05, -0.03, 0.01])
    f_ext = jnp.zeros((len(MODEL.body_names), 6)).at[body].set(motion.wrench_at(force, moment, point))
    change = inverse(MODEL, q, qd, qdd, f_ext) - inverse(MODEL, q, qd, qdd)
    J = jacobian(MODEL, poses, (body,), point[None])[0]
    # The moment works on the body's angular velocity: that of two more points tells it.
    turn = jnp.stack([jacobian(MODEL, poses, (body,), (point + 0.5 * e)[None])[0] - J for e in jnp.eye(3)], 0) / 0.5
    angular = 0.5 * jnp.stack([turn[1, 2] - turn[2, 1], turn[2, 0] - turn[0, 2], turn[0, 1] - turn[1, 0]])
    np.testing.assert_allclose(change, -(J.T @ force + angular.T @ moment), atol=1e-9)


def test_gradients_agree_with_finite_differences_also_at_straight_knees():
    q = MODEL.coordinate_default
    qd, qdd = jnp.full(MODEL.nq, 0.3), jnp.full(MODEL.nq, -0.2)

    @jax.jit
    @jax.value_and_grad
    def f(v):
        return jnp.sum(jnp.sin(inverse_dynamics(MODEL, v, qd, qdd) / 50.0))

    # The patella's splines begin at a straight knee and go on straight before it: there, its second derivative jumps, as OpenSim's does.
    step, direction = 1e-6, jnp.asarray(np.random.default_rng(5).normal(size=MODEL.nq)).at[jnp.array(MODEL.dependent)].set(0.0)
    numeric = (f(q + step * direction)[0] - f(q - step * direction)[0]) / (2 * step)
    np.testing.assert_allclose(f(q)[1] @ direction, numeric, rtol=1e-6)


def test_gradients_by_the_size_and_mass_of_the_body(state):
    q, qd, qdd = state
    rng = np.random.default_rng(6)
    along, heavier = jnp.asarray(rng.normal(size=(len(MODEL.body_names), 3))), 3.0

    def f(factors, mass):
        return jnp.sum(jnp.sin(inverse_dynamics(scale_model(MODEL, factors, mass), q, qd, qdd) / 50.0))

    both = jax.jit(jax.value_and_grad(f, argnums=(0, 1)))
    factors, mass, step = jnp.asarray(rng.uniform(0.9, 1.1, along.shape)), 70.0, 1e-5
    ahead, behind = (both(factors + s * step * along, mass + s * step * heavier)[0] for s in (1, -1))
    numeric = (ahead - behind) / (2 * step)
    by_factor, by_mass = both(factors, mass)[1]
    np.testing.assert_allclose(jnp.vdot(by_factor, along) + by_mass * heavier, numeric, rtol=1e-6)


def test_coupled_coordinates_follow_at_all_orders(state):
    q, qd, qdd = state

    def course(t):
        return complete(MODEL, q + t * qd + 0.5 * t * t * qdd)

    full, rate, acceleration = jax.jit(complete_rates)(MODEL, q, qd, qdd)
    place, first, second = jax.jit(lambda t: (course(t), jax.jacfwd(course)(t), jax.jacfwd(jax.jacfwd(course))(t)))(0.0)
    np.testing.assert_allclose(full, place)
    np.testing.assert_allclose(rate, first, atol=1e-12)
    np.testing.assert_allclose(acceleration, second, atol=1e-12)
    knee, patella = MODEL.coordinate("knee_angle_r"), MODEL.coordinate("knee_angle_r_beta")
    assert float(full[patella]) == pytest.approx(float(q[knee]))


def test_batching_equals_a_loop(state):
    q, qd, qdd = (jnp.stack([v, 0.5 * v]) for v in state)
    together = jax.jit(jax.vmap(lambda a, b, c: inverse_dynamics(MODEL, a, b, c)))(q, qd, qdd)
    apart = [inverse(MODEL, a, b, c) for a, b, c in zip(q, qd, qdd, strict=True)]
    np.testing.assert_allclose(together, jnp.stack(apart), atol=1e-9)
