"""A line that bends around an ellipsoid, in a plane through both ends: OpenSim's WrapEllipsoid.

The shortest path over an ellipsoid lies in no plane and has no closed form. OpenSim takes the section of the surface with a
plane through both ends and a third point, found by one of three methods (PathWrap):
midpoint – the point of the surface nearest to the middle of the stretch of line inside;
axial – the line is cut where it crosses the ellipsoid's plane of symmetry most square to it, and the nearest point is sought
in that plane; hybrid – that where the line is nearly along an axis, a mean over the whole stretch (a fan) where it is not, and
a blend between.
All of it is repeated here. In the section, tangent points are found in closed form: scaled to a unit sphere the section is a
circle, and tangents stay tangents. The arc is integrated by Gauss's rule; OpenSim adds chords of 1 mm and looks for the tangent
points to a part in 10 000. Nearest points need an iteration, whose last step carries the derivative (implicit functions).
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from monomsk.physics.bend import (
    CROSSES,
    INSIDE,
    MISSES,
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

HYBRID, MIDPOINT, AXIAL = 0, 1, 2
_LEAST_BLEND, _MOST_BLEND = 0.7073, 0.9
"""Cosines between the line and the nearest axis between which the hybrid method blends."""
_END_BLEND = 0.3
"""Share of the stretch at either end over which the axial cut fades out."""
_FAN = 300
"""Intervals of the fan, of which OpenSim leaves out both ends and the last but one."""
_NEWTON = 5
_ON_A_PLANE = 2e-13
_NODES = (
    (0.0950125098376374, 0.1894506104550685),
    (0.2816035507792589, 0.1826034150449236),
    (0.4580167776572274, 0.1691565193950025),
    (0.6178762444026438, 0.1495959888165767),
    (0.7554044083550030, 0.1246289712555339),
    (0.8656312023878318, 0.0951585116824928),
    (0.9445750230732326, 0.0622535239386479),
    (0.9894009349916499, 0.0271524594117541),
)
"""Positive half of Gauss's 16 nodes and weights on −1 … 1."""
_Counted = tuple[Bool[Array, "*batch"], Bool[Array, "*batch"], Bool[Array, "*batch"]]


class Ellipsoid(NamedTuple):
    """One use of an ellipsoid by a path; see `model.muscles.Wraps`."""

    radii: Point
    side: Point
    method: Int[Array, "*batch"]


def wrap_segment(p1: Point, p2: Point, ellipsoid: Ellipsoid) -> Bend:
    """Bend the segments p1 p2 around the ellipsoid."""
    size = (ellipsoid.radii[0] + ellipsoid.radii[1] + ellipsoid.radii[2]) / 3.0
    # OpenSim's numbers (a fan of unit vectors, for one) belong to an ellipsoid of mean radius 1.
    a = times(ellipsoid.radii, 1.0 / size)
    p1, p2 = times(p1, 1.0 / size), times(p2, 1.0 / size)
    inside = (_depth(p1, a) > 1e-4) | (_depth(p2, a) > 1e-4)
    zero = jnp.zeros_like(size)
    # A harmless stand-in keeps values and gradients finite where there is nothing to compute.
    p1 = choose3(inside, (3.0 * a[0], 0.1 * a[1], zero), p1)
    p2 = choose3(inside, (-3.0 * a[0], 0.2 * a[1], 0.3 * a[2]), p2)
    crosses, enter, leave = _stretch(p1, p2, a)
    crosses = crosses & (jnp.abs(dot(unit(p1), unit(p2)) - 1.0) >= 1e-4)
    p1 = choose3(crosses, p1, (3.0 * a[0], 0.1 * a[1], zero))
    p2 = choose3(crosses, p2, (-3.0 * a[0], 0.2 * a[1], 0.3 * a[2]))
    enter = choose3(crosses, enter, (a[0], zero, zero))
    leave = choose3(crosses, leave, (-a[0], 0.2 * a[1], zero))
    top, start1, start2 = _third_point(p1, p2, enter, leave, a, ellipsoid)
    r1, r2, arc = _section(p1, p2, (top, start1, start2), a, ellipsoid.side, size)
    status = jnp.where(inside, INSIDE, jnp.where(crosses, CROSSES, MISSES))
    detour = extra_length(p1, r1, arc, r2, p2) * size
    return Bend(status, times(r1, size), times(r2, size), arc * size, detour)


