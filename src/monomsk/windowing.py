"""Long sequences in windows of a fixed length, overlapped, and back without seams."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int

TOGETHER = 8
"""Windows that go through a network together."""
FRAMES = 40
"""Of a window, unless it is said otherwise; windows overlap by half."""
MOST_RATE = 32.0
"""Frames per second that networks are shown at most [Hz]; of faster clips every second, third, … frame."""


class Windows(NamedTuple):
    """Which frames each window shows."""

    frame: Int[np.ndarray, "window time"]
    """Beyond the sequence's end, its last frame."""
    share: Float[np.ndarray, "window time"]
    """How much a window has to say of a frame: most in its middle, 0 beyond the end."""
    count: int
    """Frames of the sequence."""


def windows_of(count: int, frames: int = FRAMES) -> Windows:
    """Windows of so many frames over a sequence of `count`."""
    starts = [*range(0, max(count - frames, 0), frames // 2), max(count - frames, 0)]
    frame = np.array(starts)[:, None] + np.arange(frames)
    inner = np.minimum(np.arange(frames) + 1.0, frames - np.arange(frames))
    return Windows(np.minimum(frame, count - 1), np.where(frame < count, inner, 0.0), count)


def batches(sequence: Any, windows: Windows, whole: tuple[str, ...]) -> Iterator[Any]:
    """The windows of a sequence, `TOGETHER` at a time, with a first axis more; the last batch is filled up with the last window.

    The sequence is a named tuple of arrays over time, with `time` [s], an even grid, and `seen`, which is False beyond the end;
    the fields of `whole` belong to all of it.
    """
    time = np.asarray(sequence.time)
    step = float(time[1] - time[0]) if len(time) > 1 else 1.0 / MOST_RATE
    for low in range(0, len(windows.frame), TOGETHER):
        rows = np.minimum(np.arange(low, low + TOGETHER), len(windows.frame) - 1)
        frame, inside = windows.frame[rows], windows.share[rows] > 0.0
        fields = {n: np.broadcast_to(v, (len(rows), *np.shape(v))) for n, v in sequence._asdict().items() if n in whole}
        fields |= {n: np.asarray(v)[frame] for n, v in sequence._asdict().items() if n not in whole}
        fields["time"] = np.broadcast_to(np.arange(frame.shape[1], dtype=time.dtype) * step, frame.shape).astype(time.dtype)
        fields["seen"] = fields["seen"] & inside[..., None]
        yield type(sequence)(**fields)


def blended(values: Float[np.ndarray, "window time *rest"], windows: Windows) -> Float[np.ndarray, "frame *rest"]:
    """Mean of what the windows say of each frame."""
    share = windows.share.reshape(*windows.share.shape, *[1] * (values.ndim - 2))
    total = np.zeros((windows.count, *values.shape[2:]))
    norm = np.zeros((windows.count, *[1] * (values.ndim - 2)))
    np.add.at(total, windows.frame, share * values)
    np.add.at(norm, windows.frame, share)
    return total / norm


def stride_of(rate: float, most: float = MOST_RATE) -> int:
    """How many frames of a clip of this rate [Hz] lie from one that a network is shown to the next, at most so many a second."""
    return max(1, int(np.ceil(rate / most - 1e-6)))


def between(values: Float[np.ndarray, "thin *rest"], thin: Float[np.ndarray, " thin"], time: Float[np.ndarray, " time"]) -> np.ndarray:
    """Values at other times, along a smooth curve (PCHIP) through those at the times `thin`; beyond them the nearest one."""
    if len(thin) == len(time) or len(thin) == 1:
        return values if len(thin) == len(time) else np.repeat(values, len(time), 0)
    from scipy.interpolate import PchipInterpolator

    return PchipInterpolator(thin, values, axis=0)(np.clip(time, thin[0], thin[-1]))
