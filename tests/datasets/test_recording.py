import numpy as np
import pytest

from monomsk.datasets.recording import at_rate
from monomsk.types import Markers


def wave(rate: float, seconds: float = 2.0) -> Markers:
    time = np.arange(round(seconds * rate) + 1) / rate
    xyz = np.stack([np.sin(3.0 * time), time, np.cos(2.0 * time)], -1)[:, None]
    return Markers(time, ("A",), xyz, np.full((len(time), 1), 0.005))


@pytest.mark.parametrize("rate", [60.0, 100.0, 150.0, 250.0])
def test_faster_recordings_keep_slow_movement(rate: float) -> None:
    thin = at_rate(wave(rate), 60.0)
    np.testing.assert_allclose(np.diff(thin.time), 1.0 / 60.0)
    truth = np.stack([np.sin(3.0 * thin.time), thin.time, np.cos(2.0 * thin.time)], -1)
    assert np.isfinite(thin.sigma).all()
    assert np.abs(thin.xyz[3:-3, 0] - truth[3:-3]).max() < 5e-4


def test_what_a_slow_recording_did_not_see_is_missing() -> None:
    slow = wave(30.0)
    thin = at_rate(slow, 60.0)
    seen = np.isfinite(thin.sigma[:, 0])
    assert seen[::2].all()
    assert not seen[1::2].any()
    np.testing.assert_allclose(thin.xyz[::2], slow.xyz, atol=1e-12)


def test_gaps_stay_gaps() -> None:
    fast = wave(120.0)
    fast.sigma[60:80] = np.inf
    thin = at_rate(fast, 60.0)
    assert not np.isfinite(thin.sigma[31:39]).any()
    assert np.isfinite(thin.sigma[:29]).all()
    truth = np.sin(3.0 * thin.time)
    assert np.abs(thin.xyz[:29, 0, 0] - truth[:29])[2:].max() < 5e-3
