"""What the networks are taught: a perfect answer costs nothing, and it is what the camera sees."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from monomsk.datasets.fitting import generic_body
from monomsk.datasets.procedural import procedural_clip
from monomsk.datasets.seeing import load_noise
from monomsk.datasets.windows import WindowsConfig, draw, pack_clips, windows
from monomsk.io.body import load_anatomy
from monomsk.keypoints.skeleton import NAMES
from monomsk.kinematics.transformer import Posture
from monomsk.markers.sight import core_of, look
from monomsk.markers.transformer import Lifted, MarkerTransformer
from monomsk.nn.transformer import Shape
from monomsk.training import kinematics, markers

CONFIG = WindowsConfig(frames=10, build=0.0)
SILENT = jax.tree.map(lambda a: a if a.dtype == bool else jnp.zeros_like(a), load_noise())._replace(
    layouts=load_noise().layouts, shares=load_noise().shares, mixing=load_noise().mixing
)


@pytest.fixture(scope="module")
def seen():
    """Three windows, their sights without errors, and the truth."""
    body = markers.training_body(CONFIG)
    source = pack_clips([procedural_clip("lunge", 3, generic_body(), load_anatomy())])
    names = markers.marker_names(body)

    @jax.jit
    def made(pack, drawn, key):
        moving = windows(body, pack, drawn, CONFIG)
        return moving, *markers.seen_by_cameras(moving, key, body, SILENT, names)

    moving, sight, truth = made(source.pack, draw(source, 3, CONFIG, np.random.default_rng(0)), jax.random.key(1))
    return body, moving, names, sight, truth


def test_the_truth_is_what_the_camera_sees(seen):
    _, moving, names, sight, truth = seen
    where = (np.asarray(truth.relative) + np.asarray(truth.root)[:, :, None]) * np.asarray(moving.stature)[:, None, None, None]
    for k, name in enumerate(NAMES):
        if name in names:
            at = where[:, :, names.index(name)]
            good = np.asarray(sight.seen)[:, :, k]
            # The common error is not silent, and neither is the lens; both are small.
            off = np.abs(at[..., :2] / at[..., 2:] - np.asarray(sight.slope)[:, :, k])[good]
            assert off.size == 0 or np.median(off) < 0.02, name


def lifted_as(truth: markers.Truth) -> Lifted:
    sure = jnp.full((*truth.relative.shape[:3], 2), -4.0)
    odds = jnp.where(truth.contact > 0.5, 20.0, -20.0)
    return Lifted(truth.relative, sure, truth.root, jnp.full(truth.floor.shape, -4.0), truth.floor, odds)


def test_a_perfect_lift_costs_nothing(seen):
    _, moving, _, sight, truth = seen

    @jax.jit
    def told(lifted, truth):
        return {n: jnp.mean(v) for n, v in markers.figures(lifted, truth, moving.stature).items()}

    truth = jax.jit(lambda t, s: t.turned(jax.vmap(lambda s: look(s, core_of(NAMES)))(s).R_camera_view))(truth, sight)
    right = {n: float(v) for n, v in told(lifted_as(truth), truth).items()}
    assert all(right[n] < 1e-4 for n in ("position", "velocity", "distance", "across", "floor", "contact"))
    shifted = lifted_as(truth)._replace(relative=truth.relative + jnp.array([0.0, 0.03, 0.04]))
    wrong = told(shifted, truth)
    assert float(wrong["position"]) == pytest.approx(0.05, abs=1e-4)
    assert float(wrong["sigma"]) > right["sigma"]


def test_a_perfect_posture_costs_nothing(seen):
    body, moving, names, _, _ = seen
    lifting = MarkerTransformer(NAMES, names, Shape(16, 2, 1), jax.random.key(0))
    config = kinematics.KinematicsTraining(measured=1.0)
    cloud, target = jax.jit(lambda m, k: kinematics.clouds(lifting, m, k, body, SILENT, config))(moving, jax.random.key(2))
    network = kinematics.new_network(body, names, Shape(16, 2, 1), jax.random.key(0))
    lengths = jnp.zeros((3, len(network.segments)))
    posture = Posture(target.R_frame_pelvis, target.joints, jnp.full((*target.joints.shape[:2], target.joints.shape[2] + 3), -4.0), lengths)

    @jax.jit
    def told(posture, target):
        return {n: jnp.mean(v) for n, v in kinematics.figures(posture, target, moving.stature, body).items()}

    mean = {n: float(v) for n, v in told(posture, target).items()}
    assert mean["degrees"] < 1e-3
    assert mean["pelvis"] < 1e-3
    assert mean["angle_velocity"] < 1e-5
    # Sizes of this person are not the generic body's; directions are right to a few per cent of the stature.
    assert mean["position"] < 0.03
    turned = posture._replace(joints=posture.joints + 0.1)
    assert float(told(turned, target)["degrees"]) == pytest.approx(5.73, abs=0.01)
    # Markers that were measured are seen where they are, about the hips.
    hips = [names.index(f"hip_{s}") for s in "rl"]
    middle = np.asarray(cloud.xyz)[:, :, hips].mean(2)
    assert np.abs(middle).max() < 0.1


def test_one_step_of_both_trainings_goes_downhill(seen):
    body, moving, names, _, _ = seen
    noise = load_noise()
    lifting = MarkerTransformer(NAMES, names, Shape(16, 2, 1), jax.random.key(0))
    network = kinematics.new_network(body, names, Shape(16, 2, 1), jax.random.key(1))
    key = jax.random.key(5)

    def descends(network, loss):
        # One program for both looks: the slope of the second costs less than a program without it.
        told = eqx.filter_jit(eqx.filter_value_and_grad(loss))
        before, slope = told(network)
        size = sum(float(np.sum(np.asarray(g) ** 2)) for g in jax.tree.leaves(slope))
        step = 1e-3 * float(before) / size
        after, _ = told(eqx.apply_updates(network, jax.tree.map(lambda g: np.asarray(-step * np.asarray(g), g.dtype), slope)))
        assert np.isfinite(size)
        assert float(after) < float(before)

    descends(lifting, lambda n: markers.loss(n, moving, key, body, noise, markers.LossConfig())[0])
    descends(network, lambda n: kinematics.loss(n, lifting, moving, key, body, noise, kinematics.KinematicsTraining())[0])
