"""Force of a muscle from activation, length and speed, with a rigid tendon and fibres of constant height (Zajac 1989)."""

from collections.abc import Callable
from functools import partial

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from monomsk.model.model import Model, complete_rates
from monomsk.model.muscles import KINDS, Muscles
from monomsk.physics import muscle_curve, muscle_kinds
from monomsk.physics.forward_kinematics import forward_kinematics
from monomsk.physics.muscle_path import coupled
from monomsk.physics.native_paths import muscle_paths
from monomsk.physics.polynomial_path import lengthening_speeds

SHORTEST_FIBER = 0.01
"""Normalized length below which the fibres of formulas without a lower end carry nothing."""

Batch = Float[Array, "*batch muscle"]

FRAMES = 64
"""Frames that one call of `muscle_states` should have, so that no other number of frames compiles anew."""


class MuscleForces(eqx.Module):
    """What each muscle can do at one length and speed; forces along the tendon [N]."""

    active: Batch
    """At full activation."""
    passive: Batch
    """Of the parallel elasticity."""
    damping: Batch
    """Of the fibres' damping; negative when they shorten. A device of integration, which OpenSim adds to the passive force."""
    fiber_length: Batch
    """Over the optimal length."""
    fiber_velocity: Batch
    """Over the greatest velocity; positive when the fibres lengthen."""
    cos_pennation: Batch
    slack: Bool[Array, "*batch muscle"]
    """True where the path is too short for tendon and fibres, so that the muscle carries no force."""


class MuscleStates(eqx.Module):
    """Paths and possible forces of all muscles over frames."""

    length: Float[Array, "frame muscle"]
    """Musculotendon lengths [m]."""
    speed: Float[Array, "frame muscle"]
    """Lengthening speeds [m/s]."""
    moment_arm: Float[Array, "frame muscle nq"]
    """With coupled coordinates folded into those that determine them [m, 1]."""
    inside_of: Int[Array, "frame muscle"]
    """Number of a wrap surface that a path could not bend around because it starts inside; −1 where there is none."""
    broken: Bool[Array, "frame muscle"]
    """True where a muscle has no path."""
    forces: MuscleForces


@eqx.filter_jit
def muscle_states(model: Model, muscles: Muscles, q: Float[Array, "frame nq"], qd: Float[Array, "frame nq"]) -> MuscleStates:
    """Everything that static optimization needs of the muscles, at coordinates [rad, m] and their speeds."""
    return jax.vmap(partial(_state, model, muscles))(q, qd)


def _state(model: Model, muscles: Muscles, q: Float[Array, " nq"], qd: Float[Array, " nq"]) -> MuscleStates:
    q, qd, _ = complete_rates(model, q, qd, jnp.zeros_like(q))
    paths = muscle_paths(model, muscles, forward_kinematics(model, q), q)
    speed = lengthening_speeds(muscles, q, qd, paths.moment_arm)
    forces = rigid_tendon_forces(muscles, paths.length, speed)
    return MuscleStates(paths.length, speed, coupled(model, q, paths.moment_arm), paths.inside_of, paths.broken, forces)


