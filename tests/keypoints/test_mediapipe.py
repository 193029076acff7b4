from pathlib import Path

import numpy as np
import pytest

from keypoints.walkers import NAMES, walker
from monomsk.config import KeypointsConfig, VideoConfig
from monomsk.errors import KeypointError
from monomsk.keypoints import detect, find_people
from monomsk.keypoints.mediapipe import cut_off
from monomsk.video import frames, read_clip, stills
from video.movies import room, write_movie


def test_a_room_without_people_is_refused(tmp_path: Path) -> None:
    clip = read_clip(write_movie(tmp_path / "a.mp4", [room()] * 16, np.arange(16) / 25))
    people = find_people(clip, stills(clip, count=4))
    assert people.chosen is None
    with pytest.raises(KeypointError, match="nobody is seen in 100 %"):
        detect(clip, frames(clip), people=people)


def test_what_is_cut_off_is_named() -> None:
    xy = walker(100, speed=0.0, x=900.0)
    assert cut_off(NAMES, xy, (1920, 1080)) == ()
    (warning,) = cut_off(NAMES, xy - [0.0, 280.0], (1920, 1080))
    assert "nose" in warning
    assert "ankle" not in warning


@pytest.mark.parametrize("side", [None, 640])
def test_a_real_person_is_found_in_pictures_of_any_size(shared: Path, side: int | None) -> None:
    """Against what OpenPose made of the same frames (its file i is frame i + 1 of the video)."""
    from monomsk.io.keypoint_files import read_recorded
    from monomsk.keypoints.recorded import recorded_keypoints

    folder = shared / "data/video/pose2sim_single"
    clip = read_clip(folder / "cam01.mp4", VideoConfig(end=0.6))
    told: list[float] = []
    found = detect(clip, frames(clip, long_side=side), people=find_people(clip, stills(clip, count=3)), progress=told.append)
    assert np.isfinite(found.sigma).all()
    assert found.depth is not None
    assert told[-1] == 1.0
    recorded = read_recorded(folder / "openpose_json/S00_P00_T01_BalancingTrial/cam01", "openpose_body25b")
    assert isinstance(recorded, tuple)
    other = recorded_keypoints(recorded[:1] + recorded, "openpose_body25b", clip)
    shared_names = [n for n in NAMES if n in other.names and n[:-2] in ("shoulder", "elbow", "wrist", "knee", "ankle", "heel", "big_toe")]
    mine = found.xy[:, [found.names.index(n) for n in shared_names]]
    theirs = other.xy[:, [other.names.index(n) for n in shared_names]]
    # The man is about 920 px tall here.
    assert np.median(np.linalg.norm(mine - theirs, axis=-1)) < 0.025 * 920
    # His hips are at the origin of the estimator's own space.
    hips = found.depth[:, [found.names.index("hip_r"), found.names.index("hip_l")]].mean(1)
    assert np.abs(hips).max() < 0.02


def test_a_box_that_holds_nobody_is_refused(shared: Path) -> None:
    clip = read_clip(shared / "data/video/pose2sim_single/cam01.mp4", VideoConfig(end=0.5))
    config = KeypointsConfig(bbox=(0.0, 0.0, 150.0, 300.0))
    with pytest.raises(KeypointError, match="in the given box"):
        detect(clip, frames(clip, long_side=640), config, people=find_people(clip, stills(clip, count=3), config))
