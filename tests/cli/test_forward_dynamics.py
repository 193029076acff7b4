"""`monomsk fd` as a person meets it: what inverse dynamics found drives the motion that it was found from."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from kinetics.motions import body, gait
from monomsk.cli.main import main
from monomsk.io import osim_write, results, storage
from monomsk.model.spec import CoordinateLimit


@pytest.fixture(scope="module")
def laboratory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model, a smooth motion of it, and the generalized forces that it needs."""
    folder = tmp_path_factory.mktemp("laboratory")
    osim_write.write(folder / "model.osim", body())
    results.write_motion(folder / "motion.mot", gait(100))
    words = ["id", str(folder / "model.osim"), str(folder / "motion.mot"), "--lowpass", "4", "--out", str(folder / "id.sto")]
    assert main(words) == 0
    return folder


def forward(laboratory: Path, out: Path, *words: str) -> int:
    return main(["fd", *(str(laboratory / name) for name in ("model.osim", "motion.mot", "id.sto")), "--out", str(out), *words])


@pytest.mark.parametrize("method", ["tsit5", "semi-implicit"])
def test_the_moments_of_a_motion_make_it(laboratory: Path, tmp_path: Path, method: str, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "fd"
    assert forward(laboratory, out, "--start", "0.3", "--end", "0.4", "--method", method, "--step", "0.0002") == 0
    assert "11 frames from 0.3 to 0.4 s" in capsys.readouterr().out
    made, given = storage.read(out / "kinematics.mot"), storage.read(laboratory / "motion.mot")
    at = np.searchsorted(given.time, made.time - 1e-6)
    for name in ("hip_flexion_r", "knee_angle_l", "pelvis_tilt"):
        # Small errors of the first speeds grow in a body that nothing holds; a tenth of a second keeps them small.
        assert np.abs(made.column(name) - given.column(name)[at]).max() < 1.5, name
    states = storage.read(out / "states.sto")
    assert "/jointset/hip_r/hip_flexion_r/speed" in states.names
    np.testing.assert_allclose(np.degrees(states.column("/jointset/hip_r/hip_flexion_r/value")), made.column("hip_flexion_r"), atol=1e-6)


def test_states_can_be_gone_on_from(laboratory: Path, tmp_path: Path) -> None:
    assert forward(laboratory, tmp_path / "whole", "--end", "0.04") == 0
    assert forward(laboratory, tmp_path / "first", "--end", "0.02") == 0
    files = [laboratory / "model.osim", tmp_path / "first" / "states.sto", laboratory / "id.sto"]
    assert main(["fd", *map(str, files), "--start", "0.02", "--end", "0.04", "--out", str(tmp_path / "second")]) == 0
    whole, second = (storage.read(tmp_path / name / "states.sto").values[-1] for name in ("whole", "second"))
    np.testing.assert_allclose(second, whole, atol=1e-5)


def test_the_ground_stops_a_fall(laboratory: Path, tmp_path: Path) -> None:
    table = storage.read(laboratory / "id.sto")
    storage.write(tmp_path / "none.sto", storage.Table(np.array([0.0, 1.0]), table.names, np.zeros((2, len(table.names)))))
    files = [laboratory / "model.osim", laboratory / "motion.mot", tmp_path / "none.sto"]
    heights = []
    for name, more in (("free", []), ("ground", ["--contact", "--method", "semi-implicit", "--step", "0.0005"])):
        assert main(["fd", *map(str, files), "--end", "0.15", "--damping", "5", *more, "--out", str(tmp_path / name)]) == 0
        heights.append(storage.read(tmp_path / name / "kinematics.mot").column("pelvis_ty")[-1])
    assert heights[1] - heights[0] > 0.03


def test_stops_of_the_model_act_when_asked_for(laboratory: Path, tmp_path: Path) -> None:
    stop = CoordinateLimit(
        "stop", "knee_angle_r", lower=0.1, upper=0.3, lower_stiffness=500.0, upper_stiffness=500.0, damping=5.0, transition=0.05
    )
    osim_write.write(tmp_path / "model.osim", replace(body(), passive=(stop,)))
    knees = []
    for name, more in (("free", []), ("stopped", ["--passive"])):
        files = [tmp_path / "model.osim", laboratory / "motion.mot", laboratory / "id.sto"]
        assert main(["fd", *map(str, files), "--end", "0.1", *more, "--out", str(tmp_path / name)]) == 0
        knees.append(storage.read(tmp_path / name / "kinematics.mot").column("knee_angle_r")[-1])
    assert knees[1] < knees[0] - 1.0


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--start", "7"], 6, "7 s is outside"),
        (["--end", "-1"], 2, "before it begins"),
        (["--external-loads", "nowhere.xml"], 6, "cannot read nowhere.xml"),
        (["--method", "semi-implicit", "--step", "0.5", "--rate", "2", "--damping", "-900"], 7, "went no further than"),
    ],
)
def test_one_line_for_what_cannot_be(
    words: list[str], code: int, said: str, laboratory: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert forward(laboratory, tmp_path / "fd", *words) == code
    assert said in capsys.readouterr().err.strip().splitlines()[-1]
    assert not (tmp_path / "fd").exists()


def test_forces_of_another_model_are_refused(laboratory: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    storage.write(tmp_path / "other.sto", storage.Table(np.array([0.0, 1.0]), ("tail_moment",), np.zeros((2, 1))))
    files = [laboratory / "model.osim", laboratory / "motion.mot", tmp_path / "other.sto"]
    assert main(["fd", *map(str, files), "--out", str(tmp_path / "fd")]) == 6
    assert "has no column of a coordinate" in capsys.readouterr().err
