"""`monomsk muscles`: lengths, speeds and moment arms of the muscles over a recorded motion."""

import sys
from collections.abc import Sequence

import numpy as np

from monomsk.cli.arguments import MuscleAnalysis
from monomsk.cli.laboratory import stretch
from monomsk.errors import ModelError
from monomsk.io import muscle_tables, osim_read, results
from monomsk.kinetics import filtering
from monomsk.model.compile import compile_model
from monomsk.model.muscles import compile_muscles
from monomsk.muscles.quality import path_warnings
from monomsk.muscles.static_optimization import capacity
from monomsk.report import folder

NOTHING = 1e-9
"""Moment arm [m] of a muscle that a coordinate does not move, but for rounding."""


def muscle_analysis(arguments: MuscleAnalysis, command: Sequence[str] = ()) -> int:
    """Write a table for lengths, one for speeds and one for every coordinate's moment arms. Returns the exit code, 0.

    Raises MonomskError.
    """
    folder.check(arguments.out, overwrite=arguments.overwrite)
    spec = osim_read.read(arguments.model)
    if not spec.muscles:
        raise ModelError(f"model {spec.name} has no muscles")
    motion = results.read_motion(arguments.motion, spec)
    model = compile_model(spec)
    muscles = compile_muscles(spec, model.body_names, opensim_compat=arguments.opensim_compat)
    rates = filtering.rates(motion.time, filtering.unwrap(motion.q, motion.rotational), arguments.lowpass)
    chosen = stretch(motion.time, arguments.start, arguments.end)
    time, q, qd = (a[chosen] for a in (motion.time, *rates[:2]))
    able = capacity(model, muscles, q, qd, model.free)
    moved = [(i, model.coordinate_names[c]) for i, c in enumerate(model.free) if np.abs(able.moment_arm[:, i]).max() > NOTHING]
    with folder.writing(arguments.out) as place:
        muscle_tables.write_muscle_table(place / "_Length.sto", time, muscles.names, able.length)
        muscle_tables.write_muscle_table(place / "_LengtheningSpeed.sto", time, muscles.names, able.speed)
        for i, name in moved:
            muscle_tables.write_muscle_table(place / f"_MomentArm_{name}.sto", time, muscles.names, able.moment_arm[:, i])
    for text in (*motion.warnings, *path_warnings(time, muscles.names, muscles.surfaces, able.inside_of, able.broken)):
        print(f"warning: {text}", file=sys.stderr)
    print(f"{arguments.out}: {len(time)} frames, {muscles.count} muscles, moment arms about {len(moved)} coordinates")
    return 0
