"""Camera files: our own TOML, Pose2Sim's calibration TOML, OpenCV's YAML, XML or JSON.

Our own keys, all but `focal` optional::

    size = [1080, 1920]           # px, the pictures it was calibrated on
    focal = [1681.2, 1681.1]      # px, or one number
    center = [533.0, 948.1]       # px
    distortion = [0, 0, 0, 0, 0]  # k1, k2, p1, p2, k3
    gravity = [0.0, 0.97, 0.24]   # direction of down; camera frame: x right, y down, z forward
"""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from monomsk.errors import InputError


@dataclass(frozen=True)
class Intrinsics:
    """What a camera file says, for the picture size it was made for."""

    focal: tuple[float, float]
    """fx, fy [px]."""
    center: tuple[float, float] | None = None
    """Principal point [px]."""
    size: tuple[int, int] | None = None
    """Width and height [px]."""
    distortion: tuple[float, float, float, float, float] = (0.0, 0.0, 0.0, 0.0, 0.0)
    gravity: Float[np.ndarray, "3"] | None = None
    """Unit vector of down in the camera frame."""


def read_camera_file(path: Path, video: Path, size: tuple[int, int]) -> Intrinsics:
    """The camera of `video`, scaled to its pictures of `size` [px]. Raises InputError with the line a person needs."""
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: no such camera file")
    try:
        if path.suffix.lower() == ".toml":
            found = _from_toml(tomllib.loads(path.read_text(encoding="utf-8")), path, video, size)
        else:
            found = _from_opencv(path)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: is not a TOML file ({error})") from error
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise InputError(f"{path}: not understood as a camera ({error}); it needs at least `focal = [fx, fy]` or a `matrix`") from error
    if not 0.2 * max(size) < found.focal[0] * _shrink(found, size) < 20 * max(size):
        raise InputError(f"{path}: a focal length of {found.focal[0]:.6g} px cannot be right for pictures of {size[0]}×{size[1]} px")
    return _scaled(found, size, path)


def _from_toml(content: dict[str, Any], path: Path, video: Path, size: tuple[int, int]) -> Intrinsics:
    if "focal" in content:
        focal = np.broadcast_to(np.asarray(content["focal"], float), 2)
        return Intrinsics(
            focal=(float(focal[0]), float(focal[1])),
            center=_pair(content.get("center")),
            size=_whole(content.get("size")),
            distortion=_five(content.get("distortion", ())),
            gravity=_direction(content.get("gravity")),
        )
    cameras = {name: table for name, table in content.items() if isinstance(table, dict) and "matrix" in table}
    if not cameras:
        raise InputError(f"{path}: holds no camera; it needs `focal = [fx, fy]`, or sections with a `matrix` as Pose2Sim writes them")
    table = cameras[_choose(cameras, path, video, size)]
    matrix = np.asarray(table["matrix"], float).reshape(3, 3)
    return Intrinsics(
        focal=(float(matrix[0, 0]), float(matrix[1, 1])),
        center=(float(matrix[0, 2]), float(matrix[1, 2])),
        size=_whole(table.get("size")),
        distortion=_five(table.get("distortions", ())),
        gravity=_down_in_camera(table.get("rotation")),
    )


def _choose(cameras: dict[str, dict[str, Any]], path: Path, video: Path, size: tuple[int, int]) -> str:
    """The section of this video: the only one, the one that bears its name, or the only one of its size."""

    def plain(name: str) -> str:
        return re.sub(r"[^a-z0-9]", "", name.lower())

    named = [n for n, t in cameras.items() if plain(video.stem) in (plain(n), plain(str(t.get("name", ""))))]
    sized = [n for n, t in cameras.items() if _whole(t.get("size")) == size]
    for options in (list(cameras), named, sized):
        if len(options) == 1:
            return options[0]
    raise InputError(f"{path}: which camera took {video.name}? Name the video like one of: {', '.join(cameras)}")


