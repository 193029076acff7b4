"""Older layouts of .osim (OpenSim 2 and 3), in which every body holds its joint, turned into the layout of OpenSim 4.

Only elements that the reader looks at are moved or renamed (the version notes of OpenSim 4; checked against the file
that OpenSim itself makes of an old one).
"""

from xml.etree.ElementTree import Element, SubElement

from monomsk.errors import ModelError
from monomsk.io.osim_document import Document
from monomsk.io.osim_functions import vector_text

_SOCKETS = {
    "body": ("socket_parent_frame", "/bodyset/"),
    "coordinate": ("socket_coordinate", ""),
    "x_coordinate": ("socket_x_coordinate", ""),
    "y_coordinate": ("socket_y_coordinate", ""),
    "z_coordinate": ("socket_z_coordinate", ""),
}
_POINTS = ("Marker", "PathPoint", "ConditionalPathPoint", "MovingPathPoint")
_INERTIA = tuple(f"inertia_{axes}" for axes in ("xx", "yy", "zz", "xy", "xz", "yz"))


def modernize(document: Document) -> Document:
    """The document in the layout of OpenSim 4; one that is so already stays as it is.

    Raises:
        ModelError: a joint that runs from child to parent, or a layout older than OpenSim 2.
    """
    model = document.model
    bodies = document.objects(model, "BodySet")
    if model.find("JointSet") is not None or not any(body.find("Joint") is not None for body in bodies):
        return document
    if document.version < 20000:
        raise ModelError(f"{document.path} is of OpenSim 1; open and save it in OpenSim 4")
    joints = SubElement(SubElement(model, "JointSet"), "objects")
    for body in bodies:
        holder = body.find("Joint")
        for joint in () if holder is None else list(holder):
            joints.append(_modern_joint(document, joint, body.get("name", "")))
        _modernize_body(document, body)
        if body.get("name") == "ground":
            _move_ground(model, body)
    for element in [e for tag in _POINTS for e in document.model.iter(tag)]:
        _rename_sockets(element)
    for muscle in [element for element in model.iter() if element.tag.endswith("Muscle")]:
        found = muscle.find("pennation_angle")
        if found is not None and muscle.find("pennation_angle_at_optimal") is None:
            found.tag = "pennation_angle_at_optimal"
    return document


def _modern_joint(document: Document, joint: Element, child: str) -> Element:
    """The joint with its coordinates, frames and sockets where OpenSim 4 has them."""
    if document.boolean(joint, "reverse", False):
        raise document.error(joint, "runs from child to parent (reverse), which is not supported")
    parent = document.text(joint, "parent_body")
    coordinates = joint.find("CoordinateSet/objects")
    if coordinates is not None:
        coordinates.tag = "coordinates"
        joint.append(coordinates)
    frames = SubElement(joint, "frames")
    for socket, body, location, orientation in (
        ("socket_parent_frame", parent, "location_in_parent", "orientation_in_parent"),
        ("socket_child_frame", child, "location", "orientation"),
    ):
        frame = SubElement(frames, "PhysicalOffsetFrame", name=f"{body}_offset")
        SubElement(frame, "socket_parent").text = _body_path(body)
        SubElement(frame, "translation").text = document.text(joint, location, "0 0 0")
        SubElement(frame, "orientation").text = document.text(joint, orientation, "0 0 0")
        SubElement(joint, socket).text = f"{body}_offset"
    return joint


def _modernize_body(document: Document, body: Element) -> None:
    """Inertia as one property, geometry as meshes."""
    if body.find("inertia") is None:
        values = tuple(document.number(body, tag, 0.0) for tag in _INERTIA)
        SubElement(body, "inertia").text = vector_text(values)
    visible = body.find("VisibleObject")
    if visible is None:
        return
    scale = document.vector(visible, "scale_factors", (1.0, 1.0, 1.0))
    shapes = [(file, (1.0, 1.0, 1.0)) for file in document.text(visible, "geometry_files").split()]
    shapes += [
        (document.text(shape, "geometry_file"), document.vector(shape, "scale_factors", (1.0, 1.0, 1.0)))
        for shape in document.objects(visible, "GeometrySet")
    ]
    geometry = SubElement(body, "attached_geometry")
    for file, own in shapes:
        mesh = SubElement(geometry, "Mesh")
        SubElement(mesh, "mesh_file").text = file
        SubElement(mesh, "scale_factors").text = vector_text(tuple(a * b for a, b in zip(scale, own, strict=True)))


def _move_ground(model: Element, body: Element) -> None:
    """The ground is no body any more."""
    holder = model.find("BodySet/objects")
    if holder is not None:
        holder.remove(body)
    ground = SubElement(model, "Ground", name="ground")
    wraps = body.find("WrapObjectSet")
    if wraps is not None:
        ground.append(wraps)


def _rename_sockets(element: Element) -> None:
    for old, (new, prefix) in _SOCKETS.items():
        found = element.find(old)
        if found is not None:
            name = (found.text or "").strip()
            found.tag, found.text = new, _body_path(name) if prefix else name


def _body_path(body: str) -> str:
    return "/ground" if body == "ground" else f"/bodyset/{body}"
