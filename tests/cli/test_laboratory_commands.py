"""`monomsk scale` and `monomsk ik` as a person meets them."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from kinematics.test_tracking import body, moving
from monomsk.cli.main import main
from monomsk.io import osim_read, osim_write, storage, trc


@pytest.fixture(scope="module")
def laboratory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("laboratory")
    osim_write.write(folder / "model.osim", body())
    trc.write(folder / "walk.trc", moving()[0])
    z_up = moving()[0].xyz[..., [0, 2, 1]] * [1.0, -1.0, 1.0]
    trc.write(folder / "walk_z.trc", replace(moving()[0], xyz=z_up))
    return folder


@pytest.mark.parametrize("words", [["walk.trc"], ["walk_z.trc", "--up", "z"]])
def test_a_motion_from_its_markers(laboratory: Path, tmp_path: Path, words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "ik"
    assert main(["ik", str(laboratory / "model.osim"), str(laboratory / words[0]), *words[1:], "--out", str(out)]) == 0
    assert "40 frames, marker error 0.0 mm (RMS)" in capsys.readouterr().out
    made = storage.read(out / "kinematics.mot")
    knee = moving()[1][:, [c.name for c in body().coordinates].index("knee_angle_r")]
    np.testing.assert_allclose(made.column("knee_angle_r"), np.degrees(knee), atol=0.01)
    errors = storage.read(out / "ik_marker_errors.sto")
    assert errors.names[:3] == ("total_squared_error", "marker_error_RMS", "marker_error_max")


def test_tasks_of_coordinates_alone_leave_the_markers(laboratory: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    held = "<weight>1000</weight><value_type>manual_value</value_type><value>1.0</value>"
    task = f'<IKCoordinateTask name="elbow_flex_l">{held}</IKCoordinateTask>'
    (tmp_path / "tasks.xml").write_text(f"<OpenSimDocument><IKTaskSet><objects>{task}</objects></IKTaskSet></OpenSimDocument>")
    words = ["ik", str(laboratory / "model.osim"), str(laboratory / "walk.trc"), "--tasks", str(tmp_path / "tasks.xml")]
    assert main([*words, "--out", str(tmp_path / "ik")]) == 0
    assert len(storage.read(tmp_path / "ik" / "ik_marker_errors.sto").names) == 3 + len(moving()[0].names)
    assert np.abs(storage.read(tmp_path / "ik" / "kinematics.mot").column("elbow_flex_l") - np.degrees(1.0)).max() < 3.0


def test_a_body_of_the_persons_size(laboratory: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "scaled"
    words = ["scale", str(laboratory / "model.osim"), str(laboratory / "walk.trc"), "--end", "0.02", "--height", "1.7", "--mass", "60"]
    assert main([*words, "--out", str(out)]) == 0
    assert "66 markers, median error" in capsys.readouterr().out
    assert osim_read.read(out / "model.osim").mass == pytest.approx(60.0)
    account = json.loads((out / "scale.json").read_text(encoding="utf-8"))
    assert 0.9 < account["factors"]["femur_r"][1] < 1.1
    assert main([*words, "--out", str(out)]) == 8


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["ik", "model.osim", "nowhere.trc"], 6, "cannot read nowhere.trc"),
        (["ik", "model.osim", "walk.trc", "--tasks", "model.osim"], 6, "without <IKTaskSet>"),
        (["scale", "model.osim", "walk.trc", "--height", "175", "--mass", "60"], 2, "looks like centimetres"),
        (["scale", "model.osim", "walk_z.trc", "--height", "1.7", "--mass", "60"], 2, "say so with --up z"),
    ],
)
def test_one_line_for_what_cannot_be(
    words: list[str], code: int, said: str, laboratory: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(laboratory)
    before = set(laboratory.iterdir())
    assert main(words) == code
    assert said in capsys.readouterr().err.strip().splitlines()[-1]
    assert set(laboratory.iterdir()) == before
