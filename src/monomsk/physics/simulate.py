"""Motion from forces over time: the ordinary differential equation of the body, in fixed or in adaptive steps.

Fixed steps are those of semi-implicit Euler with implicit damping: speeds first, by (M + h D) (qd⁺ − qd) / h = tau − bias − D qd⁺,
then coordinates with the new speeds. One solution of the equations of motion a step, no energy drift in conservative motion,
and stiff damping of light segments at steps that explicit methods cannot take; made for training and refinement. Adaptive steps
are Diffrax's (Kidger 2021): Tsitouras' explicit pair, and Kvaerno's implicit one for stiff contact.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Literal

import diffrax
import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, PyTree

from monomsk.model.model import Model, complete_rates
from monomsk.physics.contact import contact_wrenches
from monomsk.physics.controls import Controls
from monomsk.physics.equations_of_motion import Derivatives, accelerations, follow
from monomsk.physics.forward_kinematics import forward_kinematics

_BEYOND = 1e6
"""Coordinates and speeds that only a trial step reaches which failed."""

Method = Literal["semi-implicit", "tsit5", "kvaerno5"]


class State(eqx.Module):
    """Where a body is and how it moves."""

    q: Float[Array, "*time nq"]
    """Coordinates [rad, m]."""
    qd: Float[Array, "*time nq"]
    """Their speeds."""
    extra: PyTree = None
    """Whatever else the forces keep between times (activations), arrays of any shape."""


class Forces(eqx.Module):
    """What acts on the body at a time."""

    tau: Float[Array, " nq"]
    """Generalized forces [N·m, N]."""
    f_ext: Float[Array, "body 6"] | None = None
    """Moments and forces on the bodies about the ground origin [N·m, N]."""
    extra_rate: PyTree = None
    """Time derivatives of the extra states."""


Drive = Callable[[Model, Float[Array, ""], State, Float[Array, " control"]], Forces]
"""Forces from the body, the time [s], the state and the controls at that time."""


class Simulation(eqx.Module):
    """A motion that forces made."""

    time: Float[Array, " time"]
    state: State
    """With a leading axis of time."""
    finished: Bool[Array, ""]
    """False where the adaptive method ran out of steps or its numbers grew without bound; what it did not reach is inf then."""


@dataclass(frozen=True)
class Integration:
    """How to go through time."""

    method: Method = "semi-implicit"
    substeps: int = 1
    """Fixed steps between one time of the result and the next."""
    rtol: float = 1e-6
    """Relative tolerance of an adaptive step."""
    atol: float = 1e-8
    """Absolute tolerance of an adaptive step [rad, m, rad/s, m/s]."""
    max_steps: int = 16384
    """Most adaptive steps."""
    checkpoint: int | None = None
    """Fixed steps that are done again on the way back of a gradient rather than remembered; None remembers all of them."""


def torques(model: Model, t: Float[Array, ""], state: State, control: Float[Array, " nq"]) -> Forces:
    """The plainest drive: the controls are the generalized forces."""
    return Forces(control)


def with_contact(drive: Drive) -> Drive:
    """A drive with the forces of the ground on the body's contact spheres on top."""

    def both(model: Model, t: Float[Array, ""], state: State, control: Float[Array, " control"]) -> Forces:
        forces = drive(model, t, state, control)
        ground = contact_wrenches(model, forward_kinematics(model, state.q), state.qd)
        return Forces(forces.tau, ground if forces.f_ext is None else forces.f_ext + ground, forces.extra_rate)

    return both


def simulate(
    model: Model,
    start: State,
    inputs: Controls,
    time: Float[Array, " time"],
    *,
    drive: Drive = torques,
    damping: Float[Array, " nq"] | None = None,
    integration: Integration = Integration(),
) -> Simulation:
    """The motion from `start` at `time[0]`, told at all of `time` [s].

    Couplers and locks hold throughout. Batch it with `jax.vmap`; differentiate it with `jax.grad` by start, inputs and body.

    Args:
        model: the body.
        start: coordinates and speeds [rad, m, s], and the extra states of the drive.
        inputs: controls as a function of time.
        time: increasing; fixed steps divide each interval evenly.
        drive: forces from controls and state.
        damping: moment per speed, against the motion of each coordinate [N·m·s/rad, N·s/m]; implicit in fixed steps.
        integration: method, steps and tolerances.
    """
    moving = jnp.array(model.free)
    held = jnp.zeros_like(start.q) if damping is None else damping
    q, qd, _ = complete_rates(model, start.q, start.qd, jnp.zeros_like(start.q))
    stuck = jnp.array([f < 0 for f in follow(model)])
    start = State(q, jnp.where(stuck, 0.0, qd), start.extra)
    equation = _Equation(model, start.q, inputs, drive, held)
    own = (start.q[moving], start.qd[moving], start.extra)
    if integration.method == "semi-implicit":
        states, finished = _fixed(equation, own, time, integration)
    else:
        states, finished = _adaptive(equation, own, time, integration)
    return Simulation(time, jax.vmap(equation.state)(*states), finished)


