from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from monomsk.config import CameraConfig
from monomsk.errors import InputError
from monomsk.types import Clip
from monomsk.video import estimate_camera, read_clip
from monomsk.video.camera import temporal_median
from video.movies import counting_images, write_movie


@pytest.fixture
def clip(tmp_path: Path) -> Clip:
    return read_clip(write_movie(tmp_path / "cam_7.mp4", counting_images(20), np.arange(20) / 25))


def test_an_unknown_lens_is_guessed_with_a_warning(clip: Clip) -> None:
    camera = estimate_camera(clip)
    assert camera.focal == pytest.approx((0.73 * 192, 0.73 * 192))
    assert camera.center == (96, 64)
    assert (camera.focal_source, camera.focal_sigma) == ("prior", 0.08)
    assert any("--focal" in text for text in camera.warnings)


def test_without_edges_the_camera_is_held_upright(clip: Clip) -> None:
    camera = estimate_camera(clip)
    assert camera.gravity_source == "prior"
    np.testing.assert_array_equal(camera.gravity, [0, 1, 0])
    assert camera.gravity_sigma == pytest.approx(np.radians(10))


def test_a_stated_focal_length_wins(clip: Clip) -> None:
    known = replace(clip, metadata={"com.apple.quicktime.model": "iPhone 14 Pro"})
    camera = estimate_camera(known, CameraConfig(focal=200.0))
    assert (camera.focal, camera.focal_source) == ((200.0, 200.0), "user")
    with pytest.raises(InputError, match="allowed"):
        estimate_camera(clip, CameraConfig(focal=4.0))


@pytest.mark.parametrize("model", ["iPhone 14 Pro", "iphone 14 pro", "iPhone15,2"])
def test_a_known_phone_gives_its_lens(clip: Clip, model: str) -> None:
    camera = estimate_camera(replace(clip, metadata={"com.apple.quicktime.model": model}))
    assert camera.focal[0] == pytest.approx(0.666 * 192)
    assert camera.focal_source == "table"


def test_another_lens_of_a_known_phone_is_unknown(clip: Clip) -> None:
    lens = {"com.apple.quicktime.model": "iPhone 14 Pro", "com.apple.quicktime.camera.lens_model": "iPhone 14 Pro front camera 2.69mm"}
    assert estimate_camera(replace(clip, metadata=lens)).focal_source == "prior"


def test_the_35_mm_focal_length_comes_before_the_phone(clip: Clip) -> None:
    key = "com.apple.quicktime.camera.focal_length.35mm_equivalent"
    camera = estimate_camera(replace(clip, metadata={key: "26", "com.apple.quicktime.model": "iPhone 14 Pro"}))
    assert camera.focal[0] == pytest.approx(26 / 43.27 * np.hypot(192, 128))
    assert camera.focal_source == "metadata"


def test_what_moves_is_not_in_the_median() -> None:
    images = [np.full((4, 6, 3), 80, np.uint8) for _ in range(7)]
    for i, image in enumerate(images[:6]):
        image[:, i] = 255
    np.testing.assert_array_equal(temporal_median(images), np.full((4, 6, 3), 80))


# The tilt of these cameras from upright was found by bundle adjustment of four views [degrees].
@pytest.mark.parametrize(("number", "tilt"), [(1, 26.5), (2, 18.4), (3, 23.9), (4, 33.3)])
def test_gravity_of_tilted_cameras(shared: Path, number: int, tilt: float) -> None:
    folder = shared / "data/video/pose2sim_single"
    clip = read_clip(folder / f"cam0{number}.mp4")
    file = estimate_camera(clip, CameraConfig(camera=folder / "Pose2Sim_cameras.toml"))
    assert file.gravity is not None
    assert file.gravity_source == "user"
    assert np.degrees(np.arccos(file.gravity[1])) == pytest.approx(tilt, abs=1.5)
    seen = estimate_camera(clip, CameraConfig(focal=file.focal[0]))
    assert seen.gravity is not None
    assert seen.gravity_source == "vanishing_point"
    assert np.degrees(np.arccos(seen.gravity @ file.gravity)) < 2.0
    guessed = estimate_camera(clip)
    assert guessed.gravity is not None
    # The guessed focal length is 16 % short here.
    assert np.arccos(guessed.gravity @ file.gravity) < 2.0 * guessed.gravity_sigma
