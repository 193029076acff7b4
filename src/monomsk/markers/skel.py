"""Points of the body from the 46 angles of SKEL (Keller et al. 2023), without SKEL's own model: the shipped body takes its pose.

The angles do not turn the joints of our body one by one: SKEL has a curved spine and shoulder blades, and counts its angles from
outstretched arms. But its bones carry the axes of Rajagopal's body, as ours do. So each bone is turned as SKEL turns it, and our
body's own lengths are hung on the bones. What SKEL knows of the person's shape is left out.
"""

from dataclasses import replace

import numpy as np
from jaxtyping import Float
from scipy.spatial.transform import Rotation

from monomsk.errors import FormatError
from monomsk.mesh_track import JOINTS, SKEL_ANGLES, SKEL_PARTS, VERTICES, MeshTrack
from monomsk.model.anatomy import Anatomy
from monomsk.model.spec import Marker, ModelSpec

Angles = Float[np.ndarray, "frame 46"]
Turns = dict[str, Float[np.ndarray, "frame 3 3"]]
Places = dict[str, Float[np.ndarray, "frame 3"]]
Neutral = dict[str, Float[np.ndarray, "3"]]

CAMERA_OF_BODY = np.array([[0.0, 0.0, -1.0], [0.0, 1.0, 0.0], [1.0, 0.0, 0.0]])
"""From body axes (X forward, Y up, Z right) to SKEL's own, where HSMR has its camera: with zero angles the left hand points along x,
the head along y and the face along z, so that a person who stands before the camera has a pelvis tilt of 180°."""
LUMBAR, HEAD = 0.32, 0.26
"""Lengths of SKEL's lowest and highest piece of spine at rest, over the height of the neck above the pelvis's origin: from its joints at
zero angles (published in Ke-Chen-kyrie/HSMR, docs/_bone_data.js), as the next figure is."""
BLADE = np.array([0.0, 0.035, -0.018])
"""From the centre of the right shoulder to where SKEL's shoulder blade turns [m], at rest."""
PALM_DOWN = np.pi / 2
"""Pronation of our forearm where SKEL's is zero [rad]: at rest its palms look down."""
HEAD_POINTS = ("nose", "eye_r", "eye_l", "ear_r", "ear_l")


def with_angles(track: MeshTrack, body: ModelSpec, anatomy: Anatomy) -> MeshTrack:
    """The track with the keypoints and anatomical markers of the shipped body for joints, posed by SKEL's angles.

    They have the size of the body given. Raises FormatError when the track has no angles of SKEL.
    """
    if track.angles is None:
        raise FormatError(f"the {track.source} file has no angles of SKEL")
    known = {name for names in (*JOINTS.values(), VERTICES["smpl"]) for name in names}
    points = tuple(point for point in (*anatomy.anchors_on(body), *body.markers) if point.name in known)
    xyz = posed_points(track.angles, body, anatomy, points) @ CAMERA_OF_BODY.T
    place = np.zeros((len(track.frame), 3)) if track.translation is None else track.translation
    return replace(track, names=tuple(point.name for point in points), joints=xyz + place[:, None])


def posed_points(angles: Angles, body: ModelSpec, anatomy: Anatomy, points: tuple[Marker, ...]) -> Float[np.ndarray, "frame point 3"]:
    """Points of the body from the pelvis's origin [m], in the axes (X forward, Y up, Z right) of the body at zero root angles."""
    turned, stance, origin = bone_turns(angles), _stance(), _neutral_origins(body)
    neck = next(np.array(a.location) for a in anatomy.anchors if a.name == "neck")
    knots = _knots(origin, origin["torso"] + neck)
    held = _held_knots(angles, turned, knots)
    places: Places = {"pelvis": np.zeros((len(angles), 3))}
    for part in SKEL_PARTS:
        if part.parent in places and part.name in origin:
            offset = origin[part.name] - origin[part.parent]
            places[part.name] = places[part.parent] + turned[part.parent] @ stance[part.parent] @ offset
        elif part.parent.startswith("scapula"):
            places[part.name] = held[part.parent] + turned[part.parent] @ (origin[part.name] - knots[part.parent])
    found: list[np.ndarray] = []
    for point in points:
        location = np.array(point.location)
        if point.body == "torso":
            part = _part_of_trunk(point.name)
            found.append(held[part] + turned[part] @ (origin["torso"] + location - knots[part]))
        else:
            found.append(places[point.body] + turned[point.body] @ stance[point.body] @ location)
    return np.stack(found, 1)


def bone_turns(angles: Angles) -> Turns:
    """How far each bone of SKEL is turned from its rest, in body axes: what it does to a vector of somebody at rest.

    A joint's axes are fixed in its own bone as it stands at rest, and the later angle turns about the axis before it (skel/osim_rot.py).
    """
    turned: Turns = {"": np.broadcast_to(np.eye(3), (len(angles), 3, 3))}
    first = 0
    for part in SKEL_PARTS:
        own = np.broadcast_to(np.eye(3), (len(angles), 3, 3))
        for k, axis in enumerate(part.axes):
            own = Rotation.from_rotvec(angles[:, first + k, None] * (np.array(axis) / np.linalg.norm(axis))).as_matrix() @ own
        first += len(part.axes)
        rest = _rest(part.rest)
        turned[part.name] = turned[part.parent] @ rest @ own @ rest.T
    return turned


