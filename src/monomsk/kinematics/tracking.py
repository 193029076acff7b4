"""Inverse kinematics from markers over a whole recording, as OpenSim's InverseKinematicsTool, with no frame left in a wrong minimum."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import cast

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float
from scipy.spatial.transform import Rotation

from monomsk.errors import InputError
from monomsk.kinematics.pose import Bounds, Fit, Targets, nearest_poses
from monomsk.model.compile import compile_model
from monomsk.model.model import Model, complete
from monomsk.model.spec import ModelSpec
from monomsk.types import Markers, Motion, Progress

CHUNK = 16
"""Frames that are searched for together; each begins from the last pose before them. With many more, arms change to the other
of the two ways in which a ball joint's angles say a pose."""
STARTS = 32
"""Postures from which the first frame is searched for."""
WORSE = 1.2
"""A frame whose marker error is so many times its neighbour's is searched for again from there."""
JUMP = 0.3
"""A frame in which an angle changes by so much is searched for again from its neighbour [rad]."""
MARGIN = 0.005
"""Difference of marker errors that is not worth it [m]."""


@dataclass(frozen=True)
class Task:
    """How much a marker or a coordinate counts, and where a coordinate is wanted."""

    weight: float
    value: float | None = None
    """Of a coordinate [rad, m]; its default when None."""


@dataclass(frozen=True)
class Tracking:
    """What inverse kinematics makes."""

    motion: Motion
    error: Float[np.ndarray, "time marker"]
    """Distance of the body's markers from the measured ones [m]; NaN where a marker is missing or does not count."""
    names: tuple[str, ...]
    """Of these markers."""


def track(
    markers: Markers,
    spec: ModelSpec,
    *,
    marker_tasks: Mapping[str, Task] | None = None,
    coordinate_tasks: Mapping[str, Task] | None = None,
    progress: Progress = lambda done: None,
) -> Tracking:
    """The motion of the body `spec` nearest to the markers of the same names.

    Coordinates keep to couplers and locks, and to their ranges where the model clamps them, but for the root's. A marker
    that is missing in a frame does not count there; frames without enough markers are filled from their neighbours, with a warning.

    Args:
        markers: measured, in the ground frame.
        spec: the body, scaled to the person.
        marker_tasks: weights by marker; all count 1 when None, and those without a task do not count otherwise.
        coordinate_tasks: coordinates that are to stay near a value.
        progress: told how much is done.

    Raises:
        InputError: markers and model have fewer than three names in common, lengths look like another unit, or the
            markers are never seen.
    """
    names = tuple(m.name for m in spec.markers if m.name in markers.names and _counts(m.name, marker_tasks))
    if len(names) < 3:
        raise InputError(f"the markers and model {spec.name} share {len(names)} names, three are needed: {_examples(markers, spec)}")
    model = compile_model(spec.with_markers(tuple(m for m in spec.markers if m.name in names)))
    targets = _targets(model, markers, marker_tasks or {}, coordinate_tasks or {})
    seen = np.asarray(targets.weight) > 0.0
    enough = seen.sum(1) >= 3
    if not enough.any():
        raise InputError("no frame has three markers of the model: check the names, and the stretch of time")
    _check_unit(np.asarray(targets.position)[seen])
    chosen = np.flatnonzero(enough)
    bounds = _bounds(spec, model)
    found = _search(model, bounds, _take(targets, chosen), progress)
    q, error = np.zeros((len(markers.time), model.nq)), np.zeros(seen.shape)
    q[chosen], error[chosen] = found.q, found.distance
    # A search may end a whole turn further; where nothing bounds an angle, it goes on from frame to frame.
    for i, low in zip(model.free, np.asarray(bounds.low), strict=True):
        if model.rotational[i] and np.isinf(low):
            q[chosen, i] = np.unwrap(q[chosen, i])
    for i in range(model.nq):
        q[~enough, i] = np.interp(markers.time[~enough], markers.time[chosen], q[chosen, i])
    counted = seen & enough[:, None]
    rotational = np.array(model.rotational)
    warnings = _warnings(markers, spec, names, marker_tasks, markers.time[~enough])
    figures = {"marker_rms_m": float(np.sqrt(np.mean(error[counted] ** 2))), "marker_max_m": float(error[counted].max())}
    motion = Motion(markers.time, model.coordinate_names, rotational, q, quality=figures, warnings=warnings)
    return Tracking(motion, np.where(counted, error, np.nan), model.marker_names)


