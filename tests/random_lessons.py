"""Lessons of nothing but chance: for what does not depend on what they teach."""

from functools import cache

import numpy as np

from monomsk.datasets.corpus import Origin
from monomsk.datasets.fitting import generic_body
from monomsk.datasets.lessons import Lesson, Target
from monomsk.kinetics.learned import FRAMES
from monomsk.kinetics.transformer import Effort

COUNT = FRAMES + 10


@cache
def lesson(seed: int = 0, frames: int = COUNT) -> Lesson:
    """As long as a window and a little more, if not told otherwise."""
    random = np.random.default_rng(seed)
    points = len(generic_body().contact_names)

    def some(*shape: int) -> np.ndarray:
        return (0.3 * random.normal(size=(frames, *shape))).astype(np.float32)

    force = np.abs(some(2, 3)) + np.float32(0.1)
    effort = Effort(
        time=np.arange(frames, dtype=np.float32) / 60.0, posture=some(12), speed=some(12), acceleration=some(12),
        sigma=np.full((frames, 12), 0.05, np.float32), needed=some(6), quick=some(6), force=force, cop=some(2, 3), point=some(points, 3),
        velocity=some(points, 3), seen=np.ones((frames, 1), bool), height=np.float32(1.7), mass=np.float32(70.0), trunk=np.float32(1.0),
    )  # fmt: skip
    known = random.uniform(size=(frames, 2)) < 0.8
    target = Target(np.abs(some(2, 3)), some(2, 3), 0.01 * some(2), known, known.all(1), some(2, 3, 3), some(2, 3, 3))
    return Lesson(Origin("lab", "A", "x", "walk", "train", "MIT", True), effort, target)
