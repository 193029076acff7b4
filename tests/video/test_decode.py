import threading
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from monomsk.config import VideoConfig
from monomsk.errors import VideoError
from monomsk.video import frames, picture, read_clip, stills
from video.movies import counting_images, number_of, write_movie


def test_every_frame_comes_once_in_order(tmp_path: Path) -> None:
    clip = read_clip(write_movie(tmp_path / "a.mp4", counting_images(60), np.arange(60) / 30))
    seen = [(index, number_of(image)) for index, image in frames(clip)]
    assert seen == [(i, i) for i in range(60)]


def test_a_stretch_has_its_own_frames(tmp_path: Path) -> None:
    movie = write_movie(tmp_path / "a.mp4", counting_images(60), np.arange(60) / 30)
    clip = read_clip(movie, VideoConfig(start=0.6, end=1.5))
    seen = [(index, number_of(image)) for index, image in frames(clip)]
    assert seen == [(i, i + 18) for i in range(len(clip.frame_time))]


@pytest.mark.parametrize("turn", [90, 180, -90])
def test_pictures_are_turned_as_numpy_would(tmp_path: Path, turn: int) -> None:
    movie = write_movie(tmp_path / "a.mp4", counting_images(20), np.arange(20) / 25, turn=turn)
    clip = read_clip(movie)
    lying = picture(replace(clip, rotation=0), 0.0)
    upright = picture(clip, 0.0)
    assert upright.shape == (clip.size[1], clip.size[0], 3)
    np.testing.assert_array_equal(upright, np.rot90(lying, turn // 90 % 4))


def test_a_picture_is_the_one_of_its_time(tmp_path: Path) -> None:
    stamps = np.delete(np.arange(50) / 30, [10, 11, 12])
    clip = read_clip(write_movie(tmp_path / "a.mp4", counting_images(47), stamps))
    for frame in (0, 9, 10, 30, 46):
        assert number_of(picture(clip, float(stamps[frame]) + 0.004)) == frame


def test_stills_are_spread_over_the_stretch(tmp_path: Path) -> None:
    movie = write_movie(tmp_path / "a.mp4", counting_images(60), np.arange(60) / 30)
    clip = read_clip(movie, VideoConfig(start=0.5))
    chosen = stills(clip, count=6)
    assert [number_of(image) - 15 for _, image in chosen] == [index for index, _ in chosen]
    assert chosen[0][0] == 0
    assert chosen[-1][0] == len(clip.frame_time) - 1
    assert len(chosen) == 6


@pytest.mark.parametrize(
    "codec", [{"g": "1"}, {"g": "7"}, {"g": "12", "bf": "3", "preset": "veryfast"}], ids=["intra", "short", "b-frames"]
)
@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.mov"])
def test_jumping_to_keyframes_misses_nothing(tmp_path: Path, name: str, codec: dict[str, str]) -> None:
    clip = read_clip(write_movie(tmp_path / name, counting_images(60), np.arange(60) / 25, codec=codec))
    for wanted in (0, 6, 7, 35, 36, 59):
        assert number_of(picture(clip, wanted / 25)) == wanted
    assert all(number_of(image) == index for index, image in stills(clip, count=9))
    late = read_clip(clip.path, VideoConfig(start=1.4))
    assert [number_of(image) for _, image in frames(late)] == list(range(35, 60))


@pytest.mark.parametrize("name", ["a.avi", "a.h264"])
def test_files_without_presentation_times_are_counted(tmp_path: Path, name: str) -> None:
    path = write_movie(
        tmp_path / name, counting_images(60), np.arange(60) / 25, codec={"bf": "2", "preset": "veryfast"}, tick=Fraction(1, 25)
    )
    clip = read_clip(path, VideoConfig(start=0.6))
    assert "constant frame rate" in clip.warnings[-1]
    assert [(index, number_of(image)) for index, image in frames(clip)] == [(i, i + 15) for i in range(len(clip.frame_time))]
    assert all(number_of(image) == index + 15 for index, image in stills(clip, count=5))


def test_long_sides_are_shrunk_but_never_stretched(tmp_path: Path) -> None:
    clip = read_clip(write_movie(tmp_path / "a.mp4", counting_images(20), np.arange(20) / 25, turn=90))
    assert next(iter(frames(clip, long_side=96)))[1].shape == (96, 64, 3)
    assert next(iter(frames(clip, long_side=500)))[1].shape == (192, 128, 3)


def test_leaving_early_ends_the_thread(tmp_path: Path) -> None:
    clip = read_clip(write_movie(tmp_path / "a.mp4", counting_images(60), np.arange(60) / 30))
    source = frames(clip)
    next(source)
    source.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("decode")]


def test_a_damaged_middle_leaves_frames_out(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    images = [random.integers(0, 255, (128, 192, 3)).astype(np.uint8) for _ in range(30)]
    movie = write_movie(tmp_path / "a.mp4", images, np.arange(30) / 30)
    content = bytearray(movie.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 3000] = bytes(3000)
    movie.write_bytes(bytes(content))
    clip = read_clip(movie)
    seen = [index for index, _ in frames(clip)]
    assert len(clip.frame_time) == 30
    assert seen == sorted(set(seen))
    assert seen[0] == 0


def test_a_file_that_is_gone_is_named(tmp_path: Path) -> None:
    movie = write_movie(tmp_path / "a.mp4", counting_images(30), np.arange(30) / 30)
    clip = read_clip(movie)
    movie.unlink()
    with pytest.raises(VideoError, match="no such file"):
        list(frames(clip))
