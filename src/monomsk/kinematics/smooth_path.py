"""The motion of a known body through measured points, all frames at once: near the points, smooth, feet on the floor and still.

Frames without points are bridged by the smoothness. Nothing of the person or the camera is searched for here, which makes it
ten times as fast as `levenberg`, whose beliefs about movement it shares.
"""

from dataclasses import dataclass, replace
from functools import cached_property, partial

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from threadpoolctl import threadpool_limits

from monomsk.errors import SolveError
from monomsk.kinematics.blocks import Chain, chain, second_differences, solve_chain
from monomsk.model.anatomy import Anatomy
from monomsk.model.model import Model, complete
from monomsk.physics.forward_kinematics import forward_kinematics, points_on_bodies
from monomsk.physics.jacobian import point_jacobian

CHUNK = 96
"""Frames that a compiled call takes."""
BLOW = 3.0
"""Where an acceleration begins to count as a blow rather than as noise [standard deviations]."""
SOLE_SIGMA, SLIDE_SIGMA = 0.006, 0.04
"""Of the height [m] and the speed [m/s] of planted soles, over a thirtieth of a second."""
LIMIT_SIGMA = 0.02
"""Softness of the joints' ranges [rad]."""
HABIT_SHARE = 0.3
"""How much habits count, beside what they count in `classic`: measured points say more than one camera does."""


@dataclass(frozen=True)
class Beliefs:
    """About every free coordinate [rad, m]."""

    mean: Float[np.ndarray, " nx"]
    spread: Float[np.ndarray, " nx"]
    acceleration: Float[np.ndarray, " nx"]
    """Standard deviation, of a white process seen over a thirtieth of a second."""
    low: Float[np.ndarray, " nx"]
    high: Float[np.ndarray, " nx"]
    robust: float
    """Where the distance from a measured point begins to count as an outlier [standard deviations]."""


class Seen(eqx.Module):
    """What is known of each frame."""

    position: Float[Array, "time marker 3"]
    """Ground frame [m]; anything where the weight is zero."""
    weight: Float[Array, "time marker"]
    """1 / sigma [1/m]; 0 where missing."""
    planted: Float[Array, "time contact"]
    """Belief that a sole point stands on the floor, which is at height 0."""


@dataclass(frozen=True)
class Path:
    """Where the search stands."""

    x: Float[np.ndarray, "time nx"]
    cost: float
    damping: float = 1e-4


def beliefs(model: Model, anatomy: Anatomy, *, robust: float = 3.0) -> Beliefs:
    """Habits of the anatomy and ranges of the model; where a person is and faces has neither. `robust` as in `Beliefs`."""
    free = model.free
    habits = [anatomy.habit(model.coordinate_names[i]) for i in free]
    low, high = np.asarray(model.coordinate_range)[list(free)].T
    root = np.array([i in model.root for i in free])
    return Beliefs(
        mean=np.array([h.mean for h in habits]),
        spread=np.where(root, 1e3, np.array([h.spread for h in habits])) / HABIT_SHARE,
        acceleration=np.array([h.acceleration for h in habits]),
        low=np.where(root, -np.inf, low),
        high=np.where(root, np.inf, high),
        robust=robust,
    )


def follow(
    model: Model, seen: Seen, start: Float[np.ndarray, "time nq"], *, rate: float, belief: Beliefs, steps: int
) -> Float[np.ndarray, "time nq"]:
    """The most probable motion, `steps` Levenberg–Marquardt steps from `start` at most. Frames are 1/`rate` [s] apart."""
    problem = _Problem(model, seen, belief, 1.0 / rate)
    x = np.asarray(start)[:, list(model.free)]
    # Thousands of small factorisations: threads of the linear algebra library would only wait for each other.
    with threadpool_limits(limits=1, user_api="blas"):
        path = Path(x, problem.cost(x))
        for _ in range(steps):
            better = _step(problem, path)
            done = path.cost - better.cost < 2e-3 * path.cost
            path = better
            if done:
                break
    return np.asarray(_complete(model, jnp.asarray(path.x)))


@eqx.filter_jit
def _complete(model: Model, x: Float[Array, "time nx"]) -> Float[Array, "time nq"]:
    return jax.vmap(partial(_coordinates, model))(x)


def soles(model: Model, q: Float[np.ndarray, "time nq"]) -> Float[np.ndarray, "time contact 3"]:
    """Lowest points of the contact spheres, ground frame [m]."""
    return points(model, q)[:, len(model.marker_body) :]


