import dataclasses
from functools import cache

import numpy as np

from datasets.motions import marker_places, squatting
from datasets.test_placing import recording
from monomsk.datasets.corpus import MotionClip
from monomsk.datasets.fitting import generic_body
from monomsk.datasets.forces import case_of
from monomsk.datasets.placing import Placement, place
from monomsk.datasets.points import tables
from monomsk.datasets.tracing import retraced


@cache
def blunted() -> tuple[MotionClip, Placement]:
    """A clip whose pelvis strays by millimetres from where its markers say it is."""
    clip = squatting()
    q = clip.q.astype(float)
    up = clip.names.index("pelvis_ty")
    q[:, up] += 0.004 * np.sin(2.0 * np.pi * 2.5 * clip.time)
    strayed = dataclasses.replace(clip, q=q.astype(np.float32))
    return strayed, place(strayed, recording(marker_places()), tables()["plug_in_gait"], clip.body(generic_body()))


def test_the_markers_motion_comes_back() -> None:
    clip, where = blunted()
    q, distance = retraced(clip, recording(marker_places()), where, case_of(clip, None).spec)
    up = clip.names.index("pelvis_ty")
    before, after = (np.abs(np.diff(x[:, up] - squatting().q[:, up], 2)) for x in (clip.q, q))
    # In the middle of the frames: at one, the made-up knees turn abruptly, which is rounded off.
    assert np.median(after) < 0.2 * np.median(before)
    assert distance < 0.002


def test_a_trunk_without_markers_does_not_swing_with_the_pelvis() -> None:
    clip, where = blunted()
    q, _ = retraced(clip, recording(marker_places(), lower_body=True), where, case_of(clip, None).spec)
    together = sum(q[:, clip.names.index(name)] for name in ("pelvis_tilt", "lumbar_extension"))
    assert np.ptp(together) < 1e-9
    assert np.ptp(q[:, clip.names.index("pelvis_tilt")]) > 0.05
