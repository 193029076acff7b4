"""Which bodies stand on the ground, and where they touch it."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from monomsk.errors import ModelError
from monomsk.model.spec import ContactSphere, ModelSpec

SIDES = ("_r", "_l")
MTP_OFFSET = 0.1788
"""From the heel body's origin to the toe joint in the generic body [m]; the size of a foot is measured by it."""
SPHERE_RADIUS = 0.032
HEEL_POINTS = ((0.0021, -0.01, -0.0042), (0.1633, -0.01, -0.0316), (0.1464, -0.01, 0.0568), (0.0729, -0.01, 0.0290))
TOE_POINTS = ((0.0660, -0.01, -0.0206), (0.0495, -0.01, 0.0681))
"""Contact spheres of a right foot in calcn and toes axes [m] (Falisse et al. 2019, OpenCap's contact model)."""


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


def feet_of(spec: ModelSpec) -> Feet:
    """The model's own contact spheres; on a model without any, the usual ones on calcn and toes, in the size of its feet.

    Raises ModelError when neither is there.
    """
    contacts = spec.contacts if spec.contacts else _usual_contacts(spec)
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
    )


def _first_body(spec: ModelSpec, contacts: list[ContactSphere]) -> str:
    """The sphere-carrying body nearest to the root: the heel."""
    order = {joint.child: i for i, joint in enumerate(spec.joints)}
    return min((c.body for c in contacts), key=lambda body: order[body])


def _usual_contacts(spec: ModelSpec) -> list[ContactSphere]:
    names = {b.name for b in spec.bodies}
    contacts: list[ContactSphere] = []
    for side, mirror in zip(SIDES, (1.0, -1.0), strict=True):
        heel, toes = f"calcn{side}", f"toes{side}"
        if heel not in names:
            raise ModelError(f"model {spec.name} has no contact spheres and no body {heel!r}: add contact spheres to its feet")
        toe_joint = next((j.parent_frame.translation for j in spec.joints if j.child == toes and j.parent == heel), None)
        size = toe_joint[0] / MTP_OFFSET if toe_joint else 1.0
        shift = (0.0, 0.0, 0.0) if toe_joint else (MTP_OFFSET, 0.0, 0.0)
        places = [(heel, p) for p in HEEL_POINTS] + [(toes if toe_joint else heel, _add(p, shift)) for p in TOE_POINTS]
        for number, (body, (x, y, z)) in enumerate(places, 1):
            location = (x * size, y * size, z * size * mirror)
            contacts.append(ContactSphere(f"s{number}{side}", body, location, SPHERE_RADIUS * size))
    return contacts


def _add(a: tuple[float, float, float], b: tuple[float, float, float]) -> tuple[float, float, float]:
    return a[0] + b[0], a[1] + b[1], a[2] + b[2]
