from dataclasses import replace

import numpy as np
import pytest

from keypoints.walkers import clip_of, walker
from monomsk.config import KeypointsConfig
from monomsk.errors import KeypointError
from monomsk.keypoints import skeleton
from monomsk.keypoints.recorded import recorded_keypoints
from monomsk.types import Keypoints

COUNT = 90
CLIP = clip_of(COUNT)


def _frames(layout: str, *walkers: np.ndarray, confidence: float = 0.8) -> list[np.ndarray]:
    """Everybody frame by frame in the order of the layout."""
    _, order = skeleton.canonical_order(layout)
    frames = []
    for i in range(COUNT):
        people = np.zeros((len(walkers), len(skeleton.LAYOUTS[layout]), 3))
        for k, way in enumerate(walkers):
            people[k, order, :2], people[k, order, 2] = way[i], confidence
        frames.append(people)
    return frames


def _names(layout: str) -> tuple[str, ...]:
    return skeleton.canonical_order(layout)[0]


@pytest.mark.parametrize("layout", [name for name in skeleton.LAYOUTS if name != "mediapipe33"])
def test_points_get_their_names(layout: str) -> None:
    truth = walker(COUNT, _names(layout))
    keypoints = recorded_keypoints(_frames(layout, truth), layout, CLIP)
    assert keypoints.names == _names(layout)
    assert keypoints.source == layout
    np.testing.assert_allclose(keypoints.xy, truth)
    # OpenPose is off by about one hundredth of the standing height, here 500 px.
    assert 2.0 < np.median(keypoints.sigma) < 8.0
    assert np.isfinite(keypoints.sigma).all()


def test_one_person_is_followed_whatever_their_place_in_the_files() -> None:
    layout = "openpose_body25"
    tall, small = walker(COUNT, _names(layout), x=700), walker(COUNT, _names(layout), x=1500, speed=0, height=250)
    frames = [people[:: 1 if i % 3 else -1] for i, people in enumerate(_frames(layout, tall, small))]
    first = recorded_keypoints(frames, layout, CLIP)
    np.testing.assert_allclose(first.xy, tall)
    assert "2 people" in first.warnings[0]
    second = recorded_keypoints(frames, layout, CLIP, KeypointsConfig(person=2))
    np.testing.assert_allclose(second.xy, small)


def test_missing_points_are_infinite_and_short_gaps_bridged() -> None:
    layout = "openpose_body25"
    frames = _frames(layout, walker(COUNT, _names(layout)))
    knee = skeleton.LAYOUTS[layout].index("knee_r")
    for i in [*range(10, 14), *range(40, 70)]:
        frames[i][0, knee] = 0.0
    frames[80] = frames[80][:0]
    keypoints = recorded_keypoints(frames, layout, CLIP)
    sigma = keypoints.sigma[:, keypoints.names.index("knee_r")]
    assert np.isfinite(sigma[:40]).all()
    assert np.isinf(sigma[40:70]).all()
    assert np.isfinite(keypoints.sigma[80]).all()
    assert sigma[12] > sigma[5]


def test_exchanged_sides_are_put_right() -> None:
    layout = "halpe26"
    truth = walker(COUNT, _names(layout))
    mixed = truth.copy()
    mixed[30:36] = truth[30:36][:, skeleton.mirror_order(_names(layout))]
    keypoints = recorded_keypoints(_frames(layout, mixed), layout, CLIP)
    np.testing.assert_allclose(keypoints.xy, truth)
    assert any("put right in 6 of 90" in text for text in keypoints.warnings)


def test_a_stretch_takes_its_own_frames() -> None:
    layout = "coco17"
    truth = walker(COUNT, _names(layout))
    clip = replace(CLIP, frame_index=(30, 90), frame_time=CLIP.frame_time[:60], time=CLIP.time[:60], start=0.5)
    np.testing.assert_allclose(recorded_keypoints(_frames(layout, truth), layout, clip).xy, truth[30:])


def test_files_that_show_nobody_are_refused() -> None:
    nobody = [np.zeros((0, 25, 3))] * COUNT
    with pytest.raises(KeypointError, match="0 % of the frames"):
        recorded_keypoints(nobody, "openpose_body25", CLIP)
    with pytest.raises(KeypointError, match=r"not known.*openpose_body25b"):
        recorded_keypoints(nobody, "kinect", CLIP)


def test_ready_keypoints_come_onto_the_grid() -> None:
    names = ("knee_r", "ankle_r")
    time = np.arange(50) / 30
    ready = Keypoints(time, names, walker(50, names), np.full((50, 2), 4.0), None, "mine")
    keypoints = recorded_keypoints(ready, "npz", CLIP)
    np.testing.assert_array_equal(keypoints.time, CLIP.time)
    np.testing.assert_allclose(keypoints.xy[::2], ready.xy[:45])
    assert keypoints.source == "mine"
    late = replace(ready, time=time + 100.0)
    with pytest.raises(KeypointError, match="cover 0 %"):
        recorded_keypoints(late, "npz", CLIP)
