"""Lengths and moment arms of muscle paths: fixed, conditional and moving points, and wraps over cylinders.

A path is a row of slots: its points, then two tangent points for every wrap. A key orders the active slots along the path;
a wrap's slots get keys between those of the segment that it bends. Thus nothing branches and nothing is sorted.

Where a path meets several cylinders, each is laid anew in turn until the path has settled into the shortest one. OpenSim
4.6 differs in ways that `Muscles.opensim_compat` repeats: tangent points are approximate (see `wrap_cylinder`), and with
several wraps the straight pieces keep those of the first round while the arcs are those of the last (PathWrapPoint's ground
location is cached and not renewed), which makes a gastrocnemius up to 9 mm short. Detours are weighed between the old points
too, and the tension acts at the new ones along the old pieces, those within one body left out, so that it does not balance.
"""

from typing import NamedTuple, TypeVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from monomsk.model import functions
from monomsk.model.model import Model
from monomsk.model.muscles import Muscles, Wraps
from monomsk.physics import wrap_surface
from monomsk.physics.bend import CROSSES, INSIDE, MISSES, WRAPPED, Bend, Point, extra_length
from monomsk.physics.forward_kinematics import Poses
from monomsk.physics.jacobian import coordinate_twists
from monomsk.physics.polynomial_path import polynomial_paths

ROUNDS, OPENSIM_ROUNDS = 16, 8
"""How often the wraps of a path that has several are gone over; OpenSim's limit."""
SETTLED = 5e-4
"""Change of length [m] below which OpenSim goes over them no more."""
RANGE_MARGIN = 1e-5
"""OpenSim's margin at the ends of a conditional point's range."""


_Values = TypeVar("_Values")


class Paths(eqx.Module):
    """The muscles' paths at one posture."""

    length: Float[Array, " muscle"]
    """Musculotendon lengths [m]."""
    moment_arm: Float[Array, "muscle nq"]
    """Generalized force of a unit tension on every coordinate, each taken as free [m for angles, 1 for lengths]."""
    inside_of: Int[Array, " muscle"]
    """Number, in `Muscles.surfaces`, of a surface that an end of a segment lies inside of, so that the path could not bend
    around it; −1 where there is none."""
    broken: Bool[Array, " muscle"]
    """True where there is no path: fewer than two points are on it, or its length is no number."""


class _Slots(NamedTuple):
    point: Float[Array, "row slot 3"]
    """Ground frame [m]."""
    key: Float[Array, "row slot"]
    active: Bool[Array, "row slot"]
    arc: Float[Array, "row wrap"]
    """Lengths on the surfaces [m]."""
    drawn: Float[Array, "row slot 3"]
    """Ends of the straight pieces; other than `point` only in OpenSim's way with several wraps."""


class _Pose(NamedTuple):
    R: Float[Array, "body 3 3"]
    p: Float[Array, "body 3"]


class Laid(NamedTuple):
    """Some rows of the table of paths at one posture; see `Paths`."""

    length: Float[Array, " row"]
    work: Float[Array, "row nq"]
    inside_of: Int[Array, " row"]
    points: Int[Array, " row"]
    """How many of the row's own points are on the path."""


Group = tuple[int, int, Wraps | None]
"""Rows from the first to the last but one, and what they wrap over."""


def groups(muscles: Muscles) -> list[Group]:
    """Rows that are laid together, in their order; none is empty."""
    unwrapped = muscles.wraps[0].rows[0] if muscles.wraps else muscles.location.shape[0]
    return [*([(0, unwrapped, None)] if unwrapped else []), *((*w.rows, w) for w in muscles.wraps)]


def muscle_paths(model: Model, muscles: Muscles, poses: Poses, q: Float[Array, " nq"]) -> Paths:
    """Lengths and moment arms of all muscles.

    Moment arms are the virtual work of a unit tension with the tangent points held on their bodies, as in OpenSim (Delp &
    Loan 1995; Sherman et al. 2013). Equals −dL/dq where every path is the shortest, which paths over ellipsoids and tori
    are not. Coordinates count as independent of each other; see `coupled`.
    """
    return by_muscle(muscles, lay(model, muscles, poses, q, groups(muscles)), list(range(muscles.location.shape[0])), q)


