import dataclasses

import numpy as np
import pytest

from monomsk.datasets.clip import build_scene
from monomsk.datasets.scene import Light, frames, project


@pytest.fixture(scope="module")
def scene(walk):
    return build_scene(walk.model, walk.gait, dataclasses.replace(walk.truth, q=walk.truth.q[[30]]))


def drawn(scene):
    return next(frames(scene)).astype(float)


def person(scene):
    """Rows and columns around the person."""
    xy, _ = project(scene.camera, scene.points[0])
    (left, top), (right, bottom) = xy.min(0).astype(int), xy.max(0).astype(int)
    return slice(top, bottom), slice(left, right)


def test_more_light_is_brighter_and_only_on_the_person(scene):
    here = person(scene)
    dim, bright = (drawn(dataclasses.replace(scene, light=Light(around=around))) for around in (0.3, 0.6))
    assert bright[here].mean() > dim[here].mean() + 2.0
    np.testing.assert_array_equal(bright[:60], dim[:60])


def test_light_from_aside_moves_the_shadow(scene):
    turned = dataclasses.replace(scene, light=Light(sun=np.array([0.8, 0.6, 0.0])))
    floor = np.where(scene.room.floor, np.abs(drawn(turned) - drawn(scene)).max(-1), 0.0)
    assert (floor > 15.0).sum() > 500


def test_the_grain_is_as_strong_as_asked(scene):
    coarse, fine = (drawn(dataclasses.replace(scene, grain=grain)) for grain in (4.0, 0.0))
    assert (coarse - fine)[:60].std() == pytest.approx(4.0, rel=0.1)
    other = drawn(dataclasses.replace(scene, seed=1))
    assert np.abs(other - drawn(scene)).mean() > 0.5
