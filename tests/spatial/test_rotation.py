import jax
import jax.numpy as jnp
import numpy as np
from scipy.spatial.transform import Rotation

from monomsk.spatial import rotation


def test_axis_angle_agrees_with_scipy():
    v = np.random.default_rng(0).normal(size=(20, 3))
    angle = np.linalg.norm(v, axis=-1)
    ours = rotation.from_axis_angle(jnp.asarray(v / angle[:, None]), jnp.asarray(angle))
    np.testing.assert_allclose(ours, Rotation.from_rotvec(v).as_matrix(), atol=1e-14)


def test_exp_is_axis_angle_and_smooth_at_zero():
    v = jnp.array([0.3, -0.2, 0.9])
    np.testing.assert_allclose(rotation.exp(v), Rotation.from_rotvec(np.array(v)).as_matrix(), atol=1e-14)
    np.testing.assert_allclose(rotation.exp(jnp.zeros(3)), np.eye(3), atol=0)
    slope = jax.jacfwd(rotation.exp)(jnp.zeros(3))
    np.testing.assert_allclose(slope[:, :, 0], rotation.skew(jnp.array([1.0, 0, 0])), atol=1e-12)
    near, far = (jax.jacfwd(rotation.exp)(jnp.array([s, 0.0, 0.0])) for s in (0.9e-6, 1.1e-6))
    np.testing.assert_allclose(near, far, atol=1e-6)


def test_xyz_agrees_with_scipy():
    angles = np.random.default_rng(1).uniform(-1.4, 1.4, (20, 3))
    R = rotation.from_xyz(jnp.asarray(angles))
    np.testing.assert_allclose(R, Rotation.from_euler("XYZ", angles).as_matrix(), atol=1e-14)


def test_zxy_agrees_with_scipy_and_back():
    angles = np.random.default_rng(3).uniform(-1.4, 1.4, (20, 3))
    R = rotation.from_zxy(jnp.asarray(angles))
    np.testing.assert_allclose(R, Rotation.from_euler("ZXY", angles).as_matrix(), atol=1e-14)
    np.testing.assert_allclose(rotation.zxy(R), angles, atol=1e-12)


def test_skew_is_the_cross_product():
    a, b = np.random.default_rng(2).normal(size=(2, 3))
    np.testing.assert_allclose(rotation.skew(jnp.asarray(a)) @ b, np.cross(a, b), atol=1e-14)
