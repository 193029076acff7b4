"""`monomsk id` against OpenSim's InverseDynamicsTool on laboratory trials: python benchmarks/id_lab.py --root FOLDER.

FOLDER is laid out like ../shared/data/kinetics. Of every laboratory and kind of movement the first trial is taken, or all with
--all. Both tools read the same files: the person's model, the coordinates, and the forces of the plates at their own rate,
every loaded stretch on the nearest foot. An error is the root mean square difference of a coordinate's generalized force, in per
cent of the largest that OpenSim finds for it in the trial; the table has the worst and the median of all coordinates, first
with right bias accelerations, then with OpenSim's (`--simbody-compatible`). Needs the extra `oracle`.
"""

import argparse
import contextlib
import csv
import gzip
import os
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import jax
import numpy as np
from kinetics_lab import CUTOFFS, LOADED, activity_of, motion_of, nearest_foot, state_of

from monomsk.cli.arguments import InverseDynamics
from monomsk.cli.inverse_dynamics import inverse_dynamics
from monomsk.io import external_loads, osim_read, results, storage
from monomsk.io.body import load_body
from monomsk.io.external_loads import ExternalForce
from monomsk.io.storage import Table
from monomsk.kinetics.feet import feet_of
from monomsk.model.compile import compile_model
from monomsk.model.edit import with_contacts_of
from monomsk.model.model import complete
from monomsk.model.spec import ModelSpec
from monomsk.types import Motion

FEET = ("calcn_r", "calcn_l")
SMALL = 0.005
"""Coordinates whose largest generalized force is below this share of the largest of their kind in the trial are left out:
patellae, wrists and hands, which carry next to nothing."""


@dataclass(frozen=True)
class Trial:
    """Files both tools read, and what to ask for."""

    folder: Path
    cutoff: float
    start: float
    end: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--split", default="dev")
    parser.add_argument("--only", default="", help="trials whose file name contains this")
    parser.add_argument("--all", action="store_true", help="all trials instead of one of each kind")
    chosen = parser.parse_args()
    print(
        f"{'trial':<36}{'movement':<14}{'frames':>6}{'Hz':>4}   {'right: worst, median %':<34}{'compatible':<34}seconds, ours and OpenSim's"
    )
    seen: set[tuple[str, str]] = set()
    for row in csv.DictReader((chosen.root / "trials.csv").open()):
        activity = activity_of(row["activity"]) or "run"
        if row["split"] != chosen.split or chosen.only not in row["file"] or not row["model"]:
            continue
        if (row["source"], activity) in seen and not chosen.all:
            continue
        with tempfile.TemporaryDirectory(prefix="monomsk-id-") as folder:
            trial = prepare(chosen.root, row, activity, Path(folder))
            if trial is not None:
                seen.add((row["source"], activity))
                print(f"{Path(row['file']).stem:<36}{activity:<14}" + compare(trial), flush=True)


def prepare(root: Path, row: dict[str, str], activity: str, folder: Path) -> Trial | None:
    """Write model, coordinates and forces; None where the trial has no coordinates."""
    data = np.load(root / row["file"], allow_pickle=True)
    if "q" not in data:
        return None
    (folder / "model.osim").write_bytes(gzip.decompress((root / row["model"]).read_bytes()))
    spec = osim_read.read(folder / "model.osim")
    motion = motion_of(spec, data)
    model = compile_model(spec)
    q = np.asarray(jax.vmap(partial(complete, model))(motion.q))
    results.write_motion(folder / "motion.mot", Motion(motion.time, motion.names, motion.rotational, q))
    clock = write_forces(data, spec, motion, folder)
    return Trial(folder, CUTOFFS[activity], max(motion.time[0], clock[0]), min(motion.time[-1], clock[-1]))


