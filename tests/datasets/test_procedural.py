"""Made-up movements obey what real ones obey: feet stay, the mass is over them or falls."""

from functools import cache

import numpy as np
import pytest

from monomsk.datasets.augment import soles
from monomsk.datasets.corpus import MotionClip
from monomsk.datasets.fitting import generic_body
from monomsk.datasets.gaits import paces, walking
from monomsk.datasets.performer import person_of
from monomsk.datasets.plan import RATE, mass_centers, minimum_jerk
from monomsk.datasets.procedural import GRAVITY, procedural_clip
from monomsk.datasets.runs import bounce
from monomsk.datasets.steps import balanced
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


def still_soles(clip: MotionClip) -> np.ndarray:
    """Speeds of what stands: the slowest sole point of each foot in contact."""
    body = clip.body(generic_body())
    sole = soles(body, clip.q.astype(float))
    speed = np.linalg.norm(np.gradient(sole, 1.0 / clip.rate, axis=0), axis=-1)
    found = []
    for column, side in ((0, "_r"), (2, "_l")):
        on = [c for c, b in enumerate(body.contact_body) if body.body_names[b].endswith(side)]
        stands = clip.contact[:, column : column + 2].any(1)
        # The frame in which a foot lands or leaves is neither.
        inside = stands & np.roll(stands, 1) & np.roll(stands, -1)
        inside[[0, -1]] = False
        found.append(speed[inside][:, on].min(1))
    return np.concatenate(found)


@pytest.mark.parametrize(("kind", "seed"), [("walk", 4), ("turn", 3), ("stairs", 3), ("balance", 12)])
def test_feet_that_stand_are_still_and_on_the_ground(kind: str, seed: int) -> None:
    clip = made(kind, seed)
    assert np.percentile(still_soles(clip), 95) < 0.05
    assert soles(clip.body(generic_body()), clip.q.astype(float))[..., 1].min() > -0.01
    assert clip.contact.any(0).all()


def test_a_walker_gets_on_at_the_speed_asked_for() -> None:
    body = person_of(made("squat").body(generic_body()))
    length, time = paces(body, 1.3)
    assert length / time == pytest.approx(1.3)
    # The walk ratio (Sekiya & Nagasaki 1998), for legs as long as those of the people it was measured on.
    assert length / (60.0 / time) == pytest.approx(0.0065 * body.leg / 0.84)
    plan = walking(body, np.random.default_rng(2), 1.3, "usual")
    assert np.median(np.diff(plan.hip[:, 0])) * RATE == pytest.approx(1.3, rel=0.12)
    assert plan.hip[:, 1].max() < body.hip


def test_a_balanced_mass_moves_before_the_pressure_and_obeys_the_pendulum() -> None:
    still = balanced(np.tile([0.1, 0.0, -0.2], (400, 1)), 1.0)
    np.testing.assert_allclose(still, np.tile([0.1, 0.0, -0.2], (400, 1)), atol=1e-12)
    pressure = np.where(np.arange(600) < 300, 0.0, 0.2)
    path = balanced(pressure[:, None] * [0.0, 0.0, 1.0], 1.0)[:, 2]
    bend = np.gradient(np.gradient(path, 1.0 / RATE), 1.0 / RATE)
    # x'' = g/h (x - p), away from the jump.
    away = [250, 270, 290, 310, 330, 350]
    np.testing.assert_allclose(bend[away], GRAVITY * (path - pressure)[away], atol=0.03)
    assert path[290] > 0.05


def test_a_runner_flies_and_comes_back() -> None:
    time = np.arange(0.0, 0.36, 0.001)
    height = bounce(time, 0.36, 0.24)
    fall = np.diff(height, 2) / 0.001**2
    np.testing.assert_allclose(fall[time[1:-1] > 0.245], -GRAVITY, atol=1e-4)
    # As much push as weight over a step: the speed at its end is that at its beginning.
    assert height[1] - height[0] == pytest.approx(height[-1] - height[-2], abs=1e-4)
    assert height[time < 0.24].min() < -0.03


def test_feet_on_a_step_stand() -> None:
    clip = made("stairs", 0)
    height = clip.q[:, clip.names.index("pelvis_ty")]
    assert abs(height[-1] - height[0]) > 0.2
    assert clip.contact[[0, -1]].all()


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
