"""Polynomials in place of muscle paths: least squares on lengths and moment arms together (Meyer et al. 2017).

Each path gets the lowest order with which it comes within tolerances on postures that it was not fit to, else the best one. The
fit is made with products of Legendre polynomials of the coordinates, scaled to the sampled range, so that high orders stay well
conditioned; what comes out are the powers of the coordinates that OpenSim's MultivariatePolynomialFunction has.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy.polynomial import Polynomial, legendre
from scipy.linalg import cho_factor, cho_solve
from threadpoolctl import threadpool_limits

from monomsk.model.model import Model
from monomsk.model.muscles import Muscles
from monomsk.model.polynomials import exponents, graded
from monomsk.model.spec import MultivariatePolynomial, PolynomialPath
from monomsk.muscles.path_samples import Samples

LOWEST_ORDER, HIGHEST_ORDER = 2, 9
"""As in OpenSim's PolynomialPathFitter."""
LEAST_ARM = 1e-3
"""A coordinate about which a muscle's moment arm stays below this [m] is no argument of its polynomial, as in OpenSim's."""
MOST_COORDINATES = 6
"""Paths that depend on more keep their points, for OpenSim's PolynomialPathFitter refuses them."""
MOST_TERMS = 2000
SAMPLES_PER_TERM = 4
"""Least number of equations per unknown."""
STEADIER = 1e-11
"""Added to the normal matrix, over its mean diagonal, so that terms that no sample shows stay small."""
JUMP, JUMP_IN_SPREADS = 5e-3, 10.0
"""A sample whose length or moment arm is off by more than this [m], and by more than this times the usual, lies beyond a jump."""
HARDLY = 0.01
"""Weight of samples beyond jumps and of paths that begin inside a surface: enough to keep the polynomial from running away there."""
MOST_JUMPS = 0.1
"""Share of samples above which they are no exceptions, but a shape that the polynomial cannot follow."""


@dataclass(frozen=True)
class Goal:
    """How good a polynomial should be."""

    length: float = 1e-4
    """Root mean square error of the length [m]."""
    moment_arm: float = 1e-4
    """Root mean square error of the moment arm about the coordinate where it is largest [m]."""
    order: int = HIGHEST_ORDER


@dataclass(frozen=True)
class Fit:
    """A path as a polynomial."""

    path: PolynomialPath
    left_out: float
    """Share of the samples that hardly count: beyond a jump of the path, or with a path that begins inside a surface."""


@dataclass(frozen=True)
class _Data:
    """The samples of one muscle, with arguments scaled to [−1, 1]. Moment arms about lengths are made metres by half the range."""

    u: Float[np.ndarray, "sample argument"]
    wanted: Float[np.ndarray, "output sample"]
    """The length, then the moment arms."""
    per: Float[np.ndarray, " argument"]
    """Weight of each moment arm over half the range of its argument."""
    weight: Float[np.ndarray, " sample"]


def fit_paths(
    model: Model, muscles: Muscles, coordinates: tuple[int, ...], samples: Samples, checks: Samples, goal: Goal | None = None
) -> dict[str, Fit]:
    """Polynomials for the paths of all muscles that have points and depend on one to six of the coordinates.

    Args:
        model: the body.
        muscles: its muscles.
        coordinates: those that were varied.
        samples: what to fit to.
        checks: other postures, by which the order is chosen.
        goal: tolerances and the highest order.
    """
    fits: dict[str, Fit] = {}
    pointed = [i for i in range(muscles.count) if muscles.row[i] < muscles.count - muscles.polynomials.count]
    for i in pointed:
        arguments = np.flatnonzero(np.abs(samples.moment_arm[:, :, i]).max(0) > LEAST_ARM)
        if not 0 < len(arguments) <= MOST_COORDINATES:
            continue
        chosen = [coordinates[k] for k in arguments]
        low, high = samples.q[:, chosen].min(0), samples.q[:, chosen].max(0)
        centre, half = 0.5 * (low + high), np.maximum(0.5 * (high - low), 1e-9)
        weight = np.where(np.array(model.rotational)[chosen], 1.0, half)
        given, check = (
            _Data(
                u=(of.q[:, chosen] - centre) / half,
                wanted=np.concatenate([of.length[:, i, None], of.moment_arm[:, arguments, i] * weight], axis=1).T,
                per=weight / half,
                weight=np.where(of.sound[:, i] | ~of.sound[:, i].any(), 1.0, HARDLY),
            )
            for of in (samples, checks)
        )
        # Many small systems: threads would wait for each other longer than they work.
        with threadpool_limits(limits=1, user_api="blas"):
            solution, powers, left_out = _fit(given, check, goal or Goal())
        path = PolynomialPath(tuple(model.coordinate_names[c] for c in chosen), _plain(solution, powers, centre, half))
        fits[muscles.names[i]] = Fit(path, left_out)
    return fits


