import numpy as np

from monomsk.kinematics.planted import planted_beliefs

RATE = 60.0


def step(frames: int = 180) -> tuple[np.ndarray, np.ndarray]:
    """One sole point: still on the floor, lifted and carried forward for half a second, still again."""
    t = np.arange(frames) / RATE
    swing = np.clip((t - 1.2) / 0.5, 0, 1)
    x = 0.7 * (swing - np.sin(2 * np.pi * swing) / (2 * np.pi))
    y = 0.12 * np.sin(np.pi * swing) ** 2
    return np.stack([x, y, 0 * t], -1)[:, None], (swing > 0) & (swing < 1)


def test_a_still_sole_is_planted_and_a_swinging_one_is_not():
    sole, swings = step()
    belief = planted_beliefs(sole, RATE)[:, 0]
    assert belief[:66].min() > 0.9
    assert belief[108:].min() > 0.9
    assert belief[82:94].max() < 0.1
    assert ((belief > 0.5) == ~swings).mean() > 0.93


def test_a_floor_a_few_centimetres_off_does_not_matter():
    sole, _ = step()
    raised = sole + np.array([0.0, 0.05, 0.0])
    np.testing.assert_allclose(planted_beliefs(raised, RATE), planted_beliefs(sole, RATE), atol=0.05)


def test_a_foot_held_up_or_sliding_is_not_planted():
    still = np.zeros((120, 2, 3))
    still[:, 0, 1] = 0.3
    still[:, 1, 0] = 0.8 * np.arange(120) / RATE
    assert planted_beliefs(still, RATE).max() < 0.1
