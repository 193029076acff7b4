"""The inverse dynamics transformer by itself: what it says before it has learnt anything, and that a mirror makes no difference."""

from functools import cache

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from monomsk.kinetics.learned import mirrored, mirrored_ground
from monomsk.kinetics.transformer import DynamicsTransformer, Effort, Ground
from monomsk.nn.transformer import Shape

COORDINATES = ("pelvis_tilt", "pelvis_list", "knee_angle_r", "knee_angle_l")
POINTS = ("s1_r", "s2_r", "s1_l", "s2_l")
WINDOWS, FRAMES = 3, 12


@cache
def network(*, taught: bool) -> DynamicsTransformer:
    """Untrained, or with weights as a training might leave them."""
    plain = DynamicsTransformer(COORDINATES, POINTS, Shape(16, 2, 1), jax.random.key(0))
    if not taught:
        return plain
    weight = 0.2 * jax.random.normal(jax.random.key(1), plain.write.weight.shape)
    return eqx.tree_at(lambda n: n.write.weight, plain, weight)


@cache
def effort() -> Effort:
    random = np.random.default_rng(0)

    def some(*shape: int) -> jax.Array:
        return jnp.asarray(0.3 * random.normal(size=(WINDOWS, FRAMES, *shape)), jnp.float32)

    force = some(2, 3) + jnp.array([0.0, 0.2, 0.0])
    return Effort(
        time=jnp.tile(jnp.arange(FRAMES) / 60.0, (WINDOWS, 1)), posture=some(4), speed=some(4), acceleration=some(4),
        sigma=jnp.full((WINDOWS, FRAMES, 4), 0.05), needed=some(6), quick=some(6), force=force.at[..., 1].set(jax.nn.relu(force[..., 1])),
        cop=some(2, 3), point=some(4, 3), velocity=some(4, 3), seen=jnp.ones((WINDOWS, FRAMES, 1), bool),
        height=jnp.full(WINDOWS, 1.7), mass=jnp.full(WINDOWS, 70.0), trunk=jnp.ones(WINDOWS),
    )  # fmt: skip


@eqx.filter_jit
def said(network: DynamicsTransformer, effort: Effort) -> Ground:
    return network(effort)


def test_an_untrained_network_says_what_the_classic_way_says_where_that_is_what_the_motion_needs() -> None:
    agreed = effort()._replace(needed=jnp.concatenate([effort().needed[..., :3], effort().force.sum(-2)], -1))
    agreed = agreed._replace(quick=agreed.needed)
    found, stands = said(network(taught=False), agreed), np.asarray(agreed.force)[..., 1] > 0.0
    assert stands.any()
    assert not stands.all()
    np.testing.assert_array_equal(np.asarray(found.contact) > 0.0, stands)
    np.testing.assert_allclose(np.asarray(found.force)[stands], np.asarray(agreed.force)[stands], rtol=5e-3, atol=1e-6)
    np.testing.assert_allclose(np.asarray(found.cop)[..., [0, 2]], np.asarray(agreed.cop)[..., [0, 2]], atol=1e-6)


def test_a_mirror_makes_the_mirror_image_of_the_answer() -> None:
    """Of the mean of a window and its mirror image, which is what is used."""

    def both(effort: Effort) -> list[np.ndarray]:
        plain, other = (
            said(network(taught=True), effort),
            mirrored_ground(said(network(taught=True), mirrored(effort, network(taught=True)))),
        )
        return [0.5 * (np.asarray(a) + np.asarray(b)) for a, b in zip(plain, other, strict=True)]

    found = Ground(*both(effort()))
    image = mirrored_ground(Ground(*both(mirrored(effort(), network(taught=True)))))
    for name, a, b in zip(Ground._fields, found, image, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5, err_msg=name)
    assert np.abs(np.asarray(found.force[:, :, 0] - found.force[:, :, 1])).max() > 0.1


def test_mirroring_twice_changes_nothing() -> None:
    twice = mirrored(mirrored(effort(), network(taught=False)), network(taught=False))
    for a, b in zip(effort(), twice, strict=True):
        np.testing.assert_allclose(np.asarray(a), np.asarray(b), atol=1e-6)


def test_a_batch_is_its_windows_one_by_one_and_nothing_pulls() -> None:
    whole = said(network(taught=True), effort())
    for i in range(WINDOWS):
        alone = said(network(taught=True), jax.tree.map(lambda a, i=i: jnp.repeat(a[i : i + 1], WINDOWS, 0), effort()))
        for a, b in zip(whole, alone, strict=True):
            np.testing.assert_allclose(np.asarray(a)[i], np.asarray(b)[0], atol=1e-5)
    assert (np.asarray(whole.force)[..., 1] >= 0.0).all()
    assert (np.asarray(whole.force)[..., 1] > 0.0).any()
