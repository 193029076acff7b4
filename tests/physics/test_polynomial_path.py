"""Polynomial paths: values, gradients, beside paths with points, and OpenSim's numbers."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from bodies import random_state, shipped
from monomsk.io import osim_write
from monomsk.model.compile import compile_model
from monomsk.model.model import complete_rates
from monomsk.model.muscles import compile_muscles
from monomsk.model.polynomials import exponents
from monomsk.model.spec import MultivariatePolynomial, PolynomialPath
from monomsk.muscles.rows import select
from monomsk.physics.forward_kinematics import forward_kinematics
from monomsk.physics.joint_reaction import joint_reactions, muscle_wrenches
from monomsk.physics.muscle import muscle_states
from monomsk.physics.muscle_drive import MuscleState, muscle_drive
from monomsk.physics.muscle_path import muscle_paths
from monomsk.physics.polynomial_path import lengthening_speeds, polynomial_paths
from monomsk.physics.simulate import State
from pendulums import elbow, muscle
from smooth_paths import COORDINATES, OWN_ARMS, OWN_SPEED, paths, smooth


@cache
def states():
    """Random postures and speeds; lengths, moment arms and speeds there."""
    model = shipped()
    muscles = compile_muscles(smooth(), model.body_names)
    q, qd = (jnp.stack(rows) for rows in zip(*(list(random_state(model, seed))[:2] for seed in range(5)), strict=True))

    def at(x, rate):
        x, rate, _ = complete_rates(model, x, rate, rate)
        paths = muscle_paths(model, muscles, forward_kinematics(model, x), x)
        return paths.length, paths.moment_arm, lengthening_speeds(muscles, x, rate, paths.moment_arm)

    return model, muscles, np.asarray(q), np.asarray(qd), [np.asarray(a) for a in jax.jit(jax.vmap(at))(q, qd)]


def value(function: MultivariatePolynomial, arguments: np.ndarray) -> float:
    powers = exponents(function.dimension, function.order)
    return sum(c * float(np.prod(arguments ** np.array(e))) for c, e in zip(function.coefficients, powers, strict=True))


def test_lengths_are_the_sums_of_their_terms() -> None:
    model, muscles, q, qd, (length, arm, speed) = states()
    for name, path in paths().items():
        own, i = [model.coordinate(c) for c in path.coordinates], muscles.names.index(name)
        for k in range(len(q)):
            at, rate = q[k][own], qd[k][own]
            assert length[k, i] == pytest.approx(value(path.length, at), abs=1e-12)
            if path.speed is not None:
                assert speed[k, i] == pytest.approx(value(path.speed, np.concatenate([at, rate])), abs=1e-12)
            if path.moment_arms:
                assert arm[k, i, own[0]] == pytest.approx(value(path.moment_arms[0], at), abs=1e-12)


def test_moment_arms_are_the_gradient_of_the_length_and_can_be_differentiated_again() -> None:
    _, muscles, q, _, _ = states()
    own = muscles.polynomials

    @jax.jit
    def all_of(x):
        return *polynomial_paths(own, x), jax.jacrev(lambda x: polynomial_paths(own, x)[0])(x)

    @jax.jit
    def second(x):
        return jax.jacfwd(lambda x: polynomial_paths(own, x)[1])(x)

    _, arm, slope = (np.asarray(a) for a in all_of(q[0]))
    stated = [name for name in muscles.names if name in COORDINATES].index(OWN_ARMS)
    follows = np.arange(own.count) != stated
    np.testing.assert_allclose(arm[follows], -slope[follows], atol=1e-12)
    assert np.abs(arm[stated] + slope[stated]).max() > 1e-3
    bend = np.asarray(second(q[0]))
    for c in own.coordinates:
        step = 1e-6 * (np.arange(len(q[0])) == c)
        by_steps = [(a - b) / 2e-6 for a, b in zip(all_of(q[0] + step)[:2], all_of(q[0] - step)[:2], strict=True)]
        np.testing.assert_allclose(slope[:, c], by_steps[0], atol=1e-8)
        np.testing.assert_allclose(bend[:, :, c], by_steps[1], atol=1e-8)


def test_the_coordinates_of_polynomials_are_crossed() -> None:
    model = shipped()
    rows = select(model, states()[1], ("calcn_r", "calcn_l"))
    assert {model.coordinate_names[i] for i in rows.index} == {c for own in COORDINATES.values() for c in own}


def test_lengths_arms_and_speeds_are_opensims(tmp_path: Path) -> None:
    opensim = pytest.importorskip("opensim")
    opensim.Logger.setLevelString("error")
    model, muscles, q, qd, (length, arm, speed) = states()
    osim_write.write(tmp_path / "model.osim", smooth())
    living = opensim.Model(str(tmp_path / "model.osim"))
    state = living.initSystem()
    coordinates = [living.getCoordinateSet().get(n) for n in model.coordinate_names]
    for k in range(len(q)):
        for c, at, rate in zip(coordinates, q[k], qd[k], strict=True):
            c.setLocked(state, False)
            c.setValue(state, float(at), False)
            c.setSpeedValue(state, float(rate))
        living.realizeVelocity(state)
        for name in COORDINATES:
            i, actuator = muscles.names.index(name), living.getMuscles().get(name)
            assert length[k, i] == pytest.approx(actuator.getLength(state), abs=1e-10)
            assert speed[k, i] == pytest.approx(actuator.getLengtheningSpeed(state), abs=1e-10)
            arms = [actuator.computeMomentArm(state, c) for c in coordinates]
            np.testing.assert_allclose(arm[k, i], arms, atol=1e-10)
    assert np.abs(speed[:, muscles.names.index(OWN_SPEED)]).max() > 0.1


def forearm():
    """A muscle along the forearm with points, and one that turns it by a polynomial."""
    ends = (("humerus", (0.05, 0.3, 0.0)), ("ulna", (0.05, -0.3, 0.0)))
    smooth = replace(
        muscle("smooth", ends), points=(), polynomial=PolynomialPath(("flexion",), MultivariatePolynomial(1, 3, (0.35, -0.04, 0.01, 0.02)))
    )
    spec = elbow(muscle("pointed", ends), smooth)
    model = compile_model(spec)
    return spec, model, compile_muscles(spec, model.body_names)


def test_joint_loads_are_opensims(tmp_path: Path) -> None:
    """A path without points pulls on no bone: in OpenSim its moment is the joint's, and so it is here."""
    opensim = pytest.importorskip("opensim")
    opensim.Logger.setLevelString("error")
    spec, model, muscles = forearm()
    osim_write.write(tmp_path / "model.osim", spec)
    living = opensim.Model(str(tmp_path / "model.osim"))
    state = living.initSystem()

    @jax.jit
    def loads(q, qd, qdd, tension):
        poses = forward_kinematics(model, q)
        return joint_reactions(model, poses, qd, qdd, muscle_wrenches(model, muscles, poses, q, tension))[1]

    coordinate, joint = living.getCoordinateSet().get("flexion"), living.getJointSet().get("elbow")
    for at, rate, tension in ((0.4, 2.0, (0.0, 300.0)), (-0.7, -1.0, (250.0, 120.0))):
        coordinate.setValue(state, at)
        coordinate.setSpeedValue(state, rate)
        living.realizeVelocity(state)
        for name, force in zip(muscles.names, tension, strict=True):
            actuator = opensim.ScalarActuator.safeDownCast(living.getMuscles().get(name))
            actuator.overrideActuation(state, True)
            actuator.setOverrideActuation(state, force)
        living.realizeAcceleration(state)
        motion = (jnp.array([v]) for v in (at, rate, coordinate.getAccelerationValue(state)))
        ours = loads(*motion, jnp.array(tension))
        theirs = joint.calcReactionOnChildExpressedInGround(state)
        np.testing.assert_allclose(ours[:3], theirs.get(0).to_numpy(), atol=1e-8)
        np.testing.assert_allclose(ours[3:], theirs.get(1).to_numpy(), atol=1e-8)


