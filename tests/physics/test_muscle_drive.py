"""Muscles that move a hinge: balance, motion in two ways of integration, and gradients by the excitations."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from monomsk.io import osim_read, osim_write
from monomsk.model.compile import compile_model
from monomsk.model.muscles import compile_muscles
from monomsk.physics.controls import constant, controls
from monomsk.physics.muscle_drive import MuscleState, Tendons, muscle_drive, muscle_start
from monomsk.physics.simulate import Integration, State, simulate
from pendulums import elbow, muscle

STEP = 0.002
TIME = jnp.linspace(0.0, 0.2, 101)
SAMPLES = jnp.linspace(0.0, 0.2, 5)


@cache
def arm():
    """A flexor in front of the hinge and an extensor behind it, alike but for their sides."""
    front = muscle("flexor", (("humerus", (0.04, 0.25, 0.0)), ("ulna", (0.04, -0.05, 0.0))), force=800.0)
    back = muscle("extensor", (("humerus", (-0.04, 0.25, 0.0)), ("ulna", (-0.04, -0.05, 0.0))), force=800.0)
    spec = elbow(*(replace(m, pennation=0.2) for m in (front, back)))
    model = compile_model(spec)
    return model, compile_muscles(spec, model.body_names)


balanced = eqx.filter_jit(muscle_start)


def start(model, muscles, tendons: Tendons, activation: float = 0.2, q: float = 0.0) -> State:
    place, still, a = jnp.array([q]), jnp.zeros(1), jnp.full(2, activation)
    return State(place, still, balanced(model, muscles, place, still, a) if tendons == "compliant" else MuscleState(a))


@cache
def motion(tendons: Tendons) -> Callable[[jax.Array], tuple[tuple[jax.Array, State], jax.Array]]:
    """One program for the motion from rest by excitations at `SAMPLES`, for a number that says where it ends, and for its slope."""
    model, muscles = arm()
    drive = muscle_drive(muscles, tendons, step=STEP)
    first = start(model, muscles, tendons)

    def end(u: jax.Array) -> tuple[jax.Array, State]:
        found = simulate(model, first, controls(SAMPLES, u), TIME, drive=drive).state
        return found.q[-1, 0] + 0.1 * found.qd[-1, 0], found

    return jax.jit(jax.value_and_grad(end, has_aux=True))


def under(tendons: Tendons, excitations: tuple[float, float]) -> State:
    """The motion by excitations that stay as they are."""
    return motion(tendons)(jnp.tile(jnp.array(excitations), (len(SAMPLES), 1)))[0][1]


@pytest.mark.parametrize("tendons", ["rigid", "compliant"])
def test_equal_muscles_hold_the_hinge_and_the_stronger_excitation_moves_it(tendons: Tendons) -> None:
    held = under(tendons, (0.2, 0.2))
    assert np.abs(held.q).max() < 1e-9
    assert np.asarray(held.extra.activation) == pytest.approx(0.2, abs=1e-9)
    flexed, extended = under(tendons, (0.9, 0.05)), under(tendons, (0.05, 0.9))
    assert flexed.q[-1, 0] > 0.1
    assert float(flexed.q[-1, 0]) > float(extended.q[-1, 0])
    assert ((flexed.extra.activation >= 0.01) & (flexed.extra.activation <= 1.0)).all()


def test_fixed_implicit_steps_are_the_motion_that_adaptive_ones_find() -> None:
    model, muscles = arm()
    excitation = constant(jnp.array([0.6, 0.1]))
    first = start(model, muscles, "rigid")
    exact = Integration("tsit5", rtol=1e-8, atol=1e-10)
    expected = jax.jit(lambda: simulate(model, first, excitation, TIME, drive=muscle_drive(muscles, "rigid"), integration=exact))()
    assert bool(expected.finished)

    def error(found: State) -> float:
        return float(np.abs(found.q - expected.state.q).max() / np.abs(expected.state.q).max())

    parts = 4
    drive, how = muscle_drive(muscles, "rigid", step=STEP / parts), Integration(substeps=parts)
    fine = error(jax.jit(lambda: simulate(model, first, excitation, TIME, drive=drive, integration=how).state)())
    coarse = error(under("rigid", (0.6, 0.1)))
    assert coarse < 0.05
    # First order: a quarter of the step, a quarter of the error.
    assert fine == pytest.approx(coarse / parts, rel=0.3)


@pytest.mark.parametrize("tendons", ["rigid", "compliant"])
def test_gradient_by_excitations_against_differences(tendons: Tendons) -> None:
    run, h = motion(tendons), 1e-5
    u = np.random.default_rng(0).uniform(0.2, 0.8, (5, 2))
    slope = np.asarray(run(jnp.asarray(u))[1])
    for sample, which in ((0, 0), (1, 1), (2, 0), (3, 1)):
        change = np.zeros_like(u)
        change[sample, which] = h
        there, back = (float(run(jnp.asarray(u + c))[0][0]) for c in (change, -change))
        assert slope[sample, which] == pytest.approx((there - back) / (2 * h), rel=1e-5, abs=1e-8)
    assert (slope[:4, 0] > 0.0).all()
    assert (slope[:4, 1] < 0.0).all()


def test_reserves_are_moments_on_top() -> None:
    model, muscles = arm()
    drive = muscle_drive(muscles, reserves=True)
    first = start(model, muscles, "compliant", q=0.3)
    plain = muscle_drive(muscles)(model, jnp.array(0.0), first, jnp.array([0.4, 0.4]))
    more = drive(model, jnp.array(0.0), first, jnp.array([0.4, 0.4, 7.0]))
    assert float(more.tau[0] - plain.tau[0]) == pytest.approx(7.0, abs=1e-12)
    # The fibres balance their tendons at the start: nothing but activation changes.
    assert np.abs(np.asarray(plain.extra_rate.fiber_length)).max() < 1e-8
    assert (np.asarray(plain.extra_rate.activation) > 1.0).all()


@pytest.mark.parametrize("step", [None, STEP])
def test_each_muscle_has_the_tendon_and_the_activation_that_its_file_gives_it(step: float | None) -> None:
    model, muscles = arm()
    mixed = replace(muscles, stiff=(True, False), prompt=(False, True))
    place, still, a = jnp.array([0.1]), jnp.array([0.3]), jnp.array([0.2, 0.3])
    state = State(place, still, balanced(model, muscles, place, still, a))
    control = jnp.array([0.6, 0.7])

    def forces(muscles, tendons: Tendons, activation):
        extra = MuscleState(activation, state.extra.fiber_length if tendons == "compliant" else None)
        return muscle_drive(muscles, tendons, step=step)(model, jnp.array(0.0), replace(state, extra=extra), control)

    def pull(muscles, tendons: Tendons, activation, which: int) -> float:
        """Moment of one muscle: the other one's greatest force is nothing."""
        alone = replace(muscles, max_isometric_force=muscles.max_isometric_force.at[1 - which].set(1e-9))
        return float(forces(alone, tendons, activation).tau[0])

    found = forces(mixed, "compliant", a)
    stiff = pull(muscles, "rigid", a, 0)
    prompt = pull(muscles, "compliant", a.at[1].set(0.7), 1)
    assert float(found.tau[0]) == pytest.approx(stiff + prompt, rel=1e-6)
    assert float(found.extra_rate.activation[1]) == float(found.extra_rate.fiber_length[0]) == 0.0
    plain = forces(muscles, "compliant", a).extra_rate
    assert float(found.extra_rate.activation[0]) == pytest.approx(float(plain.activation[0]), rel=1e-12)


def test_the_file_says_which_tendons_give(tmp_path: Path) -> None:
    spec = elbow(*(muscle(name, (("humerus", (0.04, 0.25, 0.0)), ("ulna", (0.04, -0.05, 0.0)))) for name in ("a", "b")))
    prompt = replace(spec.muscles[1], parameters=(("ignore_activation_dynamics", 1.0),))
    osim_write.write(tmp_path / "m.osim", replace(spec, muscles=(replace(spec.muscles[0], ignore_tendon_compliance=True), prompt)))
    muscles = compile_muscles(osim_read.read(tmp_path / "m.osim"), compile_model(spec).body_names)
    assert (muscles.stiff, muscles.prompt) == ((True, False), (False, True))
