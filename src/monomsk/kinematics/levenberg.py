"""Levenberg–Marquardt over all frames, the segment scales and the camera at once."""

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass, replace

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from monomsk.errors import SolveError
from monomsk.kinematics import residuals
from monomsk.kinematics.blocks import Chain, Spread, chain, second_differences, solve_bordered, spread_bordered
from monomsk.kinematics.residuals import Frames, Normal, Scene

ROBUST_ACCELERATION = 3.0
"""Where an acceleration begins to count as a blow rather than as noise [standard deviations]."""
FIRST_DAMPING = 1e-3
CHUNK = 64
"""Frames a compiled call takes; clips are padded to whole chunks, so that no length compiles anew."""


@dataclass(frozen=True)
class Prior:
    """Gaussian beliefs about poses, their change and the unknowns of the clip."""

    pose: Float[np.ndarray, "#time nx"]
    """One for all frames, or each its own."""
    pose_sigma: Float[np.ndarray, "#time nx"]
    low: Float[np.ndarray, " nx"]
    high: Float[np.ndarray, " nx"]
    limit_sigma: Float[np.ndarray, " nx"]
    """Softness of the joint limits [rad, m]."""
    acceleration_sigma: Float[np.ndarray, " nx"]
    """[rad/s², m/s²] about that of the poses believed in; of a white process seen over a thirtieth of a second."""
    unknown: Float[np.ndarray, " ng"]
    unknown_sigma: Float[np.ndarray, " ng"]
    stature: float
    stature_sigma: float
    stature_points: tuple[int, int]
    """Markers at the top of the head and on the sole."""


@dataclass(frozen=True)
class Estimate:
    """Where the fit stands."""

    x: Float[np.ndarray, "time nx"]
    unknown: Float[np.ndarray, " ng"]
    cost: float = np.inf
    damping: float = FIRST_DAMPING


def iterate(scene: Scene, frames: Frames, prior: Prior, start: Estimate, steps: int) -> Iterator[Estimate]:
    """Up to `steps` accepted or refused steps, the estimate after each; ends early when the cost stands still."""
    here = replace(start, cost=total_cost(scene, frames, prior, start.x, start.unknown))
    still = 0
    for _ in range(steps):
        before = here.cost
        here = _step(scene, frames, prior, here)
        yield here
        still = still + 1 if before - here.cost < 1e-4 * before else 0
        if still == 3:
            return


def _step(scene: Scene, frames: Frames, prior: Prior, here: Estimate) -> Estimate:
    normal = _linearise(scene, frames, here)
    matrix, border, corner, gradient, gradient_corner = _system(scene, frames, prior, here, normal)
    damping = here.damping
    for _ in range(6):
        damped_corner = corner + damping * np.diag(np.diag(corner))
        try:
            dx, du = solve_bordered(matrix.damped(damping), border, damped_corner, -gradient, -gradient_corner)
        except SolveError:
            damping *= 10.0
            continue
        x, unknown = here.x + dx.reshape(here.x.shape), here.unknown + du
        cost = total_cost(scene, frames, prior, x, unknown)
        if np.isfinite(cost) and cost < here.cost:
            return Estimate(x, unknown, cost, max(damping * 0.2, 1e-8))
        damping = max(damping * 8.0, 1e-6)
    return replace(here, damping=damping)


def spread(scene: Scene, frames: Frames, prior: Prior, here: Estimate, count: int, seed: int) -> Spread:
    """How far x may be off where the fit stands, after Gauss and Newton: as far as weights and beliefs are errors that know nothing of
    each other. Raises SolveError when the fit's equations are not positive definite."""
    matrix, border, corner, _, _ = _system(scene, frames, prior, here, _linearise(scene, frames, here))
    return spread_bordered(matrix, border, corner, count, seed)


def total_cost(scene: Scene, frames: Frames, prior: Prior, x: Float[np.ndarray, "time nx"], unknown: Float[np.ndarray, " ng"]) -> float:
    """Half the sum of squares of everything, the pixels under a robust loss."""
    u = jnp.asarray(unknown)
    data = sum(float(np.sum(residuals.cost(scene, part, jnp.asarray(window), u))) for part, window in chunks(frames, x))
    step = _step_time(frames)
    change = np.diff(x - prior.pose, 2, axis=0) / (prior.acceleration_sigma * step**2)
    smooth = (_per_frame(step) * ROBUST_ACCELERATION) ** 2 * np.log1p((change / ROBUST_ACCELERATION) ** 2)
    pose = (x - prior.pose) / prior.pose_sigma * _per_frame(step)
    over = _over_limit(prior, x)[0] / prior.limit_sigma
    belief = (unknown - prior.unknown) / prior.unknown_sigma
    height = (float(residuals.stature(scene, *prior.stature_points, u)) - prior.stature) / prior.stature_sigma
    return data + 0.5 * float(np.sum(smooth) + np.sum(pose**2) + np.sum(over**2) + np.sum(belief**2) + height**2)


