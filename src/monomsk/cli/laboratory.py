"""What the commands for laboratory data share: where results may go, and which stretch of time is meant."""

from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float

from monomsk.errors import InputError, OutputError


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
