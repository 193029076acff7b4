"""An OpenSim document as a tree that may be asked for numbers, with plain answers when something is wrong."""

import math
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree.ElementTree import Element

from monomsk.errors import ModelError
from monomsk.io.xml_tree import load_xml


@dataclass
class Document:
    """The `<Model>` of a file, its default objects, and the notes made while reading."""

    path: Path
    version: int
    model: Element
    defaults: dict[str, Element] = field(default_factory=dict[str, Element])
    notes: list[str] = field(default_factory=list[str])

    def error(self, element: Element, message: str) -> ModelError:
        """The exception that says in which file and which object something is wrong."""
        return ModelError(f"{self.path}: {element.tag} {element.get('name', '')}: {message}")

    def child(self, element: Element, tag: str) -> Element | None:
        """The child of that tag; if there is none, the one of the class's default object."""
        found = element.find(tag)
        if found is None and element.tag in self.defaults:
            found = self.defaults[element.tag].find(tag)
        return found

    def text(self, element: Element, tag: str, default: str = "") -> str:
        """Text of a child with every run of white space made one blank."""
        found = self.child(element, tag)
        return default if found is None else " ".join((found.text or "").split())

    def numbers(self, element: Element, tag: str, *, default: tuple[float, ...] | None = None) -> tuple[float, ...]:
        """All numbers in the text of a child; finite, or ModelError."""
        text = self.text(element, tag)
        if not text:
            if default is None:
                raise self.error(element, f"<{tag}> is missing")
            return default
        try:
            values = tuple(float(word) for word in text.replace(",", " ").split())
        except ValueError:
            raise self.error(element, f"<{tag}> should hold numbers, not '{text[:40]}'") from None
        if not all(math.isfinite(value) for value in values):
            raise self.error(element, f"<{tag}> holds a number that is not finite ('{text[:40]}')")
        return values

    def number(self, element: Element, tag: str, default: float | None = None) -> float:
        """The one number in a child."""
        values = self.numbers(element, tag, default=None if default is None else (default,))
        if len(values) != 1:
            raise self.error(element, f"<{tag}> should hold one number, not {len(values)}")
        return values[0]

    def vector(self, element: Element, tag: str, default: tuple[float, float, float] | None = None) -> tuple[float, float, float]:
        """The three numbers in a child."""
        values = self.numbers(element, tag, default=default)
        if len(values) != 3:
            raise self.error(element, f"<{tag}> should hold three numbers, not {len(values)}")
        return values[0], values[1], values[2]

    def pair(self, element: Element, tag: str, default: tuple[float, float] | None = None) -> tuple[float, float]:
        """The two numbers in a child."""
        values = self.numbers(element, tag, default=default)
        if len(values) != 2:
            raise self.error(element, f"<{tag}> should hold two numbers, not {len(values)}")
        return values[0], values[1]

    def boolean(self, element: Element, tag: str, default: bool) -> bool:
        """True or false in a child."""
        text = self.text(element, tag).lower()
        if text in ("true", "1"):
            return True
        if text in ("false", "0"):
            return False
        if text:
            raise self.error(element, f"<{tag}> should be true or false, not '{text[:40]}'")
        return default

    def objects(self, element: Element, tag: str) -> list[Element]:
        """The members of a set such as `<BodySet>`; empty when there is no such set."""
        found = element.find(f"{tag}/objects")
        return [] if found is None else list(found)

    def note(self, message: str) -> None:
        """Remember, once, something of the file that is not used."""
        if message not in self.notes:
            self.notes.append(message)


def load(path: Path) -> Document:
    """Open an .osim or .osim.gz.

    Raises:
        ModelError: what `load_xml` refuses, or XML that is not an OpenSim model.
    """
    path = Path(path)
    root = load_xml(path, ModelError)
    if root.tag != "OpenSimDocument":
        raise ModelError(f"{path} is XML but not an OpenSim document (its root is <{root.tag}>); give an .osim model")
    try:
        version = int(root.get("Version", ""))
    except ValueError:
        raise ModelError(f"{path} does not say which version of OpenSim's format it has; open and save it in OpenSim 4") from None
    model = root.find("Model")
    if model is None:
        raise ModelError(f"{path} is an OpenSim document without a <Model>; give an .osim model, not a set-up file")
    defaults = {element.tag: element for section in root.iter("defaults") for element in section}
    return Document(path, version, model, defaults)
