"""The batched solver against answers known and against Clarabel."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import monomsk.spatial  # noqa: F401 (turns double precision on, whichever tests come before)
from monomsk.muscles.interior_point import Shares, share

FRAMES, ROWS, MUSCLES = 12, 6, 30


def problems(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Moments of fully active muscles and moments to be made up, the first far beyond what they can."""
    rng = np.random.default_rng(seed)
    B = (rng.random((FRAMES, ROWS, MUSCLES)) < 0.3) * rng.normal(size=(FRAMES, ROWS, MUSCLES)) * rng.uniform(20, 300, MUSCLES)
    d = np.einsum("frm,fm->fr", B, rng.uniform(0.0, 0.7, (FRAMES, MUSCLES)) ** 2) + 20 * rng.normal(size=(FRAMES, ROWS))
    d[0] *= 20.0
    return B, d


def solve(B, d, *, weight=1.0, exponent=2.0, lower=0.01) -> Shares:
    n = B.shape[2]
    return share(*map(jnp.asarray, (B, d, np.full(B.shape[1], weight), np.full(n, lower), np.ones(n), exponent)))


def clarabel_answer(B: np.ndarray, d: np.ndarray) -> np.ndarray:
    clarabel = pytest.importorskip("clarabel")
    sparse = pytest.importorskip("scipy.sparse")
    rows, n = B.shape
    cost = 2.0 * sparse.identity(n + rows, format="csc")
    eye = np.eye(n)
    none = np.zeros((n, rows))
    A = sparse.csc_matrix(np.block([[B, np.eye(rows)], [-eye, none], [eye, none]]))
    settings = clarabel.DefaultSettings()
    settings.verbose = False
    settings.tol_gap_abs = settings.tol_gap_rel = settings.tol_feas = 1e-12
    cones = [clarabel.ZeroConeT(rows), clarabel.NonnegativeConeT(2 * n)]
    bounds = np.concatenate([d, np.full(n, -0.01), np.ones(n)])
    return np.array(clarabel.DefaultSolver(cost, np.zeros(n + rows), A, bounds, cones, settings).solve().x)


def test_equals_clarabel() -> None:
    B, d = problems()
    found = solve(B, d)
    assert bool(found.converged.all())
    for i in range(FRAMES):
        x = clarabel_answer(B[i], d[i])
        np.testing.assert_allclose(found.activation[i], x[:MUSCLES], atol=1e-4)
        np.testing.assert_allclose(found.reserve[i], x[MUSCLES:], atol=1e-4)
    assert np.abs(found.reserve[0]).max() > 50.0


def test_equal_muscles_share_equally_and_stronger_ones_do_more() -> None:
    equal = solve(np.full((1, 1, 4), 50.0), np.array([[60.0]]), weight=1e6, lower=0.0)
    np.testing.assert_allclose(equal.activation, 0.3, atol=1e-6)
    strong = solve(np.array([[[100.0, 50.0]]]), np.array([[25.0]]), weight=1e6, lower=0.0)
    np.testing.assert_allclose(strong.activation[0], [0.2, 0.1], atol=1e-6)
    cubes = solve(np.array([[[100.0, 25.0]]]), np.array([[45.0]]), weight=1e6, exponent=3.0, lower=0.0)
    np.testing.assert_allclose(cubes.activation[0], [0.4, 0.2], atol=1e-5)


def test_what_muscles_cannot_do_is_the_reserves() -> None:
    found = solve(np.array([[[100.0]]]), np.array([[250.0]]), weight=1.0)
    assert float(found.activation[0, 0]) == pytest.approx(1.0, abs=1e-6)
    assert float(found.reserve[0, 0]) == pytest.approx(150.0, abs=1e-4)


@pytest.mark.parametrize("exponent", [1.0, 1.5, 3.0, 4.0])
def test_other_exponents_are_optimal(exponent: float) -> None:
    B, d = problems(1)
    found = solve(B, d, exponent=exponent)
    assert bool(found.converged.all())
    a, r = np.asarray(found.activation), np.asarray(found.reserve)
    slope = exponent * a ** (exponent - 1.0) - 2.0 * np.einsum("frm,fr->fm", B, r)
    free = (a > 0.011) & (a < 0.999)
    size = 1.0 + np.abs(2.0 * np.einsum("frm,fr->fm", B, r)).max()
    assert np.abs(slope[free]).max() < 1e-5 * size
    assert slope[a < 0.0100001].min() > -1e-5 * size


@pytest.mark.parametrize("exponent", [1.0, 2.0, 4.0])
def test_what_is_far_beyond_the_muscles_is_solved_too(exponent: float) -> None:
    B, d = problems(4)
    rng = np.random.default_rng(5)
    d = d * np.exp(rng.uniform(-1.5, 2.0, (FRAMES, 1)))
    for weight in (1e-4, 1.0, 1e2, 1e6):
        found = solve(B, d, weight=weight, exponent=exponent)
        assert bool(found.converged.all())
        a, r = np.asarray(found.activation), np.asarray(found.reserve)
        pull = 2.0 * weight * np.einsum("frm,fr->fm", B, r)
        slope, size = exponent * a ** (exponent - 1.0) - pull, 1.0 + np.abs(pull).max(1, keepdims=True)
        assert (slope / size)[a < 0.99].min() > -1e-4
        assert (slope / size)[a > 0.02].max() < 1e-4


def test_a_frame_does_not_depend_on_its_neighbours() -> None:
    B, d = problems()
    alone = solve(np.repeat(B[3:4], FRAMES, 0), np.repeat(d[3:4], FRAMES, 0))
    np.testing.assert_allclose(alone.activation[0], solve(B, d).activation[3], atol=1e-6)


@pytest.mark.parametrize("exponent", [2.0, 3.0])
def test_derivatives_by_all_numbers_of_the_problem(exponent: float) -> None:
    # Without the first frame, in which all muscles pull with all they have and the least change makes some leave their bounds.
    B, d = (a[1:] for a in problems(2))
    rng = np.random.default_rng(3)
    at = [jnp.asarray(v) for v in (B, d, np.full(ROWS, 0.5), np.full(MUSCLES, 0.02), np.full(MUSCLES, 0.9), exponent)]
    along = [jnp.asarray(s * rng.normal(size=v.shape)) for v, s in zip(at, (3.0, 3.0, 0.1, 0.003, 0.03, 0.1), strict=True)]

    def both(*numbers: jax.Array) -> tuple[jax.Array, jax.Array]:
        found = share(*numbers)
        return found.activation, found.reserve

    found, forward = jax.jvp(both, at, along)
    assert np.asarray(found[0]).min() < 0.0201
    h = 1e-4
    there, back = (both(*(v + s * h * w for v, w in zip(at, along, strict=True))) for s in (1.0, -1.0))
    for rate, high, low in zip(forward, there, back, strict=True):
        np.testing.assert_allclose(rate, (high - low) / (2.0 * h), atol=2e-5)
    weights = [jnp.asarray(rng.normal(size=rate.shape)) for rate in forward]
    pulled = jax.vjp(both, *at)[1](tuple(weights))
    backward = sum(float(jnp.sum(g * v)) for g, v in zip(pulled, along, strict=True))
    assert backward == pytest.approx(sum(float(jnp.sum(w * r)) for w, r in zip(weights, forward, strict=True)), rel=1e-9)
