"""A line that bends around a torus, by way of a cylinder that touches it: OpenSim's WrapTorus.

The torus is a tube (inner radius) around a ring (outer radius) about z. OpenSim looks for the place where the line passes the
ring and lays the line over the tube as if that were straight there. It means to take the point of the line nearest to the ring,
but the derivative that it brings to zero counts the ring's radius twice, so that the place is the nearest to a ring twice as
wide; and its solver stops where the derivative is least, which near the middle of the ring is not where it is zero. Both are
repeated here, since the path depends on them: the search is Levenberg's with a bounded step (Moré 1978), for one unknown.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool

from monomsk.physics import wrap_cylinder
from monomsk.physics.bend import CROSSES, MISSES, WRAPPED, Bend, Point, Scalar, choose3, dot, minus, norm, plus, times, unit
from monomsk.physics.wrap_cylinder import Cylinder

_STEPS = 40
"""Most steps of the search; nearly all end within ten."""
_TOLERANCE = 1e-4
"""Of the search, relative."""
_FIRST_STEP = 0.2
"""Bound of the first step, in units of the derivative."""
_LONG = 5000.0


class Torus(NamedTuple):
    """One use of a torus by a path; see `model.muscles.Wraps`."""

    tube: Scalar
    ring: Scalar
    side: Point
    shortest: Bool[Array, "*batch"]
    literal: Bool[Array, "*batch"] | bool
    slides: bool = False
    """As of the cylinder."""


def wrap_segment(p1: Point, p2: Point, torus: Torus) -> Bend:
    """Bend the segments p1 p2 around the torus."""
    both = tuple(jnp.stack([u, v]) for u, v in zip(p1, p2, strict=True))
    turned = tuple(v[::-1] for v in both)
    found = _passing((both[0], both[1], both[2]), (turned[0], turned[1], turned[2]), torus.ring)
    a, b = (found[0][0], found[1][0], found[2][0]), (found[0][1], found[1][1], found[2][1])
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
    tube = Cylinder(torus.tube, zero + _LONG, inward, torus.shortest, torus.literal, torus.slides)
    bend = wrap_cylinder.wrap_segment(enter(p1), enter(p2), tube)
    off = constrained & ~on_a & ~on_b
    status = jnp.where(bend.status == CROSSES, WRAPPED, bend.status)
    return Bend(jnp.where(off, MISSES, status), leave(bend.start), leave(bend.end), bend.arc, bend.detour)


def _distance(p: Point, ring: Scalar) -> Scalar:
    """From a point to the ring, squared."""
    return (norm((p[0], p[1], jnp.zeros_like(p[0]))) - ring) ** 2 + p[2] ** 2


def _passing(p: Point, other: Point, ring: Scalar) -> Point:
    """Where the line from p to the other end passes nearest to a ring twice as wide, looked for from p."""
    direction = unit(minus(other, p))
    u = _search(*jax.lax.stop_gradient((p, direction, ring)))
    value, slope = _miss(u, p, direction, ring)
    value_at_rest, slope = jax.lax.stop_gradient((value, slope))
    # The derivative of a root, by the implicit function theorem; the value is left as the search made it.
    return plus(p, direction, u - (value - value_at_rest) / jnp.where(jnp.abs(slope) > 1e-9, slope, 1e-9))


def _miss(u: Scalar, p: Point, direction: Point, ring: Scalar) -> tuple[Scalar, Scalar]:
    """What OpenSim brings to zero, and its slope, at a distance u from p along the line."""
    x, y = p[0] + u * direction[0], p[1] + u * direction[1]
    inverse = jax.lax.rsqrt(jnp.maximum(x**2 + y**2, 1e-24))
    outward = (x * direction[0] + y * direction[1]) * inverse
    across = direction[0] ** 2 + direction[1] ** 2
    return 2.0 * (dot(p, direction) + u - 2.0 * ring * outward), 2.0 - 4.0 * ring * (across - outward**2) * inverse


class _Search(NamedTuple):
    u: Scalar
    bound: Scalar
    damping: Scalar
    scale: Scalar
    done: Bool[Array, "*batch"]


def _search(p: Point, direction: Point, ring: Scalar) -> Scalar:
    start = jnp.zeros_like(p[0])
    _, slope = _miss(start, p, direction, ring)
    scale = jnp.where(slope == 0.0, 1.0, jnp.abs(slope))
    state = _Search(start, jnp.full_like(start, _FIRST_STEP), start, scale, jnp.zeros_like(start, bool))

    def step(i: Array, state: _Search) -> _Search:
        value, slope = _miss(state.u, p, direction, ring)
        moved = _stepped(state, value, slope, i == 0, lambda u: _miss(u, p, direction, ring)[0])
        return _Search(*(jnp.where(state.done, old, new) for old, new in zip(state, moved, strict=True)))

    return jax.lax.fori_loop(0, _STEPS, step, state).u


def _stepped(state: _Search, value: Scalar, slope: Scalar, first: Array, at: Callable[[Scalar], Scalar]) -> _Search:
    """One step of Moré's (1978) method for one equation of one unknown, for which the damping has a closed form."""
    size = jnp.maximum(jnp.abs(value), 1e-300)
    scale = jnp.maximum(state.scale, jnp.abs(slope))
    steep = jnp.where(slope == 0.0, 1e-300, slope)
    full = scale * jnp.abs(value / steep)
    exact = jnp.maximum(full / state.bound - 1.0, 0.0) * (steep / scale) ** 2
    kept = jnp.minimum(jnp.maximum(state.damping, exact), jnp.abs(steep) * size / scale / state.bound)
    reach = scale * jnp.abs(steep * value) / (steep**2 + kept * scale**2)
    damping = jnp.where(full <= 1.1 * state.bound, 0.0, jnp.where(jnp.abs(reach - state.bound) <= 0.1 * state.bound, kept, exact))
    move = -steep * value / (steep**2 + damping * scale**2)
    length = scale * jnp.abs(move)
    bound = jnp.where(first, jnp.minimum(state.bound, length), state.bound)
    new = jnp.abs(at(state.u + move))
    won = jnp.where(0.1 * new < size, 1.0 - (new / size) ** 2, -1.0)
    linear, damped = (steep * move / size) ** 2, damping * (length / size) ** 2
    hoped = linear + 2.0 * damped
    ratio = jnp.where(hoped == 0.0, 0.0, won / jnp.where(hoped == 0.0, 1.0, hoped))
    falling = -(linear + damped)
    less = jnp.where(won >= 0.0, 0.5, 0.5 * falling / (falling + 0.5 * won))
    less = jnp.where((0.1 * new >= size) | (less < 0.1), 0.1, less)
    poor, good = ratio <= 0.25, (damping == 0.0) | (ratio >= 0.75)
    bound = jnp.where(poor, less * jnp.minimum(bound, length / 0.1), jnp.where(good, length / 0.5, bound))
    damping = jnp.where(poor, damping / less, jnp.where(good, 0.5 * damping, damping))
    u = jnp.where(ratio >= 1e-4, state.u + move, state.u)
    still = (jnp.abs(won) <= _TOLERANCE) & (hoped <= _TOLERANCE) & (ratio <= 2.0)
    done = still | (bound <= _TOLERANCE * scale * jnp.abs(u)) | (value == 0.0)
    return _Search(u, bound, damping, scale, done)
