"""Which body a frame of an OpenSim document is fixed in, and where."""

import math
import posixpath
from dataclasses import dataclass
from xml.etree.ElementTree import Element

import numpy as np
from scipy.spatial.transform import Rotation

from monomsk.io.osim_document import Document
from monomsk.model.spec import Frame, Vec3

_IDENTITY = Frame()


@dataclass(frozen=True)
class Placement:
    """A frame fixed in a body (or `ground`)."""

    body: str
    frame: Frame = _IDENTITY

    def point(self, location: Vec3) -> Vec3:
        """The same point in the axes of the body [m]."""
        if self.frame == _IDENTITY:
            return location
        return _vec3(rotation(self.frame).apply(location) + np.asarray(self.frame.translation))


class FrameTable:
    """Bodies, ground and PhysicalOffsetFrames of a document, by their path in the model."""

    def __init__(self, document: Document):
        self._document = document
        self._bodies: dict[str, str] = {"/ground": "ground"}
        self._offsets: dict[str, Element] = {}
        for body in document.objects(document.model, "BodySet"):
            self._bodies[f"/bodyset/{body.get('name')}"] = body.get("name", "")
            self._register(f"/bodyset/{body.get('name')}", body.find("components"))
        for joint in document.objects(document.model, "JointSet"):
            self._register(f"/jointset/{joint.get('name')}", joint.find("frames"))
        self._register("/ground", document.model.find("Ground/components"))
        self._register("/componentset", document.model.find("ComponentSet/objects"))
        self._register("", document.model.find("components"))

    def _register(self, owner: str, container: Element | None) -> None:
        for element in () if container is None else container:
            if element.tag == "PhysicalOffsetFrame":
                path = f"{owner}/{element.get('name')}"
                self._offsets[path] = element
                self._register(path, element.find("components"))

    def place(self, element: Element, owner: str, tag: str) -> Placement:
        """Where the frame is that a socket of `element`, whose own path is `owner`, points at.

        Raises:
            ModelError: the socket is empty, points at nothing known, or frames hang on each other in a ring.
        """
        reference = self._document.text(element, tag)
        place = self._resolve(self._find(reference, owner))
        if place is None:
            raise self._document.error(element, f"<{tag}> points at '{reference}', which is no body or offset frame of the model")
        return place

    def offsets(self) -> list[tuple[str, Element]]:
        """Every offset frame with its path."""
        return list(self._offsets.items())

    def placement(self, path: str, element: Element) -> Placement:
        """Where the offset frame of that path is; raised as in `place`."""
        place = self._resolve(path)
        if place is None:
            raise self._document.error(element, "hangs on no body of the model")
        return place

    def _resolve(self, path: str | None) -> Placement | None:
        """Follow offset frames down to the body they are fixed in."""
        frame, seen = _IDENTITY, set[str]()
        while path is not None and path in self._offsets and path not in seen:
            seen.add(path)
            offset = self._offsets[path]
            step = Frame(
                self._document.vector(offset, "translation", (0.0, 0.0, 0.0)), self._document.vector(offset, "orientation", (0.0, 0.0, 0.0))
            )
            frame = compose(step, frame)
            path = self._find(self._document.text(offset, "socket_parent"), path)
        return Placement(self._bodies[path], frame) if path is not None and path in self._bodies else None

    def _find(self, reference: str, owner: str) -> str | None:
        """Absolute path of a connectee given relative to `owner`; by its last name alone if that is unambiguous."""
        if not reference:
            return None
        path = posixpath.normpath(posixpath.join(owner or "/", reference))
        if path in self._bodies or path in self._offsets:
            return path
        last = posixpath.basename(path)
        same = [known for known in (*self._bodies, *self._offsets) if posixpath.basename(known) == last]
        return same[0] if len(same) == 1 else None


def rotation(frame: Frame) -> Rotation:
    """Rotation of a frame (body-fixed X-Y-Z)."""
    return Rotation.from_euler("XYZ", frame.orientation)


def compose(outer: Frame, inner: Frame) -> Frame:
    """Pose of `inner`, which is given in `outer`, in what `outer` is given in; exact when either is the identity."""
    if inner == _IDENTITY:
        return outer
    if outer == _IDENTITY:
        return inner
    turned = rotation(outer)
    translation = turned.apply(inner.translation) + np.asarray(outer.translation)
    return Frame(_vec3(translation), _angles((turned * rotation(inner)).as_matrix()))


def _angles(matrix: np.ndarray) -> Vec3:
    """Body-fixed X-Y-Z angles of a rotation matrix; with Y at a right angle, Z is zero."""
    cosine = float(np.hypot(matrix[0, 0], matrix[0, 1]))
    y = math.atan2(matrix[0, 2], cosine)
    if cosine < 1e-12:
        return math.atan2(matrix[2, 1], matrix[1, 1]), y, 0.0
    return math.atan2(-matrix[1, 2], matrix[2, 2]), y, math.atan2(-matrix[0, 1], matrix[0, 0])


def _vec3(values: np.ndarray) -> Vec3:
    return float(values[0]), float(values[1]), float(values[2])
