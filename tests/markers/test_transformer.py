"""The lifting transformer: what camera, place, size and side must not change, they do not."""

from dataclasses import replace

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from monomsk.errors import KeypointError
from monomsk.keypoints.skeleton import NAMES
from monomsk.markers import learned
from monomsk.markers.sight import Sight, core_of, look
from monomsk.markers.transformer import MarkerTransformer, mirrored_sight
from monomsk.model import sides
from monomsk.nn.transformer import Shape
from monomsk.types import Camera, Keypoints, Subject

MARKERS = (*NAMES, "RASI", "LASI", "C7")
NETWORK = MarkerTransformer(NAMES, MARKERS, Shape(32, 2, 2), jax.random.key(3))
# Random numbers in the last layers too: an untrained network would hardly look.
NETWORK = eqx.tree_at(lambda n: n.hand_on.weight, NETWORK, 0.1 * jax.random.normal(jax.random.key(4), NETWORK.hand_on.weight.shape))
FRAMES = 24


def points(seed: int = 0) -> np.ndarray:
    """Somebody about 4 m away, camera frame with y down [m]."""
    random = np.random.default_rng(seed)
    shape = random.normal(0.0, [0.2, 0.5, 0.2], (len(NAMES), 3))
    wander = np.cumsum(random.normal(0.0, 0.01, (FRAMES, len(NAMES), 3)), 0)
    return shape + wander + [0.3, 0.2, 4.0]


def sight(xyz: np.ndarray, down: np.ndarray) -> Sight:
    slope = xyz[..., :2] / xyz[..., 2:]
    seen = np.random.default_rng(9).uniform(size=slope.shape[:2]) > 0.1
    time = np.arange(FRAMES) / 30.0
    whole = (time, slope, np.full(slope.shape[:2], 0.002), seen, down, np.array(1.8), np.array(75.0))
    return Sight(*(jnp.asarray(v, jnp.bool_ if v.dtype == bool else jnp.float32) for v in whole))


def said(xyz: np.ndarray, down: np.ndarray):
    """In the camera frame."""
    return learned.lifted(NETWORK, sight(xyz, down))


DOWN = np.array([0.0, 1.0, 0.0])


def test_a_camera_turned_about_itself_sees_the_same_person():
    xyz = points()
    plain = said(xyz, DOWN)
    turn = Rotation.from_rotvec([0.15, -0.2, 0.1])
    other = said(turn.apply(xyz.reshape(-1, 3)).reshape(xyz.shape), turn.apply(DOWN))
    size = np.abs(plain.relative).max()
    assert turn.apply(plain.relative.reshape(-1, 3)).reshape(plain.relative.shape) == pytest.approx(other.relative, abs=2e-3 * size)
    assert turn.apply(plain.root) == pytest.approx(other.root, abs=1e-2)
    assert other.floor == pytest.approx(plain.floor, abs=2e-3)


def test_the_mirror_image_is_lifted_to_the_mirror_image():
    one = sight(points(), DOWN)
    other = mirrored_sight(one, jnp.asarray(sides.mirror_order(NAMES)))
    plain, mirrored = learned.lifted(NETWORK, one), learned.lifted(NETWORK, other)
    order = list(sides.mirror_order(MARKERS))
    assert order[len(NAMES) :] == [len(NAMES) + 1, len(NAMES), len(NAMES) + 2]
    assert mirrored.relative[:, order] * [-1.0, 1.0, 1.0] == pytest.approx(plain.relative, abs=1e-4)
    assert mirrored.depth[:, order] == pytest.approx(plain.depth, rel=1e-3)
    assert mirrored.contact[:, [2, 3, 0, 1]] == pytest.approx(plain.contact, abs=1e-4)


