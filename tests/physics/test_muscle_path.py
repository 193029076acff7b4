"""Muscle paths: answers known from geometry, OpenSim's numbers, and moment arms as −dL/dq."""

from dataclasses import replace
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from bodies import shipped
from monomsk.errors import ModelError
from monomsk.io import osim_read
from monomsk.io.body import load_body
from monomsk.model.compile import compile_model
from monomsk.model.model import Model, complete
from monomsk.model.muscles import Muscles, compile_muscles
from monomsk.model.spec import Axis, Linear, ModelSpec, PathPoint, PathWrap, Wrap
from monomsk.physics.forward_kinematics import forward_kinematics
from monomsk.physics.muscle import FRAMES, MuscleStates, muscle_states
from monomsk.physics.muscle_path import coupled, muscle_paths
from pendulums import elbow, muscle

ORACLE = np.load(Path(__file__).parents[1] / "oracles/muscles.npz")


def paths(model: Model, muscles: Muscles, q):
    q = complete(model, q)
    found = muscle_paths(model, muscles, forward_kinematics(model, q), q)
    return found.length, coupled(model, q, found.moment_arm), found.inside_of


def of(spec: ModelSpec, q: float, **options):
    model = compile_model(spec)
    muscles = compile_muscles(spec, model.body_names, **options)
    length, arm, inside = jax.jit(lambda q: paths(model, muscles, q))(jnp.array([q]))
    return np.asarray(length), np.asarray(arm)[:, 0], np.asarray(inside)


def test_straight_muscle_has_the_lever_of_plane_geometry() -> None:
    q, a, b = 0.7, 0.3, 0.05
    length, arm, _ = of(elbow(muscle("m", (("humerus", (0.0, -a, 0.0)), ("ulna", (b, 0.0, 0.0))))), q)
    expected = np.hypot(b * np.cos(q), a + b * np.sin(q))
    assert length[0] == pytest.approx(expected, abs=1e-12)
    assert arm[0] == pytest.approx(-a * b * np.cos(q) / expected, abs=1e-12)


def test_a_cylinder_about_the_joint_gives_its_radius_as_lever() -> None:
    wrap = Wrap("pulley", "WrapCylinder", "humerus", (0.0, 0.0, 0.0), (0.0, 0.0, 0.0), (0.03, 0.2), quadrant="-x")
    m = muscle("m", (("humerus", (-0.05, 0.3, 0.01)), ("ulna", (-0.05, -0.3, 0.01))), wraps=(PathWrap("pulley"),))
    for q in (0.9, 1.4):
        _, arm, _ = of(elbow(m, wraps=(wrap,)), q)
        assert abs(arm[0]) == pytest.approx(0.03, abs=1e-12)


def test_a_conditional_point_counts_in_its_range_only() -> None:
    points = (("humerus", (0.0, 0.3, 0.0)), ("humerus", (0.1, 0.0, 0.0)), ("ulna", (0.0, -0.2, 0.0)))
    m = muscle("m", points)
    via = replace(m.points[1], coordinate="flexion", range=(0.5, 2.0))
    spec = elbow(replace(m, points=(m.points[0], via, m.points[2])))
    without = elbow(replace(m, points=(m.points[0], m.points[2])))
    assert of(spec, 0.4)[0] == pytest.approx(of(without, 0.4)[0], abs=1e-12)
    assert of(spec, 0.6)[0] == pytest.approx(of(elbow(m), 0.6)[0], abs=1e-12)
    assert of(spec, 0.6)[1] == pytest.approx(of(elbow(m), 0.6)[1], abs=1e-12)


def test_a_moving_point_works_too() -> None:
    m = muscle("m", (("humerus", (0.0, 0.3, 0.0)), ("ulna", (0.05, -0.1, 0.0))))
    axes = tuple(Axis(d, Linear(k, c), "flexion") for d, k, c in (((1, 0, 0), 0.02, 0.05), ((0, 1, 0), -0.01, -0.1), ((0, 0, 1), 0.0, 0.0)))
    spec = elbow(replace(m, points=(m.points[0], replace(m.points[1], moving=axes))))
    h = 1e-6
    slope = (of(spec, 0.6 + h)[0] - of(spec, 0.6 - h)[0]) / (2 * h)
    assert of(spec, 0.6)[1] == pytest.approx(-slope, abs=1e-8)


