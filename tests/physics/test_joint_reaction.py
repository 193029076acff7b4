"""Joint reactions: answers of statics, identities, and OpenSim's numbers."""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from bodies import random_state, shipped
from monomsk.io import osim_write
from monomsk.io.body import load_body
from monomsk.model.compile import compile_model
from monomsk.model.model import Model, complete_rates
from monomsk.model.muscles import Muscles, compile_muscles
from monomsk.model.spec import PathWrap, Wrap
from monomsk.physics.forward_kinematics import forward_kinematics
from monomsk.physics.inverse_dynamics import inverse_dynamics
from monomsk.physics.jacobian import coordinate_twists
from monomsk.physics.joint_reaction import joint_reactions, muscle_wrenches, parent_joint_origins
from monomsk.physics.muscle_path import muscle_paths
from pendulums import elbow, muscle


def reactions(model: Model, muscles: Muscles, state, tension, *, compat: bool = False):
    q, qd, qdd = complete_rates(model, *(jnp.asarray(a) for a in state))
    poses = forward_kinematics(model, q)
    f_ext = muscle_wrenches(model, muscles, poses, q, jnp.asarray(tension))
    return joint_reactions(model, poses, qd, qdd, f_ext, simbody_compatible=compat)


def test_a_hanging_forearm_and_a_muscle_along_it() -> None:
    """The muscle presses the bones together by its tension; gravity pulls them apart by the forearm's weight."""
    spec = elbow(muscle("m", (("humerus", (0.05, 0.3, 0.0)), ("ulna", (0.05, -0.3, 0.0)))))
    model = compile_model(spec)
    still = jnp.zeros((3, 1))
    muscles = compile_muscles(spec, model.body_names)
    found = np.asarray(jax.jit(lambda state, tension: reactions(model, muscles, state, tension))(still, np.array([100.0])))[1]
    np.testing.assert_allclose(found, [0.0, 0.0, -100.0 * 0.05, 0.0, 9.80665 - 100.0, 0.0], atol=1e-9)


def test_a_pulley_hands_on_what_bends_the_path() -> None:
    wrap = Wrap("pulley", "WrapCylinder", "humerus", (0.0, 0.0, 0.0), (0.0, 0.0, 0.0), (0.03, 0.2), quadrant="-x")
    spec = elbow(muscle("m", (("humerus", (-0.05, 0.3, 0.0)), ("ulna", (-0.05, -0.3, 0.0))), wraps=(PathWrap("pulley"),)), wraps=(wrap,))
    model, q = compile_model(spec), jnp.array([1.1])
    muscles = compile_muscles(spec, model.body_names)

    @jax.jit
    def both(q):
        poses = forward_kinematics(model, q)
        return muscle_wrenches(model, muscles, poses, q, jnp.array([200.0])), muscle_paths(model, muscles, poses, q).moment_arm

    wrench, arm = both(q)
    np.testing.assert_allclose(wrench.sum(0), 0.0, atol=1e-9)
    assert np.linalg.norm(wrench[1, 3:]) == pytest.approx(200.0)
    assert wrench[1, 2] == pytest.approx(200.0 * float(arm[0, 0]))


def test_muscle_wrenches_make_the_moments_of_the_moment_arms() -> None:
    model = shipped()
    muscles = compile_muscles(load_body(), model.body_names)
    q, _, _ = complete_rates(model, *random_state(model, 3))
    tension = jnp.asarray(np.random.default_rng(1).uniform(0.0, 500.0, muscles.count))

    @jax.jit
    def both(q):
        poses = forward_kinematics(model, q)
        wrench = muscle_wrenches(model, muscles, poses, q, tension)
        moves = model.ancestor[:, jnp.array(model.coordinate_body)]
        work = jnp.einsum("bi,ci,bc->c", wrench, coordinate_twists(model, poses, jnp.zeros(3)), moves)
        return wrench, work, tension @ muscle_paths(model, muscles, poses, q).moment_arm

    wrench, work, expected = both(q)
    moved = np.setdiff1d(np.arange(model.nq), np.asarray(muscles.moving.coordinate))
    np.testing.assert_allclose(np.asarray(work)[moved], np.asarray(expected)[moved], atol=1e-9)
    np.testing.assert_allclose(wrench.sum(0), 0.0, atol=1e-6)


