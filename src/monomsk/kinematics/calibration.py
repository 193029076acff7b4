"""A body brought to a person's size by many poses at once: lengths of the segments, and where on the bodies the markers sit.

One pose cannot tell a long thigh from a marker worn low; many poses can, because a marker turns with its body. That is what
skeletons need whose joints are defined in another way than the body's.
"""

from dataclasses import dataclass, replace
from functools import partial

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from monomsk.model.model import Model, complete
from monomsk.model.scale import Segments, scale_model
from monomsk.physics.forward_kinematics import forward_kinematics, points_on_bodies
from monomsk.physics.jacobian import point_jacobian

STEPS = 10
"""Most steps of Levenberg and Marquardt, twice."""
TIGHT = 0.25
"""Share of the markers' freedom in the first of the two searches."""
POSE_SIGMA = 0.9
"""How far a coordinate may stray from its habit [rad]; only what no marker shows is decided by it."""
POSTURES = 3.0
"""As how many postures the poses count there: one person's poses are much alike, and habits would else outweigh the markers' places."""
LIMIT_SIGMA = 0.04
"""Softness of the joints' ranges [rad]."""
SOLE_SIGMA = 0.008
"""How level planted soles are with the floor [m]."""
FLOOR_SIGMA = 0.2
"""How well the floor's height is known before [m]."""
MIRRORED = 0.85
"""Correlation of the places of a marker and its twin."""


@dataclass(frozen=True)
class Sizes:
    """What is believed of a person before anything is measured."""

    common: float
    """Logarithm of the person's size relative to the generic body."""
    common_sigma: float
    segment: Float[np.ndarray, " segment"]
    """What to add to it for each segment."""
    segment_sigma: Float[np.ndarray, " segment"]


@dataclass(frozen=True)
class Evidence:
    """Poses in which the markers were measured; a marker each of the model."""

    position: Float[np.ndarray, "pose marker 3"]
    sigma: Float[np.ndarray, "pose marker"]
    """[m]; inf where missing."""
    planted: Float[np.ndarray, "pose contact"]
    """1 where a sole point is known to be on the floor, whose height is one unknown."""
    start: Float[np.ndarray, "pose nq"]
    """Poses to begin with, near the truth."""
    robust: float = 3.0
    """Where a distance begins to count as an outlier [standard deviations]."""


@dataclass(frozen=True)
class Places:
    """How far each marker may sit from its place in the model."""

    sigma: Float[np.ndarray, "marker 3"]
    """[m], body axes."""
    twin: tuple[int, ...]
    """The marker of the other side, which sits nearly mirrored; a marker's own index where it goes alone."""


@dataclass(frozen=True)
class Calibrated:
    """The person's body."""

    factors: Float[np.ndarray, "body 3"]
    """Stretch of every body along its axes."""
    location: Float[np.ndarray, "marker 3"]
    """Of the markers in the stretched bodies [m]."""
    floor: float
    """Height of the floor [m]; 0 when no foot was planted."""
    q: Float[np.ndarray, "pose nq"]
    error: Float[np.ndarray, "pose marker"]
    """Distances left [m]; NaN where missing."""


class _Body(eqx.Module):
    model: Model
    segments: Segments = eqx.field(static=True)


class _Unknown(eqx.Module):
    size: Float[Array, " segment"]
    place: Float[Array, "marker 3"]
    floor: Float[Array, ""]


def calibrate(
    model: Model, segments: Segments, sizes: Sizes, places: Places, evidence: Evidence, habit: Float[np.ndarray, " nq"]
) -> Calibrated:
    """Most probable sizes, marker places and poses together, given what is measured (maximum a posteriori, Levenberg–Marquardt).

    Args:
        model: generic body with the markers at their usual places.
        segments: which lengths vary.
        sizes: belief about them.
        places: belief about the markers.
        evidence: the poses.
        habit: usual value of every coordinate [rad, m]; the root's does not count.
    """
    body = _Body(model, segments)
    free = list(model.free)
    # First the poses, with markers nearly where they usually sit: else a wrong turn of a limb is explained by odd places.
    tight = _belief(sizes, replace(places, sigma=TIGHT * places.sigma))
    state = _descend(body, _State(np.asarray(evidence.start)[:, free], tight.mean), tight, evidence, np.asarray(habit)[free])
    state = _descend(body, replace(state, damping=1e-2), _belief(sizes, places), evidence, np.asarray(habit)[free])
    u = _split(body, jnp.asarray(state.u))
    error = np.asarray(_poses(body, u, jnp.asarray(state.x))[0]) - evidence.position
    return Calibrated(
        factors=np.asarray(segments.factors(model, u.size)),
        location=np.asarray(_scaled(body, u).marker_location),
        floor=float(u.floor),
        q=np.asarray(jax.vmap(partial(_coordinates, model))(jnp.asarray(state.x))),
        error=np.where(np.isfinite(evidence.sigma), np.linalg.norm(error, axis=-1), np.nan),
    )


@dataclass(frozen=True)
class _State:
    x: Float[np.ndarray, "pose nx"]
    u: Float[np.ndarray, " nu"]
    damping: float = 1e-2


