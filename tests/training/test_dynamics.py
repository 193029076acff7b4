"""The training of the inverse dynamics transformer: windows and their mirror images, a perfect answer, and going on after a stop."""

from dataclasses import replace
from pathlib import Path

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


def network() -> DynamicsTransformer:
    return DynamicsTransformer(coordinates(), generic_body().contact_names, SHAPE, jax.random.key(0))


def test_the_network_is_shown_the_pelvis_and_both_legs() -> None:
    names = coordinates()
    assert names[:2] == ("pelvis_tilt", "pelvis_list")
    assert len(names) == 12
    assert not any(name.startswith(("arm", "lumbar", "mtp")) for name in names)


def test_a_perfect_answer_costs_nothing_and_the_mirror_is_one() -> None:
    pack = pack_lessons([lesson()]).pack
    for other in (False, True):
        _, target = windows(pack, Draw(np.zeros(2, int), np.array([0, 5]), np.array([other, other])), network())
        said = Ground(
            contact=jnp.where(target.force[..., 1] > 0.02, 20.0, -20.0), force=target.force, cop=target.cop, twist=target.twist,
            log_sigma=jnp.zeros((*target.twist.shape, 4)),
        )  # fmt: skip
        for name, value in figures(said, target).items():
            assert float(value) == pytest.approx(0.0, abs=1e-5), name
    plain, image = (windows(pack, Draw(np.zeros(1, int), np.zeros(1, int), np.array([m])), network()) for m in (False, True))
    np.testing.assert_allclose(plain[1].force[:, :, 0], image[1].force[:, :, 1] * jnp.array([1.0, 1.0, -1.0]))
    np.testing.assert_allclose(plain[0].force[:, :, 0], image[0].force[:, :, 1] * jnp.array([1.0, 1.0, -1.0]))


def test_what_is_not_known_is_not_judged() -> None:
    one = lesson()
    nothing = replace(one, target=one.target._replace(known=0 * one.target.known > 0))
    pack = pack_lessons([nothing, one]).pack
    _, target = windows(pack, Draw(np.array([0]), np.array([0]), np.array([False])), network())
    said = Ground(target.force[..., 1], target.force + 1.0, target.cop, target.twist, jnp.zeros((*target.twist.shape, 4)))
    assert all(float(value) == 0.0 for value in figures(said, target).values())


def test_something_is_hidden_in_some_windows_and_the_classic_way_never_is() -> None:
    pack = pack_lessons([lesson()]).pack
    effort, _ = windows(pack, Draw(np.zeros(40, int), np.zeros(40, int), np.zeros(40, bool)), network())
    found = clouded(effort, CloudConfig(hidden=0.5, untold=0.0, posture=0.0), jax.random.key(3))
    hidden = np.asarray((found.speed == 0.0).all((1, 2)))
    assert 8 < hidden.sum() < 32
    np.testing.assert_array_equal(found.speed[~hidden], effort.speed[~hidden])
    for name in ("force", "cop", "needed", "point", "sigma"):
        np.testing.assert_array_equal(getattr(found, name), getattr(effort, name))


def test_a_training_that_was_stopped_ends_with_the_same_weights(tmp_path: Path) -> None:
    lessons = [lesson(0), lesson(1)]
    whole = DynamicsTraining(shape=SHAPE, schedule=Schedule(steps=4, batch=2, warmup=1, save_every=2))
    told = list[int]()
    at_once = train_dynamics(lessons, whole, tmp_path / "a", lambda step, _: told.append(step))
    assert told == [2, 4]

    def stop(step: int, _: dict[str, float]) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_dynamics(lessons, whole, tmp_path / "b", stop)
    assert (tmp_path / "b" / STATE).is_file()
    resumed = train_dynamics(lessons, whole, tmp_path / "b", lambda step, _: None)
    for a, b in zip(jax.tree.leaves(at_once), jax.tree.leaves(resumed), strict=True):
        np.testing.assert_array_equal(np.asarray(a), np.asarray(b))
    assert np.abs(np.asarray(at_once.write.weight)).max() > 0.0


def test_trials_shorter_than_a_window_are_no_lessons() -> None:
    with pytest.raises(InputError, match="frames long"):
        pack_lessons([lesson(0, FRAMES - 1)])
    source = pack_lessons([lesson(0), lesson(1, FRAMES)])
    drawn = draw(source, 50, np.random.default_rng(0))
    assert (drawn.first[drawn.lesson == 1] == COUNT).all()
    assert (drawn.first[drawn.lesson == 0] <= COUNT - FRAMES).all()
