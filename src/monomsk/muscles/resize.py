"""Fibres and tendons of a body of another size."""

from dataclasses import replace

import equinox as eqx
import numpy as np
from jaxtyping import Array, Float

from monomsk.model.compile import compile_model
from monomsk.model.model import Model, complete
from monomsk.model.muscles import Muscles, compile_muscles
from monomsk.model.spec import ModelSpec
from monomsk.physics.forward_kinematics import forward_kinematics
from monomsk.physics.muscle_path import muscle_paths


def with_fibres(body: ModelSpec, generic: ModelSpec) -> ModelSpec:
    """The scaled body with optimal fibre and tendon slack lengths in proportion to its paths.

    Each muscle's two lengths grow by the ratio of its path's length in the scaled and in the generic body, both in the
    default posture, as OpenSim's ScaleTool does; so a muscle keeps its operating range when a person is taller.
    """
    if not body.muscles:
        return body
    ratio = _default_lengths(body) / _default_lengths(generic)
    muscles = (
        replace(m, optimal_fiber_length=m.optimal_fiber_length * float(r), tendon_slack_length=m.tendon_slack_length * float(r))
        for m, r in zip(body.muscles, ratio, strict=True)
    )
    return replace(body, muscles=tuple(muscles))


def _default_lengths(spec: ModelSpec) -> Float[np.ndarray, " muscle"]:
    model = compile_model(spec)
    muscles = compile_muscles(spec, model.body_names)
    by_name = dict(zip(muscles.names, np.asarray(_lengths(model, muscles)), strict=True))
    return np.array([by_name[m.name] for m in spec.muscles])


@eqx.filter_jit
def _lengths(model: Model, muscles: Muscles) -> Float[Array, " muscle"]:
    q = complete(model, model.coordinate_default)
    return muscle_paths(model, muscles, forward_kinematics(model, q), q).length
