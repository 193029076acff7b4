import numpy as np
import pytest

from kinetics.motions import RATE, body, gait, motion, subject
from monomsk.config import KineticsConfig
from monomsk.errors import InputError
from monomsk.kinetics.classic import estimate
from monomsk.kinetics.feet import feet_of
from monomsk.kinetics.mechanics import mechanics
from monomsk.model.compile import compile_model
from monomsk.types import Kinetics, Motion

GRAVITY = 9.80665
CONFIG = KineticsConfig()


def forces(of: Motion) -> Kinetics:
    return estimate(of, body(), subject(), CONFIG)


@pytest.fixture(scope="module")
def walking() -> Kinetics:
    return forces(gait(260))


def test_a_person_who_stands_is_carried_by_both_feet() -> None:
    found = forces(motion(150))
    weight = body().mass * GRAVITY
    np.testing.assert_allclose(found.force[..., 1].sum(1), weight, rtol=2e-3)
    np.testing.assert_allclose(found.force[:, 0, 1], found.force[:, 1, 1], rtol=1e-2)
    np.testing.assert_allclose(found.force.sum(1)[:, [0, 2]], 0.0, atol=2e-3 * weight)
    root = [found.names.index(f"pelvis_{a}") for a in ("tx", "ty", "tz")]
    np.testing.assert_allclose(found.tau[:, root], 0.0, atol=5e-3 * weight)
    assert found.contact.all()
    assert found.warnings == ()


def test_the_centre_of_pressure_lies_under_the_foot_and_the_centre_of_mass() -> None:
    standing = motion(150)
    found = forces(standing)
    still = 0.0 * standing.q
    state = mechanics(compile_model(body()), feet_of(body()), (standing.q, still, still))
    for foot in (0, 1):
        soles = state.point[0, feet_of(body()).foot == foot]
        assert (found.cop[:, foot] >= soles.min(0) - 1e-3)[:, [0, 2]].all()
        assert (found.cop[:, foot] <= soles.max(0) + 1e-3)[:, [0, 2]].all()
    middle = np.einsum("tf,tfi->ti", found.force[..., 1], found.cop) / found.force[..., 1].sum(1)[:, None]
    np.testing.assert_allclose(middle[:, [0, 2]], state.center[:, [0, 2]], atol=0.01)


def test_a_bounce_needs_mass_times_gravity_plus_acceleration() -> None:
    t = np.arange(300) / RATE
    omega = 2.0 * np.pi * 1.5
    found = forces(motion(300, pelvis_ty=0.02 * np.sin(omega * t)))
    expected = body().mass * (GRAVITY - 0.02 * omega**2 * np.sin(omega * t))
    np.testing.assert_allclose(found.force[30:-30, :, 1].sum(1), expected[30:-30], atol=0.02 * body().mass * GRAVITY)


def test_nothing_pushes_in_flight_and_momentum_is_kept() -> None:
    t = np.arange(250) / RATE
    up, begin = 2.2, 1.0
    end = begin + 2.0 * up / GRAVITY
    inside = (t > begin) & (t < end)
    jump = np.where(inside, up * (t - begin) - 0.5 * GRAVITY * (t - begin) ** 2, 0.0)
    found = forces(motion(250, pelvis_ty=jump))
    middle = (t > begin + 0.1) & (t < end - 0.1)
    assert not found.contact[middle].any()
    assert (found.force[middle] == 0.0).all()
    assert (found.moment[middle] == 0.0).all()
    assert found.contact[t < begin - 0.2].all()
    assert found.quality["mean_vertical_force_body_weights"] == pytest.approx(1.0, abs=0.05)


def test_a_lifted_foot_carries_nothing_although_both_feet_float() -> None:
    found = forces(motion(150, hip_flexion_r=0.9, knee_angle_r=1.4, lift=0.03))
    assert not found.contact[:, 0].any()
    assert found.contact[:, 1].all()
    np.testing.assert_allclose(found.force[:, 1, 1], body().mass * GRAVITY, rtol=0.05)


