"""The figures of a run that a person or a script asks for first: summary.json.

Keys (docs/results.md tells them in full): `subject`, `clip`, `camera`, `quality` (a dictionary a stage), `angles_deg`
(range of every rotational coordinate), `moments_nm_per_kg`, `ground_force_bw`, `mean_sd`, `external_loads`,
`joint_load_bw`, `energy`, `warnings`. Units are in the names.
"""

from typing import Any

import numpy as np
from jaxtyping import Float

from monomsk import __version__
from monomsk.types import Camera, Clip, Energetics, JointLoads, Keypoints, Kinetics, Motion, Trial

GRAVITY = 9.80665
"""Standard gravity [m/s²], by which body weight is meant."""
SIDES = ("right", "left")


def summary(trial: Trial) -> dict[str, Any]:
    """The summary of a trial; parts that were not done are left out."""
    mass = trial.subject.mass
    parts: dict[str, Any] = {
        "monomsk": __version__,
        "subject": {"height_m": trial.subject.height, "mass_kg": mass, "sex": trial.subject.sex},
    }
    if trial.clip is not None:
        parts["clip"] = _clip(trial.clip)
    if trial.camera is not None:
        parts["camera"] = _camera(trial.camera)
    parts["quality"] = quality(trial)
    if trial.motion is not None:
        parts["angles_deg"] = _angles(trial.motion)
    if trial.kinetics is not None:
        parts["moments_nm_per_kg"] = _moments(trial.kinetics, mass)
        parts["ground_force_bw"] = _ground_force(trial.kinetics, mass)
        if trial.kinetics.placing is not None:
            parts["external_loads"] = placing_figures(trial.kinetics)
    if sds := _mean_sds(trial):
        parts["mean_sd"] = sds
    if trial.loads is not None:
        parts["joint_load_bw"] = _joint_loads(trial.loads, mass)
    if trial.energetics is not None:
        parts["energy"] = energy(trial.energetics)
    parts["warnings"] = list(trial.warnings)
    return parts


def quality(trial: Trial) -> dict[str, dict[str, float | None]]:
    """The quality figures of each stage that was done."""
    stages = {
        "keypoints": None if trial.keypoints is None else _keypoints(trial.keypoints),
        "kinematics": trial.motion and trial.motion.quality,
        "kinetics": trial.kinetics and trial.kinetics.quality,
        "muscles": trial.muscles and trial.muscles.quality,
    }
    return {stage: {key: rounded(value) for key, value in figures.items()} for stage, figures in stages.items() if figures}


def rounded(value: float) -> float | None:
    """Four significant digits: more would claim what no video can tell. None for what JSON has no number for."""
    return float(f"{float(value):.4g}") if np.isfinite(value) else None


def _clip(clip: Clip) -> dict[str, Any]:
    seconds = float(clip.time[-1] - clip.time[0])
    return {
        "file": clip.path.name,
        "size_px": list(clip.size),
        "frames": len(clip.time),
        "start_s": clip.start,
        "seconds": rounded(seconds),
        "rate_hz": rounded(clip.rate),
    }


def _camera(camera: Camera) -> dict[str, Any]:
    figures: dict[str, Any] = {
        "focal_px": [rounded(value) for value in camera.focal],
        "focal_relative_sd": rounded(camera.focal_sigma),
        "focal_source": camera.focal_source,
        "gravity_source": camera.gravity_source,
        "gravity_sd_deg": rounded(np.degrees(camera.gravity_sigma)),
    }
    if camera.gravity is not None:
        # Upright means that gravity points along the picture's own down, y.
        figures["tilt_deg"] = rounded(np.degrees(np.arccos(np.clip(camera.gravity[1], -1.0, 1.0))))
    return figures


def _keypoints(keypoints: Keypoints) -> dict[str, float]:
    seen = np.isfinite(keypoints.sigma)
    figures = {"seen_fraction": float(seen.mean()), "frames_seen_fraction": float(seen.any(axis=1).mean())}
    if seen.any():
        figures["median_sigma_px"] = float(np.median(keypoints.sigma[seen]))
    return figures


def _range(values: Float[np.ndarray, " time"]) -> dict[str, float | None]:
    return {"min": rounded(values.min()), "max": rounded(values.max()), "range": rounded(np.ptp(values))}


def _angles(motion: Motion) -> dict[str, dict[str, float | None]]:
    degrees = np.degrees(motion.q)
    return {name: _range(degrees[:, i]) for i, name in enumerate(motion.names) if motion.rotational[i]}


def _moments(kinetics: Kinetics, mass: float) -> dict[str, dict[str, float | None]]:
    return {name: _range(kinetics.tau[:, i] / mass) for i, name in enumerate(kinetics.names) if kinetics.rotational[i]}