def _from_opencv(path: Path) -> Intrinsics:
    import cv2

    try:
        storage = cv2.FileStorage(str(path), cv2.FILE_STORAGE_READ)
    except (cv2.error, SystemError) as error:
        raise InputError(f"{path}: is not a camera file (known: .toml of ours or Pose2Sim; .yml, .xml, .json of OpenCV)") from error
    matrix = _first_matrix(storage, ("camera_matrix", "cameraMatrix", "Camera_Matrix", "K", "intrinsicMat"))
    if matrix is None or matrix.size != 9:
        raise InputError(f"{path}: holds no camera_matrix (known: .toml of ours or Pose2Sim; .yml, .xml, .json of OpenCV)")
    bent = _first_matrix(storage, ("distortion_coefficients", "dist_coeffs", "distCoeffs", "Distortion_Coefficients", "D", "distortion"))
    width, height = (storage.getNode(key).real() for key in ("image_width", "image_height"))
    matrix = matrix.reshape(3, 3)
    return Intrinsics(
        focal=(float(matrix[0, 0]), float(matrix[1, 1])),
        center=(float(matrix[0, 2]), float(matrix[1, 2])),
        size=(round(width), round(height)) if width and height else None,
        distortion=_five(() if bent is None else bent.ravel()),
    )


def _first_matrix(storage: Any, keys: tuple[str, ...]) -> np.ndarray | None:
    for key in keys:
        node = storage.getNode(key)
        if node.empty():
            continue
        if node.isSeq():
            rows = [node.at(i) for i in range(node.size())]
            return np.array([[r.at(j).real() for j in range(r.size())] if r.isSeq() else r.real() for r in rows], float)
        return node.mat()
    return None


def _shrink(found: Intrinsics, size: tuple[int, int]) -> float:
    return min(size[0] / found.size[0], size[1] / found.size[1]) if found.size else 1.0


def _scaled(found: Intrinsics, size: tuple[int, int], path: Path) -> Intrinsics:
    """The same lens for pictures of another size: scaled alike in both directions and centred, bars at two sides allowed."""
    if found.size is None:
        return Intrinsics(found.focal, found.center, size, found.distortion, found.gravity)
    scale, (width, height) = _shrink(found, size), found.size
    stretch = (size[0] / width) / (size[1] / height)
    if not 0.97 < stretch < 1.03:
        turned = "; turn the file's values with the picture" if 0.97 < (size[0] / height) / (size[1] / width) < 1.03 else ""
        raise InputError(f"{path}: is for pictures of {width}×{height} px, the video has {size[0]}×{size[1]} px{turned}")
    center = None
    if found.center is not None:
        across, down = found.center
        center = (across * scale + 0.5 * (size[0] - width * scale), down * scale + 0.5 * (size[1] - height * scale))
    return Intrinsics((found.focal[0] * scale, found.focal[1] * scale), center, size, found.distortion, found.gravity)


def _down_in_camera(rotation: Any) -> Float[np.ndarray, "3"] | None:
    """Pose2Sim's rotation vector takes world vectors, z up, to the camera."""
    if rotation is None:
        return None
    import cv2

    return _direction(-cv2.Rodrigues(np.asarray(rotation, float))[0][:, 2])


def _direction(value: Any) -> Float[np.ndarray, "3"] | None:
    if value is None:
        return None
    vector = np.asarray(value, float).reshape(3)
    if not np.isfinite(vector).all() or np.linalg.norm(vector) < 1e-6:
        raise ValueError("gravity must be a direction of three numbers")
    return vector / np.linalg.norm(vector)


def _five(values: Any) -> tuple[float, float, float, float, float]:
    padded = np.zeros(5)
    given = np.asarray(values, float).ravel()[:5]
    padded[: len(given)] = given
    return tuple(float(v) for v in padded)  # pyright: ignore[reportReturnType]


def _pair(value: Any) -> tuple[float, float] | None:
    return None if value is None else (float(value[0]), float(value[1]))


def _whole(value: Any) -> tuple[int, int] | None:
    return None if value is None else (round(float(value[0])), round(float(value[1])))
