"""Measured forces made ready for the mechanics: on which bodies, and their values at the times that are asked for."""

import numpy as np
from jaxtyping import Float
from scipy.interpolate import CubicSpline

from monomsk.errors import InputError
from monomsk.model.model import Model
from monomsk.physics.external_wrench import Attachment
from monomsk.types import AppliedForce


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
