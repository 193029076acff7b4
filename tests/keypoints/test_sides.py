from pathlib import Path

import numpy as np
import pytest

from keypoints.walkers import HEIGHT, NAMES, walker
from monomsk.io.keypoint_files import read_recorded
from monomsk.keypoints import sides, skeleton
from monomsk.keypoints.sides import find_swaps

FULL = np.full(120, HEIGHT)
TIME = np.arange(120) / 60


def _exchange(xy: np.ndarray, frames: list[int], parts: tuple[str, ...] | None = None) -> np.ndarray:
    out, mirror = xy.copy(), skeleton.mirror_order(NAMES)
    picked = [i for i, name in enumerate(NAMES) if parts is None or name[:-2] in parts]
    for frame in frames:
        out[frame, picked] = xy[frame, mirror[picked]]
    return out


def _noisy() -> np.ndarray:
    return walker(120) + np.random.default_rng(0).normal(0, 0.008 * HEIGHT, (120, len(NAMES), 2))


def test_nothing_is_swapped_where_nothing_is_wrong() -> None:
    swaps = find_swaps(NAMES, _noisy(), FULL, TIME)
    assert swaps.count == (0, 0)


@pytest.mark.parametrize(
    "parts",
    [None, skeleton.LEGS, sides.UPPER],
    ids=["body", "legs", "arms"],
)
def test_exchanged_frames_are_found_and_put_right(parts: tuple[str, ...] | None) -> None:
    truth = _noisy()
    wrong = [5, 20, 21, 22, 23, 60, *range(80, 110), 119]
    swaps = find_swaps(NAMES, mixed := _exchange(truth, wrong, parts), FULL, TIME)
    mended = np.stack([frame[right] for frame, right in zip(mixed, swaps.order(NAMES), strict=True)])
    np.testing.assert_array_equal(mended, truth)
    assert swaps.count == (len(wrong), len(wrong) if parts is None else 0)


def test_the_majority_is_right() -> None:
    truth = _noisy()
    swaps = find_swaps(NAMES, _exchange(truth, list(range(70))), FULL, TIME)
    assert (~swaps.body[:70]).all()
    assert swaps.body[70:].all()


def test_one_frame_is_left_alone() -> None:
    assert find_swaps(NAMES, _noisy()[:1], FULL[:1], TIME[:1]).count == (0, 0)


def test_flips_of_a_frontal_view_against_another_estimator(shared: Path) -> None:
    """Recorded points of the four-camera clip, sides exchanged in a third of the frames as MediaPipe does there."""
    folder = shared / "data/video/pose2sim_single/openpose_json/S00_P00_T01_BalancingTrial/cam02"
    names, order = skeleton.canonical_order("openpose_body25b")
    everybody = read_recorded(folder, "openpose_body25b")
    assert isinstance(everybody, tuple)
    tallest = [max(people, key=lambda p: np.ptp(p[p[:, 2] > 0.1, 1])) for people in everybody]
    xy = np.stack([person[order, :2] for person in tallest])
    wrong = [*range(41, 60), 61, 62, 63, 65, *range(67, 75), 81]
    mixed = xy.copy()
    mixed[wrong] = xy[wrong][:, skeleton.mirror_order(names)]
    swaps = find_swaps(names, mixed, np.full(len(xy), 800.0), np.arange(len(xy)) / 60)
    mended = np.stack([frame[right] for frame, right in zip(mixed, swaps.order(names), strict=True)])
    # The legs nearly coincide in some of these frames: either order is good.
    trunk = [names.index(name) for name in ("shoulder_r", "shoulder_l", "hip_r", "hip_l", "elbow_r", "elbow_l")]
    assert (np.abs(mended[:, trunk] - xy[:, trunk]).max((1, 2)) == 0).mean() >= 0.97
