import json
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from datasets.motions import clip
from monomsk.datasets import corpus
from monomsk.errors import FormatError


def test_a_clip_comes_back_from_its_file(tmp_path: Path) -> None:
    made = clip()
    corpus.write_clip(tmp_path, made, "recipe")
    back = corpus.read_clip(tmp_path / "clips" / f"{made.key}.npz")
    for field in fields(made):
        here, there = getattr(made, field.name), getattr(back, field.name)
        if isinstance(here, np.ndarray):
            np.testing.assert_allclose(there, here, atol=1e-12)
        else:
            assert there == here
    assert corpus.is_done(tmp_path, made.key, "recipe")
    assert not corpus.is_done(tmp_path, made.key, "another")
    assert not corpus.is_done(tmp_path, "nobody", "recipe")


def test_the_index_says_what_may_be_used(tmp_path: Path) -> None:
    clips = [clip(), replace(clip("P2", "T 2/x", "dev", False), mass=np.nan)]
    for c in clips:
        corpus.write_clip(tmp_path, c, "recipe")
    written = corpus.write_index(tmp_path, clips)
    assert str(corpus.read_index(tmp_path)) == str(written)
    assert [c.origin.person for c in corpus.read_corpus(tmp_path)] == ["P1", "P2"]
    assert [c.origin.person for c in corpus.read_corpus(tmp_path, commercial=True)] == ["P1"]
    assert [c.origin.name for c in corpus.read_corpus(tmp_path, split="dev")] == ["T 2/x"]


def test_an_index_keeps_what_an_earlier_run_left(tmp_path: Path) -> None:
    earlier = corpus.write_index(tmp_path, [clip(), clip("P2")])
    corpus.write_index(tmp_path, [replace(clip("P2"), stature=1.5), clip("P3")], kept=earlier)
    assert [(e.person, e.stature) for e in corpus.read_index(tmp_path)] == [
        ("P1", round(clip().stature, 4)),
        ("P2", 1.5),
        ("P3", round(clip().stature, 4)),
    ]


def test_nobody_is_in_two_splits(tmp_path: Path) -> None:
    corpus.write_index(tmp_path, [clip(), clip("P1", "T2", "dev")])
    with pytest.raises(FormatError, match="P1 is in train and in dev"):
        corpus.read_index(tmp_path)


def test_splits_depend_on_the_person_alone() -> None:
    people = [f"someone-{i}" for i in range(400)]
    splits = [corpus.split_of(p, None) for p in people]
    assert splits == [corpus.split_of(p, None) for p in people]
    assert 0.18 < np.mean([s == "test" for s in splits]) < 0.32
    assert corpus.split_of("someone-1", "dev") == "dev"


def damaged(path: Path, **changes: np.ndarray | None) -> None:
    with np.load(path) as stored:
        arrays = {**dict(stored), **changes}
    np.savez(path, **{k: v for k, v in arrays.items() if v is not None})


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"q": None}, "no array 'q'"),
        ({"about": np.array("no")}, "not a clip"),
        ({"contact": np.zeros((3, 4), bool)}, "'contact' is"),
        ({"factors": np.zeros((22, 3))}, "not numbers"),
        ({"about": np.array(json.dumps({"origin": {"source": "x"}, "error": {}}))}, "where it comes from"),
    ],
)
def test_damage_is_one_line_that_names_the_file(tmp_path: Path, changes: dict[str, np.ndarray | None], said: str) -> None:
    corpus.write_clip(tmp_path, clip(), "recipe")
    path = tmp_path / "clips" / f"{clip().key}.npz"
    damaged(path, **changes)
    with pytest.raises(FormatError, match=said) as caught:
        corpus.read_clip(path)
    assert clip().key in str(caught.value)


def test_a_line_of_the_index_that_cannot_be_right_is_named(tmp_path: Path) -> None:
    corpus.write_index(tmp_path, [clip()])
    path = tmp_path / "index.csv"
    path.write_text(path.read_text().replace(",yes,", ",perhaps,"))
    with pytest.raises(FormatError, match="line 2"):
        corpus.read_index(tmp_path)
    with pytest.raises(FormatError, match="monomsk corpus"):
        corpus.read_index(tmp_path / "nowhere")
