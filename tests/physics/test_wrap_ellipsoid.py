"""Wrapping over an ellipsoid: a sphere as one, sections that are ellipses, and nearest points."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import minimize

from monomsk.physics import wrap_sphere
from monomsk.physics.bend import CROSSES, INSIDE, MISSES, Bend
from monomsk.physics.wrap_ellipsoid import AXIAL, HYBRID, MIDPOINT, Ellipsoid, _nearest, wrap_segment
from monomsk.physics.wrap_sphere import Sphere


@jax.jit
def compiled(p1, p2, radii, side, method) -> Bend:
    ellipsoid = Ellipsoid((radii[0], radii[1], radii[2]), (side[0], side[1], side[2]), method)
    return wrap_segment((p1[0], p1[1], p1[2]), (p2[0], p2[1], p2[2]), ellipsoid)


@jax.jit
@jax.value_and_grad
def detour(v, side, method) -> jax.Array:
    """By ends and radii."""
    return compiled(v[:3], v[3:6], v[6:], side, method).detour


def wrap(p1, p2, radii, *, side=(0.0, 0.0, 0.0), method=HYBRID) -> Bend:
    return compiled(*(jnp.asarray(v, float) for v in (p1, p2, radii, side)), jnp.asarray(method))


@pytest.mark.parametrize("method", [HYBRID, MIDPOINT, AXIAL])
def test_of_equal_radii_it_is_a_sphere(method: int) -> None:
    p1, p2, zero = (-1.0, 0.1, 0.3), (1.2, 0.2, -0.1), jnp.zeros(())
    found = wrap(p1, p2, (0.5, 0.5, 0.5), method=method)
    ends = [tuple(jnp.asarray(v, float) for v in p) for p in (p1, p2)]
    ball = jax.jit(wrap_sphere.wrap_segment)(*ends, Sphere(jnp.array(0.5), (zero, zero, zero), jnp.array(False)))
    # The axial cut is in no plane through the centre, so only the other two find the great circle.
    tolerance = 1e-9 if method == MIDPOINT else 0.02
    assert float(found.detour) == pytest.approx(float(ball.detour), abs=tolerance)
    assert float(found.detour) >= float(ball.detour) - 1e-12


@pytest.mark.parametrize("method", [HYBRID, MIDPOINT, AXIAL])
def test_in_a_plane_of_symmetry_the_arc_is_an_ellipses(method: int) -> None:
    a, b = 0.6, 0.3
    p1, p2 = np.array([-1.0, 0.1, 0.0]), np.array([1.1, 0.05, 0.0])
    bend = wrap(p1, p2, (a, b, 0.4), method=method)
    assert int(bend.status) == CROSSES
    r1, r2 = (np.array([float(v) for v in r]) for r in (bend.start, bend.end))
    for r, p in ((r1, p1), (r2, p2)):
        assert (r[0] / a) ** 2 + (r[1] / b) ** 2 == pytest.approx(1.0, abs=1e-12)
        assert r[0] * (p - r)[0] / a**2 + r[1] * (p - r)[1] / b**2 == pytest.approx(0.0, abs=1e-12)
    low, high = sorted(np.arctan2(r[1] / b, r[0] / a) for r in (r1, r2))
    arc, _ = quad(lambda t: np.hypot(a * np.sin(t), b * np.cos(t)), low, high)
    assert float(bend.arc) == pytest.approx(arc, abs=1e-7)


def test_nearest_points_by_another_search() -> None:
    rng = np.random.default_rng(1)
    a = np.array([1.3, 0.9, 0.7])
    find = jax.jit(lambda p: _nearest((p[0], p[1], p[2]), tuple(jnp.array(v) for v in a), (jnp.array(True),) * 3))
    for p in rng.normal(size=(12, 3)):
        x = np.array(find(jnp.array(p)))
        assert np.sum((x / a) ** 2) == pytest.approx(1.0, abs=1e-9)

        def gap(angles: np.ndarray, p: np.ndarray = p) -> float:
            c, s = np.cos(angles), np.sin(angles)
            return float(np.sum((a * [s[0] * c[1], s[0] * s[1], c[0]] - p) ** 2))

        best = min(minimize(gap, rng.uniform(0, 3, 2), tol=1e-12).fun for _ in range(6))
        assert np.sum((x - p) ** 2) <= best + 1e-8


@pytest.mark.parametrize(
    ("p1", "p2", "status"),
    [((-1, 0.9, 0), (1, 0.9, 0), MISSES), ((-1, 0.1, 0), (0.1, 0, 0), INSIDE), ((-1, 0.1, 0), (-0.8, 0.1, 0), MISSES)],
)
def test_what_bends_and_what_does_not(p1, p2, status) -> None:
    assert int(wrap(p1, p2, (0.5, 0.4, 0.3)).status) == status


@pytest.mark.parametrize("method", [HYBRID, MIDPOINT, AXIAL])
@pytest.mark.parametrize("side", [(0.0, 0.0, 0.0), (0.0, 0.0, -1.0)])
def test_gradient_against_differences(method: int, side: tuple[float, float, float]) -> None:
    v, how = np.array([-1.0, 0.15, 0.05, 0.9, 0.7, 0.2, 0.5, 0.45, 0.3]), (np.array(side), np.array(method))
    h = 1e-6
    differences = [(detour(v + h * e, *how)[0] - detour(v - h * e, *how)[0]) / (2 * h) for e in np.eye(9)]
    np.testing.assert_allclose(detour(v, *how)[1], np.array(differences), atol=2e-7)


def test_gradients_are_finite_where_nothing_bends() -> None:
    for ends in ([0.1, 0, 0, 1, 0, 0], [-1, 0, 0, 1, 0, 0], [1.0, 0, 0, 1.0, 0, 0], [0.5, 0, 0, 2, 0, 0]):
        slope = detour(np.array([*ends, 0.5, 0.4, 0.3], float), np.zeros(3), np.array(HYBRID))[1]
        assert np.isfinite(np.asarray(slope)[:6]).all()
