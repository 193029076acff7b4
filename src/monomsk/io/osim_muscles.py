"""Muscles of an OpenSim document: their paths, their numbers, and the surfaces the paths bend around.

`Muscle.parameters` holds what the fields of `Muscle` do not, by OpenSim's property names. A property of a curve has the
curve's class in front of it: `FiberForceLengthCurve.strain_at_one_norm_force`. True and false stand as 1 and 0.
"""

import posixpath
from xml.etree.ElementTree import Element

from monomsk.io.osim_document import Document
from monomsk.io.osim_frames import FrameTable, compose
from monomsk.io.osim_functions import function_element, read_function
from monomsk.io.osim_paths import read_polynomial_path
from monomsk.model.spec import Axis, Constant, Frame, Muscle, PathPoint, PathWrap, Vec3, Wrap

_MUSCLE = {
    "appliesForce": 1.0,
    "min_control": 0.01,
    "max_control": 1.0,
    "optimal_force": 1.0,
    "ignore_activation_dynamics": 0.0,
    "default_activation": 0.05,
    "default_fiber_length": 0.1,
    "activation_time_constant": 0.01,
    "deactivation_time_constant": 0.04,
    "minimum_activation": 0.01,
    "maximum_pennation_angle": 1.4706289056333368,
}
DEFAULTS: dict[str, dict[str, float | None]] = {
    "Millard2012EquilibriumMuscle": {
        **_MUSCLE,
        "fiber_damping": 0.1,
        "ActiveForceLengthCurve.min_norm_active_fiber_length": 0.4441,
        "ActiveForceLengthCurve.transition_norm_fiber_length": 0.73,
        "ActiveForceLengthCurve.max_norm_active_fiber_length": 1.8123,
        "ActiveForceLengthCurve.shallow_ascending_slope": 0.8616,
        "ActiveForceLengthCurve.minimum_value": 0.1,
        "ForceVelocityCurve.concentric_slope_at_vmax": 0.0,
        "ForceVelocityCurve.concentric_slope_near_vmax": 0.25,
        "ForceVelocityCurve.isometric_slope": 5.0,
        "ForceVelocityCurve.eccentric_slope_at_vmax": 0.0,
        "ForceVelocityCurve.eccentric_slope_near_vmax": 0.15,
        "ForceVelocityCurve.max_eccentric_velocity_force_multiplier": 1.4,
        "ForceVelocityCurve.concentric_curviness": 0.6,
        "ForceVelocityCurve.eccentric_curviness": 0.9,
        "FiberForceLengthCurve.strain_at_zero_force": 0.0,
        "FiberForceLengthCurve.strain_at_one_norm_force": 0.7,
        "FiberForceLengthCurve.stiffness_at_low_force": None,
        "FiberForceLengthCurve.stiffness_at_one_norm_force": None,
        "FiberForceLengthCurve.curviness": None,
        "TendonForceLengthCurve.strain_at_one_norm_force": 0.049,
        "TendonForceLengthCurve.stiffness_at_one_norm_force": None,
        "TendonForceLengthCurve.norm_force_at_toe_end": None,
        "TendonForceLengthCurve.curviness": None,
    },
    "Thelen2003Muscle": {
        **_MUSCLE,
        "activation_time_constant": 0.015,
        "deactivation_time_constant": 0.05,
        "FmaxTendonStrain": 0.04,
        "FmaxMuscleStrain": 0.6,
        "KshapeActive": 0.45,
        "KshapePassive": 5.0,
        "Af": 0.25,
        "Flen": 1.4,
        "fv_linear_extrap_threshold": 0.95,
    },
    "DeGrooteFregly2016Muscle": {
        **{name: value for name, value in _MUSCLE.items() if name not in ("minimum_activation", "maximum_pennation_angle")},
        "min_control": 0.0,
        "default_activation": 0.5,
        "activation_time_constant": 0.015,
        "deactivation_time_constant": 0.06,
        "default_normalized_tendon_force": 0.5,
        "active_force_width_scale": 1.0,
        "fiber_damping": 0.0,
        "passive_fiber_strain_at_one_norm_force": 0.6,
        "tendon_strain_at_one_norm_force": 0.049,
        "ignore_passive_fiber_force": 0.0,
        "activation_dynamics_smoothing": 0.1,
    },
}
"""Muscle classes that can be read, with what OpenSim 4.6 takes for each property a file does not give (None: it computes one)."""