def _depth(p: Point, a: Point) -> Scalar:
    return 1.0 - (p[0] / a[0]) ** 2 - (p[1] / a[1]) ** 2 - (p[2] / a[2]) ** 2


def _over(p: Point, a: Point) -> Point:
    return p[0] / a[0], p[1] / a[1], p[2] / a[2]


def _stretch(p1: Point, p2: Point, a: Point) -> tuple[Bool[Array, "*batch"], Point, Point]:
    """Whether the segment pierces the ellipsoid, and where it enters and leaves."""
    u, v = _over(p1, a), _over(minus(p2, p1), a)
    squared = jnp.maximum(dot(v, v), 1e-30)
    middle = -dot(u, v) / squared
    nearest = plus(u, v, middle)
    gap = 1.0 - dot(nearest, nearest)
    half = jnp.sqrt(jnp.maximum(gap, 1e-24) / squared)
    first, last = middle - half, middle + half
    crosses = (gap >= 0.0) & (first > 0.0) & (last < 1.0)
    along = minus(p2, p1)
    return crosses, plus(p1, along, first), plus(p1, along, last)


def _nearest(p: Point, a: Point, counted: _Counted) -> Point:
    """The point of the ellipsoid nearest to p, in the section where the coordinates that do not count keep their values.

    The largest root t of Σ (aᵢ pᵢ / (t + aᵢ²))² = 1 (Eberly 1994). From the left, Newton's steps on the inverse root of the
    sum cannot overshoot; the start below is within a factor of three of the sum.
    """
    used = [jnp.abs(p[i]) > _ON_A_PLANE for i in range(3)]
    used = [used[i] & counted[i] for i in range(3)]
    held = [jax.lax.stop_gradient(jnp.abs(p[i])) for i in range(3)]
    fixed = [jax.lax.stop_gradient(a[i]) for i in range(3)]
    low = [jnp.where(used[i], fixed[i] * held[i] - fixed[i] ** 2, -1e9) for i in range(3)]
    t = jnp.maximum(jnp.maximum(low[0], low[1]), low[2])
    t = jnp.where(t < -1e8, 0.0, t)

    def step(_: Array, t: Scalar) -> Scalar:
        total, slope = _sum(t, held, fixed, used)
        return t + 2.0 * total * (jnp.sqrt(total) - 1.0) / slope

    t = jax.lax.fori_loop(0, _NEWTON, step, t)
    _, slope = _sum(t, held, fixed, used)
    total, _ = _sum(t, list(p), list(a), used)
    t = t + (total - 1.0) / slope
    scaled = [a[i] ** 2 * p[i] / jnp.where(used[i], t + a[i] ** 2, 1.0) for i in range(3)]
    return tuple(jnp.where(used[i], scaled[i], p[i]) for i in range(3))  # pyright: ignore[reportReturnType]


def _sum(t: Scalar, p: list[Scalar], a: list[Scalar], used: list[Bool[Array, "*batch"]]) -> tuple[Scalar, Scalar]:
    """Σ (aᵢ pᵢ / (t + aᵢ²))² and minus its derivative."""
    total, slope = jnp.zeros_like(t), jnp.zeros_like(t)
    for i in range(3):
        inverse = jnp.where(used[i], 1.0 / jnp.where(used[i], t + a[i] ** 2, 1.0), 0.0)
        term = (a[i] * p[i] * inverse) ** 2
        total, slope = total + term, slope + 2.0 * term * inverse
    return total, jnp.where(slope > 0.0, slope, 1.0)


