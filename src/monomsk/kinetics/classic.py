"""Forces from motion by Newton–Euler: what must act from outside, and how the ground gives it to the feet."""

import numpy as np

from monomsk.config import KineticsConfig
from monomsk.errors import InputError
from monomsk.kinetics import filtering
from monomsk.kinetics.applied_forces import burdened
from monomsk.kinetics.contact import find_contact
from monomsk.kinetics.feet import Feet, feet_of
from monomsk.kinetics.ground_forces import split
from monomsk.kinetics.mechanics import mechanics
from monomsk.kinetics.quality import quality, warnings
from monomsk.model.compile import compile_model
from monomsk.model.model import Model
from monomsk.model.spec import ModelSpec
from monomsk.outside_loads import AppliedForce
from monomsk.types import Kinetics, Motion, Progress, Subject


def estimate(
    motion: Motion,
    spec: ModelSpec,
    subject: Subject,
    config: KineticsConfig,
    progress: Progress | None = None,
    *,
    outside: tuple[AppliedForce, ...] = (),
) -> Kinetics:
    """Ground forces and joint moments of a motion of the scaled body `spec`, on which the forces `outside` act besides.

    The generalized forces on the root coordinates are residuals: what neither foot could give. They are part of the answer.
    Raises InputError (uneven or too few frames, coordinates that are not the model's), ModelError (no feet), SolveError.
    """
    tell = progress or (lambda done: None)
    check(motion, spec)
    model, feet = compile_model(spec), feet_of(spec)
    rate = filtering.sampling_rate(motion.time)
    q, qd, qdd = filtering.rates(motion.time, filtering.unwrap(motion.q, motion.rotational), config.lowpass)
    state = mechanics(model, feet, (q, qd, qdd), lambda done: tell(0.5 * done))
    state = burdened(state, model, outside, motion.time)
    weight = spec.mass * float(np.linalg.norm(spec.gravity))
    contact = find_contact(feet, state.point, state.velocity, state.wrench[:, 4] / weight, rate, motion.contact)
    tell(0.6)
    forces = split(feet, state, contact, (weight, standing_hips(model, feet)), rate)
    applied = np.concatenate([np.cross(forces.cop, forces.force) + forces.moment, forces.force], axis=-1)
    tau = state.tau - np.einsum("tfqi,tfi->tq", state.jacobian, applied)
    left = state.wrench - applied.sum(axis=1)
    turns = [i for i in model.root if model.rotational[i]]
    figures = quality(forces, left[:, 3:], tau[:, turns], subject)
    tell(1.0)
    return Kinetics(
        time=motion.time, names=motion.names, rotational=motion.rotational, q=state.q, tau=tau, bodies=feet.bodies,
        force=forces.force, cop=forces.cop, moment=forces.moment, contact=forces.contact,
        quality=figures, warnings=warnings(figures, contact, spec.mass, subject), outside=outside,
    )  # fmt: skip


def check(motion: Motion, spec: ModelSpec) -> None:
    """Raises InputError when the motion is not whole, or not that of the body."""
    if motion.names != compile_model(spec).coordinate_names:
        raise InputError(f"the motion's coordinates are not those of model {spec.name}: kinematics and model must belong together")
    if not np.isfinite(motion.q).all():
        raise InputError("the motion has coordinates that are not numbers: fill its gaps before asking for forces")


def standing_hips(model: Model, feet: Feet) -> float:
    """Height of the hips above the soles in the body's default pose [m]."""
    q = np.asarray(model.coordinate_default)[None]
    state = mechanics(model, feet, (q, np.zeros_like(q), np.zeros_like(q)))
    return max(float(state.hip[0, :, 1].mean() - state.point[0, :, 1].min()), 0.1)
