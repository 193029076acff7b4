"""Static optimization on an elbow, where the answer is known, and on the body that ships."""

from dataclasses import replace

import jax.numpy as jnp
import numpy as np
import pytest

from bodies import shipped
from monomsk.config import MusclesConfig
from monomsk.errors import InputError, ModelError, SolveError
from monomsk.io.body import load_body
from monomsk.model.muscles import compile_muscles
from monomsk.muscles.rates import speeds
from monomsk.muscles.rows import select
from monomsk.muscles.static_optimization import capacity, solve
from monomsk.types import Kinetics
from pendulums import elbow, muscle

FLEXOR = muscle("flexor", (("humerus", (0.04, 0.0, 0.0)), ("ulna", (0.04, -0.3, 0.0))))
EXTENSOR = muscle("extensor", (("humerus", (-0.04, 0.0, 0.0)), ("ulna", (-0.04, -0.3, 0.0))))
NO_PASSIVE = MusclesConfig(passive=False, minimum_activation=0.0)


def kinetics(names: tuple[str, ...], q: np.ndarray, tau: np.ndarray, rate: float = 50.0) -> Kinetics:
    n = len(q)
    still = np.zeros((n, 2, 3))
    return Kinetics(
        time=np.arange(n) / rate,
        names=names,
        rotational=np.ones(len(names), bool),
        q=q,
        tau=tau,
        bodies=("calcn_r", "calcn_l"),
        force=still,
        cop=still,
        moment=still,
        contact=np.zeros((n, 2), bool),
    )


def bent(moment: float | np.ndarray, frames: int = 10) -> Kinetics:
    return kinetics(("flexion",), np.zeros((frames, 1)), np.broadcast_to(np.asarray(moment, float), (frames,))[:, None])


def test_the_muscle_on_the_right_side_makes_the_moment() -> None:
    body = elbow(FLEXOR, EXTENSOR)
    for moment, pulling in ((8.0, "flexor"), (-8.0, "extensor")):
        found = solve(bent(moment), body, NO_PASSIVE)
        i = found.names.index(pulling)
        # At optimal length and at rest the force is 1000 N × activation, the lever 4 cm.
        np.testing.assert_allclose(found.force[:, i], 200.0, rtol=1e-3)
        np.testing.assert_allclose(found.activation[:, i], 0.2, rtol=1e-3)
        np.testing.assert_allclose(found.force[:, 1 - i], 0.0, atol=0.1)
        assert not found.warnings


def test_more_than_the_muscles_can_is_told_with_name_and_time() -> None:
    moment = np.full(100, 10.0)
    moment[40:60] = 60.0
    found = solve(bent(moment, 100), elbow(FLEXOR, EXTENSOR), NO_PASSIVE)
    np.testing.assert_allclose(found.reserve[40:60, 0], 20.0, atol=0.1)
    assert found.reserve_names == ("flexion",)
    (line,) = found.warnings
    assert "flexion" in line
    assert "20 N·m (33 %" in line
    assert "0.80–1.18 s" in line
    assert found.quality["reserve_peak"] == pytest.approx(20.0, abs=0.1)
    assert found.quality["fully_active_percent"] == pytest.approx(10.0)


def test_a_slack_muscle_is_told_by_name() -> None:
    short = replace(EXTENSOR, tendon_slack_length=0.35)
    found = solve(bent(1.0), elbow(FLEXOR, short), NO_PASSIVE)
    assert any("extensor" in line and "too short" in line for line in found.warnings)
    np.testing.assert_allclose(found.force[:, 1], 0.0)


def test_passive_force_takes_its_part() -> None:
    taut = replace(FLEXOR, tendon_slack_length=0.04)
    found = solve(bent(15.0), elbow(taut, EXTENSOR), MusclesConfig(passive=True))
    without = solve(bent(15.0), elbow(taut, EXTENSOR), MusclesConfig(passive=False))
    assert (found.activation[:, 0] < without.activation[:, 0] - 0.05).all()
    for answer in (found, without):
        np.testing.assert_allclose(0.04 * (answer.force[:, 0] - answer.force[:, 1]) + answer.reserve[:, 0], 15.0, atol=1e-4)


