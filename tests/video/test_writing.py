import numpy as np
import pytest

from monomsk.errors import OutputError
from monomsk.video import read_clip
from monomsk.video.writing import write_movie


def pictures(count):
    for i in range(count):
        picture = np.full((96, 128, 3), 40, np.uint8)
        picture[:, i : i + 20] = 220
        yield picture


def test_the_movie_is_read_as_it_was_written(tmp_path):
    write_movie(tmp_path / "x.mp4", pictures(40), (128, 96), 50)
    clip = read_clip(tmp_path / "x.mp4")
    assert clip.size == (128, 96)
    assert len(clip.time) == 40
    assert clip.rate == pytest.approx(50.0)
    assert clip.frame_time[0] == 0.0


def test_a_place_that_is_not_there_is_told(tmp_path):
    with pytest.raises(OutputError, match="movie"):
        write_movie(tmp_path / "none" / "x.mp4", pictures(2), (128, 96), 50)
