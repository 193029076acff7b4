"""`monomsk fd`: the motion that generalized forces make from a state."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from monomsk.cli.arguments import ForwardDynamics
from monomsk.errors import InputError, SolveError
from monomsk.io import external_loads, osim_read, results, states
from monomsk.kinetics.applied_forces import attachment, sampled
from monomsk.model.compile import compile_model
from monomsk.model.model import Model
from monomsk.model.spec import ModelSpec
from monomsk.physics.controls import controls
from monomsk.physics.external_wrench import Attachment, applied_wrenches
from monomsk.physics.forward_kinematics import forward_kinematics
from monomsk.physics.passive import with_passive
from monomsk.physics.simulate import Drive, Forces, Integration, Simulation, State, simulate, with_contact
from monomsk.report import folder
from monomsk.types import Motion


def forward_dynamics(arguments: ForwardDynamics, command: Sequence[str] = ()) -> int:
    """Simulate and write states.sto and kinematics.mot; say where. Returns the exit code, 0.

    Raises MonomskError; SolveError when the simulation does not come to its end.
    """
    folder.check(arguments.out, overwrite=arguments.overwrite)
    spec = replace(osim_read.read(arguments.model), muscles=(), wraps=())
    begin, q, qd, warnings = states.read_state(arguments.states, spec, arguments.start)
    driven, tau, more = states.read_generalized_forces(arguments.controls, spec)
    end = float(driven[-1]) if arguments.end is None else arguments.end
    if end <= begin:
        raise InputError(f"the simulation would end at {end:g} s, before it begins at {begin:g} s: give --end, or forces that last longer")
    setup, told = _setup(arguments, spec, (begin, end), (driven, tau))
    found = setup.run(q, qd)
    _check_end(found, arguments)
    time, q, qd = (np.asarray(a) for a in (found.time, found.state.q, found.state.qd))
    rotational = np.array([c.rotational for c in spec.coordinates])
    with folder.writing(arguments.out) as place:
        states.write_states(place / "states.sto", spec, time, (q, qd))
        results.write_motion(place / "kinematics.mot", Motion(time, tuple(c.name for c in spec.coordinates), rotational, q))
    for text in (*warnings, *more, *told):
        print(f"warning: {text}", file=sys.stderr)
    print(f"{arguments.out}: {len(time)} frames from {begin:g} to {end:g} s")
    return 0


@dataclass(frozen=True)
class _Setup:
    model: Model
    time: Float[np.ndarray, " time"]
    inputs: tuple[Float[np.ndarray, " sample"], Float[np.ndarray, "sample control"]]
    drive: Drive
    damping: Float[np.ndarray, " nq"]
    integration: Integration

    def run(self, q: Float[np.ndarray, " nq"], qd: Float[np.ndarray, " nq"]) -> Simulation:
        def whole(model: Model, q: Array, qd: Array) -> Simulation:
            samples, values = self.inputs
            inputs = controls(jnp.asarray(samples), jnp.asarray(values))
            return simulate(
                *(model, State(q, qd), inputs, jnp.asarray(self.time)),
                drive=self.drive,
                damping=jnp.asarray(self.damping),
                integration=self.integration,
            )

        return jax.jit(whole)(self.model, jnp.asarray(q), jnp.asarray(qd))


def _setup(
    arguments: ForwardDynamics, spec: ModelSpec, span: tuple[float, float], forces: tuple[np.ndarray, np.ndarray]
) -> tuple[_Setup, tuple[str, ...]]:
    """What is to be simulated, and warnings."""
    model = compile_model(spec)
    if arguments.contact and not model.contact_names:
        raise InputError(f"model {spec.name} has no contact spheres: leave --contact out, or add some to its feet")
    frames = max(2, round((span[1] - span[0]) * arguments.rate) + 1)
    time = np.linspace(*span, frames)
    samples, tau, applied = *forces, () if arguments.external_loads is None else external_loads.read_applied(arguments.external_loads)
    warnings = ()
    if applied:
        samples = np.unique(np.concatenate([samples, *(f.time for f in applied)]))
        values, warnings = sampled(applied, samples)
        tau = np.stack([np.interp(samples, forces[0], column) for column in forces[1].T], axis=1)
        tau = np.concatenate([tau, values.reshape(len(samples), -1)], axis=1)
    drive = _drive(model.nq, attachment(model, applied))
    drive = with_passive(drive) if arguments.passive else drive
    damping = np.where(np.isin(np.arange(model.nq), model.root), 0.0, arguments.damping)
    substeps = max(1, int(np.ceil((time[1] - time[0]) / arguments.step - 1e-9)))
    integration = Integration(method=arguments.method, substeps=substeps)
    return _Setup(model, time, (samples, tau), with_contact(drive) if arguments.contact else drive, damping, integration), warnings


def _drive(nq: int, where: Attachment) -> Drive:
    """Controls that are generalized forces first, then the measured forces."""

    def drive(model: Model, t: Array, state: State, control: Array) -> Forces:
        if not where.body:
            return Forces(control)
        return Forces(control[:nq], applied_wrenches(model, forward_kinematics(model, state.q), where, control[nq:].reshape(-1, 9)))

    return drive


def _check_end(found: Simulation, arguments: ForwardDynamics) -> None:
    if bool(found.finished):
        return
    finite = np.isfinite(np.asarray(found.state.q)).all(axis=1)
    reached = float(np.asarray(found.time)[max(int(np.argmin(finite)) - 1, 0)])
    advice = {
        "semi-implicit": "a smaller --step",
        "tsit5": "--method kvaerno5 where damping is stiff, or semi-implicit with a small --step",
        "kvaerno5": "--method tsit5, or semi-implicit with a small --step",
    }[arguments.method]
    raise SolveError(f"the simulation went no further than {reached:g} s: the motion grew without bound or became too stiff; try {advice}")
