"""Metabolic power of muscles: what they burn, as heat and as work [W].

Umberger et al. (2003), Umberger (2010) and Bhargava et al. (2004), with the changes of Uchida et al. (2016), as OpenSim 4.6's
`Umberger2010MuscleMetabolicsProbe`, `Bhargava2004MuscleMetabolicsProbe` and `Bhargava2004SmoothedMuscleMetabolics` have them;
the options below are theirs. Velocities are positive when fibres lengthen.
"""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from monomsk.model.muscles import Muscles
from monomsk.physics.muscle_power import Fibers

Batch = Float[Array, "*batch muscle"]

DENSITY = 1059.7
"""Of muscle [kg/m³] (Mendez & Keys 1960)."""
SPECIFIC_TENSION = 250e3
"""OpenSim's greatest force of a muscle over its cross-section [Pa]."""

# Umberger et al. (2003): heats over muscle mass [W/kg].
_LEAST_HEAT = 1.0
_HEAT_OF_SLOW, _MORE_OF_FAST = 25.0, 128.0
_SHORTENING_OF_SLOW, _SHORTENING_OF_FAST = 100.0, 153.0
"""At the greatest velocity of fibres of that kind; the former is the most that slow fibres give."""
_SLOWER = 2.5
"""How many times slower than fast fibres the slow ones are at most."""
_LENGTHENING, _LENGTHENING_WITH_WORK = 0.3, 4.0
"""Lengthening heat over shortening heat of slow fibres: Umberger (2010), and where negative work is counted as such (2003)."""

_MAINTENANCE_LENGTHS, _MAINTENANCE = (0.0, 0.5, 1.0, 1.5, 2.0), (0.5, 0.5, 1.0, 0.0, 0.0)
"""Maintenance heat over normalized fibre length, and its factor (Bhargava et al. 2004)."""


class Tissue(eqx.Module):
    """What the muscles are made of."""

    mass: Float[Array, " muscle"]
    """[kg]"""
    slow_twitch: Float[Array, " muscle"]
    """Share of slow-twitch fibres, 0 to 1."""
    max_isometric_force: Float[Array, " muscle"]
    """[N]"""
    optimal_fiber_length: Float[Array, " muscle"]
    """[m]"""
    max_contraction_velocity: Float[Array, " muscle"]
    """Optimal fibre lengths per second."""


class MetabolicPower(eqx.Module):
    """Parts and sum of the metabolic power of each muscle [W].

    The sum may be above that of the parts, where the least heat rate holds.
    """

    activation: Batch
    """Heat of activation; with Umberger's model that of maintenance too."""
    maintenance: Batch
    """Heat of maintenance; zero with Umberger's model."""
    shortening: Batch
    """Heat of shortening and lengthening."""
    work: Batch
    """Mechanical power of the active force."""
    total: Batch


class Umberger2010(eqx.Module):
    """Options of OpenSim's probe, with its defaults; without the last three it is the model as published."""

    aerobic_factor: float = 1.5
    """On all heats: 1.5 where muscles work mostly aerobically, 1 where not."""
    muscle_effort_scaling_factor: float = 1.0
    """On excitation, activation and active force."""
    enforce_minimum_heat_rate: bool = eqx.field(default=True, static=True)
    """No muscle gives less heat than 1 W/kg."""
    use_bhargava_recruitment_model: bool = eqx.field(default=True, static=True)
    """Slow fibres are excited first (Bhargava et al. 2004); otherwise all in proportion to their share."""
    include_negative_mechanical_work: bool = eqx.field(default=True, static=True)
    """Work done on the fibres counts as negative, and lengthening heat is larger in return."""
    forbid_negative_total_power: bool = eqx.field(default=True, static=True)
    """Where a muscle would give energy back its shortening heat grows until it does not."""


