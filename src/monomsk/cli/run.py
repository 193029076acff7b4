"""`monomsk run`: one video through the pipeline into a folder."""

import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from monomsk.cli.arguments import Run
from monomsk.cli.progress import stage_progress
from monomsk.errors import KeypointError, SeveralPeopleError
from monomsk.io.atomic import write_bytes
from monomsk.pipeline import STAGES, analyze
from monomsk.report import folder
from monomsk.report.results import write_results
from monomsk.types import Clip, Trial
from monomsk.video.reading import read_clip


def run(arguments: Run, command: Sequence[str] = ()) -> int:
    """Analyse the video and write the results; say where they are. Returns the exit code, 0.

    What cannot be right is found before the work begins. Raises MonomskError.
    """
    began = time.perf_counter()
    subject, settings, out = arguments.subject, arguments.settings, arguments.folder
    folder.check(out, overwrite=arguments.overwrite)
    clip = read_clip(arguments.video, settings.video)
    reported = arguments.until == STAGES[-1]
    with stage_progress() as progress:
        try:
            trial = analyze(clip, subject, settings, until=arguments.until, progress=progress)
        except SeveralPeopleError as error:
            raise KeypointError(f"{error}; {_picture_of_people(clip, error, out)} shows the numbers") from error
        if reported:
            progress("report", 0.0)
        files = write_results(trial, out, settings, report=reported, command=command)
        if reported:
            progress("report", 1.0)
    _tell(replace(trial, seconds={"total": time.perf_counter() - began}), f"{out}/report.html" if reported else f"{out}", len(files))
    return 0


def _picture_of_people(clip: Clip, error: SeveralPeopleError, out: Path) -> Path:
    """A numbered picture beside the folder that the results would have gone to."""
    from monomsk.report.overlay import numbered

    path = out.with_name(f"{out.name}_people.png")
    write_bytes(path, numbered(clip, error.time, error.boxes))
    return path


def _tell(trial: Trial, where: str, count: int) -> None:
    for text in trial.warnings:
        print(f"warning: {text}", file=sys.stderr)
    print(f"{count} files in {trial.seconds['total']:.1f} s: {where}")