def points(model: Model, q: Float[np.ndarray, "time nq"]) -> Float[np.ndarray, "time point 3"]:
    """Markers, then the lowest points of the contact spheres, ground frame [m]."""
    rows = np.asarray(q)[:, list(model.free)]
    parts = [_points_of(model, jnp.asarray(rows[_window(low, len(rows), CHUNK)])) for low in range(0, len(rows), CHUNK)]
    return np.concatenate([np.asarray(p) for p in parts])[: len(rows)]


def _window(low: int, count: int, size: int) -> np.ndarray:
    return np.minimum(np.arange(low, low + size), count - 1)


def _coordinates(model: Model, x: Float[Array, " nx"]) -> Float[Array, " nq"]:
    return complete(model, model.coordinate_default.at[jnp.array(model.free)].set(x))


def _places(model: Model) -> tuple[tuple[int, ...], Float[Array, "point 3"], Float[Array, " point"]]:
    """Bodies and locations of markers and contact spheres, and how far below these the points are."""
    drop = jnp.concatenate([jnp.zeros(len(model.marker_body)), model.contact_radius])
    return model.marker_body + model.contact_body, jnp.concatenate([model.marker_location, model.contact_location]), drop


@eqx.filter_jit
def _points_of(model: Model, x: Float[Array, "time nx"]) -> Float[Array, "time point 3"]:
    body, location, drop = _places(model)

    def one(row: Float[Array, " nx"]) -> Float[Array, "point 3"]:
        poses = forward_kinematics(model, _coordinates(model, row))
        return points_on_bodies(poses, body, location) - drop[:, None] * jnp.array([0.0, 1.0, 0.0])

    return jax.vmap(one)(x)


class _Blocks(eqx.Module):
    """Gauss–Newton pieces of each frame: its own, and of the slide to the next one."""

    own: Float[Array, "time nx nx"]
    after: Float[Array, "time nx nx"]
    gradient: Float[Array, "time nx"]
    next_own: Float[Array, "time nx nx"]
    next_gradient: Float[Array, "time nx"]


class _Scales(eqx.Module):
    """Weights that depend on the frame rate, and where outliers begin."""

    frame: Float[Array, ""]
    """Square root of how many thirtieths of a second a frame stands for."""
    slide: Float[Array, ""]
    robust: Float[Array, ""]


@eqx.filter_jit
def _linearise(model: Model, scales: _Scales, seen: Seen, x: Float[Array, "time+1 nx"]) -> _Blocks:
    body, location, drop = _places(model)
    n = len(model.marker_body)

    def one(row: Float[Array, " nx"]) -> tuple[Array, Array]:
        poses = forward_kinematics(model, _coordinates(model, row))
        at = points_on_bodies(poses, body, location) - drop[:, None] * jnp.array([0.0, 1.0, 0.0])
        return at, point_jacobian(model, poses, body, at)[..., jnp.array(model.free)]

    at, J = jax.vmap(one)(x)

    def blocks(frame: Seen, p: Array, Jp: Array, p_next: Array, J_next: Array) -> tuple[Array, ...]:
        apart = (p[:n] - frame.position) * frame.weight[:, None]
        robust = 1.0 / jnp.sqrt(1.0 + jnp.sum(apart**2, -1) / scales.robust**2)
        weight = frame.weight * robust * scales.frame
        height = p[n:, 1]
        sole = jnp.where(height < 0.0, 1.0, frame.planted) / SOLE_SIGMA * scales.frame
        r = jnp.concatenate([(apart * robust[:, None] * scales.frame).reshape(-1), height * sole])
        rows = jnp.concatenate([(Jp[:n] * weight[:, None, None]).reshape(-1, Jp.shape[-1]), Jp[n:, 1] * sole[:, None]])
        hold = frame.planted * scales.slide
        slide = ((p_next - p)[n:] * hold[:, None]).reshape(-1)
        here, there = (k * (J[n:] * hold[:, None, None]).reshape(-1, Jp.shape[-1]) for k, J in ((-1.0, Jp), (1.0, J_next)))
        return (
            rows.T @ rows + here.T @ here,
            there.T @ here,
            rows.T @ r + here.T @ slide,
            there.T @ there,
            there.T @ slide,
        )

    return _Blocks(*jax.vmap(blocks)(seen, at[:-1], J[:-1], at[1:], J[1:]))


@eqx.filter_jit
def _cost(model: Model, scales: _Scales, seen: Seen, x: Float[Array, "time+1 nx"]) -> Float[Array, ""]:
    n = len(model.marker_body)
    at = _points_of(model, x)
    apart = jnp.sum(((at[:-1, :n] - seen.position) * seen.weight[..., None]) ** 2, -1)
    height = at[:-1, n:, 1]
    sole = jnp.where(height < 0.0, 1.0, seen.planted) * height / SOLE_SIGMA
    slide = (at[1:, n:] - at[:-1, n:]) * seen.planted[..., None] * scales.slide
    fit = scales.robust**2 * jnp.sum(jnp.log1p(apart / scales.robust**2)) + jnp.sum(sole**2)
    return 0.5 * (fit * scales.frame**2 + jnp.sum(slide**2))


