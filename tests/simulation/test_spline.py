"""Splines of the motion: they take polynomials as they are, and their derivatives are derivatives."""

import numpy as np
import pytest

from monomsk.simulation.spline import along, spline_over

TIME = np.linspace(0.3, 1.1, 41)


@pytest.mark.parametrize("rate", [10.0, 30.0, 200.0])
def test_quintic_polynomials_are_met_with_both_derivatives(rate: float) -> None:
    curve = np.polynomial.Polynomial([0.3, -1.0, 2.0, 0.5, -3.0, 1.0])
    spline = spline_over(TIME, rate)
    points = spline.fit(TIME, curve(TIME)[:, None])
    between = np.linspace(0.3, 1.1, 97)
    found = along(spline, points, between)[..., 0]
    expected = [curve(between), curve.deriv()(between), curve.deriv(2)(between)]
    # The fit would rather be cubic, a little; where there are nearly as many knots as times, that shows.
    np.testing.assert_allclose(found, expected, atol=0.02 if rate > 100.0 else 1e-4)


def test_the_times_determine_every_control_point() -> None:
    assert spline_over(TIME, 1e4).count == len(TIME) - 1
    assert spline_over(TIME, 10.0).intervals == 8
