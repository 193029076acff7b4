import jax
import jax.numpy as jnp
import numpy as np
import pytest

from bodies import random_state, shipped
from monomsk.io import osim_read, osim_write
from monomsk.io.body import load_body
from monomsk.model.compile import compile_model
from monomsk.model.edit import with_numbers
from monomsk.model.muscles import compile_muscles
from monomsk.model.scale import scale_model, scale_muscles
from monomsk.model.spec import PathWrap, Wrap
from monomsk.physics.center_of_mass import center_of_mass
from monomsk.physics.forward_kinematics import forward_kinematics, marker_positions
from monomsk.physics.muscle_path import muscle_paths
from pendulums import elbow, muscle

N = len(shipped().body_names)
UNEVEN = jnp.asarray(np.random.default_rng(3).uniform(0.85, 1.2, (N, 3)))


@jax.jit
def markers(model, q):
    return marker_positions(model, forward_kinematics(model, q))


def test_uniform_scale_makes_a_larger_body_of_the_same_shape():
    model, factor = shipped(), 1.2
    large = scale_model(model, jnp.full((N, 3), factor), 90.0)
    q, _, _ = random_state(model, 0)
    root = jnp.array(model.root[3:])
    far, near = markers(large, q.at[root].multiply(factor)), markers(model, q)
    np.testing.assert_allclose(far, factor * near, atol=1e-12)
    np.testing.assert_allclose(large.mass, model.mass * 90.0 / model.mass.sum())
    np.testing.assert_allclose(large.inertia, model.inertia * factor**2 * (90.0 / model.mass.sum()), rtol=1e-12)


def test_stretched_inertia_is_that_of_stretched_points():
    model = shipped()
    rng = np.random.default_rng(1)
    points, s = rng.normal(size=(30, 3)), np.array([0.8, 1.1, 1.3])
    points -= points.mean(0)

    def inertia(p):
        return sum((v @ v) * np.eye(3) - np.outer(v, v) for v in p)

    body = jax.tree_util.tree_map(lambda a: a, model)
    import equinox as eqx

    body = eqx.tree_at(lambda m: (m.inertia, m.mass), body, (jnp.tile(jnp.asarray(inertia(points)), (N, 1, 1)), jnp.full(N, 30.0)))
    stretched = scale_model(body, jnp.tile(jnp.asarray(s), (N, 1)), 30.0 * N)
    np.testing.assert_allclose(stretched.inertia[0], inertia(points * s), atol=1e-10)


def test_scaled_file_is_the_scaled_model(tmp_path):
    """Writing the scaled body and reading it back gives the arrays that were scaled."""
    spec, model = load_body(), shipped()
    sized = scale_model(model, UNEVEN, 80.0)
    osim_write.write(tmp_path / "scaled.osim", with_numbers(spec, sized, UNEVEN))
    back = compile_model(osim_read.read(tmp_path / "scaled.osim"))
    q, _, _ = random_state(model, 2)
    ours, theirs = (jax.jit(forward_kinematics)(m, q) for m in (sized, back))
    np.testing.assert_allclose(theirs.p, ours.p, atol=1e-12)
    np.testing.assert_allclose(center_of_mass(back, theirs), center_of_mass(sized, ours), atol=1e-12)
    np.testing.assert_allclose(back.inertia, sized.inertia, atol=1e-12)


def test_prescribed_translations_follow_the_parent_and_coordinates_do_not():
    model = shipped()
    sized = scale_model(model, jnp.full((N, 3), 1.1), 75.0)
    knee, pelvis = model.body("tibia_r"), model.body("pelvis")
    np.testing.assert_allclose(sized.gain[knee, 3:], 1.1)
    np.testing.assert_allclose(sized.gain[pelvis], 1.0)


def test_opensim_scales_the_same_lengths(tmp_path):
    """OpenSim's own Model.scale gives the same marker positions as ours."""
    opensim = pytest.importorskip("opensim")
    opensim.Logger.setLevelString("error")
    spec, model = load_body(), shipped()
    osim_write.write(tmp_path / "body.osim", spec)
    theirs = opensim.Model(str(tmp_path / "body.osim"))
    state = theirs.initSystem()
    scales = opensim.ScaleSet()
    for name, factors in zip(model.body_names, np.asarray(UNEVEN), strict=True):
        scale = opensim.Scale()
        scale.setSegmentName(name)
        scale.setScaleFactors(opensim.Vec3(*map(float, factors)))
        scale.setApply(True)
        scales.cloneAndAppend(scale)
    theirs.scale(state, scales, False, 80.0)
    state = theirs.initSystem()
    sized = scale_model(model, UNEVEN, 80.0)
    q = jnp.asarray([theirs.getCoordinateSet().get(n).getValue(state) for n in model.coordinate_names])
    ours = markers(sized, q)
    for name, position in zip(model.marker_names, ours, strict=True):
        where = theirs.getMarkerSet().get(name).getLocationInGround(state)
        np.testing.assert_allclose(position, [where.get(i) for i in range(3)], atol=1e-6)
    masses = [theirs.getBodySet().get(n).getMass() for n in model.body_names]
    np.testing.assert_allclose(sum(masses), 80.0, atol=1e-6)


