"""`monomsk train`, very small: files, cards, and what cannot be right."""

import tomllib

import pytest

from datasets.motions import squatting, write_table
from monomsk.cli.main import main
from monomsk.datasets.corpus import write_clip, write_index
from monomsk.datasets.lessons import write_lesson
from monomsk.io.weights import sha256
from monomsk.networks import load_dynamics, load_markers
from random_lessons import lesson

SETTINGS = """
[shape]
width = 16
heads = 2
depth = 1

[windows]
frames = 6

[schedule]
steps = 2
warmup = 0
batch = 2
save_every = 1
"""


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    folder = tmp_path_factory.mktemp("corpus")
    clip = squatting()
    write_clip(folder, clip, "made up")
    write_index(folder, [clip])
    return folder


@pytest.fixture(scope="module")
def trained(corpus, tmp_path_factory):
    folder = tmp_path_factory.mktemp("weights")
    settings = folder / "settings.toml"
    settings.write_text(SETTINGS, "utf-8")
    assert main(["train", "markers", "--corpus", str(corpus), "--out", str(folder / "set"), "--config", str(settings)]) == 0
    return folder / "set"


def test_a_training_leaves_weights_with_a_card(trained):
    network, card = load_markers(trained)
    assert network.shape.width == 16
    assert card["use"]["commercial"] is True
    assert card["training"]["steps"] == 2
    assert card["training"]["seed"] == 0
    assert card["data"]["source"] == ["procedural"]
    assert card["data"]["licence"] == ["Apache-2.0"]
    lines = (trained / "markers_training" / "curves.csv").read_text("utf-8").splitlines()
    assert lines[0].startswith("step,")
    assert len(lines) == 3


def test_its_settings_can_be_used_again(trained):
    table = tomllib.loads((trained / "markers_training" / "config.toml").read_text("utf-8"))
    assert table["windows"]["frames"] == 6
    assert table["schedule"]["batch"] == 2


@pytest.mark.parametrize(
    ("settings", "told"), [("[schedule]\nstep = 3\n", "did you mean 'steps'"), ("[shape]\nwidth = 'wide'\n", "shape.width")]
)
def test_settings_that_cannot_be_right_are_said(corpus, tmp_path, capsys, settings, told):
    path = tmp_path / "settings.toml"
    path.write_text(settings, "utf-8")
    assert main(["train", "markers", "--corpus", str(corpus), "--out", str(tmp_path / "set"), "--config", str(path)]) != 0
    assert told in capsys.readouterr().err
    assert not (tmp_path / "set").exists()


def test_a_training_begins_with_the_weights_of_another(corpus, trained, tmp_path, capsys):
    settings = trained.parent / "settings.toml"
    words = ["train", "markers", "--corpus", str(corpus), "--out", str(tmp_path / "set"), "--start", str(trained)]
    assert main([*words, "--config", str(settings)]) == 0
    _, card = load_markers(tmp_path / "set")
    assert card["training"]["steps_before"] == 2
    assert card["training"]["begun_with_sha256"] == sha256(trained / "markers.safetensors")
    settings = tmp_path / "wider.toml"
    settings.write_text(SETTINGS.replace("16", "32"), "utf-8")
    assert main([*words, "--config", str(settings), "--out", str(tmp_path / "other")]) != 0
    assert "another form" in capsys.readouterr().err


def test_what_is_missing_is_said(corpus, tmp_path, capsys):
    assert main(["train", "kinematics", "--corpus", str(corpus), "--out", str(tmp_path / "set")]) != 0
    assert "monomsk train markers" in capsys.readouterr().err
    assert main(["train", "markers", "--corpus", str(corpus), "--out", str(tmp_path / "set"), "--machines", "2"]) != 0
    assert "--coordinator" in capsys.readouterr().err


def test_dynamics_are_learnt_from_the_lessons_that_lie_there(corpus, tmp_path):
    """The plates' trial was made ready before, and nothing else is asked for."""
    write_table(tmp_path / "data" / "kinetics", [{"file": "train/x.npz", "person": "P", "trial": "T", "source": "lab"}])
    place = tmp_path / "set" / "dynamics_training" / "lessons"
    for copy in (0, 1):
        write_lesson(place / f"lab__P__T__0__{copy}.npz", lesson(copy))
    settings = tmp_path / "settings.toml"
    form = "[shape]\nwidth = 16\nheads = 2\ndepth = 1\n[schedule]\nsteps = 2\nwarmup = 0\nbatch = 2\nsave_every = 1\n"
    settings.write_text("copies = 1\nimitations = 0\n" + form, "utf-8")
    words = ["train", "dynamics", "--root", str(tmp_path / "data"), "--corpus", str(corpus), "--out", str(tmp_path / "set")]
    assert main([*words, "--config", str(settings)]) == 0
    network, card = load_dynamics(tmp_path / "set")
    assert network.shape.width == 16
    assert network.coordinates[0] == "pelvis_tilt"
    assert card["use"]["commercial"] is True
    assert card["data"]["source"] == ["lab"]
    assert (tmp_path / "set" / "dynamics_training" / "curves.csv").is_file()


def test_dynamics_without_plates_are_refused(corpus, tmp_path, capsys):
    assert main(["train", "dynamics", "--corpus", str(corpus), "--out", str(tmp_path / "set")]) != 0
    assert "--root" in capsys.readouterr().err
