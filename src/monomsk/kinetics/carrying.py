"""What carried things do to the body: the force of a point mass that moves with one of its bodies."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from monomsk.errors import InputError
from monomsk.kinetics import filtering
from monomsk.model.compile import compile_model
from monomsk.model.model import Model, complete_rates
from monomsk.model.spec import ModelSpec
from monomsk.outside_loads import AppliedForce, CarriedMass
from monomsk.physics.forward_kinematics import forward_kinematics
from monomsk.types import Motion

CHUNK = 128


def carried_forces(
    motion: Motion, spec: ModelSpec, carried: tuple[CarriedMass, ...], *, lowpass: float | None, start: float = 0.0
) -> tuple[AppliedForce, ...]:
    """Force of every carried mass on its body, mass · (gravity − acceleration of its place), at the motion's frames, ground frame.

    `lowpass` is the cut-off on the coordinates [Hz], `start` the time in the video at which the motion begins [s]. Raises InputError
    for bodies that the model does not have, and masses that are carried at none of the motion's times.
    """
    if not carried:
        return ()
    model = compile_model(spec)
    rates = filtering.rates(motion.time, filtering.unwrap(motion.q, motion.rotational), lowpass)
    forces = []
    for number, one in enumerate(carried, 1):
        if one.body not in model.body_names:
            raise InputError(f"carried mass {number} names body {one.body!r}, which the model does not have")
        held = (motion.time + start >= (-np.inf if one.begin is None else one.begin)) & (
            motion.time + start <= (np.inf if one.end is None else one.end)
        )
        if not held.any():
            times = f"from {motion.time[0] + start:g} to {motion.time[-1] + start:g} s"
            raise InputError(f"carried mass {number} ({one.body}) is carried at no time of the clip, which lasts {times} of the video")
        place, acceleration = _follow(model, model.body(one.body), np.array(one.location), rates)
        force = held[:, None] * one.mass * (np.array(spec.gravity) - acceleration)
        forces.append(AppliedForce(f"carried_{number}", one.body, motion.time, force, place, np.zeros_like(force)))
    return tuple(forces)


def _follow(
    model: Model, body: int, location: Float[np.ndarray, "3"], rates: tuple[Float[np.ndarray, "time nq"], ...]
) -> tuple[Float[np.ndarray, "time 3"], Float[np.ndarray, "time 3"]]:
    """Place [m] and acceleration [m/s²] of a point of a body in the ground frame."""
    frames = len(rates[0])
    parts = []
    for low in range(0, frames, CHUNK):
        rows = [jnp.asarray(r[np.minimum(np.arange(low, low + CHUNK), frames - 1)]) for r in rates]
        parts.append([np.asarray(a) for a in _chunk(model, jnp.asarray(body), jnp.asarray(location), *rows)])
    place, acceleration = (np.concatenate(a)[:frames] for a in zip(*parts, strict=True))
    return place, acceleration


@eqx.filter_jit
def _chunk(
    model: Model, body: Array, location: Array, q: Float[Array, "chunk nq"], qd: Float[Array, "chunk nq"], qdd: Float[Array, "chunk nq"]
) -> tuple[Float[Array, "chunk 3"], Float[Array, "chunk 3"]]:
    def frame(q: Array, qd: Array, qdd: Array) -> tuple[Array, Array]:
        q, qd, qdd = complete_rates(model, q, qd, qdd)

        def at(t: Array) -> Array:
            poses = forward_kinematics(model, q + t * qd + 0.5 * t**2 * qdd)
            return poses.p[body] + poses.R[body] @ location

        one = jnp.ones((), q.dtype)
        speed = lambda t: jax.jvp(at, (t,), (one,))[1]  # noqa: E731
        return at(0.0 * one), jax.jvp(speed, (0.0 * one,), (one,))[1]

    return jax.vmap(frame)(q, qd, qdd)
