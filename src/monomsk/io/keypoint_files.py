"""Recorded keypoints of other programs: folders of OpenPose JSON (also written by Pose2Sim and Sports2D), and our own npz.

A JSON file holds one frame, ``{"people": [{"pose_keypoints_2d": [x, y, confidence, …]}, …]}``, pixels of the upright
picture, missing points 0, 0, 0. The last number in its name is the number of the frame. The order of the points is
not in the file and two orders have 25 points, so the format has to be named.
"""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from monomsk.errors import FormatError, KeypointError
from monomsk.io import keypoints_npz
from monomsk.types import Keypoints

POINTS = {"openpose_body25": 25, "openpose_body25b": 25, "halpe26": 26, "coco17": 17}
"""Points of a person in each JSON format."""
FORMATS = (*POINTS, "npz")
MAX_JSON_BYTES = 20_000_000
MAX_FRAMES = 1_000_000

Recorded = Keypoints | tuple[Float[np.ndarray, "person point 3"], ...]
"""Ready keypoints, or for each frame everybody in it: x, y [px] and confidence, in the order of the format."""


def read_recorded(path: Path, format: str | None) -> Recorded:
    """Read recorded keypoints.

    Raises KeypointError for a format that is unknown or not named, FormatError for files that are not what they should be.
    """
    path = Path(path)
    if format is None and path.suffix.lower() == ".npz":
        format = "npz"
    if format not in FORMATS:
        asked = "keypoint files do not say their format" if format is None else f"keypoint format {format!r} is not known"
        raise KeypointError(f"{path}: {asked}; choose with --format one of: {', '.join(FORMATS)}")
    if not path.exists():
        raise FormatError(f"{path}: no such keypoint file or folder")
    if format == "npz":
        return keypoints_npz.read(path)
    return _read_folder(path, POINTS[format])


def _read_folder(folder: Path, points: int) -> tuple[Float[np.ndarray, "person point 3"], ...]:
    """Everybody in each frame; frames without a file are empty. Counted from the file with the lowest number."""
    if not folder.is_dir():
        raise FormatError(f"{folder}: is not a folder; name the folder with one .json file a frame")
    numbered = {_frame_number(file): file for file in sorted(folder.glob("*.json"))}
    if not numbered:
        raise FormatError(f"{folder}: holds no .json files; name the folder with one .json file a frame")
    first, last = min(numbered), max(numbered)
    if last - first >= MAX_FRAMES:
        raise FormatError(f"{folder}: frame numbers from {first} to {last} are no clip; the last number in a name must be its frame")
    nobody = np.zeros((0, points, 3))
    return tuple(_read_frame(numbered[i], points) if i in numbered else nobody for i in range(first, last + 1))


def _frame_number(file: Path) -> int:
    numbers = re.findall(r"\d+", file.stem.removesuffix("_keypoints"))
    if not numbers:
        raise FormatError(f"{file}: no frame number in the name (expected for example cam01.0007.json or clip_000000000007_keypoints.json)")
    return int(numbers[-1])


def _read_frame(file: Path, points: int) -> Float[np.ndarray, "person point 3"]:
    try:
        if file.stat().st_size > MAX_JSON_BYTES:
            raise FormatError(f"{file}: {file.stat().st_size} bytes are too many for the keypoints of one frame")
        content: Any = json.loads(file.read_text(encoding="utf-8"))
        people = [np.asarray(person["pose_keypoints_2d"], float) for person in content["people"]]
    except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise FormatError(f"{file}: is not an OpenPose keypoint file ({type(error).__name__}: {error})") from error
    except OSError as error:
        raise FormatError(f"{file}: cannot be read ({error.strerror})") from error
    for person in people:
        if person.ndim == 1 and person.size == 3 * points:
            continue
        raise FormatError(f"{file}: a person has {person.size} numbers, the format needs {points} points of 3; is --format right?")
    table = np.array(people).reshape(len(people), points, 3)
    if not np.isfinite(table).all():
        raise FormatError(f"{file}: holds numbers that are not finite")
    return table
