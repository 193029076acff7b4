"""How the two condyles of a knee share its load, when the distance between them is known (Winby et al. 2009)."""

import numpy as np

from monomsk.errors import InputError
from monomsk.model.spec import ModelSpec
from monomsk.muscles.quality import stretches
from monomsk.types import JointLoads, KneeContact

NARROW, WIDE = 0.02, 0.1
"""Distances between the contact points [m] that no knee of a person goes beyond."""
MEDIAL_SIDE = {"_r": -1.0, "_l": 1.0}
"""Where the inner side of the knee lies along Z, which points to the right."""


def knee_contact(loads: JointLoads, spec: ModelSpec, distance: float) -> KneeContact:
    """Compression of the medial and of the lateral condyles of every knee that is one joint.

    The tibia touches the femur at two points to both sides of the joint's origin, half the distance [m] away along the tibia's
    Z axis and at its height. Together they carry the force along the tibia and, nothing else helping, the moment about its X axis:
    medial, lateral = C / 2 ± M / distance. A pull stays one: the force that ligaments or muscles that were not thought of
    would have to take.

    Raises:
        InputError: a distance that no knee has, loads on other bodies than the children or in other axes, or no knee.
    """
    check(distance)
    if loads.frames != loads.bodies or any(_child(spec, n) != b for n, b in zip(loads.names, loads.bodies, strict=True)):
        raise InputError("the share of the condyles needs loads on the child body in its own axes: leave out --on and --frame")
    knees = [joint.name for joint in spec.joints if joint.name in loads.names and any(c.name.startswith("knee") for c in joint.coordinates)]
    knees = [name for name in knees if name[-2:] in MEDIAL_SIDE and "patello" not in name]
    if not knees:
        raise InputError(f"model {spec.name} has no knee with a coordinate called knee… and a name that ends in _r or _l")
    names: list[str] = []
    columns: list[np.ndarray] = []
    warnings: list[str] = []
    for name in knees:
        i = loads.names.index(name)
        half, tilt = -0.5 * loads.force[:, i, 1], MEDIAL_SIDE[name[-2:]] * loads.moment[:, i, 0] / distance
        for condyle, force in (("medial", half + tilt), ("lateral", half - tilt)):
            names.append(f"{name}_{condyle}")
            columns.append(force)
            if (force < 0.0).any():
                warnings.append(
                    f"the {condyle} condyle of {name} would have to pull with up to {-force.min():.0f} N, at "
                    f"{stretches(loads.time, force < 0.0)}: ligaments that the body lacks carry there, or the condyles lie further apart"
                )
    return KneeContact(loads.time, tuple(names), np.stack(columns, 1), tuple(warnings))


def check(distance: float) -> None:
    """Raises InputError for a distance [m] that no knee has."""
    if not NARROW <= distance <= WIDE:
        raise InputError(f"the condyles cannot be {distance:g} m apart; the distance must lie between {NARROW:g} and {WIDE:g} m")


def _child(spec: ModelSpec, name: str) -> str:
    """Child body of a joint."""
    return next(joint.child for joint in spec.joints if joint.name == name)
