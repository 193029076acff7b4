"""The body of `benchmarks/mechanics.py` for libraries that know only hinges and slides: the same tree, masses and coordinates.

Where a joint's slots follow curves (knees and patellae), the first rotation becomes a plain hinge and the other curved slots
stand still at the value that they have at coordinate zero, or at zero if they turn. Couplers and locks are left out.
"""

from dataclasses import dataclass, replace

import numpy as np

from monomsk.model.spec import Axis, Constant, Coordinate, Frame, Joint, Linear, ModelSpec, Polynomial


@dataclass(frozen=True)
class Degree:
    """A coordinate of a joint: what it does, about or along which axis of the joint's fixed frame."""

    name: str
    rotational: bool
    axis: np.ndarray


@dataclass(frozen=True)
class Link:
    """A body in the frame of its joint: where that is in the frame of the parent's joint, how it moves, what it weighs."""

    name: str
    parent: str
    R: np.ndarray
    p: np.ndarray
    degrees: tuple[Degree, ...]
    mass: float
    center: np.ndarray
    inertia: np.ndarray
    """About the mass centre."""


def bare(spec: ModelSpec) -> ModelSpec:
    """The body without what only muscles, markers and contact need."""
    return replace(spec, muscles=(), wraps=(), markers=(), contacts=())


def hinged(spec: ModelSpec) -> tuple[ModelSpec, tuple[str, ...]]:
    """The body with plain hinges and slides only, free of couplers and locks; and the joints that had to change."""
    joints = tuple(_hinged(joint) for joint in spec.joints)
    changed = tuple(old.name for old, new in zip(spec.joints, joints, strict=True) if _moving(old) != _moving(new))
    return replace(bare(spec), joints=joints, couplers=()), changed


def links(spec: ModelSpec) -> tuple[Link, ...]:
    """The links of a hinged body, depth first."""
    bodies = {body.name: body for body in spec.bodies}
    joints = {joint.child: joint for joint in spec.joints}
    found = []
    for name in _depth_first(spec, "ground"):
        joint, body = joints[name], bodies[name]
        R_up, p_up = _pose(joint.parent_frame)
        R, p = R_up, p_up + R_up @ sum((np.asarray(a.direction) * _still(a) for a in joint.translations), np.zeros(3))
        if joint.parent != "ground":
            R_moving, p_moving = _pose(joints[joint.parent].child_frame)
            R, p = R_moving.T @ R, R_moving.T @ (p - p_moving)
        R_own, p_own = _pose(joint.child_frame)
        xx, yy, zz, xy, xz, yz = body.inertia
        inertia = R_own.T @ np.array([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]]) @ R_own
        degrees = tuple(
            Degree(axis.coordinate, turns, np.asarray(axis.direction))
            for turns, axes in ((False, joint.translations), (True, joint.rotations))
            for axis in axes
            if axis.coordinate is not None
        )
        found.append(Link(name, joint.parent, R, p, degrees, body.mass, R_own.T @ (np.asarray(body.mass_center) - p_own), inertia))
    return tuple(found)


def mjcf(spec: ModelSpec, step: float) -> str:
    """The body as a MuJoCo document: several joints a body, contact and constraints off, a motor on every coordinate."""
    tree = links(spec)
    gravity = _numbers(spec.gravity)
    flags = '<flag contact="disable" constraint="disable"/>'
    motors = "".join(f'<motor joint="{degree.name}"/>' for link in tree for degree in link.degrees)
    return (
        f'<mujoco><compiler angle="radian" balanceinertia="false"/><option timestep="{step!r}" gravity="{gravity}">{flags}</option>'
        f"<worldbody>{_mjcf_bodies(tree, 'ground')}</worldbody><actuator>{motors}</actuator></mujoco>"
    )


def pinocchio_model(spec: ModelSpec) -> object:
    """The body as a Pinocchio model: every coordinate a joint about or along its own Z, the kind that it computes fastest."""
    import pinocchio as pin

    model = pin.Model()
    model.gravity.linear = np.asarray(spec.gravity)
    last: dict[str, tuple[int, pin.SE3]] = {"ground": (0, pin.SE3.Identity())}
    for link in links(spec):
        joint, rest = last[link.parent]
        place = rest * pin.SE3(link.R, link.p)
        for degree in link.degrees:
            turn = pin.SE3(_z_to(degree.axis), np.zeros(3))
            kind = pin.JointModelRZ() if degree.rotational else pin.JointModelPZ()
            joint = model.addJoint(joint, kind, place * turn, degree.name)
            place = turn.inverse()
        model.appendBodyToJoint(joint, pin.Inertia(link.mass, link.center, link.inertia), place)
        last[link.name] = (joint, place)
    return model


