import json
from pathlib import Path

import numpy as np
import pytest

from monomsk.errors import FormatError, KeypointError
from monomsk.io import keypoints_npz
from monomsk.io.keypoint_files import read_recorded
from monomsk.types import Keypoints


def _write(folder: Path, name: str, people: list[list[float]]) -> None:
    folder.mkdir(exist_ok=True)
    content = {"version": 1.3, "people": [{"person_id": [-1], "pose_keypoints_2d": person} for person in people]}
    (folder / name).write_text(json.dumps(content))


def test_a_folder_of_frames(tmp_path: Path) -> None:
    folder = tmp_path / "json"
    one, two = [float(i) for i in range(75)], [0.5] * 75
    _write(folder, "clip_000000000003_keypoints.json", [one, two])
    _write(folder, "clip_000000000004_keypoints.json", [])
    _write(folder, "clip_000000000006_keypoints.json", [two])
    frames = read_recorded(folder, "openpose_body25")
    assert isinstance(frames, tuple)
    assert [len(people) for people in frames] == [2, 0, 0, 1]
    np.testing.assert_array_equal(frames[0][0], np.arange(75.0).reshape(25, 3))


def test_frames_are_ordered_by_number_not_by_name(tmp_path: Path) -> None:
    for i in (2, 10, 9):
        _write(tmp_path / "json", f"cam01.{i}.json", [[float(i)] * 51])
    frames = read_recorded(tmp_path / "json", "coco17")
    assert isinstance(frames, tuple)
    assert len(frames) == 9
    assert [people[0, 0, 0] for people in (frames[0], frames[7], frames[8])] == [2, 9, 10]


def test_our_own_file_needs_no_format(tmp_path: Path) -> None:
    keypoints = Keypoints(np.array([0.0, 0.1]), ("nose",), np.ones((2, 1, 2)), np.ones((2, 1)))
    keypoints_npz.write(tmp_path / "k.npz", keypoints)
    for format in (None, "npz"):
        read = read_recorded(tmp_path / "k.npz", format)
        assert isinstance(read, Keypoints)
        np.testing.assert_array_equal(read.xy, keypoints.xy)


@pytest.mark.parametrize("format", [None, "kinect"])
def test_the_format_has_to_be_one_that_is_known(tmp_path: Path, format: str | None) -> None:
    with pytest.raises(KeypointError, match=r"--format.*openpose_body25, openpose_body25b.*npz"):
        read_recorded(tmp_path, format)


def test_what_is_no_keypoint_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="no such"):
        read_recorded(tmp_path / "none", "coco17")
    with pytest.raises(FormatError, match=r"no \.json"):
        read_recorded(tmp_path, "coco17")
    _write(tmp_path / "a", "1.json", [[0.0] * 75])
    with pytest.raises(FormatError, match=r"75 numbers.*17 points"):
        read_recorded(tmp_path / "a", "coco17")
    (tmp_path / "b").mkdir()
    (tmp_path / "b/1.json").write_text('{"people": 3}')
    with pytest.raises(FormatError, match="not an OpenPose"):
        read_recorded(tmp_path / "b", "coco17")
    (tmp_path / "c").mkdir()
    (tmp_path / "c/pose.json").write_text('{"people": []}')
    with pytest.raises(FormatError, match="no frame number"):
        read_recorded(tmp_path / "c", "coco17")
    _write(tmp_path / "d", "1.json", [[float("nan")] * 51])
    with pytest.raises(FormatError, match="not finite"):
        read_recorded(tmp_path / "d", "coco17")
