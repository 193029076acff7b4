"""Bodies and states that several tests use."""

from dataclasses import replace
from functools import cache

import jax.numpy as jnp
import numpy as np

from monomsk.io.body import load_body
from monomsk.model.compile import compile_model
from monomsk.model.model import Model
from monomsk.model.spec import ModelSpec


@cache
def shipped() -> Model:
    return compile_model(load_body())


@cache
def legs() -> ModelSpec:
    """The shipped body without muscles, markers and wraps: quick to compile."""
    return replace(load_body(), muscles=(), wraps=(), markers=())


def random_state(model: Model, seed: int):
    """q within the coordinate ranges (at most ±1.5), qd and qdd of order one."""
    rng = np.random.default_rng(seed)
    low, high = np.clip(np.asarray(model.coordinate_range).T, -1.5, 1.5)
    return (jnp.asarray(v) for v in (rng.uniform(low, high), rng.normal(size=model.nq), rng.normal(size=model.nq)))
