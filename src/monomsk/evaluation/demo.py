"""What a run found, against the truth of the demonstration clip."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from monomsk.io import grf, osim_read, results, storage
from monomsk.types import Kinetics, Motion

if TYPE_CHECKING:
    from rich.table import Table

JOINTS = ("hip_flexion", "knee_angle", "ankle_angle")
SIDES: tuple[str, ...] = ("r", "l")
WORDS = {"hip_flexion": "hip flexion", "knee_angle": "knee flexion", "ankle_angle": "ankle dorsiflexion"}
ANGLE_TARGET = 8.0
"""Mean absolute error over the three angles of both legs that the demonstration promises [deg]."""
FORCE_TARGET = 15.0
"""Mean absolute error of the vertical force in stance that it promises [% of body weight]."""
GRAVITY = 9.80665


@dataclass(frozen=True)
class Comparison:
    """Mean absolute errors over the clip."""

    angle: dict[str, float]
    """Of each leg's angles, by coordinate [deg]."""
    angle_range: dict[str, float]
    """Estimated minus true range of motion, by coordinate [deg]."""
    moment: dict[str, float]
    """Of each leg's joint moments, by coordinate [N·m/kg]."""
    vertical: dict[str, float]
    """Of the vertical force while the foot truly stands, by side [% of body weight]."""
    forward: dict[str, float]
    """Of the forward force while the foot truly stands, by side [% of body weight]."""
    stance: float
    """Share of instants and feet at which standing or swinging was told rightly [%]."""

    @property
    def mean_angle(self) -> float:
        """Over hip flexion, knee and ankle of both legs [deg]."""
        return float(np.mean(list(self.angle.values())))

    @property
    def mean_vertical(self) -> float:
        """Over both feet [% of body weight]."""
        return float(np.mean(list(self.vertical.values())))

    @property
    def passes(self) -> bool:
        """Whether both promises are kept."""
        return self.mean_angle <= ANGLE_TARGET and self.mean_vertical <= FORCE_TARGET


def read_result(folder: Path) -> tuple[Motion, Kinetics]:
    """Coordinates and forces from a folder that a run wrote. Raises FormatError and ModelError for damaged files."""
    spec = osim_read.read(folder / "model.osim")
    motion = results.read_motion(folder / "kinematics.mot", spec)
    forces = grf.read(folder / "grf.mot")
    moments = storage.read(folder / "kinetics.sto")
    column = {name.removesuffix("_moment").removesuffix("_force"): i for i, name in enumerate(moments.names)}
    tau = np.stack([moments.values[:, column[name]] for name in motion.names], -1)
    kinetics = Kinetics(
        time=moments.time,
        names=motion.names,
        rotational=motion.rotational,
        q=motion.q,
        tau=tau,
        bodies=("calcn_r", "calcn_l"),
        force=forces.force,
        cop=forces.cop,
        moment=forces.moment,
        contact=forces.force[..., 1] > 0.0,
    )
    return motion, kinetics


def compare(motion: Motion, kinetics: Kinetics, truth: Kinetics, mass: float) -> Comparison:
    """Errors of an estimate whose times lie on the same axis as the truth's; outside of the truth nothing is judged.

    `mass` is the person's [kg].
    """
    wanted = [f"{joint}_{side}" for joint in JOINTS for side in SIDES]
    angle, span = {}, {}
    for name in wanted:
        here, at = _inside(motion.time, truth.time)
        true = np.degrees(np.interp(at, truth.time, truth.q[:, truth.names.index(name)]))
        found = np.degrees(motion.q[here, motion.names.index(name)])
        angle[name] = _mean_distance(found, true)
        span[name] = float(np.ptp(found) - np.ptp(true))
    here, at = _inside(kinetics.time, truth.time)
    moment = {
        name: _mean_distance(
            kinetics.tau[here, kinetics.names.index(name)], np.interp(at, truth.time, truth.tau[:, truth.names.index(name)])
        )
        / mass
        for name in wanted
    }
    weight = mass * GRAVITY / 100.0
    stands = np.stack([np.interp(at, truth.time, truth.contact[:, foot].astype(float)) > 0.5 for foot in (0, 1)], -1)
    vertical: dict[str, float] = {}
    forward: dict[str, float] = {}
    for foot, side in enumerate(SIDES):
        for axis, errors in ((1, vertical), (0, forward)):
            true = np.interp(at, truth.time, truth.force[:, foot, axis])
            standing = stands[:, foot]
            errors[side] = _mean_distance(kinetics.force[here, foot, axis][standing], true[standing]) / weight
    agree = float(np.mean(kinetics.contact[here] == stands)) * 100.0
    return Comparison(angle, span, moment, vertical, forward, agree)


def table(comparison: Comparison) -> "Table":
    """The comparison for a terminal, with the promises beside."""
    from rich.table import Table

    rows = Table(title="Estimate against truth (mean absolute error)", title_justify="left")
    for word in ("", "right", "left", "both", "promised"):
        rows.add_column(word, justify="left" if not word else "right")
    for joint in JOINTS:
        rows.add_row(f"{WORDS[joint]} [°]", *_three(comparison.angle, joint, "{:.1f}"), "", style="")
    rows.add_row("hip, knee and ankle together [°]", "", "", f"{comparison.mean_angle:.1f}", f"≤ {ANGLE_TARGET:g}", style="bold")
    rows.add_section()
    vertical = [f"{comparison.vertical[side]:.1f}" for side in SIDES]
    rows.add_row(
        "vertical ground force in stance [% body weight]", *vertical, f"{comparison.mean_vertical:.1f}", f"≤ {FORCE_TARGET:g}", style="bold"
    )
    forward = [comparison.forward[side] for side in SIDES]
    rows.add_row("forward ground force in stance [% body weight]", *(f"{v:.1f}" for v in (*forward, float(np.mean(forward)))), "")
    rows.add_row("standing or swinging told rightly [%]", "", "", f"{comparison.stance:.0f}", "")
    rows.add_section()
    for joint in JOINTS:
        rows.add_row(f"{WORDS[joint]} moment [N·m/kg]", *_three(comparison.moment, joint, "{:.2f}"), "")
    return rows


def _three(errors: dict[str, float], joint: str, form: str) -> list[str]:
    both = [errors[f"{joint}_{side}"] for side in SIDES]
    return [form.format(value) for value in (*both, float(np.mean(both)))]


def _inside(time: Float[np.ndarray, " time"], truth: Float[np.ndarray, " true"]) -> tuple[np.ndarray, Float[np.ndarray, " kept"]]:
    """Which instants the truth covers, and their times."""
    here = (time >= truth[0] - 1e-6) & (time <= truth[-1] + 1e-6)
    return here, time[here]


def _mean_distance(found: Float[np.ndarray, " time"], true: Float[np.ndarray, " time"]) -> float:
    return float(np.mean(np.abs(found - true)))
