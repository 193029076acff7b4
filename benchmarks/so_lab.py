"""`monomsk so` against OpenSim's StaticOptimization on laboratory trials: python benchmarks/so_lab.py --root FOLDER.

FOLDER is laid out like ../shared/data/kinetics. Of every laboratory and kind of movement the first trial whose model has muscles is
taken. Both tools get the person's model, the coordinates, the same filter and the forces of the plates; OpenSim's model also gets
the reserves, and an actuator of 1000 N or N·m on every other free coordinate, as ours leaves those out. Activations are compared at
OpenSim's frames, of all muscles whose activation is somewhere above 0.05: root mean square differences over all of them together, of
the worst muscle and of the median one, of `so` as it is and with `--no-opensim-compat`. Needs the extra `oracle`.
"""

import argparse
import csv
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from id_lab import Trial, prepare, silence
from kinetics_lab import activity_of

from monomsk.cli.arguments import StaticOptimization
from monomsk.cli.static_optimization import static_optimization
from monomsk.config import MusclesConfig
from monomsk.io import storage
from monomsk.io.storage import Table

AWAKE = 0.05
RESIDUAL = 1000.0


@dataclass(frozen=True)
class Found:
    """Activations of one tool, and how long it took [s]."""

    activation: Table
    seconds: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--split", nargs="*", default=["dev", "train"])
    parser.add_argument("--only", default="", help="trials whose file name contains this")
    parser.add_argument("--seconds", type=float, default=1.0, help="how much of the middle of every trial")
    parser.add_argument("--every", type=int, default=5, help="OpenSim solves one frame of so many, being slow")
    parser.add_argument("--reserve", type=float, default=10.0, help="optimal moment of the reserves [N·m]")
    chosen = parser.parse_args()
    print(f"{'trial':<30}{'movement':<12}{'frames':>7}   {'as OpenSim: all, worst, median':<48}{'not so':<44}seconds, ours and OpenSim's")
    seen: set[tuple[str, str]] = set()
    for row in csv.DictReader((chosen.root / "trials.csv").open()):
        activity = activity_of(row["activity"]) or "run"
        if row["split"] not in chosen.split or chosen.only not in row["file"] or not row["model"] or (row["source"], activity) in seen:
            continue
        with tempfile.TemporaryDirectory(prefix="monomsk-so-") as folder:
            trial = prepare(chosen.root, row, activity, Path(folder))
            if trial is not None and has_muscles(trial):
                seen.add((row["source"], activity))
                line = compare(middle(trial, chosen.seconds), chosen.every, chosen.reserve)
                print(f"{Path(row['file']).stem:<30}{activity:<12}{line}", flush=True)


def has_muscles(trial: Trial) -> bool:
    text = (trial.folder / "model.osim").read_text()
    return "<Millard2012EquilibriumMuscle " in text or "<Thelen2003Muscle " in text


def middle(trial: Trial, seconds: float) -> Trial:
    half = min(seconds, trial.end - trial.start) / 2.0
    center = (trial.start + trial.end) / 2.0
    return Trial(trial.folder, trial.cutoff, center - half, center + half)


def compare(trial: Trial, every: int, reserve: float) -> str:
    """The rest of a line of the table."""
    compatible, right = (ours(trial, reserve, compatible=flag) for flag in (True, False))
    reserved = [name.removesuffix("_reserve") for name in right.activation.names if name.endswith("_reserve")]
    other = theirs(trial, reserved, every, reserve)
    parts = f"{score(compatible.activation, other.activation):<48}{score(right.activation, other.activation):<44}"
    rates = f"{len(compatible.activation.time)} in {right.seconds:.1f}, {len(other.activation.time)} in {other.seconds:.1f}"
    return f"{len(other.activation.time):>7}   {parts}{rates}"


