"""Lessons of a made-up squat on plates that its own motion tells."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest

from datasets.motions import squatting
from monomsk.datasets.forces import Case, MeasuredForces, case_of, needed
from monomsk.datasets.laboratory import Row
from monomsk.datasets.lessons import Copies, Lesson, certain, imitation, kept_lessons, made_ready, read_lesson, shaken, target, write_lesson
from monomsk.errors import FormatError
from monomsk.io import arrays_npz
from monomsk.training.dynamics import coordinates


@cache
def case() -> Case:
    return case_of(squatting(), 1.75)


@cache
def measured() -> MeasuredForces:
    """Both feet carry half, each in its middle."""
    feet, state, _ = needed(case(), 6.0)
    force = 0.5 * np.stack([state.wrench[:, 3:]] * 2, 1)
    cop = np.stack([state.point[:, feet.foot == f].mean(1) for f in (0, 1)], 1) * [1.0, 0.0, 1.0]
    known = np.ones((len(force), 2), bool)
    return MeasuredForces(case().motion.time, force, cop, 0.0 * force, known, known.all(1), mass=case().subject.mass, level=0.0)


@cache
def lesson() -> Lesson:
    ready = made_ready(case(), certain(case().motion), coordinates())
    return Lesson(case().clip.origin, ready.effort, target(case(), measured(), ready, ready))


def test_a_lesson_says_what_the_plates_say_in_body_weights_and_statures() -> None:
    target = lesson().target
    whole = np.asarray(lesson().effort.needed)[:, 3:]
    np.testing.assert_allclose(target.force.sum(1), whole, atol=1e-5)
    assert target.force[:, :, 1].sum(1).mean() == pytest.approx(1.0, abs=0.02)
    middle = np.asarray(lesson().effort.point).reshape(len(whole), 2, -1, 3).mean(2)
    np.testing.assert_allclose(target.cop[..., [0, 2]], middle[..., [0, 2]], atol=1e-5)
    assert (target.joint[:, :, 0, 1] > target.joint[:, :, 1, 1]).all()
    assert (target.joint[:, :, 1, 1] > target.joint[:, :, 2, 1]).all()
    np.testing.assert_allclose(np.asarray(lesson().effort.force).sum(1)[20:-20, 1], whole[20:-20, 1], atol=0.1)


def test_a_lesson_comes_back_from_its_file(tmp_path: Path) -> None:
    write_lesson(tmp_path / "a" / "b.npz", lesson())
    found = read_lesson(tmp_path / "a" / "b.npz")
    assert found.origin == lesson().origin
    for one, other in ((lesson().effort, found.effort), (lesson().target, found.target)):
        for name, a, b in zip(one._fields, one, other, strict=True):
            np.testing.assert_allclose(np.asarray(a, float), np.asarray(b, float), rtol=1e-6, err_msg=name)
    arrays_npz.write(tmp_path / "c.npz", {"effort_time": np.zeros(3)})
    with pytest.raises(FormatError, match="no lesson"):
        read_lesson(tmp_path / "c.npz")


def test_a_shaken_motion_errs_as_it_says_and_chance_is_the_seeds() -> None:
    motion = case().motion
    copies = [shaken(motion, np.random.default_rng(i)) for i in range(12)]
    turns = [i for i, name in enumerate(motion.names) if name.startswith(("hip_", "lumbar"))]
    ratio = [((c.q - motion.q)[:, turns] / c.sigma[:, turns]).std() for c in copies if c.sigma is not None]
    assert np.mean(ratio) == pytest.approx(1.0, abs=0.25)
    np.testing.assert_array_equal(copies[0].q, shaken(motion, np.random.default_rng(0)).q)
    stiff = [(c.q[:, motion.names.index("mtp_angle_r")] == 0.0).all() for c in copies]
    assert any(stiff)
    assert not all(stiff)


def test_an_imitation_of_the_motion_itself_is_what_the_classic_way_says() -> None:
    ready = made_ready(case(), certain(case().motion), coordinates())
    said = imitation(case(), ready, ready)
    np.testing.assert_allclose(said.force, ready.effort.force, atol=1e-5)
    held = said.force[..., 1] > 0.05
    assert held.any()
    np.testing.assert_allclose(said.cop[held][:, [0, 2]], np.asarray(ready.effort.cop)[held][:, [0, 2]], atol=1e-4)
    assert said.known.all()


def test_trials_that_cannot_be_used_are_told_and_left_out(tmp_path: Path) -> None:
    row = Row("train/x.npz", "train", "A", "x", "walk", 70.0, 1.75, "", "somewhere", "MIT", True)
    told = list[str]()
    assert kept_lessons(tmp_path, (tmp_path, tmp_path), (row,), coordinates(), Copies(1, 0), told.append) == []
    assert len(told) == 1
    assert "left out" in told[0]
    for copy in (0, 1):
        write_lesson(tmp_path / f"somewhere__A__x__0__{copy}.npz", lesson())
    assert len(kept_lessons(tmp_path, (tmp_path, tmp_path), (row,), coordinates(), Copies(1, 0), told.append)) == 2
    assert len(told) == 1