def _ground_force(kinetics: Kinetics, mass: float) -> dict[str, Any]:
    vertical = kinetics.force[:, :, 1] / (mass * GRAVITY)
    return {
        "peak_vertical": {side: rounded(vertical[:, i].max()) for i, side in enumerate(SIDES)},
        "mean_vertical_of_both": rounded(vertical.sum(axis=1).mean()),
        "contact_fraction": {side: rounded(kinetics.contact[:, i].mean()) for i, side in enumerate(SIDES)},
    }


def _mean_sds(trial: Trial) -> dict[str, Any]:
    """Root mean square over time of the standard deviations that there are."""
    found: dict[str, Any] = {}
    motion, kinetics, mass = trial.motion, trial.kinetics, trial.subject.mass
    if motion is not None and motion.sigma is not None:
        mean = np.degrees(np.sqrt((motion.sigma**2).mean(0)))
        found["angles_deg"] = {name: rounded(mean[i]) for i, name in enumerate(motion.names) if motion.rotational[i]}
    if kinetics is not None and kinetics.tau_sigma is not None:
        mean = np.sqrt((kinetics.tau_sigma**2).mean(0)) / mass
        found["moments_nm_per_kg"] = {name: rounded(mean[i]) for i, name in enumerate(kinetics.names) if kinetics.rotational[i]}
    if kinetics is not None and kinetics.force_sigma is not None:
        mean = np.sqrt((kinetics.force_sigma**2).mean(0)) / (mass * GRAVITY)
        found["ground_force_bw"] = {side: [rounded(v) for v in mean[i]] for i, side in enumerate(SIDES)}
    return found


def placing_figures(kinetics: Kinetics) -> dict[str, Any]:
    """How measured forces lie in the run's clock and frame, where each figure comes from, and how well they fit the motion."""
    placing, measured = kinetics.placing, kinetics.measured
    assert placing is not None
    return {
        "offset_s": rounded(placing.offset),
        "offset_from": placing.offset_from,
        "turn_deg": rounded(np.degrees(placing.turn)),
        "turn_from": placing.turn_from,
        "shift_m": [rounded(v) for v in placing.shift],
        "shift_from": placing.shift_from,
        "cop_distance_m": rounded(placing.distance),
        "vertical_force_correlation": rounded(placing.correlation),
        "measured_fraction": {side: 0.0 if measured is None else rounded(measured[:, i].mean()) for i, side in enumerate(SIDES)},
    }


def _joint_loads(loads: JointLoads, mass: float) -> dict[str, dict[str, float | None]]:
    """Peak and mean size of the force at every joint [body weights]."""
    size = np.linalg.norm(loads.force, axis=2) / (mass * GRAVITY)
    return {name: {"peak": rounded(size[:, i].max()), "mean": rounded(size[:, i].mean())} for i, name in enumerate(loads.names)}


def energy(energetics: Energetics) -> dict[str, Any]:
    """Work of joints and muscles over the trial, and their mean metabolic power, all by body mass.

    Positive and negative work are integrals of power above and below zero, by the trapezoid rule, so that what a muscle or a joint
    takes up does not hide what it gives.
    """
    mass, time = energetics.mass, energetics.time
    parts: dict[str, Any] = {
        "joint_work_j_per_kg": _work(time, energetics.coordinates, energetics.joint / mass),
        "muscle_work_j_per_kg": _work(time, energetics.names, energetics.muscle / mass),
    }
    if (cost := energetics.metabolic) is not None:
        mean = _mean(time, cost.power) / mass
        parts["metabolic_power_w_per_kg"] = {
            "model": cost.model,
            "whole_body": rounded(mean.sum() + cost.basal / mass),
            "basal": rounded(cost.basal / mass),
            "muscles_of_the_model": rounded(mean.sum()),
            "muscles": {name: rounded(value) for name, value in zip(energetics.names, mean, strict=True)},
        }
        parts["muscle_mass_kg"] = rounded(cost.muscle_mass.sum())
        parts["slow_twitch_share_unknown"] = list(cost.guessed)
    return parts


def _mean(time: Float[np.ndarray, " time"], values: Float[np.ndarray, "time *n"]) -> Float[np.ndarray, "*n"]:
    """Mean over time; of one frame, that frame."""
    return values[0] if len(time) < 2 else np.trapezoid(values, time, axis=0) / (time[-1] - time[0])


def _work(
    time: Float[np.ndarray, " time"], names: tuple[str, ...], power: Float[np.ndarray, "time column"]
) -> dict[str, dict[str, float | None]]:
    """Positive and negative work of every column."""
    given = np.trapezoid(np.maximum(power, 0.0), time, axis=0)
    taken = np.trapezoid(np.minimum(power, 0.0), time, axis=0)
    return {name: {"positive": rounded(given[i]), "negative": rounded(taken[i])} for i, name in enumerate(names)}
