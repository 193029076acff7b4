"""The curves of the report as plain data: what is drawn together, in which unit, and what its sign means."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from monomsk.report.summary import GRAVITY, SIDES
from monomsk.report.words import COORDINATES, MAIN_ANGLES, MAIN_MOMENTS, MUSCLES, side_of, title_of
from monomsk.types import Energetics, JointLoads, Kinetics, Motion, MuscleActivity, Trial


@dataclass(frozen=True)
class Curve:
    """One line of a chart."""

    name: str
    """right, left, or what else tells it from the others; empty when it is alone."""
    values: Float[np.ndarray, " time"]
    sigma: Float[np.ndarray, " time"] | None = None
    """Half the width of the band around it."""


@dataclass(frozen=True)
class Chart:
    """Curves in one frame, over the time of the trial."""

    title: str
    unit: str
    curves: tuple[Curve, ...]
    note: str = ""
    """The positive direction."""
    main: bool = True
    """Shown at once; the others when asked for."""


def angle_charts(motion: Motion) -> list[Chart]:
    """Every angle of the body [degrees], right and left together."""
    moving = [i for i in range(len(motion.names)) if motion.rotational[i] and not motion.names[i].endswith("_beta")]
    degrees = np.degrees(motion.q)
    sigma = None if motion.sigma is None else np.degrees(motion.sigma)
    flexed_negative = _knee_is_negative(motion)
    charts = []
    for stem, members in _pairs(motion.names, moving):
        curves = tuple(Curve(side, degrees[:, i], None if sigma is None else sigma[:, i]) for side, i in members)
        note = COORDINATES.get(stem, ("", ""))[1]
        if stem == "knee_angle" and flexed_negative:
            note = "− flexion (this model)"
        charts.append(Chart(title_of(stem), "°", curves, note, stem in MAIN_ANGLES and _moves(curves)))
    return _ordered(charts, MAIN_ANGLES)


def moment_charts(kinetics: Kinetics, mass: float) -> list[Chart]:
    """Net joint moments by body mass [N·m/kg], right and left together; residuals are not among them."""
    sigma = kinetics.tau_sigma
    joints = [
        i
        for i, name in enumerate(kinetics.names)
        if kinetics.rotational[i] and not name.endswith("_beta") and not name.startswith("pelvis_")
    ]
    charts = [
        Chart(
            title_of(stem),
            "N·m/kg",
            tuple(Curve(side, kinetics.tau[:, i] / mass, None if sigma is None else sigma[:, i] / mass) for side, i in members),
            COORDINATES.get(stem, ("", ""))[1],
            stem in MAIN_MOMENTS,
        )
        for stem, members in _pairs(kinetics.names, joints)
    ]
    return _ordered(charts, MAIN_MOMENTS)


def ground_force_charts(kinetics: Kinetics, mass: float) -> list[Chart]:
    """Ground reaction force on each foot [% of body weight]."""
    percent, sigma = 100.0 * kinetics.force / (mass * GRAVITY), kinetics.force_sigma
    bands = None if sigma is None else 100.0 * sigma / (mass * GRAVITY)
    axes = ((1, "Vertical", "+ up"), (0, "Forward", "+ forward"), (2, "Sideways", "+ to the right"))
    curves = {
        axis: tuple(Curve(side, percent[:, i, axis], None if bands is None else bands[:, i, axis]) for i, side in enumerate(SIDES))
        for axis in range(3)
    }
    return [Chart(title, "% BW", curves[axis], note) for axis, title, note in axes]


def residual_charts(kinetics: Kinetics, mass: float) -> list[Chart]:
    """What the equations of motion lack at the pelvis: forces [% of body weight] and moments [N·m/kg]."""
    root = [i for i, name in enumerate(kinetics.names) if name.startswith("pelvis_")]
    forces = tuple(Curve(kinetics.names[i], 100.0 * kinetics.tau[:, i] / (mass * GRAVITY)) for i in root if not kinetics.rotational[i])
    moments = tuple(Curve(kinetics.names[i], kinetics.tau[:, i] / mass) for i in root if kinetics.rotational[i])
    charts = [Chart("Residual force", "% BW", forces), Chart("Residual moment", "N·m/kg", moments)]
    return [chart for chart in charts if chart.curves]


def muscle_charts(muscles: MuscleActivity) -> list[Chart]:
    """Activation of every muscle [0 to 1], right and left together."""
    charts = [
        Chart(title_of(stem), "", tuple(Curve(side, muscles.activation[:, i]) for side, i in members), stem, stem in MUSCLES)
        for stem, members in _pairs(muscles.names, range(len(muscles.names)))
    ]
    return _ordered(charts, tuple(MUSCLES))


def load_charts(loads: JointLoads, mass: float) -> list[Chart]:
    """Size of the force that each joint transmits [% of body weight], right and left together."""
    percent = 100.0 * np.linalg.norm(loads.force, axis=2) / (mass * GRAVITY)
    return [
        Chart(title_of(stem), "% BW", tuple(Curve(side, percent[:, i]) for side, i in members))
        for stem, members in _pairs(loads.names, range(len(loads.names)))
    ]


def power_charts(energetics: Energetics) -> list[Chart]:
    """Power of the joints' coordinates that the report opens moments with, and what all muscles burn, by body mass [W/kg]."""
    members = [i for i, name in enumerate(energetics.coordinates) if side_of(name)[0] in MAIN_MOMENTS]
    charts = [
        Chart(
            title_of(stem), "W/kg", tuple(Curve(side, energetics.joint[:, i] / energetics.mass) for side, i in pair), "+ given to the bones"
        )
        for stem, pair in _pairs(energetics.coordinates, members)
    ]
    charts = _ordered(charts, MAIN_MOMENTS)
    if (cost := energetics.metabolic) is not None:
        total = (cost.power.sum(axis=1) + cost.basal) / energetics.mass
        charts.append(Chart("Metabolic power", "W/kg", (Curve("", total),), "basal part included"))
    return charts