def _counts(name: str, tasks: Mapping[str, Task] | None) -> bool:
    return tasks is None or (name in tasks and tasks[name].weight > 0.0)


def _examples(markers: Markers, spec: ModelSpec) -> str:
    ours = ", ".join(m.name for m in spec.markers[:4])
    return f"the file has {', '.join(markers.names[:4])}, …; the model has {ours + ', …' if ours else 'none'}"


def _check_unit(position: Float[np.ndarray, "n 3"]) -> None:
    spread = float(np.median(np.linalg.norm(position - np.median(position, axis=0), axis=1)))
    if not 0.02 < spread < 20.0:
        raise InputError(f"the markers lie {spread:.3g} m from each other, which no person's do: check the unit in the .trc (Units)")


def _targets(model: Model, markers: Markers, marker_tasks: Mapping[str, Task], coordinate_tasks: Mapping[str, Task]) -> Targets:
    unknown = sorted(set(coordinate_tasks) - set(model.coordinate_names))
    if unknown:
        raise InputError(f"a task names coordinate {unknown[0]!r}, which the model does not have")
    order = [markers.names.index(name) for name in model.marker_names]
    xyz, sigma = markers.xyz[:, order], markers.sigma[:, order]
    there = np.isfinite(sigma) & np.isfinite(xyz).all(-1)
    weight = np.array([marker_tasks[n].weight if n in marker_tasks else 1.0 for n in model.marker_names])
    tasks = [coordinate_tasks.get(name, Task(0.0)) for name in model.coordinate_names]
    value = [d if t.value is None else t.value for t, d in zip(tasks, np.asarray(model.coordinate_default), strict=True)]
    frames = len(markers.time)
    # Plain arrays: frames are picked from them again and again, and JAX would compile every pick of another size.
    wanted = (np.tile(row, (frames, 1)) for row in (value, [t.weight for t in tasks]))
    return _plain(np.where(there[..., None], xyz, 0.0), there * weight, *wanted)


def _plain(*arrays: np.ndarray) -> Targets:
    position, weight, value, value_weight = (cast("Array", a) for a in arrays)
    return Targets(position, weight, value, value_weight)


def _bounds(spec: ModelSpec, model: Model) -> Bounds:
    """Ranges of the coordinates that the model clamps, as OpenSim holds them; but where a person is and faces is open to all."""
    clamped = np.array([c.clamped and i not in model.root for i, c in enumerate(spec.coordinates)])[list(model.free)]
    low, high = np.asarray(model.coordinate_range)[list(model.free)].T
    return Bounds(jnp.asarray(np.where(clamped, low, -np.inf)), jnp.asarray(np.where(clamped, high, np.inf)))


def _take(targets: Targets, frames: np.ndarray) -> Targets:
    return Targets(*(a[frames] for a in (targets.position, targets.weight, targets.value, targets.value_weight)))


