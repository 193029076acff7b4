"""How far the muscle forces can be believed: figures, and warnings with the names and the times."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from monomsk.muscles.rows import Rows

TOO_MUCH_RESERVE = 0.05
"""Share of a coordinate's peak moment above which its reserve is worth a warning."""
LEAST_PEAK = 5.0
"""Peak moments are taken as at least this [N·m], so that idle joints raise no warnings."""
FULL = 0.99
"""Activation at which a muscle counts as fully active."""
NAMES_IN_A_WARNING = 4
STRETCHES_IN_A_WARNING = 3


@dataclass(frozen=True)
class Evidence:
    """What the judgement rests on."""

    time: Float[np.ndarray, " time"]
    muscles: tuple[str, ...]
    coordinates: tuple[str, ...]
    activation: Float[np.ndarray, "time muscle"]
    reserve: Float[np.ndarray, "time row"]
    """What the muscles could not supply [N·m]."""
    moment: Float[np.ndarray, "time row"]
    """What was asked for [N·m]."""
    slack: Bool[np.ndarray, "time muscle"]
    inside_of: Int[np.ndarray, "time muscle"]
    """Number of the wrap surface that the path starts inside of; −1 for none."""
    broken: Bool[np.ndarray, "time muscle"]
    """The muscle has no path."""
    surfaces: tuple[str, ...]


def figures(evidence: Evidence) -> dict[str, float]:
    """Reserves over all coordinates and over each, in N·m and in percent of the moment; fully active and slack muscles in percent."""
    peak = _peaks(evidence)
    reserve = np.abs(evidence.reserve)
    result = {
        "reserve_rms": float(np.sqrt(np.mean(reserve**2))),
        "reserve_peak": float(reserve.max()),
        "reserve_peak_percent_moment": float(100.0 * (reserve.max(0) / peak).max()),
        "fully_active_percent": float(100.0 * (evidence.activation > FULL).mean()),
        "slack_percent": float(100.0 * evidence.slack.mean()),
    }
    share = 100.0 * _rms(evidence.reserve) / np.maximum(_rms(evidence.moment), 1e-9)
    for name, value in zip(evidence.coordinates, share, strict=True):
        result[f"{name}_reserve_percent_moment"] = float(value)
    return result


def warnings(evidence: Evidence, rows: Rows) -> tuple[str, ...]:
    """One line each on coordinates and muscles with a problem, and one on what was left out."""
    lines: list[str] = []
    limit = TOO_MUCH_RESERVE * _peaks(evidence)
    for i, name in enumerate(evidence.coordinates):
        over = np.abs(evidence.reserve[:, i]) > limit[i]
        if over.any():
            worst = float(np.abs(evidence.reserve[:, i]).max())
            percent = 100.0 * worst / _peaks(evidence)[i]
            lines.append(
                f"muscles cannot supply the moment at {name}: {worst:.0f} N·m ({percent:.0f} % of its peak) is left "
                f"to the reserve, at {stretches(evidence.time, over)}"
            )
    slack = evidence.slack & ~evidence.broken
    lines += _muscle_lines(evidence.time, evidence.muscles, slack, "too short to pull (the path is shorter than its tendon and fibres)")
    lines += path_warnings(evidence.time, evidence.muscles, evidence.surfaces, evidence.inside_of, evidence.broken)
    if rows.beyond:
        lines.append(f"static optimization leaves out {_list(rows.beyond)}: the ground force is known for the whole foot only")
    return tuple(lines)


def path_warnings(
    time: Float[np.ndarray, " time"],
    muscles: tuple[str, ...],
    surfaces: tuple[str, ...],
    inside_of: Int[np.ndarray, "time muscle"],
    broken: Bool[np.ndarray, "time muscle"],
) -> tuple[str, ...]:
    """One line for every wrap surface that paths start inside of, and one on muscles without a path; see `Evidence`."""
    lines: list[str] = []
    for number, name in enumerate(surfaces):
        lines += _muscle_lines(time, muscles, inside_of == number, f"unable to bend around {name}: the path starts inside of it")
    return (*lines, *_muscle_lines(time, muscles, broken, "without a path (fewer than two of its points are on it)"))


def _muscle_lines(time: Float[np.ndarray, " time"], muscles: tuple[str, ...], bad: Bool[np.ndarray, "time muscle"], what: str) -> list[str]:
    """One line for all muscles with the same problem."""
    which = [i for i in range(len(muscles)) if bad[:, i].any()]
    if not which:
        return []
    which.sort(key=lambda i: -int(bad[:, i].sum()))
    return [f"{_list(tuple(muscles[i] for i in which))} {what}, at {stretches(time, np.any(bad[:, which], axis=1))}"]


def _peaks(evidence: Evidence) -> Float[np.ndarray, " row"]:
    return np.maximum(np.abs(evidence.moment).max(0), LEAST_PEAK)


def _rms(x: Float[np.ndarray, "time row"]) -> Float[np.ndarray, " row"]:
    return np.sqrt(np.mean(x**2, 0))


def _list(names: tuple[str, ...]) -> str:
    more = len(names) - NAMES_IN_A_WARNING
    return ", ".join(names[:NAMES_IN_A_WARNING]) + (f" and {more} more" if more > 0 else "")


def stretches(time: Float[np.ndarray, " time"], bad: np.ndarray) -> str:
    """The times at which it is so: 1.20–1.35 s, 2.10 s …"""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], bad, [False]]).astype(int)))
    parts = [
        f"{time[a]:.2f}–{time[b - 1]:.2f} s" if b - a > 1 else f"{time[a]:.2f} s" for a, b in zip(edges[::2], edges[1::2], strict=True)
    ]
    return ", ".join(parts[:STRETCHES_IN_A_WARNING]) + (
        f" and {len(parts) - STRETCHES_IN_A_WARNING} more times" if len(parts) > STRETCHES_IN_A_WARNING else ""
    )
