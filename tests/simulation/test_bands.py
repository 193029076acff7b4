"""The banded normal equations equal the dense ones."""

import numpy as np
import pytest

from monomsk.errors import SolveError
from monomsk.simulation.bands import Banded, add_diagonal, add_rows
from monomsk.simulation.spline import SPAN, spline_over

RNG = np.random.default_rng(0)
TIME, NX = np.linspace(0.0, 1.0, 12), 2
SPLINE = spline_over(TIME, 5.0)


def test_rows_and_single_coordinates_give_the_least_squares_solution() -> None:
    interval, count = SPLINE.interval(TIME), SPLINE.count
    weights = SPLINE.weights(TIME)[:, 0]
    J, r = RNG.normal(size=(len(TIME), 3, SPAN, NX)), RNG.normal(size=(len(TIME), 3))
    by = RNG.uniform(1.0, 2.0, size=(len(TIME), NX))
    block, gradient = np.zeros((count, SPAN, NX, NX)), np.zeros((count, NX))
    add_rows(block, gradient, (J, r), interval)
    add_diagonal(block, weights, by, interval)
    dense = np.zeros((len(TIME), 3, count, NX))
    single = np.zeros((len(TIME), NX, count, NX))
    for t, k in enumerate(interval):
        dense[t, :, k : k + SPAN] = J[t]
        for i in range(NX):
            single[t, i, k : k + SPAN, i] = weights[t] * np.sqrt(by[t, i])
    dense, single = dense.reshape(-1, count * NX), single.reshape(-1, count * NX)
    np.testing.assert_allclose(gradient.reshape(-1), dense.T @ r.reshape(-1), atol=1e-10)
    matrix = dense.T @ dense + single.T @ single
    expected = np.linalg.solve(matrix + 0.1 * np.diag(np.diag(matrix)), gradient.reshape(-1))
    np.testing.assert_allclose(Banded(block).solve(gradient, 0.1).reshape(-1), expected, rtol=1e-6)


def test_a_matrix_that_is_not_positive_definite_is_told() -> None:
    block = np.zeros((SPLINE.count, SPAN, NX, NX))
    block[:, 0] = np.diag([1.0, -1.0])
    with pytest.raises(SolveError, match="positive definite"):
        Banded(block).solve(np.ones((SPLINE.count, NX)), 0.0)
