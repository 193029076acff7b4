"""The training of the inverse dynamics transformer: windows and their mirror images, a perfect answer, and going on after a stop."""

from dataclasses import replace
from pathlib import Path
from shutil import copyfile

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from monomsk.datasets.fitting import generic_body
from monomsk.errors import InputError
from monomsk.kinetics.transformer import DynamicsTransformer, Ground
from monomsk.nn.transformer import Shape
from monomsk.training.dynamics import (
    FRAMES,
    CloudConfig,
    Draw,
    DynamicsTraining,
    clouded,
    coordinates,
    draw,
    figures,
    pack_lessons,
    train_dynamics,
    windows,
)
from monomsk.training.loop import STATE, Schedule
from random_lessons import COUNT, lesson

SHAPE = Shape(16, 2, 1)


shown = eqx.filter_jit(windows)
hidden = eqx.filter_jit(clouded)
judged = eqx.filter_jit(figures)


def drawn(lesson: int, first: int, *, mirrored: bool) -> Draw:
    """Eight times the same window."""
    return Draw(np.full(8, lesson), np.full(8, first), np.full(8, mirrored))


def network() -> DynamicsTransformer:
    return DynamicsTransformer(coordinates(), generic_body().contact_names, SHAPE, jax.random.key(0))


def test_the_network_is_shown_the_pelvis_and_both_legs() -> None:
    names = coordinates()
    assert names[:2] == ("pelvis_tilt", "pelvis_list")
    assert len(names) == 12
    assert not any(name.startswith(("arm", "lumbar", "mtp")) for name in names)


def test_a_perfect_answer_costs_nothing_and_the_mirror_is_one() -> None:
    pack = pack_lessons([lesson()]).pack
    (effort, target), (image, other) = (shown(pack, drawn(0, 5, mirrored=m), network()) for m in (False, True))
    for true in (target, other):
        said = Ground(
            contact=jnp.where(true.force[..., 1] > 0.02, 20.0, -20.0), force=true.force, cop=true.cop, twist=true.twist,
            log_sigma=jnp.zeros((*true.twist.shape, 4)),
        )  # fmt: skip
        true = true._replace(moment=jnp.cross(true.cop[..., None, :] - true.joint, true.force[..., None, :]))
        for name, value in judged(said, true).items():
            assert float(value) == pytest.approx(0.0, abs=1e-5), name
    flip = np.array([1.0, 1.0, -1.0])
    np.testing.assert_allclose(target.moment[:, :, 0], np.asarray(other.moment[:, :, 1]) * -flip)
    np.testing.assert_allclose(target.force[:, :, 0], np.asarray(other.force[:, :, 1]) * flip)
    np.testing.assert_allclose(effort.force[:, :, 0], np.asarray(image.force[:, :, 1]) * flip)
    np.testing.assert_allclose(np.asarray(effort.force)[0], lesson().effort.force[5 : 5 + FRAMES])


def test_what_is_not_known_is_not_judged() -> None:
    late = np.arange(COUNT)[:, None] >= np.full(2, FRAMES)
    hardly = replace(lesson(), target=lesson().target._replace(known=late))
    _, target = shown(pack_lessons([hardly]).pack, drawn(0, 0, mirrored=False), network())
    said = Ground(target.force[..., 1], target.force + 1.0, target.cop, target.twist, jnp.zeros((*target.twist.shape, 4)))
    assert all(float(value) == 0.0 for value in judged(said, target).values())


def test_something_is_hidden_in_some_windows_and_the_classic_way_never_is() -> None:
    effort, _ = shown(pack_lessons([lesson()]).pack, drawn(0, 0, mirrored=False), network())
    found = [hidden(effort, CloudConfig(hidden=0.5, untold=0.0, posture=0.0), jax.random.key(k)) for k in range(5)]
    speed = np.concatenate([f.speed for f in found])
    gone = (speed == 0.0).all((1, 2))
    assert 8 < gone.sum() < 32
    np.testing.assert_array_equal(speed[~gone], np.concatenate([effort.speed] * 5)[~gone])
    for name in ("force", "cop", "needed", "point", "sigma"):
        np.testing.assert_array_equal(getattr(found[0], name), getattr(effort, name))


def test_a_training_that_was_stopped_ends_with_the_same_weights(tmp_path: Path) -> None:
    lessons = [lesson(0), lesson(1)]
    whole = DynamicsTraining(shape=SHAPE, schedule=Schedule(steps=2, batch=2, warmup=1, save_every=1))
    told = list[int]()

    def tell(step: int, _: dict[str, float]) -> None:
        told.append(step)
        if step == 1:
            (tmp_path / "b").mkdir()
            copyfile(tmp_path / "a" / STATE, tmp_path / "b" / STATE)

    at_once = train_dynamics(lessons, whole, tmp_path / "a", tell)
    assert told == [1, 2]
    resumed = train_dynamics(lessons, whole, tmp_path / "b", lambda step, _: told.append(step))
    assert told == [1, 2, 2]
    for a, b in zip(jax.tree.leaves(at_once), jax.tree.leaves(resumed), strict=True):
        np.testing.assert_array_equal(np.asarray(a), np.asarray(b))
    assert np.abs(np.asarray(at_once.write.weight)).max() > 0.0


def test_trials_shorter_than_a_window_are_no_lessons() -> None:
    with pytest.raises(InputError, match="frames long"):
        pack_lessons([lesson(0, FRAMES - 1), replace(lesson(), target=lesson().target._replace(known=np.zeros((COUNT, 2), bool)))])
    source = pack_lessons([lesson(0), lesson(1, FRAMES)])
    drawn = draw(source, 50, np.random.default_rng(0))
    assert (drawn.first[drawn.lesson == 1] == COUNT).all()
    assert (drawn.first[drawn.lesson == 0] <= COUNT - FRAMES).all()