def chunks(frames: Frames, x: Float[np.ndarray, "time nx"]) -> Iterator[tuple[Frames, Float[np.ndarray, "chunk+1 nx"]]]:
    """Frames and coordinates in padded chunks; the padding has no weight."""
    count = len(x)
    for low in range(0, count, CHUNK):
        high = min(low + CHUNK, count)
        part = jax.tree.map(lambda a, low=low, high=high: _pad(np.asarray(a)[low:high], CHUNK), frames)
        window = x[np.minimum(np.arange(low, low + CHUNK + 1), count - 1)]
        yield part, window


def _pad(a: Float[np.ndarray, "n *rest"], length: int) -> Float[np.ndarray, "length *rest"]:
    return np.concatenate([a, np.zeros((length - len(a), *a.shape[1:]))]) if len(a) < length else np.asarray(a)


def _linearise(scene: Scene, frames: Frames, here: Estimate) -> dict[str, np.ndarray]:
    """The fields of `residuals.Normal` over the whole clip."""
    unknown, count = jnp.asarray(here.unknown), len(here.x)
    parts = [residuals.linearise(scene, part, jnp.asarray(window), unknown) for part, window in chunks(frames, here.x)]
    fields = {f.name: np.stack([np.asarray(getattr(part, f.name)) for part in parts]) for f in dataclasses.fields(Normal)}
    return {n: v.sum(0) if n.startswith("shared") else v.reshape(-1, *v.shape[2:])[:count] for n, v in fields.items()}


def _system(
    scene: Scene, frames: Frames, prior: Prior, here: Estimate, normal: dict[str, np.ndarray]
) -> tuple[Chain, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    x, (count, nx) = here.x, here.x.shape
    step = _step_time(frames)
    own, gradient, mixed = normal["own"].copy(), normal["gradient"].copy(), normal["mixed"].copy()
    own[1:] += normal["next_own"][:-1]
    gradient[1:] += normal["next_gradient"][:-1]
    mixed[1:] += normal["next_mixed"][:-1]
    over, active = _over_limit(prior, x)
    diagonal = active / prior.limit_sigma**2 + _per_frame(step) ** 2 / prior.pose_sigma**2
    own[:, np.arange(nx), np.arange(nx)] += diagonal
    gradient += over / prior.limit_sigma**2 + _per_frame(step) ** 2 * (x - prior.pose) / prior.pose_sigma**2
    weight = _smooth_weight(prior, x, step)
    matrix = chain(own, normal["after"], second_differences(weight))
    change = np.diff(x - prior.pose, 2, axis=0) * weight**2
    gradient[:-2] += change
    gradient[1:-1] -= 2.0 * change
    gradient[2:] += change
    corner, gradient_corner = normal["shared"].copy(), normal["shared_gradient"].copy()
    corner[np.diag_indices_from(corner)] += 1.0 / prior.unknown_sigma**2
    gradient_corner += (here.unknown - prior.unknown) / prior.unknown_sigma**2
    u = jnp.asarray(here.unknown)
    slope = np.asarray(residuals.stature_gradient(scene, *prior.stature_points, u)) / prior.stature_sigma
    height = (float(residuals.stature(scene, *prior.stature_points, u)) - prior.stature) / prior.stature_sigma
    corner += np.outer(slope, slope)
    gradient_corner += slope * height
    return matrix, mixed.reshape(count * nx, -1), corner, gradient.reshape(-1), gradient_corner


def _step_time(frames: Frames) -> float:
    return float(np.max(frames.step))


def _per_frame(step: float) -> float:
    """Beliefs about poses count thirty times a second, whatever the frame rate."""
    return float(np.sqrt(30.0 * step))


def _smooth_weight(prior: Prior, x: Float[np.ndarray, "time nx"], step: float) -> Float[np.ndarray, "time-2 nx"]:
    """Weights of the second differences: those of the acceleration belief, less where a movement is violent (Cauchy's)."""
    plain = 1.0 / (prior.acceleration_sigma * step**2)
    return _per_frame(step) * plain / np.sqrt(1.0 + (np.diff(x - prior.pose, 2, axis=0) * plain / ROBUST_ACCELERATION) ** 2)


def _over_limit(prior: Prior, x: Float[np.ndarray, "time nx"]) -> tuple[Float[np.ndarray, "time nx"], Float[np.ndarray, "time nx"]]:
    """How far x is beyond its range, signed, and where it is."""
    over = np.maximum(x - prior.high, 0.0) + np.minimum(x - prior.low, 0.0)
    return over, (over != 0.0).astype(float)
