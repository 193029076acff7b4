"""A line that bends around a cylinder: whether it does, where it touches, and how long it is, in closed form.

Which segments bend, and to which side, is decided as OpenSim's WrapCylinder decides. Unrolled, the surface is flat and the
shortest path a straight line, so the heights of the tangent points need no iteration. OpenSim 4.6 slides them towards it only
for muscles with several wraps, and stops at a tenth of a degree (`slides`); for a lone wrap it leaves them in the plane through
both ends and the cylinder's near edge, which is up to 0.4 mm longer. All are offered. Where the side to pass makes the arc
longer than half a turn and it runs counterclockwise about z, OpenSim 4.6 takes the angle with the wrong sign and so counts a
turn too many; `literal` repeats that. All is elementwise on scalars, which XLA fuses into one loop.
"""

import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Int

from monomsk.physics.bend import CROSSES, INSIDE, MISSES, WRAPPED, Bend, Flat, Point, Scalar, choose3, minus, norm, root

_PIECE, _TANGENCY, _OVERSHOOT, _MOST_SLIDES = 0.002, math.radians(0.1), 1.5, 100
"""OpenSim's pieces of an arc [m], its limit of a difference in steepness [rad], how far it slides, and how often at most."""


class Cylinder(NamedTuple):
    """One use of a cylinder by a path; see `model.muscles.Wraps`."""

    radius: Scalar
    half_length: Scalar
    side: Point
    shortest: Bool[Array, "*batch"]
    literal: Bool[Array, "*batch"] | bool = False
    """Whether OpenSim's angle of an arc of more than half a turn is repeated."""
    slides: bool = False
    """Whether OpenSim's search for the shortest path is repeated, which ends before it is there."""


def wrap_segment(p1: Point, p2: Point, cylinder: Cylinder) -> Bend:
    """Bend the segments p1 p2 around the cylinder.

    Where `status` is neither WRAPPED nor CROSSES the other results mean nothing; they and their gradients stay finite.
    """
    radius = cylinder.radius
    inside = (p1[0] ** 2 + p1[1] ** 2 < radius**2) | (p2[0] ** 2 + p2[1] ** 2 < radius**2)
    # A harmless stand-in keeps values and gradients finite where there is nothing to compute.
    p1, p2 = choose3(inside, (3.0 * radius, 0.0 * radius, 0.0 * radius), p1), choose3(inside, (-3.0 * radius, radius, radius), p2)
    r1, r2, far_side, long_way = _tangent_points(p1, p2, cylinder)
    signed = jnp.arctan2(r1[0] * r2[1] - r1[1] * r2[0], _dot(r1, r2))
    turn = jnp.abs(signed)
    arc = radius * jnp.where(long_way, 2.0 * jnp.pi - jnp.where(cylinder.literal, signed, turn), turn)
    h1, h2 = _plane_heights(p1, p2, r1, r2, radius, far_side)
    d1, d2 = root((r1[0] - p1[0]) ** 2 + (r1[1] - p1[1]) ** 2), root((r2[0] - p2[0]) ** 2 + (r2[1] - p2[1]) ** 2)
    rise = (p2[2] - p1[2]) / (d1 + arc + d2)
    if cylinder.slides:
        z1, z2 = _slid(p1, p2, (*r1, h1), (*r2, h2), jnp.where(long_way, signed - 2.0 * jnp.pi, signed), arc)
    else:
        z1 = jnp.where(cylinder.shortest, p1[2] + rise * d1, h1)
        z2 = jnp.where(cylinder.shortest, p1[2] + rise * (d1 + arc), h2)
    beyond = (jnp.abs(h1) > cylinder.half_length) & (jnp.abs(h2) > cylinder.half_length)
    status = jnp.where(inside, INSIDE, jnp.where(beyond, MISSES, _contact(p1, p2, cylinder)))
    length = root(arc**2 + (z2 - z1) ** 2)
    straight = root((p2[0] - p1[0]) ** 2 + (p2[1] - p1[1]) ** 2 + (p2[2] - p1[2]) ** 2)
    detour = root(d1**2 + (z1 - p1[2]) ** 2) + length + root(d2**2 + (p2[2] - z2) ** 2) - straight
    return Bend(status, (*r1, z1), (*r2, z2), length, detour)


