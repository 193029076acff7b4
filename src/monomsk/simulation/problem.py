"""Motion and forces that agree: what is asked of them, and Gauss–Newton steps towards it.

Unknown are the control points of the motion and, in every frame, a force on each contact sphere. Forces reach no further than their
frame, so they are eliminated there, and a step costs one banded system of the motion. Inequalities (soles only push, friction inside
its cone, joints within their ranges) are squares of how far they are broken.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from monomsk.errors import SolveError
from monomsk.model.model import Model
from monomsk.simulation import linearised
from monomsk.simulation.bands import Banded, add_diagonal, add_rows
from monomsk.simulation.ground import Ground
from monomsk.simulation.spline import SPAN, Spline, along

FRICTION = 0.8
PULL_SIGMA = 0.001
"""Tolerance of a pull on a sphere, and of friction beyond its cone [body weights]."""
MISSING_SIGMA = (0.0003, 0.0005)
"""Tolerance of what is missing at the root: moments [body weights × m] and forces [body weights]."""
SLIDE_SIGMA, HEIGHT_SIGMA = 0.05, 0.01
"""Of the speed [m/s] and the height [m] of spheres that rest on the ground."""
ROBUST = 2.0
"""Speed from which a sphere is rather not resting than resting badly [tolerances]."""
STEADY = 0.2
"""Over how long an error of those counts once [s]: soles give way, and are no row of stiff spheres."""
LIMIT_SIGMA = 0.01
"""Of the joints' ranges [rad]."""
LASTING = (1.8, 0.35, 0.15)
"""Over how long an error of the given motion, of its speeds and of its accelerations counts once [s]."""


Back = Callable[[Float[np.ndarray, "3 time nx"]], Float[np.ndarray, "time contact 3"]]
"""Change of the forces that goes best with a change of the motion's state."""


@dataclass(frozen=True)
class Task:
    """What is given."""

    model: Model
    place: Float[np.ndarray, " nq"]
    """Where locked coordinates are."""
    spline: Spline
    time: Float[np.ndarray, " time"]
    target: Float[np.ndarray, "3 time nx"]
    """The given motion of the free coordinates: values, speeds, accelerations."""
    sigma: Float[np.ndarray, "3 time nx"]
    """Trust in them."""
    limits: Float[np.ndarray, "2 nx"]
    ground: Ground
    weight: float
    """Of the body [N]."""
    held: Float[np.ndarray, " time"]
    """What the equations of the root may miss besides, where something else than the ground carries the person [body weights]."""

    @property
    def step(self) -> float:
        """Between frames [s]."""
        return float(self.time[1] - self.time[0])

    @property
    def root_sigma(self) -> Float[np.ndarray, "time root"]:
        """Tolerance of what is missing on each coordinate of the root [N·m, N]."""
        turns = np.array([self.model.rotational[i] for i in self.model.root])
        return self.weight * (np.where(turns, *MISSING_SIGMA) + self.held[:, None])


@dataclass(frozen=True)
class Answer:
    """Where the search stands."""

    points: Float[np.ndarray, "count nx"]
    """Control points of the motion."""
    force: Float[np.ndarray, "time contact 3"]
    """On the spheres [N]."""
    cost: float = np.inf
    damping: float = 1e-6
    steps: int = 0
    settled: bool = False


def cost(task: Task, points: Float[np.ndarray, "count nx"], force: Float[np.ndarray, "time contact 3"]) -> float:
    """Half the sum of squares of everything that is asked."""
    state = along(task.spline, points, task.time)
    tau, low, velocity = linearised.missing(task.model, task.place, state, force, task.ground.level)
    parts = [tau[:, list(task.model.root)] / task.root_sigma, (force - task.ground.force) / task.ground.sigma]
    parts += [_weights(task) * (state - task.target), _over(task, state[0]) / LIMIT_SIGMA]
    parts += [
        np.minimum(force[..., 1], 0.0) / (PULL_SIGMA * task.weight),
        _cone(task, force)[0],
        _sliding(task, velocity),
        _contact(task, low, velocity)[1],
    ]
    return 0.5 * sum(float(np.sum(p**2)) for p in parts)


