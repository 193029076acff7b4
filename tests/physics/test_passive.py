"""Stops, springs and soft tissue along coordinates."""

import gzip
from dataclasses import replace
from functools import cache
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from joint_chains import FORCES, cart_and_rod
from monomsk.errors import ModelError
from monomsk.io import osim_read, osim_write
from monomsk.model.compile import compile_model
from monomsk.model.model import Model
from monomsk.model.spec import CoordinateLimit, CoordinateSpring
from monomsk.physics.controls import constant
from monomsk.physics.passive import passive_forces, with_passive
from monomsk.physics.simulate import State, simulate, torques

ORACLE = Path(__file__).parents[1] / "oracles/joints.npz"
INSIDE_AND_BEYOND = (-1.2, -0.6, -0.5, 0.1, 0.8, 0.85, 1.1)


@cache
def cart() -> Model:
    return compile_model(cart_and_rod())


def check_against_opensim(theirs: dict[str, np.ndarray]) -> None:
    model, ours = cart(), jax.jit(passive_forces)
    assert list(theirs["coordinates"]) == list(model.coordinate_names)
    for q, qd, tau in zip(theirs["q"], theirs["qd"], theirs["tau"], strict=True):
        np.testing.assert_allclose(ours(model, jnp.asarray(q), jnp.asarray(qd)), tau, atol=1e-10, rtol=1e-12)


def test_all_forces_together_are_opensims() -> None:
    with np.load(ORACLE) as file:
        check_against_opensim({k.partition("/")[2]: v for k, v in file.items() if k.startswith("cart/")})


def test_all_forces_together_are_opensims_today(tmp_path: Path) -> None:
    """And those of a file: what is written is read back."""
    pytest.importorskip("opensim")
    from oracles import make_joints

    check_against_opensim(make_joints.record_passive(tmp_path, 5))
    osim_write.write(tmp_path / "cart.osim", cart_and_rod())
    read = compile_model(osim_read.read(tmp_path / "cart.osim"))
    for found, right in zip(jax.tree.leaves(read.passive), jax.tree.leaves(cart().passive), strict=True):
        np.testing.assert_allclose(found, right, rtol=1e-15)


def test_a_stop_does_nothing_inside_and_has_whole_stiffness_beyond() -> None:
    model = compile_model(cart_and_rod(FORCES[:1]))
    for bend, expected in ((0.79, 0.0), (-0.49, 0.0), (1.1, -1100.0 * 0.3 - 3.0 * 2.0), (-0.9, 900.0 * 0.4 - 3.0 * 2.0)):
        np.testing.assert_allclose(passive_forces(model, jnp.array([0.0, bend]), jnp.array([0.0, 2.0])), [0.0, expected], atol=1e-9)


def test_a_body_without_them_has_none() -> None:
    model = compile_model(cart_and_rod(()))
    np.testing.assert_array_equal(passive_forces(model, jnp.ones(2), jnp.ones(2)), 0.0)


@pytest.mark.parametrize("bend", INSIDE_AND_BEYOND)
def test_gradients_by_motion_and_parameters(bend: float) -> None:
    """Also where a stop begins and where it is whole."""
    model, rng = cart(), np.random.default_rng(1)
    at = (jnp.array([0.4 * bend, bend]), jnp.array([0.5, -1.3]), model.passive)
    along = jax.tree.map(lambda v: jnp.asarray(rng.normal(size=v.shape)) * (0.1 + jnp.abs(v)), at)

    @jax.jit
    def f(q, qd, passive):
        body = eqx.tree_at(lambda m: m.passive, model, passive)
        return jnp.sum(jnp.sin(passive_forces(body, q, qd) / 100.0))

    step = 1e-6
    ahead, behind = (f(*jax.tree.map(lambda v, d, s=sign: v + s * step * d, at, along)) for sign in (1, -1))
    slope = jax.tree.map(jnp.vdot, jax.grad(f, argnums=(0, 1, 2))(*at), along)
    np.testing.assert_allclose(sum(jax.tree.leaves(slope)), (ahead - behind) / (2 * step), rtol=1e-6)


def test_a_rod_that_swings_is_held_by_its_stops() -> None:
    """In a simulation: damped, it comes to rest where gravity, spring and tissue balance."""
    model = compile_model(
        cart_and_rod((CoordinateSpring("spring", "bend", 5.0, 0.0, 2.0), CoordinateSpring("rail", "slide", 50.0, 0.1, 20.0)))
    )
    time = jnp.linspace(0.0, 20.0, 2001)
    end = simulate(model, State(jnp.array([0.0, 0.9]), jnp.zeros(2)), constant(jnp.zeros(2)), time, drive=with_passive(torques)).state
    np.testing.assert_allclose(end.q[-1], [0.1, 0.0], atol=1e-6)
    np.testing.assert_allclose(end.qd[-1], 0.0, atol=1e-6)


def test_bad_forces_are_refused() -> None:
    with pytest.raises(ModelError, match="force spring acts on coordinate 'elbow'"):
        compile_model(cart_and_rod((replace(FORCES[3], coordinate="elbow"),)))
    with pytest.raises(ModelError, match="transition is 0"):
        compile_model(cart_and_rod((CoordinateLimit("stop", "bend", -0.5, 0.8, 900.0, 1100.0, 0.0),)))


def test_soft_tissue_of_a_published_model(shared: Path, tmp_path: Path) -> None:
    """The 22 expressions of Hamner's scaled model of a person."""
    opensim = pytest.importorskip("opensim")
    opensim.Logger.setLevelString("off")
    packed, path = shared / "data/kinetics/models/HAM01_walk.osim.gz", tmp_path / "model.osim"
    path.write_bytes(gzip.decompress(packed.read_bytes()))
    read, notes = osim_read.read_with_notes(path)
    assert len(read.passive) == 22
    assert not any("Expression" in note and "CoordinateForce" in note for note in notes)
    model, theirs = compile_model(replace(read, muscles=(), wraps=())), opensim.Model(str(path))
    forces = [theirs.getForceSet().get(i) for i in range(theirs.getForceSet().getSize())]
    for force in forces:
        force.set_appliesForce(force.getConcreteClassName() == "ExpressionBasedCoordinateForce")
    state = theirs.initSystem()
    rng = np.random.default_rng(2)
    low, high = np.clip(np.asarray(model.coordinate_range).T, -1.0, 1.0)
    q, qd = rng.uniform(low, high), rng.normal(size=model.nq)
    for name, value, speed in zip(model.coordinate_names, q, qd, strict=True):
        theirs.getCoordinateSet().get(name).setLocked(state, False)
        theirs.getCoordinateSet().get(name).setValue(state, float(value), False)
        theirs.getCoordinateSet().get(name).setSpeedValue(state, float(speed))
    theirs.realizeDynamics(state)
    expected = np.zeros(model.nq)
    for force in forces:
        if force.get_appliesForce():
            expression = opensim.ExpressionBasedCoordinateForce.safeDownCast(force)
            expected[model.coordinate(expression.get_coordinate())] += force.getRecordValues(state).get(0)
    assert np.count_nonzero(expected) > 15
    np.testing.assert_allclose(passive_forces(model, jnp.asarray(q), jnp.asarray(qd)), expected, rtol=1e-12, atol=1e-12)
