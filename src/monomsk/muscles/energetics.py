"""Mechanical power of muscles and joints, and what the muscles burn, from the forces of static optimization."""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from monomsk.config import MusclesConfig
from monomsk.errors import InputError
from monomsk.model.compile import compile_model
from monomsk.model.model import Model
from monomsk.model.muscles import Muscles, compile_muscles
from monomsk.model.spec import ModelSpec
from monomsk.muscles.rates import padded, rates
from monomsk.muscles.slow_twitch import slow_twitch
from monomsk.muscles.static_optimization import strengthened
from monomsk.physics.metabolics import Tissue, basal_power, bhargava2004, tissue, umberger2010
from monomsk.physics.muscle import FRAMES
from monomsk.physics.muscle_power import muscle_power, rigid_tendon_fibers
from monomsk.types import Energetics, GeneralizedForces, Kinetics, MetabolicCost, MuscleActivity

MODELS = {"umberger2010": umberger2010, "bhargava2004": bhargava2004}
"""By their names in the settings."""

PLAUSIBLE = (0.1, 0.35)
"""Share of the body's mass that muscles of both legs have in anybody; 0.2 is usual (Handsfield et al. 2014)."""
LEG_MUSCLES = 18
"""Models with fewer muscles are no pair of legs, so that nothing can be said of their mass."""


def energetics(
    kinetics: Kinetics | GeneralizedForces, activity: MuscleActivity, spec: ModelSpec, mass: float, config: MusclesConfig | None = None
) -> Energetics:
    """Power of every muscle and joint over the frames of the activity, tendons rigid, and the muscles' metabolic power.

    Excitations are taken as the activations: static optimization knows no others. Passive elasticity counts where
    `config.passive` let it; damping, which static optimization leaves out, does not.

    Args:
        kinetics: the motion and moments that the activity explains; their coordinates may come in any order.
        activity: of static optimization with the same settings.
        spec: the body.
        mass: of the whole person [kg], for the basal part and what is told by body mass.
        config: settings of the stage, whose ranges `solve` has checked.

    Raises:
        InputError: no mass, an unknown model of energetics, or an activity of other muscles or without lengths.
    """
    config = config or MusclesConfig()
    _check(activity, spec, mass, config)
    model = compile_model(spec)
    muscles = strengthened(compile_muscles(spec, model.body_names), config.strength)
    share, guessed = slow_twitch(muscles.names)
    flesh = tissue(muscles, jnp.array(share), specific_tension=config.specific_tension)
    parts = []
    for start in range(0, len(activity.time), FRAMES):
        inputs = [jnp.array(padded(np.asarray(a), start)) for a in (activity.activation, activity.length, activity.speed)]
        parts.append(np.asarray(_chunk(muscles, flesh, (config.metabolics, config.passive), *inputs)))
    whole, active, passive, burnt = np.moveaxis(np.concatenate(parts)[: len(activity.time)], 1, 0)
    coordinates, joint = _joint_power(kinetics, model)
    of_muscles = np.asarray(flesh.mass)
    cost = MetabolicCost(config.metabolics, burnt, float(basal_power(jnp.asarray(mass))), of_muscles, guessed)
    counted = config.metabolics != "none"
    return Energetics(
        time=activity.time,
        names=activity.names,
        muscle=whole,
        active=active,
        passive=passive,
        coordinates=coordinates,
        joint=joint,
        mass=mass,
        metabolic=cost if counted else None,
        warnings=_doubts(of_muscles, mass, config.specific_tension) if counted else (),
    )


def _check(activity: MuscleActivity, spec: ModelSpec, mass: float, config: MusclesConfig) -> None:
    if not (np.isfinite(mass) and mass > 0.0):
        raise InputError(f"the body's mass is {mass:g} kg: metabolic power needs it; give the model's bodies their masses")
    if config.metabolics not in (*MODELS, "none"):
        raise InputError(f"muscles.metabolics is {config.metabolics!r}; allowed: {', '.join(MODELS)}, none")
    if activity.length is None or activity.speed is None:
        raise InputError("muscle power needs the muscles' lengths and speeds, which this activity does not have")
    if activity.names != tuple(m.name for m in spec.muscles):
        raise InputError(f"the activity is of other muscles than those of the model {spec.name}")


@eqx.filter_jit
def _chunk(
    muscles: Muscles,
    flesh: Tissue,
    what: tuple[str, bool],
    activation: Float[Array, "frame muscle"],
    length: Float[Array, "frame muscle"],
    speed: Float[Array, "frame muscle"],
) -> Float[Array, "frame 4 muscle"]:
    """Power of the muscles, of their active and their passive fibre force, and metabolic power."""
    name, passive = what
    fibers = rigid_tendon_fibers(muscles, activation, length, speed, passive=passive, damping=False)
    power = muscle_power(fibers, speed)
    burnt = MODELS[name](flesh, fibers).total if name in MODELS else jnp.zeros_like(speed)
    return jnp.stack([power.musculotendon, power.active, power.passive, burnt], 1)


def _joint_power(kinetics: Kinetics | GeneralizedForces, model: Model) -> tuple[tuple[str, ...], Float[np.ndarray, "time coordinate"]]:
    """Generalized force times speed of all coordinates that can move, coupled ones included, less the root's."""
    moving = [i for i in sorted({*model.free, *model.dependent}) if i not in model.root]
    names = tuple(model.coordinate_names[i] for i in moving)
    order = [kinetics.names.index(name) for name in names]
    _, qd, _ = rates(kinetics, order)
    return names, kinetics.tau[:, order] * qd


def _doubts(muscle_mass: Float[np.ndarray, " muscle"], mass: float, specific_tension: float) -> tuple[str, ...]:
    total = float(muscle_mass.sum())
    if len(muscle_mass) < LEG_MUSCLES or PLAUSIBLE[0] <= total / mass <= PLAUSIBLE[1]:
        return ()
    return (
        f"the model's muscles would weigh {total:.1f} kg, {100.0 * total / mass:.0f} % of the body: metabolic power goes with it; "
        f"the specific tension of {specific_tension:g} Pa does not suit the model's strengths",
    )
