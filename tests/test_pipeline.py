"""The way is walked in order, as far as asked, and nothing that a stage says gets lost."""

import pickle
from dataclasses import replace
from html import escape
from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from monomsk import pipeline
from monomsk.config import Config, KeypointsConfig, KinematicsConfig, LoadsConfig, MeshConfig, SimulationConfig, Stage
from monomsk.errors import FormatError, InputError, KeypointError
from monomsk.io import keypoints_npz
from monomsk.io.body import load_anatomy, load_body
from monomsk.io.mesh_files import read_mesh
from monomsk.markers.skel import with_angles
from monomsk.mesh_track import SKEL_ANGLES
from monomsk.report.page import page
from monomsk.report.summary import summary
from monomsk.types import Clip, Keypoints, Motion, Progress, Subject, Trial
from monomsk.video import read_clip
from muscles.test_static_optimization import bent
from pendulums import odd_elbow
from report import synthetic
from walker import CAMERA, seen_walker

SUBJECT = Subject(1.75, 70.0)


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return synthetic.write_video(tmp_path_factory.mktemp("video") / "walk.mp4")


@pytest.fixture
def walked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Stages that only say that they were there."""
    names: list[str] = []

    def stand_in(stage: Stage):
        def walk(trial: Trial, config: Config, progress: Progress) -> Trial:
            names.append(stage)
            progress(0.5)
            return replace(trial, warnings=(f"{stage} warns", "all warn"))

        return walk

    monkeypatch.setattr(pipeline, "_WAY", {stage: stand_in(stage) for stage in pipeline.STAGES[:-1]})
    return names


def test_stages_are_those_of_the_design() -> None:
    assert pipeline.STAGES == ("keypoints", "markers", "kinematics", "kinetics", "simulation", "muscles", "report")
    assert tuple(pipeline._WAY) == pipeline.STAGES[: len(pipeline._WAY)]


@pytest.mark.parametrize("until", pipeline.STAGES)
def test_the_way_ends_where_asked(video: Path, walked: list[str], until: Stage) -> None:
    trial = pipeline.analyze(read_clip(video), SUBJECT, until=until)
    there = list(pipeline.STAGES[: pipeline.STAGES.index(until) + 1])
    assert walked == [stage for stage in there if stage != "report"]
    assert list(trial.seconds) == walked


def test_warnings_of_all_stages_are_kept_once(video: Path, walked: list[str]) -> None:
    clip = replace(read_clip(video), warnings=("the clip warns",))
    trial = pipeline.analyze(clip, SUBJECT, until="markers")
    assert trial.warnings == ("the clip warns", "keypoints warns", "all warn", "markers warns")


def test_a_doubtful_mass_is_a_warning(video: Path, walked: list[str]) -> None:
    trial = pipeline.analyze(read_clip(video), Subject(1.75, 145.0), until="keypoints")
    assert trial.warnings[0] == "mass 145 kg with height 1.75 m gives BMI 47: if that is pounds, write 65.8"


@pytest.mark.parametrize(("way", "asked"), [("none", False), ("refined", True)])
def test_motion_and_forces_are_refined_where_that_is_asked_for(way: Literal["none", "refined"], asked: bool, monkeypatch) -> None:
    forces = bent(-8.0)
    motion = Motion(forces.time, forces.names, forces.rotational, forces.q)
    better = replace(motion, q=motion.q + 0.1), replace(forces, warnings=("refined",))
    monkeypatch.setattr(pipeline, "refine", lambda *given: better)
    before = Trial(SUBJECT, body=odd_elbow(), motion=motion, kinetics=forces)
    trial = pipeline._WAY["simulation"](before, Config(simulation=SimulationConfig(way)), lambda done: None)
    assert (trial.motion, trial.kinetics) == (better if asked else (motion, forces))
    assert trial.warnings == (("refined",) if asked else ())


def test_odd_muscles_are_told_in_the_report_and_the_summary() -> None:
    forces = replace(bent(-8.0), bodies=("ulna", "ulna"))
    trial = pipeline._WAY["muscles"](Trial(SUBJECT, body=odd_elbow(), kinetics=forces), Config(), lambda done: None)
    said = (
        "muscles cannot supply the moment at flexion: ",
        "stuck unable to bend around pulley: the path starts inside of it, at 0.00–0.18 s",
        "gone without a path (fewer than two of its points are on it), at 0.00–0.18 s",
    )
    assert len(trial.warnings) == len(said)
    assert all(line.startswith(text) for line, text in zip(trial.warnings, said, strict=True))
    assert summary(trial)["warnings"] == list(trial.warnings)
    html = page(trial, ())
    assert all(escape(line) in html for line in trial.warnings)


def test_progress_begins_and_ends_every_stage(video: Path, walked: list[str]) -> None:
    told: list[tuple[str, float]] = []
    pipeline.analyze(read_clip(video), SUBJECT, until="markers", progress=lambda stage, done: told.append((stage, done)))
    assert told == [(stage, done) for stage in ("keypoints", "markers") for done in (0.0, 0.5, 1.0)]


def test_recorded_keypoints_become_markers_in_the_ground_frame(video: Path, tmp_path: Path) -> None:
    clip = read_clip(video)
    # A standing person 4 m before the lens, drawn by hand: metres right of and below the camera axis.
    places = {"shoulder": (0.18, -0.45), "elbow": (0.22, -0.15), "wrist": (0.24, 0.1), "hip": (0.1, 0.05), "knee": (0.1, 0.48),
              "ankle": (0.1, 0.9), "heel": (0.1, 0.97), "big_toe": (0.14, 0.97)}  # fmt: skip
    names = tuple(f"{part}_{side}" for part in places for side in "rl")
    focal = 0.73 * max(clip.size)
    metres = np.array([(-x if name.endswith("_r") else x, y) for part, (x, y) in places.items() for name in (f"{part}_r", f"{part}_l")])
    xy = np.tile(metres / 4.0 * focal + 0.5 * np.array(clip.size), (len(clip.time), 1, 1))
    keypoints_npz.write(tmp_path / "standing.npz", synthetic.Keypoints(clip.time, names, xy, np.full(xy.shape[:2], 1.0)))
    config = Config(keypoints=KeypointsConfig(keypoints=tmp_path / "standing.npz"))

    trial = pipeline.analyze(clip, SUBJECT, config, until="markers")

    assert trial.markers is not None
    assert trial.motion is None
    height = dict(zip(trial.markers.names, trial.markers.xyz[len(clip.time) // 2, :, 1], strict=True))
    assert height["shoulder_r"] > height["hip_r"] > height["knee_r"] > height["ankle_r"] > -0.05
    assert height["shoulder_r"] - height["ankle_r"] == pytest.approx(1.35, abs=0.15)


def test_recorded_keypoints_of_no_known_format(video: Path, tmp_path: Path) -> None:
    config = Config(keypoints=KeypointsConfig(keypoints=tmp_path, format="nonsense"))
    with pytest.raises(KeypointError, match="nonsense"):
        pipeline.analyze(read_clip(video), SUBJECT, config)


def test_a_mesh_takes_the_place_of_guessed_depth(tmp_path: Path) -> None:
    _, truth, keypoints, R, p = seen_walker(frames=40)
    np.savez(tmp_path / "mesh.npz", joints3d=0.5 * (truth @ R.T + p), names=np.array(keypoints.names))
    clip = Clip(tmp_path / "walk.mp4", CAMERA.size, 0, keypoints.time, (0, 40), keypoints.time, 0.0)
    config = Config(mesh=MeshConfig(mesh=tmp_path / "mesh.npz"))
    trial = Trial(SUBJECT, clip=clip, camera=CAMERA, keypoints=replace(keypoints, depth=None))
    lifted = pipeline._WAY["markers"](trial, config, lambda done: None)
    assert lifted.markers.names == keypoints.names
    np.testing.assert_allclose(lifted.keypoints.depth, 0.5 * keypoints.depth, atol=1e-12)
    assert lifted.camera.R_camera_ground is not None


def test_angles_of_skel_pose_the_shipped_body(tmp_path: Path) -> None:
    """Somebody who steps before a camera of another focal length than HSMR's, nearer and larger than HSMR puts him."""
    swing = 0.4 * np.sin(np.linspace(0.0, 6.0, 40))
    poses = np.zeros((40, 46))
    poses[:, SKEL_ANGLES.index("pelvis_tilt")] = np.pi
    for name, values in {"hip_flexion_r": swing, "hip_flexion_l": -swing, "humerus_r_1": 1.4, "humerus_l_1": -1.4}.items():
        poses[:, SKEL_ANGLES.index(name)] = values
    np.savez(tmp_path / "hsmr.npz", poses=poses, betas=np.zeros((40, 10)), full_cam_t=np.tile([0.0, 0.0, 30.0], (40, 1)))
    track = with_angles(read_mesh(tmp_path / "hsmr.npz"), load_body(), load_anatomy())
    names = tuple(name for name in track.names if name.islower() and name not in ("neck", "hip_mid"))
    seen = 1.05 * (track.joints - [0.0, 0.0, 30.0])[:, [track.names.index(name) for name in names]] + [0.0, 0.0, 4.0]
    xy = seen[..., :2] / seen[..., 2:] * np.array(CAMERA.focal) + np.array(CAMERA.center)
    time = np.arange(40) / 30.0
    clip = Clip(tmp_path / "step.mp4", CAMERA.size, 0, time, (0, 40), time, 0.0)
    trial = Trial(SUBJECT, clip=clip, camera=CAMERA, keypoints=Keypoints(time, names, xy, np.full(xy.shape[:2], 2.0)))
    lifted = pipeline._WAY["markers"](trial, Config(mesh=MeshConfig(mesh=tmp_path / "hsmr.npz")), lambda done: None)
    assert {*names, "RASI", "LLFC", "C7"} <= set(lifted.markers.names)
    found = lifted.markers.xyz @ lifted.camera.R_camera_ground.T + lifted.camera.p_camera_ground
    hips = [names.index("hip_r"), names.index("hip_l")]
    relative = [a - a[:, hips].mean(1, keepdims=True) for a in (found[:, : len(names)], seen)]
    assert np.linalg.norm(relative[0] - relative[1], axis=-1).mean() < 0.05


