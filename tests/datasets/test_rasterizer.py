import numpy as np

from monomsk.datasets.rasterizer import cover, rasterize

SQUARE = np.array([[2.0, 3.0], [2.0, 8.0], [9.0, 8.0], [9.0, 3.0]])
TWO = np.array([[0, 1, 2], [0, 2, 3]])


def test_a_square_covers_its_pixels_once():
    found = rasterize(SQUARE, np.ones(4), TWO, (12, 10))
    mask = cover(found, (12, 10))
    assert mask.sum() == len(found.pixel) == 35
    assert mask[3:8, 2:9].all()
    np.testing.assert_allclose(found.weight.sum(1), 1.0, atol=1e-6)


def test_weights_give_back_the_place():
    found = rasterize(SQUARE, np.ones(4), TWO, (12, 10))
    place = np.einsum("hi,hij->hj", found.weight, SQUARE[TWO[found.triangle]])
    np.testing.assert_allclose(place, np.stack([found.pixel % 12, found.pixel // 12], -1) + 0.5, atol=1e-5)


def test_backs_are_not_seen():
    assert len(rasterize(SQUARE, np.ones(4), TWO[:, ::-1], (12, 10)).pixel) == 0


def test_the_nearest_is_seen():
    points = np.concatenate([SQUARE, SQUARE + np.array([2.0, 0.0])])
    triangles = np.concatenate([TWO + 4, TWO])
    depth = np.array([2.0] * 4 + [1.0] * 4)
    for order in (triangles, triangles[::-1]):
        found = rasterize(points, depth, order, (12, 10))
        near = np.isin(order[found.triangle][:, 0], [4, 5, 6, 7])
        assert near.sum() == 35
        assert (~near).sum() == 10


def test_what_lies_outside_is_cut_off():
    found = rasterize(SQUARE - 5.0, np.ones(4), TWO, (12, 10))
    assert cover(found, (12, 10)).sum() == 4 * 3
