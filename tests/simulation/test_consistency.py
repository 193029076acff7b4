"""The loss that ties motion and forces together: none where they agree, and its gradient."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from monomsk.physics.inverse_dynamics import inverse_dynamics
from monomsk.simulation.consistency import Estimate, Given, Scale, consistency_loss
from simulation.stander import HEIGHT, model

MODEL = model()
LEGS = (MODEL.body("leg_r"), MODEL.body("leg_l"))
STEP, FRAMES, HORIZON = 0.01, 13, 4
SCALE = Scale(jnp.full(MODEL.nq, 0.001), jnp.full(MODEL.nq, 0.02), jnp.full(MODEL.nq, 5.0))


def agreeing() -> tuple[Estimate, Given]:
    """A body that swings its legs while the ground makes up for what its root would miss."""
    t = jnp.arange(FRAMES) * STEP
    q = jnp.zeros((FRAMES, MODEL.nq)).at[:, 4].set(HEIGHT).at[:, 6].set(0.2 * jnp.sin(5.0 * t)).at[:, 7].set(-0.1 * jnp.cos(4.0 * t))
    qd = jnp.zeros_like(q).at[:, 6].set(jnp.cos(5.0 * t)).at[:, 7].set(0.4 * jnp.sin(4.0 * t))
    qdd = jnp.zeros_like(q).at[:, 6].set(-5.0 * jnp.sin(5.0 * t)).at[:, 7].set(1.6 * jnp.cos(4.0 * t))
    none = jnp.zeros((FRAMES, len(MODEL.body_names), 6))
    asked = jax.jit(jax.vmap(partial(inverse_dynamics, MODEL)))
    empty = asked(q, qd, qdd, none)
    columns = [asked(q, qd, qdd, none.at[:, LEGS[0], i].set(1.0)) - empty for i in range(6)]
    root = jnp.array(MODEL.root)
    wrench = -jnp.linalg.solve(jnp.stack(columns, -1)[:, root], empty[:, root, None])[..., 0]
    tau = asked(q, qd, qdd, none.at[:, LEGS[0]].set(wrench))
    return Estimate(q, qd), Given(tau, jnp.stack([wrench, jnp.zeros_like(wrench)], 1))


@jax.jit
@partial(jax.value_and_grad, argnums=(0, 1))
def loss(estimate: Estimate, given: Given) -> jax.Array:
    found = consistency_loss(MODEL, LEGS, estimate, given, step=STEP, horizon=HORIZON, scale=SCALE)
    return found.forward + found.inverse


def test_motion_and_forces_that_agree_cost_nothing_and_others_do() -> None:
    estimate, given = agreeing()
    assert float(loss(estimate, given)[0]) < 0.02
    assert float(loss(estimate, given._replace(wrench=0.9 * given.wrench))[0]) > 0.1
    bent = given.tau.at[:, 6].add(5.0)
    assert float(loss(estimate, given._replace(tau=bent))[0]) > 0.1
    # What is said of the root is not used.
    assert float(loss(estimate, given._replace(tau=given.tau.at[:, 3].add(100.0)))[0]) < 0.02


@pytest.mark.parametrize("seed", [0, 1])
def test_its_gradient_by_motion_and_forces(seed: int) -> None:
    estimate, given = agreeing()
    rng = np.random.default_rng(seed)
    at = (estimate._replace(q=estimate.q + 0.01), given._replace(tau=given.tau + 3.0))
    along = jax.tree.map(lambda a: jnp.asarray(rng.normal(size=a.shape)), at)
    gradient = loss(*at)[1]
    total = sum(float(jnp.vdot(g, d)) for g, d in zip(jax.tree.leaves(gradient), jax.tree.leaves(along), strict=True))
    ahead, behind = (float(loss(*jax.tree.map(lambda a, d, s=s: a + s * d, at, along))[0]) for s in (1e-5, -1e-5))
    assert total == pytest.approx((ahead - behind) / 2e-5, rel=1e-5)
