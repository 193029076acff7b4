"""Measured forces made ready for the mechanics: on which bodies, and their values at the times that are asked for."""

from dataclasses import replace

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from scipy.interpolate import CubicSpline

from monomsk.errors import InputError
from monomsk.kinetics.mechanics import CHUNK, Mechanics
from monomsk.model.model import Model
from monomsk.outside_loads import AppliedForce
from monomsk.physics.external_wrench import Attachment, applied_wrenches, wrench_jacobian
from monomsk.physics.forward_kinematics import forward_kinematics


def attachment(model: Model, forces: tuple[AppliedForce, ...]) -> Attachment:
    """Where the forces act. Raises InputError when a force names a body that the model does not have."""

    def index(force: AppliedForce, body: str) -> int:
        if body.split("/")[-1] == "ground":
            return -1
        if body.split("/")[-1] not in model.body_names:
            raise InputError(f"external force {force.name} names body {body!r}, which the model does not have")
        return model.body(body.split("/")[-1])

    body = tuple(index(f, f.body) for f in forces)
    if -1 in body:
        raise InputError(f"external force {forces[body.index(-1)].name} acts on the ground: name the body that it acts on")
    return Attachment(body, tuple(index(f, f.force_frame) for f in forces), tuple(index(f, f.point_frame) for f in forces))


def sampled(
    forces: tuple[AppliedForce, ...], time: Float[np.ndarray, " time"], *, as_opensim: bool = False
) -> tuple[Float[np.ndarray, "time force 9"], tuple[str, ...]]:
    """Force, point and torque of each at the times, on straight lines between the measured ones, and warnings.

    `as_opensim` takes a natural cubic spline instead, which swings into the negative where a force sets in. For a frame at
    most, the first and last values hold on; further out a force is zero, where OpenSim would go on along a straight
    line. Raises InputError when a force was measured at none of the times.
    """
    values, warnings = np.zeros((len(time), len(forces), 9)), []
    for i, force in enumerate(forces):
        frame = max(float(np.median(np.diff(t))) if len(t) > 1 else 0.0 for t in (time, force.time)) + 1e-9
        inside = (time >= force.time[0] - frame) & (time <= force.time[-1] + frame)
        if not inside.any():
            span = f"{force.time[0]:g} to {force.time[-1]:g} s"
            raise InputError(f"external force {force.name} was measured from {span}, the motion lasts from {time[0]:g} to {time[-1]:g} s")
        columns = np.concatenate([force.force, force.point, force.torque], axis=1)
        if as_opensim and len(force.time) > 3:
            spline = CubicSpline(force.time, columns, bc_type="natural")
            values[inside, i] = spline(np.clip(time[inside], force.time[0], force.time[-1]))
        else:
            values[inside, i] = np.stack([np.interp(time[inside], force.time, c) for c in columns.T], axis=1)
        if not inside.all():
            warnings.append(f"external force {force.name} is taken as zero at {int((~inside).sum())} frames outside its measurement")
    return values, tuple(warnings)


def burdened(state: Mechanics, model: Model, forces: tuple[AppliedForce, ...], time: Float[np.ndarray, " time"]) -> Mechanics:
    """The mechanics when these forces act too: what must come from the ground and the joints is less by what they do.

    Equals `state` without forces. Raises InputError as `attachment` and `sampled`.
    """
    if not forces:
        return state
    where, (values, _) = attachment(model, forces), sampled(forces, time)
    parts = []
    for low in range(0, len(time), CHUNK):
        rows = np.minimum(np.arange(low, low + CHUNK), len(time) - 1)
        parts.append([np.asarray(a) for a in _done_by(model, where, jnp.asarray(state.q[rows]), jnp.asarray(values[rows]))])
    tau, wrench = (np.concatenate(a)[: len(time)] for a in zip(*parts, strict=True))
    about_center = np.concatenate([wrench[:, :3] - np.cross(state.center, wrench[:, 3:]), wrench[:, 3:]], axis=1)
    return replace(state, tau=state.tau - tau, wrench=state.wrench - about_center)


@eqx.filter_jit
def _done_by(
    model: Model, where: Attachment, q: Float[Array, "chunk nq"], values: Float[Array, "chunk force 9"]
) -> tuple[Float[Array, "chunk nq"], Float[Array, "chunk 6"]]:
    """What forces do on the coordinates, and their wrench about the ground origin."""

    def frame(q: Array, values: Array) -> tuple[Array, Array]:
        poses = forward_kinematics(model, q)
        wrench = applied_wrenches(model, poses, where, values)
        bodies = tuple(dict.fromkeys(where.body))
        return jnp.einsum("nqi,ni->q", wrench_jacobian(model, poses, bodies), wrench[jnp.array(bodies)]), wrench.sum(0)

    return jax.vmap(frame)(q, values)
