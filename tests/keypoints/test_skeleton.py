import numpy as np
import pytest

from monomsk.keypoints import skeleton


@pytest.mark.parametrize("name", skeleton.NAMES)
def test_mirroring_twice_changes_nothing(name: str) -> None:
    assert skeleton.mirrored(skeleton.mirrored(name)) == name
    assert skeleton.mirrored(name) in skeleton.NAMES


def test_mirror_order_exchanges_sides() -> None:
    names = ("nose", "knee_r", "knee_l", "heel_r")
    np.testing.assert_array_equal(skeleton.mirror_order(names), [0, 2, 1, 3])


@pytest.mark.parametrize(
    ("layout", "points"), [("mediapipe33", 33), ("openpose_body25", 25), ("openpose_body25b", 25), ("coco17", 17), ("halpe26", 26)]
)
def test_layouts_hold_known_names_once(layout: str, points: int) -> None:
    listed = skeleton.LAYOUTS[layout]
    named = [name for name in listed if name]
    assert len(listed) == points
    assert len(named) == len(set(named))
    assert set(named) <= set(skeleton.NAMES)
    assert {skeleton.mirrored(name) for name in named} == set(named)


@pytest.mark.parametrize(
    ("layout", "name", "index"),
    [
        ("mediapipe33", "shoulder_l", 11), ("mediapipe33", "hip_r", 24), ("mediapipe33", "big_toe_r", 32), ("mediapipe33", "heel_l", 29),
        ("openpose_body25", "hip_mid", 8), ("openpose_body25", "ankle_l", 14), ("openpose_body25", "heel_r", 24),
        ("openpose_body25b", "hip_l", 11), ("openpose_body25b", "head_top", 18), ("openpose_body25b", "heel_l", 21),
        ("coco17", "ankle_r", 16), ("halpe26", "big_toe_r", 21), ("halpe26", "heel_l", 24), ("halpe26", "hip_mid", 19),
    ],
)  # fmt: skip
def test_points_are_where_the_formats_keep_them(layout: str, name: str, index: int) -> None:
    names, order = skeleton.canonical_order(layout)
    assert order[names.index(name)] == index
