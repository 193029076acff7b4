"""What joints transmit: forces and moments between a body and its parent, muscle forces included (Steele et al. 2012)."""

from dataclasses import replace

import jax.numpy as jnp
from jaxtyping import Array, Float

from monomsk.model.model import Model
from monomsk.model.muscles import Muscles
from monomsk.physics.forward_kinematics import Poses
from monomsk.physics.inverse_dynamics import net_wrenches
from monomsk.physics.jacobian import coordinate_twists
from monomsk.physics.native_paths import muscle_paths


def muscle_wrenches(
    model: Model, muscles: Muscles, poses: Poses, q: Float[Array, " nq"], tension: Float[Array, " muscle"]
) -> Float[Array, "body 6"]:
    """Moment [N·m] about the ground origin and force [N] of all tensions [N] on every body, ground axes.

    A path is a line under tension, so its wrench on a body is what its moment arms are when every body is let loose: the work
    of the tension when that body alone turns or moves. So points that move, and surfaces that a path bends around, count as
    they do for moment arms. `q` must be complete (`model.complete`).
    """
    return muscle_action(model, muscles, poses, q, tension)[0]


def muscle_action(
    model: Model, muscles: Muscles, poses: Poses, q: Float[Array, " nq"], tension: Float[Array, " muscle"]
) -> tuple[Float[Array, "body 6"], Float[Array, " nq"]]:
    """`muscle_wrenches`, and what the tensions do on the coordinates beyond that, through points that move along them [N·m, N]."""
    loose, free = _let_loose(model, poses)
    work = tension @ muscle_paths(loose, muscles, free, q).moment_arm
    about_root = work[model.nq :].reshape(-1, 6)
    force = about_root[:, 3:]
    return jnp.concatenate([about_root[:, :3] + jnp.cross(poses.p[0], force), force], -1), work[: model.nq]


def _let_loose(model: Model, poses: Poses) -> tuple[Model, Poses]:
    """The same bodies in the same places, with six coordinates more for each that move it alone: turns about the root body's
    origin and translations, in ground axes. The model's own coordinates move nothing any more but points along paths."""
    bodies, more = len(model.body_names), 6 * len(model.body_names)
    loose = replace(
        model,
        ancestor=jnp.eye(bodies, dtype=model.ancestor.dtype),
        slot_to_coordinate=jnp.concatenate([jnp.zeros((more, model.nq), poses.p.dtype), jnp.eye(more, dtype=poses.p.dtype)], 1),
        coordinate_names=(*model.coordinate_names, *("",) * more),
        coordinate_body=(*model.coordinate_body, *(b for b in range(bodies) for _ in range(6))),
    )
    axes = jnp.concatenate([jnp.eye(3, dtype=poses.p.dtype)] * 2)
    free = replace(
        poses,
        axis=jnp.broadcast_to(axes, (bodies, 6, 3)),
        pivot=jnp.broadcast_to(poses.p[0], (bodies, 3)),
        slot_rate=jnp.ones((bodies, 6), poses.p.dtype),
        ellipsoid=(),
    )
    return loose, free


def joint_reactions(
    model: Model,
    poses: Poses,
    qd: Float[Array, " nq"],
    qdd: Float[Array, " nq"],
    f_ext: Float[Array, "body 6"],
    *,
    simbody_compatible: bool = False,
) -> Float[Array, "body 6"]:
    """Moment [N·m] and force [N] that each joint hands to its child body, about the joint's origin in the child, ground axes.

    `f_ext` are all moments and forces on the bodies besides, about the ground origin: the surroundings' and the muscles'. What
    acts along the joint's own coordinates (a reserve, a spring, a coupling) is part of what the joint hands on, as in OpenSim's
    JointReaction. `simbody_compatible` as for `inverse_dynamics`.
    """
    needed = net_wrenches(model, poses, qd, qdd, f_ext, simbody_compatible=simbody_compatible)
    subtree = model.ancestor.T @ needed
    return jnp.concatenate([subtree[:, :3] - jnp.cross(poses.pivot - poses.p[0], subtree[:, 3:]), subtree[:, 3:]], -1)


def along_coordinates(model: Model, poses: Poses, reaction: Float[Array, "body 6"]) -> Float[Array, " nq"]:
    """The part of the joints' reactions (`joint_reactions`) that moves the coordinates [N·m, N].

    Equals inverse dynamics with the same forces on the bodies.
    """
    about_root = reaction[:, :3] + jnp.cross(poses.pivot - poses.p[0], reaction[:, 3:])
    wrench = jnp.concatenate([about_root, reaction[:, 3:]], -1)[jnp.array(model.coordinate_body)]
    return jnp.sum(coordinate_twists(model, poses, poses.p[0]) * wrench, -1)


def parent_joint_origins(model: Model, poses: Poses) -> Float[Array, "body 3"]:
    """Where the joints' frames on the parent bodies are [m, ground]."""
    R = jnp.concatenate([poses.R, jnp.eye(3, dtype=poses.p.dtype)[None]])
    p = jnp.concatenate([poses.p, jnp.zeros((1, 3), poses.p.dtype)])
    parent = jnp.array(model.parent)
    return p[parent] + jnp.einsum("bij,bj->bi", R[parent], model.p_parent_joint)
