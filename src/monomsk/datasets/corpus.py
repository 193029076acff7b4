"""The corpus of motions: a folder with an .npz a clip and an index, all of them in the coordinates of one body."""

import csv
import hashlib
import io
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float

from monomsk.datasets.recording import Split
from monomsk.errors import FormatError
from monomsk.io import arrays_npz
from monomsk.io.atomic import write_text
from monomsk.model.model import Model
from monomsk.model.scale import scale_model

INDEX = "index.csv"
CONTACTS = ("heel_r", "toes_r", "heel_l", "toes_l")
TEST_SHARE = 0.25
"""Of the people whose source assigns them nowhere, held out for tests."""
REGIONS = ("pelvis", "torso", "femur", "tibia", "talus", "calcn", "toes", "humerus", "ulna", "radius", "hand")
"""Bodies, without the side, whose points' errors the index keeps."""


@dataclass(frozen=True)
class Origin:
    """Where a clip comes from and what may be done with it."""

    source: str
    person: str
    name: str
    activity: str
    split: Split
    licence: str
    commercial_use: bool


@dataclass(frozen=True)
class MotionClip:
    """A stretch of motion of one person in the coordinates of the shipped body, on a floor at height 0."""

    origin: Origin
    names: tuple[str, ...]
    """Coordinates, in the model's order."""
    bodies: tuple[str, ...]
    """Bodies, in the model's order."""
    time: Float[np.ndarray, " time"]
    """Uniform, from 0 [s]."""
    q: Float[np.ndarray, "time nq"]
    """[rad, m], float32. Heels and toes move too, which the shipped body keeps stiff."""
    contact: Bool[np.ndarray, "time 4"]
    """Whether heel and toes stand on the floor: `CONTACTS`."""
    valid: Bool[np.ndarray, " time"]
    """Frames that were measured, or bridged over less than a quarter of a second."""
    measured: Bool[np.ndarray, " nq"]
    """Coordinates that the source shows; the others hold a usual posture (the upper body of trials without markers on it)."""
    factors: Float[np.ndarray, "body 3"]
    """Stretch of every body along its axes."""
    stature: float
    """Of the stretched body in the neutral posture, without shoes [m]."""
    mass: float
    """[kg]; NaN where the source does not say it."""
    error: dict[str, float]
    """RMS distance from the source's points [m], by body without the side; and of all, `all`. Empty where there was no source."""

    @property
    def rate(self) -> float:
        """Frames per second [Hz]."""
        return 1.0 / float(self.time[1] - self.time[0])

    @property
    def key(self) -> str:
        """Name of the clip's file, without its ending."""
        return key_of(self.origin.source, self.origin.person, self.origin.name)

    def body(self, generic: Model, mass: float | None = None) -> Model:
        """The compiled generic body in the person's size; its own mass [kg] where neither the clip nor the caller knows one."""
        known = mass if mass is not None else (self.mass if np.isfinite(self.mass) else float(generic.mass.sum()))
        return scale_model(generic, jnp.asarray(self.factors), known)


def key_of(source: str, person: str, name: str) -> str:
    """A text that no other clip has, fit for a file's name."""
    return "".join(c if c.isalnum() or c in "-_." else "-" for c in f"{source}__{person}__{name}")


def split_of(person: str, given: Split | None) -> Split:
    """Where a person's clips belong. Equals itself on every machine and whatever else is in the corpus."""
    if given is not None:
        return given
    share = int.from_bytes(hashlib.sha256(person.encode()).digest()[:4], "big") / 2**32
    return "test" if share < TEST_SHARE else "train"


def write_clip(folder: Path, clip: MotionClip, recipe: str) -> None:
    """Write `clips/KEY.npz`. `recipe` says how it was made, see `is_done`. Raises OutputError."""
    (folder / "clips").mkdir(parents=True, exist_ok=True)
    arrays = {
        "q": clip.q.astype(np.float32),
        "rate": np.array(clip.rate),
        "contact": clip.contact,
        "valid": clip.valid,
        "measured": clip.measured,
        "factors": clip.factors,
        "names": np.array(clip.names),
        "bodies": np.array(clip.bodies),
        "size": np.array([clip.stature, clip.mass]),
        "about": np.array(json.dumps({"origin": asdict(clip.origin), "error": clip.error, "recipe": recipe})),
    }
    arrays_npz.write(folder / "clips" / f"{clip.key}.npz", arrays)


def is_done(folder: Path, key: str, recipe: str) -> bool:
    """Whether a clip is there, whole and made by the same recipe."""
    path = folder / "clips" / f"{key}.npz"
    if not path.is_file():
        return False
    try:
        return _about(path, arrays_npz.read(path)).get("recipe") == recipe
    except FormatError:
        return False


