"""Making the corpus: which clips there are, whose they are, and fitting those that are not done yet."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from functools import cache
from importlib import resources
from multiprocessing import get_context
from pathlib import Path

import equinox as eqx
import numpy as np
from jaxtyping import Array, Bool, Float

from monomsk.datasets import corpus, laboratory
from monomsk.datasets.augment import straightened
from monomsk.datasets.corpus import MotionClip, Origin
from monomsk.datasets.fitting import FittedMotion, Person, fit_clip, fit_person, generic_body, opened
from monomsk.datasets.mocap import SOURCES, read_mocap
from monomsk.datasets.points import Point, points_of_model, tables
from monomsk.datasets.procedural import KINDS, procedural_clip, procedural_person
from monomsk.datasets.recording import Recording
from monomsk.errors import FormatError, InputError, MonomskError
from monomsk.io.body import load_anatomy, load_body
from monomsk.model.model import Model
from monomsk.model.sides import plain
from monomsk.physics.forward_kinematics import forward_kinematics, marker_positions
from monomsk.physics.jacobian import point_jacobian

WORST = 0.05
"""A clip whose points are further from the body than this on average [m] is not the motion of a person, and is left out."""
SHOWN = 0.03
"""A coordinate is measured where it moves a point by as much [m/rad]."""
BENT = {"acclaim": np.radians(12.0), "bandai": np.radians(10.0)}
"""By how much legs are bent in a source's skeletons when people stand straight [rad]; see docs/training.md."""
BODY = ("data/body/anatomy.toml", "data/body/monomsk_body.osim")
INGREDIENTS = (
    *(f"datasets/{stem}.py" for stem in ("fitting", "points", "recording", "mocap", "laboratory")),
    *("kinematics/calibration.py", "kinematics/smooth_path.py", "data/corpus/points.toml", *BODY),
)
"""What a fitted clip depends on."""
MADE_OF = (
    *(f"datasets/{stem}.py" for stem in ("procedural", "performer", "plan", "augment")),
    *(f"datasets/{stem}.py" for stem in ("steps", "bearing", "gaits", "runs", "balance")),
    *BODY,
)
"""What a made-up clip depends on."""


@dataclass(frozen=True)
class Unit:
    """Recordings that share a person and where the points lie."""

    recordings: tuple[Recording, ...]
    points: tuple[Point, ...]

    @property
    def key(self) -> str:
        """Name for progress and for messages."""
        first = self.recordings[0]
        return f"{first.source} {first.person}"


@dataclass(frozen=True)
class MadeUp:
    """Movements that no one was recorded doing."""

    kind: str
    seeds: tuple[int, ...]

    @property
    def key(self) -> str:
        """Name for progress and for messages."""
        return f"procedural {self.kind}"


Job = Unit | MadeUp


@dataclass(frozen=True)
class Outcome:
    """What became of a recording."""

    key: str
    clip: MotionClip | None
    """None for one that could not be used."""
    trouble: str = ""
    """What was wrong, or strange."""


@cache
def recipe(ingredients: tuple[str, ...] = INGREDIENTS) -> str:
    """A short text that changes whenever the clips made of these files would."""
    digest = hashlib.sha256(b"".join(resources.files("monomsk").joinpath(name).read_bytes() for name in ingredients))
    return digest.hexdigest()[:12]


def find_units(root: Path) -> tuple[list[Unit], list[str]]:
    """Everything that can be fitted under a folder of data (mocap/*.npz, kinetics/trials.csv), and what could not be read.

    Raises InputError when there is nothing at all.
    """
    found, troubles = list[Recording](), list[str]()
    for source in SOURCES:
        path = root / "mocap" / source.file
        if path.exists():
            troubles += _collect(found, lambda path=path, source=source: read_mocap(path, source))
    table = root / "kinetics" / "trials.csv"
    if table.exists():
        for row in laboratory.read_table(table):
            troubles += _collect(found, lambda row=row: iter([laboratory.recording(table.parent, row)]))
    if not found:
        names = ", ".join(f"mocap/{s.file}" for s in SOURCES)
        why = "".join(f"; {t}" for t in troubles[:1])
        raise InputError(f"{root} holds no motion data that can be read: {names} or kinetics/trials.csv{why}")
    groups: dict[tuple[str, str, str], list[Recording]] = {}
    for r in found:
        groups.setdefault((r.source, r.person, r.points), []).append(r)
    units = list[Unit]()
    for group in groups.values():
        try:
            measured = {n for r in found if r.source == group[0].source for n in r.markers.names}
            units.append(Unit(tuple(group), tuple(p for p in points_for(group[0].points) if p.name in measured)))
        except MonomskError as error:
            troubles.append(str(error))
    return units, troubles


def _collect(found: list[Recording], read: Callable[[], Iterator[Recording]]) -> list[str]:
    """Read into `found`; what went wrong."""
    try:
        found.extend(read())
    except MonomskError as error:
        return [str(error)]
    return []


def points_for(name: str) -> tuple[Point, ...]:
    """A table of points by name, or the markers of a person's own model by its path. Raises ModelError and InputError."""
    known = tables()
    return known[name] if name in known else points_of_model(laboratory.read_model(Path(name)), load_body())


