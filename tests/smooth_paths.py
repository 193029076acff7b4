"""Some muscles of the shipped body with random polynomials in place of their paths."""

from dataclasses import replace
from functools import cache

import numpy as np

from monomsk.io.body import load_body
from monomsk.model.edit import with_paths
from monomsk.model.polynomials import exponents
from monomsk.model.spec import ModelSpec, MultivariatePolynomial, PolynomialPath

COORDINATES = {
    "soleus_r": ("ankle_angle_r",),
    "soleus_l": ("ankle_angle_l",),
    "gasmed_r": ("knee_angle_r", "ankle_angle_r"),
    "gasmed_l": ("ankle_angle_l", "knee_angle_l"),
    "recfem_r": ("knee_angle_r", "hip_flexion_r", "hip_adduction_r", "hip_rotation_r"),
    "glmed1_r": ("hip_rotation_r", "hip_flexion_r", "hip_adduction_r"),
}
OWN_ARMS, OWN_SPEED = "soleus_l", "gasmed_l"
"""Muscles whose moment arms, and whose lengthening speed, have functions that do not follow from the length."""


def polynomial(dimension: int, order: int, rng: np.random.Generator) -> MultivariatePolynomial:
    values = rng.normal(size=sum(1 for _ in exponents(dimension, order)))
    return MultivariatePolynomial(dimension, order, (0.4, *(float(v) for v in 0.01 * values[1:])))


@cache
def paths() -> dict[str, PolynomialPath]:
    rng = np.random.default_rng(0)
    found = {name: PolynomialPath(c, polynomial(len(c), 2 + i % 3, rng)) for i, (name, c) in enumerate(COORDINATES.items())}
    found[OWN_ARMS] = replace(found[OWN_ARMS], moment_arms=(polynomial(1, 2, rng),))
    found[OWN_SPEED] = replace(found[OWN_SPEED], speed=polynomial(4, 3, rng))
    return found


@cache
def smooth() -> ModelSpec:
    spec = load_body()
    return with_paths(replace(spec, muscles=tuple(m for m in spec.muscles if m.name in COORDINATES)), paths())
