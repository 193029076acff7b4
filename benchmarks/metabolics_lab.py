"""Power and metabolic cost of laboratory trials: python benchmarks/metabolics_lab.py --root ../shared/data/kinetics.

Trials on a treadmill whose plates carry the whole person, from motion and measured forces through static optimization. Means are
over whole strides. Walking is held against Ralston (1958), Int Z Angew Physiol 17, 277-283, for the gross metabolic power [W/kg] of
people who walk at v [m/s]: 2.02 + 1.33 v². Joint power is the sum of both legs' positive and negative parts, by body mass.
"""

import argparse
import csv
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from id_lab import prepare
from kinetics_lab import activity_of, state_of

from monomsk.config import MusclesConfig
from monomsk.errors import SolveError
from monomsk.io import external_loads, osim_read, results
from monomsk.io.body import load_body
from monomsk.kinetics.applied_forces import sampled
from monomsk.kinetics.feet import feet_of
from monomsk.kinetics.inverse import cut, joint_forces
from monomsk.model.edit import with_contacts_of
from monomsk.model.spec import ModelSpec
from monomsk.muscles.energetics import energetics
from monomsk.muscles.static_optimization import solve
from monomsk.report.summary import energy
from monomsk.types import Energetics, Motion

JOINTS = {"hip": ("hip_flexion", "hip_adduction", "hip_rotation"), "knee": ("knee_angle", "knee_angle_beta"), "ankle": ("ankle_angle",)}
LOADED = 50.0
"""Vertical force [N] at which a foot counts as on the ground."""


