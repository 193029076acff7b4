"""Accelerations with couplers and locks equal OpenSim's, solve the equations of motion and have the derivatives they should."""

from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from bodies import random_state, shipped
from monomsk.io import osim_read
from monomsk.model.compile import compile_model
from monomsk.model.model import Model, complete, complete_rates
from monomsk.physics.equations_of_motion import Derivatives, accelerations, follow, opensim_accelerations
from monomsk.physics.forward_dynamics import forward_dynamics
from monomsk.physics.inverse_dynamics import inverse_dynamics

MODEL = shipped()
solved_for = jax.jit(accelerations)


@dataclass(frozen=True)
class Pushed:
    """A state, forces on the coordinates and wrenches on the bodies."""

    q: jax.Array
    qd: jax.Array
    tau: jax.Array
    f_ext: jax.Array


def pushed(model: Model, seed: int) -> Pushed:
    rng = np.random.default_rng(seed)
    q, qd, tau = random_state(model, seed)
    return Pushed(q, qd, 30.0 * tau, jnp.asarray(rng.normal(size=(len(model.body_names), 6)) * 20.0))


class Enforced:
    """A body in OpenSim with its couplers and locks, moved by one generalized force on each coordinate and by nothing else."""

    def __init__(self, path: Path):
        opensim = pytest.importorskip("opensim")
        opensim.Logger.setLevelString("off")
        self.model = opensim.Model(str(path))
        self.model.updForceSet().clearAndDestroy()
        found = self.model.updCoordinateSet()
        self.names = [found.get(i).getName() for i in range(found.getSize())]
        for name in self.names:
            force = opensim.CoordinateActuator(name)
            force.setName(f"{name}_force")
            self.model.addForce(force)
            force.thisown = False
        self.state = self.model.initSystem()
        found = self.model.getCoordinateSet()
        self.coordinates = {name: found.get(name) for name in self.names}
        forces = self.model.getForceSet()
        self.forces = {name: opensim.CoordinateActuator.safeDownCast(forces.get(f"{name}_force")) for name in self.names}

    def accelerations(self, model: Model, at: Pushed) -> np.ndarray:
        """Of all coordinates in our order, without wrenches; `at.q` and `at.qd` keep to couplers and locks."""
        for i, name in enumerate(model.coordinate_names):
            coordinate: Any = self.coordinates[name]
            coordinate.setLocked(self.state, False)
            coordinate.setValue(self.state, float(at.q[i]), False)
            coordinate.setSpeedValue(self.state, float(at.qd[i]))
            coordinate.setLocked(self.state, model.locked[i])
            self.forces[name].overrideActuation(self.state, True)
            self.forces[name].setOverrideActuation(self.state, float(at.tau[i]))
        self.model.realizeAcceleration(self.state)
        return np.array([self.coordinates[name].getAccelerationValue(self.state) for name in model.coordinate_names])


@jax.jit
def both_ways(model: Model, *at: jax.Array) -> tuple[jax.Array, jax.Array]:
    return opensim_accelerations(model, *at), accelerations(model, *at)


def check_against_opensim(path: Path) -> float:
    """The most that OpenSim's error changes an acceleration [rad/s², m/s²]."""
    model = compile_model(replace(osim_read.read(path), muscles=(), wraps=()))
    assert any(model.locked)
    assert model.dependent
    theirs, surplus = Enforced(path), 0.0
    for seed in range(6):
        at = pushed(model, seed)
        q, qd, _ = complete_rates(model, at.q, jnp.where(jnp.array(model.locked), 0.0, at.qd), jnp.zeros_like(at.q))
        expected = theirs.accelerations(model, replace(at, q=q, qd=qd))
        compatible, right = both_ways(model, q, qd, at.tau)
        np.testing.assert_allclose(compatible, expected, atol=1e-9 * np.abs(expected).max(), rtol=0)
        surplus = max(surplus, float(np.abs(right - expected).max()))
    return surplus


def test_the_shipped_body_accelerates_as_in_opensim(repository: Path) -> None:
    surplus = check_against_opensim(repository / "src/monomsk/data/body/monomsk_body.osim")
    assert surplus > 1e-2, "OpenSim's error should show: one coordinate turns the shipped knee about three axes"


@pytest.mark.parametrize("name", ["Rajagopal2016", "RajagopalLaiUhlrich2023"])
def test_published_models_accelerate_as_in_opensim(name: str, shared: Path) -> None:
    check_against_opensim(shared / f"data/models/{name}.osim")


