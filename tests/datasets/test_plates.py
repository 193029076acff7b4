import numpy as np
import pytest

from monomsk.datasets.laboratory import Plates
from monomsk.datasets.plates import LEFT, NOBODY, RIGHT, Soles, sampled, stretches

FRAMES, WEIGHT = 120, 700.0
TIME = np.arange(FRAMES) / 60.0


def soles(right: float = 0.0, left: float = 0.4, *, height: float = 0.0, aside: float = 0.15) -> Soles:
    """Feet 20 cm long along X that begin at `right` and `left`, `aside` of the middle; the left one at a height."""
    point = np.zeros((FRAMES, 4, 3))
    point[:, :2, 0] = [right, right + 0.2]
    point[:, 2:, 0] = [left, left + 0.2]
    point[:, :2, 2], point[:, 2:, 2] = aside, -aside
    point[:, 2:, 1] = height
    return Soles(point, np.array([0, 0, 1, 1]))


def pressed(*steps: tuple[int, int, tuple[float, float]], up: float = WEIGHT) -> tuple[np.ndarray, np.ndarray]:
    """Force and centre of pressure of one plate that is pressed between frames, at (x, z)."""
    force, cop = np.zeros((FRAMES, 1, 3)), np.zeros((FRAMES, 1, 3))
    for begin, end, (x, z) in steps:
        ramp = np.clip(np.minimum(np.arange(FRAMES) - begin, end - 1 - np.arange(FRAMES)) / 4.0, 0.0, 1.0)
        force[:, 0, 1] += up * ramp
        cop[begin:end, 0] = [x, 0.0, z]
    return force, cop


def test_points_are_outside_a_sole_by_their_distance_from_it() -> None:
    at = np.tile([0.1, 0.0, 0.27], (FRAMES, 1))
    outside = soles().outside(at)
    np.testing.assert_allclose(outside[:, RIGHT], 0.12 - 0.05)
    np.testing.assert_allclose(outside[:, LEFT], np.hypot(0.3, 0.42) - 0.05)
    assert (soles().outside(np.tile([0.05, 0.0, 0.13], (FRAMES, 1)))[:, RIGHT] == 0.0).all()


def test_two_steps_on_one_plate_belong_to_the_feet_that_are_there() -> None:
    force, cop = pressed((10, 50, (0.1, 0.15)), (52, 100, (0.5, -0.15)))
    first, second = stretches(force, cop, soles(), WEIGHT)
    assert (first.foot, second.foot) == (RIGHT, LEFT)
    assert first.frames.stop <= second.frames.start
    assert 10 <= first.frames.start <= first.core.start <= 14
    assert (force[first.frames, 0, 1] > 20.0).all()


def test_a_foot_in_the_air_does_not_press() -> None:
    force, cop = pressed((10, 50, (0.3, -0.02)))
    assert stretches(force, cop, soles(0.2, 0.2, aside=0.07), WEIGHT)[0].foot == LEFT
    assert stretches(force, cop, soles(0.2, 0.2, aside=0.07, height=0.3), WEIGHT)[0].foot == RIGHT


@pytest.mark.parametrize("at", [(2.0, 0.0), (0.2, 0.02)])
def test_forces_far_from_the_feet_or_between_them_are_nobodys(at: tuple[float, float]) -> None:
    assert stretches(*pressed((10, 90, at)), soles(0.1, 0.1), WEIGHT)[0].foot == NOBODY


def test_crosstalk_is_no_contact() -> None:
    assert stretches(*pressed((10, 90, (0.1, 0.15)), up=0.06 * WEIGHT), soles(), WEIGHT) == ()


def test_plates_come_filtered_to_the_clips_frames_and_place() -> None:
    clock = 3.0 + np.arange(900) / 300.0
    tilt, where = np.array([40.0, 0.0, -25.0]), np.array([0.6, 0.02, -0.3])
    swell = 400.0 + 200.0 * np.sin(2.0 * np.pi * 1.0 * clock)
    force = swell[:, None, None] * np.array([0.0, 1.0, 0.0]) + tilt
    cop = np.tile(where, (900, 1, 1)) + 0.05 * np.sin(2.0 * np.pi * clock)[:, None, None] * np.array([1.0, 0.0, 0.0])
    moment = np.tile([0.0, 7.0, 0.0], (900, 1, 1))
    time = 3.2 + np.arange(120) / 60.0
    shift = np.outer(np.arange(120) / 60.0, [1.5, 0.0, 0.0]) + np.array([0.0, 0.01, 0.0])
    buzz = force + 30.0 * np.sin(2.0 * np.pi * 90.0 * clock)[:, None, None] * np.array([0.0, 1.0, 0.0])
    got_force, got_cop, free = sampled(Plates(clock, buzz, cop, moment), time, shift)
    np.testing.assert_allclose(got_force[:, 0, 1], 400.0 + 200.0 * np.sin(2.0 * np.pi * time), atol=3.0)
    np.testing.assert_allclose(got_force[:, 0, 0], 40.0, atol=1e-6)
    expected = where + 0.05 * np.sin(2.0 * np.pi * time)[:, None] * [1.0, 0.0, 0.0] + shift
    np.testing.assert_allclose(got_cop[:, 0], expected, atol=0.003)
    np.testing.assert_allclose(free[:, 0], 7.0, atol=0.3)


def test_before_and_after_the_plates_there_is_no_force() -> None:
    clock = np.arange(300) / 300.0
    force = np.tile([0.0, 500.0, 0.0], (300, 1, 1))
    got, _, _ = sampled(Plates(clock, force, 0.0 * force, 0.0 * force), TIME - 0.5, np.zeros((FRAMES, 3)))
    inside = (TIME - 0.5 >= 0.0) & (clock[-1] >= TIME - 0.5)
    np.testing.assert_allclose(got[inside, 0, 1], 500.0, atol=1e-6)
    assert (got[~inside] == 0.0).all()
    assert 0 < inside.sum() < FRAMES
