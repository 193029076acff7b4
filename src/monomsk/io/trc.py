"""Marker trajectories: .trc files (Motion Analysis, as OpenSim reads them)."""

from pathlib import Path

import numpy as np

from monomsk.errors import FormatError
from monomsk.io.atomic import write_text
from monomsk.io.storage import check_time, collapse_line, numbers, text_lines
from monomsk.types import Markers

UNITS = {"m": 1.0, "meters": 1.0, "dm": 0.1, "cm": 0.01, "mm": 0.001, "millimeters": 0.001}
"""Metres in a unit."""


def read(path: Path | str, *, sigma: float = 0.005) -> Markers:
    """Read a .trc; axes stay those of the file, lengths become metres.

    Blank fields, NaN and points at exactly 0 0 0 (what many systems write for a marker they lost) are missing.

    Args:
        path: the file.
        sigma: standard deviation to assume for each axis of the markers that are there [m]; the file says nothing of it.

    Raises:
        FormatError: the file is missing, truncated, or not a .trc; file and line are named.
    """
    path = Path(path)
    lines = text_lines(path)
    header = _read_header(path, lines)
    names, first = _read_names(path, lines)
    rows = _read_rows(path, lines, first, len(names))
    promised = header.get("NumFrames", "")
    if promised.replace(".", "").isdigit() and len(rows) < int(float(promised)):
        raise FormatError(f"{path} has {len(rows)} of the {promised} frames its header promises; it was cut short")
    if not rows:
        raise FormatError(f"{path} has no frames")
    data = numbers(path, rows, 2 + 3 * len(names))
    check_time(path, data[:, 1], [line for line, _ in rows])
    unit = header.get("Units", "mm").lower()
    if unit not in UNITS:
        raise FormatError(f"{path}, line 3: the unit '{unit[:20]}' is unknown; known are {', '.join(UNITS)}")
    xyz = data[:, 2:].reshape(len(rows), len(names), 3) * UNITS[unit]
    missing = ~np.isfinite(xyz).all(axis=-1) | (xyz == 0).all(axis=-1)
    return Markers(data[:, 1], names, np.where(missing[..., None], 0.0, xyz), np.where(missing, np.inf, sigma))


def write(path: Path | str, markers: Markers) -> None:
    """Write a .trc in millimetres; markers whose sigma is infinite are NaN (OpenSim stumbles over a blank at the end of a row).

    Raises:
        OutputError: the file cannot be written.
    """
    path = Path(path)
    count, steps = len(markers.time), np.diff(markers.time)
    rate = f"{1.0 / float(np.median(steps)):.9g}" if count > 1 else "1"
    names = [collapse_line(name).replace(" ", "_") for name in markers.names]
    head = [
        f"PathFileType\t4\t(X/Y/Z)\t{path.name}",
        "DataRate\tCameraRate\tNumFrames\tNumMarkers\tUnits\tOrigDataRate\tOrigDataStartFrame\tOrigNumFrames",
        f"{rate}\t{rate}\t{count}\t{len(names)}\tmm\t{rate}\t1\t{count}",
        "Frame#\tTime\t" + "\t\t\t".join(names) + "\t\t",
        "\t\t" + "\t".join(f"{axis}{i + 1}" for i in range(len(names)) for axis in "XYZ"),
        "",
    ]
    seen = np.isfinite(markers.sigma) & np.isfinite(markers.xyz).all(axis=-1)
    millimetres = markers.xyz / UNITS["mm"]
    rows = list[str]()
    for i, time in enumerate(markers.time):
        points = (
            "\t".join(f"{value:.5f}" for value in point) if there else "NaN\tNaN\tNaN"
            for point, there in zip(millimetres[i], seen[i], strict=True)
        )
        rows.append("\t".join((str(i + 1), f"{time:.9g}", *points)))
    write_text(path, "\n".join((*head, *rows)) + "\n")


def _read_header(path: Path, lines: list[str]) -> dict[str, str]:
    if not lines[0].startswith("PathFileType") or len(lines) < 5:
        raise FormatError(f"{path}, line 1 does not begin with 'PathFileType'; it is not a .trc file, or was cut short")
    header = dict(zip(lines[1].split(), lines[2].split(), strict=False))
    if "Units" not in header:
        raise FormatError(f"{path}, lines 2 and 3 do not name the units; write the .trc again")
    return header


def _read_names(path: Path, lines: list[str]) -> tuple[tuple[str, ...], int]:
    """Marker names, and the index of the first line that may be data."""
    words = lines[3].split("\t") if "\t" in lines[3] else lines[3].split()
    names = tuple(word.strip() for word in words[2:] if word.strip())
    if not words or not words[0].lower().startswith("frame") or not names:
        raise FormatError(f"{path}, line 4 should hold 'Frame#', 'Time' and the marker names")
    if len(set(names)) != len(names):
        double = next(name for name in names if names.count(name) > 1)
        raise FormatError(f"{path}, line 4: two markers are called '{double}'")
    return names, 5 if lines[4].split()[:1] and not lines[4].split()[0][0].isdigit() else 4


def _read_rows(path: Path, lines: list[str], first: int, count: int) -> list[tuple[int, list[str]]]:
    """Words of every data row with its line number; blanks are 'nan'. Markers left out at the end of a row are missing."""
    width = 2 + 3 * count
    rows = list[tuple[int, list[str]]]()
    for index in range(first, len(lines)):
        line = lines[index]
        if not line.strip():
            continue
        words = [word.strip() or "nan" for word in line.split("\t")] if "\t" in line else line.split()
        while len(words) > width and words[-1] == "nan":
            words.pop()
        # A last line without its line feed is a file cut short, not a marker left out.
        if len(words) < width and (len(words) - 2) % 3 == 0 and index < len(lines) - 1:
            words += ["nan"] * (width - len(words))
        rows.append((index + 1, words))
    return rows
