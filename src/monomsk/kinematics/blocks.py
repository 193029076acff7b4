"""Solve the fit's linear system: a chain of frames, each coupled to the next two, bordered by a few unknowns of the whole clip."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.linalg import LinAlgError, cho_factor, cho_solve
from scipy.linalg.lapack import get_lapack_funcs

from monomsk.errors import SolveError

# The plain LAPACK routines: SciPy's wrappers around them cost more than the small blocks themselves.
_cholesky, _triangular = get_lapack_funcs(("potrf", "trtrs"), dtype=np.float64)


@dataclass(frozen=True)
class Chain:
    """Block tridiagonal symmetric matrix; a block is two neighbouring frames, so that second differences reach one block far."""

    own: Float[np.ndarray, "block size size"]
    after: Float[np.ndarray, "block size size"]
    """`after[k]`: rows of block k + 1, columns of block k; the last one is not used."""

    def damped(self, factor: float) -> "Chain":
        """Levenberg's damping: the diagonal times 1 + factor."""
        own = self.own.copy()
        index = np.arange(own.shape[1])
        own[:, index, index] += factor * (own[:, index, index] + 1e-6)
        return Chain(own, self.after)


def second_differences(weight: Float[np.ndarray, "time-2 nx"]) -> Float[np.ndarray, "3 time nx"]:
    """Diagonals 0, 1 and 2 frames apart of the normal matrix of second differences, each multiplied by its weight."""
    stencil = (1.0, -2.0, 1.0)
    count, nx = weight.shape
    diagonals = np.zeros((3, count + 2, nx))
    for offset in range(3):
        for i in range(3 - offset):
            diagonals[offset, i : count + i] += stencil[i] * stencil[i + offset] * weight**2
    return diagonals


def chain(own: Float[np.ndarray, "time nx nx"], after: Float[np.ndarray, "time nx nx"], smooth: Float[np.ndarray, "3 time nx"]) -> Chain:
    """Blocks of two frames from blocks of one; `after[t]` couples frame t + 1 (rows) to t (columns). An odd last frame gets a dummy."""
    frames, nx, _ = own.shape
    diagonal = np.arange(nx)
    own, after = own.copy(), after.copy()
    own[:, diagonal, diagonal] += smooth[0]
    after[:, diagonal, diagonal] += smooth[1]
    if frames % 2:
        own = np.concatenate([own, np.eye(nx)[None]])
        after = np.concatenate([after[:-1], np.zeros((2, nx, nx))])
        smooth = np.concatenate([smooth, np.zeros((3, 1, nx))], 1)
    count = len(own) // 2
    big, link = np.zeros((count, 2 * nx, 2 * nx)), np.zeros((count, 2 * nx, 2 * nx))
    big[:, :nx, :nx], big[:, nx:, nx:] = own[0::2], own[1::2]
    big[:, nx:, :nx], big[:, :nx, nx:] = after[0::2], np.swapaxes(after[0::2], 1, 2)
    link[:, :nx, nx:] = after[1::2]
    link[:, diagonal, diagonal] += smooth[2][0::2]
    link[:, nx + diagonal, nx + diagonal] += smooth[2][1::2]
    return Chain(big, link)


def solve_bordered(
    matrix: Chain,
    border: Float[np.ndarray, "unknown ng"],
    corner: Float[np.ndarray, "ng ng"],
    right: Float[np.ndarray, " unknown"],
    right_corner: Float[np.ndarray, " ng"],
) -> tuple[Float[np.ndarray, " unknown"], Float[np.ndarray, " ng"]]:
    """Solution of [[A, B], [Bᵀ, C]] [x, u] = [r, s] by block Cholesky of the chain A and the Schur complement of the border.

    Raises SolveError when the system is not positive definite (damping too small).
    """
    solved = solve_chain(matrix, np.concatenate([right[:, None], border], 1))
    schur = corner - border.T @ solved[:, 1:]
    try:
        u = cho_solve(cho_factor(schur), right_corner - border.T @ solved[:, 0])
    except LinAlgError as error:
        raise SolveError("the fit's equations are not positive definite") from error
    return solved[:, 0] - solved[:, 1:] @ u, u