def test_without_muscles_the_reactions_hold_the_joint_moments() -> None:
    """Equals inverse dynamics, taken along the coordinates."""
    model = shipped()
    state = complete_rates(model, *random_state(model, 5))

    @jax.jit
    def both(q, qd, qdd):
        poses = forward_kinematics(model, q)
        found = joint_reactions(model, poses, qd, qdd, jnp.zeros((len(model.body_names), 6)))
        about_ground = jnp.concatenate([found[:, :3] + jnp.cross(poses.pivot, found[:, 3:]), found[:, 3:]], 1)
        twist = coordinate_twists(model, poses, jnp.zeros(3))
        return jnp.sum(twist * about_ground[jnp.array(model.coordinate_body)], 1), inverse_dynamics(model, q, qd, qdd)

    tau, expected = both(*state)
    np.testing.assert_allclose(tau, expected, atol=1e-8)


def test_equals_opensim(tmp_path: Path) -> None:
    """The same muscle forces in OpenSim, accelerations from its own forward dynamics, patellae included."""
    opensim = pytest.importorskip("opensim")
    opensim.Logger.setLevelString("error")
    spec, model = load_body(), shipped()
    osim_write.write(tmp_path / "model.osim", spec)
    living = opensim.Model(str(tmp_path / "model.osim"))
    state = living.initSystem()
    muscles = compile_muscles(spec, model.body_names, opensim_compat=True)
    coordinates = [living.getCoordinateSet().get(n) for n in model.coordinate_names]
    joints = [living.getJointSet().get(n) for n in model.joint_names]
    rng = np.random.default_rng(0)
    found = jax.jit(lambda *a: (reactions(model, muscles, a[:3], a[3], compat=True), origins(model, a[0])))
    for _ in range(3):
        for i, c in enumerate(coordinates):
            if i in model.free:
                c.setValue(state, rng.uniform(max(c.getRangeMin(), -1.0), min(c.getRangeMax(), 1.0)), False)
                c.setSpeedValue(state, rng.normal())
        living.assemble(state)
        living.realizeVelocity(state)
        tension = rng.uniform(0.0, 800.0, muscles.count)
        for name, force in zip(muscles.names, tension, strict=True):
            actuator = opensim.ScalarActuator.safeDownCast(living.getMuscles().get(name))
            actuator.overrideActuation(state, True)
            actuator.setOverrideActuation(state, float(force))
        living.realizeAcceleration(state)
        motion = [np.array([f(c) for c in coordinates]) for f in (value(state), speed(state), acceleration(state))]
        ours, (child, parent) = found(*motion, tension)
        on_child = np.array([both(j.calcReactionOnChildExpressedInGround(state)) for j in joints])
        on_parent = np.array([both(j.calcReactionOnParentExpressedInGround(state)) for j in joints])
        # 0.06 % of body weight; the tensions make loads of ten body weights.
        np.testing.assert_allclose(ours, on_child, atol=0.5)
        assert np.abs(on_child[:, 3:]).max() > 4000.0
        moment = -ours[:, :3] - np.cross(child - parent, ours[:, 3:])
        np.testing.assert_allclose(np.concatenate([moment, -ours[:, 3:]], 1), on_parent, atol=0.5)


def origins(model: Model, q):
    q, _, _ = complete_rates(model, q, q, q)
    poses = forward_kinematics(model, q)
    return poses.pivot, parent_joint_origins(model, poses)


def both(vector) -> np.ndarray:
    return np.concatenate([vector.get(0).to_numpy(), vector.get(1).to_numpy()])


def value(state):
    return lambda c: c.getValue(state)


def speed(state):
    return lambda c: c.getSpeedValue(state)


def acceleration(state):
    return lambda c: c.getAccelerationValue(state)
