"""A person's recordings brought to our body: its size and marker places from many poses, then the motion of every clip."""

from dataclasses import dataclass, replace
from functools import cache
from typing import cast

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from monomsk.datasets.points import Point, body_with, places_of
from monomsk.datasets.recording import Recording, at_rate
from monomsk.errors import InputError
from monomsk.io.body import load_anatomy, load_body
from monomsk.kinematics import smooth_path
from monomsk.kinematics.calibration import Evidence, Sizes, calibrate
from monomsk.kinematics.planted import planted_beliefs
from monomsk.kinematics.smooth_path import Beliefs, Seen
from monomsk.kinematics.tracking import Task, track
from monomsk.model.anatomy import Anatomy
from monomsk.model.compile import compile_model
from monomsk.model.edit import with_numbers
from monomsk.model.model import Model, complete
from monomsk.model.scale import scale_model
from monomsk.model.sides import plain
from monomsk.model.spec import Coordinate, ModelSpec
from monomsk.physics.forward_kinematics import forward_kinematics, marker_positions
from monomsk.types import Markers

RATE = 60.0
"""Of the fitted clips [Hz]."""
THIN = 4
"""The first search for poses is on every so many frames."""
POSES = 45
"""From which a person's size is found."""
CLIPS, WINDOW = 6, 150
"""Of a person's recordings from which these are taken, spread over all, and how many frames of each, from its middle."""
SIZE_SIGMA, KNOWN_SIGMA = 0.06, 0.015
"""Of the logarithm of a person's size, when nothing is known and when the height is."""
SHORTEST = 0.3
"""Of a recording that can be fitted [s]."""
LEVEL = 0.05
"""Furthest from the floor's apparent height that a standing sole point may be before the feet are known well [m]."""
FAR = 0.035
"""A point that sits further from its usual place may have another's name [m]."""
HABIT_TASK = 2e-5
"""Weight of habits in the first search [m²/rad²]: one radian away counts as much as 4 mm."""
GAP = 0.25
"""Stretches without enough points that are longer than this are not valid [s]."""
RANGES = {
    "hip_flexion": (-40.0, 145.0),
    "hip_adduction": (-60.0, 40.0),
    "hip_rotation": (-50.0, 50.0),
    "knee_angle": (0.0, 155.0),
    "subtalar_angle": (-35.0, 35.0),
    "mtp_angle": (-60.0, 30.0),
    "arm_flex": (-110.0, 200.0),
    "arm_add": (-200.0, 110.0),
    "arm_rot": (-120.0, 120.0),
    "elbow_flex": (0.0, 155.0),
}
"""Ranges [°] of angles that people use further than the model lets them: deep squats, raised arms; heels and toes, which it keeps stiff."""
ROBUST = {"acclaim": 12.0, "bandai": 12.0}
"""Where the distance from a point begins to count as an outlier [standard deviations]: joint centres are never mistaken for others."""
ROBUST_MARKERS = 4.0


@dataclass(frozen=True)
class Person:
    """A fitted person's body."""

    spec: ModelSpec
    """With the source's points for markers, in the person's size."""
    model: Model
    factors: Float[np.ndarray, "body 3"]
    stature: float
    """Height of the head's top above the sole in the neutral posture [m]."""
    sigma: dict[str, float]
    """How far each point strays from its body [m]."""
    shift: dict[str, tuple[float, float, float]]
    """Where each point was found, relative to its usual place on the stretched body [m]."""
    rms: float
    """Of the points in the poses from which the size was found [m]."""
    notes: tuple[str, ...] = ()
    """What was strange."""


@dataclass(frozen=True)
class FittedMotion:
    """What becomes of a recording."""

    time: Float[np.ndarray, " time"]
    q: Float[np.ndarray, "time nq"]
    contact: Bool[np.ndarray, "time 4"]
    """Right heel, right toes, left heel, left toes on the floor."""
    valid: Bool[np.ndarray, " time"]
    error: Float[np.ndarray, "time marker"]
    """Distances from the measured points [m]; NaN where there are none."""
    speed: float
    """Of the treadmill that was undone [m/s]; 0 on firm ground."""


