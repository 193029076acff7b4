"""What the ground is believed to do to each contact sphere, from the forces on whole feet: where the search begins and is held."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.ndimage import convolve1d

from monomsk.errors import ModelError
from monomsk.model.model import Model
from monomsk.types import Kinetics

FORCE_SIGMA = (0.1, 0.15, 0.1)
"""Trust in the forces that are given, of a whole foot along X, Y and Z [body weights]."""
ABOVE = (0.025, 0.006)
"""Height above the lowest sphere of its foot at which a sphere carries as likely as not, and the width of the doubt [m]."""
FAINT = 1e-4
"""What is left of the doubt about the force of a sphere that carries nothing."""
STILL = 0.1
"""Load on a sphere from which it is rather still than not [body weights]."""


@dataclass(frozen=True)
class Ground:
    """Of every contact sphere."""

    force: Float[np.ndarray, "time contact 3"]
    """[N]"""
    sigma: Float[np.ndarray, "time contact 3"]
    """[N]"""
    level: Float[np.ndarray, "time contact"]
    """Height of the ground [m]."""
    planted: Float[np.ndarray, "time contact"]
    """From 0 to 1: how surely the sphere rests on the ground."""
    rest: Float[np.ndarray, " contact"]
    """Height above the ground at which the sphere rests [m]: a sole is no plane."""
    belt: Float[np.ndarray, "3"]
    """Usual velocity of soles that carry [m/s]: that of a treadmill, or what a sole that gives way seems to slide at."""
    foot: Float[np.ndarray, "foot contact"]
    """1 where a sphere belongs to a foot."""


def feet_of(model: Model, bodies: tuple[str, str]) -> Float[np.ndarray, "foot contact"]:
    """Which spheres belong to the feet that `bodies` are part of. Raises ModelError when one has none."""
    side = [model.body_names[b][-2:] for b in model.contact_body]
    foot = np.array([[s == body[-2:] for s in side] for body in bodies], float)
    if not foot.any(axis=1).all():
        raise ModelError("the feet of the model have no contact spheres: motion and forces cannot be made to agree")
    return foot


def believe(
    model: Model,
    kinetics: Kinetics,
    point: Float[np.ndarray, "time contact 3"],
    velocity: Float[np.ndarray, "time contact 3"],
    weight: float,
) -> Ground:
    """Beliefs from forces on the feet and the lowest points of the spheres [m, m/s]; `weight` is the body's [N]."""
    foot = feet_of(model, kinetics.bodies)
    level = kinetics.cop[..., 1] @ foot
    pressure = np.zeros(level.shape)
    share = np.zeros(level.shape)
    for side, of in enumerate(foot > 0.0):
        above = point[:, of, 1] - point[:, of, 1].min(axis=1, keepdims=True)
        low = 1.0 / (1.0 + np.exp(np.clip((above - ABOVE[0]) / ABOVE[1], -40.0, 40.0)))
        pressure[:, of] = spread(point[:, of][..., [0, 2]], kinetics.cop[:, side][:, [0, 2]], kinetics.force[:, side, 1], low)
        share[:, of] = low / low.sum(axis=1, keepdims=True)
    total = kinetics.force[..., 1] @ foot
    part = pressure / np.maximum(total, 1e-9)
    force = part[..., None] * np.einsum("tfi,fc->tci", kinetics.force, foot)
    # A force may set in a frame sooner or later than it was found to.
    loaded = convolve1d((kinetics.force[..., 1] > 0.0).astype(float), [0.05, 0.9, 0.05], axis=0, mode="nearest") @ foot
    doubt = loaded * np.where(total > 0.0, 0.5 * (part + share), share)
    sigma = weight * np.array(FORCE_SIGMA) * np.sqrt(doubt + FAINT**2)[..., None]
    planted = pressure / (pressure + STILL * weight)
    gap, belt = point[..., 1] - level, np.zeros(3)
    if planted.any():
        belt = np.array([_median(velocity[..., 0], planted), 0.0, _median(velocity[..., 2], planted)])
    rest = np.array([_median(gap[:, i], planted[:, i]) if planted[:, i].any() else 0.0 for i in range(gap.shape[1])])
    return Ground(force, sigma, level, planted, rest, belt, foot)


def spread(
    place: Float[np.ndarray, "time n 2"],
    cop: Float[np.ndarray, "time 2"],
    load: Float[np.ndarray, " time"],
    low: Float[np.ndarray, "time n"],
) -> Float[np.ndarray, "time n"]:
    """Pressures that push [N], as even as may be on points that are low, whose sum is the load and whose centre the centre of pressure.

    Where no such pressures are, the centre is missed.
    """
    rows = np.stack([np.ones(place.shape[:2]), *np.moveaxis(place - cop[:, None], -1, 0)], axis=1)
    right = np.stack([load, 0.0 * load, 0.0 * load], axis=1)
    free = low.copy()
    for _ in range(4):
        weighted = rows * free[:, None]
        matrix = weighted @ np.swapaxes(rows, 1, 2) + np.diag([1e-9, 1e-6, 1e-6])
        pressure = np.einsum("tri,tr->ti", weighted, np.linalg.solve(matrix, right[..., None])[..., 0])
        free = np.where(pressure < 0.0, 1e-6 * free, free)
    pressure = np.maximum(pressure, 0.0)
    return pressure * (load / np.maximum(pressure.sum(axis=1), 1e-9))[:, None]


def on_feet(
    ground: Ground, point: Float[np.ndarray, "time contact 3"], force: Float[np.ndarray, "time contact 3"], least: float
) -> tuple[Float[np.ndarray, "time foot 3"], Float[np.ndarray, "time foot 3"], Float[np.ndarray, "time foot 3"]]:
    """Force [N], centre of pressure [m] and free moment about it [N·m] of each foot, from forces at the lowest points of the spheres.

    A foot that carries less than `least` [N] carries nothing; the centre is then that of its spheres.
    """
    at = point.copy()
    at[..., 1] = ground.level
    whole = np.einsum("tci,fc->tfi", force, ground.foot)
    torque = np.einsum("tci,fc->tfi", np.cross(at, force), ground.foot)
    middle = np.einsum("tci,fc->tfi", at, ground.foot / ground.foot.sum(axis=1, keepdims=True))
    loaded = whole[..., 1] > least
    up, level = np.where(loaded, whole[..., 1], 1.0), middle[..., 1]
    x = (torque[..., 2] + level * whole[..., 0]) / up
    z = (level * whole[..., 2] - torque[..., 0]) / up
    cop = np.where(loaded[..., None], np.stack([x, level, z], axis=-1), middle)
    moment = np.zeros_like(whole)
    moment[..., 1] = np.where(loaded, (torque - np.cross(cop, whole))[..., 1], 0.0)
    return np.where(loaded[..., None], whole, 0.0), cop, moment


def _median(values: np.ndarray, weight: np.ndarray) -> float:
    """Of the values, each as often as its weight says."""
    order = np.argsort(values, axis=None)
    passed = np.cumsum(weight.reshape(-1)[order])
    return float(values.reshape(-1)[order][np.searchsorted(passed, 0.5 * passed[-1])])