def _search(model: Model, bounds: Bounds, targets: Targets, progress: Progress) -> "_Poses":
    """Poses of all frames: from the best seen one forwards and backwards, then again wherever a neighbour shows a better minimum."""
    count = len(targets.weight)
    first = int(np.argmax((np.asarray(targets.weight) > 0.0).sum(1)))
    poses = _Poses.blank(count, model)
    poses.put(np.array([first]), _first_pose(model, bounds, _take(targets, np.array([first]))))
    ahead = [np.arange(i, min(i + CHUNK, count)) for i in range(first + 1, count, CHUNK)]
    back = [np.arange(i, max(i - CHUNK, -1), -1) for i in range(first - 1, -1, -CHUNK)]
    done = 1
    for order, direction in ((ahead, 1), (back, -1)):
        for frames in order:
            start = np.tile(poses.q[frames[0] - direction], (len(frames), 1))
            poses.put(frames, _solve(model, bounds, _take(targets, frames), start))
            done += len(frames)
            progress(0.9 * done / count)
    _repair(model, bounds, targets, poses, first)
    progress(1.0)
    return poses


@dataclass(frozen=True)
class _Poses:
    """Arrays of a `Fit` that are filled little by little."""

    q: Float[np.ndarray, "time nq"]
    cost: Float[np.ndarray, " time"]
    distance: Float[np.ndarray, "time marker"]

    @staticmethod
    def blank(count: int, model: Model) -> "_Poses":
        return _Poses(np.zeros((count, model.nq)), np.full(count, np.inf), np.zeros((count, len(model.marker_names))))

    def put(self, frames: np.ndarray, found: "_Poses") -> None:
        self.q[frames], self.cost[frames], self.distance[frames] = found.q, found.cost, found.distance

    def take(self, frames: np.ndarray) -> "_Poses":
        return _Poses(self.q[frames], self.cost[frames], self.distance[frames])


def _repair(model: Model, bounds: Bounds, targets: Targets, poses: _Poses, first: int) -> None:
    """Search again from the pose before it wherever a frame jumps or is worse, and go on from there as long as that helps.

    What lowers the cost is taken. Where the joint angles have two ways to say one pose, so is what goes on from the way of the
    first pose, on its way out from there.
    """
    for direction in (1, -1, 1, -1):
        known = np.arange(len(poses.cost))[1:] if direction == 1 else np.arange(len(poses.cost))[:-1]
        tried = known[_doubtful(model, bounds, poses, known, direction)]
        while len(tried):
            found = _solve(model, bounds, _take(targets, tried), poses.q[tried - direction])
            lower = found.cost < poses.cost[tried] * (1.0 - 1e-6)
            nearer = _jumps(model, bounds, found.q - poses.q[tried - direction]) < 0.5 * _jumps(
                model, bounds, poses.q[tried] - poses.q[tried - direction]
            )
            equal = (found.cost < poses.cost[tried] * (1.0 + 1e-6)) & nearer & (direction * (tried - first) > 0)
            taken = lower | equal
            poses.put(tried[taken], found.take(taken))
            after = np.intersect1d(tried[taken] + direction, known)
            tried = after[_doubtful(model, bounds, poses, after, direction)]


def _doubtful(model: Model, bounds: Bounds, poses: _Poses, frames: np.ndarray, direction: int) -> Bool[np.ndarray, " n"]:
    """Which frames are far from the pose before them, or much worse."""
    error, before = np.sqrt(poses.cost[frames]), np.sqrt(poses.cost[frames - direction])
    worse = (error > WORSE * before) & (error > before + MARGIN)
    return worse | (_jumps(model, bounds, poses.q[frames] - poses.q[frames - direction]) > JUMP)


def _jumps(model: Model, bounds: Bounds, change: Float[np.ndarray, "n nq"]) -> Float[np.ndarray, " n"]:
    """Largest change of a free angle [rad], without whole turns where nothing bounds it."""
    angle = np.array([model.rotational[i] for i in model.free])
    change = change[:, list(model.free)][:, angle]
    turning = np.isinf(np.asarray(bounds.low))[angle]
    change = np.where(turning, change - 2.0 * np.pi * np.round(change / (2.0 * np.pi)), change)
    return np.abs(change).max(axis=1, initial=0.0)


