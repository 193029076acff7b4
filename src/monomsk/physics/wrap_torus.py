"""A line that bends around a torus, by way of a cylinder that touches it: OpenSim's WrapTorus.

The torus is a tube (inner radius) around a ring (outer radius) about z. OpenSim looks for the place where the line passes the
ring and lays the line over the tube as if that were straight there. It means to take the point of the line nearest to the ring,
but the derivative that it brings to zero counts the ring's radius twice, so that the place is the nearest to a ring twice as
wide. That is repeated here, since the numbers that users compare rest on it.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool

from monomsk.physics import wrap_cylinder
from monomsk.physics.bend import CROSSES, MISSES, WRAPPED, Bend, Point, Scalar, choose3, dot, minus, norm, plus, times, unit
from monomsk.physics.wrap_cylinder import Cylinder

_STEPS = 30
_LONGEST_STEP = 0.1
"""Of the search along the line [m]; OpenSim's solver starts with such a limit, which decides between several places."""
_LONG = 5000.0


class Torus(NamedTuple):
    """One use of a torus by a path; see `model.muscles.Wraps`."""

    tube: Scalar
    ring: Scalar
    side: Point
    shortest: Bool[Array, "*batch"]


def wrap_segment(p1: Point, p2: Point, torus: Torus) -> Bend:
    """Bend the segments p1 p2 around the torus."""
    a, b = _passing(p1, p2, torus.ring), _passing(p2, p1, torus.ring)
    nearer = _distance(a, torus.ring) < _distance(b, torus.ring)
    constrained = jnp.abs(torus.side[0]) + jnp.abs(torus.side[1]) + jnp.abs(torus.side[2]) > 0.0
    on_a, on_b = dot(torus.side, a) >= 0.0, dot(torus.side, b) >= 0.0
    take_a = jnp.where(constrained & (on_a != on_b), on_a, nearer)
    place = choose3(take_a, a, b)
    zero = jnp.zeros_like(place[0])
    outward = unit((place[0], place[1], zero))
    middle = times(outward, torus.ring)
    # Axes of the stand-in: x to the middle of the ring, y against the ring's axis, z along the tube.
    along = (outward[1], -outward[0], zero)

    def enter(p: Point) -> Point:
        q = minus(p, middle)
        return -dot(outward, q), -q[2], dot(along, q)

    def leave(q: Point) -> Point:
        return plus(plus(middle, outward, -q[0]), (along[0] * q[2], along[1] * q[2], -q[1]))

    inward = (zero + 1.0, zero, zero)
    bend = wrap_cylinder.wrap_segment(enter(p1), enter(p2), Cylinder(torus.tube, zero + _LONG, inward, torus.shortest))
    off = constrained & ~on_a & ~on_b
    status = jnp.where(bend.status == CROSSES, WRAPPED, bend.status)
    return Bend(jnp.where(off, MISSES, status), leave(bend.start), leave(bend.end), bend.arc, bend.detour)


def _distance(p: Point, ring: Scalar) -> Scalar:
    """From a point to the ring, squared."""
    return (norm((p[0], p[1], jnp.zeros_like(p[0]))) - ring) ** 2 + p[2] ** 2


def _passing(p: Point, other: Point, ring: Scalar) -> Point:
    """Where the line from p to the other end passes nearest to a ring twice as wide, looked for from p."""
    direction = unit(minus(other, p))
    across = direction[0] ** 2 + direction[1] ** 2

    def miss(u: Scalar, p: Point, direction: Point, across: Scalar) -> tuple[Scalar, Scalar]:
        x, y = p[0] + u * direction[0], p[1] + u * direction[1]
        axial = jnp.maximum(x**2 + y**2, 1e-24)
        inverse = jax.lax.rsqrt(axial)
        outward = (x * direction[0] + y * direction[1]) * inverse
        value = dot(p, direction) + u - 2.0 * ring * outward
        return value, 1.0 - 2.0 * ring * (across - outward**2) * inverse

    held = jax.lax.stop_gradient((p, direction, across))
    u = jnp.zeros_like(across)
    for _ in range(_STEPS):
        value, slope = miss(u, *held)
        step = -value / jnp.where(jnp.abs(slope) > 1e-9, slope, 1e-9)
        u = u + jnp.clip(step, -_LONGEST_STEP, _LONGEST_STEP)
    value, _ = miss(u, p, direction, across)
    _, slope = miss(u, *held)
    u = u - value / jnp.where(jnp.abs(slope) > 1e-9, slope, 1e-9)
    return plus(p, direction, u)
