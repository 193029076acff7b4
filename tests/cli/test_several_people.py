"""What `monomsk run` does when it cannot know whom to follow."""

from pathlib import Path

import numpy as np
import pytest

from monomsk.cli import run as command
from monomsk.cli.main import main
from monomsk.errors import SeveralPeopleError
from video.movies import write_movie


def test_a_numbered_picture_shows_the_choice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    import cv2

    video = write_movie(tmp_path / "two.mp4", [np.full((120, 200, 3), 128, np.uint8)] * 40, np.arange(40) / 30)

    def puzzled(*_: object, **__: object) -> None:
        raise SeveralPeopleError("2 people in two.mp4: say whom", 0.5, ((1, (10.0, 20.0, 30.0, 60.0)), (2, (120.0, 20.0, 30.0, 60.0))))

    monkeypatch.setattr(command, "analyze", puzzled)
    code = main(["run", str(video), "--height", "1.7", "--mass", "60", "--out", str(tmp_path / "out")])
    assert code == SeveralPeopleError.exit_code
    picture = tmp_path / "out_people.png"
    assert picture.name in capsys.readouterr().err
    image = cv2.imread(str(picture))
    assert image.shape == (120, 200, 3)
    green = (image[..., 1].astype(int) - image[..., 0]) > 60
    assert green[20:80, 8:12].any()
    assert green[20:80, 118:122].any()
    assert not green[90:, :].any()
    assert not (tmp_path / "out").exists()