def _solve(model: Model, bounds: Bounds, targets: Targets, start: Float[np.ndarray, "n nq"]) -> _Poses:
    """Poses from their starts, in calls of one size."""
    fits = list[Fit]()
    for begin in range(0, len(start), CHUNK):
        part = np.minimum(np.arange(begin, begin + CHUNK), len(start) - 1)
        fits.append(nearest_poses(model, bounds, _take(targets, part), jnp.asarray(start[part])))
    return _Poses(*(np.concatenate([np.asarray(getattr(f, n)) for f in fits])[: len(start)] for n in ("q", "cost", "distance")))


def _first_pose(model: Model, bounds: Bounds, targets: Targets) -> _Poses:
    """The pose of one frame, searched for from the default posture turned all ways."""
    turns = [i for i in model.root if model.rotational[i]]
    slides = [i for i in model.root if not model.rotational[i]]
    start = np.tile(np.asarray(model.coordinate_default), (STARTS, 1))
    angles = Rotation.random(STARTS, rng=np.random.default_rng(0)).as_euler("ZXY")
    angles[: STARTS // 2] = [(0.0, 0.0, 2.0 * np.pi * i / (STARTS // 2)) for i in range(STARTS // 2)]
    if len(turns) == 3:
        start[:, turns] = angles
    seen = np.asarray(targets.weight)[0] > 0.0
    if len(slides) == 3:
        start[:, slides] = np.asarray(targets.position)[0][seen].mean(0)
    found = _solve(model, bounds, _take(targets, np.zeros(STARTS, int)), start)
    q = _without_turns(model, bounds, found.q)
    # The angles of a ball joint have two ways to say one pose: the one nearer to the default posture.
    equal = np.sqrt(found.cost) < np.sqrt(found.cost.min()) + 0.1 * MARGIN
    far = np.abs(q - np.asarray(model.coordinate_default))[:, list(model.free)].sum(1)
    best = np.array([np.argmin(np.where(equal, far, np.inf))])
    return _Poses(q[best], found.cost[best], found.distance[best])


def _without_turns(model: Model, bounds: Bounds, q: Float[np.ndarray, "n nq"]) -> Float[np.ndarray, "n nq"]:
    """Free angles without whole turns away from the default posture, where their bounds allow it."""
    free = [i for i in model.free if model.rotational[i]]
    low, high = (np.asarray(b)[[model.free.index(i) for i in free]] for b in (bounds.low, bounds.high))
    nearer = q[:, free] - 2.0 * np.pi * np.round((q[:, free] - np.asarray(model.coordinate_default)[free]) / (2.0 * np.pi))
    q = q.copy()
    q[:, free] = np.where((nearer >= low) & (nearer <= high), nearer, q[:, free])
    return np.asarray(_completed(model, jnp.asarray(q)))


@eqx.filter_jit
def _completed(model: Model, q: Float[Array, "n nq"]) -> Float[Array, "n nq"]:
    return jax.vmap(partial(complete, model))(q)


def _warnings(
    markers: Markers, spec: ModelSpec, used: tuple[str, ...], tasks: Mapping[str, Task] | None, filled: Float[np.ndarray, " n"]
) -> tuple[str, ...]:
    """Names that only one side knows, markers that are never seen, and frames that had to be filled."""
    told = []
    known = {m.name for m in spec.markers}
    if strange := [n for n in markers.names if n not in known]:
        told.append(f"markers that the model does not have, and that are ignored: {', '.join(strange)}")
    wanted = known if tasks is None else {n for n, t in tasks.items() if t.weight > 0.0}
    if absent := sorted(wanted - set(markers.names)):
        told.append(f"markers of the model that were not measured: {', '.join(absent)}")
    seen = np.isfinite(markers.sigma).sum(axis=0)
    if never := [n for n, times in zip(markers.names, seen, strict=True) if times == 0 and n in used]:
        told.append(f"markers that are missing in every frame: {', '.join(never)}")
    if len(filled):
        told.append(f"{len(filled)} frames with fewer than three markers are filled from their neighbours, first at {filled[0]:.2f} s")
    return tuple(told)