BOOLEANS = ("appliesForce", "ignore_activation_dynamics", "ignore_passive_fiber_force")

WRAP_DIMENSIONS = {
    "WrapCylinder": ("radius", "length"),
    "WrapSphere": ("radius",),
    "WrapEllipsoid": ("dimensions",),
    "WrapTorus": ("inner_radius", "outer_radius"),
}


def read_muscles(document: Document, frames: FrameTable) -> tuple[Muscle, ...]:
    """All muscles of the supported classes, in the order of the file, with the groups of the ForceSet they are in.

    Raises:
        ModelError: a path that cannot be read.
    """
    groups: dict[str, list[str]] = {}
    found = document.model.find("ForceSet/groups")
    for group in () if found is None else found.iterfind("ObjectGroup[@name]"):
        for member in document.text(group, "members").split():
            groups.setdefault(member, []).append("_".join(group.get("name", "").split()))
    elements = [element for element in document.objects(document.model, "ForceSet") if element.tag in DEFAULTS]
    muscles = list[Muscle]()
    for element in elements:
        tags = ("GeometryPath", "path/GeometryPath", "FunctionBasedPath", "path/FunctionBasedPath")
        path = next((found for tag in tags if (found := element.find(tag)) is not None), None)
        if path is None:
            document.note(f"muscle {element.get('name')} has no GeometryPath or FunctionBasedPath and is ignored")
            continue
        muscles.append(_read_muscle(document, frames, element, path, " ".join(sorted({*groups.get(element.get("name", ""), [])} - {""}))))
    return tuple(muscles)


def _read_muscle(document: Document, frames: FrameTable, element: Element, path: Element, group: str) -> Muscle:
    name = element.get("name", "")
    owner = f"/forceset/{name}/{path.get('name') or 'geometrypath'}"
    polynomial = read_polynomial_path(document, element, path) if path.tag == "FunctionBasedPath" else None
    points = tuple(_read_point(document, frames, point, owner) for point in document.objects(path, "PathPointSet"))
    if polynomial is None and len(points) < 2:
        raise document.error(element, "its path needs two points at least")
    return Muscle(
        name=name,
        kind=element.tag,
        max_isometric_force=document.number(element, "max_isometric_force", 1000.0),
        optimal_fiber_length=document.number(element, "optimal_fiber_length", 0.1),
        tendon_slack_length=document.number(element, "tendon_slack_length", 0.2),
        pennation=document.number(element, "pennation_angle_at_optimal", 0.0),
        max_contraction_velocity=document.number(element, "max_contraction_velocity", 10.0),
        points=points,
        wraps=tuple(_read_path_wrap(document, wrap) for wrap in document.objects(path, "PathWrapSet")),
        parameters=_read_parameters(document, element),
        ignore_tendon_compliance=document.boolean(element, "ignore_tendon_compliance", False),
        group=group,
        polynomial=polynomial,
    )


def _read_parameters(document: Document, muscle: Element) -> tuple[tuple[str, float], ...]:
    values: dict[str, float] = {}
    for name, default in DEFAULTS[muscle.tag].items():
        holder, tag = muscle, name
        if "." in name:
            curve, tag = name.split(".")
            found = document.child(muscle, curve)
            if found is None:
                continue
            holder = found
        value = _parameter(document, holder, tag)
        if value is not None and value != default:
            values[name] = value
    minimum = values.get("minimum_activation", 0.01)
    if "minimum_activation" in DEFAULTS[muscle.tag] and values.get("min_control", 0.01) < minimum:
        # OpenSim 4 refuses such a muscle; files made by earlier versions have them.
        values.pop("min_control", None)
        if minimum != 0.01:
            values["min_control"] = minimum
        document.note("muscles whose min_control was below their minimum_activation have it raised")
    if document.text(muscle, "tendon_compliance_dynamics_mode", "explicit") != "explicit":
        document.note("the implicit tendon dynamics of DeGrooteFregly2016Muscle is ignored")
    return tuple(sorted(values.items()))


