from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from datasets.motions import marked, marker_places, squatting
from monomsk.datasets.fitting import generic_body
from monomsk.datasets.placing import place
from monomsk.datasets.points import tables
from monomsk.datasets.recording import Recording
from monomsk.errors import InputError
from monomsk.types import Markers

SHIFT = np.array([1.3, 0.04, -0.7])


def recording(xyz: np.ndarray, **changes: Any) -> Recording:
    time = 2.0 + np.arange(len(xyz)) / squatting().rate
    markers = Markers(time, marked().marker_names, xyz, np.full(xyz.shape[:2], 0.005))
    usual: dict[str, Any] = {"activity": "squat", "licence": "none", "commercial_use": True, "split": None, "points": "plug_in_gait"}
    return Recording("made_up", "P1", "T1", **usual, markers=markers, **changes)


@pytest.mark.parametrize(("treadmill", "speed"), [(False, 0.0), (True, 1.4)])
def test_the_shift_is_found_again_though_markers_sit_elsewhere(*, treadmill: bool, speed: float) -> None:
    clip = squatting()
    random = np.random.default_rng(1)
    moved = marker_places() - SHIFT - clip.time[:, None, None] * np.array([speed, 0.0, 0.0])
    moved = moved + random.normal(0.0, 0.002, (1, *moved.shape[1:])) + random.normal(0.0, 0.001, moved.shape)
    # One marker lies on the floor: it must not pull the body to itself.
    moved[:, 7] = 0.0
    found = place(clip, recording(moved, treadmill=treadmill), tables()["plug_in_gait"], clip.body(generic_body()))
    assert found.offset == pytest.approx(SHIFT, abs=0.003)
    assert found.speed == pytest.approx(speed, abs=0.002)
    assert found.distance < 0.006
    np.testing.assert_allclose(found.of(np.array([2.0]))[0], found.offset + np.array([2.0 * found.speed, 0.0, 0.0]))


def test_a_marker_is_told_where_it_sits() -> None:
    clip, points = squatting(), tables()["plug_in_gait"]
    exact = {p.name: np.array(p.location) * clip.factors[generic_body().body(p.body)] for p in points}
    found = place(clip, recording(marker_places()), points, clip.body(generic_body()))
    assert max(float(np.linalg.norm(np.array(p.location) - exact[p.name])) for p in found.points) < 0.002


def test_trials_of_somebody_else_are_refused() -> None:
    clip, points = squatting(), tables()["plug_in_gait"]
    body = clip.body(generic_body())
    with pytest.raises(InputError, match="not of one trial"):
        place(clip, recording(1.4 * marker_places()), points, body)
    with pytest.raises(InputError, match="frames"):
        place(clip, recording(marker_places()[: len(clip.time) // 2]), points, body)
    few = replace(recording(marker_places()).markers, names=tuple(f"x{n}" for n in marked().marker_names))
    with pytest.raises(InputError, match="0 known points"):
        place(clip, replace(recording(marker_places()), markers=few), points, body)
