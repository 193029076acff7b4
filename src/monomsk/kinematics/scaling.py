"""A generic body brought to a person's size by the markers of a standing trial, and its markers put where they were worn."""

from dataclasses import dataclass, replace

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from monomsk.errors import InputError
from monomsk.kinematics.tracking import Task, Tracking, track
from monomsk.model.anatomy import Anatomy, Segment
from monomsk.model.compile import compile_model
from monomsk.model.edit import with_numbers
from monomsk.model.model import Model, complete
from monomsk.model.scale import Segments, scale_model
from monomsk.model.spec import Marker, ModelSpec
from monomsk.physics.forward_kinematics import forward_kinematics, marker_positions
from monomsk.types import Markers, Motion, Subject

MARKER_SIGMA = 0.01
"""How far a marker may be worn from its place on the body [m] (between examiners 6 to 21 mm; Della Croce et al. 2005)."""
POSE_SIGMA = 0.7
"""How far a coordinate that no marker shows may stray from the default posture [rad]."""
STATURE_SIGMA = 0.01
"""Of the stated height [m]."""
ROUNDS, STEPS = 8, 10
"""Rounds in which markers are trusted anew, and steps in each."""
OUTLYING = 0.03
"""Distance at which a marker begins to count less [m]: clusters on thighs and shanks are worn anywhere, bony ones are not."""
FAR = 0.04
"""A marker that is further from its place on the scaled body than this is named [m]."""
USUAL = (0.7, 1.4)
"""Factors beyond which a segment's size is doubted."""
UPRIGHT = 0.7
"""Cosine of the lean beyond which somebody does not stand [-]."""


@dataclass(frozen=True)
class Scaled:
    """A body of a person's size."""

    body: ModelSpec
    """With its markers where they were worn."""
    factors: Float[np.ndarray, "body 3"]
    """Stretch of every body of the compiled model along its axes."""
    static: Motion
    """The pose in which the person stood, one frame."""
    error: Float[np.ndarray, "2 marker"]
    """Distance of every marker before and after it was placed [m]."""
    names: tuple[str, ...]
    """Of these markers."""
    warnings: tuple[str, ...] = ()


def scale_to_markers(markers: Markers, body: ModelSpec, subject: Subject, anatomy: Anatomy) -> Scaled:
    """Sizes of the segments and the pose that bring the body's markers nearest to their mean measured places.

    Segments (`anatomy`) are the same on both sides; each is believed to follow the stature unless the markers say otherwise.
    The stated mass is shared out by volume. Markers that are not `fixed` then move to where they were measured; muscles are
    left to `muscles.resize`.

    Raises:
        InputError: too few markers in common, nobody stands upright, or lengths in another unit.
    """
    mean = _mean(markers)
    model = compile_model(body.with_markers(tuple(m for m in body.markers if m.name in mean.names)))
    described, segments = anatomy.segments_of(model)
    whole = np.full((len(model.body_names), 3), subject.height / _stature(body, anatomy))
    start = _robust_pose(mean, _resized(body, model, whole, subject))
    _check_upright(model, start.motion.q[0])
    problem = _Problem(
        model=model,
        segments=segments,
        stature=_stature_markers(body, anatomy),
        measured=jnp.asarray(mean.xyz[0][[mean.names.index(n) for n in model.marker_names]]),
        size=jnp.asarray(_size_belief(body, described, subject, anatomy)),
        spread=jnp.asarray([s.spread for s in described]),
        height=jnp.asarray(subject.height),
        place=jnp.asarray(start.motion.q[0]),
        weight=jnp.asarray(_trust(start.error[0])),
    )
    factors = np.asarray(segments.factors(model, _solve(problem)))
    sized = _resized(body, model, factors, subject)
    found = _robust_pose(mean, sized)
    placed = _placed(sized, mean, found.motion)
    after = track(mean, placed)
    errors = np.stack([found.error[0], after.error[0]])
    told = (*found.motion.warnings, *_doubts(segments, np.log(factors), model, found.error[0], found.names))
    return Scaled(placed, factors, after.motion, errors, found.names, tuple(dict.fromkeys(told)))


