"""Gradients by all that a function is given, the body's sizes and masses too, against finite differences."""

from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from bodies import random_state, shipped
from monomsk.model.model import Model
from monomsk.model.scale import scale_model
from monomsk.physics.forward_dynamics import forward_dynamics
from monomsk.physics.forward_kinematics import forward_kinematics, marker_positions
from monomsk.physics.inverse_dynamics import inverse_dynamics

MODEL = shipped()
N = len(MODEL.body_names)

Arguments = tuple[jax.Array, ...]


def body(factors: jax.Array, heavier: jax.Array) -> Model:
    """The shipped body stretched, then each mass multiplied by its own factor."""
    sized = scale_model(MODEL, factors, 70.0)
    return eqx.tree_at(lambda m: m.mass, sized, sized.mass * jnp.exp(0.1 * heavier))


def markers(q: jax.Array, qd: jax.Array, third: jax.Array, factors: jax.Array, heavier: jax.Array) -> jax.Array:
    model = body(factors, heavier)
    return marker_positions(model, forward_kinematics(model, q))


def forces(q: jax.Array, qd: jax.Array, qdd: jax.Array, factors: jax.Array, heavier: jax.Array) -> jax.Array:
    return inverse_dynamics(body(factors, heavier), q, qd, qdd) / 50.0


def motion(q: jax.Array, qd: jax.Array, tau: jax.Array, factors: jax.Array, heavier: jax.Array) -> jax.Array:
    return forward_dynamics(body(factors, heavier), q, qd, tau) / 100.0


def bent() -> jax.Array:
    return next(random_state(MODEL, 11))


def straight() -> jax.Array:
    """Where the patella's splines begin: knees at zero."""
    return MODEL.coordinate_default.at[jnp.array([MODEL.coordinate(f"knee_angle_{side}") for side in "rl"])].set(0.0)


@pytest.fixture(scope="module", params=[markers, forces, motion])
def function(request: pytest.FixtureRequest) -> Callable[..., tuple[jax.Array, Arguments]]:
    """The sum of the sines of what a function gives, and its gradient by all arguments."""

    def total(*at: jax.Array) -> jax.Array:
        return jnp.sum(jnp.sin(request.param(*at)))

    return jax.jit(jax.value_and_grad(total, argnums=(0, 1, 2, 3, 4)))


@pytest.mark.parametrize("posture", [bent, straight])
def test_gradients_agree_with_finite_differences(
    function: Callable[..., tuple[jax.Array, Arguments]], posture: Callable[[], jax.Array]
) -> None:
    rng = np.random.default_rng(12)
    q, (qd, third) = posture(), rng.normal(size=(2, MODEL.nq))
    at = (q, jnp.asarray(qd), jnp.asarray(third), jnp.asarray(rng.uniform(0.9, 1.1, (N, 3))), jnp.asarray(rng.normal(size=N)))
    along = [jnp.asarray(rng.normal(size=v.shape)) for v in at]
    # Before the first point of its splines the patella goes on straight: at a straight knee their second derivative jumps.
    along[0] = along[0].at[jnp.array(MODEL.dependent)].set(0.0)
    step = 1e-6
    ahead, behind = (function(*(v + sign * step * d for v, d in zip(at, along, strict=True)))[0] for sign in (1, -1))
    slope = sum(float(jnp.vdot(g, d)) for g, d in zip(function(*at)[1], along, strict=True))
    np.testing.assert_allclose(slope, float(ahead - behind) / (2 * step), rtol=1e-6)
