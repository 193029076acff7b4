"""`monomsk run` from end to end on the demo's walker, his keypoints given, so that no picture has to be looked at."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from monomsk.cli.main import main
from monomsk.io import keypoints_npz, storage
from monomsk.report.folder import FILES
from video.movies import write_movie
from walker import CAMERA, RATE, seen_walker

FRAMES = 120


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The result folder of one run; its forces are the classic way's, whose moments OpenSim finds again."""
    place = tmp_path_factory.mktemp("way")
    _, _, keypoints, _, _ = seen_walker(FRAMES, noise=2.0, depth_error=0.05)
    keypoints_npz.write(place / "keypoints.npz", replace(keypoints, source="test"))
    rng = np.random.default_rng(0)
    wall = np.kron(rng.integers(40, 200, (64, 36, 1), np.uint8), np.ones((20, 20, 3), np.uint8))
    write_movie(place / "walk.mp4", [wall] * FRAMES, np.arange(FRAMES) / RATE)
    words = ["run", str(place / "walk.mp4"), "--height", "1.75", "--mass", "72", "--out", str(place / "out")]
    words += ["--keypoints", str(place / "keypoints.npz"), "--format", "npz", "--focal", str(CAMERA.focal[0])]
    words += ["--kinetics", "classic"]
    assert main(words) == 0
    return place / "out"


def test_every_file_is_there(folder: Path) -> None:
    assert {p.name for p in folder.iterdir()} == set(FILES)


def test_the_knee_bends_as_it_did(folder: Path) -> None:
    truth, *_ = seen_walker(FRAMES, noise=2.0, depth_error=0.05)
    table = storage.read(folder / "kinematics.mot")
    for side in "rl":
        error = table.column(f"knee_angle_{side}") - np.degrees(truth.q[:, truth.names.index(f"knee_angle_{side}")])
        assert np.abs(error).mean() < 8.0


def test_the_ground_carries_the_weight(folder: Path) -> None:
    table = storage.read(folder / "grf.mot")
    vertical = table.column("ground_force_r_vy") + table.column("ground_force_l_vy")
    assert vertical.mean() == pytest.approx(72 * 9.80665, rel=0.05)


def test_the_summary_tells_what_was_assumed(folder: Path) -> None:
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    assert summary["subject"] == {"height_m": 1.75, "mass_kg": 72.0, "sex": None}
    assert summary["camera"]["focal_source"] == "user"
    assert summary["quality"]["kinematics"]["reprojection_share_of_height"] < 0.02


def test_muscles_explain_the_moments(folder: Path) -> None:
    forces, activations = (storage.read(folder / f"muscle_{what}.sto") for what in ("forces", "activations"))
    assert activations.values.min() >= 0.0
    assert activations.values.max() <= 1.0 + 1e-6
    for side in "rl":
        assert np.abs(forces.column(f"ankle_angle_{side}_reserve")).max() < 5.0
        assert 500.0 < forces.column(f"soleus_{side}").max() < 6000.0


def test_opensim_opens_the_files_and_finds_the_same_moments(folder: Path, tmp_path: Path) -> None:
    opensim = pytest.importorskip("opensim")
    opensim.Logger.setLevelString("Error")
    model = opensim.Model(str(folder / "model.osim"))
    assert model.getTotalMass(model.initSystem()) == pytest.approx(72.0, abs=1e-3)
    assert opensim.TimeSeriesTableVec3(str(folder / "markers.trc")).getNumColumns() == 66
    ours = storage.read(folder / "kinetics.sto")
    tool = opensim.InverseDynamicsTool()
    tool.setModel(model)
    tool.setCoordinatesFileName(str(folder / "kinematics.mot"))
    tool.setExternalLoadsFileName(str(folder / "external_loads.xml"))
    tool.setLowpassCutoffFrequency(6.0)
    tool.setStartTime(float(ours.time[0]))
    tool.setEndTime(float(ours.time[-1]))
    muscles = opensim.ArrayStr()
    muscles.append("Muscles")
    tool.setExcludedForces(muscles)
    tool.setResultsDir(str(tmp_path))
    tool.setOutputGenForceFileName("id.sto")
    assert tool.run()
    theirs = storage.read(tmp_path / "id.sto")
    for joint in ("hip_flexion", "hip_adduction", "hip_rotation", "knee_angle", "ankle_angle"):
        for side in "rl":
            name = f"{joint}_{side}_moment"
            error = np.interp(ours.time, theirs.time, theirs.column(name)) - ours.column(name)
            assert np.sqrt(np.mean(error**2)) < 2.0, name
