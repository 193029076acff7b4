"""Wrapping over a sphere: answers known from geometry."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from monomsk.physics.bend import CROSSES, INSIDE, MISSES, WRAPPED, Bend
from monomsk.physics.wrap_sphere import Sphere, wrap_segment

R = 0.5


@jax.jit
def compiled(p1, p2, side, literal) -> Bend:
    sphere = Sphere(jnp.array(R), (side[0], side[1], side[2]), literal)
    return wrap_segment((p1[0], p1[1], p1[2]), (p2[0], p2[1], p2[2]), sphere)


@jax.jit
@jax.value_and_grad
def detour(v) -> jax.Array:
    """By the ends."""
    return compiled(v[:3], v[3:], jnp.zeros(3), jnp.array(False)).detour


def wrap(p1, p2, *, side=(0.0, 0.0, 0.0), literal=False) -> Bend:
    return compiled(*(jnp.asarray(v, float) for v in (p1, p2, side)), jnp.asarray(literal))


def test_the_path_is_a_great_circle() -> None:
    p1, p2 = np.array([-1.0, 0.1, 0.3]), np.array([1.2, 0.2, -0.1])
    bend = wrap(p1, p2)
    d1, d2 = np.linalg.norm(p1), np.linalg.norm(p2)
    angle = np.arccos(p1 @ p2 / d1 / d2) - np.arccos(R / d1) - np.arccos(R / d2)
    assert int(bend.status) == WRAPPED
    assert float(bend.arc) == pytest.approx(R * angle, abs=1e-12)
    for place, end in ((bend.start, p1), (bend.end, p2)):
        r = np.array([float(v) for v in place])
        assert np.linalg.norm(r) == pytest.approx(R, abs=1e-12)
        assert r @ (end - r) == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize(
    ("p1", "p2", "side", "status"),
    [
        ((-1, 0.6, 0), (1, 0.6, 0), (0, 0, 0), MISSES),
        ((-1, 0.4, 0), (-0.6, 0.3, 0), (0, 0, 0), MISSES),
        ((-1, 0.4, 0), (0.1, 0.1, 0), (0, 0, 0), INSIDE),
        ((-1, 0.4, 0), (1, 0.4, 0), (0, 0, 0), WRAPPED),
        ((-1, 0.4, 0), (1, 0.4, 0), (0, 1, 0), CROSSES),
        ((-1, -0.4, 0), (1, -0.4, 0), (0, 1, 0), WRAPPED),
        ((-1, -0.6, 0), (1, -0.6, 0), (0, 1, 0), MISSES),
    ],
)
def test_what_bends_and_what_does_not(p1, p2, side, status) -> None:
    assert int(wrap(p1, p2, side=side).status) == status


def test_a_side_sends_the_path_the_long_way_and_opensim_counts_that_as_negative() -> None:
    p1, p2 = (-1.0, -0.3, 0.0), (1.0, -0.3, 0.0)
    short, long = wrap(p1, p2), wrap(p1, p2, side=(0, 1, 0))
    assert float(short.start[1]) < 0.0 < float(long.start[1])
    assert float(long.arc) > float(short.arc)
    # From nearby, more than half a turn is left.
    p1, p2 = (-0.4, -0.4, 0.0), (0.4, -0.4, 0.0)
    honest, literal = wrap(p1, p2, side=(0, 1, 0)), wrap(p1, p2, side=(0, 1, 0), literal=True)
    assert float(honest.arc) > np.pi * R
    assert float(literal.arc) == pytest.approx(-float(honest.arc), abs=1e-12)


def test_gradient_against_differences_and_at_the_centre() -> None:
    v = np.array([-1.0, 0.2, -0.1, 0.8, 0.1, 0.1])
    h = 1e-6
    differences = [(detour(v + h * e)[0] - detour(v - h * e)[0]) / (2 * h) for e in np.eye(6)]
    np.testing.assert_allclose(detour(v)[1], np.array(differences), atol=1e-8)
    for ends in ([-1.0, 0, 0, 1.0, 0, 0], [0.1, 0, 0, 1, 0, 0], [1.0, 0, 0, 1.0, 0, 0]):
        assert np.isfinite(np.asarray(detour(np.array(ends, float))[1])).all()
