"""Curves of a training: a CSV that grows by a row at a time and is whole at any time."""

from pathlib import Path

from monomsk.io.atomic import write_text


def append(path: Path, step: int, figures: dict[str, float]) -> None:
    """Add a row; rows of an earlier training that lie at this step or beyond, as after a kill, are dropped. Raises OutputError."""
    old = path.read_text("utf-8").splitlines() if path.is_file() else [",".join(("step", *figures))]
    kept = [row for row in old[1:] if int(row.partition(",")[0]) < step]
    write_text(path, "\n".join([old[0], *kept, ",".join((str(step), *(f"{v:.6g}" for v in figures.values())))]) + "\n")