def _third_point(p1: Point, p2: Point, enter: Point, leave: Point, a: Point, ellipsoid: Ellipsoid) -> tuple[Point, Point, Point]:
    """The point that fixes the plane, and from where either tangent point is sought."""
    method = ellipsoid.method
    yes = jnp.array(True)
    stretch, every = minus(leave, enter), (yes, yes, yes)
    middle = plus(enter, stretch, 0.5)
    cosine, at, in_plane = _axial(p1, p2, enter, stretch, a)
    fade = jnp.clip(jnp.minimum(at, 1.0 - at) / _END_BLEND, 0.0, 1.0)
    cosine = jnp.where(cosine > _LEAST_BLEND, _LEAST_BLEND + fade * (cosine - _LEAST_BLEND), cosine)
    share = jnp.clip((cosine - _LEAST_BLEND) / (_MOST_BLEND - _LEAST_BLEND), 0.0, 1.0)
    # Each method's point goes through the same last search of a nearest point, which leaves a point of the surface alone.
    fanned = _nearest(plus(middle, _fan(enter, stretch, a)), a, every)
    mixed = choose3(share >= 1.0, in_plane, choose3(share <= 0.0, fanned, plus(times(in_plane, share), fanned, 1.0 - share)))
    before = choose3(method == HYBRID, mixed, choose3(method == MIDPOINT, middle, in_plane))
    top = choose3((method == AXIAL) | ((method == HYBRID) & ((share >= 1.0) | (share <= 0.0))), before, _nearest(before, a, every))
    from_line = (method == AXIAL) & ~((at > 0.0) & (at < 1.0))
    start1, start2 = choose3(from_line, enter, top), choose3(from_line, leave, top)
    # On the wrong side: mirrored, and drawn back to the plane between the sides as far as the fan had a say.
    side = ellipsoid.side
    wrong = dot(side, top) < 0.0
    mirrored = plus(top, side, -2.0 * dot(side, top))
    say = jnp.where(method == HYBRID, 1.0 - share, 0.0)
    drawn = plus(mirrored, side, -say * dot(side, mirrored))
    moved = choose3(say > 0.0, _nearest(drawn, a, every), mirrored)
    return choose3(wrong, moved, top), choose3(wrong, mirrored, start1), choose3(wrong, mirrored, start2)


def _axial(p1: Point, p2: Point, enter: Point, stretch: Point, a: Point) -> tuple[Scalar, Scalar, Point]:
    """Cosine between the line and the nearest axis, how far along the stretch the line crosses the plane square to it, and the
    point of the section in that plane that is nearest to there."""
    along = unit(minus(p1, p2))
    cosines = [jnp.abs(v) for v in along]
    first = (cosines[0] >= cosines[1]) & (cosines[0] >= cosines[2])
    second = ~first & (cosines[1] >= cosines[2])
    best = (first, second, ~first & ~second)

    def pick(v: Point) -> Scalar:
        return jnp.where(first, v[0], jnp.where(second, v[1], v[2]))

    run = pick(stretch)
    at = -pick(enter) / jnp.where(jnp.abs(run) > 1e-12, run, 1e-12)
    cut = plus(enter, stretch, at)
    on_plane = (jnp.where(best[0], 0.0, cut[0]), jnp.where(best[1], 0.0, cut[1]), jnp.where(best[2], 0.0, cut[2]))
    return pick((cosines[0], cosines[1], cosines[2])), at, _nearest(on_plane, a, (~best[0], ~best[1], ~best[2]))


def _fan(enter: Point, stretch: Point, a: Point) -> Point:
    """Mean direction from the stretch of line inside the ellipsoid to the surface."""
    at = jnp.arange(1, _FAN - 1, dtype=enter[0].dtype) / _FAN
    wide = [(v[..., None], w[..., None], r[..., None]) for v, w, r in zip(enter, stretch, a, strict=True)]
    place = tuple(v + at * w for v, w, _ in wide)
    yes = jnp.array(True)
    surface = _nearest((place[0], place[1], place[2]), (wide[0][2], wide[1][2], wide[2][2]), (yes, yes, yes))
    blade = unit(minus(surface, (place[0], place[1], place[2])))
    return unit((jnp.sum(blade[0], -1), jnp.sum(blade[1], -1), jnp.sum(blade[2], -1)))


