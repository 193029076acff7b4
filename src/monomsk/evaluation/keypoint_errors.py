"""Errors of keypoints whose truth is known, taken apart as the simulation makes them: constant, slow, from frame to frame, wild, exchanged.

Lengths in the picture are in statures: the standing height in pixels at the person's depth is 1.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float, Int

from monomsk.keypoints.skeleton import mirror_order
from monomsk.model.sides import plain

Shift = Float[np.ndarray, "3"]
"""Of a point in the axes of its body, right side [m]."""

GROUPS = {
    "face": ("nose", "eye", "ear"),
    "shoulders": ("shoulder",),
    "arms": ("elbow", "wrist"),
    "hips": ("hip",),
    "knees": ("knee",),
    "ankles": ("ankle",),
    "feet": ("heel", "big_toe"),
}
"""Parts, without the side, that are told of together."""
LEGS, ARMS = ("knee", "ankle", "heel", "big_toe"), ("shoulder", "elbow", "wrist")
"""Parts by which exchanged sides are told."""
WILD = 0.05
"""Distance from the clip's usual error beyond which a point is an outlier [statures]."""
APART, SURELY = 0.04, 0.01
"""Least mean distance of the two sides for telling whether they are exchanged, and by how much the other side must be nearer [statures]."""
LAGS = 3
"""Frames over which the memory of slow errors is looked at."""
SIMULATED_RATE = 60.0
"""Memory and bursts are told at this frame rate [Hz], as in `data/skeletons/simulated_noise.toml`."""


@dataclass(frozen=True)
class View:
    """What an estimator found in one film, and what is so."""

    rate: float
    """[Hz]"""
    names: tuple[str, ...]
    found: Float[np.ndarray, "time keypoint 2"]
    """From the picture's middle [statures]."""
    true: Float[np.ndarray, "time keypoint 2"]
    seen: Bool[np.ndarray, "time keypoint"]
    stated: Float[np.ndarray, "time keypoint"]
    """Standard deviation per axis that the estimator states [statures]; inf where not seen."""
    hidden: Bool[np.ndarray, "time keypoint"]
    """Whether the body hides it."""
    facing: Float[np.ndarray, " time"]
    """Angle of where the pelvis faces to the way to the camera [rad]."""
    lever: Float[np.ndarray, "time keypoint 2 3"]
    """How far a point moves in the picture when it moves in its body's axes [statures/m]."""

    def error(self, definition: dict[str, Shift] | None = None) -> Float[np.ndarray, "time keypoint 2"]:
        """Found minus true [statures], NaN where not seen; without what the definition of the points explains, where given."""
        error = np.where(self.seen[..., None], self.found - self.true, np.nan)
        if definition is None:
            return error
        for k, name in enumerate(self.names):
            error[:, k] -= self.lever[:, k] @ (definition[plain(name)] * _mirror(name))
        return error


@dataclass(frozen=True)
class Exchanges:
    """Frames whose sides are exchanged; 1, 0, or NaN where the two sides are too near to each other to tell."""

    legs: Float[np.ndarray, " time"]
    arms: Float[np.ndarray, " time"]


def find_exchanges(view: View) -> Exchanges:
    """Frames in which the points found lie on the other side's points."""
    return Exchanges(_exchanged(view, LEGS), _exchanged(view, ARMS))


def _exchanged(view: View, parts: Sequence[str]) -> Float[np.ndarray, " time"]:
    picked = np.array([k for k, name in enumerate(view.names) if plain(name) in parts])
    other = mirror_order(view.names)[picked]
    both = view.seen[:, picked] & view.seen[:, other]

    def mean(distance: Float[np.ndarray, "time point 2"]) -> Float[np.ndarray, " time"]:
        total = (np.minimum(np.linalg.norm(distance, axis=-1), 0.1) * both).sum(1)
        return total / np.maximum(both.sum(1), 1)

    own, crossed = mean(view.found[:, picked] - view.true[:, picked]), mean(view.found[:, picked] - view.true[:, other])
    apart = mean(view.true[:, picked] - view.true[:, other])
    return np.where((apart < APART) | ~both.any(1), np.nan, (crossed < own - SURELY).astype(float))


def put_right(view: View, exchanges: Exchanges) -> View:
    """The view with exchanged sides where they belong. With the arms go the eyes and ears, with the legs the hips."""
    parts = [plain(name) for name in view.names]
    lower = np.isin(parts, (*LEGS, "hip"))
    swap = np.where(lower, np.nan_to_num(exchanges.legs)[:, None], np.nan_to_num(exchanges.arms)[:, None]) > 0.5
    order = mirror_order(view.names)
    return replace(
        view,
        found=np.where(swap[..., None], view.found[:, order], view.found),
        seen=np.where(swap, view.seen[:, order], view.seen),
        stated=np.where(swap, view.stated[:, order], view.stated),
    )


def find_definition(views: Sequence[View]) -> dict[str, Shift]:
    """Where the estimator's points lie from ours, in the axes of the body that carries them [m], right side; by part.

    The constant shift that explains most of the errors of all views, both sides mirrored, by reweighted least squares (Huber 1964).
    """
    found: dict[str, Shift] = {}
    for part in sorted({plain(name) for view in views for name in view.names}):
        lever, error = [], []
        for view in views:
            for k in (k for k, name in enumerate(view.names) if plain(name) == part):
                lever.append(view.lever[view.seen[:, k], k] * _mirror(view.names[k]))
                error.append((view.found - view.true)[view.seen[:, k], k])
        a, b = np.concatenate(lever), np.concatenate(error)
        shift = np.zeros(3)
        for _ in range(20):
            off = np.linalg.norm(b - a @ shift, axis=-1)
            weight = 1.0 / np.maximum(off / 0.015, 1.0)
            # A shift of a metre is not to be believed where nothing shows it.
            square = np.einsum("n,nij,nik->jk", weight, a, a) + 1e-3 * np.eye(3)
            shift = np.linalg.solve(square, np.einsum("n,nij,ni->j", weight, a, b))
        found[part] = shift
    return found


