"""`monomsk id` as a person meets it."""

from pathlib import Path

import numpy as np
import pytest

from kinetics.motions import body, gait
from monomsk.cli.main import main
from monomsk.io import external_loads, osim_write, results, storage


@pytest.fixture(scope="module")
def laboratory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("laboratory")
    osim_write.write(folder / "model.osim", body())
    results.write_motion(folder / "motion.mot", gait(80))
    time = np.linspace(-0.1, 1.0, 400)
    names = tuple(f"ground_force_{side}_{kind}{axis}" for side in "rl" for kind in "vp" for axis in "xyz")
    names += tuple(f"ground_torque_{side}_{axis}" for side in "rl" for axis in "xyz")
    storage.write(folder / "grf.mot", storage.Table(time, names, np.tile(np.r_[np.tile([0, 360.0, 0, 0, 0, 0], 2), np.zeros(6)], (400, 1))))
    external_loads.write(folder / "loads.xml", "grf.mot", external_loads.ground_forces())
    return folder


def test_moments_are_written_as_opensim_names_them(laboratory: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "id.sto"
    words = ["id", str(laboratory / "model.osim"), str(laboratory / "motion.mot"), "--external-loads", str(laboratory / "loads.xml")]
    assert main([*words, "--lowpass", "6", "--start", "0.1", "--end", "0.5", "--out", str(out)]) == 0
    table = storage.read(out)
    assert table.names[:4] == ("pelvis_tilt_moment", "pelvis_list_moment", "pelvis_rotation_moment", "pelvis_tx_force")
    assert (table.time[0], table.time[-1]) == (0.1, 0.5)
    assert "41 frames, 39 coordinates, residual force" in capsys.readouterr().out
    assert main([*words, "--out", str(out)]) == 8
    assert "exists: choose another name" in capsys.readouterr().err


def test_a_missing_force_is_suspected(laboratory: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["id", str(laboratory / "model.osim"), str(laboratory / "motion.mot"), "--out", str(tmp_path / "id.sto")]) == 0
    assert "a force is missing or on the wrong body" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--start", "5"], 2, "no frame lies between"),
        (["--lowpass", "0"], 2, "must be positive"),
        (["--external-loads", "nowhere.xml"], 6, "cannot read nowhere.xml"),
        (["--out", "nowhere/id.sto"], 8, "there is no folder"),
    ],
)
def test_one_line_for_what_cannot_be(
    words: list[str],
    code: int,
    said: str,
    laboratory: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["id", str(laboratory / "model.osim"), str(laboratory / "motion.mot"), *words]) == code
    err = capsys.readouterr().err.strip()
    assert said in err.splitlines()[-1]
    assert not list(tmp_path.iterdir())


def test_a_gap_in_a_force_is_named(laboratory: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = storage.read(laboratory / "grf.mot")
    values = table.values.copy()
    values[100, 0] = np.nan
    storage.write(tmp_path / "grf.mot", storage.Table(table.time, table.names, values))
    external_loads.write(tmp_path / "loads.xml", "grf.mot", external_loads.ground_forces())
    words = ["id", str(laboratory / "model.osim"), str(laboratory / "motion.mot"), "--external-loads", str(tmp_path / "loads.xml")]
    assert main([*words, "--out", str(tmp_path / "id.sto")]) == 6
    assert "has a gap at 0.175" in capsys.readouterr().err
