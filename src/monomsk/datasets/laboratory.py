"""Laboratory trials: markers, force plates and what `trials.csv` says of the person."""

import csv
import gzip
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import Float

from monomsk.datasets.recording import Recording, Split
from monomsk.errors import FormatError, ModelError
from monomsk.io import arrays_npz, osim_read
from monomsk.model.spec import ModelSpec
from monomsk.types import Markers

MISSING = -32768
"""What stands for a marker that was not seen."""
LOWER_BODY = ("rbds_fukuchi2017_running", "camargo2021")
"""Sources without a marker above the pelvis."""
NEVER_TRAIN = ("OC4",)
"""People who are for development only, whatever a table says."""
COLUMNS = ("file", "split", "person", "trial", "activity", "mass_kg", "height_m", "model", "source", "licence", "commercial_use")


@dataclass(frozen=True)
class Row:
    """A line of `trials.csv`."""

    file: str
    split: Split
    person: str
    trial: str
    activity: str
    mass: float | None
    height: float | None
    model: str
    """Path of the person's scaled model beside the table; empty for none."""
    source: str
    licence: str
    commercial_use: bool


@dataclass(frozen=True)
class Plates:
    """What force plates measured."""

    time: Float[np.ndarray, " time"]
    force: Float[np.ndarray, "time plate 3"]
    """On the person [N]."""
    cop: Float[np.ndarray, "time plate 3"]
    """Centre of pressure [m]."""
    moment: Float[np.ndarray, "time plate 3"]
    """Free moment [N·m]."""


def read_table(path: Path) -> tuple[Row, ...]:
    """The trials of a folder's `trials.csv`. Raises FormatError when it is missing or a line cannot be right."""
    try:
        with open(path, newline="", encoding="utf-8") as file:
            lines = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise FormatError(f"{path} is not a table of trials ({error})") from error
    if not lines or (missing := [c for c in COLUMNS if c not in lines[0]]):
        raise FormatError(f"{path} has no trials" if not lines else f"{path} has no column {missing[0]!r}")
    return tuple(_row(path, number, line) for number, line in enumerate(lines, 2))


def _row(path: Path, number: int, line: dict[str, str]) -> Row:
    """One line. Raises FormatError."""
    try:
        mass, height = (float(line[name]) if line[name] else None for name in ("mass_kg", "height_m"))
    except (ValueError, TypeError) as error:
        raise FormatError(f"{path}, line {number}: mass or height is not a number ({error})") from error
    if line["split"] not in ("train", "dev") or line["commercial_use"] not in ("yes", "no") or not line["person"]:
        raise FormatError(f"{path}, line {number}: split is train or dev, commercial_use yes or no, and a person has a name")
    split: Split = "dev" if line["split"] == "dev" or line["person"] in NEVER_TRAIN else "train"
    person, trial, activity = (line[name] for name in ("person", "trial", "activity"))
    commercial = line["commercial_use"] == "yes"
    return Row(line["file"], split, person, trial, activity, mass, height, line["model"], line["source"], line["licence"], commercial)


def read_markers(path: Path) -> Markers:
    """Markers of a trial, ground frame [m]. Raises FormatError when the file is not one."""
    data = _read(path, ("marker_names", "marker_time", "marker_xyz", "marker_resolution", "marker_origin"))
    raw, stamp = data["marker_xyz"], data["marker_time"].astype(float)
    names = tuple(str(name).replace(" ", "_") for name in data["marker_names"])
    if raw.ndim != 3 or raw.shape[1:] != (len(names), 3) or stamp.shape != (3,) or int(stamp[2]) != len(raw) or len(raw) < 2:
        raise FormatError(f"{path}: {len(names)} marker names, {raw.shape} places and {stamp[-1:]} frames do not fit each other")
    if not stamp[1] > 0.0:
        raise FormatError(f"{path}: a marker rate of {stamp[1]:g} Hz")
    seen = (raw != MISSING).all(-1)
    xyz = raw * data["marker_resolution"].astype(float) + data["marker_origin"].astype(float)
    time = stamp[0] + np.arange(len(raw)) / stamp[1]
    return Markers(time, names, np.where(seen[..., None], xyz, 0.0), np.where(seen, 0.005, np.inf))


def read_plates(path: Path) -> Plates:
    """Force plates of a trial. Raises FormatError when the file is not one."""
    data = _read(path, ("force_time", "force", "cop", "moment"))
    begin, rate, count = data["force_time"].astype(float)
    force, cop, moment = (np.nan_to_num(data[name].astype(float)) for name in ("force", "cop", "moment"))
    if not (len(force) == int(count) and force.shape == cop.shape == moment.shape and force.ndim == 3 and rate > 0.0):
        raise FormatError(f"{path}: force plates of {force.shape}, {cop.shape} and {moment.shape} do not fit each other")
    return Plates(begin + np.arange(int(count)) / rate, force, cop, moment)


def read_angles(path: Path) -> tuple[Float[np.ndarray, " time"], tuple[str, ...], Float[np.ndarray, "time nq"]]:
    """Times, names and values of the coordinates of the person's own model, in that model's units; none where the source has none.

    Raises FormatError.
    """
    data = _read(path, ())
    if "q" not in data:
        return np.zeros(0), (), np.zeros((0, 0))
    return data["q_time"].astype(float), tuple(map(str, data["q_names"])), data["q"].astype(float)


def _read(path: Path, needed: tuple[str, ...]) -> dict[str, np.ndarray]:
    data = arrays_npz.read(path)
    if missing := [name for name in needed if name not in data]:
        raise FormatError(f"{path} has no array {missing[0]!r}; it is not a laboratory trial")
    return data


def read_model(path: Path) -> ModelSpec:
    """A person's scaled model, .osim.gz, without muscles. Raises ModelError when it cannot be read."""
    try:
        text = gzip.decompress(path.read_bytes())
    except (OSError, EOFError) as error:
        raise ModelError(f"{path} is not a packed model ({error})") from error
    with tempfile.TemporaryDirectory(prefix="monomsk-") as folder:
        plain = Path(folder) / path.name.removesuffix(".gz")
        plain.write_bytes(text)
        return replace(osim_read.read(plain), muscles=(), wraps=())


def recording(root: Path, row: Row) -> Recording:
    """A trial as the corpus wants it. Raises FormatError."""
    return Recording(
        source=row.source,
        person=row.person,
        name=row.trial,
        activity=row.activity,
        licence=row.licence,
        commercial_use=row.commercial_use,
        split=row.split,
        markers=read_markers(root / row.file),
        points=str(root / row.model) if row.model else "plug_in_gait",
        height=row.height,
        mass=row.mass,
        treadmill="treadmill" in row.activity or row.source == "opensim_models",
        lower_body=row.source in LOWER_BODY,
    )