class Bhargava2004(eqx.Module):
    """Options of OpenSim's probe, with its defaults; `smooth` makes it the smoothed component with hyperbolic tangents."""

    activation_of_slow: float = 40.0
    """Heat constants [W/kg]."""
    activation_of_fast: float = 133.0
    maintenance_of_slow: float = 74.0
    maintenance_of_fast: float = 111.0
    muscle_effort_scaling_factor: float = 1.0
    """On excitation, activation and active force."""
    velocity_smoothing: float = 10.0
    """Steepness of the steps, where `smooth` [s/m, 1/W, 1/W]."""
    power_smoothing: float = 10.0
    heat_rate_smoothing: float = 10.0
    enforce_minimum_heat_rate: bool = eqx.field(default=True, static=True)
    """No muscle gives less heat than 1 W/kg."""
    use_force_dependent_shortening_prop_constant: bool = eqx.field(default=False, static=True)
    """Shortening heat as Bhargava et al. (2004) have it; otherwise a quarter of the fibre force (Anderson 1999), none in lengthening."""
    include_negative_mechanical_work: bool = eqx.field(default=True, static=True)
    """Work done on the fibres counts as negative."""
    forbid_negative_total_power: bool = eqx.field(default=True, static=True)
    """Where a muscle would give energy back its shortening heat grows until it does not."""
    smooth: bool = eqx.field(default=False, static=True)
    """Steps are hyperbolic tangents, so that everything can be differentiated everywhere."""


def tissue(
    muscles: Muscles,
    slow_twitch: Float[Array, " muscle"],
    *,
    specific_tension: Float[Array, ""] | float = SPECIFIC_TENSION,
    density: Float[Array, ""] | float = DENSITY,
) -> Tissue:
    """The muscles' tissue: mass is cross-section times optimal fibre length times density, as OpenSim's probes take it.

    Args:
        muscles: whose numbers to use.
        slow_twitch: share of slow-twitch fibres, 0 to 1.
        specific_tension: greatest isometric force over cross-section [Pa].
        density: [kg/m³].
    """
    mass = muscles.max_isometric_force / specific_tension * density * muscles.optimal_fiber_length
    return Tissue(mass, slow_twitch, muscles.max_isometric_force, muscles.optimal_fiber_length, muscles.max_contraction_velocity)


def basal_power(
    mass: Float[Array, "*batch"], *, coefficient: Float[Array, ""] | float = 1.2, exponent: Float[Array, ""] | float = 1.0
) -> Float[Array, "*batch"]:
    """What a body of that mass [kg] burns without its muscles' work [W]; the coefficient is that of standing (Umberger et al. 2003)."""
    return coefficient * mass**exponent


def umberger2010(tissue: Tissue, fibers: Fibers, options: Umberger2010 | None = None) -> MetabolicPower:
    """Metabolic power of every muscle by Umberger (2010). Equals OpenSim 4.6's `Umberger2010MuscleMetabolicsProbe`.

    Differentiable but where fibres turn from shortening to lengthening, at optimal length, and at the limits that the options set.
    """
    options = options or Umberger2010()
    activation, excitation, active = (
        options.muscle_effort_scaling_factor * x for x in (fibers.activation, fibers.excitation, fibers.active)
    )
    effort = jnp.where(excitation > activation, excitation, 0.5 * (excitation + activation))
    slow = _recruited(tissue.slow_twitch, excitation) if options.use_bhargava_recruitment_model else tissue.slow_twitch
    longer = fibers.length > 1.0
    heat = _HEAT_OF_SLOW + _MORE_OF_FAST * (1.0 - slow)
    heat = options.aerobic_factor * _power_of(effort, 0.6) * jnp.where(longer, (0.4 + 0.6 * fibers.by_length) * heat, heat)
    velocity = fibers.velocity / tissue.optimal_fiber_length
    of_slow = _SHORTENING_OF_SLOW * _SLOWER / tissue.max_contraction_velocity * velocity
    of_fast = _SHORTENING_OF_FAST / tissue.max_contraction_velocity * velocity
    shortens = jnp.minimum(-of_slow, _SHORTENING_OF_SLOW) * slow - of_fast * (1.0 - slow)
    lengthens = (_LENGTHENING_WITH_WORK if options.include_negative_mechanical_work else _LENGTHENING) * of_slow
    shortening = options.aerobic_factor * jnp.where(velocity <= 0.0, effort**2 * shortens, effort * lengthens)
    shortening = shortening * jnp.where(longer, fibers.by_length, 1.0)
    counts = (velocity <= 0.0) | options.include_negative_mechanical_work
    work = -jnp.maximum(active, 0.0) * fibers.velocity * counts / tissue.mass
    if options.forbid_negative_total_power:
        shortening = shortening - jnp.minimum(heat + shortening + work, 0.0)
    released = heat + shortening
    if options.enforce_minimum_heat_rate:
        released = jnp.maximum(released, _LEAST_HEAT)
    parts = (heat, jnp.zeros_like(heat), shortening, work, released + work)
    return MetabolicPower(*(tissue.mass * part for part in parts))


