"""Muscle forces by static optimization: in every frame the least effort that explains the joint moments.

Crowninshield & Brand (1981); Anderson & Pandy (2001). Tendons are rigid, so each frame stands for itself.
"""

from dataclasses import dataclass, replace

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float, Int

from monomsk.config import MusclesConfig
from monomsk.errors import InputError, ModelError, SolveError
from monomsk.model import functions
from monomsk.model.compile import compile_model
from monomsk.model.model import Model
from monomsk.model.muscles import Muscles, compile_muscles
from monomsk.model.spec import ModelSpec
from monomsk.muscles.interior_point import share
from monomsk.muscles.quality import Evidence, figures, warnings
from monomsk.muscles.rates import padded, rates
from monomsk.muscles.rows import select
from monomsk.physics.muscle import FRAMES, muscle_states
from monomsk.types import GeneralizedForces, Kinetics, MuscleActivity, Progress

AT_REST = 0.02
"""An angle that changes less than this over the motion [rad] is not missed when it is left out."""
GEOMETRY_SHARE = 0.6
"""Share of the time that the paths take, for the progress bar."""


@dataclass(frozen=True)
class Capacity:
    """What the muscles can do over the motion."""

    length: Float[np.ndarray, "time muscle"]
    """Musculotendon lengths [m]."""
    speed: Float[np.ndarray, "time muscle"]
    """Lengthening speeds [m/s]."""
    moment_arm: Float[np.ndarray, "time row muscle"]
    """About the coordinates of the optimization [m]."""
    active: Float[np.ndarray, "time muscle"]
    """Tendon force at full activation, without the passive part [N]."""
    passive: Float[np.ndarray, "time muscle"]
    """Passive part of the tendon force [N]."""
    slack: Bool[np.ndarray, "time muscle"]
    """The path is too short for the muscle to pull."""
    inside_of: Int[np.ndarray, "time muscle"]
    """Number of the wrap surface that the path could not bend around, starting inside; −1 for none."""
    broken: Bool[np.ndarray, "time muscle"]
    """The muscle has no path."""


def solve(
    kinetics: Kinetics | GeneralizedForces, spec: ModelSpec, config: MusclesConfig | None = None, progress: Progress | None = None
) -> MuscleActivity:
    """Activations and tendon forces that explain the moments; what they cannot is the reserves'.

    Coordinates that no muscle crosses, and those beyond the bodies that the ground acts on (toes), are left out.

    Raises:
        ModelError: the body has no muscles, or one that cannot be computed.
        InputError: coordinates that the motion does not have, or a setting outside its range.
        SolveError: coordinates or moments that are not numbers, or frames without a solution.
    """
    config, tell = config or MusclesConfig(), progress or (lambda done: None)
    _check(kinetics, spec, config)
    model = compile_model(spec)
    muscles = strengthened(compile_muscles(spec, model.body_names, opensim_compat=config.opensim_compat), config.strength)
    rows = select(model, muscles, kinetics.bodies)
    if not rows.index:
        raise ModelError(f"model {spec.name}: its muscles cross no coordinate that is free to move")
    order = [kinetics.names.index(name) for name in model.coordinate_names]
    (q, qd, _), tau = rates(kinetics, order), kinetics.tau[:, order]
    rows = replace(rows, beyond=tuple(name for name in rows.beyond if np.ptp(q[:, model.coordinate(name)]) > AT_REST))
    able = capacity(model, muscles, q, qd, rows.index, progress=lambda done: tell(GEOMETRY_SHARE * done))
    passive = able.passive if config.passive else np.zeros_like(able.passive)
    moment = _folded(model, q, tau)[:, rows.index]
    missing = moment - np.einsum("trm,tm->tr", able.moment_arm, passive)
    activation, reserve = _shares(able, missing, kinetics.time, config, lambda done: tell(GEOMETRY_SHARE + (1.0 - GEOMETRY_SHARE) * done))
    names = tuple(model.coordinate_names[i] for i in rows.index)
    paths = (able.slack, able.inside_of, able.broken, muscles.surfaces)
    evidence = Evidence(kinetics.time, muscles.names, names, activation, reserve, moment, *paths)
    return MuscleActivity(
        time=kinetics.time,
        names=muscles.names,
        activation=activation,
        force=activation * able.active + passive,
        reserve_names=names,
        reserve=reserve,
        quality=figures(evidence),
        warnings=warnings(evidence, rows),
        length=able.length,
        speed=able.speed,
    )


