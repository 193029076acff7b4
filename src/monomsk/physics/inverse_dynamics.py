"""Forces from motion: recursive Newton–Euler with sums over ancestors and descendants as matrix products.

Featherstone (2008), chapter 5, with every vector in ground axes about the root body's origin, which keeps single precision accurate.
"""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from monomsk.model.model import Model
from monomsk.physics.forward_kinematics import Poses, forward_kinematics
from monomsk.physics.jacobian import slips, slot_twists
from monomsk.spatial import motion


class Velocities(eqx.Module):
    """Spatial velocities and accelerations of all bodies about `origin`, ground axes."""

    origin: Float[Array, "3"]
    v: Float[Array, "body 6"]
    a: Float[Array, "body 6"]
    """Spatial acceleration, gravity not included."""


def velocity_kinematics(
    model: Model, poses: Poses, qd: Float[Array, " nq"], qdd: Float[Array, " nq"], *, simbody_compatible: bool = False
) -> Velocities:
    """Spatial velocity and acceleration of every body from the coordinates' speeds and accelerations.

    Within a joint the translations come first and are fixed in the parent; each rotation axis is carried by the
    parent and by all slots before it, which gives the velocity-dependent part of the acceleration.
    `simbody_compatible` adds the error that OpenSim's CustomJoint makes in that part (docs/mechanics.md).
    """
    origin = poses.p[0]
    shape = poses.slot_rate.shape
    twist = slot_twists(poses, origin)
    qd_slot, qdd_slot = ((model.slot_to_coordinate @ x).reshape(shape) for x in (qd, qdd))
    rate = poses.slot_rate * qd_slot
    acceleration = poses.slot_rate * qdd_slot + poses.slot_curvature * qd_slot**2
    part = twist * rate[..., None]
    joint = part.sum(1)
    v = model.ancestor @ joint
    slide = part[:, 3:].sum(1, keepdims=True)
    if poses.ellipsoid:
        # What slides over an ellipsoid carries the rotations, as a translation does, and is not carried by them.
        sliding, slip = jnp.array(poses.ellipsoid), slips(poses) * rate[jnp.array(poses.ellipsoid), :3, None]
        part = part.at[sliding, :3, 3:].add(-slip)
        slide = slide.at[sliding, 0, 3:].add(slip.sum(1))
    before = jnp.cumsum(part[:, :3], 1) - part[:, :3] + slide
    carrier = (v - joint)[:, None] + jnp.concatenate([before, jnp.zeros_like(before)], 1)
    bias = motion.cross_motion(carrier, part).sum(1)
    if poses.ellipsoid:
        bias = bias.at[jnp.array(poses.ellipsoid), 3:].add(_slip_bias(poses, rate, v - joint))
    if simbody_compatible:
        bias = bias + _simbody_surplus(model, part[:, :3, :3], poses.pivot - origin)
    a = model.ancestor @ ((twist * acceleration[..., None]).sum(1) + bias)
    return Velocities(origin, v, a)


def _slip_bias(poses: Poses, rate: Float[Array, "body 6"], parent: Float[Array, "body 6"]) -> Float[Array, "ellipsoid 3"]:
    """Acceleration of the pivots of EllipsoidJoints over their ellipsoids at constant speeds.

    The pivot stretch · n slides at stretch · (w × n), w being the joint's angular velocity. This changes as the parent turns it,
    and, in the parent, by stretch · (ẇ × n + w × (w × n)), ẇ being what the later axes are turned by the earlier ones.
    """
    at = jnp.array(poses.ellipsoid)
    parts = rate[at, :3, None] * poses.axis[at, :3]
    w, normal = parts.sum(1), poses.axis[at, 2]
    turned = jnp.cross(jnp.cumsum(parts, 1) - parts, parts).sum(1)
    slip = jnp.einsum("eij,ej->ei", poses.stretch, jnp.cross(w, normal))
    change = jnp.einsum("eij,ej->ei", poses.stretch, jnp.cross(turned, normal) + jnp.cross(w, jnp.cross(w, normal)))
    return jnp.cross(parent[at, :3], slip) + change


