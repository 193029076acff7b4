"""The files of a result: read back, and taken by OpenSim's inverse dynamics."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from monomsk.errors import FormatError
from monomsk.io import external_loads, grf, osim_write, results, storage
from monomsk.io.body import load_body
from monomsk.types import Kinetics, Motion, MuscleActivity

FRAMES = 61


@pytest.fixture(scope="module")
def motion() -> Motion:
    coordinates = load_body().coordinates
    time = np.arange(FRAMES) / 60
    q = np.tile([coordinate.default for coordinate in coordinates], (FRAMES, 1))
    names = tuple(coordinate.name for coordinate in coordinates)
    for i, name in enumerate(("hip_flexion_r", "knee_angle_r", "ankle_angle_l")):
        q[:, names.index(name)] = 0.4 + 0.3 * np.sin((4 + i) * time)
    q[:, names.index("knee_angle_r_beta")] = q[:, names.index("knee_angle_r")]
    return Motion(time, names, np.array([coordinate.rotational for coordinate in coordinates]), q)


@pytest.fixture(scope="module")
def kinetics(motion: Motion) -> Kinetics:
    random = np.random.default_rng(3)
    force, cop, moment = (random.normal(size=(FRAMES, 2, 3)) * scale for scale in (100.0, 0.1, 1.0))
    tau = random.normal(size=motion.q.shape)
    contact = np.ones((FRAMES, 2), dtype=bool)
    return Kinetics(motion.time, motion.names, motion.rotational, motion.q, tau, ("calcn_r", "calcn_l"), force, cop, moment, contact)


def test_motion_round_trip(motion: Motion, tmp_path: Path) -> None:
    results.write_motion(tmp_path / "kinematics.mot", motion)
    back = results.read_motion(tmp_path / "kinematics.mot", load_body())
    np.testing.assert_allclose(back.q, motion.q, atol=1e-9)
    assert (back.names, back.warnings) == (motion.names, ())


def test_angles_are_degrees_in_the_file(motion: Motion, tmp_path: Path) -> None:
    results.write_motion(tmp_path / "kinematics.mot", motion)
    table = storage.read(tmp_path / "kinematics.mot")
    assert table.in_degrees
    knee, height, patella = (motion.names.index(name) for name in ("knee_angle_r", "pelvis_ty", "knee_angle_r_beta"))
    np.testing.assert_allclose(table.values[:, knee], np.rad2deg(motion.q[:, knee]), rtol=1e-8)
    # OpenSim leaves lengths and coupled coordinates as they are.
    np.testing.assert_allclose(table.values[:, [height, patella]], motion.q[:, [height, patella]], rtol=1e-8)


def test_paths_and_absent_coordinates(motion: Motion, tmp_path: Path) -> None:
    names = ("/jointset/walker_knee_r/knee_angle_r/value", "/jointset/walker_knee_r/knee_angle_r/speed")
    storage.write(tmp_path / "states.sto", storage.Table(motion.time, names, np.full((FRAMES, 2), 0.7)))
    back = results.read_motion(tmp_path / "states.sto", load_body())
    assert (back.q[:, back.names.index("knee_angle_r")] == 0.7).all()
    assert (back.q[:, back.names.index("pelvis_ty")] == 0.94).all()
    assert "hip_flexion_r" in back.warnings[0]


def test_a_file_without_coordinates_is_refused(motion: Motion, tmp_path: Path) -> None:
    storage.write(tmp_path / "a.mot", storage.Table(motion.time, ("heart_rate",), np.ones((FRAMES, 1))))
    with pytest.raises(FormatError, match="no coordinate of the model monomsk_body"):
        results.read_motion(tmp_path / "a.mot", load_body())
    storage.write(tmp_path / "a.mot", storage.Table(motion.time, ("hip_flexion_r",), np.full((FRAMES, 1), np.nan)))
    with pytest.raises(FormatError, match="hip_flexion_r is not a number at 0 s"):
        results.read_motion(tmp_path / "a.mot", load_body())


def test_ground_force_round_trip(kinetics: Kinetics, tmp_path: Path) -> None:
    grf.write(tmp_path / "grf.mot", kinetics)
    back = grf.read(tmp_path / "grf.mot")
    for name in ("force", "cop", "moment"):
        np.testing.assert_allclose(getattr(back, name), getattr(kinetics, name), atol=1e-6)
    table = storage.read(tmp_path / "grf.mot")
    np.testing.assert_allclose(table.column("ground_force_l_vy"), kinetics.force[:, 1, 1], atol=1e-6)
    np.testing.assert_allclose(table.column("ground_torque_r_z"), kinetics.moment[:, 0, 2], atol=1e-6)
    storage.write(tmp_path / "less.mot", storage.Table(table.time, table.names[:-1], table.values[:, :-1]))
    with pytest.raises(FormatError, match="ground_torque_l_z"):
        grf.read(tmp_path / "less.mot")


def test_muscle_files(tmp_path: Path) -> None:
    activity = MuscleActivity(
        np.arange(3) / 10, ("soleus_r",), np.full((3, 1), 0.5), np.full((3, 1), 900.0), ("knee_angle_r",), np.ones((3, 1))
    )
    results.write_activations(tmp_path / "a.sto", activity)
    results.write_muscle_forces(tmp_path / "f.sto", activity)
    assert storage.read(tmp_path / "a.sto").names == ("soleus_r",)
    forces = storage.read(tmp_path / "f.sto")
    assert forces.names == ("soleus_r", "knee_angle_r_reserve")
    np.testing.assert_array_equal(forces.values, [[900.0, 1.0]] * 3)


def test_opensim_does_inverse_dynamics_with_them(osim: Any, motion: Motion, kinetics: Kinetics, tmp_path: Path) -> None:
    osim_write.write(tmp_path / "model.osim", load_body())
    results.write_motion(tmp_path / "kinematics.mot", motion)
    results.write_kinetics(tmp_path / "kinetics.sto", kinetics)
    grf.write(tmp_path / "grf.mot", kinetics)
    external_loads.write(tmp_path / "external_loads.xml", "grf.mot", external_loads.ground_forces(kinetics.bodies))
    tool = osim.InverseDynamicsTool()
    tool.setModelFileName(str(tmp_path / "model.osim"))
    tool.setCoordinatesFileName(str(tmp_path / "kinematics.mot"))
    tool.setExternalLoadsFileName(str(tmp_path / "external_loads.xml"))
    tool.setResultsDir(str(tmp_path))
    tool.setOutputGenForceFileName("theirs.sto")
    tool.setStartTime(0.0)
    tool.setEndTime(1.0)
    assert tool.run()
    ours, theirs = storage.read(tmp_path / "kinetics.sto"), storage.read(tmp_path / "theirs.sto")
    assert sorted(ours.names) == sorted(theirs.names)
    # The sum of the vertical forces is there: mass times gravity, less what the two feet carry.
    vertical = load_body().mass * 9.80665 - kinetics.force[:, :, 1].sum(axis=1)
    np.testing.assert_allclose(theirs.column("pelvis_ty_force").mean(), vertical.mean(), rtol=0.02)
