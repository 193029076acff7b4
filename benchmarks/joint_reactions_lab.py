"""`monomsk so` against OpenSim's JointReaction on laboratory walking: python benchmarks/joint_reactions_lab.py --root ../shared/data.

Both read the same files: the person's model, the coordinates and the forces of the plates, as in `id_lab.py`. OpenSim's AnalyzeTool
gets besides the muscle forces and motors that `monomsk so` wrote (`StaticOptimization_force.sto`,
`reserve_actuators.xml`), computes the accelerations they make, and from these what the joints transmit. The table has the root mean
square and the largest length of the difference of the vectors, forces in per cent of body weight, moments in per cent of body
weight times one metre, and the largest load that OpenSim finds. Joints that muscles are not asked to move have none in ours.
Forces of the model that are neither muscles nor motors (bushings, contact) are taken out for both, and coordinates are not clamped:
OpenSim would hold those that leave their range in the motion at its end. Needs the extra `oracle`.
"""

import argparse
import csv
import tempfile
import time
from pathlib import Path

import jax
import numpy as np
from id_lab import Trial, prepare, silence
from kinetics_lab import activity_of

from monomsk.cli.arguments import StaticOptimization
from monomsk.cli.static_optimization import static_optimization
from monomsk.config import MusclesConfig
from monomsk.io import osim_read, storage
from monomsk.io.storage import Table

JOINTS = ("hip", "walker_knee", "patellofemoral", "ankle", "subtalar")
KEPT = ("Millard2012EquilibriumMuscle", "Thelen2003Muscle", "DeGrooteFregly2016Muscle", "CoordinateActuator")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=Path, required=True, help="folder with kinetics/")
    parser.add_argument(
        "--only", nargs="*", default=["HAM18__walk2", "OC4__walkingTI1", "OC_92kg__walking2"], help="parts of trials' file names"
    )
    parser.add_argument("--frames", type=int, default=120, help="most frames of a trial")
    parser.add_argument("--default-paths", action="store_true", help="with --no-opensim-compat")
    chosen = parser.parse_args()
    jax.config.update("jax_enable_x64", True)
    root = chosen.root / "kinetics"
    for row in csv.DictReader((root / "trials.csv").open()):
        if not row["model"] or not any(word in row["file"] for word in chosen.only):
            continue
        with tempfile.TemporaryDirectory(prefix="monomsk-loads-") as folder:
            trial = prepare(root, row, activity_of(row["activity"]) or "run", Path(folder))
            if trial is not None:
                compare(Path(row["file"]).stem, trial, chosen.frames, compat=not chosen.default_paths)


def compare(name: str, trial: Trial, frames: int, *, compat: bool) -> None:
    """Print a table for one trial."""
    weight = 9.80665 * osim_read.read(trial.folder / "model.osim").mass
    simplify(trial.folder / "model.osim")
    motion = storage.read(trial.folder / "motion.mot").time
    inside = motion[(motion >= trial.start + 0.02) & (motion <= trial.end - 0.02)][:frames]
    span = float(inside[0]), float(inside[-1])
    began = time.perf_counter()
    ours(trial, span, compat=compat)
    middle = time.perf_counter()
    other = theirs(trial, span)
    took = middle - began, time.perf_counter() - middle
    mine = storage.read(trial.folder / "so/joint_reactions.sto")
    print(f"{name}: {len(mine.time)} frames, {weight:.0f} N; seconds {took[0]:.1f}, OpenSim's JointReaction alone {took[1]:.1f}")
    print(f"{'joint':<20}{'force [% BW]':>14}{'largest':>9}{'moment [% BW·m]':>18}{'largest':>9}{'largest load [BW]':>20}")
    for joint in (f"{stem}_{side}" for stem in JOINTS for side in "rl"):
        if f"{joint}_on" not in " ".join(mine.names):
            continue
        line = f"{joint:<20}"
        for kind, width in (("f", 14), ("m", 18)):
            a, b = (columns(table, joint, kind, mine.time) for table in (mine, other))
            off = np.linalg.norm(a - b, axis=1)
            line += f"{100 * np.sqrt(np.mean(off**2)) / weight:>{width}.3f}{100 * off.max() / weight:>9.3f}"
        print(f"{line}{np.linalg.norm(columns(other, joint, 'f', mine.time), axis=1).max() / weight:>20.2f}", flush=True)


def columns(table: Table, joint: str, kind: str, at: np.ndarray) -> np.ndarray:
    """Three components at the times."""
    names = [n for n in table.names if n.startswith(f"{joint}_on_") and n[-2:] in {f"{kind}{axis}" for axis in "xyz"}]
    return np.stack([np.interp(at, table.time, table.column(n)) for n in names], 1)


def simplify(path: Path) -> None:
    """Take bushings and contact out of the model's forces, and let coordinates leave their ranges, as the motion does."""
    import opensim

    opensim.Logger.setLevelString("Off")
    model = opensim.Model(str(path))
    forces = model.updForceSet()
    for i in reversed(range(forces.getSize())):
        if forces.get(i).getConcreteClassName() not in KEPT:
            forces.remove(i)
    for i in range(model.getCoordinateSet().getSize()):
        model.updCoordinateSet().get(i).set_clamped(False)
    model.finalizeConnections()
    model.printToXML(str(path))


def ours(trial: Trial, span: tuple[float, float], *, compat: bool) -> None:
    files = {"model": trial.folder / "model.osim", "motion": trial.folder / "motion.mot", "external_loads": trial.folder / "loads.xml"}
    options = {"lowpass": trial.cutoff, "start": span[0], "end": span[1], "out": trial.folder / "so"}
    with silence():
        static_optimization(StaticOptimization(**files, **options, muscles=MusclesConfig(opensim_compat=compat)))


def theirs(trial: Trial, span: tuple[float, float]) -> Table:
    import opensim

    analysis = opensim.JointReaction()
    analysis.setName("JointReaction")
    for words, setter in (("ALL", analysis.setJointNames), ("child", analysis.setOnBody), ("child", analysis.setInFrame)):
        array = opensim.ArrayStr()
        array.append(words)
        setter(array)
    analysis.setForcesFileName(str(trial.folder / "so/StaticOptimization_force.sto"))
    tool = opensim.AnalyzeTool()
    tool.setName("theirs")
    tool.setModelFilename(str(trial.folder / "model.osim"))
    added = opensim.ArrayStr()
    added.append(str(trial.folder / "so/reserve_actuators.xml"))
    tool.setForceSetFiles(added)
    tool.setReplaceForceSet(False)
    tool.setCoordinatesFileName(str(trial.folder / "motion.mot"))
    tool.setLowpassCutoffFrequency(trial.cutoff)
    tool.setExternalLoadsFileName(str(trial.folder / "loads.xml"))
    tool.setInitialTime(span[0])
    tool.setFinalTime(span[1])
    tool.setResultsDir(str(trial.folder / "theirs"))
    tool.updAnalysisSet().cloneAndAppend(analysis)
    tool.printToXML(str(trial.folder / "analyze.xml"))
    with silence():
        done = opensim.AnalyzeTool(str(trial.folder / "analyze.xml")).run()
    if not done:
        raise SystemExit(f"OpenSim's tool failed on {trial.folder}")
    return storage.read(trial.folder / "theirs/theirs_JointReaction_ReactionLoads.sto")


if __name__ == "__main__":
    main()
