import numpy as np

from kinetics.motions import body
from monomsk.kinetics.feet import feet_of
from monomsk.kinetics.ground_forces import EXTRA, FRICTION, cone, transfer, transfer_map, wrench_map


def test_the_map_is_the_sum_of_moments_and_forces_at_points() -> None:
    random = np.random.default_rng(0)
    feet = feet_of(body())
    n = len(feet.foot)
    point, anchor, seat = random.normal(size=(1, n, 3)), random.normal(size=(1, 2, 3)), random.normal(size=(1, 3))
    x = random.normal(size=n + EXTRA)
    up = np.array([0.0, 1.0, 0.0])
    friction = np.stack([x[[n, n + 2]], np.zeros(2), x[[n + 1, n + 3]]], 1)
    force = x[:n].sum() * up + friction.sum(0) + x[-1] * up
    moment = np.cross(point[0], x[:n, None] * up).sum(0) + np.cross(anchor[0], friction).sum(0) + (x[n + 4] + x[n + 5]) * up
    moment += np.cross(seat[0], x[-1] * up)
    np.testing.assert_allclose(wrench_map(point, anchor, seat)[0] @ x, np.concatenate([moment, force]), atol=1e-12)


def test_the_linear_cone_lies_inside_the_round_one() -> None:
    feet = feet_of(body())
    n = len(feet.foot)
    rows = cone(feet)
    for angle in np.linspace(0.0, 2.0 * np.pi, 50):
        x = np.zeros(n + EXTRA)
        x[:n] = 1.0 / 6.0
        x[n : n + 2] = 1.001 * FRICTION * np.array([np.cos(angle), np.sin(angle)])
        assert (rows @ x > 0.0).any()
        x[n : n + 2] *= 0.9
        assert (rows @ x <= 1e-12).all()
    x[0] = -0.1
    assert (rows @ x > 0.0).any()


def test_a_step_hands_the_load_over_and_standing_has_no_usual_share() -> None:
    frames = np.arange(100)
    step = np.stack([frames < 60, frames >= 45], 1)
    share = transfer(step, 100.0)
    assert np.isnan(share[:45]).all()
    assert np.isnan(share[60:]).all()
    assert (np.diff(share[45:60]) < 0.0).all()
    np.testing.assert_allclose(transfer(step[:, ::-1], 100.0)[45:60], 1.0 - share[45:60])
    assert np.isnan(transfer(np.ones((100, 2), bool), 100.0)).all()
    hop = np.stack([np.ones(100, bool), (frames > 40) & (frames < 50)], 1)
    assert np.isnan(transfer(hop, 100.0)).all()
    feet = feet_of(body())
    x = np.zeros(len(feet.foot) + EXTRA)
    x[:6], x[6:12] = share[50] / 6.0, (1.0 - share[50]) / 6.0
    np.testing.assert_allclose(transfer_map(feet, share)[50, 0] @ x, 0.0, atol=1e-12)
