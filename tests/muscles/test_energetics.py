"""Power of muscles and joints from static optimization: sums that must agree, and what cannot be."""

from dataclasses import replace

import numpy as np
import pytest

from monomsk.config import MusclesConfig
from monomsk.errors import InputError
from monomsk.io.body import load_body
from monomsk.muscles.energetics import energetics
from monomsk.muscles.slow_twitch import slow_twitch
from monomsk.muscles.static_optimization import solve
from monomsk.report.summary import energy
from monomsk.types import Energetics, GeneralizedForces, Kinetics, MuscleActivity
from muscles.test_static_optimization import EXTENSOR, FLEXOR, bent, kinetics
from pendulums import elbow

BODY = elbow(replace(FLEXOR, pennation=0.3), EXTENSOR)
TIME = np.arange(64) / 64.0
ANGLE = 0.4 + 0.3 * np.sin(5.0 * TIME)
MOMENT = 10.0 * np.cos(9.0 * TIME)


@pytest.fixture(scope="module")
def swinging() -> GeneralizedForces:
    """A forearm that swings against a moment that changes sign."""
    rate, acceleration = 1.5 * np.cos(5.0 * TIME), -7.5 * np.sin(5.0 * TIME)
    q, qd, qdd, tau = (a[:, None] for a in (ANGLE, rate, acceleration, MOMENT))
    return GeneralizedForces(TIME, ("flexion",), np.array([True]), tau, q, qd, qdd)


@pytest.fixture(scope="module", params=[False, True], ids=["active", "passive"])
def settings(request: pytest.FixtureRequest) -> MusclesConfig:
    return MusclesConfig(passive=request.param)


def test_muscles_and_reserves_do_the_work_of_the_joint(swinging: GeneralizedForces, settings: MusclesConfig) -> None:
    activity = solve(swinging, BODY, settings)
    found = energetics(swinging, activity, BODY, 70.0, settings)
    assert found.coordinates == ("flexion",)
    np.testing.assert_allclose(found.joint[:, 0], MOMENT * swinging.qd[:, 0], rtol=1e-12)
    left = activity.reserve[:, 0] * swinging.qd[:, 0]
    np.testing.assert_allclose(found.muscle.sum(1) + left, found.joint[:, 0], atol=1e-6)
    # Rigid tendons have no power of their own.
    np.testing.assert_allclose(found.active + found.passive, found.muscle, atol=1e-9)
    assert activity.speed is not None
    np.testing.assert_allclose(found.muscle, -activity.force * activity.speed, atol=1e-9)
    assert np.any(found.passive) == settings.passive


def test_figures_of_the_summary(swinging: GeneralizedForces) -> None:
    activity = solve(swinging, BODY)
    for model in ("umberger2010", "bhargava2004"):
        found = energetics(swinging, activity, BODY, 2.0, MusclesConfig(metabolics=model))
        assert found.metabolic is not None
        assert found.metabolic.basal == pytest.approx(2.4)
        assert found.metabolic.guessed == ("flexor", "extensor")
        # 1000 N over 600 kPa times 0.2 m.
        np.testing.assert_allclose(found.metabolic.muscle_mass, 1000.0 / 6e5 * 0.2 * 1059.7)
        assert (found.metabolic.power > -1e-9).all()
        figures = energy(found)
        burnt = figures["metabolic_power_w_per_kg"]
        mean = np.trapezoid(found.metabolic.power.sum(1), TIME) / TIME[-1] / 2.0
        assert burnt["muscles_of_the_model"] == pytest.approx(mean, rel=1e-3)
        assert burnt["whole_body"] == pytest.approx(mean + 1.2, rel=1e-3)
        assert burnt["model"] == model
        assert burnt["muscles"].keys() == {"flexor", "extensor"}
        work = figures["joint_work_j_per_kg"]["flexion"]
        assert work["positive"] > 0.0 > work["negative"]
        assert work["positive"] + work["negative"] == pytest.approx(np.trapezoid(found.joint[:, 0], TIME) / 2.0, abs=1e-3)


