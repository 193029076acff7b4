"""Muscles and joints as OpenSim's analyses write them: StaticOptimization, JointReaction, MuscleAnalysis."""

from pathlib import Path

import numpy as np
from jaxtyping import Float

from monomsk.io import storage
from monomsk.io.storage import Table
from monomsk.types import JointLoads, MuscleActivity


def write_static_optimization(folder: Path, muscles: MuscleActivity, reserve: float) -> None:
    """Write StaticOptimization_activation.sto and StaticOptimization_force.sto: a column a muscle, then one a reserve.

    A reserve is an actuator of the optimal force `reserve` [N·m]; its activation is its moment over that.

    Raises:
        OutputError: a file cannot be written.
    """
    names = (*muscles.names, *(f"{name}_reserve" for name in muscles.reserve_names))
    for kind, title, columns in (
        ("activation", "Static Optimization", (muscles.activation, muscles.reserve / reserve)),
        ("force", "Static Optimization", (muscles.force, muscles.reserve)),
    ):
        storage.write(folder / f"StaticOptimization_{kind}.sto", Table(muscles.time, names, np.concatenate(columns, axis=1), name=title))


def write_joint_loads(path: Path | str, loads: JointLoads) -> None:
    """Write joint_reactions.sto with the columns of OpenSim's JointReaction: `<joint>_on_<body>_in_<frame>_fx`, … `_mx`, … `_px`.

    Raises:
        OutputError: the file cannot be written.
    """
    names = tuple(
        f"{joint}_on_{body}_in_{frame}_{kind}{axis}"
        for joint, body, frame in zip(loads.names, loads.bodies, loads.frames, strict=True)
        for kind in "fmp"
        for axis in "xyz"
    )
    values = np.stack([loads.force, loads.moment, loads.point], axis=2).reshape(len(loads.time), -1)
    storage.write(path, Table(loads.time, names, values, name="Joint Reaction Loads"))


def write_muscle_table(
    path: Path | str, time: Float[np.ndarray, " time"], names: tuple[str, ...], values: Float[np.ndarray, "time muscle"]
) -> None:
    """Write a column a muscle, as each file of OpenSim's MuscleAnalysis has them; the file's name is the table's.

    Raises:
        OutputError: the file cannot be written.
    """
    storage.write(path, Table(time, names, values, name=Path(path).stem.lstrip("_")))