def ours(trial: Trial, reserve: float, *, compatible: bool) -> Found:
    out = trial.folder / f"ours_{compatible}"
    files = {"model": trial.folder / "model.osim", "motion": trial.folder / "motion.mot", "external_loads": trial.folder / "loads.xml"}
    span = {"lowpass": trial.cutoff, "start": trial.start, "end": trial.end}
    muscles = MusclesConfig(reserve=reserve, opensim_compat=compatible)
    began = time.perf_counter()
    with silence():
        static_optimization(StaticOptimization(**files, **span, out=out, muscles=muscles, overwrite=True))
    return Found(storage.read(out / "StaticOptimization_activation.sto"), time.perf_counter() - began)


def theirs(trial: Trial, reserved: list[str], every: int, reserve: float) -> Found:
    import opensim

    opensim.Logger.setLevelString("Off")
    model = opensim.Model(str(trial.folder / "model.osim"))
    arm(model, reserved, reserve)
    model.printToXML(str(trial.folder / "armed.osim"))
    tool = opensim.AnalyzeTool()
    tool.setName("theirs")
    tool.setModelFilename(str(trial.folder / "armed.osim"))
    tool.setCoordinatesFileName(str(trial.folder / "motion.mot"))
    tool.setExternalLoadsFileName(str(trial.folder / "loads.xml"))
    tool.setLowpassCutoffFrequency(trial.cutoff)
    tool.setInitialTime(float(trial.start))
    tool.setFinalTime(float(trial.end))
    tool.setSolveForEquilibrium(False)
    tool.setResultsDir(str(trial.folder))
    analysis = opensim.StaticOptimization()
    analysis.setStepInterval(every)
    analysis.setUseModelForceSet(True)
    analysis.setUseMusclePhysiology(True)
    analysis.setStartTime(float(trial.start))
    analysis.setEndTime(float(trial.end))
    tool.updAnalysisSet().cloneAndAppend(analysis)
    setup = trial.folder / "setup.xml"
    tool.printToXML(str(setup))
    with silence():
        tool = opensim.AnalyzeTool(str(setup))
        began = time.perf_counter()
        done = tool.run()
        took = time.perf_counter() - began
    if not done:
        raise SystemExit(f"OpenSim's tool failed on {trial.folder}")
    return Found(storage.read(trial.folder / "theirs_StaticOptimization_activation.sto"), took)


def arm(model, reserved: list[str], reserve: float) -> None:
    """Leave an OpenSim model its muscles, and give it the actuators that static optimization needs."""
    import opensim

    forces = model.updForceSet()
    for i in reversed(range(forces.getSize())):
        if opensim.Muscle.safeDownCast(forces.get(i)) is None:
            forces.remove(i)
    state = model.initSystem()
    coordinates = model.getCoordinateSet()
    for coordinate in (coordinates.get(i) for i in range(coordinates.getSize())):
        if coordinate.isConstrained(state):
            continue
        name = coordinate.getName()
        actuator = opensim.CoordinateActuator(name)
        actuator.setName(f"{name}_reserve")
        actuator.setOptimalForce(reserve if name in reserved else RESIDUAL)
        actuator.setMinControl(-float("inf"))
        actuator.setMaxControl(float("inf"))
        forces.cloneAndAppend(actuator)
    model.finalizeConnections()


def score(ours: Table, theirs: Table) -> str:
    """Root mean square differences of all that are awake, of the worst muscle, of the median one."""
    muscles = [n for n in theirs.names if n in ours.names and not n.endswith("_reserve") and theirs.column(n).max() > AWAKE]
    # OpenSim begins at the very time asked for, which need not be a frame's.
    both = (theirs.time >= ours.time[0] - 1e-6) & (theirs.time <= ours.time[-1] + 1e-6)
    at = theirs.time[both]
    apart = {n: np.interp(at, ours.time, ours.column(n)) - theirs.column(n)[both] for n in muscles}
    each = {n: float(np.sqrt(np.mean(e**2))) for n, e in apart.items()}
    worst = max(each, key=each.__getitem__)
    together = float(np.sqrt(np.mean(np.stack(list(apart.values())) ** 2)))
    return f"{together:.4f}, {each[worst]:.4f} {worst}, {np.median(list(each.values())):.4f} ({len(muscles)})"


if __name__ == "__main__":
    main()
