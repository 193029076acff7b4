"""Rendered films: the picture shows the person where the truth says, and a seed gives one film."""

from dataclasses import replace

import numpy as np
import pytest

from datasets.motions import squatting
from monomsk.datasets.rasterizer import cover, rasterize
from monomsk.datasets.rendered import MARGIN, hidden, render
from monomsk.datasets.scene import project
from monomsk.errors import InputError
from monomsk.keypoints.skeleton import NAMES

INNER = [f"{part}_{side}" for part in ("elbow", "wrist", "hip", "knee", "ankle", "heel", "big_toe") for side in "rl"]
"""Points that lie within the body from wherever one looks."""


def few(film, step):
    picked = slice(None, None, step)
    scene = replace(film.scene, points=film.scene.points[picked])
    return replace(
        film, time=film.time[picked], scene=scene, points=film.points[picked], axes=film.axes[picked], facing=film.facing[picked]
    )


@pytest.fixture(scope="module")
def films():
    return [few(render(squatting(), seed), 20) for seed in (1, 2)]


def test_the_silhouette_contains_the_joints(films):
    for film in films:
        camera = film.scene.camera
        for corners, xy in zip(film.scene.points, film.xy, strict=True):
            at, depth = project(camera, corners)
            mask = cover(rasterize(at, depth, film.scene.mannequin.triangles, camera.size), camera.size)
            column, row = xy[[NAMES.index(n) for n in INNER]].astype(int).T
            assert mask[row, column].all(), [n for n, hit in zip(INNER, mask[row, column], strict=True) if not hit]


def test_the_whole_person_fills_the_picture(films):
    for film in films:
        xy, _ = project(film.scene.camera, film.scene.points)
        reach = np.abs(xy / film.scene.camera.center - 1.0).max((0, 1))
        assert reach.max() < MARGIN + 1e-6
        assert np.ptp(film.xy[..., 1][np.isfinite(film.xy[..., 1])]) > 0.3 * film.scene.camera.size[1]


def test_the_stature_in_the_picture_is_the_height_at_that_depth(films):
    for film in films:
        foot = film.points[0, NAMES.index("hip_r")]
        R = film.scene.camera.R_camera_ground
        xy, _ = project(film.scene.camera, np.stack([foot, foot + film.clip.stature * R[0]]))
        assert film.stature[0] == pytest.approx(xy[1, 0] - xy[0, 0], rel=0.12)


def test_a_seed_gives_one_film(films):
    again = few(render(squatting(), 1), 20)
    first, same, other = (next(film.frames()) for film in (films[0], again, films[1]))
    np.testing.assert_array_equal(first, same)
    assert first.shape != other.shape or np.abs(first.astype(float) - other).mean() > 5.0


def test_what_is_hidden_lies_behind(films):
    told = 0
    for film in films:
        covered = hidden(film)
        assert 0.02 < covered.mean() < 0.6
        _, depth = project(film.scene.camera, film.points)
        for part in ("hip", "knee", "shoulder", "ear"):
            r, l = NAMES.index(f"{part}_r"), NAMES.index(f"{part}_l")  # noqa: E741
            one = covered[:, r] != covered[:, l]
            farther = depth[:, r] > depth[:, l]
            assert np.all(covered[one, r] == farther[one])
            told += one.sum()
    assert told > 0


def test_where_the_person_faces(films):
    """The nose is nearer than the ears to a camera in front."""
    for film in films:
        _, depth = project(film.scene.camera, film.points)
        nose = depth[:, NAMES.index("nose")] - depth[:, [NAMES.index("ear_r"), NAMES.index("ear_l")]].mean(1)
        clear = np.abs(np.cos(film.facing)) > 0.5
        assert np.all((nose[clear] < 0.0) == (np.cos(film.facing[clear]) > 0.0))


def test_too_short_a_clip_is_refused():
    clip = squatting()
    with pytest.raises(InputError, match="a film needs 40"):
        render(replace(clip, time=clip.time[:20], q=clip.q[:20]), 0)