def test_strong_muscles_are_heavier_and_none_burns_nothing(swinging: GeneralizedForces) -> None:
    strong = MusclesConfig(strength=2.0)
    found = energetics(swinging, solve(swinging, BODY, strong), BODY, 2.0, strong)
    assert found.metabolic is not None
    np.testing.assert_allclose(found.metabolic.muscle_mass, 2000.0 / 6e5 * 0.2 * 1059.7)
    without = energetics(swinging, solve(swinging, BODY), BODY, 2.0, MusclesConfig(metabolics="none"))
    assert without.metabolic is None
    assert "metabolic_power_w_per_kg" not in energy(without)
    assert np.any(without.muscle)


def test_speeds_of_a_video_come_from_its_coordinates() -> None:
    video: Kinetics = kinetics(("flexion",), ANGLE[:, None], MOMENT[:, None], rate=64.0)
    found = energetics(video, solve(video, BODY), BODY, 70.0)
    np.testing.assert_allclose(found.joint[:, 0], MOMENT * 1.5 * np.cos(5.0 * TIME), atol=0.02)


@pytest.mark.parametrize("mass", [0.0, -3.0, float("nan")])
def test_a_body_without_mass(mass: float, swinging: GeneralizedForces) -> None:
    with pytest.raises(InputError, match="mass is"):
        energetics(swinging, solve(swinging, BODY), BODY, mass)


def test_what_cannot_be(swinging: GeneralizedForces) -> None:
    activity = solve(swinging, BODY)
    with pytest.raises(InputError, match="allowed: umberger2010, bhargava2004, none"):
        energetics(swinging, activity, BODY, 70.0, MusclesConfig(metabolics="umberger"))  # pyright: ignore[reportArgumentType]
    with pytest.raises(InputError, match="lengths and speeds"):
        energetics(swinging, replace(activity, length=None), BODY, 70.0)
    with pytest.raises(InputError, match="other muscles"):
        energetics(swinging, activity, elbow(FLEXOR), 70.0)
    with pytest.raises(InputError, match="specific_tension"):
        solve(bent(1.0), BODY, MusclesConfig(specific_tension=25.0))


def standing(specific_tension: float) -> Energetics:
    """The body that ships at rest, its muscles at made-up lengths."""
    spec = load_body()
    names, count = tuple(m.name for m in spec.muscles), 64
    length = np.tile([m.tendon_slack_length + m.optimal_fiber_length for m in spec.muscles], (count, 1))
    still = np.zeros_like(length)
    coordinates = tuple(c.name for c in spec.coordinates)
    nothing = np.zeros((count, len(coordinates)))
    activity = MuscleActivity(TIME, names, still, still, (), np.zeros((count, 0)), length=length, speed=still)
    forces = GeneralizedForces(TIME, coordinates, np.ones(len(coordinates), bool), nothing, nothing, nothing, nothing)
    return energetics(forces, activity, spec, spec.mass, MusclesConfig(specific_tension=specific_tension))


def test_muscles_too_heavy_for_the_body_are_told() -> None:
    usual = standing(6e5)
    assert usual.metabolic is not None
    assert usual.warnings == ()
    assert 0.18 < usual.metabolic.muscle_mass.sum() / usual.mass < 0.25
    assert "soleus" not in usual.metabolic.guessed
    assert {"psoas", "sart", "grac"} <= set(usual.metabolic.guessed)
    # Muscles at rest give the least heat, 1 W/kg.
    np.testing.assert_allclose(usual.metabolic.power, np.tile(usual.metabolic.muscle_mass, (64, 1)), rtol=1e-12)
    assert {"knee_angle_r", "knee_angle_r_beta", "lumbar_extension"} <= set(usual.coordinates)
    assert not {name for name in usual.coordinates if name.startswith("pelvis")}
    heavy = standing(2.5e5)
    assert len(heavy.warnings) == 1
    assert "% of the body" in heavy.warnings[0]


def test_slow_twitch_shares_by_name() -> None:
    shares, unknown = slow_twitch(("soleus_r", "soleus_l", "rect_fem_r", "recfem_l", "sart_r", "sart_l", "soleus"))
    np.testing.assert_array_equal(shares, [0.803, 0.803, 0.3865, 0.3865, 0.5, 0.5, 0.803])
    assert unknown == ("sart",)
    everything, _ = slow_twitch(tuple(m.name for m in load_body().muscles))
    assert ((everything > 0.3) & (everything < 0.9)).all()
