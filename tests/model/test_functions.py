import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.interpolate import CubicSpline

from monomsk.model import functions
from monomsk.model.spec import Constant, Linear, Polynomial, Spline, Step

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


@pytest.mark.parametrize(
    "function", [Constant(0.7), Linear(-1.3, 0.2), Polynomial((0.5, -1.0, 0.3, 0.2, 1.1)), Step(-0.4, 1.1, 0.3, -0.6), Step(0.2, 0.3)]
)
@pytest.mark.parametrize("gain", [1.0, -1.7])
def test_functions_agree_with_opensim_in_both_derivatives(function, gain):
    """As they are written to files: a gain other than one as MultiplierFunction."""
    opensim = pytest.importorskip("opensim")
    theirs = {
        Constant: lambda f: opensim.Constant(f.value),
        Linear: lambda f: opensim.LinearFunction(f.slope, f.intercept),
        Polynomial: lambda f: opensim.PolynomialFunction(opensim.Vector.createFromMat(np.array(f.coefficients))),
        Step: lambda f: opensim.StepFunction(f.start, f.end, f.start_value, f.end_value),
    }[type(function)](function)
    scaled = theirs
    if gain != 1.0:
        theirs.thisown = False  # The multiplier takes the function over, and frees it.
        scaled = opensim.MultiplierFunction(theirs, gain)
    first, second = opensim.StdVectorInt(), opensim.StdVectorInt()
    first.append(0)
    second.append(0)
    second.append(0)
    for x in (-1.0, -0.4, -0.1, 0.2, 0.25, 0.9, 1.1, 2.4):
        point = opensim.Vector(1, x)
        expected = [scaled.calcValue(point), scaled.calcDerivative(first, point), scaled.calcDerivative(second, point)]
        ours = [float(v[0]) for v in functions.evaluate(functions.compile_functions([function], [gain]), jnp.array([x]))]
        np.testing.assert_allclose(ours, expected, rtol=1e-12, atol=1e-10)


def test_derivatives_are_those_of_the_value():
    mixed = [Spline("SimmSpline", X, Y), Polynomial((1.0, 0.0, -1.0)), Step(-0.1, 0.5, 1.0, -2.0)]
    curves = functions.compile_functions(mixed, [2.0, -1.0, 0.5])
    x = jnp.array([0.8, 0.3, 0.2])
    _, first, second = functions.evaluate(curves, x)
    value_slope = jax.jvp(lambda v: functions.evaluate(curves, v)[0], (x,), (jnp.ones(3),))[1]
    slope_slope = jax.jvp(lambda v: functions.evaluate(curves, v)[1], (x,), (jnp.ones(3),))[1]
    np.testing.assert_allclose(value_slope, first, atol=1e-12)
    np.testing.assert_allclose(slope_slope, second, atol=1e-12)
