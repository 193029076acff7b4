import dataclasses

import numpy as np

from monomsk.datasets.clip import scene_camera
from monomsk.datasets.room import STUDIO, draw_room, placement


def small():
    camera = scene_camera()
    return dataclasses.replace(
        camera, size=(320, 180), focal=(camera.focal[0] / 4, camera.focal[1] / 4), center=(camera.center[0] / 4, camera.center[1] / 4)
    )


def test_the_floor_is_below():
    room = draw_room(small())
    assert room.picture.shape == (180, 320, 3)
    assert room.floor[-1].all()
    assert not room.floor[0].any()
    assert room.picture.min() >= 0.0
    assert room.picture.max() <= 1.0
    assert room.picture.std() > 0.03


def test_a_floor_pixel_looks_at_the_floor():
    camera = small()
    R, origin = placement(camera)
    room = draw_room(camera)
    row, column = np.argwhere(room.floor)[0]
    ray = R.T @ np.array([(column + 0.5 - camera.center[0]) / camera.focal[0], (row + 0.5 - camera.center[1]) / camera.focal[1], 1.0])
    eye = -R.T @ origin
    assert ray[1] < 0.0
    reach = eye - ray * eye[1] / ray[1]
    assert -2.2 < reach[2] < eye[2]


def test_a_tint_colours_one_plane_only():
    camera = small()
    plain = draw_room(camera)
    planes = (dataclasses.replace(STUDIO.planes[0], tint=(0.5, 1.0, 1.0)), *STUDIO.planes[1:])
    tinted = draw_room(camera, dataclasses.replace(STUDIO, planes=planes))
    np.testing.assert_array_equal(tinted.floor, plain.floor)
    np.testing.assert_allclose(tinted.picture[-1], plain.picture[-1] * [0.5, 1.0, 1.0], rtol=1e-5)
    np.testing.assert_array_equal(tinted.picture[0], plain.picture[0])
