from pathlib import Path

import numpy as np
import pytest

from monomsk.config import VideoConfig
from monomsk.errors import VideoError
from monomsk.video import read_clip
from video.movies import counting_images, write_movie


def test_a_plain_movie(tmp_path: Path) -> None:
    clip = read_clip(write_movie(tmp_path / "a.mp4", counting_images(30), np.arange(30) / 25))
    assert clip.size == (192, 128)
    assert clip.rotation == 0
    assert clip.frame_index == (0, 30)
    assert clip.rate == pytest.approx(25)
    assert clip.warnings == ()
    np.testing.assert_allclose(clip.time, np.arange(30) / 25, atol=1e-9)
    np.testing.assert_allclose(clip.frame_time, clip.time, atol=2e-5)


@pytest.mark.parametrize(("turn", "quarters", "size"), [(90, 1, (128, 192)), (180, 2, (192, 128)), (-90, 3, (128, 192))])
def test_the_rotation_tag_swaps_the_sides(tmp_path: Path, turn: int, quarters: int, size: tuple[int, int]) -> None:
    clip = read_clip(write_movie(tmp_path / "a.mp4", counting_images(20), np.arange(20) / 25, turn=turn))
    assert (clip.rotation, clip.size) == (quarters, size)


def test_dropped_frames_keep_their_times(tmp_path: Path) -> None:
    stamps = np.delete(np.arange(40) / 30, [7, 20, 21, 22])
    clip = read_clip(write_movie(tmp_path / "a.mp4", counting_images(36), stamps))
    np.testing.assert_allclose(clip.frame_time, stamps, atol=2e-5)
    assert len(clip.time) == 40
    assert clip.rate == pytest.approx(30, rel=1e-4)
    assert any("4 frames were dropped" in text for text in clip.warnings)
    assert any("1 gaps" in text and "133 ms" in text for text in clip.warnings)


def test_times_rounded_to_milliseconds_give_the_true_rate(tmp_path: Path) -> None:
    stamps = np.round(np.arange(60) / 30, 3)
    clip = read_clip(write_movie(tmp_path / "a.mp4", counting_images(60), stamps))
    assert clip.rate == pytest.approx(30, rel=2e-4)
    assert clip.warnings == ()


def test_a_varying_rate_is_told(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    stamps = np.concatenate([[0], np.cumsum(random.uniform(0.02, 0.06, 39))])
    clip = read_clip(write_movie(tmp_path / "a.mp4", counting_images(40), stamps))
    np.testing.assert_allclose(clip.frame_time, stamps, atol=2e-5)
    assert clip.time[-1] <= clip.frame_time[-1] + 1e-9
    assert any("varies" in text for text in clip.warnings)


def test_slow_motion_is_undone_by_the_tag_of_android(tmp_path: Path) -> None:
    movie = write_movie(tmp_path / "a.mp4", counting_images(66), np.arange(66) / 30, metadata={"com.android.capture.fps": "120.000000"})
    clip = read_clip(movie)
    assert clip.rate == pytest.approx(120, rel=1e-4)
    assert clip.time_scale == pytest.approx(0.25, rel=1e-4)
    assert any("slow motion" in text for text in clip.warnings)


def test_a_real_high_rate_is_left_alone(tmp_path: Path) -> None:
    movie = write_movie(tmp_path / "a.mp4", counting_images(66), np.arange(66) / 120, metadata={"com.android.capture.fps": "120.0"})
    assert read_clip(movie).time_scale == 1.0


def test_a_stated_time_scale_wins(tmp_path: Path) -> None:
    movie = write_movie(tmp_path / "a.mp4", counting_images(66), np.arange(66) / 30, metadata={"com.android.capture.fps": "120.0"})
    clip = read_clip(movie, VideoConfig(time_scale=0.5))
    assert clip.rate == pytest.approx(60, rel=1e-4)


def test_a_stretch_begins_at_zero(tmp_path: Path) -> None:
    movie = write_movie(tmp_path / "a.mp4", counting_images(60), np.arange(60) / 30)
    clip = read_clip(movie, VideoConfig(start=0.5, end=1.5))
    assert clip.frame_index == (15, 46)
    assert clip.start == pytest.approx(0.5, abs=1e-4)
    assert clip.frame_time[0] == clip.time[0] == 0
    assert clip.time[-1] == pytest.approx(1.0, abs=1e-4)


@pytest.mark.parametrize(
    ("config", "said"),
    [
        (VideoConfig(start=0.2, end=0.5), "at least 0.5 s"),
        (VideoConfig(start=5.0), "not within the 1.97 s"),
        (VideoConfig(start=-1.0), "not within"),
        (VideoConfig(start=1.0, end=0.5), "not within"),
        (VideoConfig(time_scale=0.0), "time scale"),
    ],
)
def test_impossible_stretches_are_refused(tmp_path: Path, config: VideoConfig, said: str) -> None:
    movie = write_movie(tmp_path / "a.mp4", counting_images(60), np.arange(60) / 30)
    with pytest.raises(VideoError, match=said):
        read_clip(movie, config)


def test_files_that_are_no_videos_are_refused(tmp_path: Path) -> None:
    with pytest.raises(VideoError, match="no such file"):
        read_clip(tmp_path / "none.mp4")
    with pytest.raises(VideoError, match="is not a file"):
        read_clip(tmp_path)
    noise = tmp_path / "noise.mp4"
    noise.write_bytes(np.random.default_rng(0).bytes(5000))
    with pytest.raises(VideoError, match="cannot be decoded"):
        read_clip(noise)
    (tmp_path / "empty.mp4").touch()
    with pytest.raises(VideoError, match="cannot be decoded"):
        read_clip(tmp_path / "empty.mp4")
    whole = write_movie(tmp_path / "a.mp4", counting_images(60), np.arange(60) / 30).read_bytes()
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(VideoError, match="cannot be decoded"):
        read_clip(cut)


def test_a_sound_file_is_refused(tmp_path: Path) -> None:
    import av

    path = tmp_path / "a.wav"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 8000), np.int16), "s16", "mono")
        frame.rate = 8000
        container.mux(stream.encode(frame))
    with pytest.raises(VideoError, match="no video stream"):
        read_clip(path)


def test_tiny_pictures_are_refused(tmp_path: Path) -> None:
    movie = write_movie(tmp_path / "a.mp4", counting_images(30, (64, 48)), np.arange(30) / 30)
    with pytest.raises(VideoError, match="64×48"):
        read_clip(movie)
