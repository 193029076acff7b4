"""Body models from OpenSim's .osim files."""

from collections import Counter
from pathlib import Path
from xml.etree.ElementTree import Element

from monomsk.errors import ModelError
from monomsk.io.osim_document import Document, load
from monomsk.io.osim_frames import FrameTable
from monomsk.io.osim_functions import function_element, read_function
from monomsk.io.osim_joints import read_joints
from monomsk.io.osim_legacy import modernize
from monomsk.io.osim_muscles import DEFAULTS, read_muscles, read_wraps
from monomsk.io.osim_passive import KINDS as PASSIVE
from monomsk.io.osim_passive import read_passive
from monomsk.model.spec import Body, ContactSphere, CoordinateActuator, Coupler, Joint, Marker, ModelSpec, Vec3

_FLOOR_ORIENTATION = (0.0, 0.0, -1.5707963267948966)
_CONTACT = "SmoothSphereHalfSpaceForce"
_ACTUATOR = "CoordinateActuator"


def read(path: Path | str) -> ModelSpec:
    """Read an .osim or .osim.gz; what of the file is not used is not told (see `read_with_notes`).

    Raises:
        ModelError: the file is missing, damaged, too large, of an old layout that cannot be read, or the model has a joint,
            function or path point that does not fit `ModelSpec`.
    """
    return read_with_notes(path)[0]


def read_with_notes(path: Path | str) -> tuple[ModelSpec, tuple[str, ...]]:
    """The model, and a line on each thing of the file that is not used (other actuators, springs, constraints).

    Raises:
        ModelError: as `read`.
    """
    document = modernize(load(Path(path)))
    frames = FrameTable(document)
    joints = read_joints(document, frames)
    model = document.model
    spec = ModelSpec(
        name=model.get("name") or Path(path).name.split(".")[0],
        bodies=_read_bodies(document, joints),
        joints=joints,
        couplers=_read_couplers(document),
        markers=_read_markers(document, frames),
        wraps=read_wraps(document, frames),
        muscles=read_muscles(document, frames),
        contacts=_read_contacts(document, frames),
        passive=read_passive(document, joints),
        actuators=_read_actuators(document),
        gravity=document.vector(model, "gravity", (0.0, -9.80665, 0.0)),
        credits=document.text(model, "credits"),
        publications=document.text(model, "publications"),
    )
    _note_unused_forces(document)
    _check_references(document, spec)
    return spec, tuple(document.notes)


def _read_bodies(document: Document, joints: tuple[Joint, ...]) -> tuple[Body, ...]:
    """Bodies in the order of the joints that move them."""
    found = document.objects(document.model, "BodySet")
    elements = {element.get("name", ""): element for element in found}
    if len(elements) < len(found):
        raise ModelError(f"{document.path}: two bodies have the same name; rename one in OpenSim")
    loose = set(elements) - {joint.child for joint in joints}
    if loose:
        raise ModelError(f"{document.path}: no joint holds the body {', '.join(sorted(loose))}; add one in OpenSim")
    if not joints:
        raise ModelError(f"{document.path}: the model has no bodies")
    if any(joint.child == "ground" for joint in joints):
        raise ModelError(f"{document.path}: a joint has the ground as its child; turn it round in OpenSim")
    return tuple(_read_body(document, elements[joint.child]) for joint in joints)


def _read_body(document: Document, element: Element) -> Body:
    inertia = document.numbers(element, "inertia", default=(0.0,) * 6)
    if len(inertia) != 6:
        raise document.error(element, f"<inertia> should hold six numbers, not {len(inertia)}")
    mass = document.number(element, "mass")
    if mass < 0 or min(inertia[:3]) < 0:
        raise document.error(element, "its mass and its moments of inertia may not be negative")
    meshes = tuple(
        (document.text(mesh, "mesh_file"), document.vector(mesh, "scale_factors", (1.0, 1.0, 1.0)))
        for mesh in element.findall("attached_geometry/Mesh")
    )
    return Body(
        name=element.get("name", ""),
        mass=mass,
        mass_center=document.vector(element, "mass_center", (0.0, 0.0, 0.0)),
        inertia=(inertia[0], inertia[1], inertia[2], inertia[3], inertia[4], inertia[5]),
        meshes=tuple(mesh for mesh in meshes if mesh[0]),
    )


def _read_couplers(document: Document) -> tuple[Coupler, ...]:
    couplers = list[Coupler]()
    for element in document.objects(document.model, "ConstraintSet"):
        name = element.get("name", "")
        independent = document.text(element, "independent_coordinate_names").split()
        enforced = document.boolean(element, "isEnforced", True) and not document.boolean(element, "isDisabled", False)
        function = function_element(element.find("coupled_coordinates_function"))
        if element.tag != "CoordinateCouplerConstraint" or len(independent) != 1 or function is None:
            document.note(f"constraint {name} ({element.tag}) is ignored; a CoordinateCouplerConstraint of one coordinate is supported")
        elif not enforced:
            document.note(f"constraint {name} is switched off in the file and ignored")
        else:
            read, gain = read_function(document, element, function)
            dependent = document.text(element, "dependent_coordinate_name")
            couplers.append(Coupler(name, dependent, independent[0], read, gain * document.number(element, "scale_factor", 1.0)))
    return tuple(couplers)


def _read_markers(document: Document, frames: FrameTable) -> tuple[Marker, ...]:
    """Markers in the order of the file; of two with one name the first."""
    markers: dict[str, Marker] = {}
    for element in document.objects(document.model, "MarkerSet"):
        marker = _read_marker(document, frames, element)
        if markers.setdefault(marker.name, marker) is not marker:
            document.note(f"a second marker called {marker.name} is ignored")
    return tuple(markers.values())


