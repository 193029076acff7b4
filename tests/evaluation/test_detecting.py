"""Films through the real and the simulated estimator."""

from dataclasses import replace

import numpy as np
import pytest

from datasets.motions import squatting
from monomsk.datasets.rendered import hidden, render
from monomsk.datasets.scene import project
from monomsk.evaluation.detecting import compared_names, detected, simulated
from monomsk.evaluation.keypoint_errors import find_exchanges, put_right
from monomsk.keypoints.skeleton import NAMES


@pytest.fixture(scope="module")
def film():
    return render(squatting(), 2)


@pytest.fixture(scope="module")
def covered(film):
    return np.zeros(film.points.shape[:2], bool)


def test_points_that_both_have_are_compared(film):
    names = compared_names(film)
    assert {"nose", "ear_l", "wrist_r", "big_toe_l"} <= set(names)
    assert not {"index_r", "head_top", "neck"} & set(names)


def test_the_simulated_view_errs_like_its_noise_and_repeats(film, covered):
    views = [simulated(film, covered, seed) for seed in (4, 4, 5)]
    np.testing.assert_array_equal(views[0].found, views[1].found)
    assert not np.array_equal(views[0].found, views[2].found)
    off = np.linalg.norm(put_right(views[0], find_exchanges(views[0])).error(), axis=-1)
    assert 0.003 < np.nanmedian(off) < 0.03
    assert np.all(np.isfinite(views[0].stated) == views[0].seen)


def test_the_lever_says_how_a_point_moves_in_the_picture(film, covered):
    view = simulated(film, covered, 4)
    column = [NAMES.index(n) for n in view.names]
    shift = np.array([1e-4, -2e-4, 3e-4])
    moved, _ = project(film.scene.camera, film.points[:, column] + film.axes[:, column] @ shift)
    way = (moved - film.xy[:, column]) / film.stature[:, None, None]
    np.testing.assert_allclose(view.lever @ shift, way, atol=2e-7)


def test_the_real_estimator_finds_the_mannequin(film):
    pytest.importorskip("mediapipe")
    picked = slice(0, 12, 2)
    scene = replace(film.scene, points=film.scene.points[picked])
    few = replace(film, time=film.time[:6], scene=scene, points=film.points[picked], axes=film.axes[picked], facing=film.facing[picked])
    watched = []
    view = detected(few, hidden(few), lambda index, picture: watched.append((index, picture.shape)))
    assert [index for index, _ in watched] == list(range(6))
    off = np.linalg.norm(put_right(view, find_exchanges(view)).error(), axis=-1)
    assert np.nanmedian(off) < 0.03