@dataclass(frozen=True)
class Row:
    """Errors of one group of keypoints; lengths in statures, per axis."""

    bias: float
    """RMS of what is constant over a film, of points that are not astray."""
    astray: float
    """Share of points whose usual error in a film is an outlier already: taken for another, or lost, most of the time."""
    slow: float
    memory: float
    """Correlation of the slow part from one frame to the next at 60 Hz."""
    white: float
    outliers: float
    """Share of the points that are seen."""
    size: float
    """RMS distance of outliers from the film's usual error, both axes together."""
    burst: float
    """Frames at 60 Hz that an outlier lasts, on the average."""
    spread: float
    """Standard deviation about the bias, outliers left out."""
    missing: float
    """Share that is not seen."""
    stated: float
    """Median of what the estimator states."""
    count: int
    """Points seen."""


def describe(
    views: Sequence[View],
    parts: Sequence[str],
    definition: dict[str, Shift] | None = None,
    *,
    hidden: bool | None = None,
) -> Row:
    """Errors of these parts in all views, sides put right before; only where the body hides them, or does not, when `hidden` says so.

    Points astray count as outliers in those frames that are far from the truth. Memory, white and slow parts need every frame: with
    `hidden` they are NaN.
    """
    bias, astray, off, stated, missing, runs = [], [], [], [], [], []
    lagged = np.zeros((LAGS + 1, 2))
    for view in views:
        error = view.error(definition)
        for k in (k for k, name in enumerate(view.names) if plain(name) in parts):
            asked = np.ones(len(error), bool) if hidden is None else view.hidden[:, k] == hidden
            missing.append(~view.seen[asked, k])
            if not view.seen[:, k].any():
                continue
            middle = np.nanmedian(error[:, k], axis=0)
            astray.append(bool(np.linalg.norm(middle) > WILD))
            about = error[:, k] - (0.0 if astray[-1] else middle)
            wild = np.linalg.norm(np.nan_to_num(about), axis=-1) > WILD
            if not astray[-1]:
                bias.append(middle)
            off.append(about[asked & view.seen[:, k]])
            stated.append(view.stated[asked & view.seen[:, k], k])
            runs += [n * SIMULATED_RATE / view.rate for n in _run_lengths(wild & asked)]
            lagged += _products(np.where(wild[:, None], np.nan, about))
    away = np.concatenate(off)
    wild = np.linalg.norm(away, axis=-1) > WILD
    slow, memory, white = slow_and_white(lagged[:, 0] / np.maximum(lagged[:, 1], 1.0), views[0].rate)
    if hidden is not None:
        slow = memory = white = float("nan")
    return Row(
        bias=_rms(np.array(bias)),
        astray=float(np.mean(astray)) if astray else float("nan"),
        slow=slow,
        memory=memory,
        white=white,
        outliers=float(wild.mean()) if len(away) else float("nan"),
        size=_rms(np.linalg.norm(away[wild], axis=-1)),
        burst=float(np.mean(runs)) if runs else float("nan"),
        spread=_rms(away[~wild]),
        missing=float(np.concatenate(missing).mean()),
        stated=float(np.median(np.concatenate(stated))) if len(away) else float("nan"),
        count=len(away),
    )


def slow_and_white(covariance: Float[np.ndarray, " lag"], rate: float) -> tuple[float, float, float]:
    """Deviation of a first-order autoregressive part, its correlation over 1/60 s, and the deviation of the white part.

    From the mean products of errors 0, 1, … frames apart: s² mᵏ for k > 0, and w² more for k = 0. NaN when there is no slow part.
    """
    if covariance[1] <= 0.0 or covariance[LAGS] <= 0.0:
        return float("nan"), float("nan"), float(np.sqrt(max(covariance[0], 0.0)))
    memory = min((covariance[LAGS] / covariance[1]) ** (1.0 / (LAGS - 1)), 1.0)
    slow = min(covariance[1] / memory, covariance[0])
    return float(np.sqrt(slow)), float(memory ** (rate / SIMULATED_RATE)), float(np.sqrt(max(covariance[0] - slow, 0.0)))


def _products(error: Float[np.ndarray, "time 2"]) -> Float[np.ndarray, "lag 2"]:
    """Sums of products of errors so many frames apart, and how many there are."""
    out = np.zeros((LAGS + 1, 2))
    for lag in range(LAGS + 1):
        product = error[lag:] * error[: len(error) - lag]
        out[lag] = np.nansum(product), np.isfinite(product).sum()
    return out


def _run_lengths(on: Bool[np.ndarray, " time"]) -> Int[np.ndarray, " run"]:
    edges = np.flatnonzero(np.diff(np.concatenate([[0], on.astype(int), [0]])))
    return edges[1::2] - edges[::2]


def _rms(values: Float[np.ndarray, "*n"]) -> float:
    return float(np.sqrt(np.mean(np.square(values)))) if np.size(values) else float("nan")


def _mirror(name: str) -> Shift:
    """What mirrors a shift of the right side to the left one."""
    return np.array([1.0, 1.0, -1.0 if name.endswith("_l") else 1.0])
