"""`monomsk paths` as a person meets it, and what becomes of its model in OpenSim and in the other commands."""

import csv
from pathlib import Path

import numpy as np
import pytest

from monomsk.cli.main import main
from monomsk.io import osim_paths, osim_read, osim_write, results, storage
from monomsk.model.spec import PathWrap, Wrap
from monomsk.types import Motion
from pendulums import elbow, muscle

PULLEY = Wrap("pulley", "WrapCylinder", "humerus", (0.0, 0.0, 0.0), (0.0, 0.0, 0.0), (0.03, 0.2), quadrant="-x")
FLEXOR = muscle("flexor", (("humerus", (0.04, 0.25, 0.0)), ("ulna", (0.04, -0.1, 0.0))))
EXTENSOR = muscle("extensor", (("humerus", (-0.05, 0.3, 0.0)), ("ulna", (-0.05, -0.3, 0.0))), wraps=(PathWrap("pulley"),))


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the forearm's model, its motion, and in `out` what the command made of them."""
    folder = tmp_path_factory.mktemp("paths")
    osim_write.write(folder / "model.osim", elbow(FLEXOR, EXTENSOR, wraps=(PULLEY,)))
    osim_write.write(folder / "bones.osim", elbow())
    time = np.arange(101) / 100.0
    angle = 0.4 + 0.3 * np.sin(5.0 * time)[:, None]
    results.write_motion(folder / "motion.mot", Motion(time, ("flexion",), np.array([True]), angle))
    assert made(folder, folder / "out", "--motion", str(folder / "motion.mot")) == 0
    return folder


def made(folder: Path, out: Path, *words: str) -> int:
    return main(["paths", str(folder / "model.osim"), "--samples", "256", "--out", str(out), *words])


def table(out: Path) -> list[dict[str, str]]:
    with (out / "path_errors.csv").open() as text:
        return list(csv.DictReader(text))


def test_the_folder_and_the_errors(fitted: Path) -> None:
    out = fitted / "out"
    assert {p.name for p in out.iterdir()} == {"model.osim", "FunctionBasedPathSet.xml", "path_errors.csv"}
    spec = osim_read.read(out / "model.osim")
    assert {m.name: m.polynomial for m in spec.muscles} == osim_paths.read_path_set(out / "FunctionBasedPathSet.xml")
    rows = table(out)
    assert [row["muscle"] for row in rows] == ["flexor", "extensor"]
    for row in rows:
        assert row["coordinates"] == "flexion"
        assert 2 <= int(row["order"]) <= 9
        assert float(row["left_out_percent"]) == 0.0
        # The sharp end of the pulley's arc is no polynomial: a little more than the tolerance along the motion.
        assert 0.0 < float(row["length_rms_m"]) < 1e-4
        assert float(row["moment_arm_rms_m"]) < float(row["moment_arm_max_m"]) < 2e-3
        assert float(row["motion_length_max_m"]) < 1e-3


def test_what_is_printed(fitted: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert made(fitted, tmp_path / "out", "--order", "2", "--seed", "1") == 0
    said = capsys.readouterr().out
    assert "2 of 2 paths are polynomials, " in said
    assert "the worst across the ranges [mm]" in said
    assert [row["order"] for row in table(tmp_path / "out")] == ["2", "2"]
    assert made(fitted, tmp_path / "out") == 8


def test_the_same_seed_makes_the_same_model_and_given_paths_are_taken_as_they_are(fitted: Path, tmp_path: Path) -> None:
    out = fitted / "out"
    motion = ("--motion", str(fitted / "motion.mot"))
    assert made(fitted, tmp_path / "again", *motion) == 0
    assert made(fitted, tmp_path / "taken", *motion, "--paths", str(out / "FunctionBasedPathSet.xml")) == 0
    for folder in (tmp_path / "again", tmp_path / "taken"):
        assert (folder / "model.osim").read_bytes() == (out / "model.osim").read_bytes()
    assert [row["left_out_percent"] for row in table(tmp_path / "taken")] == ["", ""]
    assert [row["length_rms_m"] for row in table(tmp_path / "taken")] == [row["length_rms_m"] for row in table(out)]


def test_the_model_in_muscles_and_so_and_in_opensim(fitted: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = [str(fitted / "out" / "model.osim"), str(fitted / "motion.mot")]
    assert main(["muscles", *files, "--out", str(tmp_path / "muscles")]) == 0
    assert main(["so", *files, "--out", str(tmp_path / "so")]) == 0
    assert "joint loads leave out that these muscles press the bones together" in capsys.readouterr().err
    activation = storage.read(tmp_path / "so" / "StaticOptimization_activation.sto").values
    assert 0.01 - 1e-9 <= activation[:, :2].min() < activation[:, :2].max() < 1.0
    length, arm = (storage.read(tmp_path / "muscles" / f"_{name}.sto") for name in ("Length", "MomentArm_flexion"))
    opensim = pytest.importorskip("opensim")
    opensim.Logger.setLevelString("error")
    living = opensim.Model(files[0])
    state = living.initSystem()
    flexion = living.getCoordinateSet().get(0)
    for k in (0, 40, 90):
        flexion.setValue(state, 0.4 + 0.3 * np.sin(5.0 * length.time[k]))
        living.realizePosition(state)
        for i, name in enumerate(length.names):
            # To the digits of the files.
            assert length.values[k, i] == pytest.approx(living.getMuscles().get(name).getLength(state), abs=1e-8)
            assert arm.values[k, i] == pytest.approx(living.getMuscles().get(name).computeMomentArm(state, flexion), abs=1e-8)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["bones.osim"], 5, "no muscle path with points"),
        (["out/model.osim"], 5, "no muscle path with points"),
        (["model.osim", "--order", "10"], 2, "--order is 10; it must lie between 2 and 9"),
        (["model.osim", "--arm-tolerance", "0"], 2, "--arm-tolerance is 0"),
        (["model.osim", "--paths", "model.osim"], 5, "FunctionBasedPathSet"),
        (["model.osim", "--motion", "nowhere.mot"], 6, "cannot read nowhere.mot"),
    ],
)
def test_one_line_for_what_cannot_be(
    words: list[str], code: int, said: str, fitted: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(fitted)
    before = set(fitted.iterdir())
    assert main(["paths", *words]) == code
    assert said in capsys.readouterr().err.strip().splitlines()[-1]
    assert set(fitted.iterdir()) == before
