"""Motions with a known answer, and the order at which errors fall with the step."""

from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import ellipj, ellipk

from bodies import random_state, shipped
from monomsk.model.compile import compile_model
from monomsk.model.model import Model
from monomsk.model.spec import Axis, Body, Coordinate, Frame, Joint, Linear, ModelSpec
from monomsk.physics.center_of_mass import center_of_mass
from monomsk.physics.controls import constant
from monomsk.physics.energy import kinetic_energy, momentum, potential_energy
from monomsk.physics.forward_kinematics import forward_kinematics
from monomsk.physics.simulate import Integration, Method, Simulation, State, simulate

X, Y, Z = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)
STILL = (Axis(X), Axis(Y), Axis(Z))
GRAVITY = 9.80665
MASS, ARM = 2.0, 0.3

ADAPTIVE: tuple[Method, ...] = ("tsit5", "kvaerno5")


def on_one_body(joint: Joint, inertia: tuple[float, float, float], center: tuple[float, float, float]) -> Model:
    body = Body(joint.child, MASS, center, (*inertia, 0.0, 0.0, 0.0))
    return compile_model(ModelSpec(joint.child, (body,), (joint,)))


@cache
def pendulum() -> Model:
    """Hangs from a pin; its inertia about the mass centre is 0.05 kg·m²."""
    swing = Coordinate("swing", True, (-3.0, 3.0))
    hinge = (Axis(Z, Linear(1.0), "swing"), Axis(X), Axis(Y))
    joint = Joint("pin", "PinJoint", "ground", "pendulum", Frame(), Frame(), hinge, STILL, (swing,))
    return on_one_body(joint, (0.05, 0.01, 0.05), (0.0, -ARM, 0.0))


@cache
def top() -> Model:
    """Turns about its tip: precession about the vertical, nutation from it, spin about its own axis."""
    names = ("precession", "nutation", "spin")
    coordinates = tuple(Coordinate(name, True, (-9.0, 9.0)) for name in names)
    turns = tuple(Axis(d, Linear(1.0), name) for d, name in zip((Y, X, Y), names, strict=True))
    joint = Joint("tip", "CustomJoint", "ground", "top", Frame(), Frame(), (turns[0], turns[1], turns[2]), STILL, coordinates)
    return on_one_body(joint, (0.02, 0.03, 0.02), (0.0, ARM, 0.0))


def freely(model: Model, start: State, time: jax.Array, integration: Integration) -> Simulation:
    return jax.jit(lambda start: simulate(model, start, constant(jnp.zeros(model.nq)), time, integration=integration))(start)


def precise(method: Method) -> Integration:
    """As precise as the implicit method can be: closer, its root finder would have to tell rounding from error."""
    return Integration(method=method, rtol=1e-9, atol=1e-10)


def orders(errors: list[float]) -> np.ndarray:
    """Powers of the step by which errors fall when it is halved again and again."""
    return np.log2(np.array(errors[:-1]) / np.array(errors[1:]))


@pytest.mark.parametrize("method", ADAPTIVE)
def test_a_pendulum_swings_as_jacobis_functions(method: Method) -> None:
    """sin(angle / 2) = sin(amplitude / 2) cd(ω t), released at rest (Whittaker 1904, § 44)."""
    amplitude = 2.0
    frequency = np.sqrt(MASS * GRAVITY * ARM / (0.05 + MASS * ARM**2))
    time = jnp.linspace(0.0, 3.0, 31)
    found = freely(pendulum(), State(jnp.array([amplitude]), jnp.zeros(1)), time, precise(method))
    assert bool(found.finished)
    k = np.sin(amplitude / 2)
    sn, _, _, _ = ellipj(frequency * np.asarray(time) + ellipk(k**2), k**2)
    np.testing.assert_allclose(found.state.q[:, 0], 2 * np.arcsin(k * sn), atol=1e3 * precise(method).rtol)


def test_fixed_steps_on_a_pendulum_have_order_one_and_keep_the_energy_near() -> None:
    """The error of place falls with the step; that of energy does too, and does not grow from second to second."""
    model, start = pendulum(), State(jnp.array([1.5]), jnp.zeros(1))
    reference = freely(model, start, jnp.linspace(0.0, 2.0, 21), precise("tsit5")).state.q
    by_step = [freely(model, start, jnp.linspace(0.0, 2.0, 21), Integration(substeps=n)) for n in (50, 100, 200)]
    np.testing.assert_allclose(orders([float(jnp.abs(s.state.q - reference).max()) for s in by_step]), 1.0, atol=0.1)

    long = freely(model, start, jnp.linspace(0.0, 60.0, 1201), Integration(substeps=10))
    energy = energies(model, long)
    swing = np.abs(energy - energy[0]).reshape(-1)
    assert swing[-240:].max() < 1.05 * swing[:240].max(), "energy drifts"


