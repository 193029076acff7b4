import numpy as np
import pytest

from monomsk.kinetics.cone_program import ConeProgram, solve


def program(frames: int, k: int, seed: int, scale: float = 1.0) -> ConeProgram:
    random = np.random.default_rng(seed)
    a = random.normal(size=(frames, 4, k))
    hessian = a.swapaxes(1, 2) @ a + 0.1 * np.eye(k)
    cone = np.concatenate([-np.eye(k), random.normal(size=(3, k))])
    return ConeProgram(hessian, scale * random.normal(size=(frames, k)), random.uniform(0.0, 2.0, k), cone)


def cost(of: ConeProgram, x: np.ndarray) -> float:
    bend = x[:-2] - 2.0 * x[1:-1] + x[2:]
    return float(0.5 * np.einsum("ti,tij,tj", x, of.hessian, x) - (of.linear * x).sum() + 0.5 * (of.roughness * bend**2).sum())


@pytest.mark.parametrize("scale", [1.0, 1e4])
def test_agrees_with_clarabel(scale: float) -> None:
    clarabel = pytest.importorskip("clarabel")
    from scipy import sparse

    of = program(12, 5, 1, scale)
    frames, k = of.linear.shape
    n = frames * k
    matrix = sparse.lil_matrix((n, n))
    for t in range(frames):
        matrix[t * k : (t + 1) * k, t * k : (t + 1) * k] = of.hessian[t]
    second = sparse.kron(sparse.diags([1.0, -2.0, 1.0], [0, 1, 2], shape=(frames - 2, frames)), sparse.eye(k))
    matrix = matrix.tocsc() + second.T @ sparse.diags(np.tile(of.roughness, frames - 2)) @ second
    rows = sparse.kron(sparse.eye(frames), of.cone).tocsc()
    settings = clarabel.DefaultSettings()
    settings.verbose = False
    solver = clarabel.DefaultSolver(
        sparse.triu(matrix).tocsc(),
        -of.linear.reshape(-1),
        rows,
        np.zeros(rows.shape[0]),
        [clarabel.NonnegativeConeT(rows.shape[0])],
        settings,
    )
    expected = np.array(solver.solve().x).reshape(frames, k)
    np.testing.assert_allclose(solve(of), expected, atol=2e-5 * scale)


def test_the_answer_is_feasible_and_nothing_nearby_is_better() -> None:
    of = program(20, 4, 2)
    x = solve(of)
    assert (x @ of.cone.T <= 1e-5).all()
    random = np.random.default_rng(3)
    for _ in range(200):
        other = x + 1e-2 * random.normal(size=x.shape)
        other[(other @ of.cone.T > 0.0).any(axis=1)] = x[(other @ of.cone.T > 0.0).any(axis=1)]
        assert cost(of, other) >= cost(of, x) - 1e-4
