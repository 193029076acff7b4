"""The way from a video to muscle forces: its order, once, and one function that walks it.

    video ─► keypoints ─► markers ─► kinematics ─► kinetics ─► muscles ─► report

The report, and every file, is written from the Trial that comes out (`report.folder`).
"""

import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import get_args

from monomsk.config import Config, Stage
from monomsk.types import Clip, Subject, Trial

STAGES: tuple[Stage, ...] = get_args(Stage)
"""The stages in the order in which they are done; the command line and the progress bars take it from here."""

StageProgress = Callable[[Stage, float], None]
"""Told which stage is at work and how much of it is done, from 0 to 1."""


def analyze(
    clip: Clip,
    subject: Subject,
    config: Config | None = None,
    *,
    until: Stage = "report",
    progress: StageProgress = lambda stage, done: None,
) -> Trial:
    """Everything that can be known of the person in the clip, up to and including the stage `until`.

    Each stage adds what it makes, its seconds and its warnings to the Trial; what comes after `until` stays None.
    Raises what the stages raise: KeypointError (no person, or several), VideoError (moving camera), ModelError, SolveError.
    """
    trial = Trial(subject=subject, clip=clip, warnings=(*clip.warnings, *_doubts(subject)))
    for stage in STAGES[: STAGES.index(until) + 1]:
        if stage in _WAY:
            trial = _take(stage, trial, config or Config(), progress)
    return trial


def _take(stage: Stage, trial: Trial, config: Config, progress: StageProgress) -> Trial:
    """One stage of the way, timed."""
    progress(stage, 0.0)
    began = time.perf_counter()
    trial = _WAY[stage](trial, config, partial(progress, stage))
    progress(stage, 1.0)
    return replace(trial, seconds={**trial.seconds, stage: time.perf_counter() - began})


def _warned(trial: Trial, *groups: tuple[str, ...]) -> tuple[str, ...]:
    """The trial's warnings and new ones, each once, in the order in which they came."""
    return tuple(dict.fromkeys((*trial.warnings, *(text for group in groups for text in group))))


def _doubts(subject: Subject) -> tuple[str, ...]:
    bmi = subject.body_mass_index
    if bmi <= 45.0:
        return ()
    pounds = subject.mass * 0.45359237
    return (f"mass {subject.mass:g} kg with height {subject.height:g} m gives BMI {bmi:.0f}: if that is pounds, write {pounds:.1f}",)


_WAY = {}
