"""Two ways from forces to motion, which undo inverse dynamics."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from bodies import random_state, shipped
from monomsk.model.compile import compile_model
from monomsk.physics.forward_dynamics import articulated_body, forward_dynamics
from monomsk.physics.inverse_dynamics import inverse_dynamics
from pendulums import elbow

MODEL = shipped()
inverse = jax.jit(inverse_dynamics, static_argnames="simbody_compatible")
WAYS = {"mass matrix": jax.jit(forward_dynamics), "articulated body": jax.jit(articulated_body)}


@pytest.fixture(scope="module", params=[0, 1])
def state(request: pytest.FixtureRequest) -> tuple[jax.Array, ...]:
    f_ext = jnp.asarray(np.random.default_rng(7).normal(size=(len(MODEL.body_names), 6)) * 100.0)
    return *random_state(MODEL, request.param), f_ext


@pytest.mark.parametrize("way", WAYS)
def test_forward_undoes_inverse(way: str, state: tuple[jax.Array, ...]) -> None:
    q, qd, qdd, f_ext = state
    tau = inverse(MODEL, q, qd, qdd, f_ext)
    np.testing.assert_allclose(WAYS[way](MODEL, q, qd, tau, f_ext), qdd, atol=1e-9, rtol=0)


def test_inverse_undoes_forward_and_both_ways_agree(state: tuple[jax.Array, ...]) -> None:
    q, qd, qdd, f_ext = state
    tau = 30.0 * qdd
    by_matrix, by_tree = (way(MODEL, q, qd, tau, f_ext) for way in WAYS.values())
    largest = float(jnp.abs(by_matrix).max())
    np.testing.assert_allclose(by_tree, by_matrix, atol=1e-9 * largest, rtol=0)
    np.testing.assert_allclose(inverse(MODEL, q, qd, by_matrix, f_ext), tau, atol=1e-9 * largest, rtol=0)


def test_a_hinge_on_a_weld_is_the_textbooks_pendulum() -> None:
    pendulum = compile_model(elbow())
    q, qd, tau = jnp.array([0.7]), jnp.array([2.0]), jnp.array([0.3])
    textbook = (0.3 - 1.0 * 9.80665 * 0.1 * np.sin(0.7)) / (0.01 + 1.0 * 0.1**2)
    for way in WAYS.values():
        np.testing.assert_allclose(way(pendulum, q, qd, tau), [textbook], rtol=1e-12)


def test_opensims_error_enters_forward_dynamics_too() -> None:
    q, qd, qdd = random_state(MODEL, 1)
    tau = inverse(MODEL, q, 3.0 * qd, qdd, simbody_compatible=True)
    forward = jax.jit(forward_dynamics, static_argnames="simbody_compatible")
    compatible = forward(MODEL, q, 3.0 * qd, tau, simbody_compatible=True)
    np.testing.assert_allclose(compatible, qdd, atol=1e-9, rtol=0)
    # With wrenches of nothing it is the program of the other tests.
    f_ext = jnp.zeros((len(MODEL.body_names), 6))
    assert jnp.abs(WAYS["mass matrix"](MODEL, q, 3.0 * qd, tau, f_ext) - qdd).max() > 1e-3


@pytest.mark.parametrize("way", WAYS)
def test_gradients_agree_with_finite_differences(way: str) -> None:
    """By coordinates, speeds, forces and masses at once, at straight knees."""
    rng = np.random.default_rng(5)
    q, qd, tau, heavier = MODEL.coordinate_default, *(jnp.asarray(rng.normal(size=n)) for n in (MODEL.nq, MODEL.nq, len(MODEL.mass)))
    # A straight knee is where the patella's splines begin: their second derivative jumps there.
    along = [jnp.asarray(rng.normal(size=v.shape)) for v in (q, qd, tau, heavier)]
    along[0] = along[0].at[jnp.array(MODEL.dependent)].set(0.0)

    def f(q: jax.Array, qd: jax.Array, tau: jax.Array, heavier: jax.Array) -> jax.Array:
        model = eqx.tree_at(lambda m: m.mass, MODEL, MODEL.mass * jnp.exp(0.1 * heavier))
        return jnp.sum(jnp.sin(WAYS[way](model, q, qd, tau) / 100.0))

    both = jax.jit(jax.value_and_grad(f, argnums=(0, 1, 2, 3)))
    at, step = (q, qd, tau, heavier), 1e-6
    ahead, behind = (both(*(v + sign * step * d for v, d in zip(at, along, strict=True)))[0] for sign in (1, -1))
    slope = sum(float(jnp.vdot(g, d)) for g, d in zip(both(*at)[1], along, strict=True))
    np.testing.assert_allclose(slope, float(ahead - behind) / (2 * step), rtol=1e-6)
