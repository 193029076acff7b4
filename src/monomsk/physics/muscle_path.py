"""Lengths and moment arms of muscle paths: fixed, conditional and moving points, and wraps over cylinders.

A path is a row of slots: its points, then two tangent points for every wrap. A key orders the active slots along the path;
a wrap's slots get keys between those of the segment that it bends. Thus nothing branches and nothing is sorted.

Where a path meets several cylinders, each is laid anew in turn until the path has settled into the shortest one. OpenSim
4.6 differs in two ways, which `Muscles.opensim_compat` repeats: a lone wrap keeps approximate tangent points (see
`wrap_cylinder`), and with several wraps the straight pieces keep the tangent points of the first round while the arcs are
those of the last (PathWrapPoint's ground location is cached and not renewed), which makes a gastrocnemius up to 9 mm short.
"""

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from monomsk.model import functions
from monomsk.model.model import Model
from monomsk.model.muscles import Muscles, Wraps
from monomsk.physics.forward_kinematics import Poses
from monomsk.physics.jacobian import coordinate_twists
from monomsk.physics import wrap_surface
from monomsk.physics.bend import CROSSES, INSIDE, MISSES, WRAPPED

ROUNDS, OPENSIM_ROUNDS = 16, 8
"""How often the wraps of a path that has several are gone over; OpenSim's limit."""
SETTLED = 5e-4
"""Change of length [m] below which OpenSim goes over them no more."""
RANGE_MARGIN = 1e-5
"""OpenSim's margin at the ends of a conditional point's range."""


class Paths(eqx.Module):
    """The muscles' paths at one posture."""

    length: Float[Array, " muscle"]
    """Musculotendon lengths [m]."""
    moment_arm: Float[Array, "muscle nq"]
    """Generalized force of a unit tension on every coordinate, each taken as free [m for angles, 1 for lengths]."""
    inside: Bool[Array, " muscle"]
    """True where an end of a segment lies inside a cylinder, so that the path could not bend around it."""


class _Slots(NamedTuple):
    point: Float[Array, "row slot 3"]
    """Ground frame [m]."""
    key: Float[Array, "row slot"]
    active: Bool[Array, "row slot"]
    arc: Float[Array, "row wrap"]
    """Lengths on the surfaces [m]."""
    drawn: Float[Array, "row slot 3"]
    """Ends of the straight pieces; other than `point` only in OpenSim's way with several wraps."""


def muscle_paths(model: Model, muscles: Muscles, poses: Poses, q: Float[Array, " nq"]) -> Paths:
    """Lengths and moment arms of all muscles.

    Moment arms are the virtual work of a unit tension with the tangent points held on their bodies, as in OpenSim (Delp &
    Loan 1995; Sherman et al. 2013). Equals −dL/dq where the path over every cylinder is the shortest. Coordinates count
    as independent of each other; see `coupled`.
    """
    R = jnp.concatenate([poses.R, jnp.eye(3, dtype=q.dtype)[None]])
    p = jnp.concatenate([poses.p, jnp.zeros((1, 3), q.dtype)])
    location, rate = _locations(muscles, q)
    value = q[muscles.coordinate]
    active = (value >= muscles.lower - RANGE_MARGIN) & (value <= muscles.upper + RANGE_MARGIN)
    point = jnp.einsum("rpij,rpj->rpi", R[muscles.body], location) + p[muscles.body]
    slots, body, inside = _laid(muscles, point, active, R, p)
    length, force = _tension(slots)
    arm = slots.point - poses.p[0]
    slot_wrench = jnp.concatenate([jnp.cross(arm, force), force], -1)
    # The ground, body −1, has an empty row here: what pulls on it does no work.
    on_body = jax.nn.one_hot(body, len(model.body_names), dtype=q.dtype)
    wrench = jnp.einsum("rsb,rsk->rbk", on_body, slot_wrench).reshape(muscles.count, -1)
    twist = coordinate_twists(model, poses, poses.p[0])
    moves = model.ancestor[:, jnp.array(model.coordinate_body)]
    work = wrench @ (moves[:, None, :] * twist.T[None]).reshape(-1, model.nq)
    work = work + _moving_work(muscles, R, force, rate, model.nq)
    row = jnp.array(muscles.row)
    return Paths(length[row], work[row], inside[row])


def coupled(model: Model, q: Float[Array, " nq"], moment_arm: Float[Array, "muscle nq"]) -> Float[Array, "muscle nq"]:
    """Moment arms when coupled coordinates follow: each one's goes, times its rate, to the coordinate that determines it."""
    if not model.dependent:
        return moment_arm
    source, target = jnp.array(model.independent), jnp.array(model.dependent)
    _, rate, _ = functions.evaluate(model.coupler_curves, q[source])
    return moment_arm.at[:, source].add(moment_arm[:, target] * rate).at[:, target].set(0.0)


def _locations(muscles: Muscles, q: Float[Array, " nq"]) -> tuple[Float[Array, "row point 3"], Float[Array, " curve"]]:
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


