"""The classic fit on a walker whose joints are known."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from bodies import legs
from monomsk.config import KinematicsConfig
from monomsk.errors import ModelError
from monomsk.io.body import load_anatomy
from monomsk.kinematics import levenberg, residuals
from monomsk.kinematics.classic import fit
from monomsk.kinematics.scene import build_frames, build_prior, build_scene
from monomsk.kinematics.start import starting_coordinates
from monomsk.markers.lift import lift
from monomsk.model.compile import compile_model
from monomsk.types import Subject, Trial
from walker import CAMERA, seen_walker

PERSON = Subject(1.75, 72.0)
FRAMES = 60


@pytest.fixture(scope="module")
def walk():
    motion, _, keypoints, _, _ = seen_walker(FRAMES, noise=3.0, depth_error=0.06)
    markers, camera = lift(keypoints, CAMERA, PERSON)
    return motion, keypoints, markers, camera


@pytest.fixture(scope="module")
def fitted(walk):
    _, keypoints, markers, camera = walk
    return fit(trial(keypoints, markers, camera), load_anatomy(), KinematicsConfig())


def trial(keypoints, markers, camera) -> Trial:
    return Trial(PERSON, camera=camera, keypoints=keypoints, markers=markers, body=legs())


def problem(walk):
    _, keypoints, markers, camera = walk
    body, anatomy = legs(), load_anatomy()
    model = compile_model(body.with_markers(anatomy.anchors_on(body)))
    scene = build_scene(model, camera, anatomy, KinematicsConfig())
    frames = build_frames(scene, keypoints, markers, camera, anatomy=anatomy, config=KinematicsConfig(), stride=1)
    prior = build_prior(scene, camera, PERSON, anatomy, duration=1.0)
    return scene, frames, prior, starting_coordinates(model, markers)[:, list(scene.free)]


def test_angles_come_back(fitted, walk):
    names, truth = fitted.motion.names, walk[0]
    for base, tolerance in (("hip_flexion", 6.0), ("knee_angle", 6.0), ("ankle_angle", 8.0)):
        for side in "rl":
            i, j = names.index(f"{base}_{side}"), truth.names.index(f"{base}_{side}")
            error = np.degrees(np.abs(fitted.motion.q[:, i] - truth.q[:, j]).mean())
            assert error < tolerance, f"{base}_{side}: {error:.1f} deg"


def test_errors_are_told_and_drawn(fitted):
    motion = fitted.motion
    assert motion.sigma.shape == motion.q.shape
    assert motion.draws.shape == (KinematicsConfig().draws, *motion.q.shape)
    column = [motion.names.index(f"{n}_{s}") for n in ("hip_flexion", "knee_angle", "ankle_angle") for s in "rl"]
    assert (np.degrees(motion.sigma[:, column]) > 0.3).all()
    assert (np.degrees(motion.sigma[:, column].mean(0)) < 30.0).all()
    still = np.array([c.locked for c in fitted.body.coordinates])
    np.testing.assert_array_equal(motion.sigma[:, still], 0.0)
    np.testing.assert_array_equal(motion.draws[..., still], 0.0)


def test_the_body_has_the_persons_height_and_mass(fitted):
    assert fitted.body.mass == pytest.approx(72.0, abs=1e-6)
    model = compile_model(fitted.body)
    thigh = float(np.linalg.norm(np.asarray(model.p_parent_joint)[model.body("tibia_r")]))
    right, left = (np.asarray(model.p_parent_joint)[model.body(f"tibia_{s}")] for s in "rl")
    assert thigh == pytest.approx(0.4096 * 1.75 / 1.70, rel=0.06)
    np.testing.assert_allclose(right[:2], left[:2], atol=1e-9)


def test_planted_feet_neither_slide_nor_sink(fitted):
    assert fitted.motion.quality["foot_slide_m_per_s"] < 0.08
    assert fitted.motion.quality["floor_penetration_m"] < 0.03


def test_couplings_and_limits_hold(fitted):
    names, q = fitted.motion.names, fitted.motion.q
    for side in "rl":
        np.testing.assert_allclose(q[:, names.index(f"knee_angle_{side}_beta")], q[:, names.index(f"knee_angle_{side}")], atol=1e-9)
        assert np.degrees(q[:, names.index(f"knee_angle_{side}")].min()) > -6.0


def test_it_repeats_bit_for_bit(fitted, walk):
    _, keypoints, markers, camera = walk
    again = fit(trial(keypoints, markers, camera), load_anatomy(), KinematicsConfig())
    np.testing.assert_array_equal(again.motion.q, fitted.motion.q)


def test_the_gradient_of_the_linearised_problem_is_that_of_the_cost(walk):
    scene, frames, prior, x = problem(walk)
    frames = replace(frames, planted=np.full_like(frames.planted, 0.7))
    part, window = next(levenberg.chunks(frames, x))
    unknown = jnp.asarray(prior.unknown)
    normal = residuals.linearise(scene, part, window, unknown)
    by_x, by_unknown = jax.grad(lambda w, u: residuals.cost(scene, part, w, u).sum(), (0, 1))(jnp.asarray(window), unknown)
    ours = np.zeros_like(window)
    ours[:-1] += normal.gradient
    ours[1:] += normal.next_gradient
    np.testing.assert_allclose(ours[: len(x)], by_x[: len(x)], rtol=1e-6, atol=1e-6 * np.abs(by_x).max())
    np.testing.assert_allclose(normal.shared_gradient, by_unknown, rtol=1e-6, atol=1e-6 * np.abs(by_unknown).max())


def test_the_start_puts_the_pelvis_where_it_is(walk):
    markers = walk[2]
    model = compile_model(legs())
    q = starting_coordinates(model, markers)
    names = list(model.coordinate_names)
    height = q[:, names.index("pelvis_ty")]
    truth = walk[0]
    assert np.abs(height - truth.q[:, truth.names.index("pelvis_ty")]).mean() < 0.15
    assert np.abs(np.degrees(q[:, names.index("pelvis_tilt")])).mean() < 20


def test_a_body_without_legs_is_refused(walk):
    _, keypoints, markers, camera = walk
    body = legs()
    kept = [j for j in body.joints if j.child in ("pelvis", "torso")]
    trunk = replace(
        body, joints=tuple(kept), bodies=tuple(b for b in body.bodies if b.name in ("pelvis", "torso")), couplers=(), contacts=()
    )
    with pytest.raises(ModelError, match="no body for the hip"):
        fit(replace(trial(keypoints, markers, camera), body=trunk), load_anatomy(), KinematicsConfig())
