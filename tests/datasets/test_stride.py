import jax
import jax.numpy as jnp
import numpy as np
import pytest

from monomsk.datasets import stride as strides
from monomsk.physics.inverse_dynamics import inverse_dynamics


def test_shares_add_up_and_have_no_jumps():
    phase = jnp.linspace(-1.0, 2.0, 3001)
    share = np.asarray(jax.vmap(strides.load_share)(phase))
    np.testing.assert_allclose(share.sum(1), 1.0, atol=1e-12)
    assert np.abs(np.diff(share, 2, axis=0)).max() < 6e-4
    np.testing.assert_allclose(np.asarray(strides.load_share(jnp.array(0.3))), [1.0, 0.0])
    np.testing.assert_allclose(np.asarray(strides.load_share(jnp.array(0.8))), [0.0, 1.0])


@pytest.mark.parametrize("phase", [0.0, 0.03, 0.055, 0.1, 0.3, 0.5, 0.57, 0.9])
def test_any_motion_is_carried_exactly(walk, phase):
    """Not only the shipped walk: the split is exact for whatever wrench is needed."""
    model, stride = walk.model, walk.gait.stride
    key = jax.random.split(jax.random.key(int(phase * 1000)), 2)
    q, qd, qdd = strides.coordinates(model, stride, jnp.array(phase))
    rates = (q, qd + 0.1 * jax.random.normal(key[0], q.shape), qdd + jax.random.normal(key[1], q.shape))
    print_ = strides.footprint(model, stride, strides.marks_of_footprint(model))
    loads = strides.foot_loads(model, stride, print_, jnp.array(phase), rates)
    tau = inverse_dynamics(model, *rates, strides.external_forces(model, loads))
    assert np.abs(np.asarray(tau)[list(model.root)]).max() < 1e-8
    unloaded = np.asarray(loads.share) == 0.0
    assert np.all(np.asarray(loads.force)[unloaded] == 0.0)
    assert np.all(np.asarray(loads.moment)[unloaded] == 0.0)


def test_the_path_of_pressure_has_no_jumps(walk):
    marks = strides.marks_of_footprint(walk.model)
    print_ = strides.footprint(walk.model, walk.gait.stride, marks)
    path = np.asarray(jax.vmap(lambda p: strides.pressure_path(walk.gait.stride, print_, p))(jnp.linspace(-0.7, 1.7, 2401)))
    assert np.abs(np.diff(path, axis=0)).max() < 0.012
    right, left = path[:, 0], path[:, 1]
    half = float(walk.gait.stride.length) / 2
    np.testing.assert_allclose(left[500:], right[:-500] * [1.0, 1.0, -1.0] + [half, 0.0, 0.0], atol=1e-9)