def opened(generic: ModelSpec) -> ModelSpec:
    """The body with joints that move as far as people's do, and toes that bend: a stiff foot cannot push off from the floor."""

    def moving(coordinate: Coordinate) -> Coordinate:
        name = plain(coordinate.name)
        if name not in RANGES:
            return coordinate
        low, high = np.radians(RANGES[name])
        return replace(coordinate, range=(float(low), float(high)), locked=False)

    return replace(generic, joints=tuple(replace(j, coordinates=tuple(moving(c) for c in j.coordinates)) for j in generic.joints))


@cache
def generic_body() -> Model:
    """The unscaled body of the corpus, compiled: opened joints, the anatomy's keypoints for markers, no muscles."""
    spec = opened(replace(load_body(), muscles=(), wraps=()))
    return compile_model(spec.with_markers(load_anatomy().anchors_on(spec)))


def fit_person(recordings: list[Recording], points: tuple[Point, ...], generic: ModelSpec, anatomy: Anatomy) -> Person:
    """Size of a person's segments and the places of the points, from poses spread over the recordings.

    Raises InputError when the recordings share too few points with the table.
    """
    measured = {name for r in recordings for name in r.markers.names}
    if len(measured & {p.name for p in points}) < 6:
        raise InputError(f"{recordings[0].key}: fewer than 6 of its points are known to lie on our body")
    spec = body_with(generic, points)
    model = compile_model(spec)
    described, segments = anatomy.segments_of(model)
    height = next((r.height for r in recordings if r.height), None)
    common = 0.0 if height is None else float(np.log(height / stature_of(generic, anatomy, np.ones((len(model.body_names), 3)))))
    whole = np.full((len(model.body_names), 3), np.exp(common))
    rough = _with_plain_numbers(spec, scale_model(model, jnp.asarray(whole), 1.0), whole)
    sizes = Sizes(
        common=common,
        common_sigma=SIZE_SIGMA if height is None else KNOWN_SIGMA,
        segment=np.zeros(len(described)),
        segment_sigma=np.array([s.spread for s in described]),
    )
    evidence = _evidence(recordings, rough, model, points, anatomy)
    found = calibrate(model, segments, sizes, places_of(points), evidence, _habits(model, anatomy))
    scaled = scale_model(model, jnp.asarray(found.factors), 1.0)
    shift = found.location - np.asarray(scaled.marker_location)
    if pairs := _exchanged(points, found.location, np.asarray(scaled.marker_location)):
        right = {points[i].name: points[j] for pair in pairs for i, j in (pair, pair[::-1])}
        mended = tuple(replace(p, location=right[p.name].location) if p.name in right else p for p in points)
        told = tuple(f"{recordings[0].key}: {points[i].name} and {points[j].name} are exchanged" for i, j in pairs)
        person = fit_person(recordings, mended, generic, anatomy)
        return replace(person, notes=(*told, *person.notes))
    placed = eqx.tree_at(lambda m: m.marker_location, scaled, jnp.asarray(found.location))
    sized = _with_plain_numbers(spec, placed, found.factors)
    markers = tuple(replace(m, location=(float(x), float(y), float(z))) for m, (x, y, z) in zip(spec.markers, found.location, strict=True))
    return Person(
        spec=sized.with_markers(markers),
        model=placed,
        factors=found.factors,
        stature=stature_of(generic, anatomy, found.factors),
        sigma={p.name: p.sigma for p in points},
        shift={p.name: (float(x), float(y), float(z)) for p, (x, y, z) in zip(points, shift, strict=True)},
        rms=float(np.sqrt(np.nanmean(found.error**2))),
    )


def _with_plain_numbers(spec: ModelSpec, model: Model, factors: Float[np.ndarray, "body 3"]) -> ModelSpec:
    """`with_numbers` of arrays that are quick to pick numbers from."""
    return with_numbers(spec, jax.tree.map(np.asarray, model), cast("Array", factors))


