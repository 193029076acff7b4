"""OpenSim's tables over time: .mot and .sto.

A header of `key=value` lines (or SIMM's `datarows 100`) up to `endheader`, a line of column names that begins with `time`,
then a row an instant. Angles in a file are degrees when it says `inDegrees=yes`; the table says which columns are angles
nowhere, so whoever reads or writes one has to.
"""

import re
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float

from monomsk.errors import FormatError
from monomsk.io.atomic import write_text

MAX_BYTES = 2**30


@dataclass(frozen=True)
class Table:
    """Named columns over time, as they stand in the file."""

    time: Float[np.ndarray, " time"]
    """[s]"""
    names: tuple[str, ...]
    values: Float[np.ndarray, "time column"]
    in_degrees: bool = False
    """Whether the columns that are angles are in degrees."""
    name: str = ""
    metadata: dict[str, str] = field(default_factory=dict[str, str])
    """Further lines of the header."""

    def column(self, name: str) -> Float[np.ndarray, " time"]:
        """The column of that name; KeyError if there is none."""
        if name not in self.names:
            raise KeyError(name)
        return self.values[:, self.names.index(name)]


def to_radians(table: Table, rotational: Bool[np.ndarray, " column"]) -> Table:
    """The table with the columns marked as rotational in radians. Equals the table itself when it is not in degrees."""
    if not table.in_degrees:
        return table
    return replace(table, values=np.where(rotational, np.deg2rad(table.values), table.values), in_degrees=False)


def to_degrees(table: Table, rotational: Bool[np.ndarray, " column"]) -> Table:
    """The table with the columns marked as rotational in degrees. Equals the table itself when it is in degrees."""
    if table.in_degrees:
        return table
    return replace(table, values=np.where(rotational, np.rad2deg(table.values), table.values), in_degrees=True)


def read(path: Path | str) -> Table:
    """Read a .mot or .sto. Values may be NaN (missing), times may not.

    Raises:
        FormatError: the file is missing, truncated, or not such a table; file and line are named.
    """
    path = Path(path)
    lines = text_lines(path)
    end = next((i for i, line in enumerate(lines) if line.strip().lower() == "endheader"), None)
    if end is None:
        raise FormatError(f"{path} has no line 'endheader'; it is not an OpenSim .mot or .sto file, or was cut short")
    header = _read_header(lines[:end])
    start = next((i for i in range(end + 1, len(lines)) if lines[i].strip()), None)
    if start is None:
        raise FormatError(f"{path} ends after its header (line {end + 1}); write it again")
    names = tuple(lines[start].split("\t") if "\t" in lines[start] else lines[start].split())
    names = tuple(name.strip() for name in names if name.strip())
    if names[0].lower() != "time":
        raise FormatError(f"{path}, line {start + 1}: the first column should be 'time', not '{names[0][:40]}'")
    if len(set(names)) != len(names):
        double = next(name for name in names if names.count(name) > 1)
        raise FormatError(f"{path}, line {start + 1}: two columns are called '{double}'")
    rows = [(i + 1, lines[i].split()) for i in range(start + 1, len(lines)) if lines[i].strip()]
    _check_counts(path, header, len(rows), len(names))
    data = numbers(path, rows, len(names))
    check_time(path, data[:, 0], [line for line, _ in rows])
    known = {"name", "version", "nrows", "ncolumns", "datarows", "datacolumns", "indegrees", "datatype"}
    return Table(
        time=data[:, 0],
        names=names[1:],
        values=data[:, 1:],
        in_degrees=header.get("indegrees", "no").lower() in ("yes", "true", "y", "1"),
        name=header.get("name", lines[0].strip() if "=" not in lines[0] else ""),
        metadata={key: value for key, value in header.items() if key not in known},
    )


def write(path: Path | str, table: Table) -> None:
    """Write a .mot or .sto that OpenSim reads.

    Raises:
        OutputError: the file cannot be written.
    """
    head = [
        collapse_line(table.name) or Path(path).stem,
        "version=1",
        f"nRows={len(table.time)}",
        f"nColumns={len(table.names) + 1}",
        f"inDegrees={'yes' if table.in_degrees else 'no'}",
        *(f"{key}={collapse_line(value)}" for key, value in table.metadata.items()),
        "endheader",
        "\t".join(("time", *table.names)),
    ]
    rows = ("\t".join((f"{t:.9g}", *(f"{v:.10g}" for v in row))) for t, row in zip(table.time, table.values, strict=True))
    write_text(Path(path), "\n".join((*head, *rows)) + "\n")


