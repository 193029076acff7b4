"""How far each keypoint may be off: from the visibility that the estimator states, the size of the person, and outliers."""

import tomllib
from collections.abc import Sequence
from functools import lru_cache
from importlib import resources
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from monomsk.model.sides import plain

STATURE = 1.72
"""Standing height [m] of the person whose estimates gave the shares of the table."""
CHAIN_SHARE = 0.78
"""Trunk (shoulders to hips), thigh and shank over the standing height (Winter 2009, table 4.1: 0.288 + 0.245 + 0.246)."""
BURST = 0.1
"""Outliers are excursions shorter than about this [s]."""
OUTLIER, OUTLIER_FACTOR = 0.05, 4.0
"""Excursion over the standing height that counts as an outlier, and what multiplies sigma then."""
OUTSIDE = 0.05
"""How far outside of the picture (over its long side) a guessed point may be and still count."""


def keypoint_sigma(
    names: Sequence[str], visibility: Float[np.ndarray, "frame keypoint"], stature: Float[np.ndarray, " frame"]
) -> Float[np.ndarray, "frame keypoint"]:
    """Standard deviation per axis [px] for persons `stature` px tall; inf where visibility or stature is not a number."""
    table = _table()
    share = np.interp(np.nan_to_num(visibility, nan=0.0), table["visibility"], table["deviation"])
    part = np.array([table["part"].get(plain(name), 1.0) for name in names])
    sigma = share * part * stature[:, None]
    return np.where(np.isfinite(visibility) & np.isfinite(sigma), sigma, np.inf)


def recorded_sigma(
    names: Sequence[str], confidence: Float[np.ndarray, "frame keypoint"], stature: Float[np.ndarray, " frame"]
) -> Float[np.ndarray, "frame keypoint"]:
    """Standard deviation per axis [px] of points from a convolutional estimator (OpenPose and its like) by its confidence."""
    table = _table()["recorded"]
    share = np.interp(np.nan_to_num(confidence, nan=0.0), table["confidence"], table["deviation"])
    sigma = share * stature[:, None]
    return np.where(np.isfinite(confidence) & np.isfinite(sigma), sigma, np.inf)


def pixel_stature(
    xy: Float[np.ndarray, "frame keypoint 2"], world: Float[np.ndarray, "frame keypoint 3"], time: Float[np.ndarray, " frame"]
) -> Float[np.ndarray, " frame"]:
    """Standing height in the picture [px], whatever the posture: pixels per metre of the estimator's own 3-D guess.

    Smoothed by a running median over half a second; nan where the person is not seen.
    """
    flat = world[:, :, :2] - world[:, :, :2].mean(1, keepdims=True)
    seen = xy - xy.mean(1, keepdims=True)
    scale = (flat * seen).sum((1, 2)) / np.maximum((flat**2).sum((1, 2)), 1e-9) * STATURE
    smooth = np.full(len(time), np.nan)
    for i in np.flatnonzero(np.isfinite(scale)):
        near = scale[np.abs(time - time[i]) <= 0.25]
        smooth[i] = np.nanmedian(near)
    return np.where(smooth > 0, smooth, np.nan)


def doubt_outliers(
    xy: Float[np.ndarray, "frame keypoint 2"],
    sigma: Float[np.ndarray, "frame keypoint"],
    stature: Float[np.ndarray, " frame"],
    time: Float[np.ndarray, " frame"],
) -> Float[np.ndarray, "frame keypoint"]:
    """Sigma, four times as large where a point jumps aside from its own median over a fifth of a second."""
    out, seen = sigma.copy(), np.flatnonzero(np.isfinite(stature))
    when = time[seen]
    for place, i in enumerate(seen):
        # As many frames after as before: a median to one side lags behind whatever moves.
        before = place - np.searchsorted(when, when[place] - BURST - 1e-6)
        after = np.searchsorted(when, when[place] + BURST + 1e-6) - place - 1
        reach = min(before, after)
        if reach < 2:
            continue
        near = xy[seen[place - reach : place + reach + 1]]
        aside = np.linalg.norm(xy[i] - np.median(near, axis=0), axis=1)
        out[i] = np.where(aside > OUTLIER * stature[i], OUTLIER_FACTOR * sigma[i], sigma[i])
    return out


def beyond_picture(xy: Float[np.ndarray, "*any 2"], size: tuple[int, int]) -> Bool[np.ndarray, "*any"]:
    """Which points lie so far outside of the picture that they are invented."""
    far = OUTSIDE * max(size)
    return np.asarray(((xy < -far) | (xy > np.array(size) + far)).any(-1))


@lru_cache(maxsize=1)
def _table() -> dict[str, Any]:
    text = resources.files("monomsk").joinpath("data/skeletons/mediapipe_noise.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)
