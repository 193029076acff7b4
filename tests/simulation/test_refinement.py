"""Motion and forces that do not agree are made to: in flight, on both feet, and where nothing can make them."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter1d

from monomsk.simulation import linearised, quality
from monomsk.simulation.refinement import Refined, refine, search
from monomsk.simulation.spline import along
from monomsk.types import Kinetics, Motion, Subject
from simulation.stander import HEIGHT, WEIGHT, model, rotational, spec

RATE, FRAMES = 60.0, 48
TIME = np.arange(FRAMES) / RATE
SUBJECT = Subject(height=1.75, mass=50.0)
NAMES = tuple(c.name for c in spec().coordinates)
TY = NAMES.index("pelvis_ty")


def shaken(q: np.ndarray, seed: int = 0) -> Motion:
    """The motion with errors of a few degrees and millimetres that last for a tenth of a second."""
    noise = gaussian_filter1d(np.random.default_rng(seed).normal(size=q.shape), 6.0, axis=0)
    size = np.where(rotational(), np.radians(1.0), 0.004)
    return Motion(TIME, NAMES, rotational(), q + size * noise / noise.std(), sigma=np.tile(np.where(rotational(), 0.05, 0.02), (FRAMES, 1)))


def given(motion: Motion, load: float) -> Kinetics:
    """Each foot carries `load` [N], upwards, below the middle of its sole."""
    force, cop = np.zeros((FRAMES, 2, 3)), np.zeros((FRAMES, 2, 3))
    force[..., 1] = load
    cop[:, :, 0], cop[:, 0, 2], cop[:, 1, 2] = motion.q[:, [3]] + 0.02, 0.1, -0.1
    return Kinetics(
        TIME, NAMES, rotational(), motion.q, 0.0 * motion.q, ("leg_r", "leg_l"), force, cop, 0.0 * force, force[..., 1] > 0.0
    )  # fmt: skip


def at_first(found: Refined, kinetics: Kinetics) -> Kinetics:
    """What was given, with the moments that it asks for."""
    wrench = np.concatenate([np.cross(kinetics.cop, kinetics.force), kinetics.force], axis=-1)
    legs = tuple(model().body(b) for b in kinetics.bodies)
    tau, _, _ = linearised.joint_forces(model(), legs, found.task.place, found.task.target, wrench)
    return replace(kinetics, tau=tau)


@pytest.fixture(scope="module")
def standing() -> tuple[Refined, Kinetics]:
    q = np.zeros((FRAMES, len(NAMES)))
    q[:, TY] = HEIGHT
    motion = shaken(q)
    kinetics = given(motion, 0.5 * WEIGHT)
    found = search(motion, kinetics, spec(), SUBJECT)
    return found, at_first(found, kinetics)


def test_nothing_is_missing_at_the_root_of_somebody_who_stands(standing: tuple[Refined, Kinetics]) -> None:
    found, before = standing
    after = quality.forces(found.kinetics, model().root, SUBJECT)
    first = quality.forces(before, model().root, SUBJECT)
    assert first["residual_force_rms_percent_peak_grf"] > 5.0
    assert after["residual_force_rms_percent_peak_grf"] < 0.3
    assert after["residual_moment_rms_percent_bw_height"] < 0.3
    assert found.trouble == ""
    assert found.answer.settled


def test_soles_slide_less_than_they_did(standing: tuple[Refined, Kinetics]) -> None:
    found, before = standing
    rates = along(found.task.spline, found.answer.points, TIME), found.task.target
    after, first = (quality.contact(model(), k, r[1], WEIGHT)["sliding"] for k, r in zip((found.kinetics, before), rates, strict=True))
    assert after < 0.6 * first


def test_forces_push_inside_their_cone(standing: tuple[Refined, Kinetics]) -> None:
    force = standing[0].answer.force
    assert force[..., 1].min() > -0.002 * WEIGHT
    whole = standing[0].kinetics.force
    assert (np.linalg.norm(whole[..., [0, 2]], axis=-1) < 0.81 * whole[..., 1] + 1.0).all()


def test_the_forces_make_the_motion_through_the_differential_equation(standing: tuple[Refined, Kinetics]) -> None:
    found, before = standing
    rate = along(found.task.spline, found.answer.points, TIME)[1]
    after = quality.window_errors(model(), found.kinetics, rate)
    first = quality.window_errors(model(), before, found.task.target[1])
    assert after["window_angle_error"] < 0.05
    assert after["window_pelvis_error"] < 0.2
    assert first["window_pelvis_error"] > 2.0


def test_who_flies_falls_as_gravity_says() -> None:
    q = np.zeros((FRAMES, len(NAMES)))
    q[:, TY] = HEIGHT + 0.3 + 3.0 * TIME - 0.5 * 9.80665 * TIME**2
    motion = shaken(q, 1)
    kinetics = given(motion, 0.0)
    found = search(motion, kinetics, spec(), SUBJECT)
    rate = along(found.task.spline, found.answer.points, TIME)[1]
    assert quality.contact(model(), at_first(found, kinetics), found.task.target[1], WEIGHT)["flight"] > 0.3
    assert quality.contact(model(), found.kinetics, rate, WEIGHT)["flight"] < 0.02
    assert np.isnan(quality.contact(model(), found.kinetics, rate, WEIGHT)["sliding"])


def test_what_cannot_agree_stays_and_is_told() -> None:
    """Somebody hangs in the air, and nothing is said to hold them."""
    q = np.zeros((FRAMES, len(NAMES)))
    q[:, TY] = HEIGHT
    motion = shaken(q, 2)
    kinetics = given(motion, 0.0)
    same, told = refine(motion, kinetics, spec(), SUBJECT)
    assert same is motion
    assert "left as they are" in told.warnings[-1]
    np.testing.assert_array_equal(told.force, kinetics.force)
