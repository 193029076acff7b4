import dataclasses

import numpy as np
import pytest

from monomsk.evaluation.demo import compare, read_result, table
from monomsk.io import grf, osim_write, results
from monomsk.io.body import load_body
from monomsk.types import Kinetics, Motion

MASS = 70.0


@pytest.fixture(scope="module")
def truth() -> Kinetics:
    body = load_body()
    names = tuple(c.name for c in body.coordinates)
    rotational = np.array([c.rotational for c in body.coordinates])
    time = np.arange(120) / 60.0
    random = np.random.default_rng(0)
    wave = np.sin(2 * np.pi * time[:, None] + random.uniform(0, 6, len(names))) * 0.3
    stands = np.stack([np.sin(2 * np.pi * time) > 0, np.sin(2 * np.pi * time) <= 0], -1)
    force = np.where(stands[..., None], [50.0, 700.0, 10.0], 0.0)
    zero = np.zeros((120, 2, 3))
    return Kinetics(time, names, rotational, wave, 50.0 * wave, ("calcn_r", "calcn_l"), force, zero, zero, stands)


def motion_of(kinetics: Kinetics) -> Motion:
    return Motion(kinetics.time, kinetics.names, kinetics.rotational, kinetics.q)


def test_the_truth_has_no_error(truth):
    comparison = compare(motion_of(truth), truth, truth, MASS)
    assert comparison.mean_angle < 1e-9
    assert comparison.mean_vertical < 1e-9
    assert comparison.stance == 100.0
    assert comparison.passes


def test_known_errors_are_told(truth):
    q = truth.q.copy()
    q[:, truth.names.index("knee_angle_l")] += np.radians(6.0)
    force = truth.force.copy()
    force[truth.contact[:, 0], 0, 1] += 0.2 * MASS * 9.80665
    tau = truth.tau.copy()
    tau[:, truth.names.index("ankle_angle_r")] -= 14.0
    wrong = dataclasses.replace(truth, q=q, force=force, tau=tau)
    comparison = compare(motion_of(wrong), wrong, truth, MASS)
    assert comparison.angle["knee_angle_l"] == pytest.approx(6.0)
    assert comparison.mean_angle == pytest.approx(1.0)
    assert comparison.vertical == pytest.approx({"r": 20.0, "l": 0.0})
    assert comparison.moment["ankle_angle_r"] == pytest.approx(0.2)
    assert comparison.mean_vertical == pytest.approx(10.0)
    assert comparison.passes
    worse = dataclasses.replace(comparison, vertical={"r": 30.0, "l": 1.0})
    assert not worse.passes


def test_other_times_are_compared_where_both_are(truth):
    early = dataclasses.replace(truth, time=truth.time - 0.5)
    found = compare(motion_of(truth), truth, early, MASS)
    same = compare(motion_of(early), early, early, MASS)
    assert found.mean_angle > 1.0
    assert same.mean_angle < 1e-9


def test_a_result_is_read_back(truth, tmp_path):
    osim_write.write(tmp_path / "model.osim", load_body())
    results.write_motion(tmp_path / "kinematics.mot", motion_of(truth))
    results.write_kinetics(tmp_path / "kinetics.sto", truth)
    grf.write(tmp_path / "grf.mot", truth)
    motion, kinetics = read_result(tmp_path)
    comparison = compare(motion, kinetics, truth, MASS)
    assert comparison.mean_angle < 1e-6
    assert max(comparison.moment.values()) < 1e-6
    assert comparison.stance == 100.0


def test_the_table_shows_promises(truth):
    from rich.console import Console

    console = Console(width=120, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    console.print(table(compare(motion_of(truth), truth, truth, MASS)))
    text = console.export_text()
    assert "≤ 8" in text
    assert "≤ 15" in text
