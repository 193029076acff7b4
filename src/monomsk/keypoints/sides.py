"""Left and right mixed up by the estimator, put right: the sequence of swaps that lets the points move least.

A Viterbi search over two states a frame, {keep, swap}; the cost of a step is the mean over the points of
min(|movement| / stature, 0.1), and staying swapped costs 0.06 a second, which gives the majority right. First the whole
body, then the legs alone (they are confused when they cross) and the arms alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from monomsk.keypoints import skeleton
from monomsk.model.sides import plain

CUT = 0.1
"""Movement between frames, over the stature, beyond which it costs no more."""
SWAP = 0.06
"""Cost of a second in which the sides are swapped [1/s]."""
ARMS = ("shoulder", "elbow", "wrist")
UPPER = (*ARMS, "index", "eye", "ear")
"""Parts that go with the arms."""
GROUPS = {"body": (*ARMS, *skeleton.LEGS), "legs": skeleton.LEGS, "arms": ARMS}
"""Parts that each search looks at."""


@dataclass(frozen=True)
class Swaps:
    """Which frames had left and right exchanged; a frame in both `body` and `legs` has right legs and the rest wrong."""

    body: Bool[np.ndarray, " frame"]
    legs: Bool[np.ndarray, " frame"]
    arms: Bool[np.ndarray, " frame"]

    def order(self, names: Sequence[str]) -> Int[np.ndarray, "frame keypoint"]:
        """For each frame the indices that put its keypoints right."""
        keep, mirror = np.arange(len(names)), skeleton.mirror_order(names)
        parts = [plain(name) for name in names]
        swapped = np.repeat(self.body[:, None], len(names), axis=1)
        swapped ^= self.legs[:, None] & np.isin(parts, skeleton.LEGS)
        swapped ^= self.arms[:, None] & np.isin(parts, UPPER)
        return np.where(swapped, mirror, keep)

    @property
    def count(self) -> tuple[int, int]:
        """Frames in which anything was exchanged, and those in which the whole body was."""
        return int((self.body | self.legs | self.arms).sum()), int((self.body & ~self.legs & ~self.arms).sum())


def find_swaps(
    names: Sequence[str],
    xy: Float[np.ndarray, "frame keypoint 2"],
    stature: Float[np.ndarray, " frame"],
    time: Float[np.ndarray, " frame"],
) -> Swaps:
    """Frames (all seen, in order) whose sides are exchanged: of the whole body, and of the legs and the arms besides.

    `stature` is the standing height in the picture [px], `time` in seconds.
    """
    pause = np.minimum(np.diff(time, prepend=time[:1] - np.median(np.diff(time)) if len(time) > 1 else 0.0), 0.1)
    body = _search(names, xy, stature, SWAP * pause, GROUPS["body"])
    mended = np.where(body[:, None, None], xy[:, skeleton.mirror_order(names)], xy)
    legs, arms = (_search(names, mended, stature, SWAP * pause, GROUPS[group]) for group in ("legs", "arms"))
    return Swaps(body, legs, arms)


def _search(
    names: Sequence[str], xy: np.ndarray, stature: np.ndarray, penalty: np.ndarray, parts: Sequence[str]
) -> Bool[np.ndarray, " frame"]:
    picked = [i for i, name in enumerate(names) if plain(name) in parts and name != skeleton.mirrored(name)]
    if len(xy) < 2 or not picked:
        return np.zeros(len(xy), bool)
    points = xy[:, picked]
    both = np.stack([points, points[:, skeleton.mirror_order([names[i] for i in picked])]], axis=1)
    moved = np.linalg.norm(both[1:, None, :] - both[:-1, :, None], axis=-1) / stature[1:, None, None, None]
    step = np.minimum(moved, CUT).mean(-1)  # frame, state before, state after
    cost, came_from = np.array([0.0, penalty[0]]), np.zeros((len(xy), 2), int)
    for i in range(1, len(xy)):
        total = cost[:, None] + step[i - 1]
        came_from[i] = total.argmin(0)
        cost = total.min(0) + np.array([0.0, penalty[i]])
    state = np.zeros(len(xy), int)
    state[-1] = int(cost.argmin())
    for i in range(len(xy) - 1, 0, -1):
        state[i - 1] = came_from[i, state[i]]
    return state.astype(bool)