def collapse_line(text: str) -> str:
    """Text that fits in one line of a header."""
    return " ".join(text.split())


def text_lines(path: Path) -> list[str]:
    """Lines of a text file, whatever their ends; without a byte order mark, odd bytes replaced.

    Raises:
        FormatError: the file cannot be opened, is absurdly large, empty, or not text.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise FormatError(f"{path} is larger than {MAX_BYTES // 2**30} GB; cut it into shorter trials")
        data = path.read_bytes()
    except OSError as error:
        raise FormatError(f"cannot read {path}: {error.strerror}; check the path") from error
    if not data.strip():
        raise FormatError(f"{path} is empty")
    if b"\0" in data[:4096]:
        raise FormatError(f"{path} is not a text file; give a .trc, .mot or .sto")
    return re.split(r"\r\n|\n|\r", data.decode("utf-8-sig", errors="replace"))


def numbers(path: Path, rows: list[tuple[int, list[str]]], width: int) -> Float[np.ndarray, "row column"]:
    """Rows of words, each with its line number, as an array; FormatError names the first line that does not fit."""
    try:
        data = np.array([words for _, words in rows], dtype=float).reshape(len(rows), -1)
        if data.shape == (len(rows), width):
            return data
    except ValueError:
        pass
    for line, words in rows:
        if len(words) != width:
            raise FormatError(f"{path}, line {line}: {len(words)} numbers where {width} are due; the file may have been cut short")
        for word in words:
            _number(path, line, word)
    raise FormatError(f"{path} has no rows")


def _number(path: Path, line: int, word: str) -> float:
    try:
        return float(word)
    except ValueError:
        raise FormatError(f"{path}, line {line}: '{word[:40]}' is not a number") from None


def check_time(path: Path, time: Float[np.ndarray, " time"], lines: list[int]) -> None:
    """Times must be finite and not run backwards, or FormatError."""
    finite = np.isfinite(time)
    if not finite.all():
        raise FormatError(f"{path}, line {lines[int(np.argmin(finite))]}: the time is not a number")
    back = np.flatnonzero(np.diff(time) < 0)
    if back.size:
        raise FormatError(f"{path}, line {lines[int(back[0]) + 1]}: time runs backwards")


def _read_header(lines: list[str]) -> dict[str, str]:
    """Keys in lower case where OpenSim knows them, as they are elsewhere."""
    header: dict[str, str] = {}
    for line in lines:
        if "=" in line:
            key, value = line.split("=", 1)
        elif line.split(None, 1)[:1] and line.split(None, 1)[0].lower() in ("name", "datacolumns", "datarows"):
            key, *rest = line.split(None, 1)
            value = rest[0] if rest else ""
        else:
            continue
        key = key.strip()
        known = key.lower() in ("name", "version", "nrows", "ncolumns", "datarows", "datacolumns", "indegrees", "datatype")
        header[key.lower() if known else key] = value.strip()
    return header


def _check_counts(path: Path, header: dict[str, str], rows: int, columns: int) -> None:
    """What the header promises must be there; a header that promises less is believed to be out of date."""
    if header.get("datatype", "double").lower() != "double":
        raise FormatError(f"{path} holds {header['datatype']} in its columns; only plain numbers can be read")
    promised = header.get("nrows", header.get("datarows", "0"))
    if not promised.isdigit():
        raise FormatError(f"{path}: its header says '{promised[:40]}' rows, which is not a number")
    if rows < int(promised):
        raise FormatError(f"{path} has {rows} of the {promised} rows its header promises; it was cut short")
    if rows == 0:
        raise FormatError(f"{path} has no rows")
    wide = header.get("ncolumns", header.get("datacolumns", str(columns)))
    if wide.isdigit() and int(wide) != columns:
        raise FormatError(f"{path}: its header promises {wide} columns, but {columns} are named")