def reserve_charts(muscles: MuscleActivity, mass: float) -> list[Chart]:
    """Moments that the muscles could not supply, by body mass [N·m/kg]."""
    return [
        Chart(title_of(stem), "N·m/kg", tuple(Curve(side, muscles.reserve[:, i] / mass) for side, i in members), main=False)
        for stem, members in _pairs(muscles.reserve_names, range(len(muscles.reserve_names)))
    ]


def contact_intervals(trial: Trial) -> dict[str, list[tuple[float, float]]]:
    """When each foot is on the ground [s]; nothing for a trial without kinetics."""
    if trial.kinetics is None:
        return {}
    time = trial.kinetics.time
    intervals: dict[str, list[tuple[float, float]]] = {}
    for foot, side in enumerate(("right", "left")):
        edges = np.flatnonzero(np.diff(np.concatenate([[0], trial.kinetics.contact[:, foot].astype(np.int8), [0]])))
        intervals[side] = [(float(time[a]), float(time[b - 1])) for a, b in zip(edges[::2], edges[1::2], strict=True)]
    return intervals


def _pairs(names: Sequence[str], indices: Iterable[int]) -> list[tuple[str, list[tuple[str, int]]]]:
    """Stems in order of appearance, each with its sides and their indices; the right side first."""
    found: dict[str, list[tuple[str, int]]] = {}
    for i in indices:
        stem, side = side_of(names[i])
        found.setdefault(stem, []).append((side, i))
    return [(stem, sorted(members, reverse=True)) for stem, members in found.items()]


def _ordered(charts: list[Chart], stems: tuple[str, ...]) -> list[Chart]:
    """The charts of `stems` first and in that order, then the rest."""
    rank = {title_of(stem): i for i, stem in enumerate(stems)}
    return sorted(charts, key=lambda chart: rank.get(chart.title, len(rank)))


def _moves(curves: tuple[Curve, ...]) -> bool:
    """Whether any of the curves is more than a level line, as locked coordinates are."""
    return any(not float(np.ptp(curve.values)) <= 1e-6 for curve in curves)  # also where a value is missing


def _knee_is_negative(motion: Motion) -> bool:
    """Whether flexion of the knee counts as negative, as in gait2392: knees bend far more than they overstretch."""
    knees = [i for i, name in enumerate(motion.names) if side_of(name)[0] == "knee_angle"]
    return bool(knees) and float(np.median(motion.q[:, knees])) < 0.0