def test_what_is_free_obeys_the_equations_of_motion_and_the_rest_the_constraints() -> None:
    at = pushed(MODEL, 1)
    armature = jnp.asarray(np.random.default_rng(2).uniform(0.0, 0.3, MODEL.nq))
    q, qd, _ = complete_rates(MODEL, at.q, jnp.where(jnp.array(MODEL.locked), 0.0, at.qd), jnp.zeros_like(at.q))
    free = jnp.array(MODEL.free)

    @jax.jit
    def solved() -> tuple[jax.Array, ...]:
        qdd = accelerations(MODEL, at.q, at.qd, at.tau, at.f_ext, armature=armature)
        # No motion that the constraints allow may find a force that is missing: virtual work, by the derivative of `complete`.
        allowed = jax.jacfwd(lambda own: complete(MODEL, q.at[free].set(own)))(q[free])
        missing = allowed.T @ (at.tau - inverse_dynamics(MODEL, q, qd, qdd, at.f_ext))
        return qdd, complete_rates(MODEL, q, qd, qdd)[2], missing, allowed.T**2 @ armature * qdd[free]

    qdd, followed, missing, inert = solved()
    np.testing.assert_allclose(qdd[jnp.array(MODEL.locked)], 0.0)
    np.testing.assert_allclose(followed, qdd, atol=1e-12 * float(jnp.abs(qdd).max()))
    np.testing.assert_allclose(missing, inert, atol=1e-8)


def test_without_constraints_it_is_forward_dynamics() -> None:
    at = pushed(MODEL, 2)
    ours = jax.jit(lambda *x: accelerations(MODEL, *x, constrained=False))(at.q, at.qd, at.tau, at.f_ext)
    expected = jax.jit(forward_dynamics)(MODEL, at.q, at.qd, at.tau, at.f_ext)
    np.testing.assert_allclose(ours, expected, atol=1e-10 * float(jnp.abs(expected).max()), rtol=0)


def test_every_coordinate_follows_a_free_one_or_none() -> None:
    following = follow(MODEL)
    for coordinate, number in enumerate(following):
        if MODEL.locked[coordinate]:
            assert number == -1
        elif coordinate in MODEL.dependent:
            assert MODEL.free[number] == MODEL.independent[MODEL.dependent.index(coordinate)]
        else:
            assert MODEL.free[number] == coordinate


def arguments() -> tuple[jax.Array, ...]:
    at = pushed(MODEL, 3)
    return at.q, at.qd, at.tau, at.f_ext, jnp.asarray(np.random.default_rng(4).uniform(0.0, 0.3, MODEL.nq)), MODEL.mass


def of(derivatives: Derivatives, x: tuple[jax.Array, ...]) -> jax.Array:
    """Accelerations by everything they can be differentiated by, a body number among it."""
    *state, armature, mass = x
    return accelerations(replace(MODEL, mass=mass), *state, armature=armature, derivatives=derivatives)


@cache
def exact() -> tuple[jax.Array, ...]:
    """The whole matrix of derivatives through JAX alone: mass matrix and factorisation differentiated as they stand."""
    return jax.jit(jax.jacfwd(lambda x: of("any", x)))(arguments())


@pytest.mark.parametrize("derivatives", ["backward", "first"])
def test_derivatives_backwards(derivatives: Derivatives) -> None:
    weight = jnp.asarray(np.random.default_rng(5).normal(size=MODEL.nq))
    found = jax.jit(jax.grad(lambda x: weight @ of(derivatives, x)))(arguments())
    for ours, whole in zip(found, exact(), strict=True):
        expected = jnp.tensordot(weight, whole, 1)
        np.testing.assert_allclose(ours, expected, atol=1e-10 * float(jnp.abs(expected).max()), rtol=0)


def test_derivatives_forwards() -> None:
    rng = np.random.default_rng(6)
    along = tuple(jnp.asarray(rng.normal(size=x.shape)) for x in arguments())
    found = jax.jit(lambda d: jax.jvp(lambda x: of("first", x), (arguments(),), (d,))[1])(along)
    expected = sum(jnp.tensordot(whole, d, d.ndim) for whole, d in zip(exact(), along, strict=True))
    np.testing.assert_allclose(found, expected, atol=1e-10 * float(jnp.abs(expected).max()), rtol=0)
    alone = jax.jit(lambda d: jax.jvp(lambda q: of("first", (q, *arguments()[1:])), (arguments()[0],), (d,))[1])(along[0])
    np.testing.assert_allclose(alone, exact()[0] @ along[0], atol=1e-10 * float(jnp.abs(alone).max()), rtol=0)


def test_batching_equals_a_loop() -> None:
    several = [pushed(MODEL, seed) for seed in range(5)]
    columns = [jnp.stack([getattr(at, name) for at in several]) for name in ("q", "qd", "tau", "f_ext")]
    together = jax.jit(jax.vmap(lambda *x: accelerations(MODEL, *x)))(*columns)
    apart = jnp.stack([solved_for(MODEL, at.q, at.qd, at.tau, at.f_ext) for at in several])
    np.testing.assert_allclose(together, apart, atol=1e-11 * float(jnp.abs(apart).max()), rtol=0)


def test_single_precision() -> None:
    at = pushed(MODEL, 7)
    values = (MODEL, at.q, at.qd, at.tau, at.f_ext)
    expected = solved_for(*values)
    found = solved_for(*jax.tree.map(lambda a: a.astype(jnp.float32), values))
    assert found.dtype == jnp.float32
    np.testing.assert_allclose(found, expected, atol=1e-4 * float(jnp.abs(expected).max()), rtol=0)
