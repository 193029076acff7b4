"""Figures of forces against values computed by hand, and none for the truth."""

from dataclasses import replace

import numpy as np
import pytest

from datasets.motions import squatting
from monomsk.datasets.forces import MeasuredForces, case_of
from monomsk.evaluation import forces
from monomsk.evaluation.forces import LEG, WAYS, Score
from monomsk.types import Kinetics, Motion, Subject

RATE = 100.0
NAMES = ("pelvis_tilt", "pelvis_list", "pelvis_rotation", "pelvis_tx", "pelvis_ty", "pelvis_tz", *(f"{n}_{s}" for n in LEG for s in "rl"))


def kinetics(frames: int = 8, **moments: float) -> Kinetics:
    tau = np.zeros((frames, len(NAMES)))
    for name, value in moments.items():
        tau[:, NAMES.index(name)] = value
    still = np.zeros((frames, 2, 3))
    rotational = np.array([not n.startswith("pelvis_t") or n == "pelvis_tilt" for n in NAMES])
    return Kinetics(
        np.arange(frames) / RATE, NAMES, rotational, 0.0 * tau, tau, ("calcn_r", "calcn_l"), still, still, still, np.ones((frames, 2), bool)
    )


def standing(frames: int = 8, up: float = 400.0) -> MeasuredForces:
    force = np.zeros((frames, 2, 3))
    force[..., 1] = up
    known = np.ones((frames, 2), bool)
    return MeasuredForces(np.arange(frames) / RATE, force, 0.0 * force, 0.0 * force, known, known.all(1), mass=80.0, level=0.0)


def test_errors_of_forces_are_means_over_the_frames_asked_for_along_the_persons_axes() -> None:
    error = np.zeros((4, 2, 3))
    error[:, 0] = [3.0, -8.0, 4.0]
    error[:, 1] = 1e6
    frames = np.array([[True, False]] * 4)
    found = forces.force_errors(error, frames, np.tile(np.eye(3), (4, 1, 1)), 200.0)
    assert found == pytest.approx({"vertical": 4.0, "fore-aft": 1.5, "lateral": 2.0, "vector": 50.0 * np.sqrt(89.0) / 100.0})
    nobody = forces.force_errors(error, ~frames & False, np.tile(np.eye(3), (4, 1, 1)), 200.0)
    assert np.isnan(nobody["vertical"])


@pytest.mark.parametrize("turn", [0.0, 0.7, -np.pi / 2])
def test_forward_is_where_the_pelvis_faces(turn: float) -> None:
    q = np.zeros((60, 3))
    q[:, 1] = 0.1 * np.sin(np.arange(60))
    q[:, 2] = turn
    axes = forces.heading(Motion(np.arange(60) / RATE, NAMES[:3], np.ones(3, bool), q))
    np.testing.assert_allclose(axes[:, 0], np.tile([np.cos(turn), 0.0, -np.sin(turn)], (60, 1)), atol=0.02)
    np.testing.assert_allclose(np.cross(axes[:, 0], axes[:, 1]), axes[:, 2], atol=1e-9)


def test_centres_of_pressure_are_apart_along_the_floor() -> None:
    found = np.zeros((3, 2, 3))
    found[:, 0] = [0.03, 9.0, 0.04]
    assert forces.cop_error(found, 0.0 * found, np.array([[True, False]] * 3)) == pytest.approx(5.0)
    assert forces.cop_error(found, 0.0 * found, np.ones((3, 2), bool)) == pytest.approx(2.5)


def test_moments_count_where_their_own_foot_stands() -> None:
    frames = np.array([[True, False]] * 8)
    errors = forces.moment_errors(kinetics(knee_angle_r=-12.0, knee_angle_l=99.0, ankle_angle_r=4.0), kinetics(), frames, 1000.0)
    assert errors["knee_angle"] == pytest.approx(1.2)
    assert errors["ankle_angle"] == pytest.approx(0.4)
    assert errors["hip_flexion"] == 0.0


