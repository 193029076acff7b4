"""`monomsk id`: joint moments of a recorded motion."""

import sys
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from monomsk.cli.arguments import InverseDynamics
from monomsk.cli.laboratory import check_file, stretch
from monomsk.io import external_loads, osim_read, results
from monomsk.kinetics.inverse import cut, joint_forces, root_residual
from monomsk.model.compile import compile_model


def inverse_dynamics(arguments: InverseDynamics, command: Sequence[str] = ()) -> int:
    """Write the generalized forces as OpenSim's tool does; say where, and how large the residual is. Returns the exit code, 0.

    Raises MonomskError.
    """
    check_file(arguments.out, overwrite=arguments.overwrite)
    spec = replace(osim_read.read(arguments.model), muscles=(), wraps=())
    motion = results.read_motion(arguments.motion, spec)
    forces = () if arguments.external_loads is None else external_loads.read_applied(arguments.external_loads)
    found = joint_forces(
        *(motion, spec, forces),
        lowpass=arguments.lowpass,
        passive=arguments.passive,
        simbody_compatible=arguments.simbody_compatible,
    )
    found = cut(found, stretch(found.time, arguments.start, arguments.end))
    results.write_kinetics(arguments.out, found)
    for text in found.warnings:
        print(f"warning: {text}", file=sys.stderr)
    share = 100.0 * root_residual(compile_model(spec), found.tau) / (spec.mass * float(np.linalg.norm(spec.gravity)))
    print(f"{arguments.out}: {len(found.time)} frames, {len(found.names)} coordinates, residual force {share:.1f} % of body weight (RMS)")
    return 0
