"""The ground under the contact spheres pushes as in OpenSim."""

from functools import partial
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from bodies import shipped
from monomsk.model.model import Model
from monomsk.physics.contact import contact_forces, contact_wrenches, normal_force
from monomsk.physics.forward_kinematics import forward_kinematics
from monomsk.spatial import motion

MODEL = shipped()


def recorded(name: str) -> dict[str, np.ndarray]:
    with np.load(Path(__file__).parents[1] / "oracles/mechanics.npz") as file:
        return {k.partition("/")[2]: v for k, v in file.items() if k.startswith(f"{name}/")}


def states(theirs: dict[str, np.ndarray]) -> tuple[jax.Array, jax.Array]:
    order = np.array([list(theirs["coordinates"]).index(name) for name in MODEL.coordinate_names])
    return jnp.asarray(theirs["q"][:, order]), jnp.asarray(theirs["qd"][:, order])


def other_contact() -> Model:
    """The shipped body on the ground of `OTHER_CONTACT` in oracles/make_mechanics.py."""
    one = jnp.ones(len(MODEL.contact_names))
    return eqx.tree_at(
        lambda m: (m.contact_stiffness, m.contact_dissipation, m.contact_friction, m.contact_transition_velocity),
        MODEL,
        (5e5 * one, 1.0 * one, jnp.outer(one, jnp.array([0.9, 0.5, 0.3])), 0.1 * one),
    )


@jax.jit
@partial(jax.vmap, in_axes=(None, 0, 0))
def wrenches(model: Model, q: jax.Array, qd: jax.Array) -> tuple[jax.Array, jax.Array]:
    """On every sphere, and on every body."""
    poses = forward_kinematics(model, q)
    contact = contact_forces(model, poses, qd)
    return motion.wrench_at(contact.force, 0.0 * contact.force, contact.point), contact_wrenches(model, poses, qd)


@pytest.mark.parametrize(("name", "model"), [("contacts", MODEL), ("other_contact", other_contact())], ids=["shipped", "other"])
def test_forces_and_moments_equal_opensims(name: str, model: Model) -> None:
    theirs = recorded(name)
    spheres, bodies = wrenches(model, *states(theirs))
    order = [MODEL.contact_names.index(sphere) for sphere in theirs["spheres"]]
    reference = theirs["wrench"]
    # Pushing hard, sliding, and hovering with a trace of force: each is there to be compared.
    assert reference[..., 4].max() > 300.0
    assert reference[..., 4].min() < 1e-6
    assert np.abs(reference[..., (3, 5)]).max() > 50.0
    scale = np.abs(reference).max(-1, keepdims=True)
    assert np.all(np.abs(np.asarray(spheres)[:, order] - reference) <= 1e-6 * scale + 1e-9)
    np.testing.assert_allclose(bodies.sum(1), reference.sum(1), rtol=1e-6, atol=1e-6)
    feet = [MODEL.body(name) for name in ("calcn_r", "toes_r", "calcn_l", "toes_l")]
    assert not np.delete(np.asarray(bodies), feet, axis=1).any()


def test_gradients_agree_with_finite_differences() -> None:
    q, qd = (v[1] for v in states(recorded("contacts")))
    rng = np.random.default_rng(8)
    dq, dqd = (jnp.asarray(rng.normal(size=MODEL.nq)) for _ in range(2))

    @jax.jit
    def f(q: jax.Array, qd: jax.Array) -> jax.Array:
        return jnp.sum(jnp.sin(contact_wrenches(MODEL, forward_kinematics(MODEL, q), qd) / 500.0))

    step = 1e-7
    numeric = (f(q + step * dq, qd + step * dqd) - f(q - step * dq, qd - step * dqd)) / (2 * step)
    slope = sum(jnp.vdot(g, d) for g, d in zip(jax.grad(f, argnums=(0, 1))(q, qd), (dq, dqd), strict=True))
    np.testing.assert_allclose(slope, numeric, rtol=1e-6)


def with_dissipation(value: float) -> Model:
    return eqx.tree_at(lambda m: m.contact_dissipation, MODEL, jnp.full_like(MODEL.contact_dissipation, value))


def test_ground_never_pulls() -> None:
    n = len(MODEL.contact_names)
    for dissipation in (0.0, 2.0):
        model = with_dissipation(dissipation)
        for speed in np.linspace(-3.0, 3.0, 13):
            assert np.all(normal_force(model, jnp.full(n, 0.01), jnp.full(n, speed)) > -1.0)


def test_hertz_alone_without_speed_or_dissipation() -> None:
    """4/3 E* √r d^1.5 of two equal materials in series, deep enough for the smoothing not to matter."""
    model = with_dissipation(0.0)
    depth, still = jnp.full(len(MODEL.contact_names), 0.03), jnp.zeros(len(MODEL.contact_names))
    modulus = 0.5 * model.contact_stiffness ** (2.0 / 3.0)
    plain = 4.0 / 3.0 * modulus * jnp.sqrt(model.contact_radius * modulus) * 0.03**1.5
    np.testing.assert_allclose(normal_force(model, depth, still), plain, rtol=0.01)
