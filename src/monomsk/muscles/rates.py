"""The motion that muscles work in: speeds and accelerations of the coordinates, and frames a chunk at a time."""

import numpy as np
from jaxtyping import Float
from scipy.interpolate import BSpline, make_interp_spline

from monomsk.physics.muscle import FRAMES
from monomsk.types import GeneralizedForces, Kinetics

Rates = tuple[Float[np.ndarray, "time nq"], Float[np.ndarray, "time nq"], Float[np.ndarray, "time nq"]]


def rates(kinetics: Kinetics | GeneralizedForces, order: list[int]) -> Rates:
    """Coordinates [rad, m], speeds and accelerations, columns in the order given; by a spline where the forces come without them."""
    q = kinetics.q[:, order]
    if isinstance(kinetics, Kinetics):
        return q, speeds(kinetics.time, q), accelerations(kinetics.time, q)
    return q, kinetics.qd[:, order], kinetics.qdd[:, order]


def speeds(time: Float[np.ndarray, " time"], q: Float[np.ndarray, "time nq"]) -> Float[np.ndarray, "time nq"]:
    """Time derivative of the natural quintic spline through the coordinates; of a lower one through few frames."""
    return np.zeros_like(q) if len(time) < 2 else _spline(time, q)(time, 1)


def accelerations(time: Float[np.ndarray, " time"], q: Float[np.ndarray, "time nq"]) -> Float[np.ndarray, "time nq"]:
    """Second time derivative of the same spline; zero with fewer than three frames."""
    return np.zeros_like(q) if len(time) < 3 else _spline(time, q)(time, 2)


def _spline(time: Float[np.ndarray, " time"], q: Float[np.ndarray, "time nq"]) -> BSpline:
    if len(time) < 8:
        return make_interp_spline(time, q, k=min(3, len(time) - 1))
    ends = [(3, np.zeros(q.shape[1])), (4, np.zeros(q.shape[1]))]
    return make_interp_spline(time, q, k=5, bc_type=(ends, ends))


def padded(a: Float[np.ndarray, "time *n"], start: int) -> Float[np.ndarray, "frame *n"]:
    """FRAMES frames from `start` on, the last one repeated where there are no more."""
    part = a[start : start + FRAMES]
    return part if len(part) == FRAMES else np.concatenate([part, np.repeat(part[-1:], FRAMES - len(part), axis=0)])
