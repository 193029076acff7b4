import numpy as np

from monomsk.keypoints.resample import resample


def _wave(time: np.ndarray) -> np.ndarray:
    return np.stack([100 * np.sin(2 * time), 50 * np.cos(3 * time)], axis=-1)[:, None]


def test_frames_on_the_grid_keep_their_values() -> None:
    time = np.arange(50) / 30
    values, sigma = resample(_wave(time), np.full((50, 1), 3.0), time, time)
    np.testing.assert_allclose(values, _wave(time), atol=1e-12)
    np.testing.assert_allclose(sigma, 3.0)


def test_uneven_frames_are_put_on_the_grid() -> None:
    random = np.random.default_rng(0)
    frames = np.sort(random.uniform(0, 2, 90))
    frames[0] = 0.0
    grid = np.arange(60) / 30
    values, sigma = resample(_wave(frames), np.ones((90, 1)), frames, grid)
    inside = np.isfinite(sigma[:, 0])
    assert inside.mean() > 0.95
    assert np.abs(values - _wave(grid))[inside].max() < 1.0


def test_short_gaps_are_bridged_and_doubted_and_long_ones_stay() -> None:
    time = np.arange(90) / 30
    sigma = np.ones((90, 1))
    sigma[20:24] = np.inf  # 0.17 s between the points beside it
    sigma[50:70] = np.inf
    values, spread = resample(_wave(time), sigma, time, time)
    assert np.isfinite(spread[20:24]).all()
    assert (spread[20:24] > 1.2).all()
    assert np.abs(values - _wave(time))[15:30].max() < 1.5
    assert np.isinf(spread[50:70]).all()
    assert np.isfinite(spread[[49, 70]]).all()


def test_nothing_is_invented_before_the_first_and_after_the_last_point() -> None:
    time = np.arange(60) / 30
    sigma = np.ones((60, 2))
    sigma[:10, 0] = sigma[50:, 0] = np.inf
    sigma[:, 1] = np.inf
    _, spread = resample(np.repeat(_wave(time), 2, axis=1), sigma, time, time)
    assert np.isinf(spread[:10, 0]).all()
    assert np.isinf(spread[50:, 0]).all()
    assert np.isfinite(spread[10:50, 0]).all()
    assert np.isinf(spread[:, 1]).all()


def test_points_that_are_no_numbers_are_missing() -> None:
    time = np.arange(60) / 30
    values = _wave(time)
    values[20:40] = np.nan
    out, spread = resample(values, np.ones((60, 1)), time, time)
    assert np.isinf(spread[20:40]).all()
    assert np.isfinite(out).all()
