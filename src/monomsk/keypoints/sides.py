"""Left and right mixed up by the estimator, put right: the sequence of swaps that lets the points move least.

A Viterbi search over two states a frame, {keep, swap}; the cost of a step is the mean over the points of
min(|movement| / stature, 0.1), and swapping costs 0.002 a frame, which gives the majority right. First the whole
body, then the legs alone (they are confused when they cross) and the arms alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from monomsk.keypoints import skeleton

CUT = 0.1
"""Movement between frames, over the stature, beyond which it costs no more."""
SWAP = 0.002
"""Cost of a swapped frame."""
ARMS = ("shoulder", "elbow", "wrist", "index")
GROUPS = {"body": (*ARMS[:3], *skeleton.LEGS), "legs": skeleton.LEGS, "arms": ARMS[:3]}
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
        parts = [_part(name) for name in names]
        swapped = np.repeat(self.body[:, None], len(names), axis=1)
        swapped ^= self.legs[:, None] & np.isin(parts, skeleton.LEGS)
        swapped ^= self.arms[:, None] & np.isin(parts, ARMS)
        return np.where(swapped, mirror, keep)

    @property
    def count(self) -> tuple[int, int]:
        """Frames in which anything was exchanged, and those in which the whole body was."""
        return int((self.body | self.legs | self.arms).sum()), int((self.body & ~self.legs & ~self.arms).sum())


def find_swaps(names: Sequence[str], xy: Float[np.ndarray, "frame keypoint 2"], stature: Float[np.ndarray, " frame"]) -> Swaps:
    """Frames (all seen, in order) whose sides are exchanged: of the whole body, and of the legs and the arms besides."""
    body = _search(names, xy, stature, GROUPS["body"])
    mended = np.where(body[:, None, None], xy[:, skeleton.mirror_order(names)], xy)
    return Swaps(body, _search(names, mended, stature, GROUPS["legs"]), _search(names, mended, stature, GROUPS["arms"]))


def _search(names: Sequence[str], xy: np.ndarray, stature: np.ndarray, parts: Sequence[str]) -> Bool[np.ndarray, " frame"]:
    picked = [i for i, name in enumerate(names) if _part(name) in parts and name != skeleton.mirrored(name)]
    if len(xy) < 2 or not picked:
        return np.zeros(len(xy), bool)
    points = xy[:, picked]
    both = np.stack([points, points[:, skeleton.mirror_order([names[i] for i in picked])]], axis=1)
    moved = np.linalg.norm(both[1:, None, :] - both[:-1, :, None], axis=-1) / stature[1:, None, None, None]
    step = np.minimum(moved, CUT).mean(-1)  # frame, state before, state after
    penalty = np.array([0.0, SWAP])
    cost, came_from = penalty, np.zeros((len(xy), 2), int)
    for i in range(1, len(xy)):
        total = cost[:, None] + step[i - 1]
        came_from[i] = total.argmin(0)
        cost = total.min(0) + penalty
    state = np.zeros(len(xy), int)
    state[-1] = int(cost.argmin())
    for i in range(len(xy) - 1, 0, -1):
        state[i - 1] = came_from[i, state[i]]
    return state.astype(bool)


def _part(name: str) -> str:
    return name[:-2] if name.endswith(("_r", "_l")) else name
