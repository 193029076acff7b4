"""From the true times of the frames to the uniform grid of the clip."""

import numpy as np
from jaxtyping import Float

LONGEST_GAP = 0.2
"""Longest time without a point that is bridged [s]."""


def resample(
    values: Float[np.ndarray, "frame keypoint axis"],
    sigma: Float[np.ndarray, "frame keypoint"],
    frame_time: Float[np.ndarray, " frame"],
    time: Float[np.ndarray, " time"],
) -> tuple[Float[np.ndarray, "time keypoint axis"], Float[np.ndarray, "time keypoint"]]:
    """Values and sigma on the grid `time`; each point by itself, by monotone cubics (PCHIP, Fritsch and Carlson 1980).

    Gaps up to 0.2 s are bridged, with a sigma that grows towards their middle; across longer ones sigma is inf.
    Frames on the grid keep their values exactly.
    """
    from scipy.interpolate import PchipInterpolator

    out = np.zeros((len(time), *values.shape[1:]))
    spread = np.full((len(time), values.shape[1]), np.inf)
    for j in range(values.shape[1]):
        good = np.flatnonzero(np.isfinite(sigma[:, j]) & np.isfinite(values[:, j]).all(-1))
        if not len(good):
            continue
        known = frame_time[good]
        after = np.clip(np.searchsorted(known, time), 0, len(known) - 1)
        before = np.clip(np.searchsorted(known, time, side="right") - 1, 0, len(known) - 1)
        reach = np.minimum(np.abs(time - known[before]), np.abs(known[after] - time))
        usual = np.median(np.diff(frame_time))
        gap = np.abs(known[after] - known[before])
        inside = (time >= known[0] - 0.51 * usual) & (time <= known[-1] + 0.51 * usual)
        usable = inside & (gap <= max(LONGEST_GAP, 1.5 * usual))
        if len(known) == 1:
            out[usable, j] = values[good[0], j]
        else:
            out[usable, j] = PchipInterpolator(known, values[good, j], axis=0)(np.clip(time[usable], known[0], known[-1]))
        level = np.interp(time, known, sigma[good, j])
        spread[usable, j] = (level * (1.0 + np.maximum(reach / usual - 0.5, 0.0)))[usable]
    return out, spread