@dataclass(frozen=True)
class _Problem:
    model: Model
    seen: Seen
    belief: Beliefs
    step: float

    @cached_property
    def scales(self) -> _Scales:
        """Sole points say over and over the same in neighbouring frames: their weights are those of a thirtieth of a second."""
        share = np.sqrt(30.0 * self.step)
        return _Scales(jnp.asarray(share), jnp.asarray(share / (SLIDE_SIGMA * self.step)), jnp.asarray(self.belief.robust))

    @cached_property
    def parts(self) -> list[Seen]:
        """What is known, in padded chunks; the padding has no weight."""
        count = self.seen.weight.shape[0]
        return [jax.tree.map(lambda a, low=low: _padded(np.asarray(a)[low : low + CHUNK]), self.seen) for low in range(0, count, CHUNK)]

    def chunks(self, x: Float[np.ndarray, "time nx"]) -> list[tuple[Seen, Float[Array, "chunk+1 nx"]]]:
        """Chunks with their coordinates, and one frame more: the first of the next chunk; the last frame slides nowhere."""
        return [(part, jnp.asarray(x[_window(k * CHUNK, len(x), CHUNK + 1)])) for k, part in enumerate(self.parts)]

    def cost(self, x: Float[np.ndarray, "time nx"]) -> float:
        """Half the sum of squares of everything, markers and accelerations under Cauchy's loss."""
        data = float(sum(np.asarray(c) for c in [_cost(self.model, self.scales, seen, window) for seen, window in self.chunks(x)]))
        share = 30.0 * self.step
        change = np.diff(x, 2, axis=0) / (self.belief.acceleration * self.step**2)
        smooth = share * BLOW**2 * float(np.log1p((change / BLOW) ** 2).sum())
        habit = share * float((((x - self.belief.mean) / self.belief.spread) ** 2).sum())
        return data + 0.5 * (smooth + habit + float((_over(self.belief, x) ** 2).sum()) / LIMIT_SIGMA**2)

    def system(self, x: Float[np.ndarray, "time nx"]) -> tuple[Chain, Float[np.ndarray, " unknown"]]:
        """Matrix and gradient."""
        parts = [_linearise(self.model, self.scales, seen, window) for seen, window in self.chunks(x)]
        own, after, gradient, next_own, next_gradient = (
            np.concatenate([np.asarray(getattr(part, name)) for part in parts])[: len(x)]
            for name in ("own", "after", "gradient", "next_own", "next_gradient")
        )
        own[1:] += next_own[:-1]
        gradient[1:] += next_gradient[:-1]
        belief, share = self.belief, 30.0 * self.step
        over = _over(belief, x)
        diagonal = np.arange(x.shape[1])
        own[:, diagonal, diagonal] += (over != 0.0) / LIMIT_SIGMA**2 + share / belief.spread**2
        gradient += over / LIMIT_SIGMA**2 + share * (x - belief.mean) / belief.spread**2
        plain = 1.0 / (belief.acceleration * self.step**2)
        second = np.diff(x, 2, axis=0)
        weight = np.sqrt(share) * plain / np.sqrt(1.0 + (second * plain / BLOW) ** 2)
        pull = second * weight**2
        gradient[:-2] += pull
        gradient[1:-1] -= 2.0 * pull
        gradient[2:] += pull
        return chain(own, after, second_differences(weight)), gradient.reshape(-1)


def _over(belief: Beliefs, x: Float[np.ndarray, "time nx"]) -> Float[np.ndarray, "time nx"]:
    return np.maximum(x - belief.high, 0.0) + np.minimum(x - belief.low, 0.0)


def _padded(a: Float[np.ndarray, "n *rest"]) -> Float[np.ndarray, "chunk *rest"]:
    return np.concatenate([a, np.zeros((CHUNK - len(a), *a.shape[1:]))]) if len(a) < CHUNK else np.asarray(a)


def _step(problem: _Problem, path: Path) -> Path:
    """One accepted step, or the same path with more damping."""
    matrix, gradient = problem.system(path.x)
    damping = path.damping
    for _ in range(5):
        try:
            change = solve_chain(matrix.damped(damping), -gradient[:, None])
        except SolveError:
            damping *= 10.0
            continue
        x = path.x + change.reshape(path.x.shape)
        cost = problem.cost(x)
        if np.isfinite(cost) and cost < path.cost:
            return Path(x, cost, max(0.1 * damping, 1e-8))
        damping *= 10.0
    return replace(path, damping=damping)
