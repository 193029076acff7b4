"""Postures at which muscle paths are sampled, and what the paths are there."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float
from scipy.stats import qmc

from monomsk.model.model import Model
from monomsk.model.muscles import Muscles
from monomsk.muscles.static_optimization import AT_REST, capacity

WIDEST = np.pi
"""Ranges are taken to end here at the latest [rad, m]: unlimited coordinates have any number in their files."""
SHARE_OF_RANGE = 0.05
"""How far around a motion coordinates that are lengths are sampled, over their range; angles have a margin of their own."""


@dataclass(frozen=True)
class Samples:
    """Paths of all muscles at many postures."""

    q: Float[np.ndarray, "sample nq"]
    length: Float[np.ndarray, "sample muscle"]
    """[m]"""
    moment_arm: Float[np.ndarray, "sample coordinate muscle"]
    """About the coordinates that were varied [m, 1]."""
    sound: Bool[np.ndarray, "sample muscle"]
    """False where the path begins inside a surface that it should bend around, or is none."""


def varied(model: Model, motion: Float[np.ndarray, "time nq"] | None = None) -> tuple[int, ...]:
    """Coordinates to sample: those that are free, and locked ones that move in the motion."""
    moving = [] if motion is None else np.flatnonzero(np.ptp(motion, 0) > AT_REST)
    return tuple(sorted({*model.free, *(int(i) for i in moving if model.locked[i] and i not in model.dependent)}))


def across_ranges(model: Model, coordinates: tuple[int, ...], count: int, seed: int) -> Float[np.ndarray, "sample nq"]:
    """Postures evenly spread over the ranges of the coordinates (a scrambled Sobol sequence), the others at their defaults."""
    low, high = np.clip(np.asarray(model.coordinate_range)[list(coordinates)], -WIDEST, WIDEST).T
    q = np.tile(np.asarray(model.coordinate_default), (count, 1))
    q[:, coordinates] = low + _spread(len(coordinates), count, seed) * (high - low)
    return q


def around_motion(
    model: Model, coordinates: tuple[int, ...], motion: Float[np.ndarray, "time nq"], margin: float, count: int, seed: int
) -> Float[np.ndarray, "sample nq"]:
    """Postures of the motion with every coordinate moved by up to the margin [rad], no further than to the end of its range.

    An end that the motion itself passes is moved to where it goes.
    """
    chosen = list(coordinates)
    low, high = np.asarray(model.coordinate_range)[chosen].T
    low, high = np.minimum(low, motion[:, chosen].min(0)), np.maximum(high, motion[:, chosen].max(0))
    reach = np.where(np.array(model.rotational)[chosen], margin, SHARE_OF_RANGE * np.minimum(high - low, 2.0 * WIDEST))
    draws = _spread(1 + len(chosen), count, seed)
    q = motion[np.minimum((draws[:, 0] * len(motion)).astype(int), len(motion) - 1)].copy()
    q[:, chosen] = np.clip(q[:, chosen] + (2.0 * draws[:, 1:] - 1.0) * reach, low, high)
    return q


def _spread(dimension: int, count: int, seed: int) -> Float[np.ndarray, "sample coordinate"]:
    """Points in the unit cube; as many as asked for of the power of two that a Sobol sequence is balanced with."""
    return qmc.Sobol(dimension, rng=seed).random_base2(int(np.ceil(np.log2(max(count, 2)))))[:count]


def sample(model: Model, muscles: Muscles, q: Float[np.ndarray, "sample nq"], coordinates: tuple[int, ...]) -> Samples:
    """The paths at postures [rad, m]."""
    able = capacity(model, muscles, q, np.zeros_like(q), coordinates)
    return Samples(q, able.length, able.moment_arm, ~able.broken & (able.inside_of < 0))
