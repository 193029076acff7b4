"""The kernel of muscle paths gives what the function in JAX gives, and so do its derivatives."""

from collections.abc import Callable
from dataclasses import replace

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from monomsk import native
from monomsk.model.compile import compile_model
from monomsk.model.model import Model
from monomsk.model.muscles import Muscles, compile_muscles
from monomsk.model.spec import Axis, Linear, ModelSpec, PathWrap, Vec3, Wrap
from monomsk.physics import muscle_path, native_paths
from monomsk.physics.forward_kinematics import Poses, forward_kinematics
from monomsk.physics.muscle_path import Paths
from pendulums import elbow, muscle

pytestmark = pytest.mark.skipif(not native.available(), reason="the installation has no kernels")

SIDES = ("all", "x", "-x", "y", "-y")
FLEXION = jnp.linspace(-1.4, 1.4, 12)[:, None]
Function = Callable[[Model, Muscles, Poses, jax.Array], Paths]


def made_up() -> ModelSpec:
    """Muscles over no, one and two cylinders and over a sphere, some through points that come, go and move."""
    rng = np.random.default_rng(4)

    def vector(low: float, high: float) -> Vec3:
        return tuple(float(v) for v in rng.uniform(low, high, 3))

    wraps, muscles = [], []
    for i in range(60):
        count = i % 3
        for k in range(count):
            body = ("humerus", "ulna")[k % 2]
            place = (*vector(-0.03, 0.03)[:1], -0.1 * k, 0.0)
            size = (float(rng.uniform(0.02, 0.07)), float(rng.choice([0.02, 0.4])))
            wraps.append(Wrap(f"w{i}_{k}", "WrapCylinder", body, place, vector(-0.6, 0.6), size, quadrant=str(rng.choice(SIDES))))
        points = [("humerus", (rng.uniform(-0.1, 0.1), 0.25, rng.uniform(-0.1, 0.1)))]
        if i % 4:
            points.append(("ulna", (rng.uniform(-0.12, 0.12), rng.uniform(-0.15, 0.0), rng.uniform(-0.1, 0.1))))
        points.append(("ulna", (rng.uniform(-0.1, 0.1), -0.25, rng.uniform(-0.1, 0.1))))
        uses = tuple(PathWrap(f"w{i}_{k}", (1, 2) if k == 0 and i % 5 == 0 else (-1, -1)) for k in range(count))
        made = muscle(f"m{i}", tuple((b, tuple(float(v) for v in p)) for b, p in points), wraps=uses)
        if i % 12 == 1:
            made = replace(made, points=(made.points[0], replace(made.points[1], coordinate="flexion", range=(-0.3, 0.9)), made.points[2]))
        if i % 12 == 2:
            axes = tuple(
                Axis(d, Linear(k, c), "flexion") for d, k, c in (((1, 0, 0), 0.02, 0.1), ((0, 1, 0), -0.03, -0.1), ((0, 0, 1), 0.0, 0.0))
            )
            made = replace(made, points=(made.points[0], replace(made.points[1], moving=axes), made.points[2]))
        muscles.append(made)
    wraps.append(Wrap("ball", "WrapSphere", "humerus", (0.0, 0.0, 0.0), (0.0, 0.0, 0.0), (0.06,)))
    over_ball = muscle("over_ball", (("humerus", (0.05, 0.25, 0.0)), ("ulna", (0.02, -0.25, 0.01))), wraps=(PathWrap("ball"),))
    return elbow(*muscles[:30], over_ball, *muscles[30:], wraps=tuple(wraps))


SPEC = made_up()
MODEL = compile_model(SPEC)


@pytest.fixture(scope="module", params=[False, True], ids=["shortest", "as_opensim"])
def muscles(request: pytest.FixtureRequest) -> Muscles:
    return compile_muscles(SPEC, MODEL.body_names, opensim_compat=request.param)


