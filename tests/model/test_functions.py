import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.interpolate import CubicSpline

from monomsk.model import functions
from monomsk.model.spec import Constant, Linear, Polynomial, Spline

X, Y = (0.0, 0.4, 1.0, 1.3, 2.0), (0.1, -0.3, 0.5, 0.2, 0.9)


def at(function, x):
    return [float(v[0]) for v in functions.evaluate(functions.compile_functions([function], [1.0]), jnp.array([x]))]


def test_plain_functions():
    np.testing.assert_allclose(at(Constant(2.5), 7.0), [2.5, 0, 0])
    np.testing.assert_allclose(at(Linear(2.0, 1.0), 3.0), [7, 2, 0])
    np.testing.assert_allclose(at(Polynomial((1.0, -2.0, 0.5, 3.0)), 2.0), [4.0, 12 - 8 + 0.5, 12 - 4])


def test_natural_spline_agrees_with_scipy_and_goes_on_straight():
    reference = CubicSpline(X, Y, bc_type="natural")
    for x in (0.1, 0.7, 1.2, 1.9):
        np.testing.assert_allclose(at(Spline("NaturalCubicSpline", X, Y), x), [reference(x), reference(x, 1), reference(x, 2)], atol=1e-12)
    value, slope, curvature = at(Spline("NaturalCubicSpline", X, Y), 2.5)
    np.testing.assert_allclose([value, slope, curvature], [Y[-1] + 0.5 * reference(2.0, 1), reference(2.0, 1), 0.0], atol=1e-12)


@pytest.mark.parametrize("kind", ["SimmSpline", "PiecewiseLinearFunction"])
@pytest.mark.parametrize("count", [2, 3, 4, 5])
def test_splines_agree_with_opensim(kind, count):
    opensim = pytest.importorskip("opensim")
    theirs = getattr(opensim, kind)()
    for x, y in zip(X[:count], Y[:count], strict=True):
        theirs.addPoint(x, y)
    first = opensim.StdVectorInt()
    first.append(0)
    for x in (-0.3, 0.2, 0.9, 1.9, 2.4):
        value, slope, _ = at(Spline(kind, X[:count], Y[:count]), x)
        point = opensim.Vector(1, x)
        np.testing.assert_allclose([value, slope], [theirs.calcValue(point), theirs.calcDerivative(first, point)], atol=1e-12)


def test_derivatives_are_those_of_the_value():
    curves = functions.compile_functions([Spline("SimmSpline", X, Y), Polynomial((1.0, 0.0, -1.0))], [2.0, -1.0])
    x = jnp.array([0.8, 0.3])
    _, first, second = functions.evaluate(curves, x)
    value_slope = jax.jvp(lambda v: functions.evaluate(curves, v)[0], (x,), (jnp.ones(2),))[1]
    slope_slope = jax.jvp(lambda v: functions.evaluate(curves, v)[1], (x,), (jnp.ones(2),))[1]
    np.testing.assert_allclose(value_slope, first, atol=1e-12)
    np.testing.assert_allclose(slope_slope, second, atol=1e-12)