def solve_chain(matrix: Chain, right: Float[np.ndarray, "unknown k"]) -> Float[np.ndarray, "unknown k"]:
    """Solution of A x = r for every column of r by block Cholesky. Raises SolveError when A is not positive definite."""
    factors, links = _factor(matrix)
    y = _blocks(matrix, right)
    for k in range(len(factors)):
        if k:
            y[k] -= links[k - 1] @ y[k - 1]
        y[k] = _triangular(factors[k], y[k], lower=1)[0]
    return _backwards(factors, links, y)[: len(right)]


def _factor(matrix: Chain) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Cholesky factor of the chain: its diagonal blocks, and the blocks below them."""
    factors: list[np.ndarray] = []
    links: list[np.ndarray] = []
    for k in range(len(matrix.own)):
        block = matrix.own[k]
        if k:
            block = block - links[-1] @ links[-1].T
        factor, info = _cholesky(block, lower=1, clean=1)
        if info:
            raise SolveError("the fit's equations are not positive definite")
        factors.append(factor)
        links.append(_triangular(factor, matrix.after[k].T, lower=1)[0].T)
    return factors, links


def _blocks(matrix: Chain, right: Float[np.ndarray, "unknown k"]) -> Float[np.ndarray, "block size k"]:
    """A copy with as many rows as the chain has."""
    count, size, _ = matrix.own.shape
    padded = np.zeros((count * size, right.shape[1]))
    padded[: len(right)] = right
    return padded.reshape(count, size, -1)


def _backwards(factors: list[np.ndarray], links: list[np.ndarray], y: Float[np.ndarray, "block size k"]) -> Float[np.ndarray, "row k"]:
    """Solution of Lᵀ x = y, in the place of y."""
    for k in range(len(factors) - 1, -1, -1):
        if k + 1 < len(factors):
            y[k] -= links[k].T @ y[k + 1]
        y[k] = _triangular(factors[k], y[k], lower=1, trans=1)[0]
    return y.reshape(-1, y.shape[-1])


@dataclass(frozen=True)
class Spread:
    """A normal distribution around zero, of the unknowns of the chain."""

    sigma: Float[np.ndarray, " unknown"]
    draws: Float[np.ndarray, "unknown draw"]


def spread_bordered(
    matrix: Chain,
    border: Float[np.ndarray, "unknown ng"],
    corner: Float[np.ndarray, "ng ng"],
    count: int,
    seed: int,
) -> Spread:
    """Standard deviations and `count` draws of x where [[A, B], [Bᵀ, C]] is the inverse of the covariance of [x, u].

    Equal for equal seeds. Only the blocks of the inverse that are asked for are made (Takahashi et al. 1973). Raises SolveError when the
    matrix is not positive definite.
    """
    rows = len(border)
    factors, links = _factor(matrix)
    solved = solve_chain(matrix, border)
    try:
        root = np.linalg.cholesky(np.linalg.inv(corner - border.T @ solved))
    except np.linalg.LinAlgError as error:
        raise SolveError("the fit's equations are not positive definite") from error
    by_corner = solved @ root
    variance = _diagonal(factors, links).reshape(-1)[:rows] + (by_corner**2).sum(1)
    rng = np.random.default_rng(seed)
    noise = rng.standard_normal((len(factors), len(factors[0]), count))
    own = _backwards(factors, links, noise)[:rows] if count else np.zeros((rows, 0))
    return Spread(np.sqrt(variance), own - by_corner @ rng.standard_normal((root.shape[1], count)))


def _diagonal(factors: list[np.ndarray], links: list[np.ndarray]) -> Float[np.ndarray, "block size"]:
    """Diagonal of the inverse of a factored chain, from the last block to the first."""
    found = np.zeros((len(factors), len(factors[0])))
    identity, later = np.eye(len(factors[0])), np.zeros_like(factors[0])
    for k in range(len(factors) - 1, -1, -1):
        inverse = _triangular(factors[k], identity, lower=1)[0]
        inner = identity if k + 1 == len(factors) else identity + links[k].T @ later @ links[k]
        later = inverse.T @ inner @ inverse
        found[k] = np.diag(later)
    return found
