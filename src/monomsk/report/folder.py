"""The result folder: which files there are, and that they come whole or not at all.

Everything is written into a hidden folder beside the results and moved to its final name when all of it is there, so
that neither an error nor Ctrl-C leaves a half-written file.
"""

import errno
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from monomsk.errors import OutputError

FILES = (
    "keypoints.npz",
    "markers.trc",
    "model.osim",
    "kinematics.mot",
    "kinematics_sd.sto",
    "kinetics.sto",
    "kinetics_sd.sto",
    "grf.mot",
    "grf_sd.sto",
    "external_loads.xml",
    "muscle_activations.sto",
    "muscle_forces.sto",
    "joint_reactions.sto",
    "muscle_power.sto",
    "joint_power.sto",
    "metabolic_power.sto",
    "summary.json",
    "report.html",
    "config.toml",
    "provenance.json",
)
"""Every name that a run writes; `provenance.json` lists those that it did write."""

NEEDED_SPACE = 64_000_000
"""Free bytes to ask for before the work begins; results of a minute of video take half of it."""


def check(folder: Path, *, overwrite: bool) -> None:
    """Make sure, before any work, that the results can be written there.

    Raises OutputError for a folder with something in it (unless `overwrite`), a file of that name, a place where nothing
    may be written, and a full disk.
    """
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"{folder} is a file: choose another folder with --out")
    if folder.is_dir() and not overwrite and any(folder.iterdir()):
        raise OutputError(f"{folder} exists and is not empty: choose another with --out, or --overwrite to replace earlier results")
    place = _nearest(folder)
    if not place.is_dir() or not os.access(place, os.W_OK | os.X_OK):
        raise OutputError(f"{place} cannot be written to: choose another folder with --out")
    if (free := shutil.disk_usage(place).free) < NEEDED_SPACE:
        raise OutputError(
            f"{place} has {free / 1e6:.0f} MB left, {NEEDED_SPACE / 1e6:.0f} MB are needed: free some or choose another disk with --out"
        )


@contextmanager
def writing(folder: Path) -> Iterator[Path]:
    """A place to write result files into; when the block ends well they move into `folder`, otherwise nothing changes.

    Files of an earlier run that are not among the new ones go; files that no run wrote stay. Raises OutputError when the
    disk is full or may not be written.
    """
    made = [parent for parent in (folder, *folder.parents) if not parent.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        hidden = Path(tempfile.mkdtemp(prefix=".monomsk-", dir=folder))
        try:
            yield hidden
            _publish(hidden, folder)
        finally:
            shutil.rmtree(hidden, ignore_errors=True)
    except OSError as error:
        raise OutputError(_reason(error, folder)) from error
    except OutputError as error:
        # A writer of one file says so with the hidden folder's path, which tells a person nothing.
        if isinstance(error.__cause__, OSError):
            raise OutputError(_reason(error.__cause__, folder)) from error
        raise
    finally:
        for parent in made:
            with suppress(OSError):  # not empty: the results are there
                parent.rmdir()


def _publish(hidden: Path, folder: Path) -> None:
    new = sorted(path.name for path in hidden.iterdir())
    stale = _listed(folder) - set(new)
    # The provenance names the files of a run, so it goes in last: until then the old one still tells what is ours.
    for name in sorted(new, key=lambda name: name == "provenance.json"):
        os.replace(hidden / name, folder / name)
    for name in stale:
        (folder / name).unlink(missing_ok=True)


def _listed(folder: Path) -> set[str]:
    """The files that an earlier run wrote here, by its own account."""
    try:
        account = json.loads((folder / "provenance.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return set()
    files = account.get("files", []) if isinstance(account, dict) else []
    return {name for name in files if name in FILES}


def _nearest(folder: Path) -> Path:
    """The folder, or the first of its parents that exists."""
    return next((place for place in (folder, *folder.absolute().parents) if place.exists()), Path.cwd())


def _reason(error: OSError, folder: Path) -> str:
    if error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)):
        return f"{folder}: the disk is full; nothing was written: free some space or choose another disk with --out"
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"{folder} cannot be written to ({error.strerror}): choose another folder with --out"
    return f"{folder}: results cannot be written ({error.strerror or error})"
