"""The compiled kernels give what the same functions in JAX give, and so do their derivatives."""

import os
import subprocess
import sys
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from bodies import random_state, shipped
from monomsk import native
from monomsk.model.compile import compile_model
from monomsk.model.model import Model
from monomsk.model.scale import scale_model
from monomsk.model.spec import Axis, Body, Coordinate, Frame, Joint, Linear, ModelSpec, Polynomial, Spline, Vec3
from monomsk.physics import inverse_dynamics, mass_matrix, native_dynamics

pytestmark = pytest.mark.skipif(not native.available(), reason="the installation has no kernels")


def crooked() -> Model:
    """Two roots, oblique axes, curves in all places, a weld that turns, and one coordinate that drives three slots."""
    bent = Spline("SimmSpline", (-1.0, 0.2, 0.9, 1.6), (0.3, -0.2, 0.4, 0.1))

    def joint(name: str, parent: str, drivers: tuple[str | None, ...]) -> Joint:
        directions: tuple[Vec3, ...] = (
            (0.0, 0.6, 0.8),
            (1.0, 0.0, 0.0),
            (0.0, 0.0, -1.0),
            (0.6, 0.0, 0.8),
            (0.0, 1.0, 0.0),
            (0.0, 0.0, 1.0),
        )
        functions = (Linear(1.0), bent, Linear(-0.7, 0.2), Polynomial((0.1, -0.3, 0.2, 0.4)), Linear(0.5), Linear(0.3, 0.1))
        axes = [Axis(d, f, c) for d, f, c in zip(directions, functions, drivers, strict=True)]
        frames = Frame((0.1, -0.4, 0.2), (0.3, -0.2, 0.5)), Frame((0.02, 0.3, -0.1), (-0.1, 0.4, 0.2))
        coordinates = tuple(Coordinate(c, True, (-1.5, 1.5)) for c in dict.fromkeys(c for c in drivers if c is not None))
        return Joint(name, "CustomJoint", parent, f"{name}_body", *frames, tuple(axes[:3]), tuple(axes[3:]), coordinates)

    joints = (
        joint("one", "ground", ("a", "b", "c", "a", "d", "e")),
        joint("two", "one_body", ("f", "f", "f", "f", "g", "g")),
        joint("three", "two_body", ("h", None, "i", None, "i", None)),
        joint("four", "one_body", ("j", "k", "j", "k", "j", "k")),
        joint("five", "ground", ("l", "m", "n", "l", "m", "n")),
    )
    bodies = tuple(Body(j.child, 2.0, (0.1, -0.2, 0.05), (0.03, 0.02, 0.04, 0.001, 0.002, -0.003)) for j in joints)
    return compile_model(ModelSpec("crooked", bodies, joints))


BODIES: dict[str, Callable[[], Model]] = {"shipped": shipped, "crooked": crooked}


@pytest.fixture(scope="module", params=BODIES)
def body(request: pytest.FixtureRequest) -> Model:
    return BODIES[request.param]()


def frames(model: Model, count: int, seed: int = 0) -> tuple[jax.Array, ...]:
    """States, accelerations and wrenches of several frames."""
    rng = np.random.default_rng(seed)
    states = [tuple(random_state(model, seed + i)) for i in range(count)]
    q, qd, qdd = (jnp.stack(column) for column in zip(*states, strict=True))
    return q, qd, qdd, jnp.asarray(rng.normal(size=(count, len(model.body_names), 6)) * 50.0)


@pytest.mark.parametrize("count", [1, 2, 13])
def test_one_frame_or_many_are_as_in_jax(body: Model, count: int) -> None:
    q, qd, qdd, f_ext = frames(body, count)
    for ours, theirs, inputs in (
        (native_dynamics.inverse_dynamics, inverse_dynamics.inverse_dynamics, (q, qd, qdd, f_ext)),
        (native_dynamics.inverse_dynamics, inverse_dynamics.inverse_dynamics, (q, qd, qdd)),
        (native_dynamics.mass_matrix, mass_matrix.mass_matrix, (q,)),
    ):
        expected, found = (jax.jit(jax.vmap(lambda *x, f=function: f(body, *x)))(*inputs) for function in (theirs, ours))
        np.testing.assert_allclose(found, expected, atol=1e-12 * float(jnp.abs(expected).max()), rtol=0)
        alone = ours(body, *(x[-1] for x in inputs))
        np.testing.assert_allclose(alone, expected[-1], atol=1e-12 * float(jnp.abs(expected).max()), rtol=0)


