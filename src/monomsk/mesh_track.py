"""What a program that recovers body meshes says of one person over a video, whichever program it was."""

import tomllib
from dataclasses import dataclass
from importlib import resources
from typing import Any, Literal

import numpy as np
from jaxtyping import Float, Int

_TABLE: dict[str, Any] = tomllib.loads(resources.files("monomsk").joinpath("data/skeletons/mesh_points.toml").read_text(encoding="utf-8"))

Topology = Literal["smpl", "smplx", "mhr", "skel"]
VERTEX_COUNT: dict[int, Topology] = {6890: "smpl", 10475: "smplx", 18439: "mhr"}
JOINTS: dict[str, tuple[str, ...]] = {name: tuple(points) for name, points in _TABLE["joints"].items()}
"""Canonical names (`keypoints.skeleton`) of the first joints of each layout; "" for one that has none."""
VERTICES: dict[str, dict[str, int]] = {name: dict(ids) for name, ids in _TABLE["vertices"].items()}
"""Vertex that stands for each marker or keypoint, by topology."""
SKEL_ANGLES: tuple[str, ...] = tuple(_TABLE["skel"]["angles"])
"""Names of the 46 angles of SKEL, in its order."""


@dataclass(frozen=True)
class SkelPart:
    """A bone of SKEL; body axes X forward, Y up, Z right."""

    name: str
    parent: str
    """The bone that it turns on, "" for the root."""
    axes: tuple[tuple[float, float, float], ...]
    """One an angle, in the bone's own axes, the first innermost."""
    rest: tuple[float, float, float]
    """How the bone stands where every angle is zero: body-fixed X-Y-Z [degrees]."""


SKEL_PARTS: tuple[SkelPart, ...] = tuple(
    SkelPart(part["name"], part["parent"], tuple((a[0], a[1], a[2]) for a in part["axes"]), tuple(part["rest"]))
    for part in _TABLE["skel"]["parts"]
)
"""Parents before children, in the order of the angles."""


@dataclass(frozen=True)
class MeshTrack:
    """One person; axes of the camera (x right, y down, z forward), metres that may be nominal."""

    source: str
    """The format that it was read from."""
    frame: Int[np.ndarray, " frame"]
    """Decoded frames of the video, counted from 0, increasing."""
    person: str
    """The number or name that the program gave the person."""
    names: tuple[str, ...] = ()
    """Of the joints: canonical names (`keypoints.skeleton`), "" for those that have none."""
    joints: Float[np.ndarray, "frame joint 3"] | None = None
    """[m]"""
    vertices: Float[np.ndarray, "frame vertex 3"] | None = None
    """[m]"""
    topology: Topology | None = None
    """Of the vertices or of the body that the parameters belong to."""
    rotations: Float[np.ndarray, "frame part 3"] | None = None
    """Rotation vectors of the body's joints relative to their parents, the root first [rad]."""
    shape: Float[np.ndarray, "frame beta"] | None = None
    translation: Float[np.ndarray, "frame 3"] | None = None
    """[m]"""
    angles: Float[np.ndarray, "frame 46"] | None = None
    """Of SKEL (`SKEL_ANGLES`) [rad]."""
    focal: float | None = None
    """Which the program assumed [px]."""
    down: Float[np.ndarray, "3"] | None = None
    """Unit vector of gravity in the camera's axes, where the file has the person in the world too."""