class _Equations:
    """What the coefficients of one muscle's polynomial must fulfil; columns are added as the order grows."""

    def __init__(self, data: _Data, powers: Int[np.ndarray, "term argument"]) -> None:
        self.data, self.powers = data, powers
        units = np.eye(int(powers.max(initial=0)) + 1)
        slopes = np.array([np.pad(slope := legendre.legder(unit), (0, len(unit) - len(slope))) for unit in units])
        self.value, self.slope = (np.moveaxis(legendre.legval(data.u, table.T), 0, 2) for table in (units, slopes))
        self.columns = np.zeros((data.wanted.size, 0))
        self.weight = np.tile(data.weight, len(data.wanted))
        self.normal, self.right = np.zeros((0, 0)), np.zeros(0)

    def grow(self, terms: int, *, solvable: bool) -> None:
        """Columns up to a number of terms, and with `solvable` the normal equations for them."""
        old = self.columns.shape[1]
        powers = self.powers[old:terms]
        if not len(powers):
            return
        outputs = [self._product(powers, None), *(-per * self._product(powers, k) for k, per in enumerate(self.data.per))]
        new = np.concatenate(outputs) * self.weight[:, None]
        self.columns = np.concatenate([self.columns, new], axis=1)
        if solvable:
            side = self.columns[:, :old].T @ new
            self.normal = np.block([[self.normal, side], [side.T, new.T @ new]])
            self.right = np.concatenate([self.right, new.T @ (self.weight * self.data.wanted.ravel())])

    def _product(self, powers: Int[np.ndarray, "term argument"], by: int | None) -> Float[np.ndarray, "sample term"]:
        """Values of the terms, or their derivatives by an argument."""
        product = np.ones((len(self.data.u), len(powers)))
        for k in range(powers.shape[1]):
            product *= (self.slope if k == by else self.value)[:, k, powers[:, k]]
        return product

    def solve(self, terms: int) -> Float[np.ndarray, " term"]:
        """The least squares solution of the first terms."""
        normal = self.normal[:terms, :terms]
        return cho_solve(cho_factor(normal + STEADIER * np.trace(normal) / terms * np.eye(terms)), self.right[:terms])

    def errors(self, solution: Float[np.ndarray, " term"]) -> Float[np.ndarray, "output sample"]:
        """What the polynomial is off by [m]."""
        values = self.columns[:, : len(solution)] @ solution / self.weight
        return values.reshape(self.data.wanted.shape) - self.data.wanted

    def lighten(self, samples: Bool[np.ndarray, " sample"]) -> None:
        """Let samples that count in full hardly count any more."""
        rows = np.tile(samples, len(self.data.wanted))
        part = self.columns[rows]
        self.normal -= (1.0 - HARDLY**2) * part.T @ part
        self.right -= (1.0 - HARDLY**2) * part.T @ self.data.wanted.ravel()[rows]


def _fit(data: _Data, checks: _Data, goal: Goal) -> tuple[np.ndarray, np.ndarray, float]:
    """Coefficients, their powers, and the share of samples that hardly count: a fit, and another when some lie beyond jumps."""
    powers = np.array(graded(data.u.shape[1], goal.order), int)
    fit, check = _Equations(data, powers), _Equations(checks, powers)
    counted, judged = data.weight == 1.0, checks.weight == 1.0
    solution = _lowest_order(fit, check, judged, goal)
    jumps, others = counted & _beyond_jumps(fit.errors(solution), counted), judged & _beyond_jumps(check.errors(solution), judged)
    if 0 < jumps.sum() < MOST_JUMPS * counted.sum() and (judged & ~others).any():
        fit.lighten(jumps)
        counted, judged = counted & ~jumps, judged & ~others
        solution = _lowest_order(fit, check, judged, goal)
    return solution, powers[: len(solution)], float(1.0 - counted.mean())


def _beyond_jumps(errors: Float[np.ndarray, "output sample"], counted: Bool[np.ndarray, " sample"]) -> Bool[np.ndarray, " sample"]:
    worst = np.abs(errors).max(0)
    return worst > max(JUMP, JUMP_IN_SPREADS * float(np.median(worst[counted])))


def _lowest_order(fit: _Equations, check: _Equations, judged: Bool[np.ndarray, " sample"], goal: Goal) -> Float[np.ndarray, " term"]:
    """Coefficients of the lowest order that reaches the goal in the postures to judge by, else of the best order."""
    most = min(MOST_TERMS, len(fit.columns) // SAMPLES_PER_TERM)
    best: tuple[float, np.ndarray] | None = None
    for order in range(min(LOWEST_ORDER, goal.order), goal.order + 1):
        terms = int((fit.powers.sum(1) <= order).sum())
        if terms > most and best is not None:
            break
        fit.grow(terms, solvable=True)
        check.grow(terms, solvable=False)
        solution = fit.solve(terms)
        rms = np.sqrt(np.mean(check.errors(solution)[:, judged] ** 2, axis=1))
        score = max(rms[0] / goal.length, rms[1:].max() / goal.moment_arm)
        if best is None or score < best[0]:
            best = score, solution
        if score <= 1.0:
            break
    assert best is not None
    return best[1]


def _plain(
    solution: Float[np.ndarray, " term"], powers: Int[np.ndarray, "term argument"], centre: np.ndarray, half: np.ndarray
) -> MultivariatePolynomial:
    """The same polynomial in powers of the coordinates."""
    dimension, order = powers.shape[1], int(powers.sum(1).max())
    table = np.zeros((order + 1,) * dimension)
    table[tuple(powers.T)] = solution
    for k in range(dimension):
        argument = Polynomial([-centre[k] / half[k], 1.0 / half[k]])
        change = np.zeros((order + 1, order + 1))
        for degree in range(order + 1):
            own = Polynomial(legendre.leg2poly(np.eye(order + 1)[degree]))(argument).coef
            change[degree, : len(own)] = own
        table = np.moveaxis(np.tensordot(table, change, axes=(k, 0)), -1, k)
    return MultivariatePolynomial(dimension, order, tuple(float(table[e]) for e in exponents(dimension, order)))
