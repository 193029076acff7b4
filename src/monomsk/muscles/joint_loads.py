"""What joints transmit while the muscles pull: OpenSim's JointReaction analysis over a motion."""

from typing import Literal

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from monomsk.config import MusclesConfig
from monomsk.model.compile import compile_model
from monomsk.model.model import Model, complete_rates
from monomsk.model.muscles import Muscles, compile_muscles
from monomsk.model.spec import ModelSpec
from monomsk.muscles.rates import padded, rates
from monomsk.physics.external_wrench import Attachment, applied_wrenches
from monomsk.physics.forward_kinematics import forward_kinematics
from monomsk.physics.joint_reaction import along_coordinates, joint_reactions, muscle_action, parent_joint_origins
from monomsk.physics.muscle import FRAMES
from monomsk.physics.muscle_path import coupled
from monomsk.types import GeneralizedForces, JointLoads, Kinetics, MuscleActivity

Frame = Literal["child", "parent", "ground"]

Applied = tuple[Attachment, Float[np.ndarray, "time force 9"]]
"""Where forces from outside act, and force [N], point [m] and torque [N·m] of each over time."""


def ground_forces(kinetics: Kinetics, spec: ModelSpec) -> Applied:
    """The ground's forces on the feet, and what else acts from outside."""
    names = (*compile_model(spec).body_names, "ground")
    here, outside = ("ground",) * len(kinetics.bodies), kinetics.outside
    bodies, axes, places = ((*kinetics.bodies, *(f.body for f in outside)), (*here, *(f.force_frame for f in outside)),
                            (*here, *(f.point_frame for f in outside)))  # fmt: skip

    def index(frames: tuple[str, ...]) -> tuple[int, ...]:
        found = (names.index(f.split("/")[-1]) for f in frames)
        return tuple(-1 if i == len(names) - 1 else i for i in found)

    of_feet = np.concatenate([kinetics.force, kinetics.cop, kinetics.moment], axis=-1)
    besides = [np.concatenate([f.force, f.point, f.torque], axis=1)[:, None] for f in outside]
    return Attachment(index(bodies), index(axes), index(places)), np.concatenate([of_feet, *besides], axis=1)


def joint_loads(
    kinetics: Kinetics | GeneralizedForces,
    applied: Applied,
    activity: MuscleActivity,
    spec: ModelSpec,
    config: MusclesConfig,
    *,
    on: Literal["child", "parent"] = "child",
    frame: Frame = "child",
) -> JointLoads:
    """Forces and moments between the bodies at the joints that the muscles were asked to move, at the coupled ones (patella), and
    at stiff ones on the way from there to the forces from outside.

    Args:
        kinetics: the motion; its coordinates may come in any order.
        applied: all forces from outside.
        activity: the muscles' forces over the same frames.
        spec: the body.
        config: `opensim_compat` lays the paths as for the activity, and repeats the error of OpenSim's CustomJoint.
        on: the body that they act on; the other one feels the opposite.
        frame: the body in whose axes they are given.
    """
    model = compile_model(spec)
    muscles = compile_muscles(spec, model.body_names, opensim_compat=config.opensim_compat)
    motion = rates(kinetics, [kinetics.names.index(name) for name in model.coordinate_names])
    where, values = applied
    moved = _moved(model, activity.reserve_names, where.body)
    parts = []
    for start in range(0, len(kinetics.time), FRAMES):
        inputs = [jnp.array(padded(a, start)) for a in (*motion, values, activity.force)]
        parts.append([np.asarray(a) for a in _chunk(model, muscles, (where, moved, on, frame, config.opensim_compat), *inputs)])
    reactions, remaining = (np.concatenate(a)[: len(kinetics.time)] for a in zip(*parts, strict=True))
    force, moment, point = np.moveaxis(reactions, 2, 0)
    names, parent = (*model.body_names, "ground"), model.parent
    bodies = {"child": moved, "parent": tuple(parent[b] for b in moved), "ground": (-1,) * len(moved)}
    return JointLoads(
        time=kinetics.time,
        names=tuple(model.joint_names[b] for b in moved),
        bodies=tuple(names[b] for b in bodies[on]),
        frames=tuple(names[b] for b in bodies[frame]),
        force=force,
        moment=moment,
        point=point,
        coordinates=tuple(model.coordinate_names[i] for i in model.free),
        remaining=remaining[:, model.free],
    )


