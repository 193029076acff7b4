"""What inverse kinematics is asked to match, from OpenSim's files: IKTaskSet, alone or inside a tool's set-up."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import Element

from monomsk.errors import FormatError
from monomsk.io.xml_tree import load_xml


@dataclass(frozen=True)
class IKTasks:
    """Weights that are switched on, by name."""

    markers: dict[str, float]
    coordinates: dict[str, tuple[float, float | None]]
    """Weight, and the value to hold [rad, m]; None for the model's default."""


def read(path: Path | str) -> IKTasks:
    """Read the tasks of the first IKTaskSet in a file. A task without a weight weighs nothing, as in OpenSim.

    Raises:
        FormatError: the file is missing or damaged, has no tasks, a weight that is no number, or values from a file of their own.
    """
    path = Path(path)
    found = next(load_xml(path, FormatError).iter("IKTaskSet"), None)
    if found is None:
        raise FormatError(f"{path} is XML without <IKTaskSet>; give a task set, or the set-up of an inverse kinematics tool")
    markers = {name: _number(path, task, "weight", 0.0) for name, task in _tasks(found, "IKMarkerTask")}
    coordinates: dict[str, tuple[float, float | None]] = {}
    for name, task in _tasks(found, "IKCoordinateTask"):
        kind = (task.findtext("value_type") or "default_value").strip()
        if kind == "from_file":
            raise FormatError(f"{path}: task {name} takes its values from a file, which is not supported; give a manual_value")
        value = _number(path, task, "value", 0.0) if kind == "manual_value" else None
        coordinates[name] = _number(path, task, "weight", 0.0), value
    if not markers and not coordinates:
        raise FormatError(f"{path} has no task that is switched on (<apply>)")
    return IKTasks(markers, coordinates)


def _tasks(found: Element, tag: str) -> Iterator[tuple[str, Element]]:
    for task in found.iterfind(f"objects/{tag}"):
        if (task.findtext("apply") or "true").strip().lower() == "true":
            yield task.get("name", ""), task


def _number(path: Path, task: Element, tag: str, default: float) -> float:
    text = (task.findtext(tag) or "").split()
    try:
        return float(text[0]) if text else default
    except ValueError:
        raise FormatError(f"{path}: task {task.get('name')}: <{tag}> should be a number, not '{text[0][:40]}'") from None
