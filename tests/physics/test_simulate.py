"""The differential equation of the body over time: its gradients, its two kinds of steps, what it keeps to and what it tells."""

from functools import partial

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from bodies import random_state, shipped
from monomsk.model.compile import compile_model
from monomsk.model.model import Model
from monomsk.model.scale import scale_model
from monomsk.physics.controls import constant, controls
from monomsk.physics.simulate import Drive, Forces, Integration, Simulation, State, simulate, with_contact
from pendulums import elbow

MODEL = shipped()
TIME = jnp.arange(11) * 0.004
RNG = np.random.default_rng(2)
TORQUES = jnp.asarray(RNG.normal(size=(10, MODEL.nq)) * 3.0)


def start() -> tuple[jax.Array, jax.Array]:
    """A posture near the default one, knees straight, in slow movement."""
    _, qd, _ = random_state(MODEL, 3)
    return MODEL.coordinate_default.at[MODEL.coordinate("pelvis_ty")].set(1.2), 0.3 * qd


def rollout(model: Model, q: jax.Array, qd: jax.Array, torques: jax.Array, *, checkpoint: int | None = None) -> Simulation:
    inputs = controls(TIME[:-1].astype(q.dtype), torques, "constant")
    return simulate(model, State(q, qd), inputs, TIME.astype(q.dtype), integration=Integration(checkpoint=checkpoint))


def score(model: Model, q: jax.Array, qd: jax.Array, torques: jax.Array, *, checkpoint: int | None = None) -> jax.Array:
    last = rollout(model, q, qd, torques, checkpoint=checkpoint).state
    return jnp.sum(jnp.sin(last.q[-1])) + 0.1 * jnp.sum(jnp.sin(last.qd[-1]))


def slope_along(function, at: tuple, along: tuple, step: float) -> float:
    ahead, behind = (function(*(v + s * step * d for v, d in zip(at, along, strict=True))) for s in (1.0, -1.0))
    return float((ahead - behind) / (2.0 * step))


@pytest.mark.parametrize("checkpoint", [None, 4])
def test_gradients_by_start_and_torques(checkpoint: int | None) -> None:
    at = (*start(), TORQUES)
    along = tuple(jnp.asarray(RNG.normal(size=a.shape)) for a in at)
    # A straight knee is where the patella's splines begin, and their second derivative jumps.
    along = (along[0].at[jnp.array([*MODEL.dependent, *MODEL.independent])].set(0.0), *along[1:])
    function = jax.jit(partial(score, MODEL, checkpoint=checkpoint))
    gradient = jax.jit(jax.grad(partial(score, MODEL, checkpoint=checkpoint), argnums=(0, 1, 2)))(*at)
    total = sum(float(jnp.vdot(g, d)) for g, d in zip(gradient, along, strict=True))
    assert total == pytest.approx(slope_along(function, at, along, 1e-5), rel=1e-6)


def test_gradients_by_the_size_and_mass_of_the_body() -> None:
    q, qd = start()
    q = q.at[jnp.array([MODEL.coordinate("knee_angle_r"), MODEL.coordinate("knee_angle_l")])].set(0.4)

    def by_body(factors: jax.Array, mass: jax.Array) -> jax.Array:
        return score(scale_model(MODEL, factors, mass), q, qd, TORQUES)

    at = (jnp.ones((len(MODEL.body_names), 3)), jnp.asarray(70.0))
    along = (jnp.asarray(RNG.normal(size=at[0].shape)), jnp.asarray(3.0))
    gradient = jax.jit(jax.grad(by_body, argnums=(0, 1)))(*at)
    total = sum(float(jnp.vdot(g, d)) for g, d in zip(gradient, along, strict=True))
    assert total == pytest.approx(slope_along(jax.jit(by_body), at, along, 1e-5), rel=1e-6)


def test_batching_equals_a_loop_and_single_precision_comes_near() -> None:
    q, qd = start()
    several = jnp.stack([TORQUES, -TORQUES, 2.0 * TORQUES])
    run = jax.jit(partial(rollout, MODEL))
    together = jax.jit(jax.vmap(partial(rollout, MODEL, q, qd)))(several)
    apart = [run(q, qd, torques).state.q for torques in several]
    np.testing.assert_allclose(together.state.q, jnp.stack(apart), atol=1e-10)
    small = jax.tree.map(lambda a: a.astype(jnp.float32), (MODEL, q, qd, TORQUES))
    single = jax.jit(rollout)(*small)
    assert single.state.q.dtype == jnp.float32
    np.testing.assert_allclose(single.state.q, apart[0], atol=1e-3)


def test_checkpoints_change_nothing() -> None:
    at = (*start(), TORQUES)
    plain, again = (jax.jit(jax.grad(partial(score, MODEL, checkpoint=block), argnums=2))(*at) for block in (None, 3))
    np.testing.assert_allclose(again, plain, rtol=1e-10, atol=1e-12)


