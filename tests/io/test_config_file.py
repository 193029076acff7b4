"""Settings as TOML: everything that goes out comes back, and a mistake is named."""

import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from monomsk.config import CameraConfig, Config, KeypointsConfig, VideoConfig
from monomsk.errors import FormatError, InputError
from monomsk.io.config_file import config_text, read_config
from monomsk.types import Subject

SUBJECT = Subject(height=1.75, mass=70.0, sex="f")


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "settings.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_what_goes_out_comes_back(tmp_path: Path) -> None:
    config = replace(
        Config(),
        video=VideoConfig(start=1.5, end=4.0),
        camera=CameraConfig(focal=1234.5, camera=Path('odd "name"\\ü.toml')),
        keypoints=KeypointsConfig(person=1, bbox=(1.0, 2.0, 30.5, 40.0), format="npz"),
    )
    again, subject = read_config(written(tmp_path, config_text(config, SUBJECT)))
    assert again == config
    assert subject == {"height": 1.75, "mass": 70.0, "sex": "f"}


def test_unset_values_are_comments() -> None:
    text = config_text(Config(), Subject(1.8, 80.0))
    assert "# end is not set" in text
    assert "end" not in tomllib.loads(text)["video"]
    assert "sex" not in tomllib.loads(text)["subject"]


def test_whole_numbers_may_stand_for_numbers(tmp_path: Path) -> None:
    config, _ = read_config(written(tmp_path, "[camera]\nfocal = 1500\n"))
    assert config.camera.focal == 1500.0
    assert isinstance(config.camera.focal, float)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[camera]\nfocall = 1500", ("[camera]", "'focall'", "did you mean 'focal'?")),
        ("[kamera]\nfocal = 1500", ("'kamera'", "did you mean 'camera'?")),
        ("[camera]\nzzz = 1", ("'zzz'", "allowed: focal, camera")),
        ("[subject]\nweight = 70", ("[subject]", "'weight'")),
        ('[camera]\nfocal = "long"', ("camera.focal = 'long'", "a number")),
        ("[keypoints]\nperson = 1.5", ("keypoints.person = 1.5", "a whole number")),
        ("[keypoints]\nbbox = [1, 2, 3]", ("keypoints.bbox", "a list like [a number, a number, a number, a number]")),
        ("[video]\nstart = true", ("video.start = True", "a number")),
        ("camera = 3", ("camera must be a section, [camera]",)),
        ("subject = 3", ("subject must be a section",)),
        ('[subject]\nsex = "x"', ("subject.sex = 'x'", "one of 'f', 'm'")),
    ],
)
def test_mistakes_are_named(tmp_path: Path, text: str, words: tuple[str, ...]) -> None:
    path = written(tmp_path, text)
    with pytest.raises(InputError) as error:
        read_config(path)
    for word in (str(path), *words):
        assert word in str(error.value)
    assert "\n" not in str(error.value)


def test_not_toml(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="not valid TOML"):
        read_config(written(tmp_path, "[camera\n"))


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read_config(tmp_path / "none.toml")
