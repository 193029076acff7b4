"""keypoints.npz: round trip and damaged files."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from monomsk.errors import FormatError
from monomsk.io import keypoints_npz
from monomsk.types import Keypoints


@pytest.fixture
def keypoints() -> Keypoints:
    random = np.random.default_rng(5)
    sigma = random.uniform(1, 3, size=(4, 2))
    sigma[1, 1] = np.inf
    return Keypoints(
        np.arange(4) / 30, ("knee_r", "ankle_r"), random.normal(size=(4, 2, 2)), sigma, random.normal(size=(4, 2, 3)), "test", ("a", "é")
    )


@pytest.mark.parametrize("depth", [True, False])
def test_round_trip(depth: bool, keypoints: Keypoints, tmp_path: Path) -> None:
    keypoints = keypoints if depth else replace(keypoints, depth=None)
    keypoints_npz.write(tmp_path / "keypoints.npz", keypoints)
    back = keypoints_npz.read(tmp_path / "keypoints.npz")
    assert (back.names, back.source, back.warnings) == (keypoints.names, keypoints.source, keypoints.warnings)
    for name in ("time", "xy", "sigma", "depth"):
        np.testing.assert_array_equal(getattr(back, name), getattr(keypoints, name))
    assert [path.name for path in tmp_path.iterdir()] == ["keypoints.npz"]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"xy": None}, "no array 'xy'"),
        ({"xy": np.zeros((4, 3, 2))}, "shape"),
        ({"xy": np.full((4, 2, 2), np.nan)}, "finite"),
        ({"sigma": np.full((4, 2), -1.0)}, "positive"),
        ({"sigma": np.array([["a", "b"]] * 4)}, "should hold numbers"),
        ({"time": np.zeros(4)}, "increase"),
        ({"version": np.array(2)}, "version 2"),
        ({"names": np.array([{}, {}], dtype=object)}, "plain arrays"),
    ],
)
def test_bad_contents_are_refused(change: dict[str, np.ndarray | None], expected: str, keypoints: Keypoints, tmp_path: Path) -> None:
    arrays = {
        "version": np.array(1),
        "time": keypoints.time,
        "names": np.array(keypoints.names),
        "xy": keypoints.xy,
        "sigma": keypoints.sigma,
    }
    kept = {name: value for name, value in (arrays | change).items() if value is not None}
    np.savez(tmp_path / "a.npz", allow_pickle=True, **kept)
    with pytest.raises(FormatError, match=expected):
        keypoints_npz.read(tmp_path / "a.npz")


def test_damaged_files_are_refused(keypoints: Keypoints, tmp_path: Path) -> None:
    path = tmp_path / "keypoints.npz"
    keypoints_npz.write(path, keypoints)
    whole = path.read_bytes()
    for damaged in (whole[: len(whole) // 2], b"", b"a,b,c"):
        path.write_bytes(damaged)
        with pytest.raises(FormatError, match=r"not a whole \.npz file"):
            keypoints_npz.read(path)
    with pytest.raises(FormatError, match="No such file"):
        keypoints_npz.read(tmp_path / "absent.npz")
