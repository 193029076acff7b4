"""Motions of the shipped body whose forces are known beforehand."""

from dataclasses import replace
from functools import cache

import numpy as np

from monomsk.io.body import load_body
from monomsk.kinetics.feet import feet_of
from monomsk.kinetics.mechanics import mechanics
from monomsk.model.compile import compile_model
from monomsk.model.spec import ModelSpec
from monomsk.types import Motion, Subject

RATE = 100.0


@cache
def body() -> ModelSpec:
    return replace(load_body(), muscles=(), wraps=())


def subject() -> Subject:
    return Subject(height=1.75, mass=body().mass)


def motion(frames: int, **coordinates: np.ndarray | float) -> Motion:
    """Default pose, with some coordinates told (rad, m); `lift` is the height of the lowest sole at the first frame [m]."""
    lift = coordinates.pop("lift", 0.0)
    names = tuple(c.name for c in body().coordinates)
    q = np.tile([c.default for c in body().coordinates], (frames, 1))
    for name, value in coordinates.items():
        q[:, names.index(name)] = value
    model, feet = compile_model(body()), feet_of(body())
    first = np.concatenate([q[:1]] * 2)
    soles = mechanics(model, feet, (first, 0.0 * first, 0.0 * first)).point[0, :, 1]
    q[:, names.index("pelvis_ty")] += lift - soles.min()
    return Motion(np.arange(frames) / RATE, names, np.array([c.rotational for c in body().coordinates]), q)


def gait(frames: int, seed: int = 0) -> Motion:
    """Something like walking on the spot with noise: no truth, but every coordinate that matters moves."""
    t = np.arange(frames) / RATE
    swing = np.sin(2.0 * np.pi * t)
    moving = {
        "pelvis_ty": 0.02 * np.cos(4.0 * np.pi * t),
        "pelvis_tz": 0.03 * np.sin(2.0 * np.pi * t),
        "hip_flexion_r": 0.3 * swing,
        "hip_flexion_l": -0.3 * swing,
        "knee_angle_r": 0.4 + 0.3 * np.cos(2.0 * np.pi * t),
        "knee_angle_l": 0.4 - 0.3 * np.cos(2.0 * np.pi * t),
        "ankle_angle_r": 0.2 * swing,
        "arm_flex_r": -0.4 * swing,
        "lumbar_rotation": 0.1 * swing,
    }
    random = np.random.default_rng(seed)
    return motion(frames, **{k: v + np.cumsum(random.normal(0.0, 0.002, frames)) for k, v in moving.items()})
