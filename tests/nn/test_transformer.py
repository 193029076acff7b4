"""Attention over seconds: what must not matter does not, and what must does."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from monomsk.nn.transformer import Shape, Transformer, rotated

WIDTH, HEADS, DEPTH = 16, 2, 2
KEYS = jax.random.split(jax.random.key(0), 3)
NETWORK = Transformer(Shape(WIDTH, HEADS, DEPTH), KEYS[0])
X = jax.random.normal(KEYS[1], (12, WIDTH), jnp.float32)
TIME = jnp.arange(12, dtype=jnp.float32) / 30.0
ALL = jnp.ones(12, bool)
run = eqx.filter_jit(lambda network, *a: network(*a))


def test_only_the_time_between_frames_matters() -> None:
    assert np.asarray(run(NETWORK, X, TIME + 7.5, ALL)) == pytest.approx(np.asarray(run(NETWORK, X, TIME, ALL)), abs=2e-4)
    assert np.abs(run(NETWORK, X, 2.0 * TIME, ALL) - run(NETWORK, X, TIME, ALL)).max() > 1e-3


def test_frames_may_come_in_any_order() -> None:
    order = jax.random.permutation(KEYS[2], 12)
    assert np.asarray(run(NETWORK, X[order], TIME[order], ALL)) == pytest.approx(np.asarray(run(NETWORK, X, TIME, ALL)[order]), abs=1e-5)


def test_absent_frames_change_nothing() -> None:
    there = ALL.at[9:].set(False)
    other = X.at[9:].set(100.0)
    assert np.array_equal(run(NETWORK, X, TIME, there)[:9], run(NETWORK, other, TIME, there)[:9])
    assert np.abs(run(NETWORK, X, TIME, there) - run(NETWORK, X, TIME, ALL))[:9].max() > 1e-4


def test_without_time_every_frame_stands_alone() -> None:
    alone = Transformer(Shape(WIDTH, HEADS, DEPTH, temporal=False), KEYS[0])
    assert np.asarray(run(alone, X.at[5].set(0.0), TIME, ALL)[:5]) == pytest.approx(np.asarray(run(alone, X, TIME, ALL)[:5]), abs=1e-6)


def test_phases_keep_lengths() -> None:
    x = X.reshape(12, HEADS, WIDTH // HEADS)
    assert np.linalg.norm(rotated(x, TIME), axis=-1) == pytest.approx(np.linalg.norm(x, axis=-1), rel=1e-5)


def test_a_batch_is_learnt() -> None:
    import optax

    target = jnp.sin(jnp.arange(12.0, dtype=jnp.float32))[:, None] * jnp.ones(WIDTH, jnp.float32)
    optimizer = optax.adam(3e-3)

    @eqx.filter_jit
    def step(network: Transformer, state: optax.OptState) -> tuple[Transformer, optax.OptState, jax.Array]:
        loss, slope = eqx.filter_value_and_grad(lambda n: jnp.mean((n(X, TIME, ALL) - target) ** 2))(network)
        change, state = optimizer.update(slope, state)
        return eqx.apply_updates(network, change), state, loss

    network, state, losses = NETWORK, optimizer.init(eqx.filter(NETWORK, eqx.is_array)), []
    for _ in range(300):
        network, state, loss = step(network, state)
        losses.append(float(loss))
    assert losses[-1] < 0.02 * losses[0]
