"""Windows over a sequence, and back."""

from typing import NamedTuple

import numpy as np
import pytest

from monomsk.windowing import FRAMES, TOGETHER, batches, between, blended, stride_of, windows_of


class Sequence(NamedTuple):
    time: np.ndarray
    seen: np.ndarray
    value: np.ndarray
    height: float


@pytest.mark.parametrize("count", [1, 7, FRAMES - 1, FRAMES, FRAMES + 1, 333])
def test_what_all_windows_agree_on_comes_back(count):
    windows = windows_of(count)
    values = np.random.default_rng(count).normal(size=(count, 3))
    assert blended(values[windows.frame], windows) == pytest.approx(values, abs=1e-12)
    assert (windows.share.sum(0) >= 0.0).all()
    assert windows.frame.max() == count - 1


def test_one_window_fades_into_the_next():
    windows = windows_of(100)
    steps = np.abs(
        np.diff(blended(np.broadcast_to(np.arange(len(windows.frame))[:, None, None], (*windows.frame.shape, 1)), windows)[:, 0])
    )
    assert steps.max() < 2.5 / FRAMES * 2.0


def test_batches_are_of_one_size_and_end_unseen():
    count = FRAMES + 5
    sequence = Sequence(np.arange(count) / 30.0, np.ones((count, 2), bool), np.arange(count), 1.7)
    whole = list(batches(sequence, windows_of(count), ("height",)))
    assert [b.value.shape for b in whole] == [(TOGETHER, FRAMES)]
    assert whole[0].height.shape == (TOGETHER,)
    short = next(batches(Sequence(*(a[:5] for a in sequence[:3]), 1.7), windows_of(5), ("height",)))
    assert short.seen[0, :5].all()
    assert not short.seen[0, 5:].any()
    assert np.diff(short.time[0]) == pytest.approx(1.0 / 30.0)


@pytest.mark.parametrize(
    ("rate", "stride"), [(24.0, 1), (25.0, 1), (29.97, 1), (30.0, 1), (50.0, 2), (59.94, 2), (60.0, 2), (120.0, 4), (240.0, 8)]
)
def test_networks_see_about_thirty_frames_a_second(rate, stride):
    assert stride_of(rate) == stride


def test_between_the_frames_lies_a_smooth_curve():
    time = np.arange(61) / 60.0
    values = np.stack([np.sin(3.0 * time), time], -1)
    assert between(values[::2], time[::2], time) == pytest.approx(values, abs=2e-3)
    assert between(values, time, time) is values