@eqx.filter_jit
def laid(function: Function, model: Model, muscles: Muscles, q: jax.Array) -> Paths:
    return jax.vmap(lambda x: function(model, muscles, forward_kinematics(model, x), x))(q)


def test_equals_the_function_in_jax(muscles: Muscles) -> None:
    plain, found = (laid(f, MODEL, muscles, FLEXION) for f in (muscle_path.muscle_paths, native_paths.muscle_paths))
    assert np.asarray(plain.length) == pytest.approx(np.asarray(found.length), abs=1e-12)
    assert np.asarray(plain.moment_arm) == pytest.approx(np.asarray(found.moment_arm), abs=1e-11)
    assert np.array_equal(plain.inside_of, found.inside_of)
    assert np.array_equal(plain.broken, found.broken)
    assert len(np.unique(np.asarray(found.inside_of))) > 3
    straight = laid(native_paths.muscle_paths, MODEL, compile_muscles(without_wraps(), MODEL.body_names), FLEXION)
    assert np.mean(np.abs(straight.length - found.length) > 1e-4) > 0.2


def without_wraps() -> ModelSpec:
    return replace(SPEC, muscles=tuple(replace(m, wraps=()) for m in SPEC.muscles))


def test_single_precision_and_one_frame(muscles: Muscles) -> None:
    model, few, q = jax.tree.map(
        lambda a: a.astype(jnp.float32) if jnp.issubdtype(a.dtype, jnp.floating) else a, (MODEL, muscles, FLEXION[3])
    )
    found = eqx.filter_jit(lambda: native_paths.muscle_paths(model, few, forward_kinematics(model, q), q))()
    exact = laid(native_paths.muscle_paths, MODEL, muscles, FLEXION)
    assert found.length.dtype == jnp.float32
    assert np.asarray(found.length) == pytest.approx(np.asarray(exact.length)[3], abs=2e-5)


def test_frames_may_have_bodies_of_their_own() -> None:
    muscles = compile_muscles(replace(SPEC, muscles=SPEC.muscles[:30]), MODEL.body_names)
    sizes = jnp.array([0.9, 1.0, 1.2])
    at = FLEXION[:3]

    def one(size: jax.Array, x: jax.Array) -> jax.Array:
        sized = eqx.tree_at(lambda m: m.location, muscles, muscles.location * size)
        return native_paths.muscle_paths(MODEL, sized, forward_kinematics(MODEL, x), x).length

    each = jax.jit(one)
    together = jax.jit(jax.vmap(one))(sizes, at)
    assert np.asarray(together) == pytest.approx(np.stack([each(s, x) for s, x in zip(sizes, at, strict=True)]), abs=1e-14)
    assert np.ptp(np.asarray(together), 0).min() > 1e-3


def test_derivatives_are_those_of_the_function_in_jax() -> None:
    muscles = compile_muscles(replace(SPEC, muscles=SPEC.muscles[1:5:3]), MODEL.body_names)
    assert {len(w.kinds) for w in muscles.wraps} == {1}

    @jax.jit
    def work(q: jax.Array, location: jax.Array) -> jax.Array:
        moved = eqx.tree_at(lambda m: m.location, muscles, location)
        found = native_paths.muscle_paths(MODEL, moved, forward_kinematics(MODEL, q), q)
        return jnp.sum(found.length**2) + jnp.sum(found.moment_arm)

    q, location, h = jnp.array([0.4]), muscles.location, 1e-6
    by_angle, by_place = jax.jit(jax.grad(work, (0, 1)))(q, location)
    assert float(by_angle[0]) == pytest.approx(float(work(q + h, location) - work(q - h, location)) / (2 * h), rel=1e-6)
    there, back = (location.at[0, 0, 0].add(d) for d in (h, -h))
    assert float(by_place[0, 0, 0]) == pytest.approx(float(work(q, there) - work(q, back)) / (2 * h), rel=1e-6)