def by_muscle(muscles: Muscles, laid: Laid, rows: list[int], q: Float[Array, " nq"]) -> Paths:
    """Paths in the order of the muscles, from those of all rows of the table, given in the order `rows`, and the polynomials."""
    if muscles.polynomials.count:
        laid = Laid(*(jnp.concatenate(a) for a in zip(laid, _functions(muscles, q, laid.work.shape[1]), strict=True)))
        rows = [*rows, *range(muscles.location.shape[0], muscles.count)]
    at = jnp.array([rows.index(row) for row in muscles.row], int)
    return Paths(laid.length[at], laid.work[at], laid.inside_of[at], (laid.points[at] < 2) | ~jnp.isfinite(laid.length[at]))


def _functions(muscles: Muscles, q: Float[Array, " nq"], nq: int) -> Laid:
    """Rows of the paths that are polynomials: they act on coordinates and touch no body."""
    length, arm = polynomial_paths(muscles.polynomials, q)
    count = muscles.polynomials.count
    return Laid(length, jnp.pad(arm, ((0, 0), (0, nq - arm.shape[1]))), jnp.full(count, -1), jnp.full(count, 2))


def lay(model: Model, muscles: Muscles, poses: Poses, q: Float[Array, " nq"], which: list[Group]) -> Laid:
    """Lay the paths of some groups of rows."""
    if not which:
        return Laid(jnp.zeros(0, q.dtype), jnp.zeros((0, model.nq), q.dtype), jnp.zeros(0, int), jnp.zeros(0, int))
    pose = _Pose(
        jnp.concatenate([poses.R, jnp.eye(3, dtype=q.dtype)[None]]),
        jnp.concatenate([poses.p, jnp.zeros((1, 3), q.dtype)]),
    )
    location, rate = locations(muscles, q)
    value = q[muscles.coordinate]
    active = (value >= muscles.lower - RANGE_MARGIN) & (value <= muscles.upper + RANGE_MARGIN)
    point = _turned(pose.R[muscles.body], location) + pose.p[muscles.body]
    twist = coordinate_twists(model, poses, poses.p[0])
    # The ground, body −1, is moved by nothing.
    moves = jnp.concatenate([model.ancestor[:, jnp.array(model.coordinate_body)], jnp.zeros((1, model.nq), bool)])
    parts: list[Laid] = []
    pulls = jnp.zeros((*active.shape, 3), q.dtype)
    for low, high, wraps in which:
        points = active.shape[1] if wraps is None else wraps.points
        start = _blank(point[low:high, :points], active[low:high, :points], 0 if wraps is None else wraps.radius.shape[1])
        body, inside_of = muscles.body[low:high, :points], jnp.full(high - low, -1)
        if wraps is not None:
            start, inside_of = _wrap_rows(start, wraps, pose, compat=muscles.opensim_compat)
            body = jnp.concatenate([body, jnp.repeat(wraps.body, 2, 1)], 1)
        start = _once(start)
        length, force = _tension(start, body if muscles.opensim_compat and start.arc.shape[1] > 1 else None)
        work = _work(start.point - poses.p[0], force, moves[body], twist.T)
        pulls = pulls.at[low:high, :points].set(force[:, :points])
        parts.append(Laid(length, work, inside_of, jnp.sum(active[low:high], 1)))
    laid = Laid(*(jnp.concatenate(a) for a in zip(*parts, strict=True)))
    rows = jnp.array([row for low, high, _ in which for row in range(low, high)])
    return laid._replace(work=laid.work + _moving_work(muscles, pose.R, pulls, rate, model.nq)[rows])


def _once(values: _Values) -> _Values:
    """The same values, worked out once: else XLA works them out again wherever they are used."""
    return jax.lax.optimization_barrier(values)


def _turned(R: Float[Array, "*batch 3 3"], v: Float[Array, "*batch 3"]) -> Float[Array, "*batch 3"]:
    """R v, written out: on a processor XLA's products of many small matrices cost a hundred times the same sums."""
    return R[..., 0] * v[..., None, 0] + R[..., 1] * v[..., None, 1] + R[..., 2] * v[..., None, 2]


def _work(
    arm: Float[Array, "row slot 3"], force: Float[Array, "row slot 3"], moves: Bool[Array, "row slot nq"], twist: Float[Array, "6 nq"]
) -> Float[Array, "row nq"]:
    """Work of the forces on the slots per unit of every coordinate that moves their bodies."""
    wrench, twist = _once((jnp.concatenate([jnp.cross(arm, force), force], -1), twist))
    total = jnp.zeros((arm.shape[0], twist.shape[1]), arm.dtype)
    for slot in range(arm.shape[1]):
        power = sum((wrench[:, slot, k, None] * twist[k] for k in range(1, 6)), wrench[:, slot, 0, None] * twist[0])
        total = total + jnp.where(moves[:, slot], power, 0.0)
    return total


