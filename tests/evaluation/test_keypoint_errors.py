"""Errors that are put in are told."""

from dataclasses import replace

import numpy as np
import pytest

from monomsk.evaluation.keypoint_errors import View, describe, find_definition, find_exchanges, put_right, slow_and_white

NAMES = tuple(f"{part}_{side}" for part in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle", "heel", "big_toe") for side in "rl")
KNEE = NAMES.index("knee_r")
FRAMES = 60


def perfect(frames=FRAMES):
    """A person from the front, sides a fifth of a stature apart, found where it is."""
    place = np.array([[0.1 if name.endswith("_r") else -0.1, 0.1 * (k // 2)] for k, name in enumerate(NAMES)])
    true = np.broadcast_to(place, (frames, len(NAMES), 2)).copy()
    shape = true.shape[:2]
    lever = np.broadcast_to(np.array([[0.6, 0.0, 0.0], [0.0, 0.6, 0.0]]), (*shape, 2, 3)).copy()
    return View(30.0, NAMES, true.copy(), true, np.ones(shape, bool), np.full(shape, 0.01), np.zeros(shape, bool), np.zeros(frames), lever)


def with_error(view, error):
    return replace(view, found=view.true + error)


def test_no_error_is_none():
    row = describe([perfect()], ("knee",))
    assert row.bias == row.spread == row.outliers == row.missing == 0.0
    assert row.count == 2 * FRAMES
    assert row.stated == pytest.approx(0.01)


def test_what_is_constant_is_bias():
    error = np.zeros((FRAMES, len(NAMES), 2))
    error[:, KNEE] = 0.03, 0.04
    row = describe([with_error(perfect(), error)], ("knee",))
    # Two points, two axes: (0.03² + 0.04²) / 4.
    assert row.bias == pytest.approx(0.025)
    assert row.spread == pytest.approx(0.0, abs=1e-12)


def test_outliers_have_share_size_and_length():
    error = np.zeros((FRAMES, len(NAMES), 2))
    error[10:13, KNEE] = 0.06, 0.08
    error[40, KNEE] = 0.06, 0.08
    row = describe([with_error(perfect(), error)], ("knee",))
    assert row.outliers == pytest.approx(4 / 120)
    assert row.size == pytest.approx(0.1)
    # Runs of three and one frames at 30 Hz are two frames at 60 Hz on the average, twice.
    assert row.burst == pytest.approx(4.0)
    assert row.spread == 0.0


def test_a_point_that_is_always_elsewhere_is_astray_and_no_bias():
    error = np.zeros((FRAMES, len(NAMES), 2))
    error[:50, KNEE] = 0.12, 0.16
    row = describe([with_error(perfect(), error)], ("knee",))
    assert row.astray == pytest.approx(0.5)
    assert row.bias == row.spread == 0.0
    assert row.outliers == pytest.approx(50 / 120)
    assert row.size == pytest.approx(0.2)
    assert row.burst == pytest.approx(100.0)


def test_slow_and_white_parts_are_told_apart():
    expected = 0.8**2
    found = slow_and_white(np.array([9.0 + 4.0, 9.0 * expected, 9.0 * expected**2, 9.0 * expected**3]), 30.0)
    np.testing.assert_allclose(found, [3.0, 0.8, 2.0])
    assert np.isnan(slow_and_white(np.array([4.0, -0.1, 0.0, 0.0]), 30.0)[0])
    random = np.random.default_rng(0)
    views = []
    for _ in range(20):
        slow = np.zeros((400, len(NAMES), 2))
        for i in range(1, 400):
            slow[i] = 0.7 * slow[i - 1] + 0.51**0.5 * random.standard_normal(slow[i].shape)
        views.append(with_error(perfect(400), 0.009 * slow + 0.003 * random.standard_normal(slow.shape)))
    row = describe(views, ("knee", "ankle"))
    assert row.slow == pytest.approx(0.009, rel=0.05)
    assert row.memory == pytest.approx(0.7**0.5, rel=0.02)
    assert row.white == pytest.approx(0.003, rel=0.2)


def test_hidden_points_are_told_by_themselves():
    error = np.zeros((FRAMES, len(NAMES), 2))
    error[::2, KNEE, 0], error[1::2, KNEE, 0] = 0.02, -0.02
    view = with_error(perfect(), error)
    view.hidden[:, KNEE] = True
    assert describe([view], ("knee",), hidden=True).spread == pytest.approx(np.sqrt(0.02**2 / 2.0))
    plain = describe([view], ("knee",), hidden=False)
    assert plain.spread == 0.0
    assert plain.count == FRAMES


def test_exchanged_sides_are_found_and_put_right():
    view = perfect()
    order = np.array([k ^ 1 for k in range(len(NAMES))])
    legs = np.array([name.split("_")[0] in ("hip", "knee", "ankle", "heel", "big") for name in NAMES])
    found = view.found.copy()
    found[5:15] = np.where(legs[:, None], found[5:15, order], found[5:15])
    mixed = replace(view, found=found)
    exchanges = find_exchanges(mixed)
    assert exchanges.legs.sum() == 10
    assert exchanges.legs[5:15].all()
    assert exchanges.arms.sum() == 0
    np.testing.assert_array_equal(put_right(mixed, exchanges).found, view.found)
    near = replace(view, true=view.true * [0.1, 1.0], found=found * [0.1, 1.0])
    assert np.isnan(find_exchanges(near).legs).all()


def test_missing_points_do_not_count():
    view = perfect()
    view.seen[:15, KNEE] = False
    view.found[:15, KNEE] = 0.0
    row = describe([view], ("knee",))
    assert row.missing == pytest.approx(15 / 120)
    assert row.spread == 0.0


def test_another_definition_is_found_and_taken_out():
    shift = np.array([0.02, -0.03, 0.01])
    random = np.random.default_rng(1)
    views = []
    for _ in range(6):
        view = perfect()
        lever = random.standard_normal(view.lever.shape)
        own = np.stack([shift * [1.0, 1.0, -1.0 if name.endswith("_l") else 1.0] for name in NAMES])
        views.append(replace(view, lever=lever, found=view.true + np.einsum("tkij,kj->tki", lever, own)))
    definition = find_definition(views)
    np.testing.assert_allclose(definition["knee"], shift, atol=1e-5)
    assert describe(views, ("knee",)).spread > 0.005
    row = describe(views, ("knee",), definition)
    assert row.bias == pytest.approx(0.0, abs=1e-5)
    assert row.spread == pytest.approx(0.0, abs=1e-5)
