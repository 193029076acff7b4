"""Muscles whose tendons give: OpenSim's numbers, balance, derivatives, ends of the range."""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from monomsk.physics.bracketed_newton import increasing_root
from monomsk.physics.muscle import shortest_fiber
from monomsk.physics.muscle_dynamics import fiber_equilibrium, fiber_step, muscle_dynamics
from monomsk.physics.muscle_kinds import curves
from slider_muscles import KINDS, Slider, as_arrays, lengths, random_muscles

COUNT = 24
ORACLE = np.load(Path(__file__).parents[1] / "oracles/muscle_dynamics.npz")
# Called with NumPy's numbers, so that the tests of a kind share their programs: JAX's own of one value are of a weaker type.
equilibrium, dynamics, stepped = jax.jit(fiber_equilibrium), jax.jit(muscle_dynamics), jax.jit(fiber_step)
tendon = jax.jit(lambda muscles, length: curves(muscles).tendon(length))


def numbers(spec, *names: str) -> list[np.ndarray]:
    return [np.array([getattr(m, name) for m in spec]) for name in names]


def resting(kind: str, seed: int):
    """Muscles, activations and musculotendon lengths."""
    spec, rng = random_muscles(kind, COUNT, seed), np.random.default_rng(seed + 100)
    return spec, rng.uniform(0.02, 1.0, COUNT), lengths(spec, rng.uniform(0.65, 1.4, COUNT), rng.uniform(0.0, 0.06, COUNT))


@pytest.mark.parametrize("kind", KINDS)
def test_equals_the_living_opensim(kind: str) -> None:
    opensim = pytest.importorskip("opensim")
    spec, activation, length = resting(kind, 1)
    muscles = as_arrays(spec, opensim_compat=True)
    force, optimal, fastest = numbers(spec, "max_isometric_force", "optimal_fiber_length", "max_contraction_velocity")
    slider = Slider(opensim, spec, length)
    for speed in (0.0, -0.1, 0.15):
        slider.set(activation, speed)
        balanced = slider.equilibrium()
        ours = equilibrium(muscles, activation, length, np.full(COUNT, speed))
        assert np.abs((ours - balanced) / optimal).max() < 1e-7
    # Away from the balance without speed the fibres move.
    at = np.random.default_rng(5).uniform(0.7, 1.3, COUNT) * activation
    slider.set(at, 0.1)
    scale = {"tendon_force": force, "active": force, "passive": force, "fiber_velocity": optimal * fastest}
    found, ours = slider.found(), dynamics(muscles, at, balanced, length)
    for name, value in found.items():
        mine = ours.passive + ours.damping if name == "passive" else getattr(ours, name)
        assert np.abs((np.asarray(mine) - value) / scale.get(name, 1.0)).max() < 1e-8, name
    assert np.abs(found["fiber_velocity"] / (optimal * fastest)).max() > 0.02


@pytest.mark.parametrize("kind", KINDS)
def test_equals_what_opensim_found_once(kind: str) -> None:
    """Without OpenSim: the record of tests/oracles/make_muscle_dynamics.py."""
    record = {name.removeprefix(f"{kind}_"): value for name, value in ORACLE.items() if name.startswith(kind)}
    spec, activation, length = resting(kind, 1)
    force, optimal, fastest = numbers(spec, "max_isometric_force", "optimal_fiber_length", "max_contraction_velocity")
    for mine, recorded in ((activation, "activation"), (length, "length"), (optimal, "optimal_fiber_length")):
        np.testing.assert_allclose(mine, record[recorded], rtol=1e-12)
    muscles = as_arrays(spec, opensim_compat=True)
    for speed, balanced in zip(ORACLE["speeds"], record["balanced"], strict=True):
        ours = equilibrium(muscles, activation, length, np.full(COUNT, speed))
        assert np.abs((ours - balanced) / optimal).max() < 1e-7
    ours = dynamics(muscles, record["away"], record["balanced"][-1], length)
    assert np.abs((ours.fiber_velocity - record["fiber_velocity"]) / (optimal * fastest)).max() < 1e-8
    assert np.abs((ours.tendon_force - record["tendon_force"]) / force).max() < 1e-8
    assert np.abs((ours.active - record["active"]) / force).max() < 1e-8
    assert np.abs((ours.passive + ours.damping - record["passive"]) / force).max() < 1e-8


