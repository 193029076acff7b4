"""Which columns of a force file act on which body: OpenSim's external_loads.xml."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

import numpy as np
from jaxtyping import Float

from monomsk.errors import FormatError
from monomsk.io import storage
from monomsk.io.atomic import write_text
from monomsk.io.storage import Table
from monomsk.io.xml_tree import load_xml
from monomsk.outside_loads import AppliedForce


@dataclass(frozen=True)
class ExternalForce:
    """One force: the body it acts on and the beginnings of the names of its columns (`x`, `y`, `z` follow)."""

    name: str
    body: str
    force: str
    point: str
    torque: str
    force_frame: str = "ground"
    point_frame: str = "ground"


def ground_forces(bodies: Sequence[str] = ("calcn_r", "calcn_l")) -> tuple[ExternalForce, ...]:
    """The forces of a grf.mot of ours on the right and the left foot."""
    return tuple(
        ExternalForce(f"ground_{foot}", body, f"ground_force_{foot}_v", f"ground_force_{foot}_p", f"ground_torque_{foot}_")
        for foot, body in zip("rl", bodies, strict=True)
    )


def besides(forces: Sequence[AppliedForce]) -> tuple[ExternalForce, ...]:
    """The forces of a grf.mot of ours that act besides the ground's."""
    return tuple(
        ExternalForce(f.name, f.body, f"{f.name}_force_v", f"{f.name}_force_p", f"{f.name}_torque_", f.force_frame, f.point_frame)
        for f in forces
    )


