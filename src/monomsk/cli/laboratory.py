"""What the commands for laboratory data share: markers in our axes, where results may go, and which stretch of time is meant."""

from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float

from monomsk.errors import InputError, OutputError
from monomsk.io import trc
from monomsk.types import Markers


def check_file(path: Path, *, overwrite: bool) -> None:
    """Make sure, before any work, that the file may be written. Raises OutputError when it exists or has no folder."""
    if path.exists() and not overwrite:
        raise OutputError(f"{path} exists: choose another name with --out, or --overwrite to replace it")
    if not path.absolute().parent.is_dir():
        raise OutputError(f"cannot write {path}: there is no folder {path.absolute().parent}")


def stretch(time: Float[np.ndarray, " time"], start: float | None, end: float | None) -> Bool[np.ndarray, " time"]:
    """Which times lie between start and end [s], both included. Raises InputError when none does."""
    low, high = time[0] if start is None else start, time[-1] if end is None else end
    chosen = (time >= low - 1e-9) & (time <= high + 1e-9)
    if not chosen.any():
        raise InputError(f"no frame lies between {low:g} and {high:g} s: the file lasts from {time[0]:g} to {time[-1]:g} s")
    return chosen


def read_markers(path: Path, up: Literal["y", "z"], start: float | None, end: float | None) -> Markers:
    """Markers of a .trc between two times, turned so that Y is up. Raises FormatError, and InputError when no frame is left."""
    markers = trc.read(path)
    chosen = stretch(markers.time, start, end)
    xyz = markers.xyz[chosen]
    if up == "z":
        xyz = np.stack([xyz[..., 0], xyz[..., 2], -xyz[..., 1]], axis=-1)
    return replace(markers, time=markers.time[chosen], xyz=xyz, sigma=markers.sigma[chosen])