@dataclass(frozen=True)
class _Belief:
    mean: Float[np.ndarray, " nu"]
    precision: Float[np.ndarray, "nu nu"]


def _belief(sizes: Sizes, places: Places) -> _Belief:
    """Gaussian of all unknowns: sizes vary together with the stature, and each by itself; twins sit nearly mirrored."""
    n, m = len(sizes.segment), 3 * len(places.twin)
    covariance = np.zeros((n + m + 1, n + m + 1))
    covariance[:n, :n] = np.diag(np.asarray(sizes.segment_sigma) ** 2) + sizes.common_sigma**2
    own = covariance[n:-1, n:-1]
    own[range(m), range(m)] = places.sigma.reshape(-1) ** 2
    for i, twin in enumerate(places.twin):
        if twin != i:
            both = MIRRORED * places.sigma[i] * places.sigma[twin] * (1.0, 1.0, -1.0)
            own[range(3 * i, 3 * i + 3), range(3 * twin, 3 * twin + 3)] = both
    covariance[-1, -1] = FLOOR_SIGMA**2
    return _Belief(np.concatenate([sizes.common + sizes.segment, np.zeros(m + 1)]), np.linalg.inv(covariance))


def _split(body: _Body, u: Float[Array, " nu"]) -> _Unknown:
    n = len(body.segments.names)
    return _Unknown(u[:n], u[n:-1].reshape(-1, 3), u[-1])


def _scaled(body: _Body, u: _Unknown) -> Model:
    model = scale_model(body.model, body.segments.factors(body.model, u.size), body.model.mass.sum())
    return eqx.tree_at(lambda m: m.marker_location, model, model.marker_location + u.place)


def _coordinates(model: Model, x: Float[Array, " nx"]) -> Float[Array, " nq"]:
    return complete(model, model.coordinate_default.at[jnp.array(model.free)].set(x))


def _points(model: Model, x: Float[Array, " nx"]) -> Float[Array, "point 3"]:
    """Markers, then the lowest points of the soles [m]."""
    poses = forward_kinematics(model, _coordinates(model, x))
    return _points_at(model, poses)


def _points_at(model: Model, poses: "eqx.Module") -> Float[Array, "point 3"]:
    bodies = model.marker_body + model.contact_body
    centers = points_on_bodies(poses, bodies, jnp.concatenate([model.marker_location, model.contact_location]))  # pyright: ignore[reportArgumentType]
    drop = jnp.concatenate([jnp.zeros(len(model.marker_body)), model.contact_radius])
    return centers - drop[:, None] * jnp.array([0.0, 1.0, 0.0])


@eqx.filter_jit
def _poses(body: _Body, u: _Unknown, x: Float[Array, "pose nx"]) -> tuple[Float[Array, "pose marker 3"], Float[Array, "pose contact"]]:
    """Markers, and heights of the soles, of all poses."""
    model = _scaled(body, u)
    points = jax.vmap(lambda row: _points(model, row))(x)
    n = len(body.model.marker_body)
    return points[:, :n], points[:, n:, 1]


@eqx.filter_jit
def _slopes(body: _Body, u: _Unknown, x: Float[Array, "pose nx"]) -> tuple[Float[Array, "pose point 3"], Float[Array, "pose point 3 all"]]:
    """Points of all poses, and their derivatives by x, sizes and places."""
    model = _scaled(body, u)
    count = len(model.marker_body)
    own = jnp.eye(count)[:, None, :, None]

    def one(row: Float[Array, " nx"]) -> tuple[Array, Array]:
        poses = forward_kinematics(model, _coordinates(model, row))
        points = _points_at(model, poses)
        bodies = model.marker_body + model.contact_body
        by_x = point_jacobian(model, poses, bodies, points)[..., jnp.array(model.free)]
        by_size = jax.jacfwd(lambda s: _points(_scaled(body, _Unknown(s, u.place, u.floor)), row))(u.size)
        of_markers = (poses.R[jnp.array(model.marker_body)][:, :, None] * own).reshape(count, 3, 3 * count)
        by_place = jnp.concatenate([of_markers, jnp.zeros((len(model.contact_body), 3, 3 * count))])
        return points, jnp.concatenate([by_x, by_size, by_place], -1)

    return jax.vmap(one)(x)


def _rows(
    body: _Body, evidence: Evidence, points: Float[np.ndarray, "pose point 3"], floor: float
) -> tuple[Float[np.ndarray, "pose point 3"], Float[np.ndarray, "pose point 3"], float]:
    """Residuals and their weights in standard deviations, and the robust cost."""
    n = len(body.model.marker_names)
    seen = np.isfinite(evidence.sigma)
    weight = np.zeros(points.shape)
    weight[:, :n] = np.where(seen, 1.0 / np.where(seen, evidence.sigma, 1.0), 0.0)[..., None]
    weight[:, n:, 1] = evidence.planted / SOLE_SIGMA
    r = points.copy()
    r[:, :n] -= evidence.position
    r[:, n:, 1] -= floor
    r = np.where(weight > 0.0, r, 0.0) * weight
    size, far = np.sum(r**2, -1), evidence.robust**2
    weight *= (1.0 / np.sqrt(1.0 + size / far))[..., None]
    return r / np.sqrt(1.0 + size / far)[..., None], weight, 0.5 * float(far * np.log1p(size / far).sum())