def test_couplers_and_locks_hold() -> None:
    q, qd = start()
    q = q.at[MODEL.coordinate("mtp_angle_r")].set(0.2)
    state = jax.jit(partial(rollout, MODEL))(q, qd, TORQUES).state
    for dependent, independent in zip(MODEL.dependent, MODEL.independent, strict=True):
        np.testing.assert_allclose(state.q[:, dependent], state.q[:, independent], atol=1e-12)
    np.testing.assert_array_equal(state.q[:, MODEL.coordinate("mtp_angle_r")], 0.2)
    assert not state.qd[:, MODEL.coordinate("mtp_angle_r")].any()


def test_implicit_damping_is_stable_where_explicit_damping_explodes() -> None:
    """5 N·m·s/rad at a forearm of 0.02 kg·m², 25 ms a step: the explicit factor is 1 − 6.25."""
    model = compile_model(elbow())
    time, damping = jnp.arange(41) * 0.025, jnp.array([5.0])

    def explicit(model: Model, t: jax.Array, state: State, control: jax.Array) -> Forces:
        return Forces(control - damping * state.qd)

    begin, inputs = State(jnp.array([0.5]), jnp.array([3.0])), constant(jnp.zeros(1))
    calm = simulate(model, begin, inputs, time, damping=damping)
    wild = simulate(model, begin, inputs, time, drive=explicit)
    assert float(jnp.abs(calm.state.qd[5:]).max()) < 0.2
    assert float(jnp.abs(wild.state.qd[-1]).max()) > 1e3 or not bool(wild.finished)
    exact = simulate(model, begin, inputs, time, damping=damping, integration=Integration("tsit5", rtol=1e-8, atol=1e-9))
    np.testing.assert_allclose(calm.state.q[-1], exact.state.q[-1], atol=0.02)


def test_activations_are_states_too() -> None:
    """First-order activation beside the motion: its course is an exponential, whatever the steps."""
    model = compile_model(elbow())

    def drive(model: Model, t: jax.Array, state: State, control: jax.Array) -> Forces:
        return Forces(2.0 * state.extra, extra_rate=(control - state.extra) / 0.04)

    time = jnp.arange(21) * 0.005
    begin = State(jnp.zeros(1), jnp.zeros(1), jnp.zeros(1))
    course = 1.0 - jnp.exp(-time / 0.04)
    for integration, tolerance in ((Integration("tsit5"), 1e-6), (Integration(substeps=20), 2e-3)):
        found = simulate(model, begin, constant(jnp.ones(1)), time, drive=drive, integration=integration)
        np.testing.assert_allclose(found.state.extra[:, 0], course, atol=tolerance)
    assert float(found.state.q[-1, 0]) > 0.1


def test_contact_carries_a_falling_body() -> None:
    def still(model: Model, t: jax.Array, state: State, control: jax.Array) -> Forces:
        # Posture held by stiff springs, so that only the ground decides.
        return Forces((-200.0 * (state.q - model.coordinate_default)).at[jnp.array(model.root)].set(0.0))

    q = MODEL.coordinate_default.at[MODEL.coordinate("pelvis_ty")].set(1.0)
    heights = []
    for drive in (still, with_contact(still)):
        run = jax.jit(partial(_fall, drive=drive))
        heights.append(float(run(MODEL, q).state.q[-1, MODEL.coordinate("pelvis_ty")]))
    assert heights[0] == pytest.approx(1.0 - 0.5 * 9.80665 * 0.3**2, abs=0.02)
    assert heights[1] > heights[0] + 0.2


def _fall(model: Model, q: jax.Array, drive: Drive) -> Simulation:
    begin, time = State(q, jnp.zeros_like(q)), jnp.arange(31) * 0.01
    damping = jnp.full(model.nq, 20.0).at[jnp.array(model.root)].set(0.0)
    inputs, how = constant(jnp.zeros(model.nq)), Integration(substeps=20)
    return simulate(model, begin, inputs, time, drive=drive, damping=damping, integration=how)


def test_what_is_not_reached_is_told() -> None:
    model = compile_model(elbow())
    begin = State(jnp.zeros(1), jnp.zeros(1))
    short = simulate(model, begin, constant(jnp.ones(1)), jnp.linspace(0.0, 50.0, 6), integration=Integration("tsit5", max_steps=5))
    assert not bool(short.finished)
    assert bool(simulate(model, begin, constant(jnp.ones(1)), jnp.linspace(0.0, 0.1, 6)).finished)


def test_masses_can_be_told_apart_by_frames_of_a_batch() -> None:
    """Every member of a batch may have a body of its own."""
    q, qd = start()

    def of(factor: jax.Array) -> jax.Array:
        return rollout(eqx.tree_at(lambda m: m.mass, MODEL, MODEL.mass * factor), q, qd, TORQUES).state.q[-1]

    factors = jnp.array([0.8, 1.2])
    np.testing.assert_allclose(jax.jit(jax.vmap(of))(factors), jnp.stack([jax.jit(of)(f) for f in factors]), atol=1e-9)
