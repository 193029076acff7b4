"""`monomsk scale`: a body of a person's size from a standing trial."""

import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from monomsk.cli.arguments import Scale
from monomsk.cli.laboratory import read_markers
from monomsk.io import osim_read, osim_write, results
from monomsk.io.atomic import write_text
from monomsk.io.body import load_anatomy
from monomsk.kinematics.scaling import Scaled, scale_to_markers
from monomsk.model.compile import compile_model
from monomsk.muscles.resize import with_fibres
from monomsk.report import folder
from monomsk.types import Subject

if TYPE_CHECKING:
    from rich.table import Table


def scale(arguments: Scale, command: Sequence[str] = ()) -> int:
    """Write model.osim, static.mot and scale.json; show the factors. Returns the exit code, 0.

    Raises MonomskError.
    """
    from rich.console import Console

    folder.check(arguments.out, overwrite=arguments.overwrite)
    subject = Subject(height=arguments.height, mass=arguments.mass, sex=arguments.sex)
    generic, notes = osim_read.read_with_notes(arguments.model)
    markers = read_markers(arguments.markers, arguments.up, arguments.start, arguments.end)
    found = scale_to_markers(markers, generic, subject, load_anatomy())
    names = compile_model(generic).body_names
    warnings = (*notes, *found.warnings)
    with folder.writing(arguments.out) as place:
        osim_write.write(place / "model.osim", with_fibres(found.body, generic))
        results.write_motion(place / "static.mot", found.static)
        write_text(place / "scale.json", json.dumps(_account(found, names, subject, warnings), indent=1) + "\n")
    for text in warnings:
        print(f"warning: {text}", file=sys.stderr)
    Console().print(_table(found, names))
    before, after = (1e3 * float(np.median(e)) for e in found.error)
    print(f"{arguments.out}: {len(found.names)} markers, median error {before:.1f} mm, {after:.1f} mm once they are placed")
    return 0


def _account(found: Scaled, bodies: tuple[str, ...], subject: Subject, warnings: tuple[str, ...]) -> dict[str, object]:
    """Factors and marker errors, for scripts."""
    return {
        "height_m": subject.height,
        "mass_kg": subject.mass,
        "factors": {name: [round(float(f), 6) for f in row] for name, row in zip(bodies, found.factors, strict=True)},
        "marker_error_m": {
            name: {"before": round(float(before), 6), "placed": round(float(after), 6)}
            for name, before, after in zip(found.names, *found.error, strict=True)
        },
        "warnings": list(warnings),
    }


def _table(found: Scaled, bodies: tuple[str, ...]) -> "Table":
    from rich.table import Table

    table = Table("body", "x", "y", "z", title="size relative to the generic body")
    for name, row in zip(bodies, found.factors, strict=True):
        table.add_row(name, *(f"{f:.3f}" for f in row))
    return table
