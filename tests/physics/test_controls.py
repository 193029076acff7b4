"""Inputs between their samples."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.interpolate import CubicSpline

from monomsk.physics.controls import constant, controls

TIME = jnp.array([0.0, 0.1, 0.3, 0.35, 0.9])
VALUE = jnp.asarray(np.random.default_rng(0).normal(size=(5, 3)))
BETWEEN = np.linspace(0.0, 0.9, 37)


def test_straight_lines() -> None:
    found = jax.vmap(controls(TIME, VALUE))(BETWEEN)
    np.testing.assert_allclose(found, np.stack([np.interp(BETWEEN, TIME, c) for c in VALUE.T], 1), atol=1e-12)


def test_the_cubic_is_the_natural_spline() -> None:
    found = jax.vmap(controls(TIME, VALUE, "cubic"))(BETWEEN)
    np.testing.assert_allclose(found, CubicSpline(TIME, VALUE, bc_type="natural")(BETWEEN), atol=1e-12)


def test_steps_hold_until_the_next_sample() -> None:
    held = controls(TIME, VALUE, "constant")
    for t, sample in ((0.0, 0), (0.0999, 0), (0.1, 1), (0.34, 2), (0.9, 4)):
        np.testing.assert_array_equal(held(t), VALUE[sample])


@pytest.mark.parametrize("shape", ["constant", "linear", "cubic"])
def test_the_ends_hold_on(shape) -> None:
    inputs = controls(TIME, VALUE, shape)
    np.testing.assert_allclose(inputs(-5.0), VALUE[0], atol=1e-12)
    np.testing.assert_allclose(inputs(7.0), VALUE[-1], atol=1e-12)
    np.testing.assert_array_equal(constant(VALUE[2])(3.0), VALUE[2])


@pytest.mark.parametrize("shape", ["linear", "cubic"])
def test_the_slope_by_the_samples(shape) -> None:
    """What a sample does at a time is what moving it does there."""

    def at(value):
        return controls(TIME, value, shape)(0.2)[0]

    slope, step = jax.grad(at)(VALUE), 1e-6
    for sample in range(5):
        moved = VALUE.at[sample, 0].add(step)
        np.testing.assert_allclose(slope[sample, 0], (at(moved) - at(VALUE)) / step, atol=1e-8)
