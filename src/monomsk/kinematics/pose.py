"""The pose of a body whose markers are nearest to measured ones, one frame at a time: weighted least squares within the joints' ranges."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from monomsk.model.model import Model, complete, complete_rates
from monomsk.physics.equations_of_motion import follow
from monomsk.physics.forward_kinematics import forward_kinematics, marker_positions
from monomsk.physics.jacobian import point_jacobian

STEPS = 60
"""Most steps of Levenberg and Marquardt in one frame."""
SMALL_STEP = 1e-6
"""A step shorter than this ends the search [rad, m]."""


class Targets(eqx.Module):
    """What a frame's pose should come near to; a leading axis for frames."""

    position: Float[Array, "*frame marker 3"]
    """Measured, ground frame [m]; anything where the weight is zero."""
    weight: Float[Array, "*frame marker"]
    value: Float[Array, "*frame nq"]
    """Wanted values of coordinates [rad, m]."""
    value_weight: Float[Array, "*frame nq"]


class Bounds(eqx.Module):
    """Between what the free coordinates may move [rad, m]."""

    low: Float[Array, " free"]
    high: Float[Array, " free"]


class Fit(eqx.Module):
    """A frame's pose."""

    q: Float[Array, "*frame nq"]
    cost: Float[Array, "*frame"]
    """Weighted mean of squares that is minimal here [m²]."""
    distance: Float[Array, "*frame marker"]
    """Of every marker of the body from the measured one [m]."""


@eqx.filter_jit
def nearest_poses(model: Model, bounds: Bounds, targets: Targets, start: Float[Array, "frame nq"]) -> Fit:
    """Poses nearest to the targets of every frame, each searched for from its own start.

    Minimises Σ w |x(q) − measured|² / Σ w + Σ v (q − wanted)², w and v being the weights of markers and coordinates, as
    OpenSim's InverseKinematicsSolver does (Simbody's Assembler). Couplers hold; locked coordinates stay where the start has them.
    """
    return jax.vmap(lambda t, q: _nearest(model, bounds, t, q))(targets, start)


class _Search(eqx.Module):
    x: Float[Array, " free"]
    """The best so far."""
    trial: Float[Array, " free"]
    """What is tried next."""
    cost: Float[Array, ""]
    slope: Float[Array, " free"]
    curvature: Float[Array, "free free"]
    distance: Float[Array, " marker"]
    damping: Float[Array, ""]
    step: Int[Array, ""]
    done: Bool[Array, ""]


def _nearest(model: Model, bounds: Bounds, targets: Targets, start: Float[Array, " nq"]) -> Fit:
    free = jnp.array(model.free)

    def improve(s: _Search) -> _Search:
        r, J, distance = _residual(model, targets, start.at[free].set(s.trial))
        cost = r @ r
        better = cost < s.cost
        now, before = (s.trial, cost, J.T @ r, J.T @ J, distance), (s.x, s.cost, s.slope, s.curvature, s.distance)
        x, best, slope, curvature, distance = (jnp.where(better, new, old) for new, old in zip(now, before, strict=True))
        damping = jnp.where(better, 0.1 * s.damping, 10.0 * s.damping)
        # A coordinate that stands at its bound and would leave it stays.
        loose = jnp.where(((x <= bounds.low) & (slope > 0.0)) | ((x >= bounds.high) & (slope < 0.0)), 0.0, 1.0)
        diagonal = jnp.diagonal(curvature)
        matrix = curvature * loose[:, None] * loose[None] + jnp.diag(damping * diagonal + 1e-12 + (1.0 - loose))
        change = jax.scipy.linalg.cho_solve(jax.scipy.linalg.cho_factor(matrix, lower=True), slope * loose)
        trial = jnp.clip(x - change, bounds.low, bounds.high)
        done = (jnp.max(jnp.abs(trial - x)) < SMALL_STEP) | (damping > 1e8)
        return _Search(x, trial, best, slope, curvature, distance, jnp.maximum(damping, 1e-9), s.step + 1, done)

    # The first round accepts the start, so that the loop holds the body's equations once: half the time to compile.
    x = jnp.clip(start[free], bounds.low, bounds.high)
    blank = jnp.zeros((x.size, x.size), x.dtype)
    far = jnp.zeros_like(targets.weight)
    first = _Search(x, x, jnp.asarray(jnp.inf, x.dtype), x, blank, far, jnp.asarray(1e-2, x.dtype), jnp.asarray(0), jnp.asarray(False))
    last = jax.lax.while_loop(lambda s: ~s.done & (s.step < STEPS), improve, first)
    return Fit(complete(model, start.at[free].set(last.x)), last.cost, last.distance)


def _residual(
    model: Model, targets: Targets, q: Float[Array, " nq"]
) -> tuple[Float[Array, " row"], Float[Array, "row free"], Float[Array, " marker"]]:
    """Weighted differences from the targets, their derivative by the free coordinates, and the distances of the markers."""
    one = jnp.ones_like(q)
    q, rate, _ = complete_rates(model, q, one, 0.0 * one)
    poses = forward_kinematics(model, q)
    at = marker_positions(model, poses)
    share = jnp.sqrt(targets.weight / jnp.maximum(targets.weight.sum(), 1e-12))
    wanted = jnp.sqrt(targets.value_weight)
    apart = at - targets.position
    r = jnp.concatenate([(apart * share[:, None]).reshape(-1), (q - targets.value) * wanted])
    of_markers = (point_jacobian(model, poses, model.marker_body, at) * share[:, None, None]).reshape(-1, model.nq)
    by_coordinate = jnp.concatenate([of_markers, jnp.diag(wanted)]) * rate
    follows = jnp.array(follow(model))
    folded = jnp.zeros((r.shape[0], len(model.free) + 1), q.dtype).at[:, follows].add(by_coordinate)
    return r, folded[:, :-1], jnp.linalg.norm(apart, axis=-1)