def _exchanged(
    points: tuple[Point, ...], found: Float[np.ndarray, "marker 3"], usual: Float[np.ndarray, "marker 3"]
) -> list[tuple[int, int]]:
    """Pairs of points on one body that are each nearer to the other's usual place: names that were exchanged."""
    away = np.linalg.norm(found[:, None] - usual[None], axis=-1)
    far = [i for i in range(len(points)) if away[i, i] > FAR]
    pairs = [(i, j) for i in far for j in far if i < j and points[i].body == points[j].body]
    return [(i, j) for i, j in pairs if away[i, j] + away[j, i] < 0.6 * (away[i, i] + away[j, j])]


def stature_of(generic: ModelSpec, anatomy: Anatomy, factors: Float[np.ndarray, "body 3"]) -> float:
    """Height of the stretched body in the neutral posture [m]."""
    ends = tuple(a for a in anatomy.anchors if a.name in ("head_top", "sole_r"))
    model = scale_model(compile_model(replace(generic, muscles=(), wraps=()).with_markers(ends)), jnp.asarray(factors), 1.0)
    at = marker_positions(model, forward_kinematics(model, complete(model, model.coordinate_default)))
    top, sole = (model.marker_names.index(name) for name in ("head_top", "sole_r"))
    return float(at[top, 1] - at[sole, 1])


def _habits(model: Model, anatomy: Anatomy) -> Float[np.ndarray, " nq"]:
    return np.array([anatomy.habit(name).mean for name in model.coordinate_names])


def _first_search(markers: Markers, spec: ModelSpec, sigma: dict[str, float], anatomy: Anatomy) -> Float[np.ndarray, "time nq"]:
    """Poses frame by frame; what no point shows stays near its habit."""
    tasks = {name: Task((0.01 / sigma[name]) ** 2) for name in markers.names if name in sigma}
    joints = [c.name for c in spec.coordinates if not c.name.startswith("pelvis_") and not c.locked and not c.name.endswith("_beta")]
    habits = {name: Task(HABIT_TASK, anatomy.habit(name).mean) for name in joints}
    return track(markers, spec, marker_tasks=tasks, coordinate_tasks=habits).motion.q


def _thinned(markers: Markers, frames: slice) -> Markers:
    return replace(markers, time=markers.time[frames], xyz=markers.xyz[frames], sigma=markers.sigma[frames])


def _ordered(markers: Markers, names: tuple[str, ...], sigma: dict[str, float]) -> tuple[np.ndarray, np.ndarray]:
    """Positions and uncertainties in the model's order; inf where a marker was not measured."""
    xyz, spread = np.zeros((len(markers.time), len(names), 3)), np.full((len(markers.time), len(names)), np.inf)
    for k, name in enumerate(names):
        if name in markers.names:
            i = markers.names.index(name)
            there = np.isfinite(markers.sigma[:, i]) & np.isfinite(markers.xyz[:, i]).all(-1)
            xyz[:, k] = np.where(there[:, None], markers.xyz[:, i], 0.0)
            spread[:, k] = np.where(there, sigma[name], np.inf)
    return xyz, spread


