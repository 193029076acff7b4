"""Marker files: round trips, OpenSim's own readers, awkward and damaged files."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from monomsk.errors import FormatError
from monomsk.io import trc
from monomsk.types import Markers


@pytest.fixture
def markers() -> Markers:
    random = np.random.default_rng(2)
    sigma = np.full((6, 2), 0.01)
    sigma[1, 0] = sigma[0, 1] = sigma[4, :] = np.inf
    return Markers(np.arange(6) / 60, ("knee_r", "ankle_r"), random.normal(size=(6, 2, 3)), sigma)


def test_round_trip(markers: Markers, tmp_path: Path) -> None:
    trc.write(tmp_path / "a.trc", markers)
    back = trc.read(tmp_path / "a.trc", sigma=0.01)
    seen = np.isfinite(markers.sigma)
    np.testing.assert_array_equal(back.sigma, markers.sigma)
    np.testing.assert_allclose(back.xyz[seen], markers.xyz[seen], atol=1e-8)
    np.testing.assert_allclose(back.time, markers.time, atol=1e-9)
    assert back.names == markers.names


def test_opensim_reads_it(markers: Markers, osim: Any, tmp_path: Path) -> None:
    trc.write(tmp_path / "a.trc", markers)
    table = osim.TimeSeriesTableVec3(str(tmp_path / "a.trc"))
    assert (tuple(table.getColumnLabels()), table.getNumRows()) == (markers.names, 6)
    assert (table.getTableMetaDataAsString("Units"), table.getTableMetaDataAsString("DataRate")) == ("mm", "60")
    np.testing.assert_allclose(table.getRowAtIndex(2)[1].to_numpy() / 1000, markers.xyz[2, 1], atol=1e-8)
    assert np.isnan(table.getRowAtIndex(1)[0].to_numpy()).all()
    data = osim.MarkerData(str(tmp_path / "a.trc"))
    data.convertToUnits(osim.Units("m"))
    frame = data.getFrame(2)
    assert (data.getNumFrames(), data.getDataRate()) == (6, 60.0)
    place = frame.getMarker(1)
    np.testing.assert_allclose([place[i] for i in range(3)], markers.xyz[2, 1], atol=1e-8)


def test_real_files_are_read(shared: Path) -> None:
    opencap = trc.read(shared / "data/raw_examples/opencap_76kg/markers.trc")
    assert (opencap.xyz.shape, opencap.names[0]) == ((136, 51, 3), "r_knee")
    schreiber = trc.read(shared / "data/raw_examples/schreiber/2014001_C4_05.trc")
    assert schreiber.xyz.shape == (156, 52, 3)
    metres = trc.read(shared / "data/video/pose2sim_single/Pose2Sim_markers.trc")
    for file in (opencap, schreiber, metres):
        heights = file.xyz[np.isfinite(file.sigma)][:, 1]
        assert -0.2 < heights.min() < heights.max() < 2.5


GOOD = (
    "PathFileType\t4\t(X/Y/Z)\ta.trc\nDataRate\tCameraRate\tNumFrames\tNumMarkers\tUnits\tOrigDataRate\tOrigDataStartFrame\tOrigNumFrames\n"
    "60\t60\t3\t2\tmm\t60\t1\t3\nFrame#\tTime\tA\t\t\tB\t\t\n\t\tX1\tY1\tZ1\tX2\tY2\tZ2\n\n"
    "1\t0\t1000\t2000\t3000\t4\t5\t6\n2\t0.1\t1\t2\t3\t4\t5\t6\n3\t0.2\t1\t2\t3\t4\t5\t6\n"
)


def read(text: str, folder: Path) -> Markers:
    (folder / "a.trc").write_bytes(text.encode())
    return trc.read(folder / "a.trc")


@pytest.mark.parametrize("missing", ["\t\t", "NaN\tNaN\tNaN", "0\t0\t0", "0.000\t-0.0\t0", "1\t\t3"])
def test_missing_markers_in_every_spelling(missing: str, tmp_path: Path) -> None:
    found = read(GOOD.replace("2\t0.1\t1\t2\t3", f"2\t0.1\t{missing}"), tmp_path)
    np.testing.assert_array_equal(np.isinf(found.sigma), [[False, False], [True, False], [False, False]])
    assert np.isfinite(found.xyz).all()


def test_trailing_blanks_may_be_trimmed(tmp_path: Path) -> None:
    found = read(GOOD.replace("2\t0.1\t1\t2\t3\t4\t5\t6", "2\t0.1\t1\t2\t3"), tmp_path)
    np.testing.assert_array_equal(np.isinf(found.sigma[1]), [False, True])


@pytest.mark.parametrize(
    ("old", "new"),
    [("\n", "\r\n"), ("\n", "\r"), ("Z2\n\n", "Z2\n"), ("6\n", "6\t\t\n"), ("B\t\t\n", "B\n"), ("PathFile", "\ufeffPathFile")],
)
def test_awkward_layouts_mean_the_same(old: str, new: str, tmp_path: Path) -> None:
    found = read(GOOD.replace(old, new), tmp_path)
    np.testing.assert_array_equal(found.xyz, read(GOOD, tmp_path).xyz)
    np.testing.assert_allclose(found.xyz[0, 0], [1.0, 2.0, 3.0])


def test_units_are_minded(tmp_path: Path) -> None:
    np.testing.assert_allclose(read(GOOD.replace("\tmm\t", "\tm\t"), tmp_path).xyz[0, 0], [1000, 2000, 3000])


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("PathFileType", "Path", "line 1"),
        ("mm", "furlong", "furlong"),
        ("Frame#", "Zeit", "line 4"),
        ("B\t\t\n", "A\t\t\n", "two markers are called 'A'"),
        ("3\t0.2\t1\t2\t3\t4\t5\t6\n", "", "2 of the 3 frames"),
        ("3\t0.2\t1\t2\t3\t4\t5\t6\n", "3\t0.2\t1\t2\t3", "line 9"),
        ("3\t0.2\t1\t2\t3\t4\t5\t6\n", "3\t0.2\t1\t2\t3\t4\t5\n", "line 9: 7 numbers where 8 are due"),
        ("2\t0.1\t1", "2\t0.1\tone", "line 8: 'one' is not a number"),
        ("3\t0.2", "3\t0.05", "line 9: time runs backwards"),
        ("2\t0.1", "2\t", "line 8: the time is not a number"),
        (GOOD[GOOD.index("1\t0\t1000") :], "", "frames"),
        (GOOD, "", "empty"),
    ],
)
def test_damage_is_named(old: str, new: str, expected: str, tmp_path: Path) -> None:
    assert old in GOOD
    with pytest.raises(FormatError, match=expected) as caught:
        read(GOOD.replace(old, new), tmp_path)
    assert str(tmp_path / "a.trc") in str(caught.value)
