from pathlib import Path

import numpy as np
import pytest

from datasets.motions import marked, scattered, write_table, write_trial
from monomsk.datasets import laboratory
from monomsk.errors import FormatError, ModelError


def test_markers_come_back_to_the_resolution_and_missing_ones_are_missing(tmp_path: Path) -> None:
    xyz = scattered()
    write_trial(tmp_path / "t.npz", xyz)
    with np.load(tmp_path / "t.npz") as stored:
        arrays = dict(stored)
    arrays["marker_xyz"][3, 2] = laboratory.MISSING
    np.savez(tmp_path / "t.npz", **arrays)
    markers = laboratory.read_markers(tmp_path / "t.npz")
    assert markers.names == marked().marker_names
    there = np.isfinite(markers.sigma)
    assert not there[3, 2]
    assert there.sum() == there.size - 1
    assert np.abs(markers.xyz - xyz)[there].max() < 0.51e-4
    np.testing.assert_allclose(np.diff(markers.time), 0.01)


def test_the_table_knows_licence_split_and_what_nobody_said(tmp_path: Path) -> None:
    write_table(tmp_path, [{"file": "a.npz", "person": "P1"}, {"file": "b.npz", "person": "OC4", "height_m": "", "commercial_use": "no"}])
    first, second = laboratory.read_table(tmp_path / "trials.csv")
    assert (first.split, first.mass, first.commercial_use) == ("train", 70.0, True)
    # OC4 is for development only, whatever the table says.
    assert (second.split, second.height, second.commercial_use) == ("dev", None, False)


@pytest.mark.parametrize(
    ("cell", "said"), [({"mass_kg": "heavy"}, "line 2: mass"), ({"split": "maybe"}, "line 2: split"), ({"person": ""}, "line 2")]
)
def test_a_line_that_cannot_be_right_is_named(tmp_path: Path, cell: dict[str, str], said: str) -> None:
    write_table(tmp_path, [{"file": "a.npz", "person": "P1", **cell}])
    with pytest.raises(FormatError, match=said):
        laboratory.read_table(tmp_path / "trials.csv")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"marker_xyz": None}, "no array 'marker_xyz'"),
        ({"marker_time": np.array([0.0, 100.0, 7])}, "do not fit"),
        ({"marker_time": np.array([0.0, 0.0, 251])}, "rate"),
        ({"marker_names": np.array(["A", "B"])}, "do not fit"),
    ],
)
def test_a_damaged_trial_is_one_line(tmp_path: Path, changes: dict[str, object], said: str) -> None:
    write_trial(tmp_path / "t.npz", scattered(), **changes)
    with pytest.raises(FormatError, match=said) as caught:
        laboratory.read_markers(tmp_path / "t.npz")
    assert "\n" not in str(caught.value)


def test_plates_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    write_trial(tmp_path / "t.npz", scattered())
    assert laboratory.read_plates(tmp_path / "t.npz").force.shape == (3, 2, 3)
    write_trial(tmp_path / "t.npz", scattered(), cop=np.zeros((2, 2, 3)))
    with pytest.raises(FormatError, match="force plates"):
        laboratory.read_plates(tmp_path / "t.npz")


def test_a_model_that_is_not_packed(tmp_path: Path) -> None:
    (tmp_path / "m.osim.gz").write_bytes(b"<OpenSimDocument/>")
    with pytest.raises(ModelError, match="packed"):
        laboratory.read_model(tmp_path / "m.osim.gz")


def test_every_real_trial_can_be_read(shared: Path) -> None:
    root = shared / "data" / "kinetics"
    rows = laboratory.read_table(root / "trials.csv")
    assert {row.person for row in rows if row.split == "train"}.isdisjoint(row.person for row in rows if row.split == "dev")
    for row in rows[::12]:
        markers, plates = laboratory.read_markers(root / row.file), laboratory.read_plates(root / row.file)
        assert np.isfinite(markers.sigma).mean() > 0.5
        assert np.isfinite(plates.force).all()