def _pose_terms(
    body: _Body, x: Float[np.ndarray, "pose nx"], habit: Float[np.ndarray, " nx"]
) -> tuple[Float[np.ndarray, "pose nx"], Float[np.ndarray, "pose nx"], float]:
    """Gradient, curvature and cost of habits and ranges."""
    model, free = body.model, list(body.model.free)
    counts = np.array([float(i not in model.root) for i in free])
    low, high = np.asarray(model.coordinate_range)[free].T
    over = (np.maximum(x - high, 0.0) + np.minimum(x - low, 0.0)) * counts
    away = (x - habit) * counts
    habitual = min(1.0, POSTURES / len(x)) / POSE_SIGMA**2
    gradient = over / LIMIT_SIGMA**2 + away * habitual
    curvature = (over != 0.0) / LIMIT_SIGMA**2 + counts * habitual
    return gradient, curvature, 0.5 * float(np.sum(over**2) / LIMIT_SIGMA**2 + np.sum(away**2) * habitual)


def _cost(body: _Body, state: _State, belief: _Belief, evidence: Evidence, habit: Float[np.ndarray, " nx"]) -> float:
    u = _split(body, jnp.asarray(state.u))
    markers, soles = (np.asarray(a) for a in _poses(body, u, jnp.asarray(state.x)))
    flat = np.zeros((*soles.shape, 3))
    flat[..., 1] = soles
    away = state.u - belief.mean
    fit = _rows(body, evidence, np.concatenate([markers, flat], 1), float(u.floor))[2]
    return fit + _pose_terms(body, state.x, habit)[2] + 0.5 * float(away @ belief.precision @ away)


def _descend(body: _Body, state: _State, belief: _Belief, evidence: Evidence, habit: Float[np.ndarray, " nx"]) -> _State:
    cost = _cost(body, state, belief, evidence, habit)
    for _ in range(STEPS):
        own, mixed, corner, g, gu = _system(body, state, belief, evidence, habit)
        better = None
        damping = state.damping
        while better is None and damping < 1e6:
            dx, du = _solve(own, mixed, corner, g, gu, damping)
            tried = _State(state.x + dx, state.u + du, damping)
            new = _cost(body, tried, belief, evidence, habit)
            if np.isfinite(new) and new < cost:
                better = replace(tried, damping=max(0.1 * damping, 1e-9))
            else:
                damping *= 10.0
        if better is None:
            break
        done = cost - new < 1e-4 * cost
        state, cost = better, new
        if done:
            break
    return state


def _system(body: _Body, state: _State, belief: _Belief, evidence: Evidence, habit: Float[np.ndarray, " nx"]) -> tuple[np.ndarray, ...]:
    """Normal equations: a block a pose, bordered by sizes, places and the floor."""
    points, slopes = (np.asarray(a) for a in _slopes(body, _split(body, jnp.asarray(state.u)), jnp.asarray(state.x)))
    r, weight, _ = _rows(body, evidence, points, float(state.u[-1]))
    nx = state.x.shape[1]
    count, rows = len(r), r[0].size
    by_floor = np.zeros((*weight.shape, 1))
    by_floor[:, len(body.model.marker_names) :, 1] = -1.0
    J = (np.concatenate([slopes, by_floor], -1) * weight[..., None]).reshape(count, rows, -1)
    r = r.reshape(count, rows)
    Jx, Ju = J[..., :nx], J[..., nx:]
    own, mixed = np.swapaxes(Jx, 1, 2) @ Jx, np.swapaxes(Jx, 1, 2) @ Ju
    flat = Ju.reshape(-1, Ju.shape[-1])
    away = state.u - belief.mean
    corner, gu = flat.T @ flat + belief.precision, flat.T @ r.reshape(-1) + belief.precision @ away
    gradient, curvature, _ = _pose_terms(body, state.x, habit)
    own[:, range(nx), range(nx)] += curvature
    return own, mixed, corner, np.einsum("kri,kr->ki", Jx, r) + gradient, gu


def _solve(
    own: np.ndarray, mixed: np.ndarray, corner: np.ndarray, g: np.ndarray, gu: np.ndarray, damping: float
) -> tuple[np.ndarray, np.ndarray]:
    """Schur complement of the poses' blocks."""
    diagonal = np.einsum("kii->ki", own)
    damped = own + damping * np.einsum("ki,ij->kij", diagonal + 1e-9, np.eye(own.shape[1]))
    solved = np.linalg.solve(damped, np.concatenate([g[..., None], mixed], -1))
    schur = corner + damping * np.diag(np.diag(corner)) - np.einsum("kxu,kxv->uv", mixed, solved[..., 1:])
    du = np.linalg.solve(schur, -(gu - np.einsum("kxu,kx->u", mixed, solved[..., 0])))
    return -(solved[..., 0] + solved[..., 1:] @ du), du