def _read_marker(document: Document, frames: FrameTable, element: Element) -> Marker:
    name = element.get("name", "")
    place = frames.place(element, f"/markerset/{name}", "socket_parent_frame")
    location = place.point(document.vector(element, "location", (0.0, 0.0, 0.0)))
    return Marker(name, place.body, location, document.boolean(element, "fixed", False))


def _read_contacts(document: Document, frames: FrameTable) -> tuple[ContactSphere, ...]:
    geometry = {element.get("name", ""): element for element in document.objects(document.model, "ContactGeometrySet")}
    contacts = list[ContactSphere]()
    for force in document.objects(document.model, "ForceSet"):
        if force.tag != _CONTACT:
            continue
        sphere = geometry.get(document.text(force, "socket_sphere").split("/")[-1])
        floor = geometry.get(document.text(force, "socket_half_space").split("/")[-1])
        if sphere is None or floor is None:
            document.note(f"contact {force.get('name')} has no sphere and half space, and is ignored")
        elif not _is_ground_plane(document, frames, floor):
            document.note(f"contact {force.get('name')} is ignored; only the ground plane y = 0 is supported")
        else:
            contacts.append(_read_contact(document, frames, force, sphere))
    return tuple(contacts)


def _is_ground_plane(document: Document, frames: FrameTable, floor: Element) -> bool:
    place = frames.place(floor, f"/contactgeometryset/{floor.get('name')}", "socket_frame")
    zero: Vec3 = (0.0, 0.0, 0.0)
    height = place.point(document.vector(floor, "location", zero))[1]
    orientation = document.vector(floor, "orientation", zero)
    turned = max(abs(a - b) for a, b in zip(orientation, _FLOOR_ORIENTATION, strict=True))
    return place.body == "ground" and place.frame.orientation == zero and abs(height) < 1e-9 and turned < 1e-6


def _read_contact(document: Document, frames: FrameTable, force: Element, sphere: Element) -> ContactSphere:
    name = sphere.get("name", "")
    place = frames.place(sphere, f"/contactgeometryset/{name}", "socket_frame")
    return ContactSphere(
        name=name,
        body=place.body,
        location=place.point(document.vector(sphere, "location", (0.0, 0.0, 0.0))),
        radius=document.number(sphere, "radius"),
        stiffness=document.number(force, "stiffness", 1.0),
        dissipation=document.number(force, "dissipation", 0.0),
        static_friction=document.number(force, "static_friction", 0.0),
        dynamic_friction=document.number(force, "dynamic_friction", 0.0),
        viscous_friction=document.number(force, "viscous_friction", 0.0),
        transition_velocity=document.number(force, "transition_velocity", 0.01),
        applied=document.boolean(force, "appliesForce", True),
    )


def _read_actuators(document: Document) -> tuple[CoordinateActuator, ...]:
    """Motors along coordinates that are switched on."""
    return tuple(
        CoordinateActuator(
            element.get("name", ""), document.text(element, "coordinate").split("/")[-1], document.number(element, "optimal_force", 1.0)
        )
        for element in document.objects(document.model, "ForceSet")
        if element.tag == _ACTUATOR
        and document.boolean(element, "appliesForce", True)
        and not document.boolean(element, "isDisabled", False)
    )


def _note_unused_forces(document: Document) -> None:
    known = {*DEFAULTS, *PASSIVE, _CONTACT, _ACTUATOR}
    counts = Counter(element.tag for element in document.objects(document.model, "ForceSet") if element.tag not in known)
    for kind, count in sorted(counts.items()):
        document.note(f"{count} {kind} of the model {'is' if count == 1 else 'are'} ignored")


def _check_references(document: Document, spec: ModelSpec) -> None:
    """Names must be unique, and those that muscles and couplers use must exist, or ModelError."""
    for kind, items in (
        ("joints", spec.joints),
        ("coordinates", spec.coordinates),
        ("muscles", spec.muscles),
        ("wrap surfaces", spec.wraps),
        ("passive forces", spec.passive),
        ("actuators", spec.actuators),
    ):
        double = [name for name, count in Counter(item.name for item in items).items() if count > 1]
        if double:
            raise ModelError(f"{document.path}: two {kind} are called '{double[0]}'; rename one in OpenSim")
    coordinates = {coordinate.name for coordinate in spec.coordinates}
    wraps = {wrap.name for wrap in spec.wraps}
    for coupler in spec.couplers:
        for name in (coupler.dependent, coupler.independent):
            if name not in coordinates:
                raise ModelError(f"{document.path}: constraint {coupler.name} uses the coordinate {name}, which no joint has")
    for actuator in spec.actuators:
        if actuator.coordinate not in coordinates:
            raise ModelError(f"{document.path}: actuator {actuator.name} uses the coordinate {actuator.coordinate}, which no joint has")
    for muscle in spec.muscles:
        used = [point.coordinate for point in muscle.points]
        used += [axis.coordinate for point in muscle.points for axis in point.moving or ()]
        used += muscle.polynomial.coordinates if muscle.polynomial else ()
        for name in used:
            if name is not None and name not in coordinates:
                raise ModelError(f"{document.path}: muscle {muscle.name} uses the coordinate {name}, which no joint has")
        for wrap in muscle.wraps:
            if wrap.wrap not in wraps:
                raise ModelError(f"{document.path}: muscle {muscle.name} bends around {wrap.wrap}, which no body has")
