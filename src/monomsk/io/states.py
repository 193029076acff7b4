"""States of a simulation and the generalized forces that drive one, as OpenSim's files have them."""

from pathlib import Path

import numpy as np
from jaxtyping import Float
from scipy.interpolate import make_interp_spline

from monomsk.errors import FormatError
from monomsk.io import storage
from monomsk.io.results import read_motion
from monomsk.io.storage import Table
from monomsk.model.spec import ModelSpec


def read_state(
    path: Path | str, spec: ModelSpec, at: float | None = None
) -> tuple[float, Float[np.ndarray, " nq"], Float[np.ndarray, " nq"], tuple[str, ...]]:
    """Time [s], coordinates, speeds [rad, m, s] and warnings from the row of a motion or states file that is nearest to a time.

    Speeds come from the columns `/jointset/…/speed` where there are any, else from a spline through the coordinates; a file
    of one row without them is at rest.

    Raises:
        FormatError: as `read_motion`, or the time is outside the file.
    """
    motion = read_motion(path, spec)
    table = storage.read(path)
    first, last = float(motion.time[0]), float(motion.time[-1])
    if at is not None and not first - 1e-9 <= at <= last + 1e-9:
        raise FormatError(f"{path} lasts from {first:g} to {last:g} s; {at:g} s is outside")
    row = 0 if at is None else int(np.argmin(np.abs(motion.time - at)))
    degree = min(5, len(motion.time) - 1) // 2 * 2 + 1 if len(motion.time) > 1 else 0
    slope = (
        make_interp_spline(motion.time, motion.q, k=min(degree, len(motion.time) - 1))(motion.time[row], 1) if degree else 0.0 * motion.q[0]
    )
    told = {name.split("/")[-2]: i for i, name in enumerate(table.names) if name.startswith("/") and name.endswith("/speed")}
    speed = np.array([table.values[row, told[name]] if name in told else slope[i] for i, name in enumerate(motion.names)])
    if not np.isfinite(speed).all():
        raise FormatError(
            f"{path}: the speed of {motion.names[int(np.argmin(np.isfinite(speed)))]} is not a number at {motion.time[row]:g} s"
        )
    return float(motion.time[row]), motion.q[row], speed, motion.warnings


def write_states(path: Path | str, spec: ModelSpec, time: Float[np.ndarray, " time"], states: tuple[np.ndarray, np.ndarray]) -> None:
    """Write coordinates and speeds (time × nq each) [rad, m, s] under OpenSim's paths.

    Raises:
        OutputError: the file cannot be written.
    """
    paths = [f"/jointset/{joint.name}/{coordinate.name}" for joint in spec.joints for coordinate in joint.coordinates]
    names = tuple(f"{path}/{kind}" for path in paths for kind in ("value", "speed"))
    values = np.stack(states, axis=2).reshape(len(time), -1)
    storage.write(path, Table(time, names, values, name="ModelStates"))


def read_generalized_forces(
    path: Path | str, spec: ModelSpec
) -> tuple[Float[np.ndarray, " time"], Float[np.ndarray, "time nq"], tuple[str, ...]]:
    """Times, generalized forces on the model's coordinates [N·m, N], and warnings.

    Columns are named as inverse dynamics names them (`hip_flexion_r_moment`, `pelvis_tx_force`) or by the coordinate alone.
    Coordinates without a column are not driven.

    Raises:
        FormatError: not a table, none of its columns is a coordinate's, or a value is missing.
    """
    table = storage.read(path)
    number = {c.name: i for i, c in enumerate(spec.coordinates)}
    tau, unknown = np.zeros((len(table.time), len(number))), []
    for name, values in zip(table.names, table.values.T, strict=True):
        bare = name.removesuffix("_moment").removesuffix("_force")
        if bare not in number:
            unknown.append(name)
            continue
        if not np.isfinite(values).all():
            raise FormatError(
                f"{path}: {name} is not a number at {table.time[int(np.argmin(np.isfinite(values)))]:g} s; fill the gap first"
            )
        tau[:, number[bare]] = values
    if len(unknown) == len(table.names):
        raise FormatError(f"{path} has no column of a coordinate of the model {spec.name}; its columns are {', '.join(unknown[:6])}, …")
    return table.time, tau, (f"{Path(path).name}: not coordinates of the model, and ignored: {', '.join(unknown)}",) if unknown else ()