def write_forces(data: "np.lib.npyio.NpzFile", spec: ModelSpec, motion: Motion, folder: Path) -> np.ndarray:
    """Every plate as two forces, one a foot, of which at most one acts at a time. Returns the times of the force file."""
    spec = with_contacts_of(spec, load_body())
    feet = feet_of(spec)
    state, _ = state_of(spec, feet, motion, 6.0)
    start, rate, count = data["force_time"]
    clock = start + np.arange(int(count)) / rate
    names: list[str] = []
    columns: list[np.ndarray] = []
    forces: list[ExternalForce] = []
    for plate in range(data["force"].shape[1]):
        loaded = data["force"][:, plate, 1] > LOADED
        side = nearest_foot(clock, np.nan_to_num(data["cop"][:, plate]), loaded, motion.time, feet, state)
        for foot, body in enumerate(FEET):
            start_of = {kind: f"plate{plate}_{body[-1]}_{kind}_" for kind in ("force", "cop", "moment")}
            for kind, name in start_of.items():
                names += [f"{name}{axis}" for axis in "xyz"]
                columns.append(np.where((side == foot)[:, None], np.nan_to_num(data[kind][:, plate]), 0.0))
            forces.append(ExternalForce(f"plate{plate}_{body[-1]}", body, start_of["force"], start_of["cop"], start_of["moment"]))
    storage.write(folder / "grf.mot", Table(clock, tuple(names), np.concatenate(columns, 1).astype(float)))
    external_loads.write(folder / "loads.xml", "grf.mot", tuple(forces))
    return clock


def compare(trial: Trial) -> str:
    """The rest of a line of the table."""
    began = time.perf_counter()
    right = ours(trial, compatible=False)
    middle = time.perf_counter()
    compatible = ours(trial, compatible=True)
    before = time.perf_counter()
    other = theirs(trial)
    took = middle - began, time.perf_counter() - before
    parts = "".join(f"{score(table, other):<34}" for table in (right, compatible))
    return f"{len(right.time):>6}{trial.cutoff:>4.0f}   {parts}{took[0]:.1f}, {took[1]:.1f}"


def ours(trial: Trial, *, compatible: bool) -> Table:
    out = trial.folder / f"ours_{compatible}.sto"
    files = {"model": trial.folder / "model.osim", "motion": trial.folder / "motion.mot", "external_loads": trial.folder / "loads.xml"}
    span = {"lowpass": trial.cutoff, "start": trial.start, "end": trial.end}
    with silence():
        inverse_dynamics(InverseDynamics(**files, **span, out=out, simbody_compatible=compatible))
    return storage.read(out)


def theirs(trial: Trial) -> Table:
    import opensim

    opensim.Logger.setLevelString("Off")
    model = opensim.Model(str(trial.folder / "model.osim"))
    model.updForceSet().clearAndDestroy()
    tool = opensim.InverseDynamicsTool()
    tool.setModel(model)
    tool.setCoordinatesFileName(str(trial.folder / "motion.mot"))
    tool.setExternalLoadsFileName(str(trial.folder / "loads.xml"))
    tool.setLowpassCutoffFrequency(trial.cutoff)
    tool.setStartTime(float(trial.start))
    tool.setEndTime(float(trial.end))
    tool.setResultsDir(str(trial.folder))
    tool.setOutputGenForceFileName("theirs.sto")
    with silence():
        done = tool.run()
    if not done:
        raise SystemExit(f"OpenSim's tool failed on {trial.folder}")
    return storage.read(trial.folder / "theirs.sto")


@contextlib.contextmanager
def silence() -> Iterator[None]:
    """Nothing on the standard output, from C++ neither."""
    kept = os.dup(1)
    try:
        with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
            os.dup2(nowhere.fileno(), 1)
            yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)


def score(ours: Table, theirs: Table) -> str:
    """Worst coordinate and median of all."""
    errors: dict[str, float] = {}
    for unit in ("_moment", "_force"):
        names = [name for name in theirs.names if name.endswith(unit)]
        peaks = {name: float(np.abs(theirs.column(name)).max()) for name in names}
        for name in (n for n in names if peaks[n] > SMALL * max(peaks.values())):
            at = np.interp(ours.time, theirs.time, theirs.column(name))
            errors[name.removesuffix(unit)] = 100.0 * float(np.sqrt(np.mean((ours.column(name) - at) ** 2))) / peaks[name]
    worst = max(errors, key=errors.__getitem__)
    return f"{errors[worst]:.3f} {worst}, {np.median(list(errors.values())):.4f}"


if __name__ == "__main__":
    main()
