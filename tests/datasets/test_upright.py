"""Pelves of recorded skeletons are brought to where measured ones stand; legs and trunk stay."""

from dataclasses import replace

import numpy as np
import pytest

from datasets.motions import clip
from monomsk.datasets.corpus import MotionClip
from monomsk.datasets.fitting import generic_body
from monomsk.datasets.upright import LEVEL, levelled, tilted, upright
from monomsk.kinematics.trajectories import in_chunks, marker_trajectories


def of_source(source: str, tilt: float, person: str = "P1") -> MotionClip:
    plain = clip(person)
    q = plain.q.copy()
    q[:, plain.names.index("pelvis_tilt")] += tilt
    # The trunk is as upright as before.
    q[:, plain.names.index("lumbar_extension")] -= tilt
    return replace(plain, q=q, origin=replace(plain.origin, source=source))


def median_tilt(clip: MotionClip) -> float:
    return float(np.median(clip.q[upright(clip), clip.names.index("pelvis_tilt")]))


def test_a_tilted_pelvis_leaves_the_legs_where_they_are():
    before, angle = clip(), 0.3
    turn = before.names.index("pelvis_rotation")
    before.q[:, turn] += 0.7
    after = tilted(before, angle, generic_body())
    body = before.body(generic_body())
    one, other = (in_chunks(marker_trajectories, body, c.q.astype(float)) for c in (before, after))
    names = body.marker_names
    for name in ("knee_r", "ankle_l", "big_toe_r", "hip_l"):
        assert other[:, names.index(name)] == pytest.approx(one[:, names.index(name)], abs=2e-3), name
    trunk = [[names.index(n) for n in ("shoulder_r", "shoulder_l", "neck")], slice(None)]
    lines = [x[:, trunk[0]] - x[:, trunk[0][:1]] for x in (one, other)]
    assert lines[1] == pytest.approx(lines[0], abs=1e-4)
    assert after.q[:, after.names.index("hip_flexion_r")] == pytest.approx(
        before.q[:, before.names.index("hip_flexion_r")] - angle, abs=1e-5
    )


def test_people_of_skeletons_stand_like_measured_ones():
    given = [of_source("cmu", -0.3), of_source("cmu", 0.1, "P2"), of_source("laboratory", -0.3)]
    found = levelled(given)
    assert median_tilt(found[0]) == pytest.approx(LEVEL, abs=1e-3)
    assert median_tilt(found[1]) == pytest.approx(LEVEL, abs=1e-3)
    assert found[2] is given[2]


def test_whoever_is_never_upright_gets_what_is_usual_in_the_source():
    sitting = of_source("cmu", -0.2, "P3")
    sitting.q[:, [sitting.names.index(f"knee_angle_{s}") for s in "rl"]] = 1.6
    tilt = sitting.names.index("pelvis_tilt")
    before = sitting.q[:, tilt].copy()
    found = levelled([of_source("cmu", -0.3), sitting])
    usual = median_tilt(found[0]) - median_tilt(of_source("cmu", -0.3))
    assert found[1].q[:, tilt] - before == pytest.approx(usual, abs=1e-4)


def test_clips_without_skeletons_stay_as_they_are():
    assert levelled([of_source("laboratory", 0.2)])[0].q[0, 0] == of_source("laboratory", 0.2).q[0, 0]
    assert levelled([]) == ()