def coupled(model: Model, q: Float[Array, " nq"], moment_arm: Float[Array, "muscle nq"]) -> Float[Array, "muscle nq"]:
    """Moment arms when coupled coordinates follow: each one's goes, times its rate, to the coordinate that determines it."""
    if not model.dependent:
        return moment_arm
    source, target = jnp.array(model.independent), jnp.array(model.dependent)
    _, rate, _ = functions.evaluate(model.coupler_curves, q[source])
    return moment_arm.at[:, source].add(moment_arm[:, target] * rate).at[:, target].set(0.0)


def locations(muscles: Muscles, q: Float[Array, " nq"]) -> tuple[Float[Array, "row point 3"], Float[Array, " curve"]]:
    """Points in their bodies, and the rates at which the moving ones follow their coordinates."""
    moving = muscles.moving
    if not moving.row.shape[0]:
        return muscles.location, jnp.zeros(0, q.dtype)
    value, rate, _ = functions.evaluate(moving.curve, q[moving.coordinate])
    return muscles.location.at[moving.row, moving.point, moving.axis].set(value), rate


def _moving_work(
    muscles: Muscles, R: Float[Array, "body 3 3"], force: Float[Array, "row slot 3"], rate: Float[Array, " curve"], nq: int
) -> Float[Array, "row nq"]:
    """Work of the tension on points that move in their bodies."""
    moving = muscles.moving
    work = jnp.zeros((muscles.count, nq), force.dtype)
    if not moving.row.shape[0]:
        return work
    direction = R[muscles.body[moving.row, moving.point], :, moving.axis]
    pull = jnp.sum(direction * force[moving.row, moving.point], -1)
    return work.at[moving.row, moving.coordinate].add(pull * rate)


def _blank(point: Float[Array, "row point 3"], active: Bool[Array, "row point"], wraps: int) -> _Slots:
    """Paths before any wrap is laid."""
    rows, points = active.shape
    place = jnp.concatenate([point, jnp.zeros((rows, 2 * wraps, 3), point.dtype)], 1)
    key = jnp.concatenate([jnp.arange(points, dtype=point.dtype), jnp.zeros(2 * wraps, point.dtype)])
    there = jnp.concatenate([active, jnp.zeros((rows, 2 * wraps), bool)], 1)
    return _Slots(place, jnp.broadcast_to(key, there.shape), there, jnp.zeros((rows, wraps), point.dtype), place)


def _successors(key: Float[Array, "row slot"], active: Bool[Array, "row slot"]) -> Float[Array, "row slot slot"]:
    """1 where the second slot comes next after the first on the path."""
    later = (key[:, None, :] > key[:, :, None]) & active[:, None, :] & active[:, :, None]
    nearest = jnp.min(jnp.where(later, key[:, None, :], jnp.inf), 2, keepdims=True)
    return (later & (key[:, None, :] == nearest)).astype(key.dtype)


def _next(following: Float[Array, "row slot other"], value: Float[Array, "row other 3"]) -> Float[Array, "row slot 3"]:
    """What the slots that come next have; zero where none does."""
    return sum(
        (following[:, :, i, None] * value[:, None, i] for i in range(1, value.shape[1])), following[:, :, 0, None] * value[:, None, 0]
    )


def _owner(points: int, wraps: int) -> Int[Array, " slot"]:
    """Number of the wrap that a slot belongs to; −1 for the path's own points."""
    return jnp.concatenate([jnp.full(points, -1), jnp.repeat(jnp.arange(wraps), 2)])


def _tension(slots: _Slots, body: Int[Array, "row slot"] | None = None) -> tuple[Float[Array, " row"], Float[Array, "row slot 3"]]:
    """Lengths of the paths, and the force of a unit tension on each slot; none from pieces within one body where bodies are given.

    Such pieces do no work, unless their ends are old ones.
    """
    wraps = slots.arc.shape[1]
    points = slots.key.shape[1] - 2 * wraps
    following = _once(_successors(slots.key, slots.active))
    owner = _owner(points, wraps)
    # The piece on a surface lies on one body: it has a length and pulls on nothing.
    straight = following * ~((owner[:, None] == owner[None, :]) & (owner[:, None] >= 0))
    along = _next(straight, slots.drawn) - jnp.sum(straight, 2, keepdims=True) * slots.drawn
    along = _once(along)
    squared = jnp.sum(along**2, -1)
    real = squared > 1e-20
    distance = jnp.sqrt(jnp.where(real, squared, 1.0))
    pulls = real
    if body is not None:
        pulls = real & (jnp.sum(straight * (body[:, :, None] == body[:, None, :]), 2) < 0.5)
    direction = _once(jnp.where(pulls[..., None], along / distance[..., None], 0.0))
    arcs = jnp.sum(jnp.where(slots.active[:, points::2], slots.arc, 0.0), 1)
    length = jnp.sum(jnp.where(real, distance, 0.0), 1) + arcs
    return length, direction - _next(jnp.swapaxes(straight, 1, 2), direction)