def _rest(angles: tuple[float, float, float]) -> Float[np.ndarray, "3 3"]:
    return Rotation.from_euler("XYZ", angles, degrees=True).as_matrix()


def _stance() -> dict[str, Float[np.ndarray, "3 3"]]:
    """How our bodies stand where SKEL is at rest: its bones, but for the pelvis, which is even, and the forearm's own zero."""
    stance = {part.name: _rest(part.rest) for part in SKEL_PARTS} | {"pelvis": np.eye(3)}
    for side, turn in (("r", PALM_DOWN), ("l", -PALM_DOWN)):
        stance[f"radius_{side}"] = stance[f"radius_{side}"] @ Rotation.from_euler("Y", turn).as_matrix()
    return stance


def _neutral_origins(body: ModelSpec) -> Neutral:
    """Where the bodies lie from the pelvis, all coordinates zero [m]: in the shipped body they all have the pelvis's axes then."""
    origin: Neutral = {"pelvis": np.zeros(3)}
    for joint in body.joints:
        if joint.parent in origin:
            origin[joint.child] = origin[joint.parent] + np.subtract(joint.parent_frame.translation, joint.child_frame.translation)
    return origin


def _part_of_trunk(point: str) -> str:
    """The bone of SKEL that carries a point of our torso."""
    if point in HEAD_POINTS:
        return "head"
    return {"RACR": "scapula_r", "LACR": "scapula_l"}.get(point, "thorax")


def _knots(origin: Neutral, neck: Float[np.ndarray, "3"]) -> Neutral:
    """Where SKEL's pieces of spine end, its head begins and its shoulder blades turn, on our body at rest, from the pelvis [m]."""
    up = np.array([0.0, neck[1], 0.0])
    left = BLADE * [1.0, 1.0, -1.0]
    return {
        "lumbar": neck - (1.0 - LUMBAR) * up,
        "thorax": neck,
        "head": neck + HEAD * up,
        "scapula_r": origin["humerus_r"] + BLADE,
        "scapula_l": origin["humerus_l"] + left,
    }


def _held_knots(angles: Angles, turned: Turns, knots: Neutral) -> Places:
    """The knots in the pose, from the pelvis [m]: each piece of spine a bow of constant length, the shoulder blades about the chest."""
    held: Places = {"pelvis": np.zeros((len(angles), 3))}
    at = {"pelvis": np.zeros(3)} | knots
    for below, name in (("pelvis", "lumbar"), ("lumbar", "thorax"), ("thorax", "head")):
        step = at[name] - at[below]
        bowed = step + _bow(_angle(angles, f"{name}_1"), _angle(angles, f"{name}_2"), step[1])
        held[name] = held[below] + _turn(turned[below], bowed)
    width, height = at["scapula_r"][2] - at["scapula_l"][2], at["thorax"][1] - at["lumbar"][1]
    for name, side in (("scapula_r", 1.0), ("scapula_l", -1.0)):
        abduction, elevation = _angle(angles, f"{name}_1"), _angle(angles, f"{name}_2")
        slid = _on_chest(side * abduction, side * elevation, width, height) - _on_chest(0.0 * abduction, 0.0 * elevation, width, height)
        held[name] = held["thorax"] + _turn(turned["thorax"], at[name] - at["thorax"] + slid * [1.0, 1.0, side])
    return held


def _turn(R: Float[np.ndarray, "frame 3 3"], v: Float[np.ndarray, "frame 3"]) -> Float[np.ndarray, "frame 3"]:
    return np.einsum("tij,tj->ti", R, v)


def _angle(angles: Angles, name: str) -> Float[np.ndarray, " frame"]:
    return angles[:, SKEL_ANGLES.index(name)]


def _bow(bending: Float[np.ndarray, " frame"], extension: Float[np.ndarray, " frame"], arc: float) -> Float[np.ndarray, "frame 3"]:
    """How far the end of an upright arc [m] moves that is bowed to the right and backwards [rad]: the two added (skel/joints_def.py)."""
    aside = [arc * np.sin(0.5 * a) * np.sinc(0.5 * a / np.pi) for a in (bending, extension)]
    lowered = [arc * (np.sinc(a / np.pi) - 1.0) for a in (bending, extension)]
    return np.stack([-aside[1], lowered[0] + lowered[1], aside[0]], -1)


def _on_chest(
    abduction: Float[np.ndarray, " frame"], elevation: Float[np.ndarray, " frame"], width: float, height: float
) -> Float[np.ndarray, "frame 3"]:
    """Place of the right shoulder blade on the ellipsoid about a chest of this width and height [m] (skel/joints_def.py)."""
    inclined = elevation - np.pi / 4
    across = np.cos(inclined) * np.cos(abduction) * width / 4
    return np.stack([np.sin(abduction) * width / 4, -np.sin(inclined) * height / 2, across], -1)