@pytest.mark.parametrize("method", ADAPTIVE)
def test_a_spinning_top_precesses_steadily(method: Method) -> None:
    """A cos θ Ω² − C ω Ω + m g l = 0 with ω the whole spin about the axis (Goldstein 1980, § 5.7); the slow root."""
    model, lean, spin_about_axis = top(), 0.4, 120.0
    across, along = 0.02 + MASS * ARM**2, 0.03
    slow, _ = np.sort(np.roots([across * np.cos(lean), -along * spin_about_axis, MASS * GRAVITY * ARM]).real)
    assert (along * spin_about_axis) ** 2 > 4 * across * MASS * GRAVITY * ARM * np.cos(lean), "too slow to stand"
    rates = jnp.array([slow, 0.0, spin_about_axis - slow * np.cos(lean)])
    found = freely(model, State(jnp.array([0.3, lean, 0.0]), rates), jnp.linspace(0.0, 1.0, 11), precise(method))
    np.testing.assert_allclose(found.state.q[:, 1], lean, atol=1e-7)
    np.testing.assert_allclose(found.state.qd, jnp.broadcast_to(rates, (11, 3)), atol=1e-5)
    np.testing.assert_allclose(found.state.q[:, 0], 0.3 + slow * found.time, atol=1e-7)


def energies(model: Model, found: Simulation) -> np.ndarray:
    """Kinetic and potential energy at all times [J]."""

    def energy(q: jax.Array, qd: jax.Array) -> jax.Array:
        poses = forward_kinematics(model, q)
        return kinetic_energy(model, poses, qd) + potential_energy(model, poses)

    return np.asarray(jax.jit(jax.vmap(energy))(found.state.q, found.state.qd))


def thrown(model: Model) -> State:
    """In the air, every joint moving."""
    q, qd, _ = random_state(model, 11)
    return State(0.3 * q, qd)


def centers(model: Model, found: Simulation) -> tuple[np.ndarray, np.ndarray]:
    """Centre of mass [m] and momentum about it at all times."""

    def at(q: jax.Array, qd: jax.Array) -> tuple[jax.Array, jax.Array]:
        poses = forward_kinematics(model, q)
        return center_of_mass(model, poses), momentum(model, poses, qd)

    center, impulse = jax.jit(jax.vmap(at))(found.state.q, found.state.qd)
    return np.asarray(center), np.asarray(impulse)


@cache
def flight() -> Simulation:
    """Of the shipped body, its couplers and locks in force, for a second."""
    return freely(shipped(), thrown(shipped()), jnp.linspace(0.0, 1.0, 11), Integration(method="tsit5", rtol=1e-9, atol=1e-11))


def test_a_thrown_person_flies_on_a_parabola() -> None:
    model, found = shipped(), flight()
    assert bool(found.finished)
    center, impulse = centers(model, found)
    time, mass = np.asarray(found.time)[:, None], float(model.mass.sum())
    parabola = center[0] + impulse[0, 3:] / mass * time + 0.5 * np.asarray(model.gravity) * time**2
    np.testing.assert_allclose(center, parabola, atol=1e-6)
    np.testing.assert_allclose(impulse[:, :3], np.broadcast_to(impulse[0, :3], (11, 3)), atol=1e-5)
    np.testing.assert_allclose(impulse[:, 3:], impulse[0, 3:] + mass * np.asarray(model.gravity) * time, atol=1e-4)
    energy = energies(model, found)
    np.testing.assert_allclose(energy, energy[0], atol=1e-5)


def test_the_errors_of_a_fall_halve_with_the_step() -> None:
    """Energy and angular momentum over a fall, and the place at its end, in fixed steps: of order one."""
    model, time = shipped(), jnp.linspace(0.0, 1.0, 11)
    of_energy, of_momentum, of_place = list[float](), list[float](), list[float]()
    for substeps in (100, 200, 400):
        found = freely(model, thrown(model), time, Integration(substeps=substeps))
        energy, impulse = energies(model, found), centers(model, found)[1]
        of_energy.append(float(np.abs(energy - energy[0]).max()))
        of_momentum.append(float(np.abs(impulse[:, :3] - impulse[0, :3]).max()))
        of_place.append(float(jnp.abs(found.state.q[-1] - flight().state.q[-1]).max()))
    for errors in (of_energy, of_momentum, of_place):
        np.testing.assert_allclose(orders(errors), 1.0, atol=0.2)


def test_a_shorter_tolerance_brings_the_answer_nearer() -> None:
    errors = list[float]()
    for tolerance in (1e-4, 1e-6):
        found = freely(shipped(), thrown(shipped()), flight().time, Integration(method="tsit5", rtol=tolerance, atol=tolerance))
        errors.append(float(jnp.abs(found.state.q[-1] - flight().state.q[-1]).max()))
    assert errors[1] < 0.1 * errors[0]
    assert errors[1] < 1e-4
