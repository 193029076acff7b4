import numpy as np
import pytest

from monomsk.datasets.gait import stretch_of
from monomsk.datasets.mannequin import build_mannequin, carried, corners, normals
from monomsk.physics.forward_kinematics import forward_kinematics


@pytest.fixture(scope="module")
def dressed(walk):
    return build_mannequin(walk.model, stretch_of(walk.model, walk.gait.person))


@pytest.fixture(scope="module")
def neutral(walk, dressed):
    return corners(dressed, walk.model, np.asarray(walk.model.coordinate_default)[None])[0]


def test_it_is_as_tall_as_the_person_in_shoes(walk, neutral):
    tall = neutral[:, 1].max() - neutral[:, 1].min()
    assert walk.gait.person.height < tall < walk.gait.person.height + 0.03


def test_left_mirrors_right(neutral):
    def spread(points):
        return np.sort(np.round(points[:, 2], 6))

    np.testing.assert_allclose(spread(neutral), spread(neutral * [1.0, 1.0, -1.0]), atol=1e-5)


def test_the_skin_faces_outward(dressed, neutral):
    a, b, c = (neutral[dressed.triangles[:, i]] for i in range(3))
    volume = np.einsum("ni,ni", a, np.cross(b, c)) / 6.0
    assert 0.05 < volume < 0.12
    head = neutral[:, 1] > neutral[:, 1].max() - 0.002
    assert normals(neutral, dressed.triangles)[head][:, 1].mean() > 0.5


def test_the_shoes_stand_on_the_floor(walk, dressed):
    points = corners(dressed, walk.model, walk.truth.q[::5])
    assert np.all(np.abs(points[:, :, 1].min(1)) < 0.02)
    flat = corners(dressed, walk.model, walk.truth.q[25:26])[0]
    assert abs(flat[:, 1].min()) < 0.005


def test_weights_add_up(dressed):
    np.testing.assert_allclose(dressed.weights.sum(1), 1.0)
    assert dressed.weights.min() >= 0.0
    assert dressed.triangles.max() < len(dressed.local)


def test_bodies_that_are_placed_carry_it_as_the_model_does(walk, dressed):
    q = walk.truth.q[30]
    poses = forward_kinematics(walk.model, q)
    np.testing.assert_allclose(
        carried(dressed, np.asarray(poses.R)[None], np.asarray(poses.p)[None]), corners(dressed, walk.model, q[None]), atol=1e-9
    )


def test_parts_and_colours_can_be_painted(walk):
    stretch = stretch_of(walk.model, walk.gait.person)
    plain = build_mannequin(walk.model, stretch).colors
    painted = build_mannequin(walk.model, stretch, {"trousers": (1.0, 0.0, 0.0), "leg": (0.0, 1.0, 0.0)}).colors
    red, green = (painted == [1.0, 0.0, 0.0]).all(1), (painted == [0.0, 1.0, 0.0]).all(1)
    assert red.any()
    assert green.sum() > red.sum()
    np.testing.assert_array_equal(painted[~red & ~green], plain[~red & ~green])