class _Equation(eqx.Module):
    """The right-hand side, in the coordinates that are free."""

    model: Model
    place: Float[Array, " nq"]
    """Where the locked coordinates are."""
    inputs: Controls
    drive: Drive = eqx.field(static=True)
    damping: Float[Array, " nq"]

    def state(self, q: Float[Array, " free"], qd: Float[Array, " free"], extra: PyTree) -> State:
        moving = jnp.array(self.model.free)
        q, qd = self.place.at[moving].set(q), jnp.zeros_like(self.place).at[moving].set(qd)
        q, qd, _ = complete_rates(self.model, q, qd, jnp.zeros_like(q))
        return State(q, qd, extra)

    def rates(
        self, t: Float[Array, ""], own: PyTree, *, step: Float[Array, ""] | float = 0.0, derivatives: Derivatives = "backward"
    ) -> tuple[Float[Array, " free"], PyTree]:
        """Accelerations of the free coordinates and rates of the extra states; implicit in the damping over a step."""
        state = self.state(*own)
        forces = self.drive(self.model, t, state, self.inputs(t))
        qdd = accelerations(
            *(self.model, state.q, state.qd, forces.tau - self.damping * state.qd, forces.f_ext),
            armature=step * self.damping,
            derivatives=derivatives,
        )
        return qdd[jnp.array(self.model.free)], forces.extra_rate


def _fixed(equation: _Equation, own: PyTree, time: Float[Array, " time"], how: Integration) -> tuple[PyTree, Bool[Array, ""]]:
    """States at the times, by a scan over all steps.

    A scan and not Diffrax: its loop keeps a controller, an error estimate and a buffer, which cost more than the step itself.
    """

    def one(own: PyTree, t: Float[Array, ""], h: Float[Array, ""]) -> PyTree:
        q, qd, extra = own
        qdd, extra_rate = equation.rates(t, own, step=h)
        qd = qd + h * qdd
        return q + h * qd, qd, jax.tree.map(lambda x, rate: x + h * rate, extra, extra_rate)

    def to_next(own: PyTree, interval: Float[Array, "2"]) -> tuple[PyTree, PyTree]:
        t, h = interval
        own = jax.lax.fori_loop(0, how.substeps, lambda i, o: one(o, t + i * h, h), own) if how.substeps > 1 else one(own, t, h)
        return own, own

    later = _scan(to_next, own, jnp.stack([time[:-1], jnp.diff(time) / how.substeps], 1), how.checkpoint)
    states = jax.tree.map(lambda first, rest: jnp.concatenate([first[None], rest]), own, later)
    return states, jnp.all(jnp.isfinite(states[0])) & jnp.all(jnp.isfinite(states[1]))


def _scan(step: Callable[[PyTree, Array], tuple[PyTree, PyTree]], own: PyTree, intervals: Float[Array, "n 2"], block: int | None) -> PyTree:
    """The states after every step; those inside a block are found again when a gradient asks for them."""
    count = intervals.shape[0]
    if block is None or block >= count:
        return jax.lax.scan(step, own, intervals)[1]
    whole = count // block * block
    inner = jax.checkpoint(lambda o, part: jax.lax.scan(step, o, part))
    own, parts = jax.lax.scan(inner, own, intervals[:whole].reshape(-1, block, 2))
    _, rest = jax.lax.scan(step, own, intervals[whole:])
    return jax.tree.map(lambda a, b: jnp.concatenate([a.reshape(whole, *a.shape[2:]), b]), parts, rest)


def _adaptive(equation: _Equation, own: PyTree, time: Float[Array, " time"], how: Integration) -> tuple[PyTree, Bool[Array, ""]]:
    # The implicit method needs the whole matrix of derivatives, and asks for it in forward mode.
    implicit = how.method == "kvaerno5"

    def field(t: PyTree, own: PyTree, equation: PyTree) -> PyTree:
        own = (*(_within(x, _BEYOND) for x in own[:2]), jax.tree.map(lambda x: _within(x, jnp.inf), own[2]))
        qdd, extra_rate = equation.rates(t, own, derivatives="first" if implicit else "backward")
        return own[1], qdd, extra_rate

    controller = diffrax.PIDController(rtol=how.rtol, atol=how.atol)
    solution = diffrax.diffeqsolve(
        diffrax.ODETerm(field),
        _Kvaerno5(root_finder=diffrax.with_stepsize_controller_tols(diffrax.VeryChord)(kappa=0.1)) if implicit else diffrax.Tsit5(),
        *(time[0], time[-1], None, own, equation),
        saveat=diffrax.SaveAt(ts=time),
        # Between its steps the implicit method has a cubic, of less than its order: its steps meet the times of the result.
        stepsize_controller=diffrax.ClipStepSizeController(controller, step_ts=time) if implicit else controller,
        adjoint=diffrax.RecursiveCheckpointAdjoint(),
        max_steps=how.max_steps,
        throw=False,
    )
    return solution.ys, solution.result == diffrax.RESULTS.successful


class _Kvaerno5(diffrax.Kvaerno5):
    """With a new matrix of derivatives at every stage, where Diffrax has one a step.

    With one a step, every other step fails where feet touch the ground; with kernels the matrix costs little.
    """

    calculate_jacobian: ClassVar[diffrax.CalculateJacobian] = diffrax.CalculateJacobian.every_stage


def _within(x: Float[Array, "*shape"], limit: float) -> Float[Array, "*shape"]:
    """Zero in place of what lies beyond a limit.

    A trial step that is too long can end there. It is rejected, but a gradient passes through it, with weight zero: times a
    slope that is not a number, that would be none.
    """
    return jnp.where(jnp.abs(x) < limit, x, 0.0)