def test_beside_paths_with_points_and_as_a_drive() -> None:
    """In `muscle_states` and `muscle_drive`, each muscle is what it is alone."""
    spec, model, muscles = forearm()
    q, qd, activation = jnp.array([0.3]), jnp.array([1.5]), jnp.array([0.2, 0.6])

    @jax.jit
    def both():
        drive = muscle_drive(muscles, "rigid")
        forces = drive(model, jnp.zeros(()), State(q, qd, MuscleState(activation)), activation)
        return muscle_states(model, muscles, q[None], qd[None]), forces.tau

    found, tau = both()
    alone = compile_muscles(replace(spec, muscles=spec.muscles[:1]), model.body_names)
    paths = jax.jit(lambda: muscle_paths(model, alone, forward_kinematics(model, q), q))()
    length = 0.35 - 0.04 * 0.3 + 0.01 * 0.3**2 + 0.02 * 0.3**3
    arm = 0.04 - 0.02 * 0.3 - 0.06 * 0.3**2
    np.testing.assert_allclose(found.length[0], [paths.length[0], length], atol=1e-12)
    np.testing.assert_allclose(found.moment_arm[0, :, 0], [paths.moment_arm[0, 0], arm], atol=1e-12)
    np.testing.assert_allclose(found.speed[0], -1.5 * found.moment_arm[0, :, 0], atol=1e-12)
    assert not np.asarray(found.broken).any()
    assert (np.asarray(found.inside_of) == -1).all()
    able = found.forces
    tension = np.maximum(activation * able.active[0] + able.passive[0] + able.damping[0], 0.0)
    np.testing.assert_allclose(tau, tension @ found.moment_arm[0], rtol=1e-9)
