"""Joints of an OpenSim document as six slots each."""

from xml.etree.ElementTree import Element

from monomsk.errors import ModelError
from monomsk.io.osim_document import Document
from monomsk.io.osim_frames import FrameTable
from monomsk.io.osim_functions import function_element, read_function
from monomsk.model.spec import Axis, Coordinate, Joint, Linear, Vec3

X: Vec3 = (1.0, 0.0, 0.0)
Y: Vec3 = (0.0, 1.0, 0.0)
Z: Vec3 = (0.0, 0.0, 1.0)

Slots = tuple[Axis, Axis, Axis, Axis, Axis, Axis]

NATIVE: dict[str, tuple[tuple[Vec3, Vec3, Vec3], tuple[int, ...]]] = {
    "WeldJoint": ((X, Y, Z), ()),
    "PinJoint": ((Z, X, Y), (0,)),
    "SliderJoint": ((X, Y, Z), (3,)),
    "UniversalJoint": ((X, Y, Z), (0, 1)),
    "GimbalJoint": ((X, Y, Z), (0, 1, 2)),
    "BallJoint": ((X, Y, Z), (0, 1, 2)),
    "PlanarJoint": ((Z, X, Y), (0, 3, 4)),
    "FreeJoint": ((X, Y, Z), (0, 1, 2, 3, 4, 5)),
    "EllipsoidJoint": ((X, Y, Z), (0, 1, 2)),
}
"""Joint classes with fixed axes: directions of the three rotations, and which slot each coordinate moves
(Seth 2018; the classes' reference pages). A BallJoint's, an EllipsoidJoint's and a FreeJoint's coordinates are body-fixed X-Y-Z angles."""

_SLOT_NAMES = ("rotation1", "rotation2", "rotation3", "translation1", "translation2", "translation3")


def native_slots(kind: str, names: tuple[str, ...]) -> Slots | None:
    """The six slots of a joint class with fixed axes; None for a CustomJoint or a wrong number of coordinates."""
    if kind not in NATIVE or len(names) != len(NATIVE[kind][1]):
        return None
    rotations, moved = NATIVE[kind]
    axes = [Axis(direction) for direction in (*rotations, X, Y, Z)]
    for name, slot in zip(names, moved, strict=True):
        axes[slot] = Axis(axes[slot].direction, Linear(1.0), name)
    return axes[0], axes[1], axes[2], axes[3], axes[4], axes[5]


def read_joints(document: Document, frames: FrameTable) -> tuple[Joint, ...]:
    """All joints, parents before children, otherwise in the order of the file.

    Raises:
        ModelError: a joint of an unsupported class, two joints that move one body, or a body in a loop.
    """
    joints = [_read_joint(document, frames, element) for element in document.objects(document.model, "JointSet")]
    children: dict[str, str] = {}
    for joint in joints:
        if joint.child in children:
            raise ModelError(f"{document.path}: joints {children[joint.child]} and {joint.name} both move the body {joint.child}")
        children[joint.child] = joint.name
    placed, ordered = {"ground"}, list[Joint]()
    while joints:
        ready = next((joint for joint in joints if joint.parent in placed), None)
        if ready is None:
            names = ", ".join(joint.name for joint in joints)
            raise ModelError(f"{document.path}: these joints do not lead back to the ground: {names}")
        joints.remove(ready)
        ordered.append(ready)
        placed.add(ready.child)
    return tuple(ordered)