def test_moments_and_reserves_add_up_on_the_body_that_ships() -> None:
    model, spec = shipped(), load_body()
    rng = np.random.default_rng(0)
    t = np.arange(70)[:, None] / 50.0
    q = np.asarray(model.coordinate_default) + 0.2 * np.sin(2.0 * np.pi * t + rng.uniform(0.0, 6.0, model.nq))
    tau = 10.0 * np.cos(2.0 * np.pi * t + rng.uniform(0.0, 6.0, model.nq))
    shuffled = rng.permutation(model.nq)
    names = tuple(model.coordinate_names[i] for i in shuffled)
    done: list[float] = []
    found = solve(kinetics(names, q[:, shuffled], tau[:, shuffled]), spec, progress=done.append)
    assert done == sorted(done)
    assert done[-1] == pytest.approx(1.0)
    assert {"hip_flexion_r", "knee_angle_l", "ankle_angle_r"} <= set(found.reserve_names)
    assert not {n for n in found.reserve_names if n.startswith(("pelvis", "arm", "lumbar", "elbow", "mtp")) or n.endswith("_beta")}
    muscles = compile_muscles(spec, model.body_names)
    index = tuple(model.coordinate(n) for n in found.reserve_names)
    able = capacity(model, muscles, q, speeds(found.time, q), index)
    made = np.einsum("trm,tm->tr", able.moment_arm, found.force) + found.reserve
    wanted = tau[:, index].copy()
    for source, target in zip(model.independent, model.dependent, strict=True):
        # In this body the patella turns as the knee does.
        wanted[:, index.index(source)] += tau[:, target]
    np.testing.assert_allclose(made, wanted, atol=1e-6)
    assert found.activation.min() >= 0.01 - 1e-12
    assert found.activation.max() <= 1.0 + 1e-12
    assert np.abs(found.reserve).mean() < 0.5


def test_what_is_left_out_says_why() -> None:
    model = shipped()
    rows = select(model, compile_muscles(load_body(), model.body_names), ("calcn_r", "calcn_l"))
    assert "lumbar_extension" in rows.unspanned
    chosen = {model.coordinate_names[i] for i in rows.index}
    assert not chosen & {*rows.unspanned, *rows.beyond}
    assert not chosen & {model.coordinate_names[i] for i in (*model.root, *model.dependent)}


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"exponent": 7.0}, InputError, "between 1 and 4"),
        ({"reserve": 0.0}, InputError, "reserve"),
        ({"minimum_activation": 0.9}, InputError, "minimum_activation"),
    ],
)
def test_settings_outside_their_range(change, error, words) -> None:
    with pytest.raises(error, match=words):
        solve(bent(1.0), elbow(FLEXOR), MusclesConfig(**change))


def test_what_cannot_be_solved_is_told() -> None:
    with pytest.raises(ModelError, match="no muscles"):
        solve(bent(1.0), elbow())
    moment = np.ones(10)
    moment[4] = np.nan
    with pytest.raises(SolveError, match=r"first at 0\.08 s"):
        solve(bent(moment), elbow(FLEXOR))
    other = replace(bent(1.0), names=("knee",))
    with pytest.raises(InputError, match="'flexion'"):
        solve(other, elbow(FLEXOR))
    both = muscle("still", (("humerus", (0.0, 0.1, 0.0)), ("humerus", (0.0, -0.2, 0.0))))
    with pytest.raises(ModelError, match="cross no coordinate"):
        solve(bent(1.0), elbow(both))


@pytest.mark.parametrize("frames", [1, 5, 30])
def test_speeds_are_derivatives(frames: int) -> None:
    t = np.arange(frames) / 60.0
    found = speeds(t, np.sin(5.0 * t)[:, None])[:, 0]
    expected = 5.0 * np.cos(5.0 * t) if frames > 1 else np.zeros(1)
    assert np.abs(found - expected).max() < 1e-2
    assert jnp.isfinite(found).all()