class _Laying(NamedTuple):
    slots: _Slots
    status: Int[Array, "row wrap"]
    """How each wrap was met last."""
    blocked: Bool[Array, "row wrap"]
    swapped: Bool[Array, " row"]
    """Whether the first two swapped turns."""
    length: Float[Array, " row"]
    settled: Bool[Array, " row"]
    """Whether OpenSim would have stopped."""


def _wrap_rows(start: _Slots, wraps: Wraps, pose: _Pose, *, compat: bool) -> tuple[_Slots, Int[Array, " row"]]:
    """Lay the paths over their surfaces, in the model's order, over and over where there are several.

    Returns also the number of a surface that an end of a segment lies inside of, −1 where there is none.
    """
    rows, count = wraps.radius.shape
    table = _surfaces(wraps, pose)
    if count == 1:
        slots, _, blocked = _bend(start, jnp.ones((rows, 1), table.dtype), table, wraps.kinds, compat)
        return slots._replace(drawn=slots.point), jnp.where(blocked, wraps.surface[:, 0], -1.0).astype(int)

    def lay_one(step: Int[Array, ""], state: _Laying) -> _Laying:
        turn = jnp.arange(count) == step % count
        # OpenSim's remedy when the second wrap fails because the first left a point inside it: swap the two, once.
        order = jnp.array([1, 0, *range(2, count)])
        pick = jnp.where(state.swapped[:, None], turn[order], turn).astype(table.dtype)
        new, met, blocked = _bend(state.slots, pick, table, wraps.kinds, compat)
        status = jnp.where(turn, met[:, None], state.status)
        blocked = jnp.where(pick > 0.0, blocked[:, None], state.blocked)
        swapped = state.swapped | ((step == count - 1) & (status[:, 0] == MISSES) & (status[:, 1] == INSIDE))
        if not compat:
            return _Laying(new._replace(drawn=new.point), status, blocked, swapped, state.length, state.settled)
        return _stale(state, new, step % count == count - 1)._replace(status=status, blocked=blocked, swapped=swapped)

    nothing = jnp.zeros((rows, count), bool)
    state = _Laying(start, nothing.astype(int), nothing, nothing[:, 0], jnp.full(rows, jnp.inf), nothing[:, 0])
    state = jax.lax.fori_loop(0, (OPENSIM_ROUNDS if compat else ROUNDS) * count, lay_one, state)
    surface = jnp.max(jnp.where(state.blocked, wraps.surface, -1.0), 1)
    return state.slots, surface.astype(int)


def _stale(state: _Laying, new: _Slots, last: Bool[Array, ""]) -> _Laying:
    """OpenSim's way with what has been laid anew: old ends of the straight pieces, and no further round once it is content."""
    old = state.slots
    seen = old.active | jnp.any(old.drawn != 0.0, -1)
    new = new._replace(drawn=jnp.where(seen[..., None], old.drawn, jnp.where(new.active[..., None], new.point, 0.0)))
    length, _ = _tension(new)
    kept = jax.tree.map(lambda a, b: jnp.where(state.settled.reshape(-1, *[1] * (a.ndim - 1)), a, b), old, new)
    settled = state.settled | (last & (jnp.abs(length - state.length) < SETTLED))
    return state._replace(slots=kept, settled=settled, length=jnp.where(last, length, state.length))


def _surfaces(wraps: Wraps, pose: _Pose) -> Float[Array, "row wrap number"]:
    """What `_bend` needs of every surface, in one table, so that one product picks them: pose in the ground first."""
    shape = wraps.radius.shape
    R = pose.R[wraps.body]
    R_wrap = jnp.stack([_turned(R, wraps.R[..., i]) for i in range(3)], -1).reshape(*shape, 9)
    p_wrap = _turned(R, wraps.p) + pose.p[wraps.body]
    numbers = jnp.stack([wraps.first, wraps.last, wraps.surface], -1)
    return jnp.concatenate([R_wrap, p_wrap, numbers, wrap_surface.table(wraps)], -1)


