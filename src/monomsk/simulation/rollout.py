"""Short simulations from many states at once: do the forces make the motion that they were found for?

Runge and Kutta's classic steps of order four, with forces at both ends and in the middle of every step; coupled and locked coordinates
stay so. Nothing is fed back: where a window is long, a body that stands falls.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from scipy.interpolate import CubicSpline

from monomsk.model.model import Model, complete_rates
from monomsk.physics.equations_of_motion import accelerations

TOGETHER = 32
"""Windows a compiled call takes."""
SUBSTEPS = 2
"""Steps from frame to frame."""


class Forces(eqx.Module):
    """What acts on the body, on a grid of times of half steps."""

    tau: Float[Array, "*window grid nq"]
    """Generalized forces [N·m, N]."""
    wrench: Float[Array, "*window grid part 6"]
    """Moments and forces on some bodies, about the ground origin [N·m, N]."""


def rollout(
    model: Model, bodies: tuple[int, ...], start: tuple[Float[Array, " nq"], Float[Array, " nq"]], forces: Forces, step: float | Array
) -> tuple[Float[Array, "step+1 nq"], Float[Array, "step+1 nq"]]:
    """Coordinates and speeds after every step [s] of one window, the start first; differentiable by start and forces.

    `forces` are at the start, the middle and the end of every step: one more than twice as many as steps. `bodies` carry the wrenches.
    """

    def rates(q: Array, qd: Array, tau: Array, wrench: Array) -> tuple[Array, Array]:
        f_ext = jnp.zeros((len(model.body_names), 6), wrench.dtype).at[jnp.array(bodies, int)].add(wrench) if bodies else None
        return qd, accelerations(model, q, qd, tau, f_ext)

    def stage(before: tuple[Array, ...], given: tuple[Array, ...]) -> tuple[tuple[Array, ...], None]:
        q, qd, dq, dqd, sum_q, sum_qd = before
        reach, share, tau, wrench = given
        dq, dqd = rates(q + reach * step * dq, qd + reach * step * dqd, tau, wrench)
        return (q, qd, dq, dqd, sum_q + share * dq, sum_qd + share * dqd), None

    def one(state: tuple[Array, Array], given: tuple[Array, Array]) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
        # A loop over the four stages, so that the equations of motion are compiled once.
        (q, qd), still = state, jnp.zeros_like(state[0])
        when, kind = jnp.array([0, 1, 1, 2]), state[0].dtype
        reach, share = jnp.array([0.0, 0.5, 0.5, 1.0], kind), jnp.array([1.0, 2.0, 2.0, 1.0], kind) / 6.0
        begin = (q, qd, still, still, still, still)
        (*_, sum_q, sum_qd), _ = jax.lax.scan(stage, begin, (reach, share, given[0][when], given[1][when]))
        q, qd, _ = complete_rates(model, q + step * sum_q, qd + step * sum_qd, still)
        return (q, qd), (q, qd)

    parts = [jnp.stack([a[:-1:2], a[1::2], a[2::2]], axis=1) for a in (forces.tau, forces.wrench)]
    _, later = jax.lax.scan(one, start, (parts[0], parts[1]))
    return tuple(jnp.concatenate([a[None], b]) for a, b in zip(start, later, strict=True))  # pyright: ignore[reportReturnType]


def defects(
    model: Model,
    bodies: tuple[int, ...],
    motion: tuple[Float[np.ndarray, "time nq"], Float[np.ndarray, "time nq"]],
    forces: tuple[Float[np.ndarray, "time nq"], Float[np.ndarray, "time part 6"]],
    time: tuple[Float[np.ndarray, " time"], float],
) -> Float[np.ndarray, "window nq"]:
    """Where windows end that begin on the motion, less where the motion is then [rad, m].

    Args:
        model: the body.
        bodies: those that carry the wrenches.
        motion: coordinates and speeds of the frames.
        forces: generalized forces and wrenches at the frames; a cubic spline goes through them.
        time: of the frames, evenly spaced, and length of a window [s]. Windows begin where the one before ends.
    """
    at, (q, qd) = time[0], motion
    frames = max(1, min(round(time[1] / float(at[1] - at[0])), len(at) - 1))
    starts = np.arange(0, len(at) - frames, frames)
    step = float(at[1] - at[0]) / SUBSTEPS
    grid = at[starts][:, None] + 0.5 * step * np.arange(2 * SUBSTEPS * frames + 1)
    tau, wrench = (CubicSpline(at, a.reshape(len(at), -1))(grid).reshape(*grid.shape, *a.shape[1:]) for a in forces)
    ends = []
    for low in range(0, len(starts), TOGETHER):
        rows = np.minimum(np.arange(low, low + TOGETHER), len(starts) - 1)
        at_start, acting = (
            (jnp.asarray(q[starts[rows]]), jnp.asarray(qd[starts[rows]])),
            Forces(jnp.asarray(tau[rows]), jnp.asarray(wrench[rows])),
        )
        ends.append(np.asarray(_ends(model, bodies, at_start, acting, step)))
    return np.concatenate(ends)[: len(starts)] - q[starts + frames]


@eqx.filter_jit
def _ends(model: Model, bodies: tuple[int, ...], start: tuple[Array, Array], forces: Forces, step: float) -> Array:
    return jax.vmap(lambda s, f: rollout(model, bodies, s, f, step)[0][-1])(start, forces)
