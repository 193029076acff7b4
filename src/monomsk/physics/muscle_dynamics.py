"""Muscles whose tendons give: length and speed of the fibres that balance the tendon (Zajac 1989; Millard et al. 2013).

Fibres keep a constant height h between their ends. Along the tendon they reach z = √(l² − h²), and the tendon has the rest
of the musculotendon length. In balance, with all forces over the greatest isometric one,

    (a·fal(l)·fv(v) + fpe(l) + β·v)·cos α = fse(tendon length).

Static optimization needs none of this (`physics.muscle` has rigid tendons); `physics.muscle_drive` simulates with it.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from monomsk.model.muscles import KINDS, Muscles
from monomsk.physics.bracketed_newton import increasing_root
from monomsk.physics.muscle import shortest_fiber
from monomsk.physics.muscle_kinds import Curves, curves, degroote_speed, thelen_speed

Batch = Float[Array, "*batch muscle"]

LEAST_DAMPING = 1e-3
"""Of Millard's muscles; without damping the force–velocity curve, flat at its ends, cannot be inverted."""
_LEAST_ACTIVE = 1e-9
"""Active force below which no speed can be asked of the fibres."""
_ROUNDING = 1e-12
_SHARINGS = 12
"""How often the stiffnesses of fibres and tendon share out the musculotendon speed anew."""
_MILLARD, _THELEN, _DEGROOTE = range(len(KINDS))


class MuscleDynamics(eqx.Module):
    """What muscles with tendons that give do at one time."""

    tendon_force: Batch
    """What pulls on the bones [N]."""
    tendon_strain: Batch
    fiber_length: Batch
    """[m]; never below the shortest."""
    fiber_velocity: Batch
    """[m/s], positive when the fibres lengthen."""
    cos_pennation: Batch
    active: Batch
    """Part of the fibre force along the tendon [N]."""
    passive: Batch
    """That of the parallel elasticity [N]."""
    damping: Batch
    """That of the fibres' damping [N], which OpenSim adds to the passive force."""
    shortest: Bool[Array, "*batch muscle"]
    """True where the fibres are at their shortest and would go on shortening: they stay, and carry no force."""


class _Balance(eqx.Module):
    """All that the balance of one muscle and moment depends on."""

    curves: Curves
    activation: Batch
    length: Batch
    """Of muscle and tendon [m]."""
    optimal: Batch
    slack: Batch
    height: Batch
    damping: Batch

    def fiber(self, along: Batch, activation: Batch, velocity: Batch) -> Batch:
        """Fibre force along the tendon at length along the tendon [m] and normalized velocity, over the greatest."""
        fiber = jnp.sqrt(along**2 + self.height**2)
        active, passive = self.curves.by_length(fiber / self.optimal)
        force = activation * active * self.curves.by_velocity(activation, velocity) + passive + self.damping * velocity
        return force * along / fiber

    def tendon(self, along: Batch) -> Batch:
        """Tendon force where the fibres reach `along` [m], over the greatest."""
        return self.curves.tendon((self.length - along) / self.slack)


def effective_activation(muscles: Muscles, activation: Batch) -> Batch:
    """Activation that the fibres have: from the muscle's least to one (De Groote's muscles: any)."""
    degroote = jnp.array([k == _DEGROOTE for k in muscles.kind])
    return jnp.where(degroote, activation, jnp.clip(activation, muscles.parameters["minimum_activation"], 1.0))


def _balance(muscles: Muscles, activation: Batch, length: Batch) -> _Balance:
    damping = muscles.parameters["fiber_damping"]
    kind = jnp.array(muscles.kind)
    damping = jnp.where(kind == _MILLARD, jnp.maximum(damping, LEAST_DAMPING), jnp.where(kind == _THELEN, 0.0, damping))
    optimal, slack = muscles.optimal_fiber_length, muscles.tendon_slack_length
    a = effective_activation(muscles, activation)
    return _Balance(curves(muscles), a, length, optimal, slack, optimal * jnp.sin(muscles.pennation), damping)