def bhargava2004(tissue: Tissue, fibers: Fibers, options: Bhargava2004 | None = None) -> MetabolicPower:
    """Metabolic power of every muscle by Bhargava et al. (2004), without the decay of activation heat, which OpenSim leaves out.

    Equals OpenSim 4.6's `Bhargava2004MuscleMetabolicsProbe`, and with `smooth` its `Bhargava2004SmoothedMuscleMetabolics`.
    """
    o = options or Bhargava2004()
    activation, excitation, active = (o.muscle_effort_scaling_factor * x for x in (fibers.activation, fibers.excitation, fibers.active))
    slow, fast = _excited(tissue.slow_twitch, excitation)
    by_length = jnp.interp(fibers.length, jnp.array(_MAINTENANCE_LENGTHS), jnp.array(_MAINTENANCE))
    activating = tissue.mass * (o.activation_of_slow * slow + o.activation_of_fast * fast)
    maintaining = tissue.mass * by_length * (o.maintenance_of_slow * slow + o.maintenance_of_fast * fast)
    force = active + fibers.passive + fibers.damping
    step = _step(fibers.velocity, o.velocity_smoothing, smooth=o.smooth)
    if o.use_force_dependent_shortening_prop_constant:
        isometric = activation * fibers.by_length * tissue.max_isometric_force
        share = _between(step, 0.16 * isometric + 0.18 * force, 0.157 * force)
    else:
        share = _between(step, 0.25 * force, jnp.zeros_like(force))
    shortening = -share * fibers.velocity
    work = -active * fibers.velocity
    if not o.include_negative_mechanical_work:
        work = _between(step, work, jnp.zeros_like(work))
    if o.forbid_negative_total_power:
        total = activating + maintaining + shortening + work
        shortening = shortening - _between(_step(-total, o.power_smoothing, smooth=o.smooth), jnp.zeros_like(total), total)
    released = activating + maintaining + shortening
    if o.enforce_minimum_heat_rate:
        least = _LEAST_HEAT * tissue.mass
        released = _between(_step(least - released, o.heat_rate_smoothing, smooth=o.smooth), released, least)
    return MetabolicPower(activating, maintaining, shortening, work, released + work)


def _excited(share: Batch, excitation: Batch) -> tuple[Batch, Batch]:
    """Excitation of slow and of fast fibres, by their shares (Bhargava et al. 2004)."""
    angle = 0.5 * jnp.pi * excitation
    return share * jnp.sin(angle), (1.0 - share) * (1.0 - jnp.cos(angle))


def _recruited(share: Batch, excitation: Batch) -> Batch:
    """Share of slow fibres among those that are excited."""
    slow, fast = _excited(share, excitation)
    some = slow + fast > 0.0
    return jnp.where(some, slow / jnp.where(some, slow + fast, 1.0), 1.0)


def _power_of(x: Batch, exponent: float) -> Batch:
    """x to a power below one; the slope at zero is zero instead of infinite."""
    return jnp.where(x > 0.0, jnp.where(x > 0.0, x, 1.0) ** exponent, 0.0)


def _step(x: Batch, steepness: float, *, smooth: bool) -> Batch | Bool[Array, "*batch muscle"]:
    """From 0 to 1 as x becomes positive."""
    return 0.5 + 0.5 * jnp.tanh(steepness * x) if smooth else x > 0.0


def _between(step: Batch | Bool[Array, "*batch muscle"], below: Batch, above: Batch) -> Batch:
    """The value below the step, the one above it, or what lies between."""
    return jnp.where(step, above, below) if step.dtype == bool else below + (above - below) * step