@pytest.mark.parametrize("kind", KINDS[:2])
def test_fibres_anywhere_move_as_in_opensim(kind: str) -> None:
    """Taut and slack tendons, fibres faster than the greatest velocity; Millard's also at their shortest."""
    opensim = pytest.importorskip("opensim")
    spec, activation, _ = resting(kind, 2)
    muscles, rng = as_arrays(spec), np.random.default_rng(3)
    force, optimal, fastest = numbers(spec, "max_isometric_force", "optimal_fiber_length", "max_contraction_velocity")
    fiber = rng.uniform(0.5, 1.5, COUNT) * optimal
    length = lengths(spec, np.maximum(fiber, np.asarray(shortest_fiber(muscles))) / optimal, rng.uniform(-0.01, 0.08, COUNT))
    short = slice(0, 3 if kind == KINDS[0] else 0)
    fiber[short] = 0.9 * np.asarray(shortest_fiber(muscles))[short]
    slider = Slider(opensim, spec, length)
    slider.set(activation, 0.2)
    slider.set_state("fiber_length", fiber)
    found, ours = slider.found(), dynamics(muscles, activation, fiber, length)
    assert np.abs((ours.fiber_velocity - found["fiber_velocity"]) / (optimal * fastest)).max() < 1e-8
    assert np.abs((ours.tendon_force - found["tendon_force"]) / force).max() < 1e-9
    assert np.abs((ours.active - found["active"]) / force).max() < 1e-8
    assert (np.asarray(ours.fiber_velocity) < -optimal * fastest).any()
    assert np.asarray(ours.fiber_length)[short] == pytest.approx(np.asarray(shortest_fiber(muscles))[short])


@pytest.mark.parametrize("kind", KINDS)
def test_fibres_and_tendon_balance(kind: str) -> None:
    spec, activation, length = resting(kind, 4)
    muscles = as_arrays(spec)
    fiber = equilibrium(muscles, activation, length, None)
    at = dynamics(muscles, 0.5 * activation, fiber, length)
    assert not np.asarray(at.shortest).any()
    total = at.active + at.passive + at.damping
    assert np.abs((total - at.tendon_force) / muscles.max_isometric_force).max() < 1e-10
    still = dynamics(muscles, activation, fiber, length)
    speed = muscles.optimal_fiber_length * muscles.max_contraction_velocity
    assert np.abs(still.fiber_velocity / speed).max() < 1e-9
    # Step by step the fibres come to the balance of the new activation, at steps that explicit ones could not take.
    for _ in range(120):
        fiber = stepped(muscles, 0.5 * activation, fiber, length, 0.02)
    balanced = equilibrium(muscles, 0.5 * activation, length, None)
    assert np.abs((fiber - balanced) / muscles.optimal_fiber_length).max() < 1e-6


def test_small_steps_are_the_velocity() -> None:
    spec, activation, length = resting(KINDS[0], 6)
    muscles = as_arrays(spec)
    fiber = equilibrium(muscles, activation, length, None)
    h = 1e-7
    velocity = (stepped(muscles, 0.5 * activation, fiber, length, h) - fiber) / h
    expected = dynamics(muscles, 0.5 * activation, fiber, length).fiber_velocity
    np.testing.assert_allclose(velocity, expected, atol=2e-3 * np.abs(expected).max())


