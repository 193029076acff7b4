"""Wrapping over a cylinder: answers known from geometry, and the two ways of placing tangent points."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from monomsk.physics.wrap_cylinder import CROSSES, INSIDE, MISSES, WRAPPED, Bend, Cylinder, wrap_segment

R = 0.5


@jax.jit
def compiled(p1, p2, side, length, shortest, radius) -> Bend:
    cylinder = Cylinder(radius, 0.5 * length, (side[0], side[1], side[2]), shortest)
    return wrap_segment((p1[0], p1[1], p1[2]), (p2[0], p2[1], p2[2]), cylinder)


@jax.jit
@jax.value_and_grad
def detour(v, shortest) -> jax.Array:
    """By ends and radius; nothing where the path is straight."""
    bend = compiled(v[:3], v[3:6], jnp.zeros(3), jnp.array(10.0), shortest, v[6])
    return jnp.where(bend.status >= WRAPPED, bend.detour, 0.0)


def wrap(p1, p2, *, side=(0.0, 0.0, 0.0), length=10.0, shortest=True, radius=R) -> Bend:
    p1, p2, side = (jnp.asarray(v, float) for v in (p1, p2, side))
    return compiled(p1, p2, side, jnp.asarray(length, float), jnp.asarray(shortest), jnp.asarray(radius, float))


def total(bend: Bend, p1, p2) -> float:
    return float(np.linalg.norm(np.subtract(p2, p1)) + bend.detour)


def test_a_segment_through_the_axis_goes_around_the_cylinder() -> None:
    p1, p2 = (-1.0, 0.01, 0.0), (1.0, 0.01, 0.0)
    bend = wrap(p1, p2)
    d = np.hypot(1.0, 0.01)
    arc = np.pi - 2.0 * np.arctan2(0.01, 1.0) - 2.0 * np.arccos(R / d)
    assert int(bend.status) == CROSSES
    assert float(bend.arc) == pytest.approx(R * arc, abs=1e-12)
    assert total(bend, p1, p2) == pytest.approx(2.0 * np.sqrt(d**2 - R**2) + R * arc, abs=1e-12)
    for tangent, end in ((bend.start, p1), (bend.end, p2)):
        r = np.array([float(v) for v in tangent])
        assert np.hypot(r[0], r[1]) == pytest.approx(R, abs=1e-12)
        assert float(np.dot(r[:2], r[:2] - np.array(end)[:2])) == pytest.approx(0.0, abs=1e-12)


def test_a_helix_is_a_straight_line_unrolled() -> None:
    p1, p2 = (-1.0, 0.2, -0.7), (0.9, 0.3, 1.1)
    flat, rising = wrap((*p1[:2], 0.0), (*p2[:2], 0.0)), wrap(p1, p2)
    level = total(flat, (*p1[:2], 0.0), (*p2[:2], 0.0))
    assert total(rising, p1, p2) == pytest.approx(np.hypot(level, 1.8), abs=1e-12)


def test_the_shortest_path_is_never_longer_than_opensims() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        p1, p2 = rng.normal((-1.2, 0, 0)), rng.normal((1.2, 0, 0))
        short, plane = wrap(p1, p2, length=100.0), wrap(p1, p2, length=100.0, shortest=False)
        assert int(short.status) == int(plane.status)
        if int(short.status) == CROSSES:
            assert float(short.detour) <= float(plane.detour) + 1e-12


@pytest.mark.parametrize(
    ("p1", "p2", "options", "status"),
    [
        ((-1, 0.6, 0), (1, 0.6, 0), {}, MISSES),
        ((-1, 0.4, 0), (1, 0.4, 0), {}, CROSSES),
        ((-1, 0.4, 0), (-0.6, 0.3, 0), {}, MISSES),
        ((-1, 0.4, 0), (0.1, 0.1, 0), {}, INSIDE),
        ((-1, 0.4, 9), (1, 0.4, 9), {"length": 1.0}, MISSES),
        ((-1, 0.4, 0), (1, 0.4, 0.9), {"length": 1.0}, CROSSES),
        ((-1, 0.6, 0), (1, 0.6, 0), {"side": (0, 1, 0)}, MISSES),
        ((-1, -0.6, 0), (1, -0.6, 0), {"side": (0, 1, 0)}, WRAPPED),
        ((-1, 0.4, 0), (1, 0.4, 0), {"side": (0, 1, 0)}, CROSSES),
        ((0.7, 0, -1), (0.7, 0, 1), {}, MISSES),
    ],
)
def test_what_bends_and_what_does_not(p1, p2, options, status) -> None:
    assert int(wrap(p1, p2, **options).status) == status


def test_a_constraint_sends_the_path_to_its_side() -> None:
    above, below = wrap((-1, 0.1, 0), (1, 0.1, 0), side=(0, 1, 0)), wrap((-1, 0.1, 0), (1, 0.1, 0), side=(0, -1, 0))
    assert float(above.start[1]) > 0.0 > float(below.start[1])
    assert float(above.detour) < float(below.detour)


@pytest.mark.parametrize("shortest", [True, False])
def test_gradient_against_differences(shortest: bool) -> None:
    v, how = np.array([-1.0, 0.2, -0.4, 0.8, 0.1, 0.6, 0.5]), np.array(shortest)
    h = 1e-6
    differences = [(detour(v + h * e, how)[0] - detour(v - h * e, how)[0]) / (2 * h) for e in np.eye(7)]
    assert np.abs(differences).max() > 0.1
    np.testing.assert_allclose(detour(v, how)[1], np.array(differences), atol=1e-8)


def test_gradients_are_finite_where_nothing_bends() -> None:
    for ends in ([0.1, 0.0, 0, 1, 0, 0], [0.7, 0, -1, 0.7, 0, 1], [-1.0, 0.5, 0, 1.0, 0.5, 0], [1.0, 0, 0, 1.0, 0, 0]):
        assert np.isfinite(np.asarray(detour(np.array([*ends, R], float), np.array(True))[1])[:6]).all()
