"""external_loads.xml and grf.mot: round trips, foreign files, and OpenSim's inverse dynamics with them."""

from pathlib import Path

import numpy as np
import pytest

from monomsk.errors import FormatError
from monomsk.io import external_loads


def test_round_trip(tmp_path: Path) -> None:
    forces = external_loads.ground_forces(("calcn_r", "calcn_l"))
    external_loads.write(tmp_path / "external_loads.xml", "grf.mot", forces)
    assert external_loads.read(tmp_path / "external_loads.xml") == (tmp_path / "grf.mot", forces)
    assert (forces[1].body, forces[1].force, forces[1].torque) == ("calcn_l", "ground_force_l_v", "ground_torque_l_")


def test_a_foreign_file_is_read(shared: Path) -> None:
    path = shared / "data/raw_examples/schreiber/2014001_C4_05_grf.xml"
    datafile, forces = external_loads.read(path)
    assert datafile.is_file()
    assert [(force.body, force.force) for force in forces] == [("calcn_l", "ground_force_1_v"), ("calcn_r", "ground_force_2_v")]


def test_forces_that_are_switched_off_do_not_count(tmp_path: Path) -> None:
    path = tmp_path / "external_loads.xml"
    external_loads.write(path, "grf.mot", external_loads.ground_forces())
    path.write_text(path.read_text().replace("<isDisabled>false", "<isDisabled>true", 1))
    assert [force.body for force in external_loads.read(path)[1]] == ["calcn_l"]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("<datafile>grf.mot", "<datafile>", "does not name the force file"),
        ("ExternalForce", "ExternalSource", "no <ExternalForce>"),
        ("ExternalLoads", "Loads", "without <ExternalLoads>"),
        ("<applied_to_body>calcn_r", "<applied_to_body>", "ground_r does not name a body"),
        ("</OpenSimDocument>", "", "not a whole XML file"),
        ("<OpenSimDocument", '<!DOCTYPE a [<!ENTITY b "c">]><OpenSimDocument', "document type"),
    ],
)
def test_damage_is_named(old: str, new: str, expected: str, tmp_path: Path) -> None:
    path = tmp_path / "external_loads.xml"
    external_loads.write(path, "grf.mot", external_loads.ground_forces())
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    with pytest.raises(FormatError, match=expected):
        external_loads.read(path)


def test_two_bodies_are_needed() -> None:
    with pytest.raises(ValueError, match="zip"):
        external_loads.ground_forces(("calcn_r",))


def test_identifiers_are_the_columns_of_our_force_file() -> None:
    from monomsk.io import grf

    for foot, force in zip(grf.FEET, external_loads.ground_forces(), strict=True):
        expected = [f"{start}{axis}" for start in (force.force, force.point, force.torque) for axis in "xyz"]
        np.testing.assert_array_equal(expected, grf.columns(foot))