def test_a_point_inside_the_cylinder_is_told() -> None:
    wrap = Wrap("pulley", "WrapCylinder", "humerus", (0.0, 0.0, 0.0), (0.0, 0.0, 0.0), (0.2, 0.2))
    m = muscle("m", (("humerus", (-0.05, 0.1, 0.0)), ("ulna", (-0.05, -0.4, 0.0))), wraps=(PathWrap("pulley"),))
    assert of(elbow(m, wraps=(replace(wrap, name="elsewhere"), wrap)), 0.1)[2].tolist() == [1]
    assert of(elbow(m, wraps=(replace(wrap, dimensions=(0.05, 0.2)),)), 0.1)[2].tolist() == [-1]


def test_a_path_with_one_point_left_is_told() -> None:
    m = muscle("m", (("humerus", (0.0, 0.3, 0.0)), ("ulna", (0.05, -0.1, 0.0))))
    via = replace(m.points[1], coordinate="flexion", range=(0.5, 2.0))
    model = compile_model(elbow(m))
    muscles = compile_muscles(elbow(replace(m, points=(m.points[0], via))), model.body_names)
    for q, broken in ((0.2, True), (0.8, False)):
        at = jnp.array([q])
        assert bool(muscle_paths(model, muscles, forward_kinematics(model, at), at).broken[0]) == broken


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"kind": "RigidTendonMuscle"}, "RigidTendonMuscle"),
        ({"points": (PathPoint("a", "humerus", (0, 0, 0)),)}, "two or more"),
        ({"points": (PathPoint("a", "rib", (0, 0, 0)), PathPoint("b", "ulna", (0, 0, 0)))}, "'rib'"),
        ({"wraps": (PathWrap("nothing"),)}, "'nothing'"),
        ({"optimal_fiber_length": 0.0}, "optimal_fiber_length"),
    ],
)
def test_what_cannot_be_computed_is_named(change, words) -> None:
    spec = elbow(replace(muscle("biceps", (("humerus", (0, 0, 0)), ("ulna", (0, 1, 0)))), **change))
    with pytest.raises(ModelError, match="biceps") as error:
        compile_muscles(spec, ("humerus", "ulna"))
    assert words in str(error.value)


@pytest.mark.parametrize(
    ("kind", "size", "words"),
    [("WrapCone", (0.2,), "WrapCone"), ("WrapSphere", (0.0,), "positive"), ("WrapTorus", (0.2, 0.1), "outer radius 0.1")],
)
def test_a_surface_that_cannot_be_computed_is_named(kind: str, size: tuple[float, ...], words: str) -> None:
    ball = Wrap("ball", kind, "humerus", (0, 0, 0), (0, 0, 0), size)
    spec = elbow(muscle("m", (("humerus", (0, 0, 0)), ("ulna", (0, 1, 0))), wraps=(PathWrap("ball"),)), wraps=(ball,))
    with pytest.raises(ModelError, match="ball") as error:
        compile_muscles(spec, ("humerus", "ulna"))
    assert words in str(error.value)


def states(model: Model, muscles: Muscles, q) -> MuscleStates:
    """By the very program that static optimization uses, which is compiled once for all tests of a body."""
    padded = jnp.concatenate([jnp.asarray(q), jnp.zeros((FRAMES - len(q), model.nq))])
    return jax.tree.map(lambda a: np.asarray(a)[: len(q)], muscle_states(model, muscles, padded, jnp.zeros_like(padded)))


def check_against_opensim(spec: ModelSpec, model: Model, q: np.ndarray, length: np.ndarray, arm: np.ndarray, about: list[int]) -> None:
    """Lengths within 1e-5 m, moment arms within 1e-4 m for 99 % and 3e-4 m for all (OpenSim's tangency is good to 0.1°)."""
    found = states(model, compile_muscles(spec, model.body_names, opensim_compat=True), q)
    assert np.abs(found.length - length).max() < 1.2e-5
    error = np.abs(found.moment_arm[:, :, about] - arm)
    assert np.mean(error < 1e-4) > 0.99
    assert error.max() < 3e-4


def test_equals_opensim() -> None:
    model = shipped()
    order = [list(ORACLE["coordinates"]).index(n) for n in model.coordinate_names]
    about = [model.coordinate(n) for n in ORACLE["about"]]
    spec = load_body()
    assert [m.name for m in spec.muscles] == list(ORACLE["muscles"])
    check_against_opensim(spec, model, ORACLE["q"][:, order], ORACLE["length"], ORACLE["moment_arm"], about)


