import cv2
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from monomsk.video.vertical import find_vertical

FOCAL, SIZE = 800.0, (540, 960)


def _picture(pitch: float, roll: float, upright: int, floor: int) -> tuple[np.ndarray, np.ndarray]:
    """A picture of upright poles and of lines on the floor, and gravity in its camera; angles in degrees."""
    random = np.random.default_rng(3)
    turn = Rotation.from_euler("xz", [-pitch, roll], degrees=True)
    gravity = turn.apply([0.0, 1.0, 0.0])
    image = np.full((SIZE[1], SIZE[0], 3), 200, np.uint8)

    def line(a: np.ndarray, b: np.ndarray) -> None:
        ends = turn.apply(np.stack([a, b]))
        if (ends[:, 2] < 0.3).any():
            return
        pixels = ends[:, :2] / ends[:, 2:] * FOCAL + np.array(SIZE) / 2
        cv2.line(image, *(tuple((p * 16).round().astype(int).tolist()) for p in pixels), (40, 40, 40), 2, cv2.LINE_AA, 4)

    for _ in range(upright):
        x, z = random.uniform(-3, 3), random.uniform(4, 9)
        line(np.array([x, -1.5, z]), np.array([x, 1.0, z]))
    for x in np.linspace(-2, 2, floor):
        line(np.array([x, 1.4, 2.0]), np.array([x, 1.4, 9.0]))
    return image, gravity


@pytest.mark.parametrize(("pitch", "roll"), [(0, 0), (15, 0), (-12, 4), (25, -8), (20, 25)])
def test_poles_show_the_vertical(pitch: float, roll: float) -> None:
    image, gravity = _picture(pitch, roll, upright=18, floor=9)
    found = find_vertical(image, FOCAL, (SIZE[0] / 2, SIZE[1] / 2))
    assert found is not None
    assert np.degrees(np.arccos(found.gravity @ gravity)) < 1.5
    assert found.lines >= 8
    assert np.linalg.norm(found.gravity) == pytest.approx(1)


def test_the_answer_is_always_the_same() -> None:
    image, _ = _picture(10, 3, upright=18, floor=9)
    first, second = (find_vertical(image, FOCAL, (SIZE[0] / 2, SIZE[1] / 2)) for _ in range(2))
    assert first is not None
    assert second is not None
    np.testing.assert_array_equal(first.gravity, second.gravity)


def test_lines_on_the_floor_are_no_vertical() -> None:
    image, _ = _picture(10, 0, upright=0, floor=15)
    assert find_vertical(image, FOCAL, (SIZE[0] / 2, SIZE[1] / 2)) is None


def test_an_empty_picture_shows_nothing() -> None:
    assert find_vertical(np.full((480, 640, 3), 90, np.uint8), FOCAL, (320, 240)) is None