def test_the_peak_is_that_of_every_whole_contact() -> None:
    truth, found = kinetics(12), kinetics(12)
    i = NAMES.index("knee_angle_r")
    # Two contacts: frames 1 to 4 and 6 to 9; a third reaches the end of the clip and has no peak yet.
    truth.tau[[2, 8, 11], i] = [-50.0, -60.0, -10.0]
    found.tau[[4, 7, 11], i] = [-40.0, -62.0, -90.0]
    frames = np.zeros((12, 2), bool)
    frames[[1, 2, 3, 4, 6, 7, 8, 9, 11], 0] = True
    assert forces.peak_error(found, truth, frames, 100.0) == pytest.approx(6.0)
    assert np.isnan(forces.peak_error(found, truth, frames & False, 100.0))


def test_residuals_are_those_of_whole_frames() -> None:
    measured = standing()
    whole = np.arange(8) < 4
    found = kinetics(pelvis_tx=3.0, pelvis_ty=4.0, pelvis_list=2.0)
    found.tau[4:] = 1e5
    left = forces.residual(found, replace(measured, whole=whole), Subject(2.0, 80.0))
    assert left["residual force"] == pytest.approx(100.0 * 5.0 / 800.0)
    assert left["residual moment"] == pytest.approx(100.0 * 2.0 / (80.0 * 9.80665 * 2.0))
    assert np.isnan(forces.residual(found, replace(measured, whole=whole & False), Subject(2.0, 80.0))["residual force"])


def test_strikes_and_lifts_are_timed_between_frames() -> None:
    def step(first: float, last: float) -> np.ndarray:
        """Ramps of 10 ms to 40 N: 20 N are passed in the middle of the frames' intervals `first` and `last`."""
        frame = np.arange(60.0)
        return 40.0 * np.clip(frame - first, 0.0, 1.0) * np.clip(last + 1.0 - frame, 0.0, 1.0)

    measured = np.stack([step(10.0, 30.0), step(20.0, 40.0)], 1)
    found = np.stack([step(12.0, 29.0), np.zeros(60)], 1)
    known = np.ones((60, 2), bool)
    told = forces.timing(found, measured, known, np.arange(60) / RATE)
    assert told == pytest.approx({"strike": 20.0, "lift": 10.0, "missed": 50.0})
    known[35:, 1] = False
    assert forces.timing(found, measured, known, np.arange(60) / RATE)["missed"] == pytest.approx(100.0 / 3.0)


def test_people_weigh_the_same_however_many_trials_they_have() -> None:
    scores = [Score("A", str(i), "walking", {"cop": 1.0}) for i in range(3)]
    scores += [Score("B", "1", "walking", {"cop": 3.0}), Score("B", "2", "walking", {"cop": np.nan})]
    assert forces.by_person(scores) == {"cop": 2.0}
    assert np.isnan(forces.by_person([Score("A", "1", "walking", {"cop": np.nan})])["cop"])


@pytest.mark.parametrize(
    ("text", "kind"), [("run 2 m/s treadmill", "running"), ("walkingTI2", "walking"), ("DJAsym1", "landing"), ("static1", "static1")]
)
def test_activities_go_by_their_first_word(text: str, kind: str) -> None:
    assert forces.activity_of(text) == kind


def test_a_way_that_says_what_the_plates_say_has_no_error() -> None:
    case = case_of(squatting(), 1.75)
    found = WAYS["classic"](case)
    known = np.ones(found.contact.shape, bool)
    measured = MeasuredForces(found.time, found.force, found.cop, found.moment, known, known.all(1), case.subject.mass, 0.0)
    values = forces.judge(case, measured, found, found)
    exact = ("vertical", "fore-aft", "lateral", "vector", "total", "cop", "hip", "knee", "ankle", "moments")
    assert {name: values[name] for name in exact} == pytest.approx(dict.fromkeys(exact, 0.0), abs=1e-9)
    # Its feet stand still, and its forces are those of its motion.
    assert 0.0 <= values["slide"] < 10.0
    assert values["residual force"] < 2.0
    worse = forces.judge(case, measured, found, replace(found, force=1.1 * found.force, cop=found.cop + np.array([0.02, 0.0, 0.0])))
    weight = measured.mass * 9.80665
    stands = measured.force[..., 1] > forces.STANCE
    assert worse["vertical"] == pytest.approx(10.0 * measured.force[stands][:, 1].mean() / weight)
    assert worse["cop"] == pytest.approx(2.0)
