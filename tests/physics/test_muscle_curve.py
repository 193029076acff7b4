"""Curves of muscle: marks they must pass, OpenSim's values, derivatives."""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from monomsk.io.body import load_body
from monomsk.model.compile import compile_model
from monomsk.model.muscles import compile_muscles
from monomsk.physics import muscle_curve

ORACLE = np.load(Path(__file__).parents[1] / "oracles/muscles.npz")
MAKE = {
    "active": muscle_curve.active_force_length,
    "velocity": muscle_curve.force_velocity,
    "passive": muscle_curve.passive_force_length,
    "tendon": muscle_curve.tendon_force_length,
}


@pytest.fixture(scope="module")
def numbers() -> muscle_curve.Numbers:
    spec = load_body()
    return compile_muscles(spec, compile_model(spec).body_names).parameters


def at(numbers: muscle_curve.Numbers, name: str, x: float) -> np.ndarray:
    curve = MAKE[name](numbers)
    return np.asarray(muscle_curve.evaluate(curve, jnp.full(curve.end.shape, x)))


def test_marks(numbers: muscle_curve.Numbers) -> None:
    np.testing.assert_allclose(at(numbers, "active", 1.0), 1.0, atol=1e-12)
    np.testing.assert_allclose(at(numbers, "active", 0.2), 0.0, atol=1e-12)
    np.testing.assert_allclose(at(numbers, "velocity", 0.0), 1.0, atol=1e-12)
    np.testing.assert_allclose(at(numbers, "velocity", -1.0), 0.0, atol=1e-12)
    np.testing.assert_allclose(at(numbers, "velocity", -2.0), 0.0, atol=1e-12)
    strain = np.asarray(numbers["FiberForceLengthCurve.strain_at_one_norm_force"])
    curve = muscle_curve.passive_force_length(numbers)
    np.testing.assert_allclose(muscle_curve.evaluate(curve, jnp.asarray(1.0 + strain)), 1.0, atol=1e-12)
    slack = np.asarray(numbers["FiberForceLengthCurve.strain_at_zero_force"])
    np.testing.assert_allclose(muscle_curve.evaluate(curve, jnp.asarray(1.0 + slack)), 0.0, atol=1e-12)
    np.testing.assert_allclose(at(numbers, "tendon", 1.049), 1.0, atol=1e-12)


@pytest.mark.parametrize("name", list(MAKE))
def test_equals_opensim(numbers: muscle_curve.Numbers, name: str) -> None:
    x = jnp.asarray(ORACLE[f"{name}_x"])
    curve = MAKE[name](numbers)
    y = jax.jit(muscle_curve.evaluate)(curve, jnp.broadcast_to(x[:, None], (len(x), curve.end.shape[0])))
    np.testing.assert_allclose(np.asarray(y)[:, [0, 30, 60]], ORACLE[f"{name}_y"], atol=1e-10)


@pytest.mark.parametrize("name", list(MAKE))
def test_slope_against_differences(numbers: muscle_curve.Numbers, name: str) -> None:
    curve = jax.tree.map(lambda a: a[:1], MAKE[name](numbers))
    value = jax.jit(lambda x: muscle_curve.evaluate(curve, x[None])[0])
    low, high, h = float(curve.x[0, 0, 0]), float(curve.end[0]), 1e-6
    for x in np.linspace(low - 0.1, high + 0.1, 17):
        difference = (value(x + h) - value(x - h)) / (2 * h)
        assert float(jax.grad(value)(x)) == pytest.approx(float(difference), abs=2e-6)


def test_curves_side_by_side_are_the_curves(numbers: muscle_curve.Numbers) -> None:
    curves = [make(numbers) for make in MAKE.values()]
    x = jnp.linspace(-1.2, 2.2, 80)
    together = muscle_curve.evaluate(muscle_curve.beside(curves), jnp.broadcast_to(x, (4, 80)))
    for row, curve in zip(together, curves, strict=True):
        np.testing.assert_allclose(row, muscle_curve.evaluate(curve, x), atol=1e-13)