def _parameter(document: Document, holder: Element, tag: str) -> float | None:
    text = document.text(holder, tag)
    if not text:
        return None
    if tag in BOOLEANS:
        return float(document.boolean(holder, tag, True))
    if tag in ("min_control", "max_control") and text.lower().lstrip("+-") in ("inf", "infinity"):
        return float(text)
    return document.number(holder, tag)


def _read_point(document: Document, frames: FrameTable, element: Element, owner: str) -> PathPoint:
    name = element.get("name", "")
    place = frames.place(element, f"{owner}/{name}", "socket_parent_frame")
    if element.tag == "MovingPathPoint":
        if place.frame != Frame():
            raise document.error(element, "moves in an offset frame; only moving points given in a body are supported")
        return PathPoint(name, place.body, (0.0, 0.0, 0.0), moving=_read_moving(document, element))
    location = place.point(document.vector(element, "location"))
    if element.tag == "ConditionalPathPoint":
        coordinate = posixpath.basename(document.text(element, "socket_coordinate"))
        if not coordinate:
            raise document.error(element, "does not say which coordinate it depends on")
        return PathPoint(name, place.body, location, coordinate, document.pair(element, "range"))
    if element.tag != "PathPoint":
        raise document.error(
            element, "is a kind of path point that is not supported (PathPoint, ConditionalPathPoint, MovingPathPoint are)"
        )
    return PathPoint(name, place.body, location)


def _read_moving(document: Document, element: Element) -> tuple[Axis, Axis, Axis]:
    axes = list[Axis]()
    directions: tuple[Vec3, Vec3, Vec3] = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
    for letter, direction in zip("xyz", directions, strict=True):
        function = function_element(element.find(f"{letter}_location"))
        read, gain = (Constant(0.0), 1.0) if function is None else read_function(document, element, function)
        coordinate = posixpath.basename(document.text(element, f"socket_{letter}_coordinate")) or None
        if coordinate is None and not isinstance(read, Constant):
            raise document.error(element, f"does not say which coordinate its {letter} depends on")
        axes.append(Axis(direction, read, coordinate, gain))
    return axes[0], axes[1], axes[2]


def _read_path_wrap(document: Document, element: Element) -> PathWrap:
    first, last = document.pair(element, "range", (-1.0, -1.0))
    return PathWrap(document.text(element, "wrap_object"), (int(first), int(last)), document.text(element, "method", "hybrid"))


def read_wraps(document: Document, frames: FrameTable) -> tuple[Wrap, ...]:
    """All wrap surfaces of the bodies and of the ground, in the order of the file.

    Raises:
        ModelError: a kind of surface that is not in WRAP_DIMENSIONS.
    """
    owners: list[tuple[str, Element]] = []
    ground = document.model.find("Ground")
    if ground is not None:
        owners.append(("/ground", ground))
    owners += [(f"/bodyset/{body.get('name')}", body) for body in document.objects(document.model, "BodySet")]
    wraps = list[Wrap]()
    for path, element in owners:
        wraps += [_read_wrap(document, wrap, posixpath.basename(path), Frame()) for wrap in document.objects(element, "WrapObjectSet")]
    for path, element in frames.offsets():
        found = document.objects(element, "WrapObjectSet")
        if found:
            place = frames.placement(path, element)
            wraps += [_read_wrap(document, wrap, place.body, place.frame) for wrap in found]
    return tuple(wraps)


def _read_wrap(document: Document, element: Element, body: str, outer: Frame) -> Wrap:
    if element.tag not in WRAP_DIMENSIONS:
        raise document.error(element, f"is a wrap surface that is not supported; supported are {', '.join(WRAP_DIMENSIONS)}")
    zero = (0.0, 0.0, 0.0)
    pose = Frame(document.vector(element, "translation", zero), document.vector(element, "xyz_body_rotation", zero))
    pose = compose(outer, pose)
    if element.tag == "WrapEllipsoid":
        dimensions: tuple[float, ...] = document.vector(element, "dimensions", (0.05, 0.05, 0.05))
    else:
        dimensions = tuple(document.number(element, tag) for tag in WRAP_DIMENSIONS[element.tag])
    quadrant = document.text(element, "quadrant", "all")
    active = document.boolean(element, "active", True)
    return Wrap(element.get("name", ""), element.tag, body, pose.translation, pose.orientation, dimensions, quadrant, active)
