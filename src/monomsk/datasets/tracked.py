"""Dynamics for clips that nobody stood on a force plate for: the motion is tracked by one that moments and ground forces make.

Optimal control by collocation: among all motions whose root nothing holds, whose soles push, grip and rest, that which is nearest to the
clip, and forces near those that the classic way finds (`simulation`). What it costs is told clip by clip, so that those can be left out
for which it is not to be believed: somebody sits, a step is missed, the fitted motion is too rough.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np

from monomsk.config import KineticsConfig
from monomsk.datasets.corpus import MotionClip, Origin
from monomsk.datasets.forces import case_of
from monomsk.errors import FormatError, MonomskError
from monomsk.io import arrays_npz
from monomsk.io.atomic import write_text
from monomsk.io.body import load_anatomy
from monomsk.kinematics.smooth_path import points
from monomsk.kinetics import classic
from monomsk.model.compile import compile_model
from monomsk.simulation.quality import window_errors
from monomsk.simulation.refinement import search, speeds_of
from monomsk.types import Kinetics

TABLE = "dynamics.csv"


@dataclass(frozen=True)
class Report:
    """How well a clip could be tracked."""

    key: str
    seconds: float
    residual_force: float
    """RMS at the root [% of the peak ground force]; `first` for the classic way."""
    residual_moment: float
    """[% body weight × height]"""
    first_residual_force: float
    first_residual_moment: float
    moved_points: float
    """Distance of keypoints and soles from where they were, RMS [mm]: the marker error that agreement costs."""
    window_angle: float
    """Distance after a tenth of a second through the differential equation, median of such windows [deg]."""
    window_pelvis: float
    """[mm]"""
    cost: float
    """A frame."""
    steps: int
    trouble: str
    """Why it is not to be believed; empty where nothing says so."""


@dataclass(frozen=True)
class Tracked:
    """A clip with moments and forces."""

    origin: Origin
    kinetics: Kinetics
    report: Report


def track(clip: MotionClip) -> Tracked:
    """Motion and forces of a clip. Raises InputError for one whose mass is not known or that is too short, SolveError."""
    case = case_of(clip, None)
    before = classic.estimate(case.motion, case.spec, case.subject, KineticsConfig())
    found = search(case.motion, before, case.spec, case.subject)
    after, names = found.kinetics, ("residual_force_rms_percent_peak_grf", "residual_moment_rms_percent_bw_height")
    marked = compile_model(case.spec.with_markers(load_anatomy().anchors_on(case.spec)))
    away = np.linalg.norm(points(marked, after.q) - points(marked, case.motion.q), axis=-1)
    windows = window_errors(compile_model(case.spec), after, speeds_of(found))
    report = Report(
        key=clip.key,
        seconds=float(clip.time[-1] - clip.time[0]),
        residual_force=after.quality[names[0]],
        residual_moment=after.quality[names[1]],
        first_residual_force=before.quality[names[0]],
        first_residual_moment=before.quality[names[1]],
        moved_points=1e3 * float(np.sqrt(np.mean(away**2))),
        window_angle=windows["window_angle_error"],
        window_pelvis=windows["window_pelvis_error"],
        cost=found.answer.cost / len(clip.time),
        steps=found.answer.steps,
        trouble=found.trouble,
    )
    return Tracked(clip.origin, found.kinetics, report)


def track_all(clips: tuple[MotionClip, ...], out: Path) -> Iterator[tuple[str, Report | None, str]]:
    """Track clips and write each; tells of every one its key, its report and why there is none. A clip that is there is not done again.

    The table is whole at any time. Raises OutputError, and FormatError when an earlier table is damaged.
    """
    reports = read_table(out / TABLE) if (out / TABLE).exists() else {}
    for clip in clips:
        path = out / "dynamics" / f"{clip.key}.npz"
        if clip.key in reports and path.exists():
            yield clip.key, reports[clip.key], ""
            continue
        try:
            tracked = track(clip)
        except MonomskError as error:
            yield clip.key, None, str(error)
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        arrays_npz.write(path, _arrays(tracked))
        reports[clip.key] = tracked.report
        _write_table(out / TABLE, reports)
        yield clip.key, tracked.report, ""


def read_table(path: Path) -> dict[str, Report]:
    """Reports by key. Raises FormatError."""
    kinds = {f.name: f.type for f in fields(Report)}
    try:
        head, *lines = (line.split(",", len(kinds) - 1) for line in path.read_text(encoding="utf-8").splitlines())
        values = [{n: v if kinds[n] is str else float(v) for n, v in zip(head, line, strict=True)} for line in lines]
        reports = [Report(**{**v, "steps": int(v["steps"])}) for v in values]  # pyright: ignore[reportArgumentType]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise FormatError(f"{path} is no table of tracked clips ({error}); delete it, and it is made again") from error
    return {report.key: report for report in reports}


def _write_table(path: Path, reports: dict[str, Report]) -> None:
    names = [f.name for f in fields(Report)]
    rows = [
        ",".join(f"{v:.6g}" if isinstance(v, float) else str(v).replace(",", ";") for v in asdict(r).values()) for r in reports.values()
    ]
    write_text(path, "\n".join([",".join(names), *rows]) + "\n")


def _arrays(tracked: Tracked) -> dict[str, np.ndarray]:
    kinetics = tracked.kinetics
    arrays = {n: np.asarray(getattr(kinetics, n)) for n in ("time", "q", "tau", "force", "cop", "moment", "contact")}
    arrays |= {"names": np.array(kinetics.names), "bodies": np.array(kinetics.bodies)}
    arrays |= {f"report_{n}": np.array(v) for n, v in asdict(tracked.report).items()}
    return arrays | {f"origin_{n}": np.array(v) for n, v in asdict(tracked.origin).items()}
