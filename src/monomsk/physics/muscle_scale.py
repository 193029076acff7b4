"""Muscles of a body of another size: fibres and tendons follow the path, strength follows the mass."""

from dataclasses import replace

import jax.numpy as jnp
from jaxtyping import Array, Float

from monomsk.model.compile import compile_model
from monomsk.model.muscles import compile_muscles
from monomsk.model.spec import ModelSpec
from monomsk.physics.muscle import FRAMES, muscle_states

STRENGTH_EXPONENT = 2.0 / 3.0
"""Strength goes with the cross-section of muscles, hence with mass to the power 2/3 when people are alike in shape."""


def scale_muscles(generic: ModelSpec, scaled: ModelSpec, *, strength_exponent: float = STRENGTH_EXPONENT) -> ModelSpec:
    """`scaled` with fibre and tendon lengths and strengths that suit it.

    `scaled` is the body `generic` with its path points and wraps already stretched (`edit.with_numbers`). Optimal fibre and
    tendon slack lengths are multiplied by the ratio of the path lengths at the default coordinates, as OpenSim's ScaleTool
    does; greatest isometric forces by (scaled mass / generic mass) ^ strength_exponent (0 leaves them as they are).
    Raises ModelError as `compile_muscles`.
    """
    if not scaled.muscles:
        return scaled
    stretch = _default_lengths(scaled) / _default_lengths(generic)
    strength = (scaled.mass / generic.mass) ** strength_exponent
    muscles = tuple(
        replace(
            muscle,
            optimal_fiber_length=old.optimal_fiber_length * float(k),
            tendon_slack_length=old.tendon_slack_length * float(k),
            max_isometric_force=old.max_isometric_force * strength,
        )
        for muscle, old, k in zip(scaled.muscles, generic.muscles, stretch, strict=True)
    )
    return replace(scaled, muscles=muscles)


def _default_lengths(spec: ModelSpec) -> Float[Array, " muscle"]:
    model = compile_model(spec)
    muscles = compile_muscles(spec, model.body_names)
    # As many frames as static optimization takes at a time: the program is compiled once for both.
    q = jnp.tile(model.coordinate_default, (FRAMES, 1))
    return muscle_states(model, muscles, q, jnp.zeros_like(q)).length[0]
