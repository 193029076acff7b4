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


class MuscleState(eqx.Module):
    """What muscles keep between times: the `extra` of a simulation's state."""

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
        tendons: "rigid" leaves the fibre lengths out of the state; they follow from the posture.
        reserves: whether controls go on with generalized forces [N·m, N] of all coordinates.
        step: length of the fixed steps [s] of the integration. Activations and fibres then take implicit steps, which
            tendons of any stiffness leave stable. None for adaptive methods.
    """

    def drive(model: Model, t: Float[Array, ""], state: State, control: Float[Array, " control"]) -> Forces:
        own: MuscleState = state.extra
        excitation = control[: muscles.count]
        length, speed, moment_arm = _paths(model, muscles, state.q, state.qd)
        if step is None:
            activation_change = activation_rate(muscles, own.activation, excitation)
        else:
            activation_change = (activation_step(muscles, own.activation, excitation, step) - own.activation) / step
        fiber_change = None
        if tendons == "rigid":
            found = rigid_tendon_forces(muscles, length, speed)
            activation = effective_activation(muscles, own.activation)
            tension = jnp.maximum(activation * found.active + found.passive + found.damping, 0.0)
        else:
            assert own.fiber_length is not None
            now = muscle_dynamics(muscles, own.activation, own.fiber_length, length)
            tension, fiber_change = now.tendon_force, now.fiber_velocity
            if step is not None:
                fiber_change = (fiber_step(muscles, own.activation, own.fiber_length, length, step) - own.fiber_length) / step
        # Arms are generalized forces of a unit tension already.
        tau = tension @ moment_arm
        if reserves:
            tau = tau + control[muscles.count :]
        return Forces(tau, extra_rate=MuscleState(activation_change, fiber_change))

    return drive


def _paths(
    model: Model, muscles: Muscles, q: Float[Array, " nq"], qd: Float[Array, " nq"]
) -> tuple[Float[Array, " muscle"], Float[Array, " muscle"], Float[Array, "muscle nq"]]:
    """Lengths [m], lengthening speeds [m/s] and moment arms."""
    paths = muscle_paths(model, muscles, forward_kinematics(model, q), q)
    return paths.length, lengthening_speeds(muscles, q, qd, paths.moment_arm), paths.moment_arm