def improve(task: Task, here: Answer) -> Answer:
    """One step, or `settled` where none helps."""
    state = along(task.spline, here.points, task.time)
    frames = linearised.linearise(task.model, task.place, state, here.force, task.ground.level)
    matrix, gradient, back = _system(task, frames, state, here.force)
    damping = here.damping
    for _ in range(6):
        try:
            move = matrix.solve(-gradient, damping)
        except SolveError:
            damping = max(100.0 * damping, 1e-6)
            continue
        points = here.points + move
        force = here.force + back(along(task.spline, move, task.time))
        value = cost(task, points, force)
        if np.isfinite(value) and value < here.cost:
            settled = here.cost - value < 1e-3 * here.cost
            return Answer(points, force, value, max(0.1 * damping, 1e-9), here.steps + 1, settled)
        damping = max(30.0 * damping, 1e-5)
    return replace(here, settled=True)


def _system(
    task: Task, frames: linearised.Frames, state: Float[np.ndarray, "3 time nx"], force: Float[np.ndarray, "time contact 3"]
) -> tuple[Banded, Float[np.ndarray, "count nx"], Back]:
    """Matrix and gradient of the motion, and the forces that go with a change of its state."""
    nx, weights, interval = state.shape[-1], task.spline.weights(task.time), task.spline.interval(task.time)
    block, gradient = np.zeros((task.spline.count, SPAN, nx, nx)), np.zeros((task.spline.count, nx))
    rows, value, back = _without_forces(task, frames, force)
    add_rows(block, gradient, (np.einsum("trdx,tds->trsx", rows, weights), value), interval)
    slide, height = _contact(task, frames.point, frames.velocity)
    share = _contact_weights(task, frames.point, frames.velocity)
    count = len(interval)
    J = np.einsum("tcix,ts->tcisx", frames.velocity_by_x, weights[:, 0]) + np.einsum(
        "tcix,ts->tcisx", frames.velocity_by_rate, weights[:, 1]
    )
    J *= share[0][..., None, None, None]
    add_rows(block, gradient, (J.reshape(count, -1, SPAN, nx), slide.reshape(count, -1)), interval)
    J = np.einsum("tcx,ts->tcsx", frames.point_by_x[:, :, 1], weights[:, 0]) * share[1][..., None, None]
    add_rows(block, gradient, (J, height), interval)
    over = _over(task, state[0])
    away, by = _weights(task) ** 2 * (state - task.target), _weights(task) ** 2
    away[0] += over / LIMIT_SIGMA**2
    by = by + np.stack([(over != 0.0) / LIMIT_SIGMA**2, 0.0 * over, 0.0 * over])
    for d in range(3):
        add_diagonal(block, weights[:, d], by[d], interval)
        for j in range(SPAN):
            np.add.at(gradient, interval + j, weights[:, d, j, None] * away[d])
    return Banded(block), gradient, back


def _without_forces(
    task: Task, frames: linearised.Frames, force: Float[np.ndarray, "time contact 3"]
) -> tuple[Float[np.ndarray, "time row 3 nx"], Float[np.ndarray, "time row"], Back]:
    """Rows (time, row, 3, nx) and values of the root's equations and the cone with the forces eliminated, and how to get those back."""
    count = len(force)
    beyond, by_beyond = _cone(task, force)
    rows = np.concatenate([frames.by_force.reshape(count, -1, force[0].size) / task.root_sigma[..., None], by_beyond], axis=1)
    value = np.concatenate([frames.missing / task.root_sigma, beyond], axis=1)
    by_state = frames.by_state / task.root_sigma[..., None, None]
    by_state = np.concatenate([by_state, np.zeros((count, beyond.shape[1], *by_state.shape[2:]))], axis=1)
    stiff, pull = task.ground.sigma**-2.0, np.zeros_like(force)
    pull[..., 1] = (force[..., 1] < 0.0) / (PULL_SIGMA * task.weight) ** 2
    slope = ((force - task.ground.force) * stiff + force * pull).reshape(count, -1)
    soft = 1.0 / (stiff + pull).reshape(count, -1)
    value = value - np.einsum("trk,tk->tr", rows, soft * slope)
    inner = np.eye(value.shape[1]) + (rows * soft[:, None]) @ np.swapaxes(rows, 1, 2)
    factor = np.linalg.cholesky(inner)
    flat = by_state.reshape(count, value.shape[1], -1)
    solved = np.linalg.solve(factor, np.concatenate([flat, value[..., None]], axis=2))

    def back(change: Float[np.ndarray, "3 time nx"]) -> Float[np.ndarray, "time contact 3"]:
        left = value + np.einsum("trdx,dtx->tr", by_state, change)
        push = np.linalg.solve(inner, left[..., None])[..., 0]
        return (-soft * (slope + np.einsum("trk,tr->tk", rows, push))).reshape(force.shape)

    return solved[..., :-1].reshape(by_state.shape), solved[..., -1], back