def _evidence(recordings: list[Recording], rough: ModelSpec, model: Model, points: tuple[Point, ...], anatomy: Anatomy) -> Evidence:
    """Poses spread over some of the recordings, with the feet that stand still."""
    sigma = {p.name: p.sigma for p in points}
    long = [r for r in recordings if r.markers.time[-1] - r.markers.time[0] > SHORTEST]
    if not long:
        raise InputError(f"{recordings[0].key}: no recording of this person is longer than {SHORTEST:g} s: too short to fit")
    chosen = [long[i] for i in sorted({int(i) for i in np.linspace(0, len(long) - 1, CLIPS)})]
    compiled = compile_model(rough)
    position, spread, planted, start = [], [], [], []
    for recording in chosen:
        markers = at_rate(recording.markers, RATE)
        # From an even frame on: of slow recordings the odd ones are empty.
        first = max(0, (len(markers.time) - WINDOW) // 4 * 2)
        thin = _thinned(markers, slice(first, first + WINDOW, THIN))
        q = _first_search(thin, rough, sigma, anatomy)
        xyz, far = _ordered(thin, model.marker_names, sigma)
        standing, level = _standing(compiled, q, thin.time)
        if recording.treadmill:
            standing[:] = 0.0
        xyz[..., 1] -= level
        q[:, compiled.coordinate("pelvis_ty")] -= level
        enough = np.isfinite(far).sum(1) >= 0.6 * np.isfinite(far).any(0).sum()
        for rows, values in ((position, xyz), (spread, far), (planted, standing), (start, q)):
            rows.append(values[enough])
    rows = [np.concatenate(values) for values in (position, spread, planted, start)]
    picked = np.linspace(0, len(rows[0]) - 1, POSES).round().astype(int)
    return Evidence(*(values[picked] for values in rows), robust=ROBUST.get(recordings[0].points, ROBUST_MARKERS))


def _standing(
    model: Model, q: Float[np.ndarray, "time nq"], thin: Float[np.ndarray, " time"]
) -> tuple[Float[np.ndarray, "time contact"], float]:
    """Which sole points stand on the floor, and how high it seems to be, before the feet are known well [m]."""
    fine = np.arange(thin[0], thin[-1] + 1e-9, 1.0 / RATE)
    sole = smooth_path.soles(model, np.stack([np.interp(fine, thin, q[:, i]) for i in range(q.shape[1])], -1))
    level = floor_height(sole, RATE)
    planted = planted_beliefs(sole - np.array([0.0, level, 0.0]), RATE, lenient=1.2)
    # Of a foot that stands on a box the height says nothing of the floor.
    planted = np.where(np.abs(sole[..., 1] - level) < LEVEL, planted, 0.0)
    return planted[np.clip(np.round((thin - thin[0]) * RATE).astype(int), 0, len(fine) - 1)], level


def fit_clip(recording: Recording, person: Person, anatomy: Anatomy) -> FittedMotion:
    """The motion of a recording in the person's body, 60 frames a second, on a floor at height 0, a treadmill's belt standing still.

    Raises InputError when the recording has too few points.
    """
    markers = at_rate(recording.markers, RATE)
    if markers.time[-1] - markers.time[0] <= SHORTEST:
        raise InputError(f"{recording.key} lasts {markers.time[-1] - markers.time[0]:.2f} s: too short to fit")
    xyz, sigma = _ordered(markers, person.model.marker_names, person.sigma)
    thin = _thinned(markers, slice(None, None, THIN))
    q = _first_search(thin, person.spec, person.sigma, anatomy)
    for i in person.model.root:
        if person.model.rotational[i]:
            q[:, i] = np.unwrap(q[:, i])
    q = np.stack([np.interp(markers.time, thin.time, q[:, i]) for i in range(q.shape[1])], -1)
    belief = smooth_path.beliefs(person.model, anatomy, robust=ROBUST.get(recording.points, ROBUST_MARKERS))
    speed = 0.0
    weight = np.where(np.isfinite(sigma), 1.0 / np.where(np.isfinite(sigma), sigma, 1.0), 0.0)
    blank = np.zeros((len(q), len(person.model.contact_body)))
    # Until the floor's height is known, it is put where no foot can reach it.
    q, xyz = _lowered(person.model, q, xyz, float(smooth_path.soles(person.model, q)[..., 1].min()) - 0.3)
    q = smooth_path.follow(person.model, _seen(xyz, weight, blank), q, rate=RATE, belief=belief, steps=4)
    if recording.treadmill:
        speed = belt_speed(smooth_path.soles(person.model, q), RATE)
        travel = speed * (markers.time - markers.time[0])
        q, xyz = q.copy(), xyz.copy()
        q[:, person.model.coordinate("pelvis_tx")] += travel
        xyz[..., 0] += travel[:, None]
    q, xyz = _lowered(person.model, q, xyz, floor_height(smooth_path.soles(person.model, q), RATE))
    q, xyz, planted = _grounded(person, q, xyz, weight, belief)
    error = np.linalg.norm(smooth_path.points(person.model, q)[:, : xyz.shape[1]] - xyz, axis=-1)
    seen = np.isfinite(sigma)
    valid = _valid(seen, markers.time, native=1.0 / float(np.median(np.diff(recording.markers.time))))
    return FittedMotion(markers.time - markers.time[0], q, _contact(person.model, q, planted), valid, np.where(seen, error, np.nan), speed)


def _seen(xyz: np.ndarray, weight: np.ndarray, planted: np.ndarray) -> Seen:
    return Seen(jnp.asarray(xyz), jnp.asarray(weight), jnp.asarray(planted))


def _lowered(model: Model, q: np.ndarray, xyz: np.ndarray, by: float) -> tuple[np.ndarray, np.ndarray]:
    q, xyz = q.copy(), xyz.copy()
    q[:, model.coordinate("pelvis_ty")] -= by
    xyz[..., 1] -= by
    return q, xyz


def _grounded(
    person: Person, q: np.ndarray, xyz: np.ndarray, weight: np.ndarray, belief: Beliefs
) -> tuple[np.ndarray, np.ndarray, Float[np.ndarray, "time contact"]]:
    """Rounds in which the planted soles and the floor are found anew, and the motion follows."""
    planted = np.zeros((len(q), len(person.model.contact_body)))
    for lenient, steps in ((1.4, 4), (1.0, 4)):
        sole = smooth_path.soles(person.model, q)
        q, xyz = _lowered(person.model, q, xyz, floor_height(sole, RATE))
        planted = planted_beliefs(smooth_path.soles(person.model, q), RATE, lenient=lenient)
        q = smooth_path.follow(person.model, _seen(xyz, weight, planted), q, rate=RATE, belief=belief, steps=steps)
    return q, xyz, planted


def floor_height(sole: Float[np.ndarray, "time contact 3"], rate: float) -> float:
    """Height at which sole points stand still [m]: the lowest place where many do; of the lowest points where none stands still."""
    speed = np.linalg.norm(np.gradient(sole, 1.0 / rate, axis=0), axis=-1)
    lowest = sole[..., 1].min(1)
    still = (speed < 0.3) & (sole[..., 1] < np.quantile(lowest, 0.25) + 0.05)
    if still.sum() < 0.05 * len(sole):
        return float(np.quantile(lowest, 0.05))
    return float(np.median(sole[..., 1][still]))


def belt_speed(sole: Float[np.ndarray, "time contact 3"], rate: float) -> float:
    """Speed at which low soles move backwards [m/s]: that of a treadmill's belt along X."""
    velocity = np.gradient(sole[..., 0], 1.0 / rate, axis=0)
    level = np.quantile(sole[..., 1], 0.03)
    return -float(np.median(velocity[sole[..., 1] < level + 0.015]))


def _contact(model: Model, q: np.ndarray, planted: Float[np.ndarray, "time contact"]) -> Bool[np.ndarray, "time 4"]:
    """Right heel, right toes, left heel, left toes: planted, and near the floor."""
    near = (planted > 0.5) & (smooth_path.soles(model, q)[..., 1] < 0.03)
    columns = []
    for side in ("_r", "_l"):
        foot = [i for i, b in enumerate(model.contact_body) if model.body_names[b].endswith(side)]
        place = np.asarray(model.contact_location)[foot, 0]
        heel = foot[int(np.argmin(np.where([model.body_names[model.contact_body[i]].startswith("calcn") for i in foot], place, np.inf)))]
        columns += [near[:, heel], near[:, [i for i in foot if i != heel]].any(1)]
    return np.stack(columns, -1)


def _valid(seen: Bool[np.ndarray, "time marker"], time: Float[np.ndarray, " time"], native: float) -> Bool[np.ndarray, " time"]:
    """Frames that lie in no long stretch without points."""
    enough = seen.sum(1) >= 0.5 * seen.any(0).sum()
    known = np.flatnonzero(enough)
    if len(known) == 0:
        return np.zeros(len(time), bool)
    after = known[np.minimum(np.searchsorted(known, np.arange(len(time))), len(known) - 1)]
    before = known[np.maximum(np.searchsorted(known, np.arange(len(time)), side="right") - 1, 0)]
    outside = (np.arange(len(time)) < known[0]) | (np.arange(len(time)) > known[-1])
    return (time[after] - time[before] < max(GAP, 1.5 / native)) & ~outside
