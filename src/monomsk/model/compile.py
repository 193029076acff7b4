"""From what an .osim says to flat arrays: names become indices once, here."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from monomsk.errors import ModelError
from monomsk.model.functions import compile_functions
from monomsk.model.model import Model
from monomsk.model.passive import compile_passive
from monomsk.model.spec import Axis, Body, Constant, ContactSphere, Function, Joint, Linear, ModelSpec
from monomsk.spatial import rotation

# One program: of a plain call JAX compiles every product by itself.
_turned = jax.jit(rotation.from_xyz)


def compile_model(spec: ModelSpec) -> Model:
    """Compile a body. Raises ModelError when names do not fit together (a marker on a body that is not there)."""
    joints, depths = _by_depth(spec)
    names = [j.child for j in joints]
    bodies = {b.name: b for b in spec.bodies}
    missing = [n for n in names if n not in bodies]
    if missing:
        raise ModelError(f"model {spec.name}: joint moves body {missing[0]!r}, which the model does not have")
    coordinates = spec.coordinates
    coordinate_names = [c.name for c in coordinates]
    parent = [names.index(j.parent) if j.parent != "ground" else -1 for j in joints]
    slots = [axis for j in joints for axis in (*j.rotations, *j.translations)]
    slot_coordinate = [_slot_coordinate(axis, coordinate_names, spec.name) for axis in slots]
    curved = [i for i, axis in enumerate(slots) if not isinstance(axis.function, Constant | Linear)]
    linear = [_linear(axis.function) for axis in slots]
    n = len(joints)
    return Model(
        **_inertial([bodies[name] for name in names]),
        **_frames(joints),
        axis=_unit(jnp.array([a.direction for a in slots], float)).reshape(n, 6, 3),
        slope=jnp.array([s for s, _ in linear], float).reshape(n, 6),
        intercept=jnp.array([i for _, i in linear], float).reshape(n, 6),
        gain=jnp.array([a.gain for a in slots], float).reshape(n, 6),
        radii=jnp.array([j.radii for j in joints if j.radii is not None], float).reshape(-1, 3),
        curves=compile_functions([slots[i].function for i in curved], [1.0] * len(curved)),
        coupler_curves=compile_functions([c.function for c in spec.couplers], [c.gain for c in spec.couplers]),
        ancestor=jnp.array(_ancestors(parent), float),
        slot_to_coordinate=jnp.array([[float(c == i) for i in range(len(coordinates))] for c in slot_coordinate], float),
        coordinate_range=jnp.array([c.range for c in coordinates], float).reshape(-1, 2),
        coordinate_default=jnp.array([c.default for c in coordinates], float),
        gravity=jnp.array(spec.gravity, float),
        marker_location=jnp.array([m.location for m in spec.markers], float).reshape(-1, 3),
        **_contacts(spec.contacts),
        passive=compile_passive(spec.passive, coordinate_names),
        body_names=tuple(names),
        joint_names=tuple(j.name for j in joints),
        ellipsoid=tuple(i for i, j in enumerate(joints) if j.radii is not None),
        simbody_driver=tuple(_simbody_driver(j) for j in joints),
        coordinate_names=tuple(coordinate_names),
        marker_names=tuple(m.name for m in spec.markers),
        contact_names=tuple(c.name for c in spec.contacts),
        parent=tuple(parent),
        levels=tuple((depths.index(d), depths.index(d) + depths.count(d)) for d in sorted(set(depths))),
        slot_coordinate=tuple(slot_coordinate),
        curve_slot=tuple(curved),
        scaled_slot=tuple(i for i, a in enumerate(slots) if i % 6 > 2 and not _slides(a)),
        coordinate_body=tuple(i for c in coordinates for i, j in enumerate(joints) if c in j.coordinates),
        rotational=tuple(c.rotational for c in coordinates),
        locked=tuple(c.locked for c in coordinates),
        dependent=tuple(_index(c.dependent, coordinate_names, c.name) for c in spec.couplers),
        independent=tuple(_index(c.independent, coordinate_names, c.name) for c in spec.couplers),
        marker_body=tuple(_index(m.body, names, f"marker {m.name}") for m in spec.markers),
        contact_body=tuple(_index(c.body, names, f"contact {c.name}") for c in spec.contacts),
    )


def _index(name: str, names: list[str], who: str) -> int:
    if name not in names:
        raise ModelError(f"{who} names {name!r}, which the model does not have")
    return names.index(name)


def _by_depth(spec: ModelSpec) -> tuple[list[Joint], list[int]]:
    """Joints sorted by the depth of their child in the tree, and the depths."""
    depth = {"ground": -1}
    for joint in spec.joints:
        if joint.parent not in depth:
            raise ModelError(f"model {spec.name}: joint {joint.name} hangs on {joint.parent!r}, which comes later or does not exist")
        depth[joint.child] = depth[joint.parent] + 1
    joints = sorted(spec.joints, key=lambda j: depth[j.child])
    return joints, [depth[j.child] for j in joints]


def _slot_coordinate(axis: Axis, names: list[str], model: str) -> int:
    if axis.coordinate is None or isinstance(axis.function, Constant):
        return -1
    return _index(axis.coordinate, names, f"model {model}: a joint axis")


def _unit(direction: Float[Array, "slot 3"]) -> Float[Array, "slot 3"]:
    """Axes in files are rounded to eight digits; OpenSim brings them to length one."""
    length = jnp.linalg.norm(direction, axis=-1, keepdims=True)
    return direction / jnp.where(length > 0.0, length, 1.0)


def _linear(function: Function) -> tuple[float, float]:
    if isinstance(function, Constant):
        return 0.0, function.value
    return (function.slope, function.intercept) if isinstance(function, Linear) else (0.0, 0.0)


def _slides(axis: Axis) -> bool:
    """Whether a translation is itself a coordinate, which scaling leaves alone (OpenSim's SpatialTransform does so too)."""
    return axis.coordinate is not None and isinstance(axis.function, Linear) and abs(axis.function.slope) == 1.0


def _simbody_driver(joint: Joint) -> tuple[int, ...]:
    """A CustomJoint's coordinates are numbered as they first appear in its axes; other joints turn axis k by coordinate k alone."""
    if joint.kind != "CustomJoint":
        return 0, 1, 2
    seen = list(dict.fromkeys(axis.coordinate for axis in (*joint.rotations, *joint.translations) if axis.coordinate is not None))
    return tuple(-1 if axis.coordinate is None else seen.index(axis.coordinate) for axis in joint.rotations)


def _ancestors(parent: list[int]) -> list[list[float]]:
    rows: list[list[float]] = []
    for i, p in enumerate(parent):
        row = list(rows[p]) if p >= 0 else [0.0] * len(parent)
        row[i] = 1.0
        rows.append(row)
    return rows


def _inertial(bodies: list[Body]) -> dict[str, jnp.ndarray]:
    inertia = [[[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]] for xx, yy, zz, xy, xz, yz in (b.inertia for b in bodies)]
    return {
        "mass": jnp.array([b.mass for b in bodies], float),
        "mass_center": jnp.array([b.mass_center for b in bodies], float),
        "inertia": jnp.array(inertia, float),
    }


def _frames(joints: list[Joint]) -> dict[str, jnp.ndarray]:
    return {
        "R_parent_joint": _turned(jnp.array([j.parent_frame.orientation for j in joints], float)),
        "p_parent_joint": jnp.array([j.parent_frame.translation for j in joints], float),
        "R_child_joint": _turned(jnp.array([j.child_frame.orientation for j in joints], float)),
        "p_child_joint": jnp.array([j.child_frame.translation for j in joints], float),
    }


def _contacts(spheres: tuple[ContactSphere, ...]) -> dict[str, jnp.ndarray]:
    friction = [(c.static_friction, c.dynamic_friction, c.viscous_friction) for c in spheres]
    return {
        "contact_location": jnp.array([c.location for c in spheres], float).reshape(-1, 3),
        "contact_radius": jnp.array([c.radius for c in spheres], float),
        "contact_stiffness": jnp.array([c.stiffness for c in spheres], float),
        "contact_dissipation": jnp.array([c.dissipation for c in spheres], float),
        "contact_friction": jnp.array(friction, float).reshape(-1, 3),
        "contact_transition_velocity": jnp.array([c.transition_velocity for c in spheres], float),
    }
