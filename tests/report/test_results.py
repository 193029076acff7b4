"""The files of a trial: all of them, with the figures that went in."""

import json
import os
import re
import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from monomsk.config import Config
from monomsk.errors import OutputError
from monomsk.io import external_loads, keypoints_npz, osim_read, results, storage
from monomsk.outside_loads import AppliedForce, Placing
from monomsk.report import page as report_page
from monomsk.report.folder import FILES
from monomsk.report.page import page
from monomsk.report.results import write_results
from monomsk.report.summary import summary
from monomsk.types import Candidate, Trial
from report import synthetic


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Trial:
    return synthetic.trial(synthetic.write_video(tmp_path_factory.mktemp("video") / "walk & <turn>.mp4"))


@pytest.fixture(scope="module")
def folder(trial: Trial, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("results") / "out"
    write_results(trial, out, Config(), command=["run", str(Path.home() / "films/walk.mp4"), "--height", "1.75"])
    return out


@pytest.fixture(scope="module")
def html(folder: Path) -> str:
    return (folder / "report.html").read_text(encoding="utf-8")


def data_of(html: str) -> dict:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', html, re.DOTALL)
    assert found
    return json.loads(found.group(1))


def test_every_file_is_written(folder: Path) -> None:
    assert {path.name for path in folder.iterdir()} == set(FILES)


def test_stages_not_done_have_no_files(trial: Trial, tmp_path: Path) -> None:
    early = replace(trial, body=None, motion=None, kinetics=None, muscles=None, loads=None, energetics=None)
    names = write_results(early, tmp_path / "out", Config(), report=False)
    assert set(names) == {"keypoints.npz", "markers.trc", "summary.json", "config.toml", "provenance.json"}


def test_tables_hold_the_trial(folder: Path, trial: Trial) -> None:
    assert trial.motion is not None
    assert trial.keypoints is not None
    assert trial.kinetics is not None
    body = osim_read.read(folder / "model.osim")
    motion = results.read_motion(folder / "kinematics.mot", body)
    np.testing.assert_allclose(motion.q, trial.motion.q, atol=1e-6)
    np.testing.assert_array_equal(keypoints_npz.read(folder / "keypoints.npz").xy, trial.keypoints.xy)
    kinetics = storage.read(folder / "kinetics.sto")
    np.testing.assert_allclose(
        kinetics.column("knee_angle_r_moment"), trial.kinetics.tau[:, trial.motion.names.index("knee_angle_r")], atol=1e-6
    )


def test_standard_deviations_have_files_of_their_own_and_bands(folder: Path, html: str) -> None:
    names = ("kinematics", "kinetics", "grf")
    angles, moments, forces = (storage.read(folder / f"{name}_sd.sto") for name in names)
    np.testing.assert_allclose(angles.column("knee_angle_r"), np.degrees(0.05))
    np.testing.assert_allclose(moments.column("knee_angle_r_moment"), 7.0)
    np.testing.assert_allclose(forces.column("ground_force_l_vy"), 35.0)
    (up,) = (chart for chart in data_of(html)["charts"] if chart["title"] == "Vertical")
    band = np.array(up["curves"][0]["high"]) - np.array(up["curves"][0]["low"])
    np.testing.assert_allclose(band, 2.0 * 3500.0 / (70.0 * 9.80665), rtol=1e-2)
    told = json.loads((folder / "summary.json").read_text())["mean_sd"]
    assert told["moments_nm_per_kg"]["knee_angle_r"] == pytest.approx(0.1)
    assert told["ground_force_bw"]["left"] == pytest.approx([0.05099] * 3)
    assert told["angles_deg"]["hip_flexion_r"] == pytest.approx(2.865)


def test_where_measured_forces_lie_is_told(trial: Trial, tmp_path: Path) -> None:
    assert trial.kinetics is not None
    measured = np.zeros(trial.kinetics.contact.shape, bool)
    measured[:60, 1] = True
    placing = Placing(0.0, "not given", np.pi / 2, "feet", (1.0, 0.0, -2.0), "feet", 0.02, 0.95)
    time = trial.kinetics.time
    grip = AppliedForce("grip", "hand_r", time, *(np.full((len(time), 3), v) for v in (1.0, 2.0, 3.0)), "hand_r")
    known = replace(trial, kinetics=replace(trial.kinetics, measured=measured, placing=placing, outside=(grip,)))
    write_results(known, tmp_path / "out", Config())
    for name in ("summary.json", "provenance.json"):
        told = json.loads((tmp_path / "out" / name).read_text())["external_loads"]
        assert (told["offset_s"], told["offset_from"], told["turn_deg"], told["turn_from"]) == (0.0, "not given", 90.0, "feet")
        assert told["measured_fraction"] == {"right": 0.0, "left": 0.5}
    assert "on the left one in 50 %" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    (again,) = (f for f in external_loads.read_applied(tmp_path / "out" / "external_loads.xml") if f.name == "grip")
    assert (again.body, again.force_frame, again.point_frame) == ("hand_r", "hand_r", "ground")
    np.testing.assert_array_equal(again.torque, 3.0)


def test_report_tells_power_and_what_it_leaves_out(html: str) -> None:
    assert "Metabolic power is 5.2 W/kg on average: 1.2 W/kg" in html
    assert "taken as half, for want of a figure, in: psoas, sart." in html
    (burnt,) = (chart for chart in data_of(html)["charts"] if chart["title"] == "Metabolic power")
    assert burnt["curves"][0]["y"][0] == pytest.approx(5.2)


def test_summary_holds_the_main_figures(folder: Path, trial: Trial) -> None:
    content = json.loads((folder / "summary.json").read_text())
    assert content["subject"] == {"height_m": 1.75, "mass_kg": 70.0, "sex": "f"}
    assert content["clip"]["frames"] == synthetic.COUNT
    assert content["camera"]["tilt_deg"] == pytest.approx(0.0)
    assert content["angles_deg"]["knee_angle_r"]["max"] == pytest.approx(np.degrees(1.0), rel=1e-3)
    assert content["ground_force_bw"]["peak_vertical"]["right"] == pytest.approx(400 / (70 * 9.80665), rel=1e-3)
    assert content["quality"]["kinematics"]["reprojection_px"] == 4.123
    burnt = content["energy"]["metabolic_power_w_per_kg"]
    assert (burnt["basal"], burnt["muscles_of_the_model"], burnt["whole_body"]) == (1.2, 4.0, 5.2)
    work = content["energy"]["joint_work_j_per_kg"]
    assert work["knee_angle_l"] == {"positive": 0.0, "negative": pytest.approx(-0.5 * 119 / 60, rel=1e-3)}
    # Half a sine a second, two seconds.
    assert work["knee_angle_r"]["positive"] == pytest.approx(2.0 / np.pi, rel=0.02)
    assert content["quality"]["keypoints"]["frames_seen_fraction"] == pytest.approx(110 / 120, rel=1e-3)
    assert content["quality"]["kinetics"] == {"residual_force_bw": 0.04, "share_of_nothing": None}
    assert content["warnings"] == list(trial.warnings)


def test_summary_of_an_early_end_is_valid(trial: Trial) -> None:
    content = summary(replace(trial, motion=None, kinetics=None, muscles=None))
    assert "angles_deg" not in content
    assert "ground_force_bw" not in content


def test_config_comes_back(folder: Path) -> None:
    assert tomllib.loads((folder / "config.toml").read_text())["subject"]["mass"] == 70.0


def test_provenance_tells_how(folder: Path, trial: Trial) -> None:
    account = json.loads((folder / "provenance.json").read_text())
    assert trial.clip is not None
    assert account["sha256"][trial.clip.path.name]
    assert len(account["sha256"]["pose_landmark_full.tflite"]) == 64
    assert account["packages"]["numpy"] == np.__version__
    assert account["seconds"]["kinematics"] == 9.1
    assert account["seconds"]["report"] > 0
    assert set(account["files"]) == set(FILES)
    assert account["command"] == "monomsk run ~/films/walk.mp4 --height 1.75"
    assert str(Path.home()) not in (folder / "provenance.json").read_text()


def test_the_report_needs_nothing_else(html: str) -> None:
    assert "Plotly" in html
    own = html.replace(report_page._plotly(), "")
    assert not re.search(r'(?:src|href)="(?:https?:)?//', own)
    assert "@import" not in own
    assert own.count("data:image/jpeg;base64,") == 4


def test_what_people_typed_is_escaped(html: str) -> None:
    assert "walk &amp; &lt;turn&gt;.mp4" in html
    assert "<turn>" not in html.replace(report_page._plotly(), "")


def test_warnings_come_before_the_curves(html: str) -> None:
    assert html.index("may be off by 7 %") < html.index('id="angles"')


def test_charts_are_in_the_units_they_say(html: str) -> None:
    charts = {(chart["title"], chart["unit"]): chart for chart in data_of(html)["charts"]}
    knee = charts["Knee flexion", "°"]
    assert [curve["name"] for curve in knee["curves"]] == ["right", "left"]
    assert max(knee["curves"][0]["y"]) == pytest.approx(np.degrees(1.0), rel=1e-3)
    assert max(charts["Vertical", "% BW"]["curves"][0]["y"]) == pytest.approx(100 * 400 / (70 * 9.80665), rel=1e-3)
    assert max(charts["Knee", "% BW"]["curves"][0]["y"]) == pytest.approx(100 * 2300 / (70 * 9.80665), rel=1e-3)
    assert max(charts["Knee flexion", "N·m/kg"]["curves"][0]["y"]) < 1.0
    assert all(len(curve["y"]) == synthetic.COUNT for chart in charts.values() for curve in chart["curves"])


def test_every_chart_has_its_place(html: str) -> None:
    assert [int(i) for i in re.findall(r'data-chart="(\d+)"', html)] == list(range(len(data_of(html)["charts"])))


def test_sections_of_stages_not_done_are_left_out(trial: Trial) -> None:
    html = page(replace(trial, kinetics=None, muscles=None))
    assert 'id="angles"' in html
    assert 'id="moments"' not in html
    assert 'id="muscles"' not in html
    html = page(replace(trial, motion=None, kinetics=None, muscles=None))
    assert 'id="angles"' not in html
    assert 'id="pictures"' in html


def test_numbers_that_json_does_not_know(trial: Trial) -> None:
    assert trial.motion is not None
    q = trial.motion.q.copy()
    q[3] = np.nan
    html = page(replace(trial, motion=replace(trial.motion, q=q)))
    assert data_of(html)["charts"][0]["curves"][0]["y"][3] is None


def test_a_video_that_has_gone_leaves_the_pictures_out(trial: Trial, tmp_path: Path) -> None:
    assert trial.clip is not None
    html = page(replace(trial, clip=replace(trial.clip, path=tmp_path / "gone.mp4")))
    assert 'id="pictures"' not in html


def test_others_in_the_picture_are_numbered(trial: Trial) -> None:
    assert trial.keypoints is not None
    pair = (Candidate(1, 0.5, (20.0, 30.0, 60.0, 150.0), followed=False), Candidate(2, 0.5, (150.0, 30.0, 60.0, 150.0), followed=True))
    html = page(replace(trial, keypoints=replace(trial.keypoints, candidates=pair), motion=None, kinetics=None, muscles=None))
    assert re.findall(r'font-weight="700">(\d)</text>', html) == ["1", "2"]
    assert "--person" in html
    assert "--person" not in page(replace(trial, motion=None, kinetics=None, muscles=None)).replace(report_page._plotly(), "")


def test_a_failing_writer_leaves_nothing(trial: Trial, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(path: Path, muscles: object) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(results, "write_muscle_forces", fail)
    with pytest.raises(OutputError, match="disk is full"):
        write_results(trial, tmp_path / "out", Config())
    assert not (tmp_path / "out").exists()
