"""Results of programs that recover body meshes, each format into one `MeshTrack`: WHAM, GVHMR, 4D-Humans, HSMR, SAM 3D Body, our .npz.

The format is recognised from what the file holds. Nothing of a file is run (`safe_pickle`). What each format holds, and how
it is got, is told in docs/mesh.md.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float
from scipy.spatial.transform import Rotation

from monomsk.errors import FormatError
from monomsk.io import arrays_npz, safe_pickle
from monomsk.mesh_track import JOINTS, VERTEX_COUNT, MeshTrack

HEAP = "the people of a frame have no number that lasts, so a frame with several cannot be told apart: keep one person a frame"


def read_mesh(path: Path, format: str | None = None, person: str | None = None) -> MeshTrack:
    """The person with the most frames, or the one whose number is asked for.

    Raises FormatError for a file that is not what it should be, a format or a person that is not there.
    """
    path = Path(path)
    if not path.is_file():
        raise FormatError(f"{path}: no such file of body meshes")
    if format is not None and format not in READERS:
        raise FormatError(f"mesh format {format!r} is not known (known: {', '.join(READERS)})")
    content = _content(path)
    name = format or _recognised(content)
    if name is None:
        raise FormatError(f"{path}: holds none of the formats {', '.join(READERS)}; see docs/mesh.md")
    try:
        people = READERS[name](content)
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise FormatError(f"{path}: is not a result of {name} ({type(error).__name__}: {error})") from error
    if not people:
        raise FormatError(f"{path}: shows nobody")
    chosen = max(people, key=lambda track: len(track.frame))
    if person is not None:
        named = {track.person: track for track in people}
        if person not in named:
            there = ", ".join(f"{track.person} ({len(track.frame)} frames)" for track in people)
            raise FormatError(f"{path}: has no person {person!r}; there are: {there}")
        chosen = named[person]
    _check(path, chosen)
    return chosen


def _content(path: Path) -> Any:
    suffix = path.suffix.lower()
    if suffix == ".npz":
        return arrays_npz.read(path)
    if suffix == ".npy":
        array = safe_pickle.read_object_npy(path)
        return list(array) if isinstance(array, np.ndarray) else array
    if suffix in (".pt", ".pth"):
        return safe_pickle.read_torch(path)
    return safe_pickle.read_pickle(path)


def _recognised(content: Any) -> str | None:
    if isinstance(content, dict):
        if "smpl_params_incam" in content:
            return "gvhmr"
        if "joints3d" in content:
            return "npz"
        if "poses" in content:
            return "hsmr"
        if "pred_keypoints_3d" in content:
            return "sam3d"
        first = next(iter(content.values()), None)
        if isinstance(first, dict):
            return "wham" if "verts" in first else "4dhumans" if "3d_joints" in first else None
    if isinstance(content, Sequence) and len(content):
        frame = next((item for item in content if _people(item)), None)
        person = None if frame is None else _people(frame)[0]
        if isinstance(person, dict):
            return "hsmr" if "poses" in person else "sam3d" if "pred_keypoints_3d" in person else None
    return None


def _people(frame: Any) -> list[Any]:
    """The people of a frame, which may be a list of them or one of them."""
    if isinstance(frame, np.ndarray) and frame.dtype.hasobject:
        frame = frame.tolist()
    return [frame] if isinstance(frame, dict) else list(frame) if isinstance(frame, list | tuple) else []


def _floats(value: Any) -> np.ndarray:
    return np.asarray(value, float)


def _down(camera: np.ndarray, world: np.ndarray) -> Float[np.ndarray, "3"] | None:
    """Gravity in the camera's axes from the root's rotation vectors there and in a world whose Y points up; medians over time."""
    if not (camera.shape == world.shape and np.isfinite(camera).all() and np.isfinite(world).all()):
        return None
    turned = (Rotation.from_rotvec(camera) * Rotation.from_rotvec(world).inv()).apply([0.0, -1.0, 0.0])
    middle = np.median(turned, axis=0)
    length = float(np.linalg.norm(middle))
    return middle / length if length > 0.5 else None


def _wham(content: dict[Any, Any]) -> list[MeshTrack]:
    tracks: list[MeshTrack] = []
    for number, one in content.items():
        pose, vertices = _floats(one["pose"]).reshape(-1, 24, 3), _floats(one["verts"])
        tracks.append(
            MeshTrack(
                source="wham",
                frame=np.asarray(one["frame_ids"]).astype(int).ravel(),
                person=str(number),
                vertices=vertices,
                topology="smpl",
                rotations=pose,
                shape=_floats(one["betas"]),
                translation=_floats(one["trans"]).reshape(-1, 3),
                down=_down(pose[:, 0], _floats(one["pose_world"]).reshape(-1, 24, 3)[:, 0]) if "pose_world" in one else None,
            )
        )
    return tracks


def _gvhmr(content: dict[str, Any]) -> list[MeshTrack]:
    seen, world = content["smpl_params_incam"], content.get("smpl_params_global")
    root = _floats(seen["global_orient"]).reshape(-1, 3)
    body = _floats(seen["body_pose"]).reshape(len(root), -1, 3)
    K = content.get("K_fullimg")
    return [
        MeshTrack(
            source="gvhmr",
            frame=np.arange(len(root)),
            person="0",
            topology="smplx",
            rotations=np.concatenate([root[:, None], body], 1),
            shape=_floats(seen["betas"]).reshape(len(root), -1),
            translation=_floats(seen["transl"]).reshape(-1, 3),
            focal=None if K is None else float(np.median(_floats(K).reshape(-1, 3, 3)[:, 0, 0])),
            down=None if world is None else _down(root, _floats(world["global_orient"]).reshape(-1, 3)),
        )
    ]


def _phalp(content: dict[str, Any]) -> list[MeshTrack]:
    rows: dict[str, list[tuple[int, Any, Any, Any]]] = {}
    for i, name in enumerate(sorted(content)):
        frame = content[name]
        # `tid` runs along with the people; those not seen for `tracked_time` frames are only remembered.
        ages = frame.get("tracked_time", [0] * len(frame["tid"]))
        for k, (number, age) in enumerate(zip(frame["tid"], ages, strict=True)):
            if age == 0:
                row = (int(frame.get("time", i)), frame["3d_joints"][k], frame["camera"][k], frame["smpl"][k])
                rows.setdefault(str(int(number)), []).append(row)
    tracks: list[MeshTrack] = []
    for number, seen in rows.items():
        ordered = sorted({row[0]: row for row in seen}.values(), key=lambda row: row[0])
        matrices = [np.concatenate([_floats(s["global_orient"]), _floats(s["body_pose"])]) for _, _, _, s in ordered]
        rotations = Rotation.from_matrix(np.array(matrices).reshape(-1, 3, 3)).as_rotvec().reshape(len(ordered), 24, 3)
        tracks.append(
            MeshTrack(
                source="4dhumans",
                frame=np.array([row[0] for row in ordered]),
                person=number,
                names=JOINTS["phalp"],
                joints=np.array([_floats(row[1])[: len(JOINTS["phalp"])] for row in ordered]),
                topology="smpl",
                rotations=rotations,
                shape=np.array([_floats(row[3]["betas"]).ravel() for row in ordered]),
                translation=np.array([_floats(row[2]).ravel() for row in ordered]),
            )
        )
    return tracks


def _one_a_frame(frames: Sequence[Any]) -> list[tuple[int, dict[str, Any]]]:
    found: list[tuple[int, dict[str, Any]]] = []
    for i, frame in enumerate(frames):
        people = _people(frame)
        if len(people) > 1:
            raise FormatError(f"frame {i} shows {len(people)} people; {HEAP}")
        found += [(i, person) for person in people]
    return found


def _hsmr(content: Any) -> list[MeshTrack]:
    if isinstance(content, dict):
        poses, betas, place = (_floats(content[k]) for k in ("poses", "betas", "full_cam_t"))
        frame = np.arange(len(poses))
    else:
        rows = [(i, one) for i, one in _one_a_frame(content) if len(one["poses"])]
        if any(len(_floats(one["poses"]).reshape(-1, 46)) > 1 for _, one in rows):
            raise FormatError(f"a frame shows several people; {HEAP}")
        frame = np.array([i for i, _ in rows])
        poses, betas, place = (np.array([_floats(one[k]).ravel() for _, one in rows]) for k in ("poses", "betas", "full_cam_t"))
    angles = poses.reshape(-1, 46)
    return [MeshTrack(source="hsmr", frame=frame, person="0", topology="skel", angles=angles, shape=betas, translation=place)]


def _sam3d(content: Any) -> list[MeshTrack]:
    if isinstance(content, dict):
        points = _floats(content["pred_keypoints_3d"]).reshape(-1, 70, 3)
        place = _floats(content["pred_cam_t"]).reshape(-1, 3)
        focal, frame = content.get("focal_length"), np.asarray(content.get("frame", np.arange(len(points)))).astype(int)
    else:
        rows = _one_a_frame(content)
        frame = np.array([i for i, _ in rows])
        points = np.array([_floats(one["pred_keypoints_3d"]).reshape(70, 3) for _, one in rows])
        place = np.array([_floats(one["pred_cam_t"]).ravel() for _, one in rows])
        focal = [one["focal_length"] for _, one in rows] if all("focal_length" in one for _, one in rows) else None
    return [
        MeshTrack(
            source="sam3d",
            frame=frame,
            person="0",
            names=JOINTS["mhr70"],
            joints=points + place[:, None],
            topology="mhr",
            translation=place,
            focal=None if focal is None else float(np.median(_floats(focal))),
        )
    ]


def _npz(content: dict[str, np.ndarray]) -> list[MeshTrack]:
    joints = _floats(content["joints3d"])
    vertices = _floats(content["vertices"]) if "vertices" in content else None
    return [
        MeshTrack(
            source="npz",
            frame=np.asarray(content.get("frame", np.arange(len(joints)))).astype(int).ravel(),
            person="0",
            names=tuple(str(name) for name in content["names"].ravel()),
            joints=joints + (_floats(content["trans"])[:, None] if "trans" in content else 0.0),
            vertices=vertices,
            topology=None if vertices is None else VERTEX_COUNT.get(vertices.shape[1]),
            focal=float(_floats(content["K"]).reshape(-1, 3, 3)[:, 0, 0].mean()) if "K" in content else None,
        )
    ]


def _check(path: Path, track: MeshTrack) -> None:
    """Every array has a row a frame, and frames increase."""
    count = len(track.frame)
    if count < 2 or (np.diff(track.frame) <= 0).any() or track.frame[0] < 0:
        raise FormatError(f"{path}: person {track.person} needs two frames at least, in rising order")
    for name in ("joints", "vertices", "rotations", "translation", "angles", "shape"):
        value = getattr(track, name)
        if value is not None and value.shape[0] != count and not (name == "shape" and value.ndim == 1):
            raise FormatError(f"{path}: {name} of person {track.person} has {value.shape[0]} rows for {count} frames")
    if track.joints is not None and track.joints.shape[1:] != (len(track.names), 3):
        raise FormatError(f"{path}: joints of shape {track.joints.shape} do not go with {len(track.names)} names")
    if track.vertices is not None and (track.vertices.ndim != 3 or VERTEX_COUNT.get(track.vertices.shape[1]) is None):
        known = ", ".join(f"{n} ({name})" for n, name in VERTEX_COUNT.items())
        raise FormatError(f"{path}: vertices of shape {track.vertices.shape}; known numbers of vertices: {known}")


READERS: dict[str, Callable[[Any], list[MeshTrack]]] = {
    "wham": _wham,
    "gvhmr": _gvhmr,
    "4dhumans": _phalp,
    "hsmr": _hsmr,
    "sam3d": _sam3d,
    "npz": _npz,
}