def write(path: Path | str, datafile: str, forces: tuple[ExternalForce, ...]) -> None:
    """Write an external_loads.xml beside the force file, whose name is given relative to it.

    Raises:
        OutputError: the file cannot be written.
    """
    document = Element("OpenSimDocument", Version="40000")
    loads = SubElement(document, "ExternalLoads", name="external_loads")
    objects = SubElement(loads, "objects")
    for force in forces:
        element = SubElement(objects, "ExternalForce", name=force.name)
        SubElement(element, "isDisabled").text = "false"
        SubElement(element, "applied_to_body").text = force.body
        SubElement(element, "force_expressed_in_body").text = force.force_frame
        SubElement(element, "point_expressed_in_body").text = force.point_frame
        SubElement(element, "force_identifier").text = force.force
        SubElement(element, "point_identifier").text = force.point
        SubElement(element, "torque_identifier").text = force.torque
        SubElement(element, "data_source_name").text = datafile
    SubElement(loads, "datafile").text = datafile
    ElementTree.indent(document, " ")
    write_text(Path(path), '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(document, encoding="unicode") + "\n")


def read(path: Path | str) -> tuple[Path, tuple[ExternalForce, ...]]:
    """The force file, resolved against the folder of the .xml, and the forces that are switched on.

    Raises:
        FormatError: the file is missing, damaged or not an ExternalLoads document.
    """
    path = Path(path)
    loads = load_xml(path, FormatError).find("ExternalLoads")
    if loads is None:
        raise FormatError(f"{path} is XML without <ExternalLoads>; give an external_loads.xml")
    datafile = (loads.findtext("datafile") or "").strip()
    if not datafile:
        raise FormatError(f"{path} does not name the force file (<datafile>)")
    forces = tuple(_read_force(path, element) for element in loads.iterfind("objects/ExternalForce") if _enabled(element))
    if not forces:
        raise FormatError(f"{path} holds no <ExternalForce> that is switched on")
    return path.parent / datafile.replace("\\", "/"), forces


def read_applied(path: Path | str) -> tuple[AppliedForce, ...]:
    """The forces of an external_loads.xml with their measured values. Points of forces that are zero may be missing.

    Without a column of points a force acts at the origin of its body, as in OpenSim.

    Raises:
        FormatError: as `read`; or the force file is not a table, lacks a column, or has a gap while the force acts.
    """
    datafile, forces = read(path)
    table = storage.read(datafile)
    return tuple(_applied(datafile, table, force) for force in forces)


def read_columns(path: Path | str, bodies: tuple[str, str] = ("calcn_r", "calcn_l")) -> tuple[AppliedForce, ...]:
    """The forces of a .mot or .sto alone whose columns name the feet: `ground_force_r_vx`, `R_ground_force_vx`, `left_force_vx` …

    `bodies` are the right and the left foot. A foot may be missing. Raises FormatError as `read_applied`, and where no column of
    force names a foot, or two sets of columns name the same.
    """
    path = Path(path)
    table = storage.read(path)
    starts = [name[:-1] for name in table.names if name.endswith("vx")]
    sides = [_side(start) for start in starts]
    if not starts or None in sides:
        what = ", ".join(f"{start}x" for start, side in zip(starts, sides, strict=True) if side is None) or ", ".join(table.names[:6])
        raise FormatError(f"{path}: columns {what} do not say which foot they are of (ground_force_r_vx does): give an external_loads.xml")
    if len(set(sides)) != len(sides):
        raise FormatError(f"{path}: columns {starts[0]}x and {starts[1]}x are of the same foot: give an external_loads.xml")
    found = []
    for start, side in zip(starts, sides, strict=True):
        place, turn = f"{start[:-1]}p", start[:-1].replace("force", "torque")
        torque = turn if f"{turn}x" in table.names else ""
        found.append(_applied(path, table, ExternalForce(f"ground_{side}", bodies["rl".index(side or "")], start, place, torque)))
    return tuple(found)


def _side(name: str) -> str | None:
    """The foot that a column names, r or l; None where it names none, or both."""
    words = {word.lower() for word in name.split("_")}
    found = [side for side, full in (("r", "right"), ("l", "left")) if words & {side, full}]
    return found[0] if len(found) == 1 else None


def _applied(datafile: Path, table: Table, force: ExternalForce) -> AppliedForce:
    vectors = [_columns(datafile, table, start, force.name) for start in (force.force, force.point, force.torque)]
    acting = np.any(np.nan_to_num(vectors[0]) != 0.0, axis=1) | np.any(np.nan_to_num(vectors[2]) != 0.0, axis=1)
    vectors[1] = np.where(acting[:, None], vectors[1], np.nan_to_num(vectors[1]))
    for values in vectors:
        if not np.isfinite(values).all():
            row = int(np.argmin(np.isfinite(values).all(axis=1)))
            raise FormatError(f"{datafile}: {force.name} has a gap at {table.time[row]:g} s; fill it, or make the force zero there")
    point_frame = force.point_frame if force.point else force.body
    return AppliedForce(force.name, force.body, table.time, vectors[0], vectors[1], vectors[2], force.force_frame, point_frame)


def _columns(datafile: Path, table: Table, start: str, name: str) -> Float[np.ndarray, "time 3"]:
    """The three columns whose names begin so; zeros when there is no beginning."""
    if not start:
        return np.zeros((len(table.time), 3))
    wanted = [f"{start}{axis}" for axis in "xyz"]
    if not all(column in table.names for column in wanted):
        wanted = [column for column in table.names if column.startswith(start)]
    if len(wanted) != 3:
        raise FormatError(f"{datafile} has no columns {start}x, {start}y, {start}z, which {name} needs")
    return np.stack([table.column(column) for column in wanted], axis=1)


def _enabled(element: Element) -> bool:
    disabled = (element.findtext("isDisabled") or "false").strip().lower() == "true"
    return not disabled and (element.findtext("appliesForce") or "true").strip().lower() == "true"


def _read_force(path: Path, element: Element) -> ExternalForce:
    def text(tag: str, default: str = "") -> str:
        return (element.findtext(tag) or "").strip() or default

    name, body, force = element.get("name", ""), text("applied_to_body"), text("force_identifier")
    if not body or not force:
        raise FormatError(f"{path}: ExternalForce {name} does not name a body and a force column")
    frames = text("force_expressed_in_body", "ground"), text("point_expressed_in_body", "ground")
    return ExternalForce(name, body, force, text("point_identifier"), text("torque_identifier"), *frames)