def _trust(distance: Float[np.ndarray, " marker"]) -> Float[np.ndarray, " marker"]:
    """Weights of markers by how far they are (Cauchy's)."""
    return 1.0 / (1.0 + (distance / OUTLYING) ** 2)


def _robust_pose(mean: Markers, body: ModelSpec) -> Tracking:
    """The pose, with markers that are far away trusted less and less."""
    found = track(mean, body)
    for _ in range(ROUNDS):
        found = track(mean, body, marker_tasks={n: Task(float(w)) for n, w in zip(found.names, _trust(found.error[0]), strict=True)})
    return found


def _mean(markers: Markers) -> Markers:
    """One frame of the places of all markers that are seen in half of the frames or more."""
    seen = np.isfinite(markers.sigma) & np.isfinite(markers.xyz).all(axis=-1)
    kept = [i for i, share in enumerate(seen.mean(axis=0)) if share >= 0.5]
    xyz = np.stack([markers.xyz[seen[:, i], i].mean(axis=0) for i in kept]) if kept else np.zeros((0, 3))
    names = tuple(markers.names[i] for i in kept)
    return Markers(markers.time[:1], names, xyz[None], np.full((1, len(kept)), 0.005))


def _resized(body: ModelSpec, model: Model, factors: Float[np.ndarray, "body 3"], subject: Subject) -> ModelSpec:
    whole = compile_model(body)
    stretch = jnp.asarray(factors)
    return with_numbers(body, scale_model(whole, stretch, subject.mass), stretch)


def _stature_markers(body: ModelSpec, anatomy: Anatomy) -> Model | None:
    """The body with the top of its head and a sole for markers; None where it has no such bodies."""
    bodies = {b.name for b in body.bodies}
    points = tuple(a for a in anatomy.anchors if a.name in ("head_top", "sole_r") and a.body in bodies)
    return compile_model(body.with_markers(points)) if len(points) == 2 else None


def _stature(body: ModelSpec, anatomy: Anatomy) -> float:
    """Height of the generic body in its default posture [m]; that of an average person where it cannot be told."""
    model = _stature_markers(body, anatomy)
    return 1.7 if model is None else float(_height(model))


def _height(model: Model) -> Float[Array, ""]:
    at = marker_positions(model, forward_kinematics(model, complete(model, model.coordinate_default)))
    top, sole = (model.marker_names.index(name) for name in ("head_top", "sole_r"))
    return at[top, 1] - at[sole, 1]


def _size_belief(body: ModelSpec, described: tuple[Segment, ...], subject: Subject, anatomy: Anatomy) -> Float[np.ndarray, " segment"]:
    size = np.log(subject.height / _stature(body, anatomy))
    return np.array([size + s.by_sex.get(subject.sex or "", 0.0) for s in described])


def _check_upright(model: Model, q: Float[np.ndarray, " nq"]) -> None:
    """Raises InputError when the body's root does not stand, and says what to do when it lies as a wrong axis would make it."""
    up = np.asarray(forward_kinematics(model, jnp.asarray(q)).R)[0][:, 1]
    if up[1] >= UPRIGHT:
        return
    if abs(up[2]) >= UPRIGHT:
        raise InputError("the person lies along Z: the laboratory's Z axis points up; say so with --up z")
    raise InputError(
        f"the person does not stand upright (lean {np.degrees(np.arccos(np.clip(up[1], -1.0, 1.0))):.0f}°): give a standing trial"
    )


class _Problem(eqx.Module):
    model: Model
    segments: Segments = eqx.field(static=True)
    stature: Model | None
    measured: Float[Array, "marker 3"]
    size: Float[Array, " segment"]
    spread: Float[Array, " segment"]
    height: Float[Array, ""]
    place: Float[Array, " nq"]
    weight: Float[Array, " marker"]


