"""Body models to OpenSim's .osim files (the layout of OpenSim 4.0, which every 4.x reads)."""

from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from monomsk.errors import ModelError
from monomsk.io.atomic import write_text
from monomsk.io.osim_functions import number_text, vector_text, write_function
from monomsk.io.osim_joints import native_slots
from monomsk.io.osim_muscles import BOOLEANS, WRAP_DIMENSIONS
from monomsk.io.osim_passive import write_passive
from monomsk.io.osim_paths import write_polynomial_path
from monomsk.model.spec import (
    Axis,
    Body,
    ContactSphere,
    Coordinate,
    CoordinateActuator,
    Coupler,
    Frame,
    Joint,
    ModelSpec,
    Muscle,
    PathPoint,
    Wrap,
)

VERSION = 40000
_SLOTS = ("rotation1", "rotation2", "rotation3", "translation1", "translation2", "translation3")
_FLOOR = "floor"


def write(path: Path | str, spec: ModelSpec) -> None:
    """Write a model as .osim; `osim_read.read` gives an equal one back, and OpenSim 4 opens it.

    Raises:
        OutputError: the file cannot be written.
        ModelError: an ellipsoid in a joint whose axes are not those of an EllipsoidJoint.
    """
    write_text(Path(path), document_text(spec))


def document_text(spec: ModelSpec) -> str:
    """The .osim document of a model."""
    document = Element("OpenSimDocument", Version=str(VERSION))
    model = SubElement(document, "Model", name=spec.name)
    ground = SubElement(model, "Ground", name="ground")
    _write_wraps(ground, [wrap for wrap in spec.wraps if wrap.body == "ground"])
    _text(model, "gravity", vector_text(spec.gravity))
    _text(model, "credits", spec.credits)
    _text(model, "publications", spec.publications)
    _text(model, "length_units", "meters")
    _text(model, "force_units", "N")
    bodies = _set(model, "BodySet")
    for body in spec.bodies:
        _write_body(bodies, body, [wrap for wrap in spec.wraps if wrap.body == body.name])
    joints = _set(model, "JointSet")
    for joint in spec.joints:
        _write_joint(joints, joint)
    constraints = _set(model, "ConstraintSet")
    for coupler in spec.couplers:
        _write_coupler(constraints, coupler)
    _write_forces(model, spec)
    markers = _set(model, "MarkerSet")
    for marker in spec.markers:
        element = SubElement(markers, "Marker", name=marker.name)
        _text(element, "socket_parent_frame", _body_path(marker.body))
        _text(element, "location", vector_text(marker.location))
        _text(element, "fixed", _boolean(marker.fixed))
    if spec.contacts:
        _write_contact_geometry(model, spec.contacts)
    ElementTree.indent(document, " ")
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(document, encoding="unicode") + "\n"


def _set(parent: Element, tag: str) -> Element:
    """Append a set, named as OpenSim names it, and give its list of objects."""
    return SubElement(SubElement(parent, tag, name=tag.lower()), "objects")


def _text(parent: Element, tag: str, text: str) -> None:
    SubElement(parent, tag).text = text


def _boolean(value: bool) -> str:
    return "true" if value else "false"


def _body_path(body: str) -> str:
    return "/ground" if body == "ground" else f"/bodyset/{body}"


def _write_body(parent: Element, body: Body, wraps: list[Wrap]) -> None:
    element = SubElement(parent, "Body", name=body.name)
    if body.meshes:
        geometry = SubElement(element, "attached_geometry")
        for number, (file, scale) in enumerate(body.meshes, start=1):
            mesh = SubElement(geometry, "Mesh", name=f"{body.name}_geom_{number}")
            _text(mesh, "socket_frame", "..")
            _text(mesh, "scale_factors", vector_text(scale))
            _text(mesh, "mesh_file", file)
    _write_wraps(element, wraps)
    _text(element, "mass", number_text(body.mass))
    _text(element, "mass_center", vector_text(body.mass_center))
    _text(element, "inertia", vector_text(body.inertia))


