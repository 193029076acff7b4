"""The motion as a smooth function of time: quintic B-splines on even knots, one row of control points a knot.

Their accelerations are curves with three derivatives, so that the equations of motion hold between the frames too, and knots that are
further apart than the frames leave out what no person does.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float, Int
from scipy.interpolate import BSpline
from scipy.linalg import solveh_banded

DEGREE = 5
FOURTH = (1.0, -4.0, 6.0, -4.0, 1.0)
"""Fourth difference."""
SPAN = DEGREE + 1
"""Control points that a time depends on."""


@dataclass(frozen=True)
class Spline:
    """Even knots over a span of time."""

    start: float
    """[s]"""
    step: float
    """Between knots [s]."""
    intervals: int

    @property
    def count(self) -> int:
        """Number of control points."""
        return self.intervals + DEGREE

    @cached_property
    def _pieces(self) -> tuple[BSpline, ...]:
        knots = self.start + self.step * np.arange(-DEGREE, self.intervals + DEGREE + 1)
        plain = BSpline(knots, np.eye(self.count), DEGREE)
        return plain, plain.derivative(1), plain.derivative(2)

    def interval(self, time: Float[np.ndarray, " time"]) -> Int[np.ndarray, " time"]:
        """First of the control points that each time depends on."""
        return np.clip(np.floor((time - self.start) / self.step + 1e-9).astype(int), 0, self.intervals - 1)

    def weights(self, time: Float[np.ndarray, " time"]) -> Float[np.ndarray, "time 3 span"]:
        """Of the control points from `interval` on, in the value and its first and second derivative."""
        column = self.interval(time)[:, None] + np.arange(SPAN)
        return np.stack([np.take_along_axis(piece(time), column, axis=1) for piece in self._pieces], axis=1)

    def fit(self, time: Float[np.ndarray, " time"], values: Float[np.ndarray, "time n"]) -> Float[np.ndarray, "count n"]:
        """Control points nearest to values at the times; hardly at all, they would rather be cubic."""
        weight, first = self.weights(time)[:, 0], self.interval(time)
        band = np.zeros((SPAN, self.count))
        right = np.zeros((self.count, values.shape[1]))
        for i in range(SPAN):
            np.add.at(right, first + i, weight[:, i, None] * values)
            for j in range(i, SPAN):
                np.add.at(band[j - i], first + i, weight[:, i] * weight[:, j])
        for i, a in enumerate(FOURTH):
            for j, b in list(enumerate(FOURTH))[i:]:
                band[j - i, i : self.count - len(FOURTH) + 1 + i] += 1e-12 * a * b
        return solveh_banded(band, right, lower=True)


def spline_over(time: Float[np.ndarray, " time"], rate: float) -> Spline:
    """Knots over the whole of `time` [s], at least `rate` of them a second, but so few that the times determine every control point."""
    length = float(time[-1] - time[0])
    intervals = max(1, min(int(np.ceil(length * rate - 1e-9)), len(time) - SPAN))
    return Spline(float(time[0]), length / intervals, intervals)


def along(spline: Spline, points: Float[np.ndarray, "count n"], time: Float[np.ndarray, " time"]) -> Float[np.ndarray, "3 time n"]:
    """Values and their first and second derivative at the times."""
    column = spline.interval(time)[:, None] + np.arange(SPAN)
    return np.einsum("tds,tsn->dtn", spline.weights(time), points[column])