def test_opensim_scales_the_same_wrap_surfaces(tmp_path):
    """Turned surfaces of every kind on an unevenly stretched body."""
    opensim = pytest.importorskip("opensim")
    opensim.Logger.setLevelString("error")
    spec = over_all_surfaces()
    osim_write.write(tmp_path / "body.osim", spec)
    theirs = opensim.Model(str(tmp_path / "body.osim"))
    state = theirs.initSystem()
    scales = opensim.ScaleSet()
    scale = opensim.Scale()
    scale.setSegmentName("humerus")
    scale.setScaleFactors(opensim.Vec3(0.8, 1.1, 1.3))
    scale.setApply(True)
    scales.cloneAndAppend(scale)
    theirs.scale(state, scales, False, 2.0)
    theirs.printToXML(str(tmp_path / "scaled.osim"))
    model, factors = compile_model(spec), jnp.array([[0.8, 1.1, 1.3], [1.0, 1.0, 1.0]])
    ours = with_numbers(spec, scale_model(model, factors, 2.0), factors)
    for wrap, right in zip(ours.wraps, osim_read.read(tmp_path / "scaled.osim").wraps, strict=True):
        np.testing.assert_allclose(wrap.dimensions, right.dimensions, rtol=1e-9, err_msg=wrap.kind)
        np.testing.assert_allclose(wrap.translation, right.translation, rtol=1e-9)
        np.testing.assert_allclose(wrap.rotation, right.rotation, rtol=1e-9)


def over_all_surfaces():
    sizes = {"WrapCylinder": (0.03, 0.1), "WrapSphere": (0.03,), "WrapEllipsoid": (0.03, 0.02, 0.04), "WrapTorus": (0.01, 0.05)}
    wraps = tuple(Wrap(kind, kind, "humerus", (0.02, -0.1, 0.03), (0.1, 0.6, 0.3), size) for kind, size in sizes.items())
    path = (("humerus", (0.05, 0.1, 0.0)), ("ulna", (0.04, -0.1, 0.0)))
    return elbow(*(muscle(kind, path, wraps=(PathWrap(kind),)) for kind in sizes), wraps=wraps)


def check_scaled_muscles(spec):
    """Arrays scaled are those of the scaled spec."""
    model = compile_model(spec)
    factors = jnp.asarray(np.random.default_rng(7).uniform(0.8, 1.25, (len(model.body_names), 3)))
    scaled = scale_muscles(compile_muscles(spec, model.body_names), factors)
    expected = compile_muscles(with_numbers(spec, scale_model(model, factors, 70.0), factors), model.body_names)
    assert jax.tree.structure(scaled) == jax.tree.structure(expected)
    for found, right in zip(jax.tree.leaves(scaled), jax.tree.leaves(expected), strict=True):
        np.testing.assert_allclose(found, right, rtol=1e-14, atol=1e-17)
    return scaled


def test_scaled_muscles_are_those_of_the_scaled_body():
    assert check_scaled_muscles(load_body()).wraps


def test_scaled_muscles_with_moving_points(shared):
    spec = osim_read.read(shared / "data/models/gait2392_thelen2003muscle.osim")
    assert check_scaled_muscles(spec).moving.row.size


def test_scaled_muscles_over_all_surfaces():
    check_scaled_muscles(over_all_surfaces())


def test_muscle_lengths_follow_the_factors_smoothly():
    """Gradient of all lengths by all factors, the body's size and its muscles' paths, against finite differences."""
    spec, model = load_body(), shipped()
    muscles, rng = compile_muscles(spec, model.body_names), np.random.default_rng(8)
    q = 0.5 * next(random_state(model, 4))
    weight, along = jnp.asarray(rng.normal(size=muscles.count)), jnp.asarray(rng.normal(size=(N, 3)))

    @jax.jit
    @jax.value_and_grad
    def f(factors):
        sized = scale_model(model, factors, 70.0)
        return weight @ muscle_paths(sized, scale_muscles(muscles, factors), forward_kinematics(sized, q), q).length

    factors, step = jnp.asarray(rng.uniform(0.9, 1.1, (N, 3))), 1e-6
    numeric = (f(factors + step * along)[0] - f(factors - step * along)[0]) / (2 * step)
    np.testing.assert_allclose(jnp.vdot(f(factors)[1], along), numeric, rtol=1e-6)
