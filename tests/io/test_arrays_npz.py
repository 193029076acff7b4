import numpy as np
import pytest

from monomsk.errors import FormatError, OutputError
from monomsk.io import arrays_npz


def test_arrays_come_back(tmp_path):
    arrays = {"q": np.arange(6.0).reshape(2, 3), "names": np.array(["a", "bc"])}
    arrays_npz.write(tmp_path / "x.npz", arrays)
    again = arrays_npz.read(tmp_path / "x.npz")
    assert again.keys() == arrays.keys()
    for name, value in arrays.items():
        np.testing.assert_array_equal(again[name], value)


def test_what_is_not_an_npz_is_refused(tmp_path):
    (tmp_path / "x.npz").write_text("no")
    for name in ("x.npz", "missing.npz"):
        with pytest.raises(FormatError, match=name):
            arrays_npz.read(tmp_path / name)


def test_a_missing_folder_is_told(tmp_path):
    with pytest.raises(OutputError, match="folder"):
        arrays_npz.write(tmp_path / "none" / "x.npz", {})
