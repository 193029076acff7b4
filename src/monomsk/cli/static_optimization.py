"""`monomsk so`: muscle forces, joint loads and power of a recorded motion."""

import sys
from collections.abc import Sequence

from monomsk.cli.arguments import StaticOptimization
from monomsk.cli.laboratory import stretch
from monomsk.io import external_loads, muscle_tables, osim_read, results
from monomsk.kinetics.applied_forces import attachment, sampled
from monomsk.kinetics.inverse import cut, joint_forces
from monomsk.model.compile import compile_model
from monomsk.muscles import knee_contact
from monomsk.muscles.actuators import actuators
from monomsk.muscles.energetics import energetics
from monomsk.muscles.joint_loads import joint_loads, smooth_path_warnings
from monomsk.muscles.static_optimization import solve
from monomsk.report import folder
from monomsk.report.results import write_json
from monomsk.report.summary import energy
from monomsk.types import Energetics


def static_optimization(arguments: StaticOptimization, command: Sequence[str] = ()) -> int:
    """Write activations, forces, joint loads and power; say how much is left to the reserves. Returns the exit code, 0.

    Raises MonomskError.
    """
    folder.check(arguments.out, overwrite=arguments.overwrite)
    if arguments.condyle_distance is not None:
        knee_contact.check(arguments.condyle_distance)
    config = arguments.muscles
    spec, notes = osim_read.read_with_notes(arguments.model)
    motion = results.read_motion(arguments.motion, spec)
    forces = () if arguments.external_loads is None else external_loads.read_applied(arguments.external_loads)
    found = joint_forces(motion, spec, forces, lowpass=arguments.lowpass, simbody_compatible=config.opensim_compat)
    found = cut(found, stretch(found.time, arguments.start, arguments.end))
    activity = solve(found, spec, config)
    values, _ = sampled(forces, found.time, as_opensim=config.opensim_compat)
    applied = attachment(compile_model(spec), forces), values
    loads = joint_loads(found, applied, activity, spec, config, on=arguments.on, frame=arguments.frame)
    motors, force = actuators(spec, loads, activity.reserve_names, config.reserve)
    knees = None if arguments.condyle_distance is None else knee_contact.knee_contact(loads, spec, arguments.condyle_distance)
    power = energetics(found, activity, spec, spec.mass, config)
    with folder.writing(arguments.out) as place:
        muscle_tables.write_static_optimization(place, activity, motors, force)
        muscle_tables.write_actuators(place / "reserve_actuators.xml", tuple(m for m in motors if m not in spec.actuators))
        muscle_tables.write_joint_loads(place / "joint_reactions.sto", loads)
        if knees is not None:
            muscle_tables.write_knee_contact(place / "knee_contact.sto", knees)
        muscle_tables.write_energetics(place, power)
        write_json(place / "energy.json", energy(power))
    for text in (
        *notes,
        *found.warnings,
        *activity.warnings,
        *power.warnings,
        *(knees.warnings if knees else ()),
        *smooth_path_warnings(spec),
    ):
        print(f"warning: {text}", file=sys.stderr)
    left = activity.quality["reserve_peak_percent_moment"]
    print(
        f"{arguments.out}: {len(found.time)} frames, {len(activity.names)} muscles, reserves at most {left:.1f} % of the peak moment, "
        f"loads of {len(loads.names)} joints{_burnt(power)}"
    )
    return 0


def _burnt(power: Energetics) -> str:
    figures = energy(power).get("metabolic_power_w_per_kg")
    return (
        ""
        if figures is None
        else f", {figures['whole_body']:.2f} W/kg metabolic power ({figures['basal']:.2f} of it basal, no other muscles)"
    )