def _residual(problem: _Problem, x: Float[Array, " unknown"]) -> Float[Array, " row"]:
    """Everything that is wrong with sizes and pose, in standard deviations."""
    model, count = problem.model, problem.size.shape[0]
    size, free = x[:count], jnp.array(model.free)
    factors = problem.segments.factors(model, size)
    q = complete(model, problem.place.at[free].set(x[count:]))
    sized = scale_model(model, factors, 1.0)
    apart = marker_positions(sized, forward_kinematics(sized, q)) - problem.measured
    joints = jnp.array([i for i in model.free if i not in model.root], int)
    trusted = apart * jnp.sqrt(problem.weight)[:, None] / MARKER_SIGMA
    parts = [trusted.reshape(-1), (size - problem.size) / problem.spread, (q - model.coordinate_default)[joints] / POSE_SIGMA]
    if problem.stature is not None:
        parts.append(((_height(scale_model(problem.stature, factors, 1.0)) - problem.height) / STATURE_SIGMA)[None])
    return jnp.concatenate(parts)


@eqx.filter_jit
def _linearised(problem: _Problem, x: Float[Array, " unknown"]) -> tuple[Float[Array, " row"], Float[Array, "row unknown"]]:
    r, along = jax.linearize(lambda v: _residual(problem, v), x)
    return r, jax.vmap(along)(jnp.eye(x.size)).T


def _solve(problem: _Problem) -> Float[Array, " segment"]:
    """Logarithms of the segments' sizes, by Levenberg and Marquardt; between the rounds markers are trusted anew."""
    x = np.concatenate([np.asarray(problem.size), np.asarray(problem.place)[list(problem.model.free)]])
    for _ in range(ROUNDS):
        x = _descend(problem, x)
        rows = np.asarray(_linearised(problem, jnp.asarray(x))[0])[: 3 * problem.weight.shape[0]].reshape(-1, 3)
        distance = MARKER_SIGMA * np.linalg.norm(rows, axis=1) / np.sqrt(np.asarray(problem.weight))
        problem = eqx.tree_at(lambda p: p.weight, problem, jnp.asarray(_trust(distance)))
    return jnp.asarray(x[: problem.size.shape[0]])


def _descend(problem: _Problem, x: Float[np.ndarray, " unknown"]) -> Float[np.ndarray, " unknown"]:
    r, J = (np.asarray(a) for a in _linearised(problem, jnp.asarray(x)))
    damping = 1e-3
    for _ in range(STEPS):
        matrix = J.T @ J
        change = np.linalg.solve(matrix + damping * np.diag(np.diag(matrix)), -J.T @ r)
        new_r, new_J = (np.asarray(a) for a in _linearised(problem, jnp.asarray(x + change)))
        if new_r @ new_r < r @ r:
            x, r, J, damping = x + change, new_r, new_J, max(0.1 * damping, 1e-9)
        else:
            damping *= 10.0
        if np.abs(change).max() < 1e-6 or damping > 1e8:
            break
    return x


def _placed(sized: ModelSpec, mean: Markers, motion: Motion) -> ModelSpec:
    """The body with its loose markers where they were measured."""
    model = compile_model(sized)
    poses = forward_kinematics(model, jnp.asarray(motion.q[0]))
    R, p = np.asarray(poses.R), np.asarray(poses.p)

    def place(marker: Marker) -> Marker:
        if marker.fixed or marker.name not in mean.names or marker.body == "ground":
            return marker
        body = model.body(marker.body)
        x, y, z = R[body].T @ (mean.xyz[0, mean.names.index(marker.name)] - p[body])
        return replace(marker, location=(float(x), float(y), float(z)))

    return sized.with_markers(tuple(place(m) for m in sized.markers))


def _doubts(
    segments: Segments, log_factors: Float[np.ndarray, "body 3"], model: Model, error: Float[np.ndarray, " marker"], names: tuple[str, ...]
) -> tuple[str, ...]:
    told = []
    for name, columns in zip(segments.names, segments.columns, strict=True):
        body, axis = columns[0]
        factor = float(np.exp(log_factors[body, axis]))
        if not USUAL[0] <= factor <= USUAL[1]:
            told.append(
                f"segment {name} would be {factor:.2f} times as large as the generic body's: check the markers on it, and the height"
            )
    far = [f"{n} ({100.0 * e:.0f} cm)" for n, e in zip(names, error, strict=True) if e > FAR]
    if far:
        told.append(f"markers far from their places on the scaled body, perhaps swapped or worn elsewhere: {', '.join(far)}")
    return tuple(told)