def fiber_equilibrium(muscles: Muscles, activation: Batch, length: Batch, speed: Batch | None = None) -> Batch:
    """Fibre lengths [m] that balance the tendons, as OpenSim begins its simulations (`computeInitialFiberEquilibrium`).

    With a musculotendon speed, fibres and tendon share it by their stiffness; for De Groote's muscles the fibres take it
    all, as in OpenSim 4.6. It gives the fibres of Millard's muscles no speed here, which `Muscles.opensim_compat` repeats.
    Fibres that would be shorter than the shortest have that length. Differentiable by implicit functions; the share of
    the speed counts as constant.

    Args:
        muscles: whose numbers to use.
        activation: 0 to 1.
        length: musculotendon lengths [m].
        speed: musculotendon lengthening speeds [m/s]; None for muscles at rest.
    """
    balance = _balance(muscles, activation, length)
    lowest = jnp.sqrt(jnp.maximum(shortest_fiber(muscles) ** 2 - balance.height**2, 0.0))
    highest = jnp.maximum(length - balance.slack, lowest)
    fastest = balance.optimal * muscles.max_contraction_velocity
    parameters = (balance, jnp.zeros_like(length) if speed is None else speed / fastest)
    bracket = (jnp.broadcast_to(lowest, highest.shape), highest)

    def velocity(speed: Batch, share: Batch, balance: _Balance, along: Batch) -> Batch:
        return share * speed * along / jnp.sqrt(along**2 + balance.height**2)

    def solve(share: Batch) -> Batch:
        def residual(parameters: tuple[_Balance, Batch], along: Batch) -> Batch:
            balance, speed = parameters
            return balance.fiber(along, balance.activation, velocity(speed, share, balance, along)) - balance.tendon(along)

        return increasing_root(residual, parameters, bracket)

    share = jnp.ones_like(length)
    if speed is not None and set(muscles.kind) != {_DEGROOTE}:
        held, held_speed = jax.lax.stop_gradient(parameters)
        still = balance.curves.is_kind(_MILLARD) & muscles.opensim_compat

        def again(_: int, share: Batch) -> Batch:
            along = jax.lax.stop_gradient(solve(share))
            now = velocity(held_speed, share, held, along)
            of_fiber = jax.jvp(lambda x: held.fiber(x, held.activation, now), (along,), (jnp.ones_like(along),))[1]
            of_tendon = -jax.jvp(held.tendon, (along,), (jnp.ones_like(along),))[1]
            both = of_fiber + of_tendon
            shared = jnp.where(jnp.abs(both) > 1e-12, of_tendon / jnp.where(jnp.abs(both) > 1e-12, both, 1.0), 0.0)
            shared = jnp.where(held.length - along > held.slack, shared, 0.0)
            return jnp.where(balance.curves.is_kind(_DEGROOTE), 1.0, jnp.where(still, 0.0, shared))

        share = jax.lax.stop_gradient(jax.lax.fori_loop(0, _SHARINGS, again, share))
    return jnp.sqrt(solve(share) ** 2 + balance.height**2)


