"""Scalar functions of one coordinate, compiled to one form: piecewise polynomials with straight or polynomial ends."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from monomsk.model.spec import Constant, Function, Linear, Polynomial, Spline, Step


class PiecewisePolynomials(eqx.Module):
    """`curve` many functions side by side, padded to the same number of pieces and the same degree."""

    breaks: Float[Array, "curve piece-1"]
    """Where the next piece begins; +inf in the padding."""
    origins: Float[Array, "curve piece"]
    coefficients: Float[Array, "curve piece power"]
    """Lowest power first, of (x − origin)."""


def evaluate(curves: PiecewisePolynomials, x: Float[Array, " curve"]) -> tuple[Float[Array, " curve"], ...]:
    """Value, first and second derivative of every curve at its own x."""
    piece = jnp.sum(x[:, None] >= curves.breaks, -1)
    row = jnp.arange(curves.origins.shape[0])
    c = curves.coefficients[row, piece]
    d = x - curves.origins[row, piece]
    value, first, second = jnp.zeros_like(d), jnp.zeros_like(d), jnp.zeros_like(d)
    for power in range(c.shape[1] - 1, -1, -1):
        second = second * d + 2.0 * first
        first = first * d + value
        value = value * d + c[:, power]
    return value, first, second


def compile_functions(functions: list[Function], gains: list[float]) -> PiecewisePolynomials:
    """Bring functions of any kind to the common form, each multiplied by its gain."""
    pieces = [_pieces(f) for f in functions]
    n_piece = max((len(p) for p in pieces), default=1)
    n_power = max((len(c) for p in pieces for _, _, c in p), default=1)
    breaks: list[list[float]] = []
    origins: list[list[float]] = []
    coefficients: list[list[list[float]]] = []
    for p, gain in zip(pieces, gains, strict=True):
        padded = p + [p[-1]] * (n_piece - len(p))
        breaks.append([b for b, _, _ in p[1:]] + [float("inf")] * (n_piece - len(p)))
        origins.append([o for _, o, _ in padded])
        coefficients.append([[gain * v for v in c] + [0.0] * (n_power - len(c)) for _, _, c in padded])
    return PiecewisePolynomials(
        jnp.array(breaks, float).reshape(len(pieces), n_piece - 1),
        jnp.array(origins, float).reshape(len(pieces), n_piece),
        jnp.array(coefficients, float).reshape(len(pieces), n_piece, n_power),
    )


Piece = tuple[float, float, list[float]]


def _pieces(function: Function) -> list[Piece]:
    """(begins at, origin, coefficients lowest power first) of every piece."""
    if isinstance(function, Constant):
        return [(-float("inf"), 0.0, [function.value])]
    if isinstance(function, Linear):
        return [(-float("inf"), 0.0, [function.intercept, function.slope])]
    if isinstance(function, Polynomial):
        return [(-float("inf"), 0.0, list(reversed(function.coefficients)))]
    if isinstance(function, Step):
        return _step_pieces(function)
    return _spline_pieces(function)


def _step_pieces(step: Step) -> list[Piece]:
    width, rise = step.end - step.start, step.end_value - step.start_value
    powers = [step.start_value, 0.0, 0.0, 10.0 * rise / width**3, -15.0 * rise / width**4, 6.0 * rise / width**5]
    before, after = [step.start_value], [step.end_value]
    return [(-float("inf"), step.start, before), (step.start, step.start, powers), (step.end, step.end, after)]


def _spline_pieces(spline: Spline) -> list[Piece]:
    x, y = list(spline.x), list(spline.y)
    n = len(x)
    if n == 1:
        return [(-float("inf"), 0.0, [y[0]])]
    if spline.kind == "PiecewiseLinearFunction" or n == 2:
        slope = [(y[i + 1] - y[i]) / (x[i + 1] - x[i]) for i in range(n - 1)]
        segments: list[Piece] = [(x[i], x[i], [y[i], slope[i]]) for i in range(n - 1)]
        return [(-float("inf"), x[0], [y[0], slope[0]]), *segments[1:]]
    m = _second_derivatives(x, y, natural=spline.kind == "NaturalCubicSpline")
    segments = []
    for i in range(n - 1):
        h = x[i + 1] - x[i]
        slope_i = (y[i + 1] - y[i]) / h - h * (2.0 * m[i] + m[i + 1]) / 6.0
        segments.append((x[i], x[i], [y[i], slope_i, m[i] / 2.0, (m[i + 1] - m[i]) / (6.0 * h)]))
    h = x[-1] - x[-2]
    end_slope = (y[-1] - y[-2]) / h + h * (m[-2] + 2.0 * m[-1]) / 6.0
    return [(-float("inf"), x[0], [y[0], segments[0][2][1]]), *segments, (x[-1], x[-1], [y[-1], end_slope])]


def _second_derivatives(x: list[float], y: list[float], *, natural: bool) -> list[float]:
    """Second derivatives at the knots of a cubic spline, by elimination in the tridiagonal system.

    SimmSpline ends: the third derivative at each end is that of the cubic through the four outermost points
    (Forsythe, Malcolm & Moler 1977, routine SPLINE); three points have a zero third derivative there.
    """
    n = len(x)
    h = [x[i + 1] - x[i] for i in range(n - 1)]
    s = [(y[i + 1] - y[i]) / h[i] for i in range(n - 1)]
    diagonal = [1.0] + [2.0 * (h[i - 1] + h[i]) for i in range(1, n - 1)] + [1.0]
    upper = [0.0, *h[1:]]
    lower = [*h[:-1], 0.0]
    right = [0.0] + [6.0 * (s[i] - s[i - 1]) for i in range(1, n - 1)] + [0.0]
    if not natural:
        diagonal[0], upper[0] = -h[0], h[0]
        diagonal[-1], lower[-1] = -h[-1], h[-1]
        if n > 3:
            right[0] = 6.0 * h[0] ** 2 * _third_difference(x[:4], y[:4])
            right[-1] = -6.0 * h[-1] ** 2 * _third_difference(x[-4:], y[-4:])
    for i in range(1, n):
        t = lower[i - 1] / diagonal[i - 1]
        diagonal[i] -= t * upper[i - 1]
        right[i] -= t * right[i - 1]
    m = [0.0] * n
    m[-1] = right[-1] / diagonal[-1]
    for i in range(n - 2, -1, -1):
        m[i] = (right[i] - upper[i] * m[i + 1]) / diagonal[i]
    return m


def _third_difference(x: list[float], y: list[float]) -> float:
    """Third divided difference of four points: a sixth of the third derivative of their cubic."""
    level = list(y)
    for k in range(1, 4):
        level = [(level[i + 1] - level[i]) / (x[i + k] - x[i]) for i in range(4 - k)]
    return level[0]
