"""The nouns of the way as OpenSim's tables: kinematics.mot, kinetics.sto, muscle_activations.sto, muscle_forces.sto.

Standard deviations have files of their own: OpenSim's tools take every column of a motion or force file for a value.
"""

from pathlib import Path

import numpy as np

from monomsk.errors import FormatError
from monomsk.io import storage
from monomsk.io.storage import Table
from monomsk.model.spec import ModelSpec
from monomsk.types import GeneralizedForces, Kinetics, Motion, MuscleActivity


def write_motion(path: Path | str, motion: Motion) -> None:
    """Write kinematics.mot: every coordinate, angles in degrees.

    Raises:
        OutputError: the file cannot be written.
    """
    table = Table(motion.time, motion.names, motion.q, name="Coordinates")
    storage.write(path, storage.to_degrees(table, motion.rotational))


def read_motion(path: Path | str, spec: ModelSpec) -> Motion:
    """Read the coordinates of a model from a .mot or .sto, in the model's order.

    Columns may be bare (`knee_angle_r`) or paths (`/jointset/walker_knee_r/knee_angle_r/value`). Coordinates that the file
    does not have keep the model's default value, with a warning; couplers are not applied.

    Raises:
        FormatError: not a table, no coordinate of the model in it, or a value that is missing (NaN).
    """
    table = storage.read(path)
    found = {_coordinate_name(name): i for i, name in enumerate(table.names)}
    coordinates = spec.coordinates
    absent = tuple(coordinate.name for coordinate in coordinates if coordinate.name not in found)
    if len(absent) == len(coordinates):
        raise FormatError(f"{path} has no coordinate of the model {spec.name}; its columns are {', '.join(table.names[:6])}, …")
    rotational = np.array([coordinate.rotational for coordinate in coordinates])
    default = np.array([coordinate.default for coordinate in coordinates])
    default = np.where(rotational & table.in_degrees, np.rad2deg(default), default)
    columns = [
        table.values[:, found[c.name]] if c.name in found else np.full(len(table.time), default[i]) for i, c in enumerate(coordinates)
    ]
    values = np.stack(columns, axis=1)
    if not np.isfinite(values).all():
        row, column = np.argwhere(~np.isfinite(values))[0]
        raise FormatError(f"{path}: {coordinates[column].name} is not a number at {table.time[row]:g} s; fill the gap first")
    names = tuple(coordinate.name for coordinate in coordinates)
    q = storage.to_radians(Table(table.time, names, values, table.in_degrees), rotational).values
    warnings = (f"{Path(path).name} has no values for {', '.join(absent)}; the model's defaults are used",) if absent else ()
    return Motion(table.time, names, rotational, q, warnings=warnings)


def _coordinate_name(column: str) -> str:
    """Coordinate that a column of a states or coordinates file holds; speeds keep a name that no coordinate has."""
    return column.split("/")[-2] if column.startswith("/") and column.endswith("/value") else column


def write_kinetics(path: Path | str, kinetics: Kinetics | GeneralizedForces) -> None:
    """Write kinetics.sto with the column names of OpenSim's inverse dynamics: `hip_flexion_r_moment`, `pelvis_tx_force`.

    The six root columns are the residuals.

    Raises:
        OutputError: the file cannot be written.
    """
    storage.write(path, Table(kinetics.time, _force_names(kinetics), kinetics.tau, name="Inverse Dynamics Generalized Forces"))


def write_motion_sd(path: Path | str, motion: Motion) -> None:
    """Write kinematics_sd.sto: the standard deviation of every coordinate under its own name, angles in degrees.

    Raises:
        OutputError: the file cannot be written.
    """
    assert motion.sigma is not None
    table = Table(motion.time, motion.names, motion.sigma, name="Standard deviations of coordinates")
    storage.write(path, storage.to_degrees(table, motion.rotational))


def write_kinetics_sd(path: Path | str, kinetics: Kinetics) -> None:
    """Write kinetics_sd.sto: standard deviations under the column names of `write_kinetics`.

    Raises:
        OutputError: the file cannot be written.
    """
    assert kinetics.tau_sigma is not None
    table = Table(kinetics.time, _force_names(kinetics), kinetics.tau_sigma, name="Standard deviations of generalized forces")
    storage.write(path, table)


def _force_names(kinetics: Kinetics | GeneralizedForces) -> tuple[str, ...]:
    return tuple(f"{name}_{'moment' if angle else 'force'}" for name, angle in zip(kinetics.names, kinetics.rotational, strict=True))


def write_activations(path: Path | str, muscles: MuscleActivity) -> None:
    """Write muscle_activations.sto, a column a muscle.

    Raises:
        OutputError: the file cannot be written.
    """
    storage.write(path, Table(muscles.time, muscles.names, muscles.activation, name="Muscle activations"))


def write_muscle_forces(path: Path | str, muscles: MuscleActivity) -> None:
    """Write muscle_forces.sto: tendon forces [N], then the reserves as `<coordinate>_reserve` [N·m].

    Raises:
        OutputError: the file cannot be written.
    """
    names = (*muscles.names, *(f"{name}_reserve" for name in muscles.reserve_names))
    values = np.concatenate([muscles.force, muscles.reserve], axis=1)
    storage.write(path, Table(muscles.time, names, values, name="Muscle forces"))
