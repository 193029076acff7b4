"""A convex quadratic program over many frames: per-frame costs and cones, smoothness that ties each frame to its neighbours.

Mehrotra's predictor–corrector interior-point method (1992); its Newton matrix is banded, so the work grows with the clip's length only.
"""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float
from scipy.linalg import cho_solve_banded, cholesky_banded

from monomsk.errors import SolveError

STEPS = 40
TOLERANCE = 1e-7


@dataclass(frozen=True)
class ConeProgram:
    """Minimise Σ_t ½ xᵀ H_t x − g_tᵀ x + ½ Σ_t roughness · (x_{t−1} − 2 x_t + x_{t+1})² with cone @ x_t ≤ 0 in every frame."""

    hessian: Float[np.ndarray, "time k k"]
    """H_t, positive definite."""
    linear: Float[np.ndarray, "time k"]
    """g_t."""
    roughness: Float[np.ndarray, " k"]
    cone: Float[np.ndarray, "row k"]


def solve(program: ConeProgram) -> Float[np.ndarray, "time k"]:
    """The minimiser. Raises SolveError when it is not found."""
    band = _band(program)
    factor = _factor(band, program.cone, np.zeros((len(program.linear), len(program.cone))))
    free = cho_solve_banded(factor, program.linear.reshape(-1), check_finite=False)
    # Cones have no size of their own: in units of the free minimum, the starting point suits every problem.
    unit = max(float(np.abs(free).max()), 1e-6)
    return unit * _solve_scaled(replace(program, linear=program.linear / unit), band)


def _solve_scaled(program: ConeProgram, band: np.ndarray) -> Float[np.ndarray, "time k"]:
    frames, k = program.linear.shape
    rows = program.cone.shape[0]
    x = np.zeros((frames, k))
    s, z = np.ones((frames, rows)), np.full((frames, rows), 0.1)
    scale = 1.0 + float(np.abs(program.linear).max())
    for _ in range(STEPS):
        dual = _apply(program, x) - program.linear + z @ program.cone
        primal = x @ program.cone.T + s
        gap = float((s * z).mean())
        if max(np.abs(dual).max() / scale, np.abs(primal).max(), gap) < TOLERANCE:
            return x
        factor = _factor(band, program.cone, z / s)
        direction = _direction(program.cone, factor, (dual, primal, s * z), (s, z))
        length = _longest(s, z, direction)
        ahead = float(((s + length * direction[1]) * (z + length * direction[2])).mean())
        center = gap * (ahead / gap) ** 3
        direction = _direction(program.cone, factor, (dual, primal, s * z + direction[1] * direction[2] - center), (s, z))
        length = 0.995 * _longest(s, z, direction)
        x, s, z = (v + length * d for v, d in zip((x, s, z), direction, strict=True))
    if not np.isfinite(x).all() or gap > 1e-3:
        raise SolveError("the ground forces could not be found: the motion needs forces far beyond any that feet can give")
    return x


def _direction(
    cone: np.ndarray, factor: tuple[np.ndarray, bool], residuals: tuple[np.ndarray, ...], pair: tuple[np.ndarray, np.ndarray]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Newton step of x, s, z for the residuals of stationarity, feasibility and complementarity."""
    dual, primal, complementarity = residuals
    s, z = pair
    right = -dual - ((z * primal - complementarity) / s) @ cone
    dx = cho_solve_banded(factor, right.reshape(-1), check_finite=False).reshape(dual.shape)
    ds = -primal - dx @ cone.T
    return dx, ds, -(complementarity + z * ds) / s


def _longest(s: np.ndarray, z: np.ndarray, direction: tuple[np.ndarray, np.ndarray, np.ndarray]) -> float:
    """Longest step up to 1 that keeps s and z positive."""
    worst = max(float((-direction[1] / s).max()), float((-direction[2] / z).max()))
    return min(1.0, 1.0 / worst) if worst > 0.0 else 1.0


def _apply(program: ConeProgram, x: np.ndarray) -> np.ndarray:
    bend = np.zeros_like(x)
    second = (x[:-2] - 2.0 * x[1:-1] + x[2:]) * program.roughness
    bend[:-2] += second
    bend[1:-1] -= 2.0 * second
    bend[2:] += second
    return np.einsum("tij,tj->ti", program.hessian, x) + bend


def _band(program: ConeProgram) -> np.ndarray:
    """Lower band of the quadratic's matrix, as LAPACK stores it, shaped (band, time, k)."""
    frames, k = program.linear.shape
    band = np.zeros((2 * k + 1, frames, k))
    _add_blocks(band, program.hessian)
    inner = np.zeros((3, frames))
    inner[0, :-2] += 1.0
    inner[0, 1:-1] += 4.0
    inner[0, 2:] += 1.0
    inner[1, :-2] -= 2.0
    inner[1, 1:-1] -= 2.0
    inner[2, :-2] += 1.0
    for order in range(3):
        band[order * k] += inner[order][:, None] * program.roughness
    return band


def _add_blocks(band: np.ndarray, blocks: np.ndarray) -> None:
    """Add per-frame symmetric blocks to the lower band."""
    k = blocks.shape[1]
    for column in range(k):
        for row in range(column, k):
            band[row - column, :, column] += blocks[:, row, column]


def _factor(band: np.ndarray, cone: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, bool]:
    """Cholesky factor of the quadratic's matrix plus coneᵀ diag(weight) cone."""
    full = band.copy()
    rows, k = cone.shape
    pairs = (cone[:, :, None] * cone[:, None, :]).reshape(rows, k * k)
    _add_blocks(full, (weight @ pairs).reshape(-1, k, k))
    return cholesky_banded(full.reshape(len(full), -1), lower=True, overwrite_ab=True, check_finite=False), True
