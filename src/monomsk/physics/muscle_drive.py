"""Muscles that move a body: excitations in, activations and fibres as states, joint moments out. For `physics.simulate`."""

from typing import Literal

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from monomsk.model.model import Model
from monomsk.model.muscles import Muscles
from monomsk.physics.activation import activation_rate, activation_step
from monomsk.physics.forward_kinematics import forward_kinematics
from monomsk.physics.muscle import rigid_tendon_forces
from monomsk.physics.muscle_dynamics import effective_activation, fiber_equilibrium, fiber_step, muscle_dynamics
from monomsk.physics.native_paths import muscle_paths
from monomsk.physics.polynomial_path import lengthening_speeds
from monomsk.physics.simulate import Drive, Forces, State

Tendons = Literal["rigid", "compliant"]
Batch = Float[Array, " muscle"]


class MuscleState(eqx.Module):
    """What muscles keep between times: the `extra` of a simulation's state.

    Muscles without activation dynamics, or with a tendon that does not give, have numbers here that stay as they began.
    """

    activation: Float[Array, "*time muscle"]
    fiber_length: Float[Array, "*time muscle"] | None = None
    """[m]; None with rigid tendons."""


def muscle_start(
    model: Model, muscles: Muscles, q: Float[Array, " nq"], qd: Float[Array, " nq"], activation: Float[Array, " muscle"]
) -> MuscleState:
    """State of muscles with compliant tendons whose fibres balance them at coordinates [rad, m] and speeds."""
    length, speed, _ = _paths(model, muscles, q, qd)
    return MuscleState(activation, fiber_equilibrium(muscles, activation, length, speed))


def muscle_drive(muscles: Muscles, tendons: Tendons = "compliant", *, reserves: bool = False, step: float | None = None) -> Drive:
    """A drive for `simulate` whose controls are the excitations of all muscles, then (`reserves`) a moment a coordinate.

    The extra state is a `MuscleState`. Gradients by the muscles' own numbers, which the drive encloses, work with fixed steps.

    Args:
        muscles: of the body that is simulated.
        tendons: "rigid" leaves the fibre lengths out of the state; they follow from the posture. With "compliant", those give that
            the model's file does not call stiff (`ignore_tendon_compliance`).
        reserves: whether controls go on with generalized forces [N·m, N] of all coordinates.
        step: length of the fixed steps [s] of the integration. Activations and fibres then take implicit steps, which
            tendons of any stiffness leave stable. None for adaptive methods.
    """

    def drive(model: Model, t: Float[Array, ""], state: State, control: Float[Array, " control"]) -> Forces:
        own: MuscleState = state.extra
        excitation = control[: muscles.count]
        length, speed, moment_arm = _paths(model, muscles, state.q, state.qd)
        prompt = jnp.array(muscles.prompt)
        activation = jnp.where(prompt, excitation, own.activation)
        if step is None:
            activation_change = activation_rate(muscles, own.activation, excitation)
        else:
            activation_change = (activation_step(muscles, own.activation, excitation, step) - own.activation) / step
        activation_change = jnp.where(prompt, 0.0, activation_change)
        fiber_change = None
        if tendons == "rigid":
            tension = _rigid(muscles, activation, length, speed)
        else:
            assert own.fiber_length is not None
            tension, fiber_change = _compliant(muscles, activation, own.fiber_length, length, speed, step)
        # Arms are generalized forces of a unit tension already.
        tau = tension @ moment_arm
        if reserves:
            tau = tau + control[muscles.count :]
        return Forces(tau, extra_rate=MuscleState(activation_change, fiber_change))

    return drive


def _rigid(muscles: Muscles, activation: Batch, length: Batch, speed: Batch) -> Batch:
    """Tension [N] with tendons that do not give."""
    found = rigid_tendon_forces(muscles, length, speed)
    return jnp.maximum(effective_activation(muscles, activation) * found.active + found.passive + found.damping, 0.0)


def _compliant(
    muscles: Muscles, activation: Batch, fiber_length: Batch, length: Batch, speed: Batch, step: float | None
) -> tuple[Batch, Batch]:
    """Tension [N] and rates of the fibre lengths [m/s], where the tendon gives."""
    stiff = jnp.array(muscles.stiff)
    # Fibres that are no state must not come to where nothing can be computed.
    height = muscles.optimal_fiber_length * jnp.sin(muscles.pennation)
    along = jnp.sqrt(jnp.maximum(fiber_length**2 - height**2, 0.0))
    balanced = jnp.where(stiff, muscles.tendon_slack_length + along, length)
    now = muscle_dynamics(muscles, activation, fiber_length, balanced)
    rate = now.fiber_velocity
    if step is not None:
        rate = (fiber_step(muscles, activation, fiber_length, balanced, step) - fiber_length) / step
    if not any(muscles.stiff):
        return now.tendon_force, rate
    return jnp.where(stiff, _rigid(muscles, activation, length, speed), now.tendon_force), jnp.where(stiff, 0.0, rate)


def _paths(
    model: Model, muscles: Muscles, q: Float[Array, " nq"], qd: Float[Array, " nq"]
) -> tuple[Float[Array, " muscle"], Float[Array, " muscle"], Float[Array, "muscle nq"]]:
    """Lengths [m], lengthening speeds [m/s] and moment arms."""
    paths = muscle_paths(model, muscles, forward_kinematics(model, q), q)
    return paths.length, lengthening_speeds(muscles, q, qd, paths.moment_arm), paths.moment_arm
