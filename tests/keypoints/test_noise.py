import numpy as np
import pytest

from keypoints.walkers import HEIGHT, NAMES, walker
from monomsk.keypoints import noise


def test_what_is_seen_well_is_surer() -> None:
    visibility = np.tile(np.array([[0.1], [0.5], [0.75], [0.95], [1.0]]), (1, len(NAMES)))
    sigma = noise.keypoint_sigma(NAMES, visibility, np.full(5, 1000.0))
    assert (np.diff(sigma, axis=0) < 0).all()
    knee = NAMES.index("knee_r")
    assert 8.0 < sigma[4, knee] < 12.0
    np.testing.assert_allclose(noise.keypoint_sigma(NAMES, visibility, np.full(5, 500.0)), sigma / 2)


def test_missing_is_infinite() -> None:
    visibility = np.ones((2, len(NAMES)))
    visibility[0] = np.nan
    assert np.isinf(noise.keypoint_sigma(NAMES, visibility, np.array([900.0, 900.0]))[0]).all()
    assert np.isinf(noise.keypoint_sigma(NAMES, visibility, np.array([900.0, np.nan]))).all()


def test_stature_does_not_depend_on_the_posture() -> None:
    random = np.random.default_rng(0)
    world = random.normal(0, 0.4, (40, 23, 3))
    xy = world[..., :2] * 300.0 + [500, 400]
    stature = noise.pixel_stature(xy, world, np.arange(40) / 30)
    np.testing.assert_allclose(stature, 300.0 * 1.72, rtol=1e-9)


def test_a_point_that_jumps_is_doubted_and_a_fast_one_is_not() -> None:
    time = np.arange(60) / 60
    xy = walker(60, speed=25.0)
    ankle = NAMES.index("ankle_l")
    xy[30, ankle] += [0.0, 0.12 * HEIGHT]
    sigma = noise.doubt_outliers(xy, np.full((60, len(NAMES)), 5.0), np.full(60, HEIGHT), time)
    assert sigma[30, ankle] == 20.0
    assert (np.delete(sigma.ravel(), 30 * len(NAMES) + ankle) == 5.0).all()


@pytest.mark.parametrize(
    ("point", "beyond"), [((-20.0, 50.0), False), ((-60.0, 50.0), True), ((500.0, 560.0), True), ((999.0, 1.0), False)]
)
def test_points_far_outside_are_invented(point: tuple[float, float], beyond: bool) -> None:
    assert noise.beyond_picture(np.array([point]), (1000, 500))[0] == beyond