def _section(p1: Point, p2: Point, through: tuple[Point, Point, Point], a: Point, side: Point, size: Scalar) -> tuple[Point, Point, Scalar]:
    """Tangent points and arc in the plane of p1, p2 and the third point, in the scale in which the section is a circle."""
    u1, u2, top, start1, start2 = (_over(p, a) for p in (p1, p2, *through))
    normal = unit(cross(minus(u1, u2), minus(top, u1)))
    centre = times(normal, dot(normal, top))
    radius = jnp.sqrt(jnp.maximum(1.0 - dot(centre, centre), 1e-24))
    t1, t2 = _tangent(u1, start1, centre, normal, radius), _tangent(u2, start2, centre, normal, radius)
    spokes = minus(t1, centre), minus(t2, centre)
    # OpenSim's arc is the one of less than half a turn as seen from where the plane meets the axis most square to it.
    square = unit(cross(minus(p1, p2), minus(through[0], p1)))
    steepness = [jnp.abs(v) for v in square]
    x = (steepness[0] >= steepness[1]) & (steepness[0] >= steepness[2])
    y = ~x & (steepness[1] >= steepness[2])
    slope = jnp.where(x, square[0], jnp.where(y, square[1], square[2]))
    height = dot(square, p1) / slope
    zero = jnp.zeros_like(height)
    hub = _over((jnp.where(x, height, zero), jnp.where(y, height, zero), jnp.where(x | y, zero, height)), a)
    forward = dot(normal, cross(minus(t1, hub), minus(t2, hub))) >= 0.0
    sense = jnp.where(forward, 1.0, -1.0)
    # With a side to keep to, an arc that runs back towards its end goes the other way around.
    back1 = sense * dot(cross(normal, spokes[0]), minus(u1, t1)) > 0.0
    back2 = -sense * dot(cross(normal, spokes[1]), minus(u2, t2)) > 0.0
    r1, r2 = (t1[0] * a[0], t1[1] * a[1], t1[2] * a[2]), (t2[0] * a[0], t2[1] * a[1], t2[2] * a[2])
    constrained = jnp.abs(side[0]) + jnp.abs(side[1]) + jnp.abs(side[2]) > 0.0
    apart = norm(minus(r1, r2)) * size >= 0.002
    sense = jnp.where(constrained & apart & (back1 | back2), -sense, sense)
    turn = jnp.arctan2(dot(normal, cross(*spokes)), dot(*spokes)) * sense
    turn = jnp.where(turn < 0.0, turn + 2.0 * jnp.pi, turn)
    return r1, r2, _arc(spokes[0], cross(normal, spokes[0]), turn * sense, a)


def _tangent(u: Point, start: Point, centre: Point, normal: Point, radius: Scalar) -> Point:
    """Where the tangent from u touches the circle, on the side of `start`."""
    spoke = minus(u, centre)
    squared = jnp.maximum(dot(spoke, spoke), 1e-30)
    across = cross(normal, spoke)
    turn = jnp.where(dot(across, minus(start, centre)) >= 0.0, 1.0, -1.0)
    reach = radius * jnp.sqrt(jnp.maximum(squared - radius**2, 1e-24)) / squared
    return plus(plus(centre, spoke, radius**2 / squared), across, turn * reach)


def _arc(spoke: Point, across: Point, turn: Scalar, a: Point) -> Scalar:
    """Length of the ellipse's arc from a spoke of its circle through an angle."""
    nodes: Float[Array, " node"] = jnp.array([s * x for x, _ in _NODES for s in (-1.0, 1.0)], turn.dtype)
    weights: Float[Array, " node"] = jnp.array([w for _, w in _NODES for _ in (0, 1)], turn.dtype)
    angle = 0.5 * turn[..., None] * (1.0 + nodes)
    speed = [
        r[..., None] * (c[..., None] * jnp.cos(angle) - s[..., None] * jnp.sin(angle)) for r, s, c in zip(a, spoke, across, strict=True)
    ]
    return 0.5 * jnp.abs(turn) * jnp.sum(weights * norm((speed[0], speed[1], speed[2])), -1)