def read_clip(path: Path) -> MotionClip:
    """A clip, with everything checked. Raises FormatError, one line that says what is wrong."""
    data = arrays_npz.read(path)
    about = _about(path, data)
    needed = {"q", "rate", "contact", "valid", "measured", "factors", "names", "bodies", "size"}
    if missing := sorted(needed - set(data)):
        raise FormatError(f"{path} has no array {missing[0]!r}; make the corpus again")
    q, names, bodies = data["q"], tuple(map(str, data["names"])), tuple(map(str, data["bodies"]))
    frames = len(q)
    shapes = {
        "q": (frames, len(names)),
        "contact": (frames, len(CONTACTS)),
        "valid": (frames,),
        "measured": (len(names),),
        "factors": (len(bodies), 3),
        "size": (2,),
        "rate": (),
    }
    for name, shape in shapes.items():
        if data[name].shape != shape:
            raise FormatError(f"{path}: array {name!r} is {data[name].shape}, and should be {shape}; make the corpus again")
    if frames < 2 or not np.isfinite(q).all() or not np.isfinite(data["factors"]).all() or not (data["factors"] > 0.0).all():
        raise FormatError(f"{path}: {frames} frames, or values that are not numbers; make the corpus again")
    try:
        origin = Origin(**about["origin"])
        error = {str(k): float(v) for k, v in about["error"].items()}
    except (KeyError, TypeError, ValueError, AttributeError) as problem:
        raise FormatError(f"{path} does not say where it comes from ({problem}); make the corpus again") from problem
    if origin.split not in ("train", "dev", "test"):
        raise FormatError(f"{path}: split {origin.split!r} is not train, dev or test")
    time = np.arange(frames) / float(data["rate"])
    stature, mass = (float(v) for v in data["size"])
    contact, valid, measured = (data[name].astype(bool) for name in ("contact", "valid", "measured"))
    factors = data["factors"].astype(float)
    return MotionClip(origin, names, bodies, time, q, contact, valid, measured, factors, stature, mass, error)


def _about(path: Path, data: dict[str, np.ndarray]) -> dict[str, Any]:
    """What the file says of itself. Raises FormatError."""
    try:
        about = json.loads(str(data["about"]))
    except (KeyError, ValueError) as error:
        raise FormatError(f"{path} is not a clip of a corpus ({error})") from error
    if not isinstance(about, dict):
        raise FormatError(f"{path} is not a clip of a corpus")
    return about


@dataclass(frozen=True)
class Entry:
    """A line of the index."""

    file: str
    source: str
    person: str
    name: str
    activity: str
    split: Split
    licence: str
    commercial_use: bool
    seconds: float
    frames: int
    stature: float
    mass: float
    error_mm: float


def entry_of(clip: MotionClip) -> Entry:
    """The clip's line."""
    o = clip.origin
    return Entry(
        *(f"clips/{clip.key}.npz", o.source, o.person, o.name, o.activity, o.split, o.licence, o.commercial_use),
        seconds=round(len(clip.time) / clip.rate, 3),
        frames=len(clip.time),
        stature=round(clip.stature, 4),
        mass=round(clip.mass, 2),
        error_mm=round(1000.0 * clip.error.get("all", 0.0), 1),
    )


def write_index(folder: Path, clips: Iterable[MotionClip], *, kept: Iterable[Entry] = ()) -> tuple[Entry, ...]:
    """Write `index.csv` of the clips, and of entries that are kept where no clip takes their place, by name. Raises OutputError."""
    lines = {e.file: e for e in kept} | {e.file: e for e in map(entry_of, clips)}
    entries = tuple(lines[file] for file in sorted(lines))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([f.name for f in fields(Entry)])
    for values in (asdict(e).values() for e in entries):
        writer.writerow([("no", "yes")[v] if isinstance(v, bool) else v for v in values])
    write_text(folder / INDEX, text.getvalue())
    return entries


def read_index(folder: Path) -> tuple[Entry, ...]:
    """The index of a corpus. Raises FormatError when it is missing or a line cannot be right, or people are in two splits."""
    path = folder / INDEX
    try:
        with open(path, newline="", encoding="utf-8") as file:
            lines = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise FormatError(f"{path} is not the index of a corpus ({error}); make one with monomsk corpus") from error
    entries = tuple(_entry(path, number, line) for number, line in enumerate(lines, 2))
    where: dict[str, str] = {}
    for e in entries:
        if where.setdefault(e.person, e.split) != e.split:
            raise FormatError(f"{path}: person {e.person} is in {where[e.person]} and in {e.split}")
    return entries


def _entry(path: Path, number: int, line: dict[str, str]) -> Entry:
    numbers = {"seconds": float, "frames": int, "stature": float, "mass": float, "error_mm": float}
    try:
        values: dict[str, Any] = {f.name: numbers.get(f.name, str)(line[f.name]) for f in fields(Entry)}
        values["commercial_use"] = {"yes": True, "no": False}[line["commercial_use"]]
    except (KeyError, TypeError, ValueError) as error:
        raise FormatError(f"{path}, line {number} is not a clip ({error}); make the corpus again") from error
    if values["split"] not in ("train", "dev", "test"):
        raise FormatError(f"{path}, line {number}: split {values['split']!r} is not train, dev or test")
    return Entry(**values)


def read_corpus(folder: Path, *, split: Split | None = None, commercial: bool = False) -> tuple[MotionClip, ...]:
    """The clips of a corpus, or of one split; only those that may be used commercially when `commercial`. Raises FormatError."""
    wanted = [e for e in read_index(folder) if split in (None, e.split) and (e.commercial_use or not commercial)]
    return tuple(read_clip(folder / e.file) for e in wanted)