def _dot(a: Flat, b: Flat) -> Scalar:
    return a[0] * b[0] + a[1] * b[1]


def _on_side(x: Scalar, y: Scalar, z: Scalar, cylinder: Cylinder) -> Bool[Array, "*batch"]:
    return cylinder.side[0] * x + cylinder.side[1] * y + cylinder.side[2] * z >= 0.0


def _constrained(cylinder: Cylinder) -> Bool[Array, "*batch"]:
    return jnp.abs(cylinder.side[0]) + jnp.abs(cylinder.side[1]) + jnp.abs(cylinder.side[2]) > 0.0


def _contact(p1: Point, p2: Point, cylinder: Cylinder) -> Int[Array, "*batch"]:
    """Whether the segment must, may or need not bend."""
    dx, dy, dz = p2[0] - p1[0], p2[1] - p1[1], p2[2] - p1[2]
    flat = dx**2 + dy**2
    parallel = flat < 1e-7 * (flat + dz**2) + 1e-30
    t = -(p1[0] * dx + p1[1] * dy) / jnp.where(parallel, 1.0, flat)
    x, y, z = p1[0] + t * dx, p1[1] + t * dy, p1[2] + t * dz
    crosses = ~parallel & (x**2 + y**2 < cylinder.radius**2) & (t > 0.0) & (t < 1.0)
    on1, on2 = _on_side(*p1, cylinder), _on_side(*p2, cylinder)
    bends = (~on1 & ~on2) | ((on1 != on2) & ~_on_side(x, y, z, cylinder) & ~parallel)
    constrained = _constrained(cylinder)
    must = crosses & (~constrained | on1 | on2)
    return jnp.where(must, CROSSES, jnp.where(constrained & bends, WRAPPED, MISSES))


def _candidates(p: Point, radius: Scalar) -> tuple[Flat, Flat]:
    """The two points of the circle whose tangents pass through p."""
    squared = p[0] ** 2 + p[1] ** 2
    toward = radius**2 / squared
    across = radius * jnp.sqrt(jnp.maximum(squared - radius**2, 1e-24)) / squared
    x, y = toward * p[0], toward * p[1]
    return (x - across * p[1], y + across * p[0]), (x + across * p[1], y - across * p[0])


def _tangent_points(p1: Point, p2: Point, cylinder: Cylinder) -> tuple[Flat, Flat, Bool[Array, "*batch"], Bool[Array, "*batch"]]:
    """Tangent points in the plane across the axis, whether they lie on the far side, and whether the arc is the long one."""
    a1, b1 = _candidates(p1, cylinder.radius)
    a2, b2 = _candidates(p2, cylinder.radius)
    aa, ab, ba, bb = _dot(a1, a2), _dot(a1, b2), _dot(b1, a2), _dot(b1, b2)
    # Without a constraint: the pair with the smallest angle between them.
    free_aa = (aa > ab) & (aa > ba) & (aa > bb)
    free_ab = (ab > ba) & (ab > bb)
    free_a1, free_a2 = free_aa | free_ab, free_aa | (~free_ab & (ba > bb))
    # With one: the pair whose points are on the wanted side; the wider pair when that does not decide.
    on_a1, on_b1 = _on_side(*a1, p1[2], cylinder), _on_side(*b1, p1[2], cylinder)
    on_a2, on_b2 = _on_side(*a2, p2[2], cylinder), _on_side(*b2, p2[2], cylinder)
    wider = ab < ba
    take_ab = jnp.where(on_a1 != on_b1, on_a1, ~on_a2 & (on_a1 | on_b2 | wider))
    constrained = _constrained(cylinder)
    first, second = jnp.where(constrained, take_ab, free_a1), jnp.where(constrained, ~take_ab, free_a2)
    r1 = jnp.where(first, a1[0], b1[0]), jnp.where(first, a1[1], b1[1])
    r2 = jnp.where(second, a2[0], b2[0]), jnp.where(second, a2[1], b2[1])
    outward = _dot((r1[0] + r2[0], r1[1] + r2[1]), (r1[0] - p1[0] + r2[0] - p2[0], r1[1] - p1[1] + r2[1] - p2[1]))
    return r1, r2, constrained & (wider == take_ab), constrained & (outward < 0.0)