def _hinged(joint: Joint) -> Joint:
    taken: set[str] = set()
    rotations = tuple(_hinge(axis, joint, taken) for axis in joint.rotations)
    translations = tuple(_slide(axis, joint, taken) for axis in joint.translations)
    missing = [c.name for c in joint.coordinates if c.name not in taken]
    if missing:
        raise SystemExit(f"joint {joint.name}: no slot is left that {missing[0]} could turn or move; choose another model")
    coordinates = tuple(replace(c, locked=False) for c in joint.coordinates)
    return replace(joint, rotations=rotations, translations=translations, coordinates=coordinates)


def _hinge(axis: Axis, joint: Joint, taken: set[str]) -> Axis:
    """The slot as a hinge, if it is the first that its coordinate turns and turns it most plainly; else at rest."""
    if axis.coordinate is None or isinstance(axis.function, Constant):
        return Axis(axis.direction, Constant(_still(axis)))
    if axis.coordinate in taken or not _coordinate(joint, axis.coordinate).rotational:
        return Axis(axis.direction)
    straight = [a for a in joint.rotations if a.coordinate == axis.coordinate and isinstance(a.function, Linear)]
    if straight and axis is not straight[0]:
        return Axis(axis.direction)
    return _plain(axis, taken)


def _slide(axis: Axis, joint: Joint, taken: set[str]) -> Axis:
    slides = axis.coordinate is not None and axis.coordinate not in taken and not _coordinate(joint, axis.coordinate).rotational
    return _plain(axis, taken) if slides else Axis(axis.direction, Constant(_still(axis)))


def _plain(axis: Axis, taken: set[str]) -> Axis:
    """Displacement equal to the coordinate, along the axis in whose sense it went."""
    taken.add(str(axis.coordinate))
    backward = isinstance(axis.function, Linear) and axis.function.slope * axis.gain < 0.0
    direction = np.asarray(axis.direction, float) / np.linalg.norm(axis.direction) * (-1.0 if backward else 1.0)
    return Axis((float(direction[0]), float(direction[1]), float(direction[2])), Linear(1.0), axis.coordinate)


def _still(axis: Axis) -> float:
    """Displacement of the slot at coordinate zero."""
    function = axis.function
    if isinstance(function, Constant):
        return axis.gain * function.value
    if isinstance(function, Linear):
        return axis.gain * function.intercept
    if isinstance(function, Polynomial):
        return axis.gain * function.coefficients[-1]
    return axis.gain * float(np.interp(0.0, function.x, function.y))


def _moving(joint: Joint) -> list[str]:
    return [f"{a.coordinate} {type(a.function).__name__}" for a in (*joint.rotations, *joint.translations) if a.coordinate is not None]


def _coordinate(joint: Joint, name: str) -> Coordinate:
    return next(c for c in joint.coordinates if c.name == name)


def _depth_first(spec: ModelSpec, parent: str) -> list[str]:
    return [name for j in spec.joints if j.parent == parent for name in (j.child, *_depth_first(spec, j.child))]


def _pose(frame: Frame) -> tuple[np.ndarray, np.ndarray]:
    from scipy.spatial.transform import Rotation

    return Rotation.from_euler("XYZ", frame.orientation).as_matrix(), np.asarray(frame.translation)


def _z_to(axis: np.ndarray) -> np.ndarray:
    """A rotation that takes Z to the axis."""
    side = np.eye(3)[int(np.argmin(np.abs(axis)))]
    x = np.cross(side, axis) / np.linalg.norm(np.cross(side, axis))
    return np.stack([x, np.cross(axis, x), axis], 1)


def _mjcf_bodies(tree: tuple[Link, ...], parent: str) -> str:
    text = ""
    for link in (link for link in tree if link.parent == parent):
        full = _numbers(link.inertia[[0, 1, 2, 0, 0, 1], [0, 1, 2, 1, 2, 2]])
        joints = "".join(
            f'<joint name="{d.name}" type="{"hinge" if d.rotational else "slide"}" axis="{_numbers(d.axis)}"/>' for d in link.degrees
        )
        text += (
            f'<body name="{link.name}" pos="{_numbers(link.p)}" xyaxes="{_numbers([*link.R[:, 0], *link.R[:, 1]])}">'
            f'<inertial mass="{float(link.mass)!r}" pos="{_numbers(link.center)}" fullinertia="{full}"/>'
            f"{joints}{_mjcf_bodies(tree, link.name)}</body>"
        )
    return text


def _numbers(values: object) -> str:
    return " ".join(repr(float(v)) for v in np.asarray(values).ravel())