def _read_joint(document: Document, frames: FrameTable, element: Element) -> Joint:
    kind, name = element.tag, element.get("name", "")
    if kind != "CustomJoint" and kind not in NATIVE:
        supported = ", ".join(("CustomJoint", *NATIVE))
        raise ModelError(f"{document.path}: joint {name} is of type {kind}, which is not supported; supported are {supported}")
    owner = f"/jointset/{name}"
    parent = frames.place(element, owner, "socket_parent_frame")
    child = frames.place(element, owner, "socket_child_frame")
    coordinate_elements = _coordinate_elements(element)
    names = tuple(e.get("name", "") for e in coordinate_elements)
    slots = native_slots(kind, names) if kind in NATIVE else _read_spatial_transform(document, element, names)
    if slots is None:
        raise document.error(element, f"should have {len(NATIVE[kind][1])} coordinates, not {len(names)}")
    coordinates = tuple(_read_coordinate(document, e, slots) for e in coordinate_elements)
    rotations, translations = slots[:3], slots[3:]
    radii = _read_radii(document, element) if kind == "EllipsoidJoint" else None
    return Joint(name, kind, parent.body, child.body, parent.frame, child.frame, rotations, translations, coordinates, radii)


def _read_radii(document: Document, joint: Element) -> Vec3:
    radii = document.vector(joint, "radii_x_y_z")
    if not min(radii) > 0.0:
        raise document.error(joint, "the radii of its ellipsoid must be positive")
    return radii


def _coordinate_elements(joint: Element) -> list[Element]:
    found = joint.find("coordinates")
    return [] if found is None else [element for element in found if element.tag == "Coordinate"]


def _read_spatial_transform(document: Document, joint: Element, names: tuple[str, ...]) -> Slots:
    axes: dict[str, Element] = {}
    for element in joint.findall("SpatialTransform/TransformAxis"):
        axes[element.get("name", "")] = element
    directions = (X, Y, Z, X, Y, Z)
    missing = [slot for slot in _SLOT_NAMES if slot not in axes]
    if missing:
        raise document.error(joint, f"its SpatialTransform has no {', '.join(missing)}")
    read = [_read_axis(document, joint, axes[slot], direction) for slot, direction in zip(_SLOT_NAMES, directions, strict=True)]
    for axis in read:
        if axis.coordinate is not None and axis.coordinate not in names:
            raise document.error(joint, f"its SpatialTransform uses the coordinate {axis.coordinate}, which the joint does not have")
    return read[0], read[1], read[2], read[3], read[4], read[5]


def _read_axis(document: Document, joint: Element, element: Element, default: Vec3) -> Axis:
    direction = document.vector(element, "axis", default)
    words = document.text(element, "coordinates").split()
    if len(words) > 1:
        raise document.error(joint, f"{element.get('name')} depends on {len(words)} coordinates; one is supported")
    function = function_element(element)
    if function is None:
        if words:
            raise document.error(joint, f"{element.get('name')} has a coordinate but no function")
        return Axis(direction)
    read, gain = read_function(document, joint, function)
    return Axis(direction, read, words[0] if words else None, gain)


def _read_coordinate(document: Document, element: Element, slots: Slots) -> Coordinate:
    name = element.get("name", "")
    if document.boolean(element, "prescribed", False):
        document.note(f"coordinate {name} is prescribed by a function of time, which is ignored")
    return Coordinate(
        name=name,
        rotational=_is_rotational(name, slots),
        range=document.pair(element, "range", (-10.0, 10.0)),
        default=document.number(element, "default_value", 0.0),
        locked=document.boolean(element, "locked", False),
        clamped=document.boolean(element, "clamped", False),
    )


def _is_rotational(name: str, slots: Slots) -> bool:
    """Whether OpenSim calls the motion rotational, and so writes the coordinate in degrees.

    The last slot that is the coordinate itself, or its negative, decides. A coordinate that only enters through curves or
    gains (the patella's) is "coupled" to OpenSim: it stands in files as it is, and its generalized force is labelled `_force`.
    """
    kinds = [slot < 3 for slot, axis in enumerate(slots) if axis.coordinate == name and _is_plain(axis)]
    return bool(kinds) and kinds[-1]


def _is_plain(axis: Axis) -> bool:
    return isinstance(axis.function, Linear) and abs(axis.function.slope) == 1.0 and axis.gain == 1.0
