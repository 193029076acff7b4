"""Whether the camera stood still: how far the background moves in the picture from the beginning to the end."""

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from jaxtyping import Float, UInt8

from monomsk.config import VideoConfig
from monomsk.errors import VideoError
from monomsk.types import Clip
from monomsk.video import decode

MOVING, UNSTEADY = 0.03, 0.006
"""Excursion of the background over the long side of the picture: a moving camera, and one worth a warning."""
SIDE = 640
"""Long side of the pictures that are compared [px]."""
STILL_PIXELS = 1.0
"""A feature that moves less between two stills stands still [px]."""
CELLS = 8
"""Pictures are divided in 8 × 8 cells that count alike, so that a person full of features is one thing among others."""
STILL_SHARE = 0.35
"""Share of the cells standing still that proves a standing camera whatever else moves."""
MOVING_SHARE = 0.5
"""Share of the cells that must agree on a motion before it is the camera's."""


@dataclass(frozen=True)
class Steadiness:
    """How the background moves."""

    excursion: float
    """Largest distance between two positions of the background during the clip, over the long side of the picture."""
    pairs: int
    """Pairs of stills, one after the other."""
    compared: int
    """Those of them in which enough could be made out."""


def check_steady(clip: Clip, config: VideoConfig | None = None) -> Clip:
    """The clip, with a warning when the camera moved slightly. Raises VideoError when it panned, tilted or was carried.

    `config.allow_moving` turns the error into a warning.
    """
    config = config or VideoConfig()
    found = steadiness(clip)
    if found.compared < 0.5 * found.pairs:
        return replace(clip, warnings=(*clip.warnings, "the background shows too little to tell whether the camera stood still"))
    if found.excursion < UNSTEADY:
        return clip
    moved = f"the camera moves: the background shifts by {100 * found.excursion:.1f} % of the picture"
    if found.excursion < MOVING:
        return replace(clip, warnings=(*clip.warnings, f"{moved}; a tripod would help"))
    if config.allow_moving:
        return replace(clip, warnings=(*clip.warnings, f"{moved}; results do not hold while it moves"))
    raise VideoError(
        f"{clip.path}: {moved}, more than the {100 * MOVING:.0f} % allowed; film from a tripod, choose a still stretch with "
        "--start and --end, or go on nevertheless with --allow-moving"
    )


def steadiness(clip: Clip) -> Steadiness:
    """Motion of the background, from features followed between stills (Lucas and Kanade 1981) and a robust similarity."""
    images = [_gray(image) for _, image in decode.stills(clip)]
    height, width = images[0].shape
    probes = np.array([[0.5, 0.5], [0.15, 0.15], [0.85, 0.15], [0.15, 0.85], [0.85, 0.85]]) * [width, height]
    place, path, compared = probes, [probes], 0
    for before, after in pairwise(images):
        motion = _camera_motion(before, after)
        if motion is not None:
            compared += 1
            place = place @ motion[:, :2].T + motion[:, 2]
        path.append(place)
    track = np.stack(path)
    far = np.linalg.norm(track[:, None] - track[None], axis=-1).max((0, 1))
    return Steadiness(float(np.median(far)) / max(width, height), len(path) - 1, compared)


def _gray(image: UInt8[np.ndarray, "height width 3"]) -> UInt8[np.ndarray, "height width"]:
    import cv2

    shrink = min(1.0, SIDE / max(image.shape[:2]))
    gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    return np.asarray(cv2.resize(gray, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA), np.uint8)


def _camera_motion(before: np.ndarray, after: np.ndarray) -> Float[np.ndarray, "2 3"] | None:
    """The similarity by which the background moves [px]; identity when much stands still, None when nothing can be said."""
    import cv2

    start, end = _matches(before, after)
    if len(start) < 12:
        return None
    cell = _cells(start, before.shape)
    still = np.linalg.norm(end - start, axis=1) < STILL_PIXELS
    occupied = np.unique(cell)
    if len(np.unique(cell[still])) >= STILL_SHARE * len(occupied):
        # Sub-pixel drift of what stands still is real motion too, but nothing that moves by itself may add to it.
        start, end = start[still], end[still]
    cv2.setRNGSeed(0)
    motion, inliers = cv2.estimateAffinePartial2D(start, end, method=cv2.RANSAC, ransacReprojThreshold=1.5, maxIters=4000)
    if motion is None or not np.isfinite(motion).all():
        return None
    agree = np.unique(_cells(start[inliers.ravel() > 0], before.shape))
    if len(agree) < max(4, MOVING_SHARE * len(np.unique(_cells(start, before.shape)))):
        return None
    return motion


def _matches(before: np.ndarray, after: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Corners of the first picture and where they are in the second, those that lead back to where they came from."""
    import cv2

    corners = cv2.goodFeaturesToTrack(before, maxCorners=300, qualityLevel=0.005, minDistance=7)
    if corners is None:
        return np.zeros((0, 2)), np.zeros((0, 2))
    # The guess (first copy of the points) is not used without a flag, yet OpenCV's types ask for one.
    there, found, _ = cv2.calcOpticalFlowPyrLK(before, after, corners, corners.copy(), winSize=(21, 21), maxLevel=4)
    back, returned, _ = cv2.calcOpticalFlowPyrLK(after, before, there, there.copy(), winSize=(21, 21), maxLevel=4)
    good = (found.ravel() > 0) & (returned.ravel() > 0) & (np.linalg.norm((back - corners).reshape(-1, 2), axis=1) < 0.7)
    return corners.reshape(-1, 2)[good], there.reshape(-1, 2)[good]


def _cells(points: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    column = np.clip(points[:, 0] / shape[1] * CELLS, 0, CELLS - 1).astype(int)
    row = np.clip(points[:, 1] / shape[0] * CELLS, 0, CELLS - 1).astype(int)
    return row * CELLS + column
