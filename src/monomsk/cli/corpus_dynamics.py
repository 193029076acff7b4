"""`monomsk corpus-dynamics`: moments and ground forces for the motions of a corpus, by optimal control."""

import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from itertools import zip_longest

import numpy as np

from monomsk.cli.arguments import CorpusDynamics
from monomsk.datasets.corpus import MotionClip, read_corpus
from monomsk.datasets.tracked import TABLE, Report, track_all
from monomsk.errors import InputError, OutputError


def corpus_dynamics(arguments: CorpusDynamics, command: Sequence[str] = ()) -> int:
    """Write dynamics/*.npz and dynamics.csv; say how well it went. Returns the exit code, 0.

    Raises InputError when there is nothing to track, OutputError, and FormatError for what is damaged.
    """
    if arguments.most is not None and arguments.most < 1:
        raise InputError(f"--most {arguments.most} leaves nothing to track: give a positive number, or leave it out")
    clips = [c for c in read_corpus(arguments.corpus, split=arguments.split) if not arguments.only or c.origin.source in arguments.only]
    chosen = _in_turn(clips)[: arguments.most]
    if not chosen:
        raise InputError(f"{arguments.corpus} has no such clips: see its index.csv for sources and splits")
    try:
        arguments.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot make the folder {arguments.out}: {error.strerror}") from error
    began, reports = time.perf_counter(), list[Report]()
    for number, (key, report, trouble) in enumerate(track_all(chosen, arguments.out), 1):
        told = f"left out: {trouble}" if report is None else _line(report)
        print(f"{number:5d} of {len(chosen)}, {time.perf_counter() - began:6.0f} s: {key}: {told}", file=sys.stderr, flush=True)
        reports += [] if report is None else [report]
    good = [r for r in reports if not r.trouble]
    print(f"{arguments.out / TABLE}: {len(reports)} of {len(chosen)} clips, {len(good)} to be believed{_means(good)}")
    return 0


def _in_turn(clips: Sequence[MotionClip]) -> tuple[MotionClip, ...]:
    """The first clip of every source, then the second, …: some of them are then some of all."""
    sources: dict[str, list[MotionClip]] = defaultdict(list)
    for clip in clips:
        sources[clip.origin.source].append(clip)
    return tuple(clip for row in zip_longest(*sources.values()) for clip in row if clip is not None)


def _line(report: Report) -> str:
    return (
        f"residual {report.first_residual_force:.1f} → {report.residual_force:.2f} % of the peak force, moved "
        f"{report.moved_points:.0f} mm, cost {report.cost:.1f} a frame{', ' if report.trouble else ''}{report.trouble}"
    )


def _means(reports: list[Report]) -> str:
    if not reports:
        return ""
    force, moved = (float(np.mean([getattr(r, name) for r in reports])) for name in ("residual_force", "moved_points"))
    return f"; their residual is {force:.2f} % of the peak ground force, they moved by {moved:.0f} mm (means)"
