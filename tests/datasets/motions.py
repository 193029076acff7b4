"""A person of known size who bends the knees and moves the arms, as plug-in-gait markers: what the corpus has to find again."""

import csv
from functools import cache
from pathlib import Path

import jax.numpy as jnp
import numpy as np

from monomsk.datasets.augment import soles
from monomsk.datasets.corpus import MotionClip, Origin
from monomsk.datasets.fitting import generic_body, opened, stature_of
from monomsk.datasets.points import body_with, tables
from monomsk.datasets.procedural import procedural_clip
from monomsk.io.body import load_anatomy, load_body
from monomsk.kinematics.trajectories import in_chunks, marker_trajectories
from monomsk.model.compile import compile_model
from monomsk.model.model import Model
from monomsk.model.scale import scale_model

RATE, FRAMES = 100.0, 251
LOGS = {"pelvis": 0.02, "pelvis_width": 0.05, "torso": -0.01, "torso_width": 0.04, "thigh": 0.06, "shank": 0.03, "foot": 0.02}


@cache
def marked() -> Model:
    return compile_model(body_with(opened(load_body()), tables()["plug_in_gait"]))


@cache
def factors() -> np.ndarray:
    _, segments = load_anatomy().segments_of(marked())
    return np.asarray(segments.factors(marked(), jnp.array([LOGS.get(name, 0.0) for name in segments.names])))


@cache
def person() -> Model:
    return scale_model(marked(), jnp.asarray(factors()), 70.0)


@cache
def moved() -> np.ndarray:
    """Coordinates over time; the feet stay where they are, flat on a floor at height 0."""
    model, t = person(), np.arange(FRAMES) / RATE
    q = np.tile(np.asarray(model.coordinate_default), (FRAMES, 1))
    bend = 0.6 - 0.5 * np.cos(2.0 * np.pi * t / 1.6)
    for side, sign in (("r", 1.0), ("l", -1.0)):
        for name, values in {
            "knee_angle": bend,
            "hip_flexion": 0.45 * bend,
            "ankle_angle": 0.55 * bend,
            "arm_flex": 0.3 + 0.5 * sign * np.sin(4.0 * t),
            "arm_add": -0.2 + 0.1 * np.sin(3.0 * t),
            "elbow_flex": 0.8 + 0.4 * np.sin(5.0 * t + sign),
            "pro_sup": 1.0 + 0.2 * np.cos(4.0 * t),
        }.items():
            q[:, model.coordinate(f"{name}_{side}")] = values
    q[:, model.coordinate("lumbar_extension")] = -0.25 * bend
    q[:, model.coordinate("lumbar_rotation")] = 0.15 * np.sin(3.0 * t)
    for axis in "rl":
        q[:, model.coordinate(f"knee_angle_{axis}_beta")] = bend
    standing = soles(model, q)
    place = standing.mean(1) * [1.0, 0.0, 1.0] + standing[..., 1].mean(1)[:, None] * [0.0, 1.0, 0.0]
    q[:, [model.coordinate(f"pelvis_t{a}") for a in "xyz"]] -= place - [0.4, 0.0, -0.2]
    return q


@cache
def squatting() -> MotionClip:
    """A made-up squat whose feet truly stand still: the truth that fits are held against."""
    return procedural_clip("squat", 4, generic_body(), load_anatomy())


@cache
def marker_places() -> np.ndarray:
    """Its plug-in-gait markers, 60 frames a second."""
    body = scale_model(marked(), jnp.asarray(squatting().factors), 70.0)
    return in_chunks(marker_trajectories, body, squatting().q.astype(float))


@cache
def scattered() -> np.ndarray:
    """Any markers at all."""
    return np.random.default_rng(0).uniform(-1.0, 1.0, (FRAMES, len(marked().marker_names), 3))


def stature() -> float:
    return stature_of(load_body(), load_anatomy(), factors())


def write_trial(path: Path, xyz: np.ndarray, rate: float = RATE, **changes: object) -> None:
    """A trial in the layout of the laboratory files, to a tenth of a millimetre."""
    origin = xyz.mean((0, 1))
    arrays = {
        "marker_names": np.array(marked().marker_names),
        "marker_time": np.array([0.0, rate, len(xyz)]),
        "marker_xyz": np.round((xyz - origin) / 1e-4).astype(np.int16),
        "marker_resolution": np.array(1e-4),
        "marker_origin": origin,
        "force_time": np.array([0.0, 300.0, 3]),
        **{name: np.zeros((3, 2, 3), np.float32) for name in ("force", "cop", "moment")},
        **changes,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, **{k: v for k, v in arrays.items() if v is not None})


def write_table(root: Path, rows: list[dict[str, str]]) -> None:
    usual = {"split": "train", "activity": "squat", "mass_kg": "70", "height_m": "1.75", "model": "", "source": "made_up"}
    rows = [{**usual, "licence": "none", "commercial_use": "yes", "trial": "T1", **row} for row in rows]
    root.mkdir(parents=True, exist_ok=True)
    with open(root / "trials.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def clip(person: str = "P1", name: str = "T1", split: str = "train", commercial: bool = True) -> MotionClip:
    """The known motion as a clip, every second frame of it."""
    model, q = generic_body(), moved()[::2]
    return MotionClip(
        origin=Origin("made_up", person, name, "squat", split, "none", commercial),  # type: ignore[arg-type]
        names=model.coordinate_names,
        bodies=model.body_names,
        time=np.arange(len(q)) / 50.0,
        q=q.astype(np.float32),
        contact=np.ones((len(q), 4), bool),
        valid=np.ones(len(q), bool),
        measured=~np.array(model.locked),
        factors=factors(),
        stature=stature(),
        mass=70.0,
        error={"all": 0.004, "tibia": 0.003},
    )
