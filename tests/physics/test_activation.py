"""Activation dynamics: OpenSim's rates, implicit steps, steady states."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from monomsk.physics.activation import activation_rate, activation_step
from slider_muscles import KINDS, Slider, as_arrays, lengths, random_muscles

COUNT = 24
STATES = np.random.default_rng(0).uniform(0.03, 1.0, (2, COUNT))


def alike(kind: str):
    """Muscles of one kind; De Groote's with the same constants, since OpenSim takes those of the first for all."""
    spec = random_muscles(kind, COUNT, 1)
    if kind != KINDS[2]:
        return spec
    times = {"activation_time_constant": 0.012, "deactivation_time_constant": 0.05, "activation_dynamics_smoothing": 3.0}
    return [replace(m, parameters=tuple((dict(m.parameters) | times).items())) for m in spec]


def living(kind: str) -> list[float]:
    """OpenSim's rates."""
    import opensim

    spec = alike(kind)
    slider = Slider(opensim, spec, lengths(spec, np.ones(COUNT), np.full(COUNT, 0.02)))
    activation, excitation = STATES
    slider.set(activation, 0.0)
    return [float(rate) for rate in slider.activation_rate(excitation)]


@pytest.mark.parametrize("kind", KINDS)
def test_equals_the_living_opensim(kind: str) -> None:
    pytest.importorskip("opensim")
    # In a process of its own: the first muscle of De Groote's kind in this one may have been another test's.
    words = "import json, sys; sys.path[:0] = sys.argv[1:3]; import test_activation as t; print(json.dumps(t.living(sys.argv[3])))"
    here = Path(__file__).parent
    told = subprocess.run([sys.executable, "-c", words, str(here), str(here.parent), kind], capture_output=True, text=True, check=True)
    expected = json.loads(told.stdout.splitlines()[-1])
    activation, excitation = STATES
    found = activation_rate(as_arrays(alike(kind)), jnp.asarray(activation), jnp.asarray(excitation))
    assert np.asarray(found) == pytest.approx(expected, rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_an_implicit_step_ends_where_its_rate_brought_it(kind: str) -> None:
    muscles = as_arrays(random_muscles(kind, COUNT, 2))
    activation, excitation = jnp.asarray(STATES)
    h = 0.02
    step = jax.jit(lambda a, u: activation_step(muscles, a, u, h))
    new = step(activation, excitation)
    rate = activation_rate(muscles, new, excitation)
    assert np.asarray(new) == pytest.approx(np.asarray(activation + h * rate), abs=1e-13)
    assert ((new - activation) * (new - excitation) <= 0.0).all()
    long = jax.jit(lambda a, u: activation_step(muscles, a, u, 1e3))(activation, excitation)
    assert np.asarray(long) == pytest.approx(np.asarray(excitation), abs=1e-3)
    h_x = 1e-6
    slope = jax.grad(lambda u: jnp.sum(step(activation, u)))(excitation)
    difference = (step(activation, excitation + h_x) - step(activation, excitation - h_x)) / (2 * h_x)
    assert np.asarray(slope) == pytest.approx(np.asarray(difference), rel=1e-6)


def test_it_rises_faster_than_it_falls_and_stays_in_its_range() -> None:
    muscles = as_arrays(random_muscles(KINDS[0], COUNT, 3))
    least = muscles.parameters["minimum_activation"]
    half = jnp.full(COUNT, 0.5)
    up, down = activation_rate(muscles, half, jnp.ones(COUNT)), activation_rate(muscles, half, jnp.zeros(COUNT))
    assert (up > -down).all()
    assert np.asarray(activation_step(muscles, half, jnp.full(COUNT, -1.0), 1e6)) == pytest.approx(np.asarray(least), abs=1e-5)
    assert np.asarray(activation_step(muscles, half, jnp.full(COUNT, 2.0), 1e6)) == pytest.approx(1.0, abs=1e-5)
    # At its steady state it stays, and follows the excitation from there.
    assert np.asarray(activation_step(muscles, half, half, 0.01)) == pytest.approx(0.5, abs=1e-14)
    assert (jax.grad(lambda u: jnp.sum(activation_step(muscles, half, u, 0.01)))(half) > 0.1).all()