def rigid_tendon_forces(muscles: Muscles, length: Batch, speed: Batch) -> MuscleForces:
    """Forces from the musculotendon lengths [m] and lengthening speeds [m/s], as OpenSim's with `ignore_tendon_compliance`.

    Equals OpenSim's fibre force along the tendon in `active` + `passive` + `damping`. OpenSim 4.6's static optimization
    uses another active force for Millard's muscles: it takes the pennation angle at the normalized fibre length as if
    that were metres, so that pennation all but vanishes. `Muscles.opensim_compat` repeats that.
    """
    optimal = muscles.optimal_fiber_length
    height = optimal * jnp.sin(muscles.pennation)
    along = length - muscles.tendon_slack_length
    shortest = shortest_fiber(muscles)
    shortest_along = jnp.sqrt(jnp.maximum(shortest**2 - height**2, 0.0))
    slack = along <= shortest_along
    along = jnp.maximum(along, jnp.maximum(shortest_along, 1e-9))
    fiber = jnp.sqrt(height**2 + along**2)
    cosine = along / fiber
    stretch = fiber / optimal
    velocity = speed * cosine / (optimal * muscles.max_contraction_velocity)
    by_length, by_velocity, passive = _multipliers(muscles, stretch, velocity)
    strength = jnp.where(slack, 0.0, muscles.max_isometric_force * cosine)
    active = strength * by_length * by_velocity
    if muscles.opensim_compat:
        mistaken = jnp.sqrt(jnp.maximum(1.0 - (height / stretch) ** 2, 0.0))
        active = active * jnp.where(jnp.array([k == 0 for k in muscles.kind]), mistaken / cosine, 1.0)
    return MuscleForces(
        active=active,
        passive=strength * passive,
        damping=strength * muscles.parameters["fiber_damping"] * velocity,
        fiber_length=stretch,
        fiber_velocity=velocity,
        cos_pennation=cosine,
        slack=slack,
    )


def shortest_fiber(muscles: Muscles) -> Float[Array, " muscle"]:
    """Length [m] below which fibres carry nothing: the end of the active curve, or the greatest angle of pennation."""
    millard = jnp.array([k == 0 for k in muscles.kind])
    normalized = jnp.where(millard, muscles.parameters["ActiveForceLengthCurve.min_norm_active_fiber_length"], SHORTEST_FIBER)
    height = muscles.optimal_fiber_length * jnp.sin(muscles.pennation)
    return jnp.maximum(normalized * muscles.optimal_fiber_length, height / jnp.sin(muscles.parameters["maximum_pennation_angle"]))


_Multipliers = tuple[Batch, Batch, Batch]


def _multipliers(muscles: Muscles, stretch: Batch, velocity: Batch) -> _Multipliers:
    """Active force over length, over velocity, and passive force over length, each by the muscle's own kind."""
    methods: tuple[Callable[[muscle_curve.Numbers, Batch, Batch], _Multipliers], ...] = (_millard, _thelen, _degroote)
    assert len(methods) == len(KINDS)
    result: _Multipliers | None = None
    for kind, method in enumerate(methods):
        if kind not in muscles.kind:
            continue
        values = method(muscles.parameters, stretch, velocity)
        own = jnp.array([k == kind for k in muscles.kind])
        if result is not None:
            values = tuple(jnp.where(own, new, old) for new, old in zip(values, result, strict=True))
        result = values[0], values[1], values[2]
    return result or (stretch, velocity, stretch)


def _millard(numbers: muscle_curve.Numbers, stretch: Batch, velocity: Batch) -> _Multipliers:
    make = (muscle_curve.active_force_length, muscle_curve.force_velocity, muscle_curve.passive_force_length)
    curves = muscle_curve.beside([f(numbers) for f in make])
    at = jnp.stack([stretch, velocity, stretch], -2)
    values = muscle_curve.evaluate(curves, at)
    return values[..., 0, :], values[..., 1, :], values[..., 2, :]


def _thelen(numbers: muscle_curve.Numbers, stretch: Batch, velocity: Batch) -> _Multipliers:
    """Thelen (2003), equation 6 at full activation."""
    af, most = numbers["Af"], numbers["Flen"]
    shorten, lengthen = jnp.clip(velocity, -1.0, 0.0), jnp.maximum(velocity, 0.0)
    steep = (2.0 + 2.0 / af) * lengthen
    eccentric = (most - 1.0 + steep * most) / (most - 1.0 + steep)
    by_velocity = jnp.where(velocity < 0.0, (1.0 + shorten) / (1.0 - shorten / af), eccentric)
    by_length, passive = muscle_kinds.thelen_lengths(numbers, stretch)
    return by_length, by_velocity, passive


def _degroote(numbers: muscle_curve.Numbers, stretch: Batch, velocity: Batch) -> _Multipliers:
    by_length, passive = muscle_kinds.degroote_lengths(numbers, stretch)
    return by_length, jnp.maximum(muscle_kinds.degroote_velocity(velocity), 0.0), passive