def smooth_path_warnings(spec: ModelSpec) -> tuple[str, ...]:
    """A line when paths are polynomials, for what the loads then leave out."""
    smooth = [m.name for m in spec.muscles if m.polynomial is not None]
    if not smooth:
        return ()
    return (
        f"{len(smooth)} muscle paths are polynomials ({smooth[0]} …), which act on coordinates and touch no bone: as in OpenSim's "
        "JointReaction, joint loads leave out that these muscles press the bones together; take the model with path points for them",
    )


def _moved(model: Model, coordinates: tuple[str, ...], carriers: tuple[int, ...]) -> tuple[int, ...]:
    """Bodies whose joints have one of the coordinates, or one that follows such a coordinate, and stiff joints between these or
    between them and a body that forces act on."""
    index = {model.coordinate(name) for name in coordinates}
    index |= {target for source, target in zip(model.independent, model.dependent, strict=True) if source in index}
    moved = {model.coordinate_body[i] for i in index}
    loose = {model.coordinate_body[i] for i in (*model.free, *model.dependent)}
    behind = np.asarray(model.ancestor) > 0.0
    ends = [*moved, *carriers]
    stiff = (b for b in range(len(model.body_names)) if b not in loose)
    return tuple(sorted(moved | {b for b in stiff if behind[b, list(moved)].any() and behind[ends, b].any()}))


@eqx.filter_jit
def _chunk(
    model: Model,
    muscles: Muscles,
    what: tuple[Attachment, tuple[int, ...], str, str, bool],
    q: Float[Array, "frame nq"],
    qd: Float[Array, "frame nq"],
    qdd: Float[Array, "frame nq"],
    values: Float[Array, "frame force 9"],
    tension: Float[Array, "frame muscle"],
) -> tuple[Float[Array, "frame joint 3 3"], Float[Array, "frame nq"]]:
    """Force, moment and point of each joint, and what must act on the coordinates besides."""
    where, moved, on, frame, simbody_compatible = what
    body, parent = jnp.array(moved), jnp.array([model.parent[b] for b in moved])
    basis = {"child": body, "parent": parent, "ground": jnp.full(len(moved), -1)}[frame]

    def at(q: Array, qd: Array, qdd: Array, values: Array, tension: Array) -> tuple[Array, Array]:
        q, qd, qdd = complete_rates(model, q, qd, qdd)
        poses = forward_kinematics(model, q)
        f_ext, through_points = muscle_action(model, muscles, poses, q, tension)
        if where.body:
            f_ext = f_ext + applied_wrenches(model, poses, where, values)
        reaction = joint_reactions(model, poses, qd, qdd, f_ext, simbody_compatible=simbody_compatible)
        remaining = coupled(model, q, (along_coordinates(model, poses, reaction) - through_points)[None])[0]
        wrench = reaction[body]
        moment, force, point = wrench[:, :3], wrench[:, 3:], poses.pivot[body]
        if on == "parent":
            origin = parent_joint_origins(model, poses)[body]
            moment, force, point = -moment - jnp.cross(point - origin, force), -force, origin
        R = jnp.concatenate([poses.R, jnp.eye(3, dtype=q.dtype)[None]])[basis]
        p = jnp.concatenate([poses.p, jnp.zeros((1, 3), q.dtype)])[basis]
        return jnp.einsum("jik,jni->jnk", R, jnp.stack([force, moment, point - p], 1)), remaining

    return jax.vmap(at)(q, qd, qdd, values, tension)
