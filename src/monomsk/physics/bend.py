"""What a wrap surface makes of one straight segment of a path, whatever the surface, and small algebra that the surfaces share.

Points are three scalars and not one array, so that XLA fuses the geometry of a surface into one loop.
"""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

MISSES, INSIDE, WRAPPED, CROSSES = 0, 1, 2, 3
"""How a segment meets the surface: not at all; an end lies inside; it bends around; it would pierce the surface."""

Scalar = Float[Array, "*batch"]
Point = tuple[Scalar, Scalar, Scalar]
"""x, y, z in the surface's frame [m]."""
Flat = tuple[Scalar, Scalar]


class Bend(NamedTuple):
    """A segment's path over a surface, in the surface's frame. Where nothing bends the numbers mean nothing, but are finite."""

    status: Int[Array, "*batch"]
    start: Point
    """Where the path meets the surface."""
    end: Point
    """Where it leaves the surface."""
    arc: Scalar
    """Length on the surface [m]."""
    detour: Scalar
    """How much longer the bent path is than the straight segment [m]."""


def choose3(condition: Bool[Array, "*batch"], a: Point, b: Point) -> Point:
    """a where the condition holds, else b."""
    return jnp.where(condition, a[0], b[0]), jnp.where(condition, a[1], b[1]), jnp.where(condition, a[2], b[2])


def root(squared: Scalar) -> Scalar:
    """Square root with a finite derivative at zero."""
    return jnp.sqrt(jnp.maximum(squared, 1e-30))


def dot(a: Point, b: Point) -> Scalar:
    """a · b."""
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def cross(a: Point, b: Point) -> Point:
    """a × b."""
    return a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]


def plus(a: Point, b: Point, gain: Scalar | float = 1.0) -> Point:
    """a + gain b."""
    return a[0] + gain * b[0], a[1] + gain * b[1], a[2] + gain * b[2]


def minus(a: Point, b: Point) -> Point:
    """a − b."""
    return a[0] - b[0], a[1] - b[1], a[2] - b[2]


def times(a: Point, gain: Scalar | float) -> Point:
    """gain a."""
    return a[0] * gain, a[1] * gain, a[2] * gain


def norm(a: Point) -> Scalar:
    """Length of a vector."""
    return root(dot(a, a))


def unit(a: Point) -> Point:
    """The vector over its length; zero stays zero."""
    return times(a, 1.0 / norm(a))


def extra_length(p1: Point, r1: Point, arc: Scalar, r2: Point, p2: Point) -> Scalar:
    """How much longer the path p1 r1 (arc) r2 p2 is than the straight p1 p2."""
    return norm(minus(r1, p1)) + arc + norm(minus(p2, r2)) - norm(minus(p2, p1))
