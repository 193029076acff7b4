"""Inverse kinematics of laboratory trials beside OpenSim's: python benchmarks/ik_lab.py --root ../shared/data/kinetics.

Both tools get the same model, markers and weights; needs opensim. Marker errors of both are measured by the same function from the
two motion files. Frames a second leave out what a run of one frame takes: reading, setting up and (second run) no compilation.
"""

import argparse
import contextlib
import csv
import gzip
import io
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from xml.etree import ElementTree

import jax
import jax.numpy as jnp
import numpy as np

from monomsk.datasets import laboratory
from monomsk.io import osim_read, results, trc
from monomsk.model.compile import compile_model
from monomsk.model.model import Model, complete
from monomsk.physics.forward_kinematics import forward_kinematics, marker_positions
from monomsk.types import Markers, Motion

TRIALS = (
    "OC4__walkingTI1",
    "SCH2014050__2014050_C4_04",
    "HAM18__walk2",
    "CAM01__levelground_ccw_fast_01_01",
    "HAM11__Run_4",
    "RBDS024__runT35",
    "JA1__sprint",
    "OC4__STS1",
    "OC_92kg__DJ1",
)
"""Walks of four laboratories (one with turns), runs of three, a person standing up, a drop jump."""
RATIO = 1.02
ANGLE = 0.5
"""What is asked: marker error beside OpenSim's, and difference of a coordinate [°] (RMS)."""


@dataclass(frozen=True)
class Trial:
    """A trial as files."""

    name: str
    folder: Path
    markers: Markers
    weights: dict[str, float] | None

    @property
    def model(self) -> Path:
        return self.folder / "model.osim"

    @property
    def trc(self) -> Path:
        return self.folder / "markers.trc"

    @property
    def tasks(self) -> Path:
        return self.folder / "tasks.xml"


@dataclass(frozen=True)
class Result:
    """What a tool made, and how fast."""

    motion: Motion
    rate: float
    """Frames a second of processor time."""
    first: float
    """Seconds of processor time of the first run of all frames."""


def without_refused_muscles(path: Path) -> None:
    """Take the forces out of a model whose muscles OpenSim 4.6 refuses; inverse kinematics needs none."""
    import opensim

    opensim.Logger.setLevelString("Off")
    try:
        opensim.Model(str(path.resolve())).finalizeFromProperties()
    except RuntimeError:
        tree = ElementTree.parse(path)
        for objects in tree.iterfind(".//ForceSet/objects"):
            objects.clear()
        tree.write(path, encoding="UTF-8", xml_declaration=True)


def prepare(root: Path, row: dict[str, str], folder: Path, options: argparse.Namespace) -> Trial:
    """Model, markers and tasks as files; a stretch from the middle of long trials."""
    (folder / "model.osim").write_bytes(gzip.decompress((root / row["model"]).read_bytes()))
    without_refused_muscles(folder / "model.osim")
    whole = laboratory.read_markers(root / row["file"])
    first = max(0, (len(whole.time) - options.frames) // 2)
    chosen = slice(first, first + options.frames)
    trc.write(folder / "markers.trc", Markers(whole.time[chosen], whole.names, whole.xyz[chosen], whole.sigma[chosen]))
    names = whole.names
    markers = trc.read(folder / "markers.trc")
    weights = None
    if options.seed is not None:
        of_model = {m.name for m in osim_read.read(folder / "model.osim").markers}
        random = np.random.default_rng(options.seed)
        weights = {name: round(float(10.0 ** random.uniform(-1.0, 1.0)), 3) for name in names if name in of_model}
        write_tasks(folder / "tasks.xml", weights)
    return Trial(Path(row["file"]).stem, folder, markers, weights)


def write_tasks(path: Path, weights: dict[str, float]) -> None:
    document = ElementTree.Element("OpenSimDocument", Version="40000")
    objects = ElementTree.SubElement(ElementTree.SubElement(document, "IKTaskSet", name="tasks"), "objects")
    for name, weight in weights.items():
        task = ElementTree.SubElement(objects, "IKMarkerTask", name=name)
        ElementTree.SubElement(task, "apply").text = "true"
        ElementTree.SubElement(task, "weight").text = str(weight)
    ElementTree.ElementTree(document).write(path, encoding="UTF-8", xml_declaration=True)


@contextlib.contextmanager
def native_output_silenced() -> Iterator[None]:
    """OpenSim prints the model's parts at every run."""
    sys.stdout.flush()
    kept, nowhere = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    try:
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept), os.close(nowhere)


