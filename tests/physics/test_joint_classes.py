"""Every class of joint against OpenSim, which knows some joints' speeds as angular velocities where ours are rates of coordinates."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from bodies import random_state
from joint_chains import ALL_CLASSES, chain
from monomsk.io import osim_write
from monomsk.io.osim_joints import NATIVE
from monomsk.model.compile import compile_model
from monomsk.model.edit import with_numbers
from monomsk.model.model import Model
from monomsk.model.scale import scale_model
from monomsk.model.spec import Marker, ModelSpec
from monomsk.physics import native_dynamics
from monomsk.physics.energy import kinetic_energy, momentum
from monomsk.physics.equations_of_motion import accelerations
from monomsk.physics.forward_dynamics import articulated_body, forward_dynamics
from monomsk.physics.forward_kinematics import forward_kinematics, marker_positions, points_on_bodies
from monomsk.physics.inverse_dynamics import inverse_dynamics, velocity_kinematics
from monomsk.physics.jacobian import point_jacobian
from monomsk.physics.mass_matrix import mass_matrix
from monomsk.spatial import rotation

ORACLE = Path(__file__).parents[1] / "oracles/joints.npz"
STATION = (0.1, -0.2, 0.3)
SPINNING = ("BallJoint", "FreeJoint", "EllipsoidJoint")
"""Classes whose first three speeds are, in Simbody, the angular velocity in the parent's joint frame."""


@cache
def ellipsoids() -> Model:
    """Two ellipsoids, one on the other, and a pin between them."""
    spec = chain(("EllipsoidJoint", "PinJoint"))
    first = spec.joints[0]
    x, y, z = (replace(a, coordinate=f"second_{a.coordinate}") for a in first.rotations)
    coordinates = tuple(replace(c, name=f"second_{c.name}") for c in first.coordinates)
    second = replace(first, name="second", parent="PinJoint_body", child="second_body", rotations=(x, y, z), coordinates=coordinates)
    second = replace(second, parent_frame=first.child_frame, child_frame=first.parent_frame, radii=(0.1, 0.25, 0.4))
    body = replace(spec.bodies[0], name="second_body")
    joints, marker = (*spec.joints, second), Marker("tip", "second_body", STATION)
    return compile_model(ModelSpec("ellipsoids", (*spec.bodies, body), joints, markers=(marker,)))


def speeds_per_rate(spec: ModelSpec, model: Model, q: jax.Array) -> jax.Array:
    """Simbody's speeds are this matrix times the rates of the coordinates."""
    matrix = jnp.eye(model.nq)
    for j in spec.joints:
        if j.kind in SPINNING:
            at = jnp.array([model.coordinate(c.name) for c in j.coordinates[:3]])
            x, y, z = jnp.eye(3)
            first = rotation.from_axis_angle(x, q[at[0]])
            both = first @ rotation.from_axis_angle(y, q[at[1]])
            matrix = matrix.at[at[:, None], at].set(jnp.stack([x, first @ y, both @ z], 1))
    return matrix