@pytest.mark.parametrize("kind", KINDS)
def test_derivatives_against_differences(kind: str) -> None:
    spec, activation, length = resting(kind, 7)
    muscles = as_arrays(spec)

    def of(x: jax.Array) -> jax.Array:
        a, change = x[:COUNT], x[COUNT:]
        fiber = fiber_equilibrium(muscles, a, length + change)
        at = muscle_dynamics(muscles, 0.8 * a, fiber, length + 0.999 * change)
        return jnp.stack([fiber / muscles.optimal_fiber_length, at.tendon_force / muscles.max_isometric_force, at.fiber_velocity])

    @jax.jit
    def both(x: jax.Array, row: jax.Array) -> tuple[jax.Array, jax.Array]:
        value, back = jax.vjp(of, x)
        return value, back(row)[0]

    # Muscles do not see each other: the sum over a row's muscles gives each its own derivative.
    rows = np.repeat(np.eye(3)[:, :, None], COUNT, 2)
    x, h = np.concatenate([activation, np.zeros(COUNT)]), 1e-6
    for part in range(2):
        own_part = slice(part * COUNT, (part + 1) * COUNT)
        step = np.zeros(2 * COUNT)
        step[own_part] = h
        difference = (np.asarray(both(x + step, rows[0])[0]) - np.asarray(both(x - step, rows[0])[0])) / (2 * h)
        for i in range(3):
            own = np.asarray(both(x, rows[i])[1])[own_part]
            assert own == pytest.approx(difference[i], rel=1e-4, abs=1e-5 * np.abs(difference[i]).max() + 1e-6)


def test_a_path_too_short_leaves_the_fibres_at_their_shortest_and_the_tendon_slack() -> None:
    spec = random_muscles(KINDS[0], COUNT, 8)
    muscles = as_arrays(spec)
    length = 0.9 * muscles.tendon_slack_length
    fiber = equilibrium(muscles, np.full(COUNT, 0.5), length, None)
    np.testing.assert_allclose(fiber, shortest_fiber(muscles), rtol=1e-12)
    at = dynamics(muscles, np.full(COUNT, 0.5), fiber, length)
    # Where the active curve ends just there, nothing pulls and the speed is zero to rounding, of either sign.
    assert np.asarray(at.shortest | (jnp.abs(at.fiber_velocity) < 1e-9)).all()
    for name in ("tendon_force", "active", "passive", "damping", "fiber_velocity"):
        assert np.abs(np.asarray(getattr(at, name))).max() < 1e-9, name


@pytest.mark.parametrize("kind", KINDS)
def test_a_tendon_at_its_strain_carries_the_greatest_force(kind: str) -> None:
    muscles = as_arrays(random_muscles(kind, COUNT, 9))
    name = ("TendonForceLengthCurve.strain_at_one_norm_force", "FmaxTendonStrain", "tendon_strain_at_one_norm_force")[KINDS.index(kind)]
    np.testing.assert_allclose(tendon(muscles, 1.0 + np.asarray(muscles.parameters[name])), 1.0, rtol=1e-12)
    np.testing.assert_allclose(tendon(muscles, np.ones(COUNT)), 0.0, atol=1e-12)


def test_roots_in_a_bracket_and_their_derivatives() -> None:
    """A cubic with a flat point, a kink and an exponential that Newton's steps alone would miss."""

    def residual(c: jax.Array, x: jax.Array) -> jax.Array:
        return jnp.stack([x[0] ** 3 - c[0], jnp.where(x[1] > 0.0, 50.0 * x[1], 0.1 * x[1]) - c[1], jnp.expm1(30.0 * x[2]) - c[2]])

    c = jnp.array([0.5, -0.2, 7.0])
    bracket = (jnp.full(3, -5.0), jnp.full(3, 6.0))
    expected = np.array([0.5 ** (1 / 3), -2.0, np.log(8.0) / 30.0])
    assert np.asarray(jax.jit(lambda c: increasing_root(residual, c, bracket))(c)) == pytest.approx(expected, abs=1e-13)
    slope = np.diag(jax.jit(jax.jacrev(lambda c: increasing_root(residual, c, bracket)))(c))
    assert slope == pytest.approx([1 / (3 * 0.5 ** (2 / 3)), 10.0, 1 / 240.0], rel=1e-12)
    beyond = jax.jit(lambda c: increasing_root(lambda c, x: x - c, c, (jnp.zeros(1), jnp.ones(1))))(jnp.array([9.0]))
    assert np.asarray(beyond) == pytest.approx([1.0])
