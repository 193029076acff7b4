"""Seconds of `monomsk run`, stage by stage: first with nothing compiled, then again. Each run is a process of its own.

    .venv/bin/python benchmarks/end_to_end.py [VIDEO] [--height 1.75] [--mass 70] [--until report]

Without a VIDEO the clip that `monomsk demo` keeps in its cache is taken.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from monomsk import cache
from monomsk.config import Stage
from monomsk.pipeline import STAGES


def main() -> int:
    options = _options()
    video = options.video or next(iter(sorted(cache.folder().rglob("*.mp4"))), None)
    if video is None:
        print("no VIDEO given and no demo clip in the cache: run `monomsk demo` first", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="monomsk-benchmark-") as place:
        runs = {name: _run(video, options, Path(place), name) for name in ("first", "second")}
    _table(runs)
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("video", nargs="?", type=Path)
    parser.add_argument("--height", type=float, default=1.75)
    parser.add_argument("--mass", type=float, default=70.0)
    parser.add_argument("--until", choices=STAGES, default=STAGES[-1])
    return parser.parse_args()


def _run(video: Path, options: argparse.Namespace, place: Path, name: str) -> dict[str, float]:
    """Seconds of each stage and of the whole process, start-up included."""
    out = place / name
    person = ["--height", str(options.height), "--mass", str(options.mass)]
    words = ["run", str(video), *person, "--until", options.until, "--out", str(out)]
    began = time.perf_counter()
    # A cache of its own, empty at first: what the second run finds there is what the first one left.
    environment = {**os.environ, "MONOMSK_CACHE": str(place / "cache")}
    environment.pop("JAX_COMPILATION_CACHE_DIR", None)
    subprocess.run(
        [sys.executable, "-c", "import sys; from monomsk.cli.main import main; sys.exit(main())", *words], env=environment, check=True
    )
    whole = time.perf_counter() - began
    stages = json.loads((out / "provenance.json").read_text(encoding="utf-8"))["seconds"]
    return {**stages, "start-up and files": whole - sum(stages.values()), "whole": whole}


def _table(runs: dict[str, dict[str, float]]) -> None:
    print(f"\n{'seconds':<20}" + "".join(f"{name:>10}" for name in runs))
    rows: list[Stage | str] = [*STAGES, "start-up and files", "whole"]
    for row in rows:
        if any(row in run for run in runs.values()):
            print(f"{row:<20}" + "".join(f"{run.get(row, 0.0):>10.1f}" for run in runs.values()))


if __name__ == "__main__":
    sys.exit(main())
