import numpy as np
import pytest

from monomsk.errors import SolveError
from monomsk.kinematics.blocks import chain, second_differences, solve_bordered, spread_bordered

NX, NG = 3, 2


def system(frames: int):
    rng = np.random.default_rng(frames)
    own = np.array([a @ a.T + 10 * np.eye(NX) for a in rng.normal(size=(frames, NX, NX))])
    after = 0.3 * rng.normal(size=(frames, NX, NX))
    weight = rng.uniform(0.5, 1, (frames - 2, NX))
    dense = np.zeros((frames * NX, frames * NX))
    for t in range(frames):
        here, there = slice(t * NX, (t + 1) * NX), slice((t + 1) * NX, (t + 2) * NX)
        dense[here, here] += own[t]
        if t + 1 < frames:
            dense[there, here] += after[t]
            dense[here, there] += after[t].T
    rows = (np.kron(np.diff(np.eye(frames), 2, axis=0), np.eye(NX)).T * weight.reshape(-1)).T
    dense += rows.T @ rows
    border, corner = rng.normal(size=(frames * NX, NG)), 50 * np.eye(NG)
    return own, after, weight, dense, border, corner, rng.normal(size=frames * NX), rng.normal(size=NG)


@pytest.mark.parametrize("frames", [7, 8])
def test_the_chain_solves_what_the_dense_matrix_says(frames):
    own, after, weight, dense, border, corner, right, right_corner = system(frames)
    x, u = solve_bordered(chain(own, after, second_differences(weight)), border, corner, right, right_corner)
    full = np.block([[dense, border], [border.T, corner]])
    np.testing.assert_allclose(np.r_[x, u], np.linalg.solve(full, np.r_[right, right_corner]), atol=1e-12)


def test_damping_adds_to_the_diagonal():
    own, after, weight, dense, border, corner, right, right_corner = system(8)
    x, u = solve_bordered(chain(own, after, second_differences(weight)).damped(0.5), border, corner, right, right_corner)
    damped = dense + 0.5 * np.diag(np.diag(dense) + 1e-6)
    full = np.block([[damped, border], [border.T, corner]])
    np.testing.assert_allclose(np.r_[x, u], np.linalg.solve(full, np.r_[right, right_corner]), atol=1e-12)


def test_a_system_without_a_minimum_is_refused():
    own, after, weight, _, border, corner, right, right_corner = system(8)
    with pytest.raises(SolveError, match="positive definite"):
        solve_bordered(chain(own - 30 * np.eye(NX), after, second_differences(weight)), border, corner, right, right_corner)


def test_spread_is_that_of_the_inverse() -> None:
    rng = np.random.default_rng(3)
    frames, nx, ng = 5, 3, 2
    own = np.stack([(a := rng.normal(size=(nx, nx))) @ a.T + 8.0 * np.eye(nx) for _ in range(frames)])
    after = rng.normal(size=(frames, nx, nx))
    matrix = chain(own, after, second_differences(rng.uniform(0.5, 1.0, (frames - 2, nx))))
    border, corner = rng.normal(size=(frames * nx, ng)), 30.0 * np.eye(ng)
    unit = np.eye(frames * nx)
    inverse = np.stack([solve_bordered(matrix, border, corner, row, np.zeros(ng))[0] for row in unit])
    found = spread_bordered(matrix, border, corner, 20000, seed=1)
    np.testing.assert_allclose(found.sigma**2, np.diag(inverse), rtol=1e-9)
    np.testing.assert_allclose(np.cov(found.draws), inverse, atol=0.05 * np.diag(inverse).max())
    np.testing.assert_array_equal(found.draws[:, :3], spread_bordered(matrix, border, corner, 20000, seed=1).draws[:, :3])
    none = spread_bordered(matrix, border, corner, 0, seed=1)
    assert none.draws.shape == (frames * nx, 0)
    np.testing.assert_array_equal(none.sigma, found.sigma)