def _simbody_surplus(model: Model, turn: Float[Array, "body 3 3"], pivot: Float[Array, "body 3"]) -> Float[Array, "body 6"]:
    """Acceleration that Simbody's FunctionBased mobilizer, the one below a CustomJoint, gives a body beyond the true one.

    The second axis of a joint is carried by the rotation about the first, the third by those about the first two. Simbody
    (MobilizedBodyImpl.h, buildHdot) takes instead all that the joint's first coordinate turns, and all that the joint's
    coordinates but the third turn. It is the same where rotation k is driven by coordinate k alone.
    """
    driver = jnp.array(model.simbody_driver)
    taken = jnp.stack([driver == 0, driver != 2], 1).astype(turn.dtype)
    weight = taken - jnp.array([[1.0, 0.0, 0.0], [1.0, 1.0, 0.0]], turn.dtype)
    surplus = jnp.cross(weight @ turn, turn[:, 1:]).sum(1)
    return jnp.concatenate([surplus, jnp.cross(pivot, surplus)], -1)


def inverse_dynamics(
    model: Model,
    q: Float[Array, " nq"],
    qd: Float[Array, " nq"],
    qdd: Float[Array, " nq"],
    f_ext: Float[Array, "body 6"] | None = None,
    *,
    simbody_compatible: bool = False,
) -> Float[Array, " nq"]:
    """Generalized forces [N·m, N] that produce the motion.

    `f_ext` are external moments and forces on the bodies, about the ground origin in ground axes (see `motion.wrench_at`).
    Every coordinate stands for itself: forces on coupled coordinates are not folded into those that determine them.
    `simbody_compatible` gives OpenSim's numbers, error included, in place of the right ones (docs/mechanics.md).
    """
    poses = forward_kinematics(model, q)
    twist = slot_twists(poses, poses.p[0]) * poses.slot_rate[..., None]
    subtree = model.ancestor.T @ net_wrenches(model, poses, qd, qdd, f_ext, simbody_compatible=simbody_compatible)
    tau = jnp.einsum("bsi,bi->bs", twist, subtree)
    return model.slot_to_coordinate.T @ tau.reshape(-1)


def net_wrenches(
    model: Model,
    poses: Poses,
    qd: Float[Array, " nq"],
    qdd: Float[Array, " nq"],
    f_ext: Float[Array, "body 6"] | None = None,
    *,
    simbody_compatible: bool = False,
) -> Float[Array, "body 6"]:
    """Wrench that each body still needs from its joint and its children, about the root body's origin, ground axes."""
    kinematics = velocity_kinematics(model, poses, qd, qdd, simbody_compatible=simbody_compatible)
    arm = jnp.einsum("bij,bj->bi", poses.R, model.mass_center) + poses.p - kinematics.origin
    w, alpha = kinematics.v[:, :3], kinematics.a[:, :3]
    # Spatial acceleration misses the centripetal part of a material point's acceleration: add w × (velocity of the point).
    center_acceleration = motion.velocity_at(kinematics.a, arm) + jnp.cross(w, motion.velocity_at(kinematics.v, arm))
    inertia = poses.R @ model.inertia @ jnp.swapaxes(poses.R, -1, -2)
    moment = jnp.einsum("bij,bj->bi", inertia, alpha) + jnp.cross(w, jnp.einsum("bij,bj->bi", inertia, w))
    force = model.mass[:, None] * (center_acceleration - model.gravity)
    wrench = motion.wrench_at(force, moment, arm)
    if f_ext is None:
        return wrench
    shifted = motion.wrench_at(f_ext[:, 3:], f_ext[:, :3], jnp.broadcast_to(-kinematics.origin, arm.shape))
    return wrench - shifted
