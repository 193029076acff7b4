from pathlib import Path

import numpy as np
import pytest

from monomsk.errors import InputError
from monomsk.video.camera_file import read_camera_file

VIDEO = Path("cam_02.mp4")

OWN = """
size = [1000, 500]
focal = [900, 910]
center = [490, 260]
distortion = [0.1, -0.2, 0.001]
gravity = [0.0, 2.0, 0.0]
"""

POSE2SIM = """
[cam_01]
name = "cam_01"
size = [1000.0, 500.0]
matrix = [[900.0, 0.0, 490.0], [0.0, 910.0, 260.0], [0.0, 0.0, 1.0]]
distortions = [0.1, -0.2, 0.0, 0.0]
rotation = [1.5707963267948966, 0.0, 0.0]
translation = [0.0, 0.0, 3.0]
fisheye = false

[cam_02]
name = "cam_02"
size = [1000.0, 500.0]
matrix = [[800.0, 0.0, 500.0], [0.0, 800.0, 250.0], [0.0, 0.0, 1.0]]
distortions = [0.0, 0.0, 0.0, 0.0]
rotation = [1.5707963267948966, 0.0, 0.0]
translation = [0.0, 0.0, 3.0]
fisheye = false

[metadata]
adjusted = false
"""

OPENCV = """%YAML:1.0
---
image_width: 1000
image_height: 500
camera_matrix: !!opencv-matrix
   rows: 3
   cols: 3
   dt: d
   data: [ 900., 0., 490., 0., 910., 260., 0., 0., 1. ]
distortion_coefficients: !!opencv-matrix
   rows: 1
   cols: 5
   dt: d
   data: [ 0.1, -0.2, 0.001, 0.002, 0.3 ]
"""


def _write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_our_own_keys(tmp_path: Path) -> None:
    found = read_camera_file(_write(tmp_path, "c.toml", OWN), VIDEO, (1000, 500))
    assert found.focal == (900, 910)
    assert found.center == (490, 260)
    assert found.distortion == (0.1, -0.2, 0.001, 0.0, 0.0)
    np.testing.assert_allclose(found.gravity, [0, 1, 0])


def test_one_number_is_a_focal_length(tmp_path: Path) -> None:
    found = read_camera_file(_write(tmp_path, "c.toml", "focal = 900"), VIDEO, (1000, 500))
    assert (found.focal, found.center) == ((900, 900), None)


def test_values_follow_the_size_of_the_video(tmp_path: Path) -> None:
    found = read_camera_file(_write(tmp_path, "c.toml", OWN), VIDEO, (500, 250))
    assert found.focal == (450, 455)
    assert found.center == (245, 130)


def test_bars_at_two_sides_shift_the_centre(tmp_path: Path) -> None:
    found = read_camera_file(_write(tmp_path, "c.toml", OWN), VIDEO, (1000, 510))
    assert found.focal == (900, 910)
    assert found.center == (490, 265)


def test_a_turned_video_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="turn the file"):
        read_camera_file(_write(tmp_path, "c.toml", OWN), VIDEO, (500, 1000))


def test_pose2sim_section_by_the_name_of_the_video(tmp_path: Path) -> None:
    file = _write(tmp_path, "c.toml", POSE2SIM)
    assert read_camera_file(file, VIDEO, (1000, 500)).focal == (800, 800)
    assert read_camera_file(file, Path("CAM01.mov"), (1000, 500)).focal == (900, 910)
    with pytest.raises(InputError, match="cam_01, cam_02"):
        read_camera_file(file, Path("other.mp4"), (1000, 500))


def test_pose2sim_rotation_gives_gravity(tmp_path: Path) -> None:
    """A quarter turn about x takes the world's z (up) to minus y of the camera: held upright."""
    found = read_camera_file(_write(tmp_path, "c.toml", POSE2SIM), VIDEO, (1000, 500))
    np.testing.assert_allclose(found.gravity, [0, 1, 0], atol=1e-12)


def test_opencv_names(tmp_path: Path) -> None:
    found = read_camera_file(_write(tmp_path, "c.yml", OPENCV), VIDEO, (1000, 500))
    assert (found.focal, found.center) == ((900, 910), (490, 260))
    assert found.distortion == (0.1, -0.2, 0.001, 0.002, 0.3)


def test_plain_json(tmp_path: Path) -> None:
    text = '{"camera_matrix": [[900.0, 0.0, 490.0], [0.0, 910.0, 260.0], [0.0, 0.0, 1.0]], "dist_coeffs": [0.1, 0.0, 0.0, 0.0, 0.0]}'
    found = read_camera_file(_write(tmp_path, "c.json", text), VIDEO, (1000, 500))
    assert (found.focal, found.center) == ((900, 910), (490, 260))
    assert found.distortion[0] == 0.1


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("c.toml", "focal = [", "not a TOML"),
        ("c.toml", "lens = 3", "holds no camera"),
        ("c.toml", "focal = 'long'", "not understood"),
        ("c.toml", "focal = 5", "cannot be right"),
        ("c.toml", "focal = 900\ngravity = [0, 0, 0]", "not understood"),
        ("c.yml", "%YAML:1.0\n---\nfocal: 3\n", "holds no camera_matrix"),
        ("c.txt", "hello", "camera"),
    ],
)
def test_files_that_are_no_cameras(tmp_path: Path, name: str, text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        read_camera_file(_write(tmp_path, name, text), VIDEO, (1000, 500))


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such camera file"):
        read_camera_file(tmp_path / "none.toml", VIDEO, (1000, 500))
