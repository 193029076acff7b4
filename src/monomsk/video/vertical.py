"""Which way is down: the vanishing point of the vertical edges of a room."""

import itertools
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, UInt8

DOWN = np.array([0.0, 1.0, 0.0])
"""Down for a camera held upright."""
SHORTEST_LINE = 0.035
"""Length of a usable line over the long side of the picture."""
STEEPEST = np.radians(45.0)
"""Largest angle between gravity and image down that is believed."""
TOLERANCE = np.radians(1.2)
"""Largest angle between a line and the direction to the vanishing point [rad]."""
MOST_LINES = 160
FEWEST_LINES = 8
"""Lines that must agree before the vanishing point is believed."""


@dataclass(frozen=True)
class Vertical:
    """Gravity as the vertical edges show it."""

    gravity: Float[np.ndarray, "3"]
    """Unit vector of down in the camera frame."""
    sigma: float
    """Standard deviation of the direction [rad]."""
    lines: int
    """How many lines agree."""


def find_vertical(background: UInt8[np.ndarray, "height width 3"], focal: float, center: tuple[float, float]) -> Vertical | None:
    """Gravity from the line segments of a picture without the person; None when too few agree.

    `focal` and `center` [px] belong to this picture. Every pair of segments proposes a direction, the best supported
    one within 45° of image down is refined by weighted least squares, so the answer is the same every time.
    """
    segments = _segments(background)
    if len(segments) < FEWEST_LINES:
        return None
    rays = np.concatenate([(segments - np.array(center)) / focal, np.ones((len(segments), 2, 1))], axis=2)
    length = np.linalg.norm(segments[:, 1] - segments[:, 0], axis=1) / max(background.shape[:2])
    normal = np.cross(rays[:, 0], rays[:, 1])
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    middle = rays.mean(1)
    # Only segments that could point to a vertical vanishing point within the believed range can agree anyway.
    first, second = np.array(list(itertools.combinations(range(len(segments)), 2))).T
    guesses = _unit_down(np.cross(normal[first], normal[second]))
    guesses = guesses[guesses @ DOWN > np.cos(STEEPEST)]
    if not len(guesses):
        return None
    score = np.concatenate([_support(part, normal, middle, length) for part in np.array_split(guesses, len(guesses) // 2000 + 1)])
    return _refine(guesses[int(np.argmax(score))], normal, middle, length)


def _segments(picture: UInt8[np.ndarray, "height width 3"]) -> Float[np.ndarray, "line 2 2"]:
    """End points [px] of the longest straight edges that are nearer to upright than to level."""
    import cv2

    gray = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    found = cv2.createLineSegmentDetector(cv2.LSD_REFINE_STD).detect(gray)[0]
    if found is None:
        return np.zeros((0, 2, 2))
    ends = found.reshape(-1, 2, 2).astype(float)
    along = ends[:, 1] - ends[:, 0]
    length = np.linalg.norm(along, axis=1)
    keep = (length > SHORTEST_LINE * max(picture.shape[:2])) & (np.abs(along[:, 1]) > 0.6 * length) & ~_on_border(ends, picture.shape)
    ends, length = ends[keep], length[keep]
    return ends[np.argsort(-length, kind="stable")[:MOST_LINES]]


def _on_border(ends: Float[np.ndarray, "line 2 2"], shape: tuple[int, ...]) -> np.ndarray:
    """Edges of the picture and of black bars are no part of the room."""
    margin = 0.012 * shape[1]
    return (ends[:, :, 0].max(1) < margin) | (ends[:, :, 0].min(1) > shape[1] - 1 - margin)


def _unit_down(vectors: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, "n 3"]:
    size = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit = vectors / np.maximum(size, 1e-12)
    return np.where(unit[:, 1:2] < 0, -unit, unit)


def _misfit(down: Float[np.ndarray, "n 3"], normal: np.ndarray, middle: np.ndarray) -> Float[np.ndarray, "n line"]:
    """Sine of the angle between each line and the line from its middle to the vanishing point, as planes through the lens."""
    toward = np.cross(middle[None], down[:, None])
    size = np.linalg.norm(toward, axis=2)
    cosine = np.abs(np.einsum("nlk,lk->nl", toward, normal)) / np.maximum(size, 1e-12)
    return np.sqrt(np.maximum(1.0 - np.minimum(cosine, 1.0) ** 2, 0.0))


def _support(down: Float[np.ndarray, "n 3"], normal: np.ndarray, middle: np.ndarray, length: np.ndarray) -> Float[np.ndarray, " n"]:
    fit = np.clip(1.0 - (_misfit(down, normal, middle) / np.sin(TOLERANCE)) ** 2, 0.0, None)
    tilt, roll = np.arctan2(down[:, 2], down[:, 1]), np.arctan2(down[:, 0], down[:, 1])
    # People hold cameras level more often than pitched: a weak preference, which many lines overrule.
    return fit @ np.minimum(length, 0.3) * np.exp(-0.5 * (tilt / np.radians(40)) ** 2 - 0.5 * (roll / np.radians(30)) ** 2)


def _refine(down: Float[np.ndarray, "3"], normal: np.ndarray, middle: np.ndarray, length: np.ndarray) -> Vertical | None:
    agree = np.zeros(len(normal), bool)
    spread = np.eye(3)
    for _ in range(6):
        misfit = _misfit(down[None], normal, middle)[0]
        agree = misfit < np.sin(TOLERANCE)
        if agree.sum() < FEWEST_LINES:
            return None
        weighted = normal[agree] * length[agree, None]
        values, vectors = np.linalg.eigh(weighted.T @ weighted)
        down = _unit_down(vectors[:, :1].T)[0]
        spread = values
    if np.arccos(np.clip(down @ DOWN, -1, 1)) > STEEPEST:
        return None
    # Scatter of the lines across the less certain direction; lines of one wall share errors, hence the floor.
    sigma = TOLERANCE * float(np.sqrt((length[agree] ** 2).sum() / max(spread[1], 1e-9)) / np.sqrt(agree.sum()))
    if sigma > np.radians(8.0):
        return None
    return Vertical(down, float(np.hypot(sigma, np.radians(2.5))), int(agree.sum()))
