"""Which sole points stand on the floor, judged from how low and how slow they are."""

import numpy as np
from jaxtyping import Float
from scipy.ndimage import gaussian_filter1d, median_filter

LOW, LOW_WIDTH = 0.04, 0.012
"""Height above the foot's usual lowest height at which belief is a half, and how sharply it falls [m]."""
SLOW, SLOW_WIDTH = 0.45, 0.12
"""The same for speed [m/s]."""


def planted_beliefs(sole: Float[np.ndarray, "time contact 3"], rate: float, *, lenient: float = 1.0) -> Float[np.ndarray, "time contact"]:
    """Belief, 0 to 1, that each sole point is on the floor and still.

    `sole` are ground positions [m] at `rate` [Hz]. `lenient` widens both thresholds while the fit is still rough.
    """
    smooth = gaussian_filter1d(sole, 0.03 * rate, axis=0, mode="nearest")
    velocity = gaussian_filter1d(np.gradient(sole, 1.0 / rate, axis=0), 0.03 * rate, axis=0, mode="nearest")
    speed = np.linalg.norm(velocity, axis=-1)
    # One camera lets the floor seem to tilt over the clip: a point counts as low against its own lowest heights nearby.
    window = max(3, round(2.0 * rate))
    lowest = np.minimum(_running_low(smooth[..., 1], window), 0.06)
    low = _falling(smooth[..., 1] - lowest, LOW * lenient, LOW_WIDTH * lenient)
    slow = _falling(speed, SLOW * lenient, SLOW_WIDTH * lenient)
    belief = median_filter(low * slow, size=(2 * round(0.04 * rate) + 1, 1), mode="nearest")
    return gaussian_filter1d(belief, 0.02 * rate, axis=0, mode="nearest")


def _falling(value: Float[np.ndarray, "*shape"], half: float, width: float) -> Float[np.ndarray, "*shape"]:
    return 1.0 / (1.0 + np.exp(np.clip((value - half) / width, -40.0, 40.0)))


def _running_low(height: Float[np.ndarray, "time contact"], window: int) -> Float[np.ndarray, "time contact"]:
    """Low heights around each moment: the tenth percentile of one-second samples nearby, robust to single dips."""
    count = len(height)
    centers = np.arange(0, count, max(1, window // 4))
    values = [np.quantile(height[max(0, c - window // 2) : c + window // 2 + 1], 0.1, axis=0) for c in centers]
    return np.stack([np.interp(np.arange(count), centers, np.array(values)[:, k]) for k in range(height.shape[1])], -1)
