"""Plates under a made-up squat, whose forces its own motion tells."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from datasets.motions import marker_places, squatting, write_table, write_trial
from monomsk.datasets import corpus, laboratory
from monomsk.datasets.forces import MOMENT_CUTOFF, Case, MeasuredForces, case_of, lacking, measure, needed, read_case, reference
from monomsk.datasets.laboratory import Plates
from monomsk.datasets.plates import Soles
from monomsk.errors import FormatError, InputError

SHIFT = np.array([0.8, 0.03, -0.4])
BEGIN = 5.0


@cache
def case() -> Case:
    return case_of(squatting(), 1.75)


@cache
def plates(share: float = 0.4) -> Plates:
    """A plate under each foot, in a laboratory that lies elsewhere; the right foot carries a `share`."""
    feet, state, _ = needed(case(), MOMENT_CUTOFF)
    middle = Soles(state.point, feet.foot).middle() * [1.0, 0.0, 1.0]
    force = state.wrench[:, None, 3:] * np.array([share, 1.0 - share])[:, None]
    cop = middle + np.array([0.02, 0.0, 0.0]) - SHIFT * [1.0, 0.0, 1.0]
    moment = np.zeros_like(force)
    moment[..., 1] = 3.0
    return Plates(BEGIN + squatting().time, force, cop, moment)


def measured(these: Plates) -> MeasuredForces:
    return measure(case(), these, np.tile([SHIFT[0], 0.0, SHIFT[2]], (len(squatting().time), 1)), BEGIN)


def test_both_feet_are_known_and_the_forces_are_the_plates() -> None:
    found, truth = measured(plates()), plates()
    inner = slice(10, -10)
    assert found.known.all()
    assert found.whole.all()
    weight = found.mass * 9.80665
    assert np.abs(found.force - truth.force)[inner].max() < 0.01 * weight
    np.testing.assert_allclose(found.cop[inner], (truth.cop + SHIFT * [1.0, 0.0, 1.0])[inner], atol=0.003)
    np.testing.assert_allclose(found.moment[inner][..., 1], 3.0, atol=0.3)
    assert found.level == pytest.approx(0.0, abs=1e-3)
    np.testing.assert_allclose(found.wrench[..., :3], np.cross(found.cop, found.force) + found.moment)


def test_a_step_beside_the_plate_is_not_known() -> None:
    full = plates()
    hidden = np.array([1.0, 0.0])[:, None] * full.force
    found = measured(Plates(full.time, hidden, full.cop, full.moment))
    assert found.known[:, 0].all()
    assert not found.known[:, 1].any()
    assert not found.whole.any()
    assert (found.force[:, 1] == 0.0).all()


def test_what_the_plates_lack_is_counted_in_body_weights() -> None:
    _, state, rate = needed(case(), MOMENT_CUTOFF)
    lack, most = lacking(0.6 * plates().force, state, case().subject.mass * 9.80665, rate)
    assert (lack > most).mean() > 0.9
    assert lack.mean() == pytest.approx(0.4, abs=0.02)


def test_nobody_who_is_held_by_something_else_is_without_forces() -> None:
    """High above the plates, on a box: both feet are in the air as far as the plates know, and yet carry the person."""
    lifted = squatting().q.copy()
    lifted[:, squatting().names.index("pelvis_ty")] += 0.3
    boxed = case()
    boxed = replace(boxed, motion=replace(boxed.motion, q=lifted.astype(float)))
    empty = plates()
    found = measure(boxed, Plates(empty.time, 0.0 * empty.force, empty.cop, empty.moment), np.zeros((len(lifted), 3)), BEGIN)
    assert not found.known.any()
    assert not found.whole.any()


def test_reference_moments_are_those_of_motion_and_plates() -> None:
    truth = reference(case(), measured(plates()))
    assert truth.quality["residual_force_rms_percent_peak_grf"] < 1.0
    feet, state, _ = needed(case(), MOMENT_CUTOFF)
    # By hand: the moments without a ground, less those of the wrench of each plate through its foot's Jacobian.
    wrench = measured(plates()).wrench
    by_hand = state.tau - np.einsum("tfqi,tfi->tq", state.jacobian, wrench)
    inner = slice(20, -20)
    knees = [truth.names.index(f"knee_angle_{side}") for side in "rl"]
    assert np.abs(truth.tau[:, knees]).max() > 20.0
    np.testing.assert_allclose(truth.tau[inner][:, knees], by_hand[inner][:, knees], atol=3.0)
    assert truth.bodies == feet.bodies


def test_a_trial_is_read_with_its_clip(tmp_path: Path) -> None:
    root, folder = tmp_path / "kinetics", tmp_path / "corpus"
    clip = squatting()
    o = clip.origin
    row = {"file": "dev/t.npz", "person": o.person, "trial": o.name, "source": o.source, "split": "dev", "model": ""}
    write_table(root, [row, {**row, "trial": "another"}])
    full = plates()
    arrays = {"force": full.force, "cop": full.cop, "moment": full.moment}
    start = np.array([0.0, clip.rate, len(clip.time)])
    write_trial(root / "dev/t.npz", marker_places() - SHIFT, clip.rate, force_time=start, **arrays)
    first, second = laboratory.read_table(root / "trials.csv")
    corpus.write_clip(folder, squatting_of_mass(70.0), "by hand")
    found, forces = read_case(folder, root, first)
    assert found.distance < 0.003
    assert forces.known.mean() > 0.95
    # The plates lie where the shift says, at the height of the laboratory's floor in the clip.
    assert forces.level == pytest.approx(SHIFT[1], abs=0.005)
    feet, state, _ = needed(found, MOMENT_CUTOFF)
    middle = Soles(state.point, feet.foot).middle()
    np.testing.assert_allclose((forces.cop - middle)[20:-20][..., 0], 0.02, atol=0.01)
    with pytest.raises(FormatError, match="no clip of"):
        read_case(folder, root, second)


def squatting_of_mass(mass: float) -> corpus.MotionClip:
    return replace(squatting(), mass=mass)


def test_without_a_mass_there_are_no_forces() -> None:
    with pytest.raises(InputError, match="mass"):
        case_of(squatting_of_mass(float("nan")), 1.75)
