"""Errors of lifting: none for the truth, and known ones for known mistakes."""

from dataclasses import replace

import jax.numpy as jnp
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from datasets.motions import squatting
from monomsk.datasets.fitting import generic_body
from monomsk.evaluation.lifting import ANGLES, PELVIS, Errors, angle_errors, look_at, point_error, with_keypoints
from monomsk.types import Markers, Motion


@pytest.fixture(scope="module")
def seen():
    return list(look_at([squatting()], views=2, seed=3))


def truth(one):
    """The true motion, camera, and markers."""
    model = one.clip.body(generic_body())
    motion = Motion(one.keypoints.time, model.coordinate_names, np.array(model.rotational), one.q)
    turn = Rotation.from_euler("ZXY", one.q[:, :3]).as_matrix()
    R = one.pelvis[0] @ turn[0].T
    camera = replace(one.camera, R_camera_ground=R, p_camera_ground=np.zeros(3))
    empty = Markers(motion.time, (), np.zeros((len(motion.time), 0, 3)), np.zeros((len(motion.time), 0)))
    return motion, camera, with_keypoints(empty, motion, model)


def test_the_truth_has_no_error(seen):
    for one in seen:
        motion, camera, markers = truth(one)
        assert point_error(one, markers, camera) == pytest.approx(0.0, abs=1e-2)
        assert Errors(0.0, angle_errors(one, motion, camera)).mean_angle == pytest.approx(0.0, abs=1e-3)


def test_known_mistakes_are_found(seen):
    motion, camera, markers = truth(seen[0])
    q = motion.q.copy()
    q[:, motion.names.index("knee_angle_r")] += np.radians(8.0)
    errors = angle_errors(seen[0], replace(motion, q=q), camera)
    assert errors["knee_angle"] == pytest.approx(4.0, abs=1e-3)
    assert Errors(0.0, errors).mean_angle == pytest.approx(8.0 / 13.0, abs=1e-3)
    tipped = replace(camera, R_camera_ground=Rotation.from_euler("x", 5.0, degrees=True).as_matrix() @ camera.R_camera_ground)
    turned = angle_errors(seen[0], motion, tipped)
    assert np.linalg.norm([turned[n] for n in PELVIS]) == pytest.approx(5.0, abs=0.3)
    assert all(turned[n] == pytest.approx(0.0, abs=1e-6) for n in ANGLES)
    longer = replace(markers, xyz=markers.xyz * 1.1)
    assert 20.0 < point_error(seen[0], longer, camera) < 120.0


def test_views_differ_and_repeat(seen):
    again = list(look_at([squatting()], views=2, seed=3))
    assert all(np.array_equal(a.keypoints.xy, b.keypoints.xy) for a, b in zip(seen, again, strict=True))
    assert not np.allclose(seen[0].pelvis[0], seen[1].pelvis[0], atol=0.05)
    assert jnp.isfinite(jnp.asarray(seen[0].keypoints.depth)).all()
    assert seen[0].subject.height == pytest.approx(squatting().stature)
