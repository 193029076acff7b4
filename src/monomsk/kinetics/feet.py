"""Which bodies stand on the ground, and where they touch it."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from monomsk.errors import ModelError
from monomsk.model.spec import ContactSphere, ModelSpec

SIDES = ("_r", "_l")


@dataclass(frozen=True)
class Feet:
    """Contact spheres of both feet, right before left."""

    bodies: tuple[str, str]
    """Body of each foot to which its whole wrench is applied."""
    location: Float[np.ndarray, "contact 3"]
    """Centres in their bodies [m]."""
    radius: Float[np.ndarray, " contact"]
    body: tuple[str, ...]
    """Body of every sphere."""
    foot: Int[np.ndarray, " contact"]
    """0 for the right, 1 for the left foot."""
    names: tuple[str, ...]


def feet_of(spec: ModelSpec) -> Feet:
    """The model's contact spheres by foot. Raises ModelError when a foot has none (see `model.edit.with_contacts_of`)."""
    contacts = spec.contacts
    sides = [[c for c in contacts if c.body.endswith(side)] for side in SIDES]
    if not all(sides):
        raise ModelError(f"model {spec.name}: contact spheres need bodies whose names end in _r and _l, some on each side")
    both = [c for side in sides for c in side]
    return Feet(
        bodies=(_first_body(spec, sides[0]), _first_body(spec, sides[1])),
        location=np.array([c.location for c in both], float),
        radius=np.array([c.radius for c in both], float),
        body=tuple(c.body for c in both),
        foot=np.array([0] * len(sides[0]) + [1] * len(sides[1])),
        names=tuple(c.name for c in both),
    )


def _first_body(spec: ModelSpec, contacts: list[ContactSphere]) -> str:
    """The sphere-carrying body nearest to the root: the heel."""
    order = {joint.child: i for i, joint in enumerate(spec.joints)}
    return min((c.body for c in contacts), key=lambda body: order[body])