def test_a_mesh_that_will_not_do_is_told_before_the_work(video: Path, tmp_path: Path, walked: list[str]) -> None:
    seen = {"global_orient": np.zeros((3, 3)), "body_pose": np.zeros((3, 63)), "betas": np.zeros((3, 10)), "transl": np.zeros((3, 3))}
    (tmp_path / "gvhmr.pkl").write_bytes(pickle.dumps({"smpl_params_incam": seen}))
    with pytest.raises(FormatError, match="neither joints nor vertices"):
        pipeline.analyze(read_clip(video), SUBJECT, Config(mesh=MeshConfig(mesh=tmp_path / "gvhmr.pkl")))
    with pytest.raises(InputError, match="give that with --mesh"):
        pipeline.analyze(read_clip(video), SUBJECT, Config(mesh=MeshConfig(body_model=tmp_path / "smpl.npz")))
    assert walked == []


def test_weights_that_are_not_there_are_told_before_the_work_begins(video: Path, walked: list[str]) -> None:
    config = Config(kinematics=KinematicsConfig(kinematics="both", weights="nowhere"))
    with pytest.raises(InputError, match="no weights are called"):
        pipeline.analyze(read_clip(video), SUBJECT, config)
    assert walked == []


def test_loads_that_cannot_be_are_told_before_the_work(video: Path, tmp_path: Path, walked: list[str]) -> None:
    (tmp_path / "bag.toml").write_text('[[carried]]\nbody = "claw"\nmass = 5\nlocation = [0, 0, 0]\n')
    with pytest.raises(InputError, match="carried mass 1 names body 'claw'"):
        pipeline.analyze(read_clip(video), SUBJECT, Config(loads=LoadsConfig(external_loads=tmp_path / "bag.toml")))
    with pytest.raises(InputError, match="are for --external-loads"):
        pipeline.analyze(read_clip(video), SUBJECT, Config(loads=LoadsConfig(loads_offset=1.0)))
    both = Config(loads=LoadsConfig(external_loads=tmp_path / "bag.toml"), simulation=SimulationConfig(simulation="refined"))
    with pytest.raises(InputError, match="leave it or --external-loads out"):
        pipeline.analyze(read_clip(video), SUBJECT, both)
    assert walked == []