def _laid(
    muscles: Muscles,
    point: Float[Array, "row point 3"],
    active: Bool[Array, "row point"],
    R: Float[Array, "body 3 3"],
    p: Float[Array, "body 3"],
) -> tuple[_Slots, Int[Array, "row slot"], Bool[Array, " row"]]:
    """All paths laid over their cylinders, the bodies of their slots, and where a wrap failed."""
    rows, points = active.shape
    most = max((w.radius.shape[1] for w in muscles.wraps), default=0)
    unwrapped = muscles.wraps[0].rows[0] if muscles.wraps else rows
    parts = [_blank(point[:unwrapped], active[:unwrapped], most)]
    bodies = [jnp.full((unwrapped, 2 * most), -1)]
    inside = [jnp.zeros(unwrapped, bool)]
    for wraps in muscles.wraps:
        low, high = wraps.rows
        count = wraps.radius.shape[1]
        start = _blank(point[low:high, : wraps.points], active[low:high, : wraps.points], count)
        laid, failed = _wrap_rows(start, wraps, R, p, compat=muscles.opensim_compat)
        parts.append(_padded(laid, wraps.points, points, most - count))
        bodies.append(jnp.pad(jnp.repeat(wraps.body, 2, 1), ((0, 0), (0, 2 * (most - count))), constant_values=-1))
        inside.append(failed)
    slots = jax.tree.map(lambda *a: jnp.concatenate(a), *parts)
    return slots, jnp.concatenate([muscles.body, jnp.concatenate(bodies)], 1), jnp.concatenate(inside)


def _blank(point: Float[Array, "row point 3"], active: Bool[Array, "row point"], wraps: int) -> _Slots:
    """Paths before any wrap is laid."""
    rows, points = active.shape
    place = jnp.concatenate([point, jnp.zeros((rows, 2 * wraps, 3), point.dtype)], 1)
    key = jnp.concatenate([jnp.arange(points, dtype=point.dtype), jnp.zeros(2 * wraps, point.dtype)])
    there = jnp.concatenate([active, jnp.zeros((rows, 2 * wraps), bool)], 1)
    return _Slots(place, jnp.broadcast_to(key, there.shape), there, jnp.zeros((rows, wraps), point.dtype), place)


def _padded(slots: _Slots, points: int, all_points: int, more: int) -> _Slots:
    """The same paths with room for `all_points` points and `more` wraps."""

    def pad(a: Array) -> Array:
        tail = [(0, 0)] * (a.ndim - 2)
        front = jnp.pad(a[:, :points], [(0, 0), (0, all_points - points), *tail])
        return jnp.concatenate([front, jnp.pad(a[:, points:], [(0, 0), (0, 2 * more), *tail])], 1)

    arc = jnp.pad(slots.arc, ((0, 0), (0, more)))
    return _Slots(pad(slots.point), pad(slots.key), pad(slots.active), arc, pad(slots.drawn))


def _successors(key: Float[Array, "row slot"], active: Bool[Array, "row slot"]) -> Float[Array, "row slot slot"]:
    """1 where the second slot comes next after the first on the path."""
    later = (key[:, None, :] > key[:, :, None]) & active[:, None, :] & active[:, :, None]
    nearest = jnp.min(jnp.where(later, key[:, None, :], jnp.inf), 2, keepdims=True)
    return (later & (key[:, None, :] == nearest)).astype(key.dtype)


def _owner(points: int, wraps: int) -> Int[Array, " slot"]:
    """Number of the wrap that a slot belongs to; −1 for the path's own points."""
    return jnp.concatenate([jnp.full(points, -1), jnp.repeat(jnp.arange(wraps), 2)])


def _tension(slots: _Slots) -> tuple[Float[Array, " row"], Float[Array, "row slot 3"]]:
    """Lengths of the paths, and the force of a unit tension on each slot."""
    wraps = slots.arc.shape[1]
    points = slots.key.shape[1] - 2 * wraps
    following = _successors(slots.key, slots.active)
    owner = _owner(points, wraps)
    # The piece on a surface lies on one body: it has a length and pulls on nothing.
    straight = following * ~((owner[:, None] == owner[None, :]) & (owner[:, None] >= 0))
    along = straight @ slots.drawn - jnp.sum(straight, 2, keepdims=True) * slots.drawn
    squared = jnp.sum(along**2, -1)
    real = squared > 1e-20
    distance = jnp.sqrt(jnp.where(real, squared, 1.0))
    direction = jnp.where(real[..., None], along / distance[..., None], 0.0)
    arcs = jnp.sum(jnp.where(slots.active[:, points::2], slots.arc, 0.0), 1)
    length = jnp.sum(jnp.where(real, distance, 0.0), 1) + arcs
    return length, direction - jnp.swapaxes(straight, 1, 2) @ direction


_Laying = tuple[_Slots, Int[Array, "row wrap"], Bool[Array, " row"], Float[Array, " row"], Bool[Array, " row"]]
"""Paths so far, how each wrap was met, whether the first two swapped turns, lengths, and whether OpenSim would have stopped."""


