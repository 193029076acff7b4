"""Where the bodies are: poses in the ground frame from the coordinates, level by level through the tree."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from monomsk.model import functions
from monomsk.model.model import Model
from monomsk.model.one_program import as_one_program
from monomsk.spatial import rotation


class Poses(eqx.Module):
    """Poses of all bodies, and of the slots of their joints, in the ground frame."""

    R: Float[Array, "body 3 3"]
    """`R[b] @ v` takes a vector of body b to the ground frame."""
    p: Float[Array, "body 3"]
    """Body origins [m]."""
    axis: Float[Array, "body 6 3"]
    """Axes of the slots."""
    pivot: Float[Array, "body 3"]
    """Point about which a joint rotates: origin of its moving frame [m]."""
    slot_rate: Float[Array, "body 6"]
    """First derivative of each slot's displacement by its coordinate."""
    slot_curvature: Float[Array, "body 6"]
    """Second derivative."""
    stretch: Float[Array, "ellipsoid 3 3"]
    """Of every EllipsoidJoint: takes the third slot's axis to the pivot's place on the ellipsoid, from its centre."""
    ellipsoid: tuple[int, ...] = eqx.field(static=True)
    """Bodies of these joints."""


def slot_displacements(model: Model, q: Float[Array, " nq"]) -> tuple[Float[Array, "body 6"], ...]:
    """Displacement of every slot [rad or m], and its first and second derivative by its coordinate."""
    shape = model.slope.shape
    x = (model.slot_to_coordinate @ q).reshape(shape)
    value, first, second = model.slope * x + model.intercept, model.slope, jnp.zeros_like(model.slope)
    if model.curve_slot:
        slot = jnp.array(model.curve_slot)
        curve = functions.evaluate(model.curves, x.reshape(-1)[slot])
        value, first, second = (a.reshape(-1).at[slot].set(c).reshape(shape) for a, c in zip((value, first, second), curve, strict=True))
    return model.gain * value, model.gain * first, model.gain * second


@as_one_program
def forward_kinematics(model: Model, q: Float[Array, " nq"]) -> Poses:
    """Poses of all bodies at the coordinates q [rad, m], every coordinate taken as given (see `model.complete`).

    Joint convention of OpenSim's CustomJoint: translate along the axes of the fixed frame, then rotate about the
    first, the turned second and the turned third axis (Seth et al. 2010). The moving frame of an EllipsoidJoint lies on
    its ellipsoid, at the half axes times the components of the third axis (Simbody's MobilizedBody::Ellipsoid).
    """
    value, first, second = slot_displacements(model, q)
    turns = rotation.from_axis_angle(model.axis[:, :3], value[:, :3])
    R1, R2, R3 = turns[:, 0], turns[:, 1], turns[:, 2]
    R12 = R1 @ R2
    shift = jnp.sum(model.axis[:, 3:] * value[:, 3:, None], 1)
    second_axis, third_axis = _turn(R1, model.axis[:, 1]), _turn(R12, model.axis[:, 2])
    if model.ellipsoid:
        sliding = jnp.array(model.ellipsoid)
        shift = shift.at[sliding].add(model.radii * third_axis[sliding])
    R_child = R12 @ R3 @ jnp.swapaxes(model.R_child_joint, -1, -2)
    R_ground, p_ground = [jnp.eye(3, dtype=q.dtype)[None]], [jnp.zeros((1, 3), q.dtype)]
    R_fixed, pivot = [], []
    for low, high in model.levels:
        R_all, p_all = jnp.concatenate(R_ground), jnp.concatenate(p_ground)
        up = jnp.array(model.parent[low:high]) + 1
        R_parent, p_parent = R_all[up], p_all[up]
        R_joint = R_parent @ model.R_parent_joint[low:high]
        p_joint = p_parent + _turn(R_parent, model.p_parent_joint[low:high]) + _turn(R_joint, shift[low:high])
        R_body = R_joint @ R_child[low:high]
        R_ground.append(R_body)
        p_ground.append(p_joint - _turn(R_body, model.p_child_joint[low:high]))
        R_fixed.append(R_joint)
        pivot.append(p_joint)
    R_joint = jnp.concatenate(R_fixed)
    local = jnp.concatenate([model.axis[:, :1], second_axis[:, None], third_axis[:, None], model.axis[:, 3:]], 1)
    axis = jnp.einsum("bij,bkj->bki", R_joint, local)
    stretch = jnp.zeros((0, 3, 3), q.dtype)
    if model.ellipsoid:
        fixed = R_joint[jnp.array(model.ellipsoid)]
        stretch = jnp.einsum("eij,ej,ekj->eik", fixed, model.radii, fixed)
    R, p = jnp.concatenate(R_ground[1:]), jnp.concatenate(p_ground[1:])
    return Poses(R, p, axis, jnp.concatenate(pivot), first, second, stretch, model.ellipsoid)


def points_on_bodies(poses: Poses, body: tuple[int, ...], location: Float[Array, "point 3"]) -> Float[Array, "point 3"]:
    """Ground positions [m] of points fixed in bodies."""
    index = jnp.array(body, int)
    return poses.p[index] + _turn(poses.R[index], location)


def marker_positions(model: Model, poses: Poses) -> Float[Array, "marker 3"]:
    """Ground positions of the model's markers [m]."""
    return points_on_bodies(poses, model.marker_body, model.marker_location)


def _turn(R: Float[Array, "n 3 3"], v: Float[Array, "n 3"]) -> Float[Array, "n 3"]:
    return jnp.einsum("nij,nj->ni", R, v)