def _weights(task: Task) -> Float[np.ndarray, "3 time nx"]:
    return np.sqrt(task.step / np.array(LASTING))[:, None, None] / task.sigma


def _contact_weights(task: Task, low: np.ndarray, velocity: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Square roots of the weights of each sphere's velocity and height."""
    often = np.sqrt(task.step / STEADY)
    planted = np.sqrt(_planted(task))
    sunk = low[..., 1] < task.ground.level + task.ground.rest
    # Cauchy's weights: a sole that rolls, or lands earlier than was thought, is not held.
    slip = np.linalg.norm(velocity - task.ground.belt, axis=-1) / (SLIDE_SIGMA * ROBUST)
    return often * planted / SLIDE_SIGMA / np.sqrt(1.0 + slip**2), often * np.where(sunk, 1.0, planted) / HEIGHT_SIGMA


def _contact(
    task: Task, low: np.ndarray, velocity: np.ndarray
) -> tuple[Float[np.ndarray, "time contact 3"], Float[np.ndarray, "time contact"]]:
    """Velocities and heights of the spheres against the ground, in tolerances."""
    still, level = _contact_weights(task, low, velocity)
    return still[..., None] * (velocity - task.ground.belt), level * (low[..., 1] - task.ground.level - task.ground.rest)


def _sliding(task: Task, velocity: np.ndarray) -> Float[np.ndarray, "time contact"]:
    """What the squares of the velocities count under Cauchy's loss, as a root."""
    slip = np.linalg.norm(velocity - task.ground.belt, axis=-1) / (SLIDE_SIGMA * ROBUST)
    return ROBUST * np.sqrt(task.step / STEADY * _planted(task) * np.log1p(slip**2))


def _planted(task: Task) -> Float[np.ndarray, "time contact"]:
    """How surely each sphere rests; those of a foot share its part."""
    return task.ground.planted / (np.maximum(task.ground.planted @ task.ground.foot.T, 1.0) @ task.ground.foot)


def _over(task: Task, x: Float[np.ndarray, "time nx"]) -> Float[np.ndarray, "time nx"]:
    return np.maximum(x - task.limits[1], 0.0) + np.minimum(x - task.limits[0], 0.0)


def _cone(task: Task, force: np.ndarray) -> tuple[Float[np.ndarray, "time foot"], Float[np.ndarray, "time foot k"]]:
    """How far the friction of each foot is beyond its cone, in tolerances, and the derivative by the forces."""
    whole = np.einsum("tci,fc->tfi", force, task.ground.foot)
    size = np.sqrt(whole[..., 0] ** 2 + whole[..., 2] ** 2 + 1e-6)
    beyond = size - FRICTION * np.maximum(whole[..., 1], 0.0)
    by = np.stack([whole[..., 0] / size, np.where(whole[..., 1] > 0.0, -FRICTION, 0.0), whole[..., 2] / size], axis=-1)
    broken = (beyond > 0.0)[..., None, None] / (PULL_SIGMA * task.weight)
    rows = broken * by[:, :, None] * task.ground.foot[None, :, :, None]
    return np.maximum(beyond, 0.0) / (PULL_SIGMA * task.weight), rows.reshape(len(force), len(task.ground.foot), -1)
