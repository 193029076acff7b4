"""Speed of the mechanics on one thread, beside MuJoCo, Pinocchio and OpenSim where they are installed.

    .venv/bin/python benchmarks/mechanics.py [MODEL.osim] [--rounds 5] [--clock processor] [--jax] [--compile] [--explain]

The peers are no dependencies of the project: `.venv/bin/python -m pip install mujoco pin` brings the first two, and the extra
`oracle` OpenSim. All compute the same tree of bodies with plain hinges and slides (see hinged_body.py), and it is checked before that
they find the same numbers; monomsk and OpenSim compute the body with its real joints besides. A rollout has 30 steps of
semi-implicit Euler of 2 ms from rest, its gradient is that of a number made of the last state, by the torques of all steps. Numbers
are the best of interleaved rounds. MuJoCo and Pinocchio compute in double precision only.
"""

import argparse
import itertools
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import version
from pathlib import Path

import numpy as np
from hinged_body import bare, hinged
from mechanics_ours import FUNCTIONS, TASKS, Frames, cast, compile_times, compiled, ways
from mechanics_peers import Peer, mujoco_peer, opensim_peer, pinocchio_peer

from monomsk.io import osim_read
from monomsk.io.body import load_body
from monomsk.model.compile import compile_model
from monomsk.model.model import Model
from monomsk.model.spec import ModelSpec
from monomsk.physics import inverse_dynamics

BATCHES = (1, 256, 4096)
SLICE = 0.05
"""Seconds that one measurement takes at least in each round."""
CLOCKS = {"wall": time.perf_counter, "processor": time.process_time}
"""The second counts what this process used, in all its threads: for a machine on which others work too."""
STEPPED = {"rollout": 30, "rollout gradient": 30}
"""Steps that count for each item of a batch."""
FIRST = "monomsk, kernels, float64"
HINGED, REAL = "", ", real joints"


@dataclass
class Measurement:
    """One job and the shortest time it took [s]."""

    engine: str
    task: str
    batch: int
    job: Callable[[], object]
    best: float = field(default=float("inf"))

    def take(self, clock: Callable[[], float]) -> None:
        spent = 0.0
        while spent < SLICE:
            repeat = max(1, min(1000, int(0.1 * SLICE / self.best))) if self.best < 1.0 else 1
            began = clock()
            for _ in range(repeat):
                self.job()
            seconds = clock() - began
            spent += seconds
            self.best = min(self.best, seconds / repeat)

    @property
    def rate(self) -> float:
        """Frames, or steps of rollouts, a second."""
        return self.batch * STEPPED.get(self.task, 1) / self.best


def main() -> int:
    _on_one_thread()
    options = _options()
    spec = bare(osim_read.read(options.model) if options.model else load_body())
    plain, changed = hinged(spec)
    bodies = {HINGED: (plain, compile_model(plain)), REAL: (spec, compile_model(spec))}
    print(f"{platform.processor() or platform.machine()} {_processor()}, 1 thread (load of the machine {os.getloadavg()[0]:.1f})")
    size = f"{len(spec.bodies)} bodies, {len(spec.coordinates)} coordinates"
    print(f"monomsk {version('monomsk')}, JAX {version('jax')}; body {spec.name}: {size}; seconds by the clock of the {options.clock}")
    print(f"plain hinges in place of curves, for all but the rows with real joints: {', '.join(changed) or 'none was needed'}")
    with tempfile.TemporaryDirectory(prefix="monomsk-benchmark-") as folder:
        peers = _peers(bodies, Path(folder))
        for suffix, peer in peers:
            _check(suffix, peer, bodies[suffix][1])
        measurements = _ours(bodies, options) + [m for suffix, peer in peers for m in _theirs(suffix, peer, bodies[suffix][1])]
        for number in range(options.rounds):
            for measurement in measurements:
                measurement.take(CLOCKS[options.clock])
            print(f"round {number + 1} of {options.rounds}", file=sys.stderr)
    for task in TASKS:
        _table(task, [m for m in measurements if m.task == task])
    if options.compile:
        _compile_table(compile_times(options.model, tuple(n for n in ways() if options.jax or n == next(iter(FUNCTIONS)))))
    if options.explain:
        from mechanics_profile import explain

        explain(bodies[REAL][1], 256)
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="?", help="body (.osim); the shipped one if not given")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--clock", choices=CLOCKS, default="wall", help="processor: leave out what others use of a busy machine")
    parser.add_argument("--jax", action="store_true", help="measure monomsk without its kernels too (compiles for minutes)")
    parser.add_argument("--compile", action="store_true", help="measure seconds of compilation too")
    parser.add_argument("--explain", action="store_true", help="tell where XLA spends the time of inverse dynamics without the kernels")
    return parser.parse_args()


