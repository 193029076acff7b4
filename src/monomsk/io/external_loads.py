"""Which columns of a force file act on which body: OpenSim's external_loads.xml."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from monomsk.errors import FormatError
from monomsk.io.atomic import write_text
from monomsk.io.xml_tree import load_xml


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
