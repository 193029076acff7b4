"""The learned way to forces on a whole body: what holds whatever the network says."""

import equinox as eqx
import jax
import numpy as np
import pytest

from kinetics.motions import RATE, body, gait, subject
from monomsk.config import KineticsConfig
from monomsk.errors import InputError
from monomsk.kinetics import learned
from monomsk.kinetics.transformer import DynamicsTransformer
from monomsk.nn.transformer import Shape
from monomsk.types import Kinetics

LEGS = tuple(f"{n}_{s}" for n in ("hip_flexion", "knee_angle", "ankle_angle") for s in "rl")
FRAMES = 160


@pytest.fixture(scope="module")
def network() -> DynamicsTransformer:
    """With weights that say something."""
    points = tuple(c.name for c in body().contacts)
    plain = DynamicsTransformer(("pelvis_tilt", "pelvis_list", *LEGS), points, Shape(16, 2, 1), jax.random.key(0))
    weight = 0.1 * jax.random.normal(jax.random.key(1), plain.write.weight.shape)
    return eqx.tree_at(lambda n: n.write.weight, plain, weight)


@pytest.fixture(scope="module")
def found(network) -> Kinetics:
    return learned.estimate(gait(FRAMES), body(), subject(), KineticsConfig(), network)


def test_nothing_is_left_at_the_root_of_who_stands_alone_and_what_that_took_is_told(found, network) -> None:
    root = [i for i, name in enumerate(found.names) if name.startswith("pelvis")]
    weight = body().mass * 9.80665
    ready = learned.moved(gait(FRAMES), body(), subject(), 6.0, network.coordinates)
    lacking = (ready.state.wrench[:, 4] - found.force[..., 1].sum(1)) / weight
    free = learned.alone(lacking, found.time) == 1.0
    assert free.mean() > 0.3
    assert np.abs(found.tau[free][:, root]).max() < 1e-5 * weight
    assert found.quality["residual_force_rms_percent_peak_grf"] > 0.1


def test_a_chair_stays_in_the_residual() -> None:
    time = np.arange(200) / RATE
    steps = 0.3 * np.sin(2.0 * np.pi * 2.0 * time)
    assert (learned.alone(steps, time)[50:-50] == 1.0).all()
    seat = np.where(time < 1.0, 0.6, 0.0)
    share = learned.alone(seat, time)
    assert (share[:60] == 0.0).all()
    assert (share[-50:] == 1.0).all()


def test_feet_that_do_not_touch_get_nothing_and_nothing_pulls(found) -> None:
    assert (found.force[..., 1] >= 0.0).all()
    assert (found.force[~found.contact] == 0.0).all()
    assert found.force.shape == (FRAMES, 2, 3)
    assert found.contact.any()


def test_windows_leave_no_seams(found) -> None:
    """What the network adds is as smooth where windows meet as elsewhere."""
    plain = learned.moved(gait(FRAMES), body(), subject(), 6.0, ("pelvis_tilt", "pelvis_list", *LEGS))
    added = (found.force - plain.guess.force)[..., 0] / plain.weight
    jump = np.abs(np.diff(added, axis=0)).max(1)
    assert jump.max() < 0.15
    np.testing.assert_allclose(np.diff(found.time), 1.0 / RATE)


def test_a_motion_of_another_body_is_refused(network) -> None:
    other = gait(FRAMES)
    wrong = type(other)(other.time, other.names[::-1], other.rotational, other.q)
    with pytest.raises(InputError, match="not those of model"):
        learned.estimate(wrong, body(), subject(), KineticsConfig(), network)


def test_a_body_that_lacks_what_the_network_wants_to_see_is_refused(network) -> None:
    blind = DynamicsTransformer((*network.coordinates, "wing_r"), network.points, network.shape, jax.random.key(0))
    assert learned.unknown(network, body()) == ()
    assert learned.unknown(blind, body()) == ("wing_r",)
    with pytest.raises(InputError, match="no wing_r"):
        learned.estimate(gait(FRAMES), body(), subject(), KineticsConfig(), blind)
