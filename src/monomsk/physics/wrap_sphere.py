"""A line that bends around a sphere: in the plane through both ends and the centre, in closed form.

Which segments bend, and to which side, is decided as OpenSim's WrapSphere decides. Its path is the shortest one. Where the
side that the path must pass sends it the long way around, OpenSim 4.6 counts the arc as negative, which makes the muscle too
short by twice the arc; `literal` repeats that.
"""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Bool

from monomsk.physics.bend import (
    CROSSES,
    INSIDE,
    MISSES,
    WRAPPED,
    Bend,
    Point,
    Scalar,
    choose3,
    cross,
    dot,
    extra_length,
    minus,
    norm,
    plus,
    times,
    unit,
)


class Sphere(NamedTuple):
    """One use of a sphere by a path; see `model.muscles.Wraps`."""

    radius: Scalar
    side: Point
    literal: Bool[Array, "*batch"]
    """Whether OpenSim's sign of a long arc is repeated."""


def wrap_segment(p1: Point, p2: Point, sphere: Sphere) -> Bend:
    """Bend the segments p1 p2 around the sphere."""
    radius, side = sphere.radius, sphere.side
    inside = (dot(p1, p1) < radius**2) | (dot(p2, p2) < radius**2)
    # A harmless stand-in keeps values and gradients finite where there is nothing to compute.
    zero = jnp.zeros_like(radius)
    p1, p2 = choose3(inside, (3.0 * radius, zero, zero), p1), choose3(inside, (-3.0 * radius, radius, radius), p2)
    along = minus(p2, p1)
    squared = jnp.maximum(dot(along, along), 1e-30)
    t = -dot(p1, along) / squared
    nearest = plus(p1, along, t)
    gap = radius**2 - dot(nearest, nearest)
    half = jnp.sqrt(jnp.maximum(gap, 0.0) / squared)
    crosses = (gap >= 0.0) & (t - half > 0.0) & (t + half < 1.0)
    on1, on2 = dot(side, p1) >= 0.0, dot(side, p2) >= 0.0
    constrained = jnp.abs(side[0]) + jnp.abs(side[1]) + jnp.abs(side[2]) > 0.0
    normal = unit(cross(p1, p2))
    (a1, b1), (a2, b2) = _tangent_points(p1, normal, radius), _tangent_points(p2, normal, radius)
    # With a side to keep to: the points farther from the ends, unless they lead to the other side.
    outward = times(plus(p1, p2), -1.0)
    first, second = dot(a1, outward) > dot(b1, outward), dot(a2, outward) > dot(b2, outward)
    leaving = minus(plus(choose3(first, a1, b1), choose3(second, a2, b2)), plus(p1, p2))
    flip = dot(side, leaving) < 0.0
    bound = constrained & ~(on1 & on2)
    r1 = choose3(jnp.where(bound, first != flip, True), a1, b1)
    r2 = choose3(jnp.where(bound, second != flip, False), a2, b2)
    long_way = bound & (dot(plus(r1, r2), minus(plus(r1, r2), plus(p1, p2))) < 0.0)
    turn = jnp.arctan2(norm(cross(r1, r2)), dot(r1, r2))
    long_turn = jnp.where(sphere.literal, turn - 2.0 * jnp.pi, 2.0 * jnp.pi - turn)
    arc = radius * jnp.where(long_way, long_turn, turn)
    bends = jnp.where(constrained & (on1 | on2), CROSSES, WRAPPED)
    status = jnp.where(inside, INSIDE, jnp.where(crosses, bends, MISSES))
    return Bend(status, r1, r2, arc, extra_length(p1, r1, arc, r2, p2))


def _tangent_points(p: Point, normal: Point, radius: Scalar) -> tuple[Point, Point]:
    """Where the tangents through p in the plane touch the sphere: turned forwards and backwards about the normal."""
    squared = dot(p, p)
    toward = times(p, radius**2 / squared)
    across = times(cross(normal, p), radius * jnp.sqrt(jnp.maximum(squared - radius**2, 1e-24)) / squared)
    return plus(toward, across), minus(toward, across)