def _plane_heights(p1: Point, p2: Point, r1: Flat, r2: Flat, radius: Scalar, far_side: Bool[Array, "*batch"]) -> tuple[Scalar, Scalar]:
    """Heights of the tangent points in the plane through p1, p2 and the edge of the cylinder nearest their line."""
    d1, d2 = root(p1[0] ** 2 + p1[1] ** 2), root(p2[0] ** 2 + p2[1] ** 2)
    t = d1 / (d1 + d2)
    mx, my, mz = (p1[i] + t * (p2[i] - p1[i]) for i in range(3))
    z1, z2 = p1[2] - mz, p2[2] - mz
    # Across the cylinder's axis, in the plane of p1, p2 and the axis point level with their middle.
    ex, ey = p1[0] * z2 - z1 * p2[0], p1[1] * z2 - z1 * p2[1]
    size = radius / root(ex**2 + ey**2)
    size = jnp.where((ex * mx + ey * my > 0.0) != far_side, size, -size)
    ux, uy, vx, vy = p1[0] - size * ex, p1[1] - size * ey, p2[0] - size * ex, p2[1] - size * ey
    nx, ny, nz = uy * z2 - z1 * vy, z1 * vx - ux * z2, ux * vy - uy * vx
    flat = nz**2 < 2.5e-13 * (nx**2 + ny**2 + nz**2) + 1e-60
    steep = jnp.where(flat, 1.0, nz)
    h1 = p1[2] - ((r1[0] - p1[0]) * nx + (r1[1] - p1[1]) * ny) / steep
    h2 = p2[2] - ((r2[0] - p2[0]) * nx + (r2[1] - p2[1]) * ny) / steep
    span = jnp.abs(p1[2] - p2[2])
    return jnp.where(~flat & (jnp.abs(h1 - p2[2]) < span), h1, p1[2]), jnp.where(~flat & (jnp.abs(h2 - p1[2]) < span), h2, p2[2])


def _slid(p1: Point, p2: Point, r1: Point, r2: Point, turn: Scalar, arc: Scalar) -> tuple[Scalar, Scalar]:
    """Heights of the tangent points when OpenSim 4.6 has slid them, in turn, until the straight pieces and the first 2 mm of the arc
    are equally steep. The second is slid towards an arc that starts at the new first point and rises as it did from the old one."""
    state = r1[2], r2[2], jnp.zeros_like(arc, bool)

    def step(i: Array, state: tuple[Scalar, Scalar, Scalar]) -> tuple[Scalar, Scalar, Scalar]:
        z1, z2, done = state
        rise = z2 - z1
        pieces = jnp.maximum(jnp.floor(root(arc**2 + rise**2) / _PIECE), 1.0)
        near, far = 1.0 / pieces, 1.0 - 1.0 / pieces
        new1, moved1 = _slide(p1, (r1[0], r1[1], z1), (*_turned(r1, near * turn), z1 + near * rise))
        new2, moved2 = _slide(p2, (r2[0], r2[1], z2), (*_turned(r1, far * turn), new1 + far * rise))
        done = done | (pieces < 2.0) | ~(moved1 | moved2)
        return jnp.where(done, z1, new1), jnp.where(done, z2, new2), done

    return jax.lax.fori_loop(0, _MOST_SLIDES, step, state)[:2]


def _turned(r: Point, angle: Scalar) -> Flat:
    cosine, sine = jnp.cos(angle), jnp.sin(angle)
    return r[0] * cosine - r[1] * sine, r[0] * sine + r[1] * cosine


def _slide(p: Point, r: Point, w: Point) -> tuple[Scalar, Bool[Array, "*batch"]]:
    """Height of the tangent point r of the line from p after a slide towards the line from p to w, the next point on the surface."""
    before, after, whole = minus(r, p), minus(w, r), minus(w, p)
    steepness = (jnp.arccos(jnp.clip(v[2] / norm(v), -1.0, 1.0)) for v in (before, after))
    off = jnp.abs(next(steepness) - next(steepness)) > _TANGENCY
    share = (before[0] * whole[0] + before[1] * whole[1]) / jnp.maximum(whole[0] ** 2 + whole[1] ** 2, 1e-30)
    return jnp.where(off, r[2] + _OVERSHOOT * (p[2] + share * whole[2] - r[2]), r[2]), off