def muscle_dynamics(muscles: Muscles, activation: Batch, fiber_length: Batch, length: Batch) -> MuscleDynamics:
    """Forces, and the fibre velocities that balance the tendons, from the state of the muscles.

    Equals OpenSim 4.6's muscles with `ignore_tendon_compliance` off. It finds the speed of De Groote's muscles without their
    damping and then adds that to the fibre force; here fibres and tendon balance, and `Muscles.opensim_compat` repeats it.

    Args:
        muscles: whose numbers to use.
        activation: 0 to 1.
        fiber_length: [m].
        length: musculotendon lengths [m].
    """
    balance = _balance(muscles, activation, length)
    lowest = jnp.broadcast_to(shortest_fiber(muscles), length.shape)
    fiber = jnp.maximum(fiber_length, lowest)
    along = jnp.sqrt(fiber**2 - balance.height**2)
    cosine = along / fiber
    tendon = balance.tendon(along)
    active, passive = balance.curves.by_length(fiber / balance.optimal)
    velocity = _velocity(muscles, balance, balance.activation * active, tendon / cosine - passive)
    shortest = (fiber_length <= lowest * (1.0 + _ROUNDING)) & (velocity <= 0.0)
    velocity = jnp.where(shortest, 0.0, velocity)
    strength = jnp.where(shortest, 0.0, muscles.max_isometric_force * cosine)
    return MuscleDynamics(
        tendon_force=muscles.max_isometric_force * tendon,
        tendon_strain=(length - along) / balance.slack - 1.0,
        fiber_length=fiber,
        fiber_velocity=velocity * balance.optimal * muscles.max_contraction_velocity,
        cos_pennation=cosine,
        active=strength * balance.activation * active * balance.curves.by_velocity(balance.activation, velocity),
        passive=strength * passive,
        damping=strength * balance.damping * velocity,
        shortest=shortest,
    )


def _velocity(muscles: Muscles, balance: _Balance, active: Batch, needed: Batch) -> Batch:
    """Normalized velocity at which active force (given without speed) and damping make the force that is needed."""
    strongest = jnp.maximum(active, _LEAST_ACTIVE)
    kind = jnp.array(muscles.kind)
    thelen = thelen_speed(muscles.parameters, balance.activation, needed / strongest)
    undamped = jnp.where(kind == _THELEN, thelen, degroote_speed(needed / strongest))
    # Damping leaves a speed of the same sign that is smaller. Millard's curve lies between zero and its greatest value.
    damping = jnp.maximum(balance.damping, LEAST_DAMPING)
    most = muscles.parameters["ForceVelocityCurve.max_eccentric_velocity_force_multiplier"]
    low = jnp.where(kind == _MILLARD, (needed - most * active) / damping, jnp.minimum(undamped, 0.0)) - 1e-3
    high = jnp.where(kind == _MILLARD, needed / damping, jnp.maximum(undamped, 0.0)) + 1e-3

    def residual(parameters: tuple[_Balance, Batch, Batch], velocity: Batch) -> Batch:
        balance, active, needed = parameters
        return active * balance.curves.by_velocity(balance.activation, velocity) + balance.damping * velocity - needed

    if set(muscles.kind) == {_THELEN}:
        return undamped
    damped = increasing_root(residual, (balance, active, needed), (low, high))
    without = (kind == _THELEN) | ((kind == _DEGROOTE) & ((balance.damping == 0.0) | muscles.opensim_compat))
    return jnp.where(without, undamped, damped)


def fiber_step(muscles: Muscles, activation: Batch, fiber_length: Batch, length: Batch, step: Float[Array, ""] | float) -> Batch:
    """Fibre lengths [m] after a time step [s] that is implicit (backward Euler), so that stiff tendons cannot make it unstable.

    The fibre speed is the one that balances the tendon at the end of the step, at the musculotendon length given.
    """
    balance = _balance(muscles, activation, length)
    lowest = shortest_fiber(muscles)
    fiber = jnp.maximum(fiber_length, lowest)
    fastest = balance.optimal * muscles.max_contraction_velocity
    explicit = muscle_dynamics(muscles, activation, fiber_length, length).fiber_velocity / fastest
    slowest = (lowest - fiber) / (step * fastest)
    bracket = (jnp.maximum(jnp.minimum(explicit, 0.0) - 1e-3, slowest), jnp.maximum(explicit, 0.0) + 1e-3)

    def residual(parameters: tuple[_Balance, Batch, Batch], velocity: Batch) -> Batch:
        balance, fiber, move = parameters
        along = jnp.sqrt(jnp.maximum((fiber + move * velocity) ** 2 - balance.height**2, 1e-12))
        return balance.fiber(along, balance.activation, velocity) - balance.tendon(along)

    velocity = increasing_root(residual, (balance, fiber, step * fastest), bracket)
    return jnp.maximum(fiber + step * fastest * velocity, lowest)