def check_against_opensim(theirs: dict[str, np.ndarray]) -> None:
    spec = chain(ALL_CLASSES)
    model = compile_model(spec)
    order = np.array([list(theirs["coordinates"]).index(name) for name in model.coordinate_names])
    by_body = [model.body(name) for name in sorted(model.body_names)]
    n = len(model.body_names)

    @jax.jit
    def ours(q: jax.Array, u: jax.Array, u_rate: jax.Array) -> tuple[jax.Array, ...]:
        """Transformation, station, marker, mass matrix and generalized forces."""
        T = speeds_per_rate(spec, model, q)
        qd = jnp.linalg.solve(T, u)
        T_rate = jax.jvp(lambda v: speeds_per_rate(spec, model, v), (q,), (qd,))[1]
        qdd = jnp.linalg.solve(T, u_rate - T_rate @ qd)
        poses = jax.jit(forward_kinematics)(model, q)
        stations = points_on_bodies(poses, tuple(range(n)), jnp.tile(jnp.array(STATION), (n, 1)))
        tau = inverse_dynamics(model, q, qd, qdd, simbody_compatible=True)
        return T, stations[jnp.array(by_body)], marker_positions(model, poses), mass_matrix(model, q), tau

    for i in range(len(theirs["q"])):
        T, station, marker, M, tau = ours(*(jnp.asarray(theirs[name][i][order]) for name in ("q", "qd", "qdd")))
        np.testing.assert_allclose(station, theirs["station"][i], atol=1e-12, rtol=0)
        np.testing.assert_allclose(marker, theirs["marker"][i], atol=1e-12, rtol=0)
        half = np.zeros((model.nq, model.nq))
        half[np.triu_indices(model.nq)] = theirs["mass_matrix"][i]
        their_M = T.T @ (half + np.triu(half, 1).T)[np.ix_(order, order)] @ T
        np.testing.assert_allclose(M, their_M, atol=1e-12 * float(jnp.abs(M).max()), rtol=0)
        their_tau = T.T @ theirs["tau"][i][order]
        np.testing.assert_allclose(tau, their_tau, atol=1e-12 * float(jnp.abs(tau).max()), rtol=0)


def test_every_class_is_opensims() -> None:
    assert set(ALL_CLASSES) == {"CustomJoint", *NATIVE}
    with np.load(ORACLE) as file:
        check_against_opensim({k.partition("/")[2]: v for k, v in file.items() if k.startswith("chain/")})


def test_every_class_is_opensims_today(tmp_path: Path) -> None:
    pytest.importorskip("opensim")
    from oracles import make_joints

    check_against_opensim(make_joints.record_chain(tmp_path, 23))


def test_an_ellipsoids_frame_lies_on_it_where_its_z_axis_points() -> None:
    model = compile_model(chain(("EllipsoidJoint",)))
    q, _, _ = random_state(model, 1)
    poses = jax.jit(forward_kinematics)(model, q)
    local = model.R_parent_joint[0].T @ (poses.pivot[0] - model.p_parent_joint[0])
    radii = model.radii[0]
    np.testing.assert_allclose(jnp.sum((local / radii) ** 2), 1.0, rtol=1e-12)
    z = model.R_parent_joint[0].T @ poses.R[0] @ model.R_child_joint[0][:, 2]
    # OpenSim's point is radii ∘ z: the normal of a sphere, and of an ellipsoid in these stretched coordinates only.
    np.testing.assert_allclose(local, radii * z, atol=1e-12)


def test_velocities_and_accelerations_over_an_ellipsoid_are_derivatives() -> None:
    model = ellipsoids()
    q, qd, qdd = random_state(model, 2)

    @jax.jit
    def point(v: jax.Array) -> jax.Array:
        return marker_positions(model, forward_kinematics(model, v))

    poses = jax.jit(forward_kinematics)(model, q)
    J = jax.jit(point_jacobian, static_argnums=2)(model, poses, model.marker_body, point(q))
    np.testing.assert_allclose(J, jax.jacfwd(point)(q), atol=1e-12)
    found = jax.jit(velocity_kinematics)(model, poses, qd, qdd)
    b, arm = model.marker_body[0], point(q)[0] - found.origin
    speed = jax.jvp(point, (q,), (qd,))[1][0]
    np.testing.assert_allclose(found.v[b, 3:] + jnp.cross(found.v[b, :3], arm), speed, atol=1e-12)
    acceleration = jax.jvp(lambda v, w: jax.jvp(point, (v,), (w,))[1], (q, qd), (qd, qdd))[1][0]
    theirs = found.a[b, 3:] + jnp.cross(found.a[b, :3], arm) + jnp.cross(found.v[b, :3], speed)
    np.testing.assert_allclose(theirs, acceleration, atol=1e-11)