def _bend(
    slots: _Slots, pick: Float[Array, "row wrap"], table: Float[Array, "row wrap number"], kinds: tuple[int, ...], compat: bool
) -> tuple[_Slots, Int[Array, " row"], Bool[Array, " row"]]:
    """Lay each path anew over one of its wraps, at the segment where that is due.

    Says also how the last segment tried met the surface, and whether an end of any lies inside it.
    """
    rows, count = pick.shape
    points = slots.key.shape[1] - 2 * count
    owner = _owner(points, count)
    own = jnp.any((owner[None, :, None] == jnp.arange(count)) & (pick[:, None, :] > 0.0), 2)
    chosen = jnp.sum(pick[..., None] * table, 1)
    R, p = chosen[:, :9].reshape(rows, 3, 3), chosen[:, 9:12]
    first, last = chosen[:, None, 12], chosen[:, None, 13]
    # With a single wrap only the path's points can start a segment.
    n = points if count == 1 else points + 2 * count
    active = (slots.active & ~own)[:, :n]
    key = slots.key[:, :n]
    following = _successors(key, active)
    local = _turned(jnp.swapaxes(R, 1, 2)[:, None], slots.point[:, :n] - p[:, None])
    local, following = _once((local, following))
    next_local = _once(_next(following, local))
    next_key = jnp.sum(following * key[:, None, :], 2)
    due = (jnp.sum(following, 2) > 0.5) & (key >= first) & (next_key <= last)
    if count > 1:
        # A segment between two points of one surface lies on it already.
        surface = jnp.concatenate([jnp.full((rows, points), -1.0), jnp.repeat(table[..., 14], 2, 1)], 1)
        due = due & ~((surface >= 0.0) & (jnp.sum(following * surface[:, None, :], 2) == surface))
    bend = _once(wrap_surface.wrap_segment(local, next_local, chosen[:, None, 15:], kinds, lone=count == 1, compat=compat))
    status = jnp.where(due, bend.status, MISSES)
    detour = bend.detour
    if compat and count > 1:
        # OpenSim weighs the detours between the old ends of the straight pieces.
        old = _turned(jnp.swapaxes(R, 1, 2)[:, None], slots.drawn[:, :n] - p[:, None])
        detour = _detour(old, _next(following, old), bend)
    # A segment that pierces the cylinder comes before any other, the first on the path before the next.
    rank = jnp.where(status == CROSSES, key - 1e6, jnp.where(status == WRAPPED, detour, jnp.inf))
    best = (rank == jnp.min(rank, 1, keepdims=True)) & (status >= WRAPPED)
    found = jnp.any(best, 1, keepdims=True)
    values = jnp.stack([*bend.start, *bend.end, bend.arc, key, next_key], -1)
    taken = jnp.sum(jnp.where(best[..., None], values, 0.0), 1)
    begin, end = (_turned(R, taken[:, i : i + 3]) + p for i in (0, 3))
    step = (taken[:, 8] - taken[:, 7]) / 3.0
    is_start = (jnp.arange(points + 2 * count) - points) % 2 == 0
    place = jnp.where(is_start[None, :, None], begin[:, None], end[:, None])
    new_key = jnp.where(is_start, (taken[:, 7] + step)[:, None], (taken[:, 8] - step)[:, None])
    last_tried = jnp.sum(jnp.where(due & (key == jnp.max(jnp.where(due, key, -1.0), 1, keepdims=True)), status, 0), 1)
    laid = slots._replace(
        point=jnp.where(own[..., None], place, slots.point),
        key=jnp.where(own, new_key, slots.key),
        active=jnp.where(own, found, slots.active),
        arc=jnp.where(pick > 0.0, taken[:, 6:7], slots.arc),
    )
    return laid, jnp.where(jnp.any(status == CROSSES, 1), CROSSES, last_tried), jnp.any(status == INSIDE, 1)


def _detour(a: Float[Array, "row slot 3"], b: Float[Array, "row slot 3"], bend: Bend) -> Float[Array, "row slot"]:
    """How much longer the bent path from a to b is than the straight one."""
    ends: list[Point] = [(v[..., 0], v[..., 1], v[..., 2]) for v in (a, b)]
    return extra_length(ends[0], bend.start, bend.arc, bend.end, ends[1])
