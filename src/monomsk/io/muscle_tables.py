"""Muscles and joints as OpenSim's analyses write them: StaticOptimization, JointReaction, MuscleAnalysis, ProbeReporter."""

from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

import numpy as np
from jaxtyping import Float

from monomsk.io import storage
from monomsk.io.atomic import write_text
from monomsk.io.osim_write import actuator_element
from monomsk.io.storage import Table
from monomsk.model.spec import CoordinateActuator
from monomsk.types import Energetics, JointLoads, KneeContact, MuscleActivity


def write_static_optimization(
    folder: Path, muscles: MuscleActivity, actuators: tuple[CoordinateActuator, ...], force: Float[np.ndarray, "time actuator"]
) -> None:
    """Write StaticOptimization_activation.sto and StaticOptimization_force.sto: a column a muscle, then one a motor.

    Together they make the motion: a model with these muscles and motors, and no others, takes the forces in OpenSim's
    JointReaction. A motor's activation is its force over its optimal force.

    Raises:
        OutputError: a file cannot be written.
    """
    names = (*muscles.names, *(actuator.name for actuator in actuators))
    optimal = np.array([actuator.optimal_force for actuator in actuators])
    for kind, columns in (("activation", (muscles.activation, force / optimal)), ("force", (muscles.force, force))):
        table = Table(muscles.time, names, np.concatenate(columns, axis=1), name="Static Optimization")
        storage.write(folder / f"StaticOptimization_{kind}.sto", table)


def write_actuators(path: Path, actuators: tuple[CoordinateActuator, ...]) -> None:
    """Write a ForceSet of motors, which OpenSim's tools add to a model (`force_set_files`).

    Raises:
        OutputError: the file cannot be written.
    """
    document = Element("OpenSimDocument", Version="40000")
    objects = SubElement(SubElement(document, "ForceSet", name="reserve_actuators"), "objects")
    objects.extend(actuator_element(actuator) for actuator in actuators)
    ElementTree.indent(document, " ")
    write_text(path, '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(document, encoding="unicode") + "\n")


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


def write_knee_contact(path: Path | str, knees: KneeContact) -> None:
    """Write knee_contact.sto: compression of every condyle [N].

    Raises:
        OutputError: the file cannot be written.
    """
    storage.write(path, Table(knees.time, knees.names, knees.force, name="Knee contact"))


def write_muscle_table(
    path: Path | str, time: Float[np.ndarray, " time"], names: tuple[str, ...], values: Float[np.ndarray, "time muscle"]
) -> None:
    """Write a column a muscle, as each file of OpenSim's MuscleAnalysis has them; the file's name is the table's.

    Raises:
        OutputError: the file cannot be written.
    """
    storage.write(path, Table(time, names, values, name=Path(path).stem.lstrip("_")))


def write_energetics(folder: Path, energetics: Energetics) -> None:
    """Write muscle_power.sto and joint_power.sto, and metabolic_power.sto where there is a metabolic power; all in W.

    muscle_power.sto has a column a muscle; where passive elasticity had a part, then `<muscle>_active` and `<muscle>_passive` for
    the parts of the fibres. joint_power.sto has a column a coordinate, `knee_angle_r_power`. metabolic_power.sto is as OpenSim's
    ProbeReporter writes a probe with the name `metabolics`: `metabolics_TOTAL`, `metabolics_BASAL`, `metabolics_<muscle>`.

    Raises:
        OutputError: a file cannot be written.
    """
    time, names, values = energetics.time, energetics.names, energetics.muscle
    if np.any(energetics.passive):
        names = (*names, *(f"{name}_{part}" for part in ("active", "passive") for name in names))
        values = np.concatenate([values, energetics.active, energetics.passive], axis=1)
    storage.write(folder / "muscle_power.sto", Table(time, names, values, name="Muscle power"))
    joints = tuple(f"{name}_power" for name in energetics.coordinates)
    storage.write(folder / "joint_power.sto", Table(time, joints, energetics.joint, name="Joint power"))
    if (cost := energetics.metabolic) is not None:
        basal = np.full((len(time), 1), cost.basal)
        values = np.concatenate([cost.power.sum(axis=1, keepdims=True) + basal, basal, cost.power], axis=1)
        columns = tuple(f"metabolics_{name}" for name in ("TOTAL", "BASAL", *energetics.names))
        storage.write(folder / "metabolic_power.sto", Table(time, columns, values, name="Metabolic power"))