def test_dynamics_over_an_ellipsoid_undo_each_other() -> None:
    model = ellipsoids()
    q, qd, qdd = random_state(model, 3)
    tau = jax.jit(inverse_dynamics)(model, q, qd, qdd)
    for way in (forward_dynamics, articulated_body):
        np.testing.assert_allclose(jax.jit(way)(model, q, qd, tau), qdd, atol=1e-10)
    M, poses = mass_matrix(model, q), forward_kinematics(model, q)
    np.testing.assert_allclose(jax.jit(kinetic_energy)(model, poses, qd), 0.5 * qd @ M @ qd, rtol=1e-12)
    linear = model.mass @ jax.jvp(jax.jit(lambda v: _centers(model, v)), (q,), (qd,))[1]
    np.testing.assert_allclose(jax.jit(momentum)(model, poses, qd)[3:], linear, atol=1e-12)


def _centers(model: Model, q: jax.Array) -> jax.Array:
    poses = jax.jit(forward_kinematics)(model, q)
    return points_on_bodies(poses, tuple(range(len(model.body_names))), model.mass_center)


def test_a_body_with_an_ellipsoid_goes_without_kernels() -> None:
    model = ellipsoids()
    assert not native_dynamics.compiled(model)
    q, qd, qdd = random_state(model, 4)
    for found, expected, inputs in (
        (native_dynamics.inverse_dynamics, inverse_dynamics, (q, qd, qdd)),
        (native_dynamics.mass_matrix, mass_matrix, (q,)),
        (accelerations, forward_dynamics, (q, qd, qdd)),
    ):
        np.testing.assert_allclose(jax.jit(found)(model, *inputs), jax.jit(expected)(model, *inputs), atol=1e-10)


def test_gradients_over_an_ellipsoid_by_all_numbers() -> None:
    """By coordinates, speeds, accelerations, radii and masses at once."""
    model, rng = ellipsoids(), np.random.default_rng(5)
    at = (*random_state(model, 5), model.radii, model.mass)
    along = [jnp.asarray(rng.normal(size=v.shape)) for v in at]

    @jax.jit
    def f(q: jax.Array, qd: jax.Array, qdd: jax.Array, radii: jax.Array, mass: jax.Array) -> jax.Array:
        body = Model(**{**model.__dict__, "radii": radii, "mass": mass})
        return jnp.sum(jnp.sin(inverse_dynamics(body, q, qd, qdd) / 10.0))

    step = 1e-6
    ahead, behind = (f(*(v + sign * step * d for v, d in zip(at, along, strict=True))) for sign in (1, -1))
    slope = sum(float(jnp.vdot(g, d)) for g, d in zip(jax.grad(f, argnums=(0, 1, 2, 3, 4))(*at), along, strict=True))
    np.testing.assert_allclose(slope, float(ahead - behind) / (2 * step), rtol=1e-6)


def test_radii_are_scaled_as_in_opensim(tmp_path: Path) -> None:
    """And the scaled numbers written back are those of the scaled body."""
    opensim = pytest.importorskip("opensim")
    opensim.Logger.setLevelString("off")
    spec = chain(("PinJoint", "EllipsoidJoint"))
    model, factors = compile_model(spec), np.array([[0.8, 1.1, 1.3], [0.9, 1.2, 1.05]])
    osim_write.write(tmp_path / "body.osim", spec)
    theirs = opensim.Model(str(tmp_path / "body.osim"))
    scales = opensim.ScaleSet()
    for name, row in zip(model.body_names, factors, strict=True):
        scale = opensim.Scale()
        scale.setSegmentName(name)
        scale.setScaleFactors(opensim.Vec3(*map(float, row)))
        scale.setApply(True)
        scales.cloneAndAppend(scale)
    theirs.scale(theirs.initSystem(), scales, False, 5.0)
    radii = opensim.EllipsoidJoint.safeDownCast(theirs.getJointSet().get(1)).get_radii_x_y_z()
    sized = scale_model(model, jnp.asarray(factors), 5.0)
    np.testing.assert_allclose(sized.radii[0], [radii.get(i) for i in range(3)], rtol=1e-15)
    back = with_numbers(spec, sized, jnp.asarray(factors)).joints[1].radii
    assert back is not None
    np.testing.assert_array_equal(back, sized.radii[0])