def _on_one_thread() -> None:
    """Begin again on one processor with all libraries told so: some read their settings when they are imported."""
    if os.environ.get("MONOMSK_ONE_THREAD"):
        return
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    threads = {f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL")}
    xla = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
    os.environ.update({"MONOMSK_ONE_THREAD": "1", "XLA_FLAGS": xla, "JAX_PLATFORMS": "cpu", **threads})
    os.execv(sys.executable, [sys.executable, *sys.argv])


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")


def _peers(bodies: dict[str, tuple[ModelSpec, Model]], folder: Path) -> list[tuple[str, Peer]]:
    """Those that are installed, with the body that they compute."""
    makers = [(HINGED, mujoco_peer), (HINGED, pinocchio_peer)]
    makers += [(suffix, partial(opensim_peer, folder=folder)) for suffix in bodies]
    found = []
    for suffix, make in makers:
        try:
            found.append((suffix, make(*bodies[suffix])))
        except ImportError as error:
            print(f"left out: {error}")
    return found


def _check(suffix: str, peer: Peer, model: Model) -> None:
    """Print how far the peer's numbers are from ours; stop when they are not the same."""
    frames = Frames.random(model, 1)
    ours = next(iter(ways().values()))
    worst = {}
    for (engine, task), job in peer.jobs(frames).items():
        if engine.startswith("(") or (peer.name == "OpenSim" and task == "forward dynamics"):
            continue
        if suffix == REAL and task == "inverse dynamics":
            state = (a[0] for a in frames.inputs(task, np.float64))
            right = np.asarray(inverse_dynamics.inverse_dynamics(model, *state, simbody_compatible=True))
        else:
            right = np.asarray(compiled(ours, task)(model, *frames.inputs(task, np.float64)))[0]
        order = peer.order + [len(peer.order) + i for i in peer.order] if task == "rollout" else peer.order
        right = right[np.ix_(order, order)] if task == "mass matrix" else right[..., order]
        found = np.asarray(job()) if task == "mass matrix" else np.asarray(job())[0]
        worst[f"{engine}, {task}"] = float(np.abs(found - right).max() / np.abs(right).max())
    print(f"{peer.name} {peer.version}{suffix}: largest difference from monomsk, relative: {max(worst.values()):.0e}")
    for what, error in worst.items():
        # Finite differences are what they are.
        if error > (1e-3 if "FD" in what else 1e-7):
            raise SystemExit(f"{what}: differs by {error:.1e} from monomsk; nothing to compare")


def _ours(bodies: dict[str, tuple[ModelSpec, Model]], options: argparse.Namespace) -> list[Measurement]:
    found = []
    for way, functions in ways().items():
        if "kernels" not in way and not options.jax:
            continue
        # Without the kernels every program takes its seconds to compile: one body is enough.
        kernels = "kernels" in way
        for suffix, (_, model) in bodies.items() if kernels else [(HINGED, bodies[HINGED])]:
            for task, kind in itertools.product(TASKS, (np.float64, np.float32)):
                own, name = cast(model, kind), f"{way}, {np.dtype(kind).name}{suffix}"
                function = compiled(functions, task, own) if kernels else partial(compiled(functions, task), own)
                # Nor is there memory enough for the derivatives of many rollouts.
                for batch in BATCHES if kernels or task not in STEPPED else BATCHES[:-1]:
                    job = partial(_finished, function, Frames.random(model, batch).inputs(task, kind))
                    job()
                    found.append(Measurement(name, task, batch, job))
    return found


def _finished(function: Callable[..., object], inputs: tuple[object, ...]) -> None:
    function(*inputs).block_until_ready()


def _theirs(suffix: str, peer: Peer, model: Model) -> list[Measurement]:
    found = []
    for batch in (b for b in BATCHES if b <= peer.largest):
        jobs = peer.jobs(Frames.random(model, batch))
        for (engine, task), job in jobs.items():
            # A loop in Python over rollouts has no gain from many of them.
            if task in STEPPED and batch > 256 and engine != "MuJoCo rollout":
                continue
            found.append(Measurement(engine + suffix, task, batch, job))
    return found


def _table(task: str, measurements: list[Measurement]) -> None:
    rows: dict[str, dict[int, float]] = {}
    for m in measurements:
        rows.setdefault(m.engine, {})[m.batch] = m.rate
    reference = rows.get(FIRST, {})
    unit = "1000 steps/s" if task in STEPPED else "1000 frames/s"
    print(f"\n{f'{task} [{unit}], batch':<58}" + "".join(f"{b:>9}" for b in BATCHES) + "   first row ÷ this one")
    for engine, rates in rows.items():
        numbers = "".join(f"{rates[b] / 1000:>9.1f}" if b in rates else f"{'':>9}" for b in BATCHES)
        ratios = "".join(f"{reference[b] / rates[b]:>8.2f}" if b in rates and b in reference else f"{'':>8}" for b in BATCHES)
        print(f"{engine:<58}{numbers}  {ratios}")


def _compile_table(found: dict[str, dict[str, tuple[float, float]]]) -> None:
    print("\nseconds to trace and compile, batch 256, real joints: cold, from the cache on the disk")
    for way, tasks in found.items():
        print(f"{way:<24}" + "   ".join(f"{task} {cold:.2f}, {warm:.2f}" for task, (cold, warm) in tasks.items()))


if __name__ == "__main__":
    sys.exit(main())
