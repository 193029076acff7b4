"""Loads from any of the files that may tell them: what they say comes back, and what is wrong with them is told in a line."""

from pathlib import Path

import numpy as np
import pytest

from monomsk.errors import FormatError
from monomsk.io import external_loads, loads, storage
from monomsk.outside_loads import CarriedMass

BAG = '[[carried]]\nbody = "hand_r"\nmass = 5\nlocation = [0, -0.1, 0.0]\n'


def write_table(path: Path, *starts: str, torque: bool = True) -> Path:
    """A force file whose columns begin so: force 1, 2, 3, point 4, 5, 6, torque 7, 8, 9."""
    names, values = [], []
    for start in starts:
        for kind, base in (("v", 1.0), ("p", 4.0)):
            names += [f"{start}{kind}{axis}" for axis in "xyz"]
            values += [base, base + 1.0, base + 2.0]
        if torque:
            names += [f"{start.replace('force', 'torque')}{axis}" for axis in "xyz"]
            values += [7.0, 8.0, 9.0]
    storage.write(path, storage.Table(np.arange(5) / 10.0, tuple(names), np.tile(values, (5, 1))))
    return path


@pytest.mark.parametrize(
    "starts",
    [
        ("ground_force_r_", "ground_force_l_"),
        ("R_ground_force_", "L_ground_force_"),
        ("ground_force_left_", "ground_force_right_"),
        ("ground_force_l_",),
    ],
)
def test_columns_that_name_the_feet(starts: tuple[str, ...], tmp_path: Path) -> None:
    found = loads.read(write_table(tmp_path / "grf.mot", *starts), ("heel_r", "heel_l")).forces
    sides = ["l" if {"l", "left"} & set(start.lower().split("_")) else "r" for start in starts]
    assert [f.body for f in found] == [f"heel_{side}" for side in sides]
    for force in found:
        np.testing.assert_array_equal(np.concatenate([force.force[2], force.point[2], force.torque[2]]), np.arange(1.0, 10.0))


def test_torques_may_be_missing(tmp_path: Path) -> None:
    found = loads.read(write_table(tmp_path / "grf.sto", "ground_force_r_", torque=False)).forces
    assert not found[0].torque.any()


@pytest.mark.parametrize(
    ("starts", "message"),
    [
        (("ground_force_1_", "ground_force_2_"), "do not say which foot they are of"),
        (("ground_force_", "1_ground_force_"), "do not say which foot they are of"),
        (("R_ground_force_", "ground_force_r_"), "are of the same foot"),
    ],
)
def test_feet_are_not_guessed(starts: tuple[str, ...], message: str, tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=message):
        loads.read(write_table(tmp_path / "grf.mot", *starts))


def test_a_gap_is_told(tmp_path: Path) -> None:
    path = write_table(tmp_path / "grf.mot", "ground_force_r_")
    path.write_text(path.read_text().replace("\t5\t", "\tnan\t", 1))
    with pytest.raises(FormatError, match="ground_r has a gap at 0 s"):
        loads.read(path)


def test_carried_masses_beside_measured_forces(tmp_path: Path) -> None:
    external_loads.write(tmp_path / "loads.xml", "grf.mot", external_loads.ground_forces())
    write_table(tmp_path / "grf.mot", "ground_force_r_", "ground_force_l_")
    path = tmp_path / "loads.toml"
    path.write_text(f'forces = "loads.xml"\n{BAG}from = 0.5\n')
    found = loads.read(path)
    assert found.carried == (CarriedMass("hand_r", 5.0, (0.0, -0.1, 0.0), 0.5, None),)
    assert [f.body for f in found.forces] == ["calcn_r", "calcn_l"]
    assert loads.files(path) == (path, tmp_path / "loads.xml", tmp_path / "grf.mot")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[carried", "not valid TOML"),
        ("", "names neither"),
        ("force = 'a.xml'", "'force' is not known here"),
        (BAG.replace("mass = 5", "mass = 5000"), "5000 is not one in kilograms"),
        (BAG.replace("mass = 5", "mass = nan"), "mass must be a number"),
        (BAG.replace("mass = 5\n", ""), "lacks mass"),
        (BAG.replace("-0.1", "-100"), "not one in metres"),
        (BAG.replace(", 0.0]", "]"), "location must be three numbers"),
        (BAG + "until = 3\n", "'until' is not known"),
        (BAG + "from = 3\nto = 2\n", "put down at 2 s, before"),
        ("carried = 3", r"sections \[\[carried\]\]"),
    ],
)
def test_what_cannot_be_carried(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "loads.toml").write_text(text)
    with pytest.raises(FormatError, match=message):
        loads.read(tmp_path / "loads.toml")


def test_other_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="loads come from"):
        loads.read(tmp_path / "forces.csv")
    with pytest.raises(FormatError, match=r"cannot read .*gone\.toml"):
        loads.read(tmp_path / "gone.toml")
