"""The training loop: it learns, goes on where it was stopped, and shares its batches among devices."""

import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from monomsk.errors import FormatError, InputError
from monomsk.nn.transformer import Shape, Transformer
from monomsk.training.loop import CURVES, Schedule, started, train

SCHEDULE = Schedule(steps=40, batch=8, learning_rate=2e-2, warmup=4, save_every=10, average=0.9)
TIME, THERE = jnp.arange(6, dtype=jnp.float32) / 30.0, jnp.ones(6, bool)


def network(width: int = 16) -> Transformer:
    return Transformer(Shape(width, 2, 2), jax.random.key(0))


def batch(step: int, random: np.random.Generator) -> np.ndarray:
    return random.normal(size=(SCHEDULE.batch, 6, 16)).astype(np.float32)


def loss(network: Transformer, x: jax.Array, key: jax.Array) -> tuple[jax.Array, dict[str, jax.Array]]:
    """To hand the last frame's numbers on to all, some noise on top."""
    noise = 0.01 * jax.random.normal(key, x.shape, jnp.float32)
    said = jax.vmap(lambda v: network(v, TIME, THERE))(x + noise)
    error = jnp.mean((said - x[:, -1:]) ** 2)
    return error, {"error": error}


def test_it_learns_and_writes_its_curve(tmp_path):
    told: list[float] = []
    train(network(), loss, batch, SCHEDULE, tmp_path, lambda step, figures: told.append(figures["error"]))
    assert len(told) == 4
    assert told[-1] < 0.8 * told[0]
    lines = (tmp_path / CURVES).read_text("utf-8").splitlines()
    assert lines[0] == "step,error,steps_a_second"
    assert [int(row.split(",")[0]) for row in lines[1:]] == [10, 20, 30, 40]


def test_it_begins_with_weights_of_the_same_form_only():
    other = Transformer(Shape(16, 2, 2), jax.random.key(1))
    assert started(network(), other) is other
    for wrong in (
        network(32),
        Transformer(Shape(16, 2, 3), jax.random.key(0)),
        Transformer(Shape(16, 2, 2, temporal=False), jax.random.key(0)),
    ):
        with pytest.raises(InputError, match="another form"):
            started(network(), wrong)


class Stopped(Exception):
    """What a kill looks like from inside."""


def test_a_training_that_was_stopped_ends_as_if_it_had_not_been(tmp_path):
    whole = train(network(), loss, batch, SCHEDULE, tmp_path / "whole")

    def killed(step: int, random: np.random.Generator) -> np.ndarray:
        if step == 27:
            raise Stopped
        return batch(step, random)

    with pytest.raises(Stopped):
        train(network(), loss, killed, SCHEDULE, tmp_path / "parts")
    again = train(network(), loss, batch, SCHEDULE, tmp_path / "parts")
    assert all(np.array_equal(a, b) for a, b in zip(jax.tree.leaves(whole), jax.tree.leaves(again), strict=True))
    assert (tmp_path / "parts" / CURVES).read_text("utf-8").count("\n") == 5


def test_a_state_of_another_network_is_refused(tmp_path):
    train(network(), loss, batch, Schedule(steps=1, batch=8, warmup=0, save_every=1), tmp_path)
    with pytest.raises(FormatError, match="belongs to another"):
        train(Transformer(Shape(16, 2, 3), jax.random.key(0)), loss, batch, SCHEDULE, tmp_path)


def test_a_warm_up_that_never_ends_is_refused(tmp_path):
    with pytest.raises(InputError, match="does not fit"):
        train(network(), loss, batch, Schedule(steps=10, warmup=10), tmp_path)


def test_going_astray_is_said(tmp_path):
    def broken(network: Transformer, x: jax.Array, key: jax.Array) -> tuple[jax.Array, dict[str, jax.Array]]:
        error, _ = loss(network, x, key)
        return error / 0.0, {"error": error / 0.0}

    with pytest.raises(InputError, match="lower the learning rate"):
        train(network(), broken, batch, SCHEDULE, tmp_path)


SHARED = """
import sys; sys.path.insert(0, sys.argv[2])
import jax, numpy as np
from pathlib import Path
from test_loop import SCHEDULE, batch, loss, network
from monomsk.training.loop import train
assert len(jax.devices()) == 2
made = train(network(), loss, batch, SCHEDULE, Path(sys.argv[1]))
np.savez(Path(sys.argv[1]) / "made.npz", *jax.tree.leaves(made))
"""


def test_two_devices_learn_the_same(tmp_path, monkeypatch):
    alone = train(network(), loss, batch, SCHEDULE, tmp_path / "alone")
    monkeypatch.setenv("XLA_FLAGS", "--xla_force_host_platform_device_count=2")
    here = str(__file__).rpartition("/")[0]
    subprocess.run([sys.executable, "-c", SHARED, str(tmp_path / "shared"), here], check=True)
    made = np.load(tmp_path / "shared" / "made.npz")
    for one, other in zip(jax.tree.leaves(alone), (made[name] for name in made.files), strict=True):
        assert other == pytest.approx(np.asarray(one), abs=2e-3)
