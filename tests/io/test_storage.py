"""Tables over time: round trips, OpenSim's own reader, damaged files."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from monomsk.errors import FormatError
from monomsk.io import storage
from monomsk.io.storage import Table


@pytest.fixture
def table() -> Table:
    random = np.random.default_rng(1)
    return Table(np.arange(5) / 60, ("knee_angle_r", "pelvis_tx"), random.normal(size=(5, 2)), True, "A motion", {"source": "test"})


def test_round_trip(table: Table, tmp_path: Path) -> None:
    storage.write(tmp_path / "a.mot", table)
    back = storage.read(tmp_path / "a.mot")
    assert (back.names, back.in_degrees, back.name, back.metadata) == (table.names, True, "A motion", {"source": "test"})
    np.testing.assert_allclose(back.time, table.time, rtol=1e-8)
    np.testing.assert_allclose(back.values, table.values, rtol=1e-9)
    np.testing.assert_array_equal(back.column("pelvis_tx"), back.values[:, 1])


def test_only_angles_turn_to_radians(table: Table) -> None:
    rotational = np.array([True, False])
    radians = storage.to_radians(table, rotational)
    np.testing.assert_allclose(radians.values, table.values * [np.pi / 180, 1.0])
    np.testing.assert_allclose(storage.to_degrees(radians, rotational).values, table.values)
    assert storage.to_radians(radians, rotational) is radians


def test_opensim_reads_it(table: Table, osim: Any, tmp_path: Path) -> None:
    for name in ("a.mot", "a.sto"):
        storage.write(tmp_path / name, table)
        theirs = osim.TimeSeriesTable(str(tmp_path / name))
        assert tuple(theirs.getColumnLabels()) == table.names
        assert theirs.getTableMetaDataAsString("inDegrees") == "yes"
        np.testing.assert_allclose([theirs.getDependentColumn(n).to_numpy() for n in table.names], table.values.T, rtol=1e-9)


def test_what_opensim_writes_is_read(osim: Any, tmp_path: Path) -> None:
    theirs = osim.TimeSeriesTable()
    theirs.setColumnLabels(["a", "b"])
    theirs.appendRow(0.0, osim.RowVector([1.0, 2.0]))
    theirs.appendRow(0.5, osim.RowVector([3.0, float("nan")]))
    osim.STOFileAdapter.write(theirs, str(tmp_path / "a.sto"))
    back = storage.read(tmp_path / "a.sto")
    np.testing.assert_array_equal(back.values, [[1.0, 2.0], [3.0, np.nan]])
    assert back.names == ("a", "b")


def test_simm_headers_and_odd_line_ends_are_read(tmp_path: Path) -> None:
    head = "\ufeffname C:\\walk.mot\r\ndatacolumns 3\r\ndatarows 2\r\nrange 0 1\r\nendheader \r\n"
    text = head + "time\ta b\tc\t\r\n  0.0   1  2 \r\n 1.0\t3\t-4e-3\r\n\r\n"
    (tmp_path / "a.mot").write_bytes(text.encode())
    table = storage.read(tmp_path / "a.mot")
    assert (table.names, table.in_degrees) == (("a b", "c"), False)
    np.testing.assert_array_equal(table.values, [[1, 2], [3, -4e-3]])


def test_real_files_are_read(shared: Path) -> None:
    grf = storage.read(shared / "data/raw_examples/opencap_76kg/grf.mot")
    assert (grf.values.shape, grf.names[1]) == ((2719, 18), "R_ground_force_vy")
    plates = storage.read(shared / "data/raw_examples/schreiber/2014001_C4_05_grf.mot")
    assert plates.values.shape == (1561, 18)
    motion = storage.read(shared / "data/video/pose2sim_single/Pose2Sim_motion.mot")
    assert (motion.in_degrees, len(motion.time), motion.name) == (True, 100, "Coordinates")


GOOD = "t\nversion=1\nnRows=3\nnColumns=3\ninDegrees=no\nendheader\ntime\ta\tb\n0\t1\t2\n0.1\t3\t4\n0.2\t5\t6\n"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("endheader\n", "", "endheader"),
        ("0.2\t5\t6\n", "", "2 of the 3 rows"),
        ("0.2\t5\t6\n", "0.2\t5\n", "line 10: 2 numbers where 3 are due"),
        ("3\t4", "3\tx4", "line 9: 'x4' is not a number"),
        ("0.1\t", "nan\t", "line 9: the time is not a number"),
        ("0.2\t", "0.05\t", "line 10: time runs backwards"),
        ("time\ta", "frame\ta", "line 7"),
        ("\ta\tb", "\ta\ta", "two columns are called 'a'"),
        ("nColumns=3", "nColumns=4", "promises 4 columns"),
        ("nRows=3", "nRows=x", "not a number"),
        ("nRows=3", "nRows=3\nDataType=Vec3", "Vec3"),
        (GOOD[GOOD.index("time") :], "", "ends after its header"),
        (GOOD, "", "empty"),
        (GOOD, "\0\0\0", "not a text file"),
    ],
)
def test_damage_is_named(old: str, new: str, expected: str, tmp_path: Path) -> None:
    assert old in GOOD
    path = tmp_path / "a.mot"
    path.write_text(GOOD.replace(old, new))
    with pytest.raises(FormatError, match=expected) as caught:
        storage.read(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_absent_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="No such file"):
        storage.read(tmp_path / "a.mot")
