from pathlib import Path

import numpy as np
import pytest

from monomsk.config import VideoConfig
from monomsk.errors import VideoError
from monomsk.types import Clip
from monomsk.video import check_steady, read_clip
from monomsk.video.steadiness import steadiness
from video.movies import room, write_movie


def _movie(path: Path, shift: float, person: bool = True) -> Clip:
    """A block walks through a room that slides to the left by `shift` px a frame."""
    wide = room((720, 480))
    images = []
    for i in range(25):
        left = round(shift * i)
        image = wide[:, left : left + 400].copy()
        if person:
            image[100:400, 20 + 10 * i : 90 + 10 * i] = room((70, 300), seed=5)
        images.append(image)
    return read_clip(write_movie(path, images, np.arange(25) / 25))


def test_somebody_walking_through_moves_no_camera(tmp_path: Path) -> None:
    clip = _movie(tmp_path / "a.mp4", 0.0)
    assert steadiness(clip).excursion < 0.002
    assert check_steady(clip) is clip


@pytest.mark.parametrize("person", [True, False])
def test_the_way_of_the_camera_is_measured(tmp_path: Path, person: bool) -> None:
    clip = _movie(tmp_path / "a.mp4", 3.0, person)
    assert steadiness(clip).excursion == pytest.approx(72 / 480, rel=0.05)


def test_a_moving_camera_is_refused_unless_allowed(tmp_path: Path) -> None:
    clip = _movie(tmp_path / "a.mp4", 3.0)
    with pytest.raises(VideoError, match="tripod"):
        check_steady(clip)
    assert "camera moves" in check_steady(clip, VideoConfig(allow_moving=True)).warnings[-1]


def test_a_slight_motion_is_a_warning(tmp_path: Path) -> None:
    clip = _movie(tmp_path / "a.mp4", 0.3)
    assert "tripod would help" in check_steady(clip).warnings[-1]


def test_an_empty_wall_says_nothing(tmp_path: Path) -> None:
    images = [np.full((300, 400, 3), 128, np.uint8)] * 25
    clip = read_clip(write_movie(tmp_path / "a.mp4", images, np.arange(25) / 25))
    assert "too little" in check_steady(clip).warnings[-1]


@pytest.mark.parametrize("name", ["opencap_sts/video", "pose2sim_single/cam02", "sports2d/walk_side_view"])
def test_cameras_on_tripods_stand_still(shared: Path, name: str) -> None:
    clip = read_clip(shared / "data/video" / f"{name}.mp4")
    assert check_steady(clip) is clip
    assert steadiness(clip).excursion < 0.003
