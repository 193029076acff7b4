"""Figures and warnings of static optimization."""

from dataclasses import replace

import numpy as np

from monomsk.muscles.quality import Evidence, figures, warnings
from monomsk.muscles.rows import Rows

N = 200


def evidence() -> Evidence:
    none = np.zeros((N, 6), bool)
    moment = np.stack([40.0 * np.ones(N), np.full(N, 0.5)], 1)
    return Evidence(
        time=np.arange(N) / 100.0,
        muscles=tuple("abcdef"),
        coordinates=("hip", "toe"),
        activation=np.full((N, 6), 0.2),
        reserve=np.zeros((N, 2)),
        moment=moment,
        slack=none,
        inside_of=np.full((N, 6), -1),
        broken=none,
        surfaces=("pulley", "ball"),
    )


def test_all_well_is_silent() -> None:
    assert warnings(evidence(), Rows((0, 1), ("arm",), ())) == ()
    found = figures(evidence())
    assert found["reserve_peak"] == 0.0
    assert found["hip_reserve_percent_moment"] == 0.0


def test_small_reserves_on_idle_joints_are_silent() -> None:
    small = evidence()
    small.reserve[:, 1] = 0.2
    assert warnings(small, Rows((0, 1), (), ())) == ()


def test_stretches_of_time_are_told_and_counted() -> None:
    bad = evidence()
    for start in (10, 50, 90, 130):
        bad.reserve[start : start + 6, 0] = 8.0
    (line,) = warnings(bad, Rows((0, 1), (), ()))
    assert "hip: 8 N·m (20 % of its peak)" in line
    assert "0.10–0.15 s, 0.50–0.55 s, 0.90–0.95 s and 1 more times" in line
    assert figures(bad)["reserve_peak_percent_moment"] == 20.0


def test_muscles_are_named_worst_first() -> None:
    slack = np.zeros((N, 6), bool)
    slack[:, 4] = True
    slack[3, :4] = True
    (line,) = warnings(replace(evidence(), slack=slack), Rows((0, 1), (), ()))
    assert line.startswith("e, ")
    assert "and 1 more" in line


def test_a_surface_that_a_path_starts_inside_of_is_told_by_name() -> None:
    inside = np.full((N, 6), -1)
    inside[20:31, 2] = 1
    (line,) = warnings(replace(evidence(), inside_of=inside), Rows((0, 1), (), ()))
    assert line == "c unable to bend around ball: the path starts inside of it, at 0.20–0.30 s"


def test_a_muscle_without_a_path_is_told_and_not_as_slack_too() -> None:
    broken = np.zeros((N, 6), bool)
    broken[7, 0] = True
    (line,) = warnings(replace(evidence(), broken=broken, slack=broken), Rows((0, 1), (), ()))
    assert line == "a without a path (fewer than two of its points are on it), at 0.07 s"


def test_what_lies_beyond_the_ground_force_is_told() -> None:
    (line,) = warnings(evidence(), Rows((0, 1), (), ("mtp_angle_r",)))
    assert "mtp_angle_r" in line
