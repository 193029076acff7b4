"""What the ground does to the feet: grf.mot.

Columns `ground_force_r_vx … vz`, `ground_force_r_px … pz`, `ground_torque_r_x … z`, then the same with `_l`; ground frame,
force on the person [N], centre of pressure [m], free moment [N·m]. Forces that act besides the ground's follow as `<name>_force_vx`,
`<name>_force_px`, `<name>_torque_x`, in the frames that external_loads.xml tells.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float

from monomsk.errors import FormatError
from monomsk.io import storage
from monomsk.types import Kinetics

FEET = ("r", "l")


@dataclass(frozen=True)
class GroundForce:
    """The contents of a grf.mot; axis `foot` is right, left."""

    time: Float[np.ndarray, " time"]
    force: Float[np.ndarray, "time foot 3"]
    cop: Float[np.ndarray, "time foot 3"]
    moment: Float[np.ndarray, "time foot 3"]


def columns(foot: str) -> tuple[str, ...]:
    """Names of the nine columns of a foot (`r` or `l`)."""
    kinds = (f"ground_force_{foot}_v", f"ground_force_{foot}_p", f"ground_torque_{foot}_")
    return tuple(f"{kind}{axis}" for kind in kinds for axis in "xyz")


def columns_of(name: str) -> tuple[str, ...]:
    """Names of the nine columns of a force that acts besides the ground's."""
    return tuple(f"{name}_{kind}{axis}" for kind in ("force_v", "force_p", "torque_") for axis in "xyz")


def write(path: Path | str, kinetics: Kinetics) -> None:
    """Write the forces of both feet, and those besides.

    Raises:
        OutputError: the file cannot be written.
    """
    parts = [part[:, foot] for foot in range(len(FEET)) for part in (kinetics.force, kinetics.cop, kinetics.moment)]
    parts += [part for force in kinetics.outside for part in (force.force, force.point, force.torque)]
    names = (*(n for foot in FEET for n in columns(foot)), *(n for force in kinetics.outside for n in columns_of(force.name)))
    storage.write(path, storage.Table(kinetics.time, names, np.concatenate(parts, axis=1), name="Ground reaction forces"))


def write_sd(path: Path | str, kinetics: Kinetics) -> None:
    """Write grf_sd.sto: standard deviations of the forces on both feet under the names that the forces have.

    Raises:
        OutputError: the file cannot be written.
    """
    assert kinetics.force_sigma is not None
    names = tuple(name for foot in FEET for name in columns(foot)[:3])
    values = kinetics.force_sigma.reshape(len(kinetics.time), -1)
    storage.write(path, storage.Table(kinetics.time, names, values, name="Standard deviations of ground reaction forces"))


def read(path: Path | str) -> GroundForce:
    """Read the forces of both feet.

    Raises:
        FormatError: not a table, or a column is missing.
    """
    table = storage.read(path)
    missing = [name for foot in FEET for name in columns(foot) if name not in table.names]
    if missing:
        raise FormatError(f"{path} has no column '{missing[0]}'; its columns are {', '.join(table.names[:6])}, …")
    values = np.stack([np.stack([table.column(name) for name in columns(foot)], axis=-1) for foot in FEET], axis=1)
    return GroundForce(table.time, values[..., 0:3], values[..., 3:6], values[..., 6:9])
