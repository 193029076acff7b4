"""Normal equations of a spline: every interval couples its six rows of control points."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.linalg import LinAlgError, solveh_banded

from monomsk.errors import SolveError
from monomsk.simulation.spline import SPAN


@dataclass(frozen=True)
class Banded:
    """Symmetric matrix of blocks."""

    block: Float[np.ndarray, "count span nx nx"]
    """`block[k, d]`: rows of control point k + d, columns of control point k."""

    def solve(self, right: Float[np.ndarray, "count nx"], damping: float) -> Float[np.ndarray, "count nx"]:
        """Solution with the diagonal times 1 + damping. Raises SolveError when the matrix is not positive definite."""
        count, _, nx, _ = self.block.shape
        band = np.zeros((SPAN * nx, count, nx))
        row, column = np.indices((nx, nx))
        for d in range(SPAN):
            below = (row >= column) if d == 0 else np.ones((nx, nx), bool)
            band[(d * nx + row - column)[below], :, column[below]] = self.block[:, d][:, below].T
        band[0] *= 1.0 + damping
        band[0] += 1e-12 * band[0].max()
        try:
            found = solveh_banded(band.reshape(SPAN * nx, count * nx), right.reshape(-1), lower=True, overwrite_ab=True, check_finite=False)
        except LinAlgError as error:
            raise SolveError("the equations of the refinement are not positive definite") from error
        return found.reshape(count, nx)


def add_rows(
    block: Float[np.ndarray, "count span nx nx"],
    gradient: Float[np.ndarray, "count nx"],
    rows: tuple[Float[np.ndarray, "time row span nx"], Float[np.ndarray, "time row"]],
    interval: Float[np.ndarray, " time"],
) -> None:
    """Add the normal equations of rows (derivatives, values) to a matrix and a gradient; `interval` does not fall."""
    by, value = rows
    nx = by.shape[-1]
    first = np.flatnonzero(np.diff(interval, prepend=-1))
    for low, high in zip(first, [*first[1:], len(interval)], strict=True):
        J = by[low:high].reshape(-1, SPAN * nx)
        own = (J.T @ J).reshape(SPAN, nx, SPAN, nx)
        k = interval[low]
        for d in range(SPAN):
            for j in range(SPAN - d):
                block[k + j, d] += own[j + d, :, j]
        gradient[k : k + SPAN] += (value[low:high].reshape(-1) @ J).reshape(SPAN, nx)


def add_diagonal(
    block: Float[np.ndarray, "count span nx nx"],
    weights: Float[np.ndarray, "time span"],
    by: Float[np.ndarray, "time nx"],
    interval: np.ndarray,
) -> None:
    """Add rows that see one coordinate each: at each time, the square of what `weights` make of the control points times `by`."""
    index = np.arange(block.shape[-1])
    for d in range(SPAN):
        for j in range(SPAN - d):
            part = np.zeros((len(block), len(index)))
            np.add.at(part, interval + j, (weights[:, j] * weights[:, j + d])[:, None] * by)
            block[:, d, index, index] += part