def build(jobs: Iterable[Job], folder: Path, *, workers: int, tell: Callable[[Job, list[Outcome]], None]) -> list[Outcome]:
    """Make every clip that is not in the folder yet; `tell` is called after each job. Troubles are told, not raised.

    Raises OutputError when the folder cannot be written.
    """
    outcomes = list[Outcome]()
    if workers <= 1:
        for job in jobs:
            made = do(job, folder)
            tell(job, made)
            outcomes += made
        return outcomes
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        waiting = {pool.submit(do, job, folder): job for job in jobs}
        for done in as_completed(waiting):
            made = done.result()
            tell(waiting[done], made)
            outcomes += made
    return outcomes


def do(job: Job, folder: Path) -> list[Outcome]:
    """One job. Raises OutputError."""
    return fit_unit(job, folder) if isinstance(job, Unit) else make_up(job, folder)


def made_up_jobs(count: int) -> list[MadeUp]:
    """So many movements of every kind, ten to a job: one person's."""
    return [MadeUp(kind, tuple(range(low, min(low + 10, count)))) for kind in KINDS for low in range(0, count, 10)]


def make_up(job: MadeUp, folder: Path) -> list[Outcome]:
    """Make movements and write their clips; what is done already is read. Raises OutputError."""
    outcomes = list[Outcome]()
    for seed in job.seeds:
        key = corpus.key_of("procedural", procedural_person(seed), f"{job.kind}_{seed:04d}")
        if not corpus.is_done(folder, key, recipe(MADE_OF)):
            corpus.write_clip(folder, procedural_clip(job.kind, seed, generic_body(), load_anatomy()), recipe(MADE_OF))
        outcomes.append(Outcome(key, corpus.read_clip(folder / "clips" / f"{key}.npz")))
    return outcomes


def fit_unit(unit: Unit, folder: Path) -> list[Outcome]:
    """Fit the recordings of a person and write their clips; what is done already is read."""
    outcomes, person = list[Outcome](), None
    for recording in unit.recordings:
        key = corpus.key_of(recording.source, recording.person, recording.name)
        if corpus.is_done(folder, key, recipe()):
            outcomes.append(Outcome(key, corpus.read_clip(folder / "clips" / f"{key}.npz")))
            continue
        try:
            person = person or fit_person(list(unit.recordings), unit.points, opened(load_body()), load_anatomy())
            clip = clip_of(recording, person, fit_clip(recording, person, load_anatomy()))
        except (InputError, FormatError) as error:
            outcomes.append(Outcome(key, None, str(error)))
            continue
        if not clip.error["all"] <= WORST:
            outcomes.append(Outcome(key, None, f"{key}: its points stay {1000.0 * clip.error['all']:.0f} mm from the body; left out"))
            continue
        corpus.write_clip(folder, clip, recipe())
        outcomes.append(Outcome(key, clip, "; ".join(person.notes)))
    return outcomes


def clip_of(recording: Recording, person: Person, fitted: FittedMotion) -> MotionClip:
    """The clip of a fitted recording."""
    origin = Origin(
        source=recording.source,
        person=recording.person,
        name=recording.name,
        activity=recording.activity,
        split=corpus.split_of(recording.person, recording.split),
        licence=recording.licence,
        commercial_use=recording.commercial_use,
    )
    q = fitted.q.copy()
    start = [person.model.coordinate(name) for name in ("pelvis_tx", "pelvis_tz")]
    q[:, start] -= q[0, start]
    clip = MotionClip(
        origin=origin,
        names=person.model.coordinate_names,
        bodies=person.model.body_names,
        time=fitted.time,
        q=q.astype(np.float32),
        contact=fitted.contact,
        valid=fitted.valid,
        measured=measured_coordinates(person.model, fitted.error),
        factors=person.factors,
        stature=person.stature,
        mass=np.nan if recording.mass is None else recording.mass,
        error=errors_by_body(person, fitted.error),
    )
    return straightened(clip, generic_body(), BENT[recording.points]) if recording.points in BENT else clip


def measured_coordinates(model: Model, error: Float[np.ndarray, "time marker"]) -> Bool[np.ndarray, " nq"]:
    """Which coordinates move a point that was seen, in the neutral pose with bent elbows and knees."""
    bent = np.array([0.8 if n.startswith(("elbow", "knee_angle")) else 0.0 for n in model.coordinate_names])
    moves = np.linalg.norm(np.asarray(_slopes(model, model.coordinate_default + bent)), axis=1)
    seen = np.isfinite(error).mean(0) > 0.2
    shown = (moves[seen].max(axis=0, initial=0.0) > SHOWN) & ~np.array(model.locked)
    shown[list(model.dependent)] = shown[list(model.independent)]
    return shown


@eqx.filter_jit
def _slopes(model: Model, q: Float[Array, " nq"]) -> Float[Array, "marker 3 nq"]:
    poses = forward_kinematics(model, q)
    return point_jacobian(model, poses, model.marker_body, marker_positions(model, poses))


def errors_by_body(person: Person, error: Float[np.ndarray, "time marker"]) -> dict[str, float]:
    """RMS distances [m] of the points on each body, both sides together, and of all."""
    squares = error**2
    bodies = np.array([plain(person.model.body_names[b]) for b in person.model.marker_body])
    found = {"all": float(np.sqrt(np.nanmean(squares)))} if np.isfinite(squares).any() else {"all": float("inf")}
    for name in corpus.REGIONS:
        part = squares[:, bodies == name]
        if np.isfinite(part).any():
            found[name] = float(np.sqrt(np.nanmean(part)))
    return found