def _write_wraps(parent: Element, wraps: list[Wrap]) -> None:
    if not wraps:
        return
    objects = SubElement(SubElement(parent, "WrapObjectSet", name="wrapobjectset"), "objects")
    for wrap in wraps:
        element = SubElement(objects, wrap.kind, name=wrap.name)
        _text(element, "active", _boolean(wrap.active))
        _text(element, "xyz_body_rotation", vector_text(wrap.rotation))
        _text(element, "translation", vector_text(wrap.translation))
        _text(element, "quadrant", wrap.quadrant)
        # The surfaces would hide the bones in OpenSim's window.
        _text(SubElement(element, "Appearance"), "visible", "false")
        if wrap.kind == "WrapEllipsoid":
            _text(element, "dimensions", vector_text(wrap.dimensions))
        else:
            for tag, value in zip(WRAP_DIMENSIONS[wrap.kind], wrap.dimensions, strict=True):
                _text(element, tag, number_text(value))


def _write_joint(parent: Element, joint: Joint) -> None:
    slots = (*joint.rotations, *joint.translations)
    native = native_slots(joint.kind, tuple(coordinate.name for coordinate in joint.coordinates)) == slots
    if joint.radii is not None and not native:
        raise ModelError(f"joint {joint.name} has an ellipsoid but not the axes of an EllipsoidJoint, so OpenSim has no class for it")
    element = SubElement(parent, joint.kind if native else "CustomJoint", name=joint.name)
    parent_name, child_name = f"{joint.parent}_offset", f"{joint.child}_offset"
    _text(element, "socket_parent_frame", parent_name)
    _text(element, "socket_child_frame", child_name)
    if joint.coordinates:
        coordinates = SubElement(element, "coordinates")
        for coordinate in joint.coordinates:
            _write_coordinate(coordinates, coordinate)
    frames = SubElement(element, "frames")
    _write_frame(frames, parent_name, joint.parent, joint.parent_frame)
    _write_frame(frames, child_name, joint.child, joint.child_frame)
    if joint.radii is not None:
        _text(element, "radii_x_y_z", vector_text(joint.radii))
    if not native:
        transform = SubElement(element, "SpatialTransform")
        for name, axis in zip(_SLOTS, slots, strict=True):
            _write_axis(transform, name, axis)


def _write_coordinate(parent: Element, coordinate: Coordinate) -> None:
    element = SubElement(parent, "Coordinate", name=coordinate.name)
    _text(element, "default_value", number_text(coordinate.default))
    _text(element, "range", vector_text(coordinate.range))
    _text(element, "clamped", _boolean(coordinate.clamped))
    _text(element, "locked", _boolean(coordinate.locked))


def _write_frame(parent: Element, name: str, body: str, frame: Frame) -> None:
    element = SubElement(parent, "PhysicalOffsetFrame", name=name)
    _text(element, "socket_parent", _body_path(body))
    _text(element, "translation", vector_text(frame.translation))
    _text(element, "orientation", vector_text(frame.orientation))


def _write_axis(parent: Element, name: str, axis: Axis) -> None:
    element = SubElement(parent, "TransformAxis", name=name)
    _text(element, "coordinates", axis.coordinate or "")
    _text(element, "axis", vector_text(axis.direction))
    write_function(element, axis.function, axis.gain, name="function")


def _write_coupler(parent: Element, coupler: Coupler) -> None:
    element = SubElement(parent, "CoordinateCouplerConstraint", name=coupler.name)
    write_function(SubElement(element, "coupled_coordinates_function"), coupler.function)
    _text(element, "independent_coordinate_names", coupler.independent)
    _text(element, "dependent_coordinate_name", coupler.dependent)
    _text(element, "scale_factor", number_text(coupler.gain))


def _write_forces(model: Element, spec: ModelSpec) -> None:
    """The ForceSet: muscles with their groups, then the contact forces and those along coordinates."""
    forces = SubElement(model, "ForceSet", name="forceset")
    objects = SubElement(forces, "objects")
    joints = {coordinate.name: joint.name for joint in spec.joints for coordinate in joint.coordinates}
    for muscle in spec.muscles:
        _write_muscle(objects, muscle, joints)
    for contact in spec.contacts:
        element = SubElement(objects, "SmoothSphereHalfSpaceForce", name=f"SmoothSphereHalfSpaceForce_{contact.name}")
        _text(element, "appliesForce", _boolean(contact.applied))
        _text(element, "socket_sphere", f"/contactgeometryset/{contact.name}")
        _text(element, "socket_half_space", f"/contactgeometryset/{_FLOOR}")
        for tag in ("stiffness", "dissipation", "static_friction", "dynamic_friction", "viscous_friction", "transition_velocity"):
            _text(element, tag, number_text(getattr(contact, tag)))
    write_passive(objects, spec)
    for actuator in spec.actuators:
        objects.append(actuator_element(actuator))
    members: dict[str, list[str]] = {}
    for muscle in spec.muscles:
        for group in muscle.group.split():
            members.setdefault(group, []).append(muscle.name)
    groups = SubElement(forces, "groups")
    for group, names in members.items():
        _text(SubElement(groups, "ObjectGroup", name=group), "members", " ".join(names))