def by_opensim(trial: Trial, accuracy: float) -> Result:
    import opensim

    opensim.Logger.setLevelString("Off")
    model = opensim.Model(str(trial.model.resolve()))

    def run(last: float) -> float:
        tool = opensim.InverseKinematicsTool()
        tool.setModel(model)
        tool.setMarkerDataFileName(str(trial.trc.resolve()))
        if trial.weights is not None:
            tasks = opensim.IKTaskSet(str(trial.tasks.resolve()))
            for i in range(tasks.getSize()):
                tool.upd_IKTaskSet().cloneAndAppend(tasks.get(i))
        tool.setStartTime(float(trial.markers.time[0]))
        tool.setEndTime(float(last))
        tool.setOutputMotionFileName(str((trial.folder / "opensim.mot").resolve()))
        tool.setResultsDir(str(trial.folder.resolve()))
        tool.set_accuracy(accuracy)
        begun = time.process_time()
        with native_output_silenced():
            tool.run()
        return time.process_time() - begun

    fixed, whole = run(trial.markers.time[0]), run(trial.markers.time[-1])
    spec = osim_read.read(trial.model)
    return Result(results.read_motion(trial.folder / "opensim.mot", spec), (len(trial.markers.time) - 1) / (whole - fixed), whole)


def converged(trial: Trial, accuracy: float) -> Result:
    """OpenSim's answer at the finest accuracy that its tool reaches; it gives up where a frame needs too many steps."""
    while True:
        try:
            return by_opensim(trial, accuracy)
        except RuntimeError:
            accuracy *= 10.0
            if accuracy > 1e-5:
                raise
            print(f"{trial.name}: OpenSim gives up at an accuracy of {accuracy / 10.0:.0e}", flush=True)


def by_monomsk(trial: Trial) -> Result:
    """First run: a process of its own with an empty cache. The rate is of later runs in one process."""
    from monomsk.cli.main import main

    words = ["ik", str(trial.model), str(trial.trc), "--out", str(trial.folder / "monomsk"), "--overwrite"]
    if trial.weights is not None:
        words += ["--tasks", str(trial.tasks)]
    environment = {**os.environ, "MONOMSK_CACHE": str(trial.folder / "cache")}
    environment.pop("JAX_COMPILATION_CACHE_DIR", None)
    start = "import sys; from monomsk.cli.main import main; sys.exit(main())"

    def seconds(*more: str) -> float:
        begun, said = time.process_time(), io.StringIO()
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            code = main([*words, *more])
        if code != 0:
            raise SystemExit(said.getvalue())
        return time.process_time() - begun

    begun = resource.getrusage(resource.RUSAGE_CHILDREN)
    # The command line puts its cache where MONOMSK_CACHE says: an empty one.
    subprocess.run([sys.executable, "-c", start, *words], env=environment, check=True, capture_output=True)
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    first = ended.ru_utime + ended.ru_stime - begun.ru_utime - begun.ru_stime
    one = "--end", str(trial.markers.time[0])
    seconds(), seconds(*one)
    fixed, whole = min(seconds(*one), seconds(*one)), min(seconds(), seconds())
    spec = osim_read.read(trial.model)
    return Result(
        results.read_motion(trial.folder / "monomsk" / "kinematics.mot", spec), (len(trial.markers.time) - 1) / (whole - fixed), first
    )


class Errors:
    """Marker errors of motions of one trial."""

    def __init__(self, trial: Trial) -> None:
        spec = replace(osim_read.read(trial.model), muscles=(), wraps=())
        names = [m.name for m in spec.markers if m.name in trial.markers.names and (trial.weights is None or m.name in trial.weights)]
        self.model: Model = compile_model(spec.with_markers(tuple(m for m in spec.markers if m.name in names)))
        order = [trial.markers.names.index(n) for n in self.model.marker_names]
        self.measured = trial.markers.xyz[:, order]
        self.seen = np.isfinite(trial.markers.sigma[:, order])
        weights = trial.weights or {}
        self.weight = np.array([weights.get(n, 1.0) for n in self.model.marker_names]) * self.seen
        self.positions = jax.jit(jax.vmap(lambda q: marker_positions(self.model, forward_kinematics(self.model, complete(self.model, q)))))

    def distances(self, motion: Motion) -> np.ndarray:
        at = np.asarray(self.positions(jnp.asarray(motion.q)))
        return np.where(self.seen, np.linalg.norm(at - self.measured, axis=-1), np.nan)

    def objective(self, motion: Motion) -> np.ndarray:
        """Weighted root mean square of every frame [m], what both minimise."""
        return np.sqrt(np.nansum(self.weight * self.distances(motion) ** 2, axis=1) / self.weight.sum(1))

    def growth(self, motion: Motion, coordinate: int, step: float) -> float:
        """By how much the objective of the middle frame [m] would grow if a coordinate were a step off, all others following."""
        frame, free = len(motion.time) // 2, np.array(self.model.free)
        if coordinate not in free:
            return np.inf
        q = jnp.asarray(motion.q[frame])
        J = np.asarray(jax.jacfwd(lambda x: self.positions(q.at[jnp.array(free)].set(x)[None])[0])(q[free]))
        size, mode = np.linalg.eigh(np.einsum("mci,mcj,m->ij", J, J, self.weight[frame] / self.weight[frame].sum()))
        share = mode[int(np.flatnonzero(free == coordinate)[0])] ** 2
        unseen = size < 1e-10 * size[-1]
        if share[unseen].sum() > 1e-6:
            return 0.0
        base = float(self.objective(motion)[frame])
        return float(np.sqrt(base**2 + step**2 / np.sum(share[~unseen] / size[~unseen])) - base)


