"""What a person sees while the stages work: a bar each on a terminal, else one line each. All on standard error."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from monomsk.config import Stage
from monomsk.pipeline import StageProgress


@contextmanager
def stage_progress() -> Iterator[StageProgress]:
    """Something to call with a stage and how much of it is done, 0 to 1."""
    if sys.stderr.isatty():
        with _bars() as tell:
            yield tell
    else:
        yield _lines()


def _lines() -> StageProgress:
    began: dict[str, float] = {}

    def tell(stage: Stage, done: float) -> None:
        began.setdefault(stage, time.perf_counter())
        if done >= 1.0 and began[stage] >= 0.0:
            print(f"{stage:<11}{time.perf_counter() - began[stage]:7.1f} s", file=sys.stderr, flush=True)
            began[stage] = -1.0

    return tell


@contextmanager
def _bars() -> Iterator[StageProgress]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description:<11}", markup=False), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        tasks: dict[str, TaskID] = {}

        def tell(stage: Stage, done: float) -> None:
            if stage not in tasks:
                tasks[stage] = progress.add_task(stage, total=1.0)
            progress.update(tasks[stage], completed=min(done, 1.0))

        yield tell