def test_single_precision(body: Model) -> None:
    q, qd, qdd, f_ext = frames(body, 9)
    small = jax.tree.map(lambda a: a.astype(jnp.float32), (body, q, qd, qdd, f_ext))
    found = jax.vmap(native_dynamics.inverse_dynamics, in_axes=(None, 0, 0, 0, 0))(*small)
    assert found.dtype == jnp.float32
    expected = jax.jit(jax.vmap(inverse_dynamics.inverse_dynamics, in_axes=(None, 0, 0, 0, 0)))(body, q, qd, qdd, f_ext)
    np.testing.assert_allclose(found, expected, atol=1e-5 * float(jnp.abs(expected).max()), rtol=0)


def test_derivatives_by_the_frame(body: Model) -> None:
    inputs = tuple(a[0] for a in frames(body, 1, seed=3))
    weight = jnp.asarray(np.random.default_rng(4).normal(size=body.nq))
    found, expected = (
        jax.jit(jax.grad(lambda x, f=function: weight @ f(body, *x)))(inputs)
        for function in (native_dynamics.inverse_dynamics, inverse_dynamics.inverse_dynamics)
    )
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-12 * float(jnp.abs(theirs).max()), rtol=0)


def test_derivatives_by_the_body() -> None:
    model = shipped()
    q, qd, qdd, _ = (a[0] for a in frames(model, 1, seed=5))
    factors = jnp.asarray(np.random.default_rng(6).uniform(0.9, 1.1, (len(model.body_names), 3)))

    def slopes(function, *rest):
        def value(factors, q):
            return jnp.sum(jnp.sin(function(scale_model(model, factors, 70.0), q, *rest) / 50.0))

        return jax.jit(jax.grad(value, (0, 1)))(factors, q)

    for ours, theirs, rest in (
        (native_dynamics.inverse_dynamics, inverse_dynamics.inverse_dynamics, (qd, qdd)),
        (native_dynamics.mass_matrix, mass_matrix.mass_matrix, ()),
    ):
        for found, expected in zip(slopes(ours, *rest), slopes(theirs, *rest), strict=True):
            np.testing.assert_allclose(found, expected, atol=1e-11 * float(jnp.abs(expected).max()), rtol=0)


def test_frames_may_each_have_a_body_and_axes_may_be_nested() -> None:
    model = crooked()
    q, qd, qdd, f_ext = (a.reshape(2, 3, *a.shape[1:]) for a in frames(model, 6))
    size = jnp.asarray([0.8, 1.0, 1.3])

    def of(function):
        def one(s, *x):
            return function(scale_model(model, jnp.full((len(model.body_names), 3), s), 9.0), *x)

        return jax.jit(jax.vmap(jax.vmap(one), in_axes=(None, 0, 0, 0, 0)))(size, q, qd, qdd, f_ext)

    expected = of(inverse_dynamics.inverse_dynamics)
    np.testing.assert_allclose(of(native_dynamics.inverse_dynamics), expected, atol=1e-12 * float(jnp.abs(expected).max()), rtol=0)


def test_the_folded_mass_matrix_is_solved(body: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some coordinates locked, one following another of its own branch, one of a distant branch."""
    rng = np.random.default_rng(8)
    free = list(range(body.nq - 4))
    follows = (*free, 2, free[-1], -1, -1)
    q = frames(body, 3, seed=9)[0]
    rate = jnp.where(jnp.arange(body.nq) < len(free), 1.0, jnp.asarray(rng.normal(size=(3, body.nq))))
    diagonal, right = (jnp.asarray(rng.uniform(0.1, 1.0, (3, len(free)))) for _ in range(2))

    def solve() -> jax.Array:
        return jax.vmap(lambda *x: native_dynamics.solve_mass_matrix(body, follows, *x))(q, rate, diagonal, right)

    found = solve()
    monkeypatch.setattr(native, "available", lambda: False)
    np.testing.assert_allclose(found, solve(), rtol=1e-9, atol=1e-9)


def test_it_runs_without_kernels() -> None:
    code = (
        "import sys; sys.path.insert(0, 'tests'); from monomsk.physics import native_dynamics as n; from monomsk import native;"
        "from bodies import legs; from monomsk.model.compile import compile_model; m = compile_model(legs());"
        "assert not native.available(); print(float(n.inverse_dynamics(m, *[m.coordinate_default] * 3)[4]))"
    )
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    out = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "MONOMSK_NATIVE": "0"}, cwd=root, capture_output=True, text=True, check=True
    )
    model = shipped()
    tau = native_dynamics.inverse_dynamics(model, *[model.coordinate_default] * 3)
    assert float(out.stdout) == pytest.approx(float(tau[4]), rel=1e-9)
