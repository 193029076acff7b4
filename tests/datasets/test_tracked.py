"""Clips with moments and forces by optimal control: the files, the table, and what is not done twice."""

from pathlib import Path

import numpy as np
import pytest

from datasets.motions import squatting
from monomsk.cli.main import main
from monomsk.datasets import tracked
from monomsk.datasets.corpus import MotionClip, write_clip, write_index
from monomsk.datasets.tracked import TABLE, Report, Tracked, read_table
from monomsk.errors import FormatError, InputError
from monomsk.io import arrays_npz
from monomsk.types import Kinetics

CLIP = squatting()


def report(trouble: str = "") -> Report:
    return Report(CLIP.key, 2.5, 0.25, 0.125, 6.0, 3.0, 12.5, 0.02, 0.1, 1.5, 6, trouble)


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    write_clip(tmp_path / "corpus", CLIP, "made up")
    write_index(tmp_path / "corpus", [CLIP])
    return tmp_path / "corpus"


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Clips that were tracked, by a stand-in: the search itself has its own tests."""
    keys: list[str] = []

    def track(clip: MotionClip) -> Tracked:
        keys.append(clip.key)
        feet = np.ones((len(clip.time), 2, 3))
        turns = np.ones(len(clip.names), bool)
        kinetics = Kinetics(
            clip.time, clip.names, turns, clip.q, 2.0 * clip.q, ("calcn_r", "calcn_l"), feet, feet, feet, feet[..., 0] > 0.0
        )  # fmt: skip
        return Tracked(clip.origin, kinetics, report("to agree, this, and that"))

    monkeypatch.setattr(tracked, "track", track)
    return keys


def test_a_clip_is_tracked_once_and_its_table_reads_as_written(corpus: Path, asked: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    out = corpus.parent / "dynamics"
    assert main(["corpus-dynamics", "--corpus", str(corpus), "--out", str(out)]) == 0
    assert "1 of 1 clips, 0 to be believed" in capsys.readouterr().out
    stored = arrays_npz.read(out / "dynamics" / f"{CLIP.key}.npz")
    np.testing.assert_array_equal(stored["tau"], 2.0 * CLIP.q)
    assert stored["origin_source"].item() == CLIP.origin.source
    assert read_table(out / TABLE) == {CLIP.key: report("to agree; this; and that")}
    assert main(["corpus-dynamics", "--corpus", str(corpus), "--out", str(out)]) == 0
    assert asked == [CLIP.key]


def test_a_clip_that_cannot_be_used_is_left_out(corpus: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def track(clip: MotionClip) -> Tracked:
        raise InputError("nobody knows this person's mass")

    monkeypatch.setattr(tracked, "track", track)
    assert main(["corpus-dynamics", "--corpus", str(corpus), "--out", str(corpus.parent / "dynamics")]) == 0
    told = capsys.readouterr()
    assert "left out: nobody knows" in told.err
    assert "0 of 1 clips" in told.out


@pytest.mark.parametrize(("more", "said"), [(["--only", "nobody"], "no such clips"), (["--most", "0"], "nothing to track")])
def test_nothing_to_track_is_told(corpus: Path, more: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["corpus-dynamics", "--corpus", str(corpus), "--out", str(corpus.parent / "dynamics"), *more]) == 2
    assert said in capsys.readouterr().err


def test_a_damaged_table_is_told(tmp_path: Path) -> None:
    (tmp_path / TABLE).write_text("key,seconds\nwalk,3\n", "utf-8")
    with pytest.raises(FormatError, match="no table of tracked clips"):
        read_table(tmp_path / TABLE)
