from pathlib import Path

import numpy as np
import pytest

from monomsk.cli import arguments, main
from monomsk.cli import demo as command
from monomsk.datasets.clip import truth
from monomsk.datasets.gait import load_gait, walker
from monomsk.io import grf, osim_write, results
from monomsk.io.body import load_body
from monomsk.types import Motion


@pytest.fixture
def perfect_run(tmp_path, monkeypatch):
    """A run that finds the truth, on a clip that nobody has to draw."""
    seen = []

    def run(order, words):
        seen.append(order)
        gait = load_gait()
        found = truth(walker(load_body(), gait.person), gait)
        order.folder.mkdir(exist_ok=True)
        osim_write.write(order.folder / "model.osim", load_body())
        results.write_motion(order.folder / "kinematics.mot", Motion(found.time, found.names, found.rotational, np.asarray(found.q)))
        results.write_kinetics(order.folder / "kinetics.sto", found)
        grf.write(order.folder / "grf.mot", found)
        return 0

    monkeypatch.setattr(command, "run", run)
    monkeypatch.setattr(command, "demo_clip", lambda: tmp_path / "cache" / "clip.mp4")
    return seen


def test_it_runs_on_the_clip_with_the_persons_height_and_mass(perfect_run, tmp_path, capsys):
    assert main.main(["demo", "--out", str(tmp_path / "out")]) == 0
    (order,) = perfect_run
    assert (order.video, order.height, order.mass) == (tmp_path / "cache" / "clip.mp4", 1.75, 72.0)
    shown = capsys.readouterr().out
    assert "0.0" in shown
    assert "≤ 15" in shown


def test_a_full_folder_is_refused_before_the_work(perfect_run, tmp_path, capsys):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("x")
    assert main.main(["demo", "--out", str(tmp_path / "out")]) == 8
    assert not perfect_run
    assert "--overwrite" in capsys.readouterr().err


def test_the_folder_has_a_name_of_its_own():
    assert arguments.parse(["demo"]).out == Path("monomsk_demo")


def test_the_clip_is_drawn_once(tmp_path, monkeypatch):
    monkeypatch.setenv("MONOMSK_CACHE", str(tmp_path))
    drawn = []

    def draw(path, progress):
        drawn.append(path)
        path.write_bytes(b"")
        path.with_name("truth.npz").write_bytes(b"")

    monkeypatch.setattr(command, "draw_clip", draw)
    assert command.demo_clip() == command.demo_clip()
    assert len(drawn) == 1
