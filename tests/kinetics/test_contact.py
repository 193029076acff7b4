import numpy as np

from kinetics.motions import body
from monomsk.kinetics.contact import Contact, belt_velocity, find_contact
from monomsk.kinetics.feet import feet_of

RATE = 100.0
TIME = np.arange(400) / RATE


def stepping(belt: float = 0.0, height: float = 0.0, noise: float = 0.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Points, velocities and truth of feet that alternate: down for 0.6 s of each second, up to 12 cm in between."""
    feet = feet_of(body())
    phase = np.stack([TIME % 1.0, (TIME + 0.5) % 1.0], 1)
    planted = phase < 0.6
    swing = np.clip((phase - 0.6) / 0.4, 0.0, 1.0)
    y = 0.12 * np.sin(np.pi * swing)
    speed = np.where(planted, belt, belt + 3.0)
    random = np.random.default_rng(0)
    slow = np.cumsum(random.normal(size=(400, 2)), axis=0)
    y = y + height + noise * slow / slow.std()
    x = np.cumsum(speed, axis=0) / RATE
    points = np.stack([x, y, np.zeros_like(x)], -1)[:, feet.foot]
    return points, np.gradient(points, 1.0 / RATE, axis=0), planted


def found(points: np.ndarray, velocity: np.ndarray, load: np.ndarray | None = None) -> Contact:
    return find_contact(feet_of(body()), points, velocity, np.ones(400) if load is None else load, RATE)


def test_steps_are_found_within_two_frames() -> None:
    points, velocity, planted = stepping()
    assert (found(points, velocity).planted != planted).mean() < 0.03


def test_the_ground_may_be_anywhere_and_feet_may_drift() -> None:
    points, velocity, planted = stepping(height=0.06, noise=0.01)
    contact = found(points, velocity)
    assert (contact.planted != planted).mean() < 0.06
    assert np.median(contact.level) == np.clip(np.median(contact.level), 0.04, 0.08)


def test_a_treadmill_is_ground_that_moves() -> None:
    points, velocity, planted = stepping(belt=-1.3)
    contact = found(points, velocity)
    np.testing.assert_allclose(contact.belt, [-1.3, 0.0], atol=0.1)
    assert (contact.planted != planted).mean() < 0.05


def test_feet_that_stand_still_need_no_belt() -> None:
    points, velocity, _ = stepping()
    assert (belt_velocity(points[..., 1], velocity) == 0.0).all()


def test_the_load_decides_where_the_feet_leave_it_open() -> None:
    points, velocity, _ = stepping()
    open_ = (TIME > 2.0) & (TIME < 2.4)
    points[open_, :, 1], velocity[open_] = 0.03, [0.7, 0.0, 0.0]
    assert not found(points, velocity, np.where(open_, 0.0, 1.0)).planted[open_][5:-5].any()
    assert found(points, velocity).planted[open_][5:-5].any(axis=1).all()


def test_blinks_are_removed() -> None:
    points, velocity, planted = stepping()
    velocity[230:233] = 5.0
    contact = found(points, velocity)
    np.testing.assert_array_equal(contact.planted[225:238], planted[225:238])


def test_the_word_of_the_kinematics_counts() -> None:
    points, velocity, _ = stepping()
    points[:, :, 1] = 0.03
    velocity[...] = 0.0
    velocity[..., 0] = 0.7
    sure = np.tile([0.95, 0.05], (400, 1))
    contact = find_contact(feet_of(body()), points, velocity, np.ones(400), RATE, sure)
    assert contact.planted[:, 0].all()


def test_a_box_is_ground_while_it_carries_the_person() -> None:
    feet = feet_of(body())
    y = np.where(TIME < 1.5, 0.35, np.where(TIME < 1.75, 0.35 - 5.6 * (TIME - 1.5) ** 2, 0.0))
    points = np.zeros((400, len(feet.foot), 3))
    points[..., 1] = y[:, None]
    load = np.where((TIME > 1.5) & (TIME < 1.75), 0.0, 1.0)
    contact = found(points, np.gradient(points, 1.0 / RATE, axis=0), load)
    assert contact.planted[TIME < 1.4].all()
    assert contact.planted[TIME > 1.85].all()
    assert not contact.planted[(TIME > 1.6) & (TIME < 1.7)].any()
    np.testing.assert_allclose(contact.level[TIME < 1.4], 0.35, atol=0.02)
    np.testing.assert_allclose(contact.level[TIME > 1.9], 0.0, atol=0.02)
