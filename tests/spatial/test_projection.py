import jax.numpy as jnp
import numpy as np

from monomsk.spatial import projection

FOCAL, CENTER = jnp.array([900.0, 905.0]), jnp.array([360.0, 640.0])
PHONE = jnp.array([0.15, -0.4, 0.001, -0.002, 0.3])


def test_projection_of_a_known_point():
    np.testing.assert_allclose(projection.project(jnp.array([0.5, -1.0, 4.0]), FOCAL, CENTER), [472.5, 413.75])


def test_undistort_inverts_distort():
    ray = jnp.asarray(np.random.default_rng(0).uniform(-0.6, 0.6, (50, 2)))
    seen = projection.distort(ray, PHONE) * FOCAL + CENTER
    assert np.abs(seen - (ray * FOCAL + CENTER)).max() > 2.0
    np.testing.assert_allclose(projection.undistort(seen, FOCAL, CENTER, PHONE), ray * FOCAL + CENTER, atol=1e-3)


def test_distortion_is_opencvs():
    import cv2

    point = np.random.default_rng(1).uniform(-0.5, 0.5, (10, 3)) + np.array([0, 0, 2.0])
    K = np.array([[900.0, 0, 360], [0, 905.0, 640], [0, 0, 1]])
    theirs = cv2.projectPoints(point, np.zeros(3), np.zeros(3), K, np.asarray(PHONE))[0][:, 0]
    ours = projection.distort(jnp.asarray(point[:, :2] / point[:, 2:]), PHONE) * FOCAL + CENTER
    np.testing.assert_allclose(ours, theirs, atol=1e-9)
