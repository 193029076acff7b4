"""Muscles of a body of another size: fibres and tendons follow the path, strength follows the mass."""

from dataclasses import replace

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from monomsk.model.compile import compile_model
from monomsk.model.muscles import compile_muscles
from monomsk.model.spec import ModelSpec
from monomsk.physics.muscle import FRAMES, muscle_states

STRENGTH_EXPONENT = 2.0 / 3.0
"""Force goes with the cross-section of muscles, so with mass to the power 2/3 when people are alike in shape."""


def with_fibres(body: ModelSpec, generic: ModelSpec, *, strength_exponent: float = STRENGTH_EXPONENT) -> ModelSpec:
    """The scaled body with fibre and tendon lengths in proportion to its paths, and strengths to its mass.

    Each muscle's optimal fibre and tendon slack length grow by the ratio of its path's length in the scaled and in the generic
    body, both in the default posture, as OpenSim's ScaleTool does; so a muscle keeps its operating range when a person is
    taller. Greatest isometric forces grow by (mass / generic mass) ^ strength_exponent; ScaleTool leaves them (exponent 0).
    """
    if not body.muscles:
        return body
    ratio = _default_lengths(body) / _default_lengths(generic)
    strength = (body.mass / generic.mass) ** strength_exponent
    muscles = (
        replace(
            m,
            optimal_fiber_length=m.optimal_fiber_length * float(r),
            tendon_slack_length=m.tendon_slack_length * float(r),
            max_isometric_force=m.max_isometric_force * strength,
        )
        for m, r in zip(body.muscles, ratio, strict=True)
    )
    return replace(body, muscles=tuple(muscles))


def _default_lengths(spec: ModelSpec) -> Float[np.ndarray, " muscle"]:
    """Path lengths in the default posture [m]."""
    model = compile_model(spec)
    # As many frames as static optimization takes at a time, so that one compiled program serves both.
    q = jnp.tile(model.coordinate_default, (FRAMES, 1))
    return np.asarray(muscle_states(model, compile_muscles(spec, model.body_names), q, jnp.zeros_like(q)).length[0])