@dataclass(frozen=True)
class Found:
    """What came out of one trial."""

    speed: float
    """Of the person over the ground or the belt [m/s]."""
    umberger: Energetics
    bhargava: Energetics
    reserve: float
    """Largest reserve [% of the peak moment]."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--only", default="walk", help="trials whose file name contains this")
    parser.add_argument("--plot", type=Path, help="HTML file for the curves of the last trial")
    chosen = parser.parse_args()
    print("Metabolic power: whole body, basal part of 1.2 W/kg included [W/kg]. Joint power: positive, negative [W/kg], both legs.")
    heads = "".join(f"{joint:<14}" for joint in (*JOINTS, "muscles"))
    print(f"{'trial':<18}{'m/s':>5}{'measured':>9}{'Umberger':>9}{'Bhargava':>9}  {heads}reserve %")
    last = None
    for row in csv.DictReader((chosen.root / "trials.csv").open()):
        if chosen.only not in row["file"] or "treadmill" not in row["activity"] or not row["model"]:
            continue
        try:
            found = of_trial(chosen.root, row)
        except SolveError as error:
            print(f"{Path(row['file']).stem:<18}{error}")
            continue
        if found is not None:
            print(line(Path(row["file"]).stem, found, walks=activity_of(row["activity"]) == "walk"), flush=True)
            last = found
    if chosen.plot and last:
        chosen.plot.write_text(plot(last), encoding="utf-8")


def of_trial(root: Path, row: dict[str, str]) -> Found | None:
    with tempfile.TemporaryDirectory(prefix="monomsk-power-") as folder:
        trial = prepare(root, row, activity_of(row["activity"]) or "run", Path(folder))
        if trial is None:
            return None
        spec = osim_read.read(trial.folder / "model.osim")
        motion = results.read_motion(trial.folder / "motion.mot", spec)
        forces = external_loads.read_applied(trial.folder / "loads.xml")
    found = joint_forces(motion, spec, forces, lowpass=trial.cutoff)
    found = cut(found, (found.time >= trial.start) & (found.time <= trial.end))
    values, _ = sampled(forces, found.time)
    right = sum(values[:, i, 1] for i, force in enumerate(forces) if force.body.endswith("_r"))
    found = cut(found, whole_strides(np.asarray(right)))
    activity = solve(found, spec)
    both = (energetics(found, activity, spec, spec.mass, MusclesConfig(metabolics=name)) for name in ("umberger2010", "bhargava2004"))
    return Found(speed_of(spec, motion, trial.cutoff), *both, activity.quality["reserve_peak_percent_moment"])


def whole_strides(vertical: np.ndarray) -> np.ndarray:
    """From the first touch-down of the right foot to its last; everything when there are fewer than two."""
    touch = np.flatnonzero((vertical[1:] > LOADED) & (vertical[:-1] <= LOADED)) + 1
    chosen = np.zeros(len(vertical), bool)
    chosen[slice(touch[0], touch[-1] + 1) if len(touch) > 1 else slice(None)] = True
    return chosen


def speed_of(spec: ModelSpec, motion: Motion, cutoff: float) -> float:
    """How fast the pelvis goes over the soles that are on the ground or the belt."""
    spec = with_contacts_of(replace(spec, muscles=(), wraps=()), load_body())
    state, rate = state_of(spec, feet_of(spec), motion, cutoff)
    planted = state.point[..., 1] < np.percentile(state.point[..., 1], 10.0) + 0.01
    pelvis = np.median(np.gradient(motion.q[:, motion.names.index("pelvis_tx")], 1.0 / rate))
    return abs(float(pelvis - np.median(state.velocity[..., 0][planted])))


def line(name: str, found: Found, *, walks: bool) -> str:
    u, seconds = energy(found.umberger), found.umberger.time[-1] - found.umberger.time[0]
    work, muscles = u["joint_work_j_per_kg"], u["muscle_work_j_per_kg"].values()
    parts = []
    for coordinates in JOINTS.values():
        chosen = [work[f"{c}_{side}"] for c in coordinates for side in "rl" if f"{c}_{side}" in work]
        parts.append(tuple(sum(w[sign] for w in chosen) / seconds for sign in ("positive", "negative")))
    parts.append(tuple(sum(w[sign] for w in muscles) / seconds for sign in ("positive", "negative")))
    measured = f"{2.02 + 1.33 * found.speed**2:9.2f}" if walks else f"{'':9}"
    burnt = [energy(e)["metabolic_power_w_per_kg"]["whole_body"] for e in (found.umberger, found.bhargava)]
    text = f"{name:<18}{found.speed:5.2f}{measured}{burnt[0]:9.2f}{burnt[1]:9.2f}  "
    return text + "".join(f"{f'{given:+.2f} {taken:+.2f}':<14}" for given, taken in parts) + f"{found.reserve:.1f}"


def plot(found: Found) -> str:
    """Joint power and metabolic power over time, and mean metabolic power by muscle."""
    import plotly.graph_objects as go
    from plotly.subplots import make_subplots

    e = found.umberger
    figure = make_subplots(rows=3, cols=1, subplot_titles=("joint power [W/kg]", "metabolic power [W/kg]", "mean by muscle [W/kg]"))
    for joint, coordinates in JOINTS.items():
        chosen = [e.coordinates.index(f"{c}_r") for c in coordinates if f"{c}_r" in e.coordinates]
        figure.add_trace(go.Scatter(x=e.time, y=e.joint[:, chosen].sum(1) / e.mass, name=f"{joint}, right"), 1, 1)
    for name, one in (("Umberger", e), ("Bhargava", found.bhargava)):
        if one.metabolic is not None:
            figure.add_trace(go.Scatter(x=e.time, y=(one.metabolic.power.sum(1) + one.metabolic.basal) / e.mass, name=name), 2, 1)
            mean = energy(one)["metabolic_power_w_per_kg"]["muscles"]
            right = {muscle: value for muscle, value in mean.items() if muscle.endswith("_r")}
            figure.add_trace(go.Bar(x=list(right), y=list(right.values()), name=name), 3, 1)
    return figure.update_layout(height=1100).to_html(include_plotlyjs=True)


if __name__ == "__main__":
    main()