def apart(ours: Motion, theirs: Motion) -> np.ndarray:
    """Root mean square difference of every coordinate [°, cm]."""
    assert np.allclose(theirs.time, ours.time, atol=1e-6), "the two motions have different frames"
    difference = ours.q - theirs.q
    turned = np.degrees((difference + np.pi) % (2.0 * np.pi) - np.pi)
    return np.sqrt(np.mean(np.where(ours.rotational, turned, 100.0 * difference) ** 2, axis=0))


def compare(errors: Errors, theirs: Result, tight: Result, ours: Result) -> tuple[float, list[str]]:
    """Ratio of RMS marker errors, and the lines to print."""
    objective = [errors.objective(r.motion) for r in (theirs, tight, ours)]
    rms = [1000.0 * float(np.sqrt(np.mean(o**2))) for o in objective]
    worst = [float((objective[2] / o).max()) for o in objective[:2]]
    names, rotational = ours.motion.names, ours.motion.rotational
    line, spread = "", [apart(ours.motion, r.motion) for r in (theirs, tight)]
    for angles in (np.where(rotational, s, 0.0) for s in spread):
        line += f"  {np.median(angles[rotational]):6.3f} {angles.max():7.3f} {names[int(np.argmax(angles))]:17s}"
    head = f"{len(ours.motion.time):4d} {len(errors.model.marker_names):3d}  " + " ".join(f"{r:7.3f}" for r in rms)
    rates = f"{theirs.rate:7.1f} {tight.rate:7.1f} {ours.rate:8.1f} {ours.first:5.1f}"
    lines = [f"{head}  {rms[2] / rms[0]:6.4f} {worst[0]:6.4f} {worst[1]:6.4f}{line}  {rates}"]
    for i in np.flatnonzero(rotational & (np.maximum(*spread) > ANGLE)):
        growth = [1e6 * errors.growth(ours.motion, int(i), float(np.radians(s[i]))) for s in spread]
        lines.append(
            f"    {names[i]}: {spread[0][i]:.2f}° from OpenSim, {spread[1][i]:.3f}° from it converged;"
            f" so much off adds {growth[0]:.1e}, {growth[1]:.1e} µm to the marker error"
        )
    return rms[2] / rms[0], lines


HEAD = """\
Frames, markers; RMS marker error (weighted) [mm] of OpenSim by default, OpenSim converged, monomsk; ratio of monomsk's to the first, and
the largest of a frame's to both; RMS difference of angles [°], median and largest, from OpenSim by default, and converged; frames
a second of the three; seconds of monomsk's first run. Below: coordinates that are further apart than asked, and what the markers of the
middle frame know of them."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--only", default="", help="trials whose file name holds this, of all there are")
    parser.add_argument("--frames", type=int, default=150, help="longest stretch, from the middle of a trial")
    parser.add_argument("--seed", type=int, help="draw the weights of the markers, between 0.1 and 10; all are 1 without it")
    parser.add_argument("--converged", type=float, default=1e-8, help="accuracy of OpenSim's second run; that of its first is 1e-5")
    options = parser.parse_args()
    print(HEAD, flush=True)
    missed = []
    for row in csv.DictReader((options.root / "trials.csv").open()):
        name = Path(row["file"]).stem
        if not row["model"] or (options.only not in name if options.only else name not in TRIALS):
            continue
        with tempfile.TemporaryDirectory(prefix="monomsk-benchmark-") as folder:
            trial = prepare(options.root, row, Path(folder), options)
            tools = by_opensim(trial, 1e-5), converged(trial, options.converged), by_monomsk(trial)
            ratio, lines = compare(Errors(trial), *tools)
        print(f"{name:34s}" + "\n".join(lines), flush=True)
        missed += [name] if ratio > RATIO else []
    print(f"marker error above {RATIO} of OpenSim's: {', '.join(missed) or 'none'}")


if __name__ == "__main__":
    main()
