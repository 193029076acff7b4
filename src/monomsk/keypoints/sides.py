"""Left and right mixed up by the estimator, put right: the sequence of swaps that lets the points move least.

A Viterbi search over two states a frame, {keep, swap}; the cost of a step is the mean over the points of
min(|movement| / stature, 0.1), and swapping costs 0.002 a frame, which gives the majority right. First the whole
body, then the legs alone (they are confused when they cross).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from monomsk.keypoints import skeleton

CUT = 0.1
"""Movement between frames, over the stature, beyond which it costs no more."""
SWAP = 0.002
"""Cost of a swapped frame."""
BODY = ("shoulder", "elbow", "wrist", *skeleton.LEGS)


@dataclass(frozen=True)
class Swaps:
    """Which frames had left and right exchanged."""

    body: Bool[np.ndarray, " frame"]
    legs: Bool[np.ndarray, " frame"]

    def order(self, names: Sequence[str]) -> "list[np.ndarray]":
        """For each frame the indices that put its keypoints right."""
        whole = skeleton.mirror_order(names)
        legs = np.array([j if _part(names[i]) in skeleton.LEGS else i for i, j in enumerate(whole)])
        keep = np.arange(len(names))
        return [(whole if b else keep)[legs if g else keep] for b, g in zip(self.body, self.legs, strict=True)]


def find_swaps(names: Sequence[str], xy: Float[np.ndarray, "frame keypoint 2"], stature: Float[np.ndarray, " frame"]) -> Swaps:
    """Frames (all seen, in order) whose sides are exchanged: of the whole body, and of the legs besides."""
    body = _search(names, xy, stature, BODY)
    mended = np.where(body[:, None, None], xy[:, skeleton.mirror_order(names)], xy)
    return Swaps(body, _search(names, mended, stature, skeleton.LEGS))


def _search(names: Sequence[str], xy: np.ndarray, stature: np.ndarray, parts: Sequence[str]) -> Bool[np.ndarray, " frame"]:
    picked = [i for i, name in enumerate(names) if _part(name) in parts and name != skeleton.mirrored(name)]
    if len(xy) < 2 or not picked:
        return np.zeros(len(xy), bool)
    points = xy[:, picked]
    both = np.stack([points, points[:, skeleton.mirror_order([names[i] for i in picked])]], axis=1)
    moved = np.linalg.norm(both[1:, None, :] - both[:-1, :, None], axis=-1) / stature[1:, None, None, None]
    step = np.minimum(moved, CUT).mean(-1)  # frame, state before, state after
    cost, came_from = np.array([0.0, SWAP]), np.zeros((len(xy), 2), int)
    for i in range(1, len(xy)):
        total = cost[:, None] + step[i - 1]
        came_from[i] = total.argmin(0)
        cost = total.min(0) + [0.0, SWAP]
    state = np.zeros(len(xy), int)
    state[-1] = int(cost.argmin())
    for i in range(len(xy) - 1, 0, -1):
        state[i - 1] = came_from[i, state[i]]
    return state.astype(bool)


def _part(name: str) -> str:
    return name[:-2] if name.endswith(("_r", "_l")) else name
