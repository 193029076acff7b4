"""Made-up movements obey what real ones obey: feet stay, the mass is over them or falls."""

from functools import cache

import numpy as np
import pytest

from monomsk.datasets.augment import soles
from monomsk.datasets.corpus import MotionClip
from monomsk.datasets.fitting import generic_body
from monomsk.datasets.plan import mass_centers, minimum_jerk
from monomsk.datasets.procedural import GRAVITY, procedural_clip
from monomsk.errors import InputError
from monomsk.io.body import load_anatomy


@cache
def made(kind: str, seed: int = 4) -> MotionClip:
    return procedural_clip(kind, seed, generic_body(), load_anatomy())


def test_squatting_feet_stay_and_carry_the_mass() -> None:
    clip = made("squat")
    body, q = clip.body(generic_body()), clip.q.astype(float)
    sole, mass = soles(body, q), mass_centers(body, q)
    assert np.abs(sole[..., 1]).max() < 0.01
    assert np.abs(np.diff(sole, axis=0)).max() * clip.rate < 0.1
    ground, over = sole[..., [0, 2]], mass[:, [0, 2]]
    assert (over > ground.min(1) - 0.01).all()
    assert (over < ground.max(1) + 0.01).all()
    assert np.degrees(np.ptp(q[:, clip.names.index("knee_angle_r")])) > 40.0
    assert clip.contact.all()


def test_a_jumper_falls_freely() -> None:
    clip = made("jump")
    body, q = clip.body(generic_body()), clip.q.astype(float)
    flying = soles(body, q)[..., 1].min(1) > 0.03
    assert flying.sum() > 10
    height = mass_centers(body, q)[:, 1]
    fall = np.diff(height, 2) * clip.rate**2
    # Frames whose neighbours fly too.
    free = flying[:-2] & flying[1:-1] & flying[2:]
    # The search for each pose ends a thousandth of a millimetre from its aim, and two differences multiply that by 3600 and more.
    assert np.median(fall[free]) == pytest.approx(-GRAVITY, abs=0.1)
    assert np.abs(fall[free] + GRAVITY).max() < 1.5
    assert not clip.contact[flying].any()


def test_somebody_who_sits_does_not_balance_over_the_feet() -> None:
    clip = made("sit_to_stand")
    body, q = clip.body(generic_body()), clip.q.astype(float)
    sole, mass = soles(body, q), mass_centers(body, q)
    behind = sole[..., 0].min(1) - mass[:, 0]
    assert behind[0] > 0.05
    assert (behind < 0.0).any()
    assert np.degrees(q[0, clip.names.index("knee_angle_r")]) > 60.0


def test_a_seed_makes_one_movement() -> None:
    again = procedural_clip("squat", 4, generic_body(), load_anatomy())
    np.testing.assert_array_equal(again.q, made("squat").q)
    assert again.origin.person == made("jump").origin.person
    assert not np.array_equal(procedural_clip("squat", 5, generic_body(), load_anatomy()).q[:60], again.q[:60])
    with pytest.raises(InputError, match="sit_to_stand"):
        procedural_clip("cartwheel", 0, generic_body(), load_anatomy())


def test_minimum_jerk_rests_at_its_keys() -> None:
    time = np.linspace(0.0, 3.0, 301)
    curve = minimum_jerk([(0.5, 1.0), (1.5, 2.0), (2.5, 0.0)], time)
    assert curve[0] == 1.0
    assert curve[-1] == 0.0
    np.testing.assert_allclose(curve[150], 2.0, atol=1e-9)
    speed = np.gradient(curve, time)
    assert np.abs(speed[[50, 150, 250]]).max() < 1e-3
    # The peak speed of a reach is 1.875 times its mean speed (Flash & Hogan 1985).
    assert np.abs(speed[:150]).max() == pytest.approx(1.875, rel=1e-3)
