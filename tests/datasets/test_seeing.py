"""Simulated cameras and their errors, against the numbers they are made from."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from monomsk.datasets.seeing import Pose, load_noise, place_camera, see, white_noise
from monomsk.keypoints.skeleton import NAMES

FRAMES = 400
TIME = jnp.arange(FRAMES) / 60.0
PERSON = (jnp.asarray(1.7), jnp.asarray(70.0))
POSE = Pose(jnp.diag(jnp.array([1.0, -1.0, -1.0])), jnp.array([0.0, 1.0, 4.0]))
"""Four metres before the person, looking level; its right is the ground's X."""


def still() -> jax.Array:
    """Somebody flat and far from the picture's edges, all keypoints equally near."""
    random = np.random.default_rng(1)
    shape = random.uniform([-0.3, 0.2, -1e-3], [0.3, 1.8, 1e-3], (len(NAMES), 3))
    return jnp.asarray(np.broadcast_to(shape, (FRAMES, len(NAMES), 3)))


@pytest.fixture(scope="module")
def errors() -> tuple[np.ndarray, np.ndarray]:
    """Errors about their median in many clips [statures], NaN where sides are exchanged or in bursts, and what is seen."""
    points = still()
    slope = np.asarray((points - POSE.position)[..., :2] * jnp.array([1.0, -1.0]) / 4.0)
    run = jax.jit(jax.vmap(lambda key: see(key, load_noise(), POSE, points, TIME, PERSON)))
    sight, lens = run(jax.random.split(jax.random.key(0), 96))
    seen = np.asarray(sight.seen)
    error = (np.asarray(sight.slope) / np.asarray(lens)[:, None, None, None] - slope) * 4.0 / 1.7
    error = np.where(seen[..., None], error, np.nan)
    with np.errstate(all="ignore"):
        own = error - np.nanmedian(error, 1, keepdims=True)
    return np.where(np.abs(own).max(-1, keepdims=True) < 0.035, own, np.nan), seen


@pytest.mark.filterwarnings("ignore:All-NaN slice")
def test_errors_are_as_large_and_as_lasting_as_measured(errors):
    own, _ = errors
    noise = load_noise()
    for name in ("hip_r", "knee_l", "ankle_r", "shoulder_l"):
        k = NAMES.index(name)
        expected = np.hypot(float(noise.slow[k]), float(noise.white[k]))
        assert np.nanstd(own[:, :, k]) == pytest.approx(expected, rel=0.3), name
        step = np.nanstd(np.diff(own[:, :, k], axis=1)) / np.nanstd(own[:, :, k])
        assert step == pytest.approx(np.sqrt(2.0 * (1.0 - float(noise.memory[k]))), rel=0.4), name


@pytest.mark.filterwarnings("ignore:All-NaN slice")
def test_neighbours_err_together(errors):
    own, _ = errors

    def together(a: str, b: str) -> float:
        x, y = own[:, :, NAMES.index(a)].ravel(), own[:, :, NAMES.index(b)].ravel()
        both = np.isfinite(x + y)
        return float(np.corrcoef(x[both], y[both])[0, 1])

    assert together("heel_r", "ankle_r") > 0.5 > 0.25 > together("heel_r", "wrist_l")


def test_white_errors_are_as_large_and_forget_at_once():
    run = jax.jit(jax.vmap(lambda key: see(key, white_noise(), POSE, still(), TIME, PERSON)))
    sight, lens = run(jax.random.split(jax.random.key(0), 24))
    slope = np.asarray((still() - POSE.position)[..., :2] * jnp.array([1.0, -1.0]) / 4.0)
    error = (np.asarray(sight.slope) / np.asarray(lens)[:, None, None, None] - slope) * 4.0 / 1.7
    k, noise = NAMES.index("knee_r"), load_noise()
    own = np.where(np.asarray(sight.seen)[:, :, k, None], error[:, :, k], np.nan)
    size = np.sqrt(noise.slow[k] ** 2 + noise.white[k] ** 2 + np.mean(np.asarray(noise.bias)[k] ** 2))
    assert np.nanstd(own) == pytest.approx(float(size), rel=0.35)
    assert abs(np.nanmean(own[:, 1:] * own[:, :-1])) < 0.25 * np.nanvar(own)


def test_formats_differ_in_what_they_have_and_some_of_it_is_lost(errors):
    _, seen = errors
    has = seen.any(1)
    assert has[:, NAMES.index("knee_r")].all()
    assert 0.02 < 1.0 - has[:, NAMES.index("heel_r")].mean() < 0.35
    share = seen[:, :, NAMES.index("knee_r")].mean()
    assert 0.85 < share < 0.995


def test_equal_keys_see_the_same():
    one, other = (see(jax.random.key(7), load_noise(), POSE, still(), TIME, PERSON)[0] for _ in range(2))
    assert np.array_equal(one.slope, other.slope)
    assert np.array_equal(one.seen, other.seen)


def test_points_that_do_not_exist_are_never_seen():
    sight, _ = see(jax.random.key(3), load_noise(), POSE, still().at[:, 5].set(jnp.nan), TIME, PERSON)
    assert not np.asarray(sight.seen)[:, 5].any()
    assert np.isfinite(sight.slope).all()


def test_cameras_stand_all_around_and_look_at_the_person():
    points = still() + jnp.array([3.0, 0.0, -2.0])
    poses = jax.vmap(lambda key: place_camera(key, points))(jax.random.split(jax.random.key(2), 300))
    away = np.asarray(poses.position) - np.asarray(points).mean((0, 1))
    angle = np.arctan2(away[:, 2], away[:, 0])
    assert np.histogram(angle, 6, (-np.pi, np.pi))[0].min() > 25
    assert np.linalg.norm(away[:, [0, 2]], axis=1).min() > 1.4
    assert np.linalg.norm(away[:, [0, 2]], axis=1).max() < 8.5
    seen = np.einsum("kij,kj->ki", np.asarray(poses.R_camera_ground), -away)
    assert (seen[:, 2] > 0.9 * np.linalg.norm(seen, axis=1)).mean() > 0.9


def test_a_hidden_limb_is_taken_for_the_other_for_a_while():
    noise = jax.tree.map(lambda a: a if a.dtype == bool else jnp.zeros_like(a), load_noise())
    noise = noise._replace(shares=load_noise().shares, mixing=load_noise().mixing, taken=jnp.array([0.3, 0.3]))
    run = jax.jit(jax.vmap(lambda key: see(key, noise, POSE, still(), TIME, PERSON)))
    sight, lens = run(jax.random.split(jax.random.key(0), 24))
    slope = np.asarray((still() - POSE.position)[..., :2] * jnp.array([1.0, -1.0]) / 4.0)
    found = np.where(np.asarray(sight.seen)[..., None], np.asarray(sight.slope) / np.asarray(lens)[:, None, None, None], np.nan)
    own, other = (np.linalg.norm(found[:, :, NAMES.index("knee_r")] - slope[:, NAMES.index(n)], axis=-1) for n in ("knee_r", "knee_l"))
    apart = np.linalg.norm(slope[0, NAMES.index("knee_r")] - slope[0, NAMES.index("knee_l")])
    away = own > 0.5 * apart
    assert 0.1 < away[np.isfinite(own)].mean() < 0.5
    assert np.nanmax(other[away]) < 0.5 * apart
    hip = found[:, :, NAMES.index("hip_r")] - slope[:, NAMES.index("hip_r")]
    assert np.nanmax(np.abs(hip)) < 0.02