def test_a_chair_is_seen_and_said() -> None:
    sitting = {f"{c}_{s}": v for s in "rl" for c, v in {"hip_flexion": 1.45, "knee_angle": 1.5, "ankle_angle": 0.1}.items()}
    found = forces(motion(150, **sitting))
    assert found.quality["mean_vertical_force_body_weights"] < 0.6
    assert found.tau[75, found.names.index("pelvis_ty")] > 0.4 * body().mass * GRAVITY
    assert "chair" in found.warnings[0]


def test_forces_stay_inside_their_cones(walking: Kinetics) -> None:
    up = walking.force[..., 1]
    assert (up >= 0.0).all()
    assert (np.hypot(walking.force[..., 0], walking.force[..., 2]) <= 0.8 * up + 1e-6 * up.max()).all()
    assert (walking.moment[..., [0, 2]] == 0.0).all()
    assert (walking.contact == (up > 0.0)).all()


def test_inverse_dynamics_with_the_forces_gives_the_moments_back(walking: Kinetics) -> None:
    import jax

    from monomsk.kinetics import filtering
    from monomsk.model.model import complete_rates
    from monomsk.physics.inverse_dynamics import inverse_dynamics

    model = compile_model(body())
    rates = filtering.rates(walking.time, gait(260).q, KineticsConfig().lowpass)
    wrench = np.concatenate([np.cross(walking.cop, walking.force) + walking.moment, walking.force], -1)
    f_ext = np.zeros((len(walking.time), len(model.body_names), 6))
    for foot, name in enumerate(walking.bodies):
        f_ext[:, model.body(name)] = wrench[:, foot]

    def tau(q: jax.Array, qd: jax.Array, qdd: jax.Array, f: jax.Array) -> jax.Array:
        return inverse_dynamics(model, *complete_rates(model, q, qd, qdd), f)

    np.testing.assert_allclose(jax.jit(jax.vmap(tau))(*rates, f_ext), walking.tau, atol=1e-6)


def test_residuals_are_what_the_feet_leave(walking: Kinetics) -> None:
    root = [walking.names.index(f"pelvis_{a}") for a in ("tx", "ty", "tz")]
    size = np.linalg.norm(walking.tau[:, root], axis=1)
    assert walking.quality["residual_force_rms"] == pytest.approx(np.sqrt((size**2).mean()), rel=1e-6)
    assert walking.quality["residual_force_peak"] == pytest.approx(size.max(), rel=1e-6)


def test_a_walk_turned_about_the_vertical_gives_turned_forces() -> None:
    straight = gait(200)
    turned_q = straight.q.copy()
    column = {n: i for i, n in enumerate(straight.names)}
    turned_q[:, column["pelvis_rotation"]] += 0.5 * np.pi
    x, z = straight.q[:, column["pelvis_tx"]], straight.q[:, column["pelvis_tz"]]
    turned_q[:, column["pelvis_tx"]], turned_q[:, column["pelvis_tz"]] = z, -x
    ahead, aside = forces(straight), forces(Motion(straight.time, straight.names, straight.rotational, turned_q))
    expected = np.stack([ahead.force[..., 2], ahead.force[..., 1], -ahead.force[..., 0]], -1)
    np.testing.assert_allclose(aside.force, expected, atol=0.02 * body().mass * GRAVITY)


def test_the_length_of_the_clip_compiles_nothing_anew() -> None:
    from monomsk.kinetics import mechanics as module

    forces(motion(129))
    before = module._chunk._cached._cache_size()  # pyright: ignore
    forces(motion(61))
    assert module._chunk._cached._cache_size() == before  # pyright: ignore


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda m: Motion(m.time, m.names[::-1], m.rotational, m.q), "not those of model"),
        (lambda m: Motion(m.time, m.names, m.rotational, np.where(m.q == m.q[5, 4], np.nan, m.q)), "not numbers"),
        (lambda m: Motion(m.time**2, m.names, m.rotational, m.q), "not evenly spaced"),
        (lambda m: Motion(m.time[:5], m.names, m.rotational, m.q[:5]), "at least 8 frames"),
    ],
)
def test_bad_motion_is_refused_in_one_line(change, words: str) -> None:
    with pytest.raises(InputError, match=words) as caught:
        forces(change(motion(40)))
    assert "\n" not in str(caught.value)
