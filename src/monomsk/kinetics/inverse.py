"""Generalized forces of a recorded motion under measured forces, as OpenSim's InverseDynamicsTool finds them."""

from dataclasses import replace
from functools import partial

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from monomsk.errors import InputError
from monomsk.kinetics import filtering
from monomsk.kinetics.applied_forces import attachment, sampled
from monomsk.model.compile import compile_model
from monomsk.model.model import Model, complete_rates
from monomsk.model.spec import ModelSpec
from monomsk.outside_loads import AppliedForce
from monomsk.physics import inverse_dynamics as plain
from monomsk.physics import native_dynamics
from monomsk.physics.external_wrench import Attachment, applied_wrenches
from monomsk.physics.forward_kinematics import forward_kinematics
from monomsk.physics.passive import passive_forces
from monomsk.types import GeneralizedForces, Motion

CHUNK = 256
"""Frames a compiled call takes; the last chunk is filled up, so that no length compiles anew."""
LARGE_RESIDUAL = 0.1
"""Share of body weight above which the force missing at the root is worth a warning (Hicks et al. 2015 advise half of it)."""


def joint_forces(
    motion: Motion,
    spec: ModelSpec,
    forces: tuple[AppliedForce, ...] = (),
    *,
    lowpass: float | None = None,
    passive: bool = False,
    simbody_compatible: bool = False,
) -> GeneralizedForces:
    """Generalized forces on every coordinate of the model; those on the root's are residuals.

    Args:
        motion: of the model's coordinates. Coupled ones are set from those that determine them.
        spec: the body, scaled to the person.
        forces: measured ones.
        lowpass: cut-off of the filter on the coordinates [Hz]; None leaves them as they are.
        passive: take off what the model's springs, stops and soft tissue do, so that what is left is the muscles' part.
        simbody_compatible: repeat the error of OpenSim's CustomJoint (docs/mechanics.md), and its splines through the forces.

    Raises:
        InputError: frames uneven or too few, coordinates that are not the model's, forces on bodies that are not.
    """
    model = compile_model(spec)
    if motion.names != model.coordinate_names:
        raise InputError(f"the motion's coordinates are not those of model {spec.name}")
    rates = filtering.rates(motion.time, filtering.unwrap(motion.q, motion.rotational), lowpass)
    where = attachment(model, forces)
    values, warnings = sampled(forces, motion.time, as_opensim=simbody_compatible)
    parts = []
    for start in range(0, len(motion.time), CHUNK):
        inputs = [_filled(a[start : start + CHUNK]) for a in (*rates, values)]
        parts.append(np.asarray(_chunk(model, (where, passive, simbody_compatible), *inputs)))
    tau = np.concatenate(parts)[: len(motion.time)]
    weight = spec.mass * float(np.linalg.norm(spec.gravity))
    return GeneralizedForces(
        time=motion.time,
        names=motion.names,
        rotational=motion.rotational,
        tau=tau,
        q=rates[0],
        qd=rates[1],
        qdd=rates[2],
        bodies=tuple(dict.fromkeys(model.body_names[i] for i in where.body)),
        warnings=(*motion.warnings, *warnings, *_doubts(model, tau, weight)),
    )


def cut(forces: GeneralizedForces, chosen: Bool[np.ndarray, " time"]) -> GeneralizedForces:
    """Some of the frames alone."""
    columns = (forces.time, forces.tau, forces.q, forces.qd, forces.qdd)
    time, tau, q, qd, qdd = (a[chosen] for a in columns)
    return replace(forces, time=time, tau=tau, q=q, qd=qd, qdd=qdd)


def root_residual(model: Model, tau: Float[np.ndarray, "time nq"]) -> float:
    """Root mean square of the force on the root's translations [N]."""
    slides = [i for i in model.root if not model.rotational[i]]
    return float(np.sqrt(np.mean(np.sum(tau[:, slides] ** 2, axis=1)))) if slides else 0.0


def _doubts(model: Model, tau: Float[np.ndarray, "time nq"], weight: float) -> tuple[str, ...]:
    share = root_residual(model, tau) / weight
    if share <= LARGE_RESIDUAL:
        return ()
    return (f"the residual force at the root is {100 * share:.0f} % of body weight (RMS): a force is missing or on the wrong body",)


def _filled(a: np.ndarray) -> Array:
    return jnp.array(np.concatenate([a, np.repeat(a[-1:], CHUNK - len(a), axis=0)]))


@partial(eqx.filter_jit)
def _chunk(
    model: Model,
    how: tuple[Attachment, bool, bool],
    q: Float[Array, "chunk nq"],
    qd: Float[Array, "chunk nq"],
    qdd: Float[Array, "chunk nq"],
    values: Float[Array, "chunk force 9"],
) -> Float[Array, "chunk nq"]:
    where, passive, simbody_compatible = how

    def frame(q: Array, qd: Array, qdd: Array, values: Array) -> Array:
        q, qd, qdd = complete_rates(model, q, qd, qdd)
        f_ext = applied_wrenches(model, forward_kinematics(model, q), where, values) if where.body else None
        if simbody_compatible:
            tau = plain.inverse_dynamics(model, q, qd, qdd, f_ext, simbody_compatible=True)
        else:
            tau = native_dynamics.inverse_dynamics(model, q, qd, qdd, f_ext)
        return tau - passive_forces(model, q, qd) if passive else tau

    return jax.vmap(frame)(q, qd, qdd, values)
