"""Made-up keypoints of people, for the tests."""

from pathlib import Path

import numpy as np

from monomsk.keypoints import skeleton
from monomsk.types import Clip

NAMES, _ = skeleton.canonical_order("mediapipe33")
HEIGHT = 500.0
"""Standing height of the walker in the picture [px]."""
PLACES = {
    "nose": (0.0, -0.93), "eye": (0.02, -0.95), "ear": (0.04, -0.94), "shoulder": (0.1, -0.82), "elbow": (0.13, -0.63),
    "wrist": (0.14, -0.48), "index": (0.14, -0.44), "hip": (0.07, -0.52), "knee": (0.07, -0.28), "ankle": (0.07, -0.04),
    "heel": (0.06, -0.01), "big_toe": (0.1, 0.0), "small_toe": (0.12, 0.0), "neck": (0.0, -0.82), "hip_mid": (0.0, -0.52),
    "upper_neck": (0.0, -0.86), "head_top": (0.0, -1.0),
}  # fmt: skip
"""Places in a front view over the height, from the middle of the feet; x to the person's left."""


def walker(count: int, names: tuple[str, ...] = NAMES, *, x: float = 400.0, speed: float = 2.0, height: float = HEIGHT) -> np.ndarray:
    """Image points (frame, keypoint, 2) [px] of a person who swings arms and legs and moves to the right."""
    out = np.zeros((count, len(names), 2))
    for j, name in enumerate(names):
        part = name.removesuffix("_r").removesuffix("_l")
        side = 1.0 if name.endswith("_l") else -1.0 if name.endswith("_r") else 0.0
        aside, up = PLACES[part]
        swing = {
            "knee": 0.05,
            "ankle": 0.12,
            "heel": 0.12,
            "big_toe": 0.12,
            "small_toe": 0.12,
            "elbow": -0.04,
            "wrist": -0.08,
            "index": -0.09,
        }
        phase = 2 * np.pi * np.arange(count) / 60
        out[:, j, 0] = x + speed * np.arange(count) + height * ((side or 1.0) * aside + side * swing.get(part, 0.0) * np.sin(phase))
        out[:, j, 1] = 700.0 + height * up
    return out


def clip_of(count: int, rate: float = 60.0, size: tuple[int, int] = (1920, 1080)) -> Clip:
    """A clip without a file."""
    time = np.arange(count) / rate
    return Clip(Path("made_up.mp4"), size, 0, time, (0, count), time, 0.0)
