"""Low-pass filter and time derivatives of coordinates, as OpenSim's InverseDynamicsTool takes them."""

import numpy as np
from jaxtyping import Bool, Float
from scipy.interpolate import make_interp_spline
from scipy.signal import butter, lfilter

from monomsk.errors import InputError

ORDER = 3
"""Order of one pass. OpenSim runs a third-order Butterworth filter forwards and backwards; another order here would move
our moments away from those that its InverseDynamicsTool finds at the same cut-off."""


def sampling_rate(time: Float[np.ndarray, " time"]) -> float:
    """Frames per second of a uniform time grid. Raises InputError when it is not uniform or shorter than 8 frames."""
    if len(time) < 8:
        raise InputError(f"forces need at least 8 frames, the motion has {len(time)}: take a longer stretch of the video")
    step = np.diff(time)
    mean = float(step.mean())
    if mean <= 0.0 or float(np.abs(step - mean).max()) > 0.02 * mean:
        raise InputError("the motion's frames are not evenly spaced in time: resample it to a uniform rate")
    return 1.0 / mean


def unwrap(q: Float[np.ndarray, "time nq"], rotational: Bool[np.ndarray, " nq"]) -> Float[np.ndarray, "time nq"]:
    """Angles without jumps of a full turn."""
    return np.where(rotational, np.unwrap(q, axis=0), q)


def rates(
    time: Float[np.ndarray, " time"], x: Float[np.ndarray, "time n"], cutoff: float | None
) -> tuple[Float[np.ndarray, "time n"], Float[np.ndarray, "time n"], Float[np.ndarray, "time n"]]:
    """Values after the low-pass [Hz; None leaves them as they are], and their first and second time derivative.

    As OpenSim's InverseDynamicsTool takes them: the continuation at the ends is filtered with the clip and is still there
    when the spline is drawn, so that derivatives at the first and last frames know what goes on beyond them.
    Raises InputError as `sampling_rate` and `lowpass`.
    """
    rate = sampling_rate(time)
    if cutoff is None:
        return x, *derivatives(time, x)
    if _checked(cutoff) >= 0.45 * rate:
        return x, *derivatives(time, x)
    pad = len(x) // 2
    grid = time[0] + np.arange(-pad, len(x) + pad) / rate
    smooth = _filtered(_continued(x, pad), rate, cutoff)
    inside = slice(pad, pad + len(x))
    first, second = derivatives(grid, smooth)
    return smooth[inside], first[inside], second[inside]


def lowpass(x: Float[np.ndarray, "time n"], rate: float, cutoff: float) -> Float[np.ndarray, "time n"]:
    """Zero-lag low-pass: Butterworth forwards and backwards, ends continued by point reflection over half the clip.

    `rate` and `cutoff` in Hz. A cut-off at or above 0.45 × rate leaves the data as they are.
    Raises InputError for a cut-off that is not positive.
    """
    if _checked(cutoff) >= 0.45 * rate:
        return x
    pad = len(x) // 2
    return _filtered(_continued(x, pad), rate, cutoff)[pad : pad + len(x)]


def _checked(cutoff: float) -> float:
    if cutoff <= 0.0:
        raise InputError(f"low-pass cut-off {cutoff:g} Hz must be positive (6 Hz suits gait)")
    return cutoff


def _continued(x: Float[np.ndarray, "time n"], pad: int) -> Float[np.ndarray, "longer n"]:
    """The data with `pad` frames more at each end, reflected in the end points."""
    before, after = 2.0 * x[:1] - x[pad:0:-1], 2.0 * x[-1:] - x[-2 : -pad - 2 : -1]
    return np.concatenate([before, x, after])


def _filtered(x: Float[np.ndarray, "time n"], rate: float, cutoff: float) -> Float[np.ndarray, "time n"]:
    forward = _one_way(x, rate, cutoff)
    return _one_way(forward[::-1], rate, cutoff)[::-1]


def _one_way(x: Float[np.ndarray, "time n"], rate: float, cutoff: float) -> Float[np.ndarray, "time n"]:
    """One pass, begun as OpenSim begins it (Signal::LowpassIIR, 2017): the first values go through as they are, as many as the
    order, and the filter goes on from there. On a short clip of somebody who walks that is worth up to 8 % of a residual."""
    b, a = np.asarray(butter(ORDER, cutoff, fs=rate))
    # What the filter remembers after values that equal its answers.
    memory = np.stack([sum((b[m + k] - a[m + k]) * x[ORDER - k] for k in range(1, ORDER + 1 - m)) for m in range(ORDER)])
    rest, _ = lfilter(b, a, x[ORDER:], axis=0, zi=memory)
    return np.concatenate([x[:ORDER], rest])


def derivatives(
    time: Float[np.ndarray, " time"], x: Float[np.ndarray, "time n"]
) -> tuple[Float[np.ndarray, "time n"], Float[np.ndarray, "time n"]]:
    """First and second time derivative of the quintic spline through the points.

    At both ends the third and fourth derivative are zero: a natural spline, like OpenSim's GCVSpline of degree five.
    """
    still = np.zeros((2, x.shape[1]))
    ends = [(3, still[0]), (4, still[1])]
    spline = make_interp_spline(time, x, k=5, bc_type=(ends, ends))
    return spline(time, 1), spline(time, 2)