def _check(kinetics: Kinetics | GeneralizedForces, spec: ModelSpec, config: MusclesConfig) -> None:
    if not spec.muscles:
        raise ModelError(f"model {spec.name} has no muscles: stop before the stage `muscles`, or use a model that has some")
    absent = [c.name for c in spec.coordinates if c.name not in kinetics.names]
    if absent:
        raise InputError(f"the forces lack the model's coordinate {absent[0]!r}: they belong to another model than {spec.name}")
    ranges = {"exponent": (1.0, 4.0), "minimum_activation": (0.0, 0.5), "reserve": (1e-3, 1e3), "strength": (0.1, 10.0)}
    for name, (low, high) in {**ranges, "specific_tension": (5e4, 5e6)}.items():
        value = getattr(config, name)
        if not low <= value <= high:
            raise InputError(f"muscles.{name} is {value:g}; it must lie between {low:g} and {high:g}")
    broken = ~(np.isfinite(kinetics.q).all(1) & np.isfinite(kinetics.tau).all(1))
    if broken.any():
        raise SolveError(f"coordinates or moments are not numbers in {int(broken.sum())} frames, first at {kinetics.time[broken][0]:.2f} s")


def strengthened(muscles: Muscles, factor: float) -> Muscles:
    """The muscles with all greatest isometric forces multiplied."""
    return eqx.tree_at(lambda m: m.max_isometric_force, muscles, factor * muscles.max_isometric_force)


def capacity(
    model: Model,
    muscles: Muscles,
    q: Float[np.ndarray, "time nq"],
    qd: Float[np.ndarray, "time nq"],
    rows: tuple[int, ...],
    *,
    progress: Progress = lambda done: None,
) -> Capacity:
    """What the muscles can do at every frame of the motion [rad, m, s] about the coordinates `rows`."""
    chunks: list[tuple[np.ndarray, ...]] = []
    for start in range(0, len(q), FRAMES):
        count = min(FRAMES, len(q) - start)
        s = muscle_states(model, muscles, jnp.array(padded(q, start)), jnp.array(padded(qd, start)))
        arm = np.swapaxes(np.asarray(s.moment_arm)[:, :, rows], 1, 2)
        parts = (s.length, s.speed, arm, s.forces.active, s.forces.passive, s.forces.slack, s.inside_of, s.broken)
        chunks.append(tuple(np.asarray(a)[:count] for a in parts))
        progress((start + count) / len(q))
    return Capacity(*(np.concatenate(columns) for columns in zip(*chunks, strict=True)))


def _folded(model: Model, q: Float[np.ndarray, "time nq"], tau: Float[np.ndarray, "time nq"]) -> Float[np.ndarray, "time nq"]:
    """Generalized forces with those on coupled coordinates carried over to the coordinates that determine them."""
    folded = tau.copy()
    for k, (source, target) in enumerate(zip(model.independent, model.dependent, strict=True)):
        curve = functions.PiecewisePolynomials(
            *(
                jnp.broadcast_to(a[k], (len(q), *a.shape[1:]))
                for a in (model.coupler_curves.breaks, model.coupler_curves.origins, model.coupler_curves.coefficients)
            )
        )
        _, rate, _ = functions.evaluate(curve, jnp.array(q[:, source]))
        folded[:, source] += np.asarray(rate) * tau[:, target]
    return folded


def _shares(
    able: Capacity, missing: Float[np.ndarray, "time row"], time: Float[np.ndarray, " time"], config: MusclesConfig, progress: Progress
) -> tuple[Float[np.ndarray, "time muscle"], Float[np.ndarray, "time row"]]:
    """Activations and reserves of all frames."""
    moment = able.moment_arm * able.active[:, None, :]
    muscles, rows = able.active.shape[1], missing.shape[1]
    weight = jnp.full(rows, config.reserve**-2.0)
    lower, upper = jnp.full(muscles, config.minimum_activation), jnp.ones(muscles)
    activations, reserves = [], []
    for start in range(0, len(time), FRAMES):
        count = min(FRAMES, len(time) - start)
        found = share(jnp.array(padded(moment, start)), jnp.array(padded(missing, start)), weight, lower, upper, jnp.array(config.exponent))
        failed = ~np.asarray(found.converged)[:count]
        if failed.any():
            raise SolveError(
                f"static optimization found no solution in {int(failed.sum())} frames, first at {time[start:][:count][failed][0]:.2f} s"
            )
        activations.append(np.asarray(found.activation)[:count])
        reserves.append(np.asarray(found.reserve)[:count])
        progress((start + count) / len(time))
    return np.concatenate(activations), np.concatenate(reserves)
