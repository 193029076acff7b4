"""Rigid-tendon forces: marks, OpenSim's numbers, other kinds of muscle."""

from dataclasses import replace
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest

from bodies import shipped
from monomsk.io.body import load_body
from monomsk.model.muscles import Muscles, compile_muscles
from monomsk.physics.muscle import rigid_tendon_forces
from pendulums import elbow, muscle

ORACLE = np.load(Path(__file__).parents[1] / "oracles/muscles.npz")
ENDS = (("humerus", (0.0, 0.0, 0.0)), ("ulna", (0.0, 1.0, 0.0)))


def one(**changes) -> Muscles:
    return compile_muscles(elbow(replace(muscle("m", ENDS), **changes)), ("humerus", "ulna"))


@pytest.mark.parametrize("kind", ["Millard2012EquilibriumMuscle", "Thelen2003Muscle", "DeGrooteFregly2016Muscle"])
def test_at_optimal_length_and_rest_the_force_is_the_greatest_times_the_cosine(kind: str) -> None:
    alpha = 0.3
    m = one(kind=kind, pennation=alpha)
    found = rigid_tendon_forces(m, jnp.array([0.1 + 0.2 * np.cos(alpha)]), jnp.zeros(1))
    assert float(found.active[0]) == pytest.approx(1000.0 * np.cos(alpha), rel=1e-2 if kind.startswith("De") else 1e-9)
    assert float(found.fiber_length[0]) == pytest.approx(1.0, abs=1e-12)
    assert float(found.damping[0]) == 0.0
    shortening = rigid_tendon_forces(m, jnp.array([0.1 + 0.2 * np.cos(alpha)]), jnp.array([-2.0 / np.cos(alpha)]))
    assert float(shortening.fiber_velocity[0]) == pytest.approx(-1.0, abs=1e-12)
    assert float(shortening.active[0]) == pytest.approx(0.0, abs=3.0)


def test_a_path_shorter_than_the_tendon_is_slack() -> None:
    found = rigid_tendon_forces(one(pennation=0.3), jnp.array([0.09]), jnp.array([0.5]))
    assert bool(found.slack[0])
    assert float(found.active[0]) == float(found.passive[0]) == float(found.damping[0]) == 0.0


def test_equals_opensim() -> None:
    spec, model = load_body(), shipped()
    length, speed = jnp.asarray(ORACLE["length"]), jnp.asarray(ORACLE["speed"])
    strongest = ORACLE["force"].max()
    found = rigid_tendon_forces(compile_muscles(spec, model.body_names), length, speed)
    force = np.maximum(0.5 * found.active + found.passive + found.damping, 0.0)
    assert np.abs(force - ORACLE["force"]).max() < 1e-9 * strongest
    compat = rigid_tendon_forces(compile_muscles(spec, model.body_names, opensim_compat=True), length, speed)
    assert np.abs(np.asarray(compat.active) - ORACLE["optimal_force"]).max() < 1e-9 * strongest