def actuator_element(actuator: CoordinateActuator) -> Element:
    """A CoordinateActuator."""
    element = Element("CoordinateActuator", name=actuator.name)
    _text(element, "coordinate", actuator.coordinate)
    _text(element, "optimal_force", number_text(actuator.optimal_force))
    return element


def _write_muscle(parent: Element, muscle: Muscle, joints: dict[str, str]) -> None:
    element = SubElement(parent, muscle.kind, name=muscle.name)
    if muscle.polynomial is not None:
        write_polynomial_path(element, muscle.polynomial, joints, name="path")
    else:
        _write_geometry_path(element, muscle, joints)
    _text(element, "max_isometric_force", number_text(muscle.max_isometric_force))
    _text(element, "optimal_fiber_length", number_text(muscle.optimal_fiber_length))
    _text(element, "tendon_slack_length", number_text(muscle.tendon_slack_length))
    _text(element, "pennation_angle_at_optimal", number_text(muscle.pennation))
    _text(element, "max_contraction_velocity", number_text(muscle.max_contraction_velocity))
    _text(element, "ignore_tendon_compliance", _boolean(muscle.ignore_tendon_compliance))
    curves: dict[str, Element] = {}
    for name, value in muscle.parameters:
        holder, tag = element, name
        if "." in name:
            curve, tag = name.split(".")
            if curve not in curves:
                curves[curve] = SubElement(element, curve, name=curve)
            holder = curves[curve]
        _text(holder, tag, _boolean(bool(value)) if tag in BOOLEANS else number_text(value))


def _write_geometry_path(parent: Element, muscle: Muscle, joints: dict[str, str]) -> None:
    path = SubElement(parent, "GeometryPath", name="geometrypath")
    points = SubElement(SubElement(path, "PathPointSet"), "objects")
    for point in muscle.points:
        _write_point(points, point, joints)
    wraps = SubElement(SubElement(path, "PathWrapSet"), "objects")
    for number, wrap in enumerate(muscle.wraps):
        use = SubElement(wraps, "PathWrap", name="pathwrap" if number == 0 else f"pathwrap_{number}")
        _text(use, "wrap_object", wrap.wrap)
        _text(use, "method", wrap.method)
        _text(use, "range", vector_text(wrap.range))


def _write_point(parent: Element, point: PathPoint, joints: dict[str, str]) -> None:
    kind = "MovingPathPoint" if point.moving else "PathPoint" if point.coordinate is None else "ConditionalPathPoint"
    element = SubElement(parent, kind, name=point.name)
    _text(element, "socket_parent_frame", _body_path(point.body))
    if point.moving:
        for letter, axis in zip("xyz", point.moving, strict=True):
            if axis.coordinate is not None:
                _text(element, f"socket_{letter}_coordinate", f"/jointset/{joints[axis.coordinate]}/{axis.coordinate}")
            write_function(SubElement(element, f"{letter}_location"), axis.function, axis.gain)
        return
    _text(element, "location", vector_text(point.location))
    if point.coordinate is not None and point.range is not None:
        _text(element, "socket_coordinate", f"/jointset/{joints[point.coordinate]}/{point.coordinate}")
        _text(element, "range", vector_text(point.range))


def _write_contact_geometry(model: Element, contacts: tuple[ContactSphere, ...]) -> None:
    objects = _set(model, "ContactGeometrySet")
    floor = SubElement(objects, "ContactHalfSpace", name=_FLOOR)
    _text(floor, "socket_frame", "/ground")
    _text(floor, "location", "0 0 0")
    _text(floor, "orientation", "0 0 -1.5707963267948966")
    for contact in contacts:
        element = SubElement(objects, "ContactSphere", name=contact.name)
        _text(element, "socket_frame", _body_path(contact.body))
        _text(element, "location", vector_text(contact.location))
        _text(element, "radius", number_text(contact.radius))