@pytest.mark.parametrize("name", ["RajagopalLaiUhlrich2023", "gait2392_thelen2003muscle"])
def test_equals_the_living_opensim(shared: Path, name: str) -> None:
    opensim = pytest.importorskip("opensim")
    opensim.Logger.setLevelString("error")
    path = shared / f"data/models/{name}.osim"
    spec = osim_read.read(path)
    model = compile_model(spec)
    living = opensim.Model(str(path))
    state = living.initSystem()
    coordinates = [living.getCoordinateSet().get(n) for n in model.coordinate_names]
    muscles = [living.getMuscles().get(i) for i in range(living.getMuscles().getSize())]
    about = [i for i in model.free if model.coordinate_names[i].startswith(("hip", "knee", "ankle", "subtalar"))]
    rng = np.random.default_rng(7)
    q, length, arm = [], [], []
    for _ in range(6):
        for i, c in enumerate(coordinates):
            if i in model.free:
                c.setValue(state, rng.uniform(max(c.getRangeMin(), -2.0), min(c.getRangeMax(), 2.0)), False)
        living.assemble(state)
        living.realizePosition(state)
        q.append([c.getValue(state) for c in coordinates])
        length.append([m.getLength(state) for m in muscles])
        arm.append([[m.computeMomentArm(state, coordinates[i]) for i in about] for m in muscles])
    check_against_opensim(spec, model, np.array(q), np.array(length), np.array(arm), about)


def test_moment_arms_are_the_derivative_of_the_lengths() -> None:
    model, spec = shipped(), load_body()
    muscles = compile_muscles(spec, model.body_names)
    low, high = np.clip(np.asarray(model.coordinate_range).T, -1.8, 1.8)
    q = np.random.default_rng(3).uniform(low, high, (4, model.nq))
    h = 1e-6
    about = [model.coordinate(n) for n in ("hip_flexion_r", "hip_rotation_l", "knee_angle_r", "ankle_angle_l", "subtalar_angle_r")]
    steps = [h * np.eye(model.nq)[i] for i in about]
    found = states(model, muscles, np.concatenate([q, *(q + s for s in steps), *(q - s for s in steps)]))
    length = found.length[4:].reshape(2, len(about), 4, -1)
    slope = np.moveaxis((length[0] - length[1]) / (2 * h), 0, -1)
    error = np.abs(slope + found.moment_arm[:4][:, :, about])
    # A path that begins to wrap between the two postures has no derivative there.
    assert np.quantile(error, 0.995) < 2e-8


def over_two_pulleys() -> ModelSpec:
    """One cylinder a segment, askew, so that the path is a pair of helices."""
    wraps = (
        Wrap("upper", "WrapCylinder", "humerus", (0.0, 0.06, 0.0), (0.3, 0.1, 0.0), (0.04, 0.5)),
        Wrap("lower", "WrapCylinder", "ulna", (0.0, -0.08, 0.0), (-0.2, 0.3, 0.0), (0.03, 0.5), quadrant="-x"),
    )
    points = (("humerus", (-0.05, 0.3, 0.03)), ("ulna", (-0.01, -0.3, -0.05)))
    return elbow(muscle("m", points, wraps=(PathWrap("upper"), PathWrap("lower"))), wraps=wraps)


def test_a_path_over_two_cylinders_is_the_shortest_and_differentiates() -> None:
    spec = over_two_pulleys()
    model = compile_model(spec)
    muscles = compile_muscles(spec, model.body_names)
    run = jax.jit(jax.vmap(lambda q: paths(model, muscles, q)[:2]))
    gradient = jax.jit(jax.vmap(jax.jacrev(lambda q: paths(model, muscles, q)[0])))
    q = jnp.linspace(0.3, 1.5, 5)[:, None]
    h = 1e-6
    slope = (run(q + h)[0] - run(q - h)[0]) / (2 * h)
    np.testing.assert_allclose(run(q)[1][:, :, 0], -slope, atol=1e-6)
    np.testing.assert_allclose(gradient(q)[..., 0], slope, atol=1e-6)
    # Frames together are frames alone.
    for i in range(5):
        np.testing.assert_allclose(run(q[i : i + 1])[0][0], run(q)[0][i], atol=1e-14)