def _wrap_rows(
    start: _Slots, wraps: Wraps, R: Float[Array, "body 3 3"], p: Float[Array, "body 3"], *, compat: bool
) -> tuple[_Slots, Bool[Array, " row"]]:
    """Lay the paths over their cylinders, in the model's order, over and over where there are several."""
    rows, count = wraps.radius.shape
    table = _surfaces(wraps, R, p)
    if count == 1:
        slots, status = _bend(start, jnp.ones((rows, 1), table.dtype), table, wraps.kinds, compat)
        return slots._replace(drawn=slots.point), status == INSIDE

    def lay_one(step: Int[Array, ""], state: _Laying) -> _Laying:
        slots, status, swapped, length, settled = state
        turn = jnp.arange(count) == step % count
        # OpenSim's remedy when the second wrap fails because the first left a point inside it: swap the two, once.
        order = jnp.array([1, 0, *range(2, count)])
        pick = jnp.where(swapped[:, None], turn[order], turn).astype(table.dtype)
        new, met = _bend(slots, pick, table, wraps.kinds, compat)
        new_status = jnp.where(turn, met[:, None], status)
        swap_now = (step == count - 1) & (new_status[:, 0] == MISSES) & (new_status[:, 1] == INSIDE)
        if compat:
            seen = slots.active | jnp.any(slots.drawn != 0.0, -1)
            new = new._replace(drawn=jnp.where(seen[..., None], slots.drawn, jnp.where(new.active[..., None], new.point, 0.0)))
            new_length, _ = _tension(new)
            new = jax.tree.map(lambda a, b: jnp.where(settled.reshape(-1, *[1] * (a.ndim - 1)), a, b), slots, new)
            last = step % count == count - 1
            settled = settled | (last & (jnp.abs(new_length - length) < SETTLED))
            length = jnp.where(last, new_length, length)
        else:
            new = new._replace(drawn=new.point)
        return new, new_status, swapped | swap_now, length, settled

    state = (start, jnp.zeros((rows, count), int), jnp.zeros(rows, bool), jnp.full(rows, jnp.inf), jnp.zeros(rows, bool))
    slots, status, *_ = jax.lax.fori_loop(0, (OPENSIM_ROUNDS if compat else ROUNDS) * count, lay_one, state)
    return slots, jnp.any(status == INSIDE, 1)


def _surfaces(wraps: Wraps, R: Float[Array, "body 3 3"], p: Float[Array, "body 3"]) -> Float[Array, "row wrap number"]:
    """What `_bend` needs of every surface, in one table, so that one product picks them: pose in the ground first."""
    shape = wraps.radius.shape
    R_wrap = jnp.einsum("rwij,rwjk->rwik", R[wraps.body], wraps.R).reshape(*shape, 9)
    p_wrap = jnp.einsum("rwij,rwj->rwi", R[wraps.body], wraps.p) + p[wraps.body]
    numbers = jnp.stack([wraps.first, wraps.last, wraps.surface], -1)
    return jnp.concatenate([R_wrap, p_wrap, numbers, wrap_surface.table(wraps)], -1)


def _bend(
    slots: _Slots, pick: Float[Array, "row wrap"], table: Float[Array, "row wrap number"], kinds: tuple[int, ...], compat: bool
) -> tuple[_Slots, Int[Array, " row"]]:
    """Lay each path anew over one of its wraps, at the segment where that is due, and say how the last one tried met it."""
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
    local = jnp.einsum("rsi,rij->rsj", slots.point[:, :n] - p[:, None], R)
    next_local = following @ local
    next_key = jnp.sum(following * key[:, None, :], 2)
    due = (jnp.sum(following, 2) > 0.5) & (key >= first) & (next_key <= last)
    if count > 1:
        # A segment between two points of one surface lies on it already.
        surface = jnp.concatenate([jnp.full((rows, points), -1.0), jnp.repeat(table[..., 14], 2, 1)], 1)
        due = due & ~((surface >= 0.0) & (jnp.sum(following * surface[:, None, :], 2) == surface))
    bend = wrap_surface.wrap_segment(local, next_local, chosen[:, None, 15:], kinds, lone=count == 1, compat=compat)
    status = jnp.where(due, bend.status, MISSES)
    # A segment that pierces the cylinder comes before any other, the first on the path before the next.
    rank = jnp.where(status == CROSSES, key - 1e6, jnp.where(status == WRAPPED, bend.detour, jnp.inf))
    best = (rank == jnp.min(rank, 1, keepdims=True)) & (status >= WRAPPED)
    found = jnp.any(best, 1, keepdims=True)
    values = jnp.stack([*bend.start, *bend.end, bend.arc, key, next_key], -1)
    taken = jnp.sum(jnp.where(best[..., None], values, 0.0), 1)
    begin, end = (jnp.einsum("rj,rij->ri", taken[:, i : i + 3], R) + p for i in (0, 3))
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
    return laid, jnp.where(jnp.any(status == CROSSES, 1), CROSSES, last_tried)