def test_a_person_twice_as_small_in_the_picture_looks_the_same_to_the_network():
    one = sight(points(), DOWN)
    plain, small = look(one, core_of(NAMES)), look(one._replace(slope=0.5 * one.slope, sigma=0.5 * one.sigma), core_of(NAMES))
    shape = np.asarray(plain.features)[:, : 4 * len(NAMES)]
    assert np.abs(shape).max() > 1.0
    assert np.asarray(small.features)[:, : 4 * len(NAMES)] == pytest.approx(shape, abs=0.05)
    assert float(small.size) == pytest.approx(0.5 * float(plain.size), rel=0.02)


def keypoints(time: np.ndarray, xyz: np.ndarray, focal: float) -> Keypoints:
    sigma = np.full(xyz.shape[:2], 3.0)
    return Keypoints(time, NAMES, xyz[..., :2] / xyz[..., 2:] * focal + [960.0, 540.0], sigma)


def test_markers_lie_over_the_floor_and_the_camera_where_it_sees_them():
    time = np.arange(FRAMES) / 30.0
    camera = Camera((1920, 1080), (1400.0, 1400.0), (960.0, 540.0), gravity=DOWN)
    markers, placed = learned.lift(keypoints(time, points(), 1400.0), camera, Subject(1.8, 75.0), NETWORK)
    assert markers.names == MARKERS
    assert markers.depth_sigma is not None
    assert np.isfinite(markers.xyz).all()
    assert (markers.sigma > 0.0).all()
    R = np.asarray(placed.R_camera_ground)
    assert R[:, 1] == pytest.approx(-DOWN, abs=1e-9)
    assert pytest.approx(np.eye(3), abs=1e-9) == R.T @ R
    said_root = said(points(), DOWN).root[0]
    assert (R.T @ (said_root - placed.p_camera_ground))[[0, 2]] == pytest.approx([0.0, 0.0], abs=0.2)


def test_keypoints_that_no_training_showed_are_kept_from_the_network():
    time = np.arange(FRAMES) / 30.0
    camera = Camera((1920, 1080), (1400.0, 1400.0), (960.0, 540.0), gravity=DOWN)
    body = tuple(name for name in MARKERS if not name.startswith("index"))
    network = MarkerTransformer(NAMES, body, Shape(32, 2, 2), jax.random.key(3))
    seen = keypoints(time, points(), 1400.0)
    fingers = [NAMES.index(f"index_{side}") for side in "rl"]
    elsewhere = seen.xy.copy()
    elsewhere[:, fingers] += 100.0
    one, other = (learned.lift(replace(seen, xy=xy), camera, Subject(1.8, 75.0), network)[0] for xy in (seen.xy, elsewhere))
    assert np.array_equal(one.xyz, other.xyz)


def test_faster_clips_are_lifted_to_the_same_curves():
    time = np.arange(4 * (FRAMES - 1) + 1) / 120.0
    slow = points()
    fast = np.stack([[np.interp(time, time[::4], slow[:, k, i]) for i in range(3)] for k in range(len(NAMES))]).transpose(2, 0, 1)
    camera = Camera((1920, 1080), (1400.0, 1400.0), (960.0, 540.0), gravity=DOWN)
    made = []
    for seen in (keypoints(time[::4], slow, 1400.0), keypoints(time, fast, 1400.0)):
        markers, placed = learned.lift(seen, camera, Subject(1.8, 75.0), NETWORK)
        # The ground frame looks where the person faces on average, which more frames change a little.
        made.append(markers.xyz @ np.asarray(placed.R_camera_ground).T + placed.p_camera_ground)
    assert len(made[1]) == len(time)
    assert made[1][::4] == pytest.approx(made[0], abs=1e-5)


def test_nobody_in_the_picture_is_said():
    camera = Camera((1920, 1080), (1400.0, 1400.0), (960.0, 540.0), gravity=DOWN)
    nobody = Keypoints(np.arange(5) / 30.0, NAMES, np.zeros((5, len(NAMES), 2)), np.full((5, len(NAMES)), np.inf))
    with pytest.raises(KeypointError, match="film the whole body"):
        learned.lift(nobody, camera, Subject(1.8, 75.0), NETWORK)
