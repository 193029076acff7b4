"""Standard deviations of forces: the draws' spread, what is added to it, and what was measured."""

from dataclasses import replace

import numpy as np
import pytest

from monomsk.errors import SolveError
from monomsk.kinetics import uncertainty
from monomsk.kinetics.uncertainty import Share, drawn_variance, liveliness, with_spread
from monomsk.types import Kinetics, Motion, Subject

NAMES = ("pelvis_ty", "knee_angle_r", "knee_angle_l")
SUBJECT = Subject(1.75, 70.0)
WEIGHT = 70.0 * 9.80665


def motion(draws: int, rate: float = 60.0, frames: int = 120) -> Motion:
    """Nobody moves; the draws differ by one number each, the same in all frames."""
    rng = np.random.default_rng(0)
    q = np.zeros((frames, len(NAMES)))
    errors = np.broadcast_to(rng.normal(0.0, 0.01, (draws, 1, len(NAMES))), (draws, *q.shape))
    return Motion(np.arange(frames) / rate, NAMES, np.array([False, True, True]), q, draws=errors if draws else None)


def stiff(of: Motion) -> Kinetics:
    """A world of springs: moments and the vertical force are proportional to the coordinates."""
    force = np.zeros((len(of.time), 2, 3))
    force[..., 1] = 0.5 * WEIGHT + 1000.0 * of.q[:, :1]
    none = np.zeros_like(force)
    return Kinetics(of.time, NAMES, of.rotational, of.q, 200.0 * of.q, ("calcn_r", "calcn_l"), force, none, none, force[..., 1] > 0.0)


def test_the_draws_spread_goes_through_the_way() -> None:
    many = motion(400)
    variances = drawn_variance(many, stiff)
    assert variances is not None
    tau, force = variances
    assert tau.shape == many.q.shape
    np.testing.assert_allclose(np.sqrt(tau), 2.0, rtol=0.1)
    np.testing.assert_allclose(np.sqrt(force[..., 1]), 10.0, rtol=0.1)
    np.testing.assert_array_equal(force[..., 0], 0.0)


def test_draws_without_an_answer_do_not_count() -> None:
    of = motion(9)
    assert of.draws is not None
    calls = iter(range(100))

    def sometimes(drawn: Motion) -> Kinetics:
        if next(calls) % 4 == 3:
            raise SolveError("no forces")
        return stiff(drawn)

    kept = drawn_variance(replace(of, draws=of.draws[[i for i in range(9) if (i + 1) % 4 != 3]]), stiff)
    found = drawn_variance(of, sometimes)
    assert kept is not None
    assert found is not None
    np.testing.assert_allclose(found[0], kept[0])

    def never(drawn: Motion) -> Kinetics:
        if drawn.q.any():
            raise SolveError("no forces")
        return stiff(drawn)

    untold = with_spread(stiff(of), of, never, SUBJECT)
    assert untold.tau_sigma is None
    assert "is not told" in untold.warnings[-1]


def test_without_draws_nothing_is_said() -> None:
    assert with_spread(stiff(motion(0)), motion(0), stiff, SUBJECT).tau_sigma is None


def test_what_is_added_to_the_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uncertainty, "VERTICAL", Share(0.0, 0.05, 0.0))
    monkeypatch.setattr(uncertainty, "MOMENT", Share(0.0, 0.01, 0.0))
    of = motion(3)
    found = with_spread(stiff(of), of, stiff, SUBJECT)
    assert found.tau_sigma is not None
    assert found.force_sigma is not None
    np.testing.assert_allclose(found.force_sigma[..., 1], 0.05 * WEIGHT)
    np.testing.assert_allclose(found.tau_sigma[:, 1:], 0.01 * WEIGHT * 1.75)
    np.testing.assert_array_equal(found.tau_sigma[:, 0], 0.0)
    flying = replace(stiff(of), contact=np.zeros((len(of.time), 2), bool))
    aloft = with_spread(flying, of, stiff, SUBJECT)
    assert aloft.force_sigma is not None
    np.testing.assert_array_equal(aloft.force_sigma, 0.0)


def test_measured_forces_are_sure_and_their_moments_as_the_motion() -> None:
    of = motion(5)
    measured = np.zeros((len(of.time), 2), bool)
    measured[:, 0] = True
    found = with_spread(replace(stiff(of), measured=measured), of, stiff, SUBJECT)
    assert found.tau_sigma is not None
    assert found.force_sigma is not None
    np.testing.assert_array_equal(found.force_sigma[:, 0], 0.0)
    assert (found.force_sigma[:, 1, 1] > 0.0).all()
    variances = drawn_variance(of, stiff)
    assert variances is not None
    np.testing.assert_allclose(found.tau_sigma[:, 1], np.sqrt(variances[0][:, 1]))


def test_liveliness_is_the_distance_from_ones_weight() -> None:
    still = stiff(motion(0))
    np.testing.assert_allclose(liveliness(still, WEIGHT), 0.0, atol=1e-6)
    hopping = replace(still, force=still.force * (1.0 + np.sin(np.arange(120) * np.pi / 7.5))[:, None, None])
    np.testing.assert_allclose(liveliness(hopping, WEIGHT)[30:-30], np.sqrt(0.5), rtol=0.05)
