"""Archives of motion capture skeletons (CMU, HDM05, Bandai-Namco): rotations of joints into joint centres, in our axes."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Int
from scipy.spatial.transform import Rotation

from monomsk.datasets.recording import Recording
from monomsk.errors import FormatError
from monomsk.io import arrays_npz
from monomsk.types import Markers

AXES = np.array([[0.0, 0.0, 1.0], [0.0, 1.0, 0.0], [-1.0, 0.0, 0.0]])
"""Their Z forward, Y up, X left to our X forward, Y up, Z right."""
NEEDED = ("meta", "clip_name", "clip_start", "clip_skel", "root_pos", "local_quat_xyzw")


@dataclass(frozen=True)
class Source:
    """What a file of the folder holds, and what may be done with it."""

    file: str
    name: str
    points: str
    person: str
    """Regular expression whose group is the person in a clip's name; the source's name where it has none."""
    activity: str
    """The same for the activity."""
    commercial_use: bool


SOURCES = (
    Source("cmu_subset_60hz.npz", "cmu", "acclaim", r"^(\d+)_", r"^\d+_\d+()$", True),
    Source("hdm05_60hz.npz", "hdm05", "acclaim", r"^HDM_([a-z]+)_", r"^HDM_[a-z]+_(.+?)_\d+_\d+$", True),
    Source("bandai1_30hz.npz", "bandai1", "bandai", r"^()dataset", r"^dataset-\d+_(.+?)_\d+$", False),
)


@dataclass(frozen=True)
class _Skeleton:
    names: tuple[str, ...]
    parents: tuple[int, ...]
    vector: Float[np.ndarray, "joint 3"]
    far_end: bool
    """Whether a joint's rotation turns its own bone, whose far end is the joint's point (Acclaim); else it turns its children's (BVH)."""


def read_mocap(path: Path, source: Source) -> Iterator[Recording]:
    """The clips of an archive, one after the other.

    Raises:
        FormatError: the file is missing, damaged, or not laid out as the sources are.
    """
    data = arrays_npz.read(path)
    if missing := [name for name in NEEDED if name not in data]:
        raise FormatError(f"{path} has no array {missing[0]!r}; it is not an archive of motion capture clips")
    meta, skeletons = _meta(path, data["meta"])
    _check(path, data, skeletons)
    start = data["clip_start"].astype(int)
    for i, name in enumerate(map(str, data["clip_name"])):
        frames = slice(start[i], start[i + 1])
        skeleton = skeletons[int(data["clip_skel"][i])]
        xyz = joint_centers(skeleton.parents, skeleton.vector, data["local_quat_xyzw"][frames], data["root_pos"][frames], skeleton.far_end)
        if not np.isfinite(xyz).all():
            raise FormatError(f"{path}: clip {name} has values that are not numbers")
        time = np.arange(len(xyz)) / float(meta["fps"])
        person = re.match(source.person, name)
        activity = re.match(source.activity, name)
        yield Recording(
            source=source.name,
            person=f"{source.name}-{person.group(1)}".rstrip("-") if person else source.name,
            name=name,
            activity=(activity.group(1) if activity else "") or "unnamed",
            licence=str(meta["licence"]),
            commercial_use=source.commercial_use,
            split=None,
            markers=Markers(time, skeleton.names, xyz @ AXES.T, np.zeros(xyz.shape[:2])),
            points=source.points,
        )


def joint_centers(
    parents: tuple[int, ...],
    vector: Float[np.ndarray, "joint 3"],
    local_xyzw: Float[np.ndarray, "time joint 4"],
    root: Float[np.ndarray, "time 3"],
    far_end: bool,
) -> Float[np.ndarray, "time joint 3"]:
    """Positions of the joints' points [m] from their local rotations, in the source's axes. Quaternions need not be of length 1."""
    count, joints = local_xyzw.shape[:2]
    local = Rotation.from_quat(local_xyzw.astype(float).reshape(-1, 4)).as_matrix().reshape(count, joints, 3, 3)
    turned = np.empty_like(local)
    xyz = np.empty((count, joints, 3))
    for j, parent in enumerate(parents):
        if parent < 0:
            turned[:, j], xyz[:, j] = local[:, j], root
            continue
        turned[:, j] = turned[:, parent] @ local[:, j]
        xyz[:, j] = xyz[:, parent] + turned[:, j if far_end else parent] @ vector[j]
    return xyz


def _meta(path: Path, text: np.ndarray) -> tuple[dict[str, Any], list[_Skeleton]]:
    """What the archive says of itself, and its skeletons."""
    try:
        meta = json.loads(str(text))
        found = []
        for s in meta["skeletons"]:
            far_end = "bone_vec_m" in s
            vector = np.array(s["bone_vec_m" if far_end else "offsets_m"], float)
            parents = tuple(int(p) for p in s["parents"])
            if vector.shape != (len(parents), 3) or len(s["names"]) != len(parents) or any(p >= j for j, p in enumerate(parents)):
                raise ValueError("a skeleton whose names, parents and bones do not fit each other")
            found.append(_Skeleton(tuple(map(str, s["names"])), parents, vector, far_end))
        if not float(meta["fps"]) > 0.0 or "licence" not in meta:
            raise ValueError("no frame rate or licence")
    except (KeyError, TypeError, ValueError) as error:
        raise FormatError(f"{path}: its description (meta) cannot be read ({error})") from error
    return meta, found


def _check(path: Path, data: dict[str, np.ndarray], skeletons: list[_Skeleton]) -> None:
    """Raises FormatError where the arrays do not fit each other."""
    start: Int[np.ndarray, " edge"] = data["clip_start"]
    count, frames = len(data["clip_name"]), len(data["root_pos"])
    if len(start) != count + 1 or len(data["clip_skel"]) != count or start[0] != 0 or start[-1] != frames or (np.diff(start) < 2).any():
        raise FormatError(f"{path}: clip_start does not cut its {frames} frames into {count} clips")
    quaternions = data["local_quat_xyzw"]
    if quaternions.shape[0] != frames or quaternions.ndim != 3 or data["root_pos"].shape != (frames, 3):
        raise FormatError(f"{path}: rotations are {quaternions.shape}, root positions {data['root_pos'].shape}; they do not fit each other")
    if (lacking := data["clip_skel"].max(initial=0)) >= len(skeletons) or data["clip_skel"].min(initial=0) < 0:
        raise FormatError(f"{path}: a clip has skeleton {lacking}, and there are {len(skeletons)}")
    if any(len(skeletons[int(k)].parents) != quaternions.shape[1] for k in np.unique(data["clip_skel"])):
        raise FormatError(f"{path}: rotations of {quaternions.shape[1]} joints, which its skeletons do not have")
    norm = np.linalg.norm(quaternions.astype(float), axis=-1)
    if not np.isfinite(norm).all() or norm.min(initial=1.0) < 0.5:
        raise FormatError(f"{path}: a rotation that is none (frame {int(np.argmin(np.nan_to_num(norm).min(1)))})")
