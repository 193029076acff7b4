"""Mechanical power of muscles: of their fibres, of their tendons, and of both together [W].

Power is positive where it is given away: fibres that pull while they shorten. Fibres keep their height between their ends
(Zajac 1989), so that those which lengthen at v reach v / cos α further along the tendon.
"""

from dataclasses import replace

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from monomsk.model.muscles import KINDS, Muscles
from monomsk.physics.muscle import rigid_tendon_forces
from monomsk.physics.muscle_dynamics import MuscleDynamics
from monomsk.physics.muscle_kinds import curves

Batch = Float[Array, "*batch muscle"]

_MILLARD, _THELEN, _DEGROOTE = range(len(KINDS))


class Fibers(eqx.Module):
    """State of the fibres of all muscles; forces in their own direction [N]."""

    activation: Batch
    excitation: Batch
    length: Batch
    """Over the optimal length."""
    velocity: Batch
    """[m/s], positive when the fibres lengthen."""
    by_length: Batch
    """Active force at this length, full activation and no speed, over the greatest isometric force."""
    active: Batch
    """At the present activation."""
    passive: Batch
    """Of the parallel elasticity."""
    damping: Batch
    """Of the fibres' damping, negative when they shorten; OpenSim counts it as passive force."""
    tendon_force: Batch
    """[N]"""
    cos_pennation: Batch


class MusclePower(eqx.Module):
    """Mechanical power [W], positive where it is given away.

    Equals `active` + `passive` + `damping` + `tendon` = `musculotendon` where fibres and tendon balance.
    """

    active: Batch
    """Of the active fibre force; OpenSim's fiber_active_power is this and, with Millard's muscles, the damping."""
    passive: Batch
    """Of the parallel elasticity (OpenSim's fiber_passive_power)."""
    damping: Batch
    """Of the fibres' damping, never positive."""
    tendon: Batch
    """Of the tendon; none where it is rigid."""
    musculotendon: Batch
    """What the bones get (OpenSim's muscle_power)."""


def rigid_tendon_fibers(
    muscles: Muscles,
    activation: Batch,
    length: Batch,
    speed: Batch,
    *,
    excitation: Batch | None = None,
    passive: bool = True,
    damping: bool = True,
) -> Fibers:
    """Fibres on rigid tendons, as OpenSim's muscles with `ignore_tendon_compliance`.

    `Muscles.opensim_compat` changes nothing here: OpenSim's slip with the pennation is one of its static optimization alone.

    Args:
        muscles: whose numbers to use.
        activation: 0 to 1.
        length: musculotendon lengths [m].
        speed: musculotendon lengthening speeds [m/s].
        excitation: 0 to 1; the activation if not given, which is right where it is steady.
        passive: whether the parallel elasticity pulls.
        damping: whether the fibres are damped.
    """
    forces = rigid_tendon_forces(replace(muscles, opensim_compat=False), length, speed)
    velocity = forces.fiber_velocity * muscles.optimal_fiber_length * muscles.max_contraction_velocity
    active = activation * forces.active
    none = jnp.zeros_like(active)
    elastic = forces.passive if passive else none
    damped = _damping(muscles, forces.damping, active + elastic) if damping else none
    return Fibers(
        activation=activation,
        excitation=activation if excitation is None else excitation,
        length=forces.fiber_length,
        velocity=jnp.where(forces.slack, 0.0, velocity),
        by_length=curves(muscles).by_length(forces.fiber_length)[0],
        active=active / forces.cos_pennation,
        passive=elastic / forces.cos_pennation,
        damping=damped / forces.cos_pennation,
        tendon_force=active + elastic + damped,
        cos_pennation=forces.cos_pennation,
    )


def _damping(muscles: Muscles, damping: Batch, others: Batch) -> Batch:
    """As OpenSim's kinds of muscles have it on rigid tendons: Millard's never push with it, Thelen's have none."""
    kind = jnp.array(muscles.kind)
    return jnp.where(kind == _MILLARD, jnp.maximum(damping, -others), jnp.where(kind == _THELEN, 0.0, damping))


def compliant_tendon_fibers(muscles: Muscles, activation: Batch, dynamics: MuscleDynamics, *, excitation: Batch | None = None) -> Fibers:
    """Fibres on tendons that give, in the state that `muscle_dynamics` was asked for. Activations as there."""
    stretch = dynamics.fiber_length / muscles.optimal_fiber_length
    return Fibers(
        activation=activation,
        excitation=activation if excitation is None else excitation,
        length=stretch,
        velocity=dynamics.fiber_velocity,
        by_length=curves(muscles).by_length(stretch)[0],
        active=dynamics.active / dynamics.cos_pennation,
        passive=dynamics.passive / dynamics.cos_pennation,
        damping=dynamics.damping / dynamics.cos_pennation,
        tendon_force=dynamics.tendon_force,
        cos_pennation=dynamics.cos_pennation,
    )


def muscle_power(fibers: Fibers, speed: Batch) -> MusclePower:
    """Power of fibres, tendons and both at musculotendon lengthening speeds [m/s].

    A slack tendon carries no force and has no power, whatever its speed.
    """
    of_tendon = speed - fibers.velocity / fibers.cos_pennation
    return MusclePower(
        active=-fibers.active * fibers.velocity,
        passive=-fibers.passive * fibers.velocity,
        damping=-fibers.damping * fibers.velocity,
        tendon=-fibers.tendon_force * of_tendon,
        musculotendon=-fibers.tendon_force * speed,
    )
