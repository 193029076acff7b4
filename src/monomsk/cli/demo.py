"""`monomsk demo`: draw a walk whose truth is known, analyse the movie as any other, and show both side by side."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from monomsk import cache
from monomsk.cli.arguments import Demo, Run
from monomsk.cli.run import run
from monomsk.datasets.clip import clip_key, draw_clip, truth
from monomsk.datasets.gait import load_gait, walker
from monomsk.evaluation.demo import compare, read_result, table
from monomsk.io.body import load_body
from monomsk.report import folder


def demo(arguments: Demo, command: Sequence[str] = ()) -> int:
    """Draw the clip (once; it is cached), run on it and print estimate against truth. Returns the exit code, 0.

    Raises MonomskError.
    """
    from rich.console import Console

    folder.check(arguments.out, overwrite=arguments.overwrite)
    person = load_gait().person
    movie = demo_clip()
    code = run(Run(movie, person.height, person.mass, out=arguments.out, overwrite=arguments.overwrite), command)
    gait = load_gait()
    motion, kinetics = read_result(arguments.out)
    comparison = compare(motion, kinetics, truth(walker(load_body(), gait.person), gait), person.mass)
    console = Console()
    console.print(table(comparison))
    console.print(f"The clip and its truth: {movie.parent}", highlight=False, soft_wrap=True)
    return code


def demo_clip() -> Path:
    """The clip in the cache, drawn if it is not there yet; `truth.npz` lies beside it."""
    movie = cache.folder() / "demo" / clip_key() / "clip.mp4"
    if not (movie.is_file() and movie.with_name("truth.npz").is_file()):
        movie.parent.mkdir(parents=True, exist_ok=True)
        with _drawing() as progress:
            draw_clip(movie, progress)
    return movie


@contextmanager
def _drawing() -> Iterator[Callable[[float], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description:<11}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as bars:
        task = bars.add_task("drawing", total=1.0)
        yield lambda done: bars.update(task, completed=done)
