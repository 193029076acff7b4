"""`monomsk corpus`: motion data of many sources fitted to one body, for training."""

import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from monomsk.cli.arguments import Corpus
from monomsk.datasets import building
from monomsk.datasets.building import Job, Outcome, Unit
from monomsk.datasets.corpus import INDEX, REGIONS, Entry, MotionClip, read_index, write_index
from monomsk.errors import OutputError

if TYPE_CHECKING:
    from rich.table import Table


def corpus(arguments: Corpus, command: Sequence[str] = ()) -> int:
    """Write clips/*.npz and index.csv; show what is in them. Returns the exit code, 0.

    Raises MonomskError when there is nothing to fit, or the folder cannot be written.
    """
    from rich.console import Console

    try:
        arguments.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot make the folder {arguments.out}: {error.strerror}") from error
    began = time.perf_counter()
    units, troubles = building.find_units(arguments.root)
    if arguments.only:
        units = [unit for unit in units if unit.recordings[0].source in arguments.only]
    # What may be used first; then the largest, so that no worker is left alone with one in the end.
    units.sort(key=lambda unit: (not unit.recordings[0].commercial_use, -sum(len(r.markers.time) for r in unit.recordings)))
    jobs: list[Job] = [*units, *building.made_up_jobs(arguments.procedural)]
    earlier = _earlier(arguments.out)
    count, outcomes = sum(len(job.recordings if isinstance(job, Unit) else job.seeds) for job in jobs), list[Outcome]()

    def tell(job: Job, made: list[Outcome]) -> None:
        outcomes.extend(made)
        # The index is whole at any time: a run that is stopped leaves a corpus.
        write_index(arguments.out, [o.clip for o in outcomes if o.clip is not None], kept=earlier)
        done = len(outcomes)
        print(f"{done:5d} of {count} clips, {time.perf_counter() - began:6.0f} s: {job.key}", file=sys.stderr, flush=True)

    building.build(jobs, arguments.out, workers=arguments.workers, tell=tell)
    for text in dict.fromkeys((*troubles, *(o.trouble for o in outcomes if o.trouble))):
        print(f"warning: {text}", file=sys.stderr)
    clips = [o.clip for o in outcomes if o.clip is not None]
    write_index(arguments.out, clips, kept=earlier if arguments.only else ())
    Console(width=160).print(_table(clips))
    minutes = sum(len(c.time) / c.rate for c in clips) / 60.0
    print(f"{arguments.out}: {len(clips)} clips, {minutes:.1f} minutes, in {time.perf_counter() - began:.0f} s")
    return 0


def _earlier(folder: Path) -> tuple[Entry, ...]:
    """What an earlier run left and still is there."""
    if not (folder / INDEX).exists():
        return ()
    return tuple(e for e in read_index(folder) if (folder / e.file).exists())


def _table(clips: list[MotionClip]) -> "Table":
    """Clips, people, minutes and RMS distances [mm] of the source's points from the fitted bodies, by source."""
    from rich.table import Table

    head = ("source", "licence", "commercial", "people", "clips", "minutes", "all", *REGIONS)
    table = Table(*head, title="distance of points from the fitted bodies in mm, by body")
    groups: dict[tuple[str, str, bool], list[MotionClip]] = defaultdict(list)
    for clip in clips:
        groups[clip.origin.source, clip.origin.licence, clip.origin.commercial_use].append(clip)
    for (source, licence, commercial), group in sorted(groups.items()):
        length = np.array([len(c.time) for c in group])
        cells = []
        for region in ("all", *REGIONS):
            value = np.array([c.error.get(region, np.nan) for c in group])
            known = np.isfinite(value)
            cells.append(f"{1000.0 * np.sqrt(np.average(value[known] ** 2, weights=length[known])):.0f}" if known.any() else "–")
        people = len({c.origin.person for c in group})
        minutes = sum(len(c.time) / c.rate for c in group) / 60.0
        table.add_row(source, licence, "yes" if commercial else "no", str(people), str(len(group)), f"{minutes:.1f}", *cells)
    return table
