"""Where on our body the points of each motion source lie: from a table by source, or from the person's own model."""

import tomllib
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from monomsk.errors import FormatError, InputError
from monomsk.kinematics.calibration import Places
from monomsk.model.compile import compile_model
from monomsk.model.model import complete
from monomsk.model.spec import Marker, ModelSpec
from monomsk.physics.forward_kinematics import forward_kinematics

SPREAD_ON_MODEL, SIGMA_ON_MODEL = 0.012, 0.012
"""Of a marker that a person's own model has placed [m]: how far it may lie from there on our body, and skin movement."""
LIMB = (
    *(("femur", "tibia"), ("tibia", "talus"), ("talus", "toes"), ("calcn", "toes")),
    *(("humerus", "ulna"), ("ulna", "hand"), ("radius", "hand")),
)
NEXT = {
    "pelvis": "femur_r",
    "torso": "humerus_r",
    **{f"{body}_{side}": f"{after}_{side}" for body, after in LIMB for side in "rl"},
}
"""Bodies whose size is the distance to the origin of another; the rest follow those before them."""


@dataclass(frozen=True)
class Point:
    """A point of a source on our generic body."""

    name: str
    body: str
    location: tuple[float, float, float]
    spread: float
    """Standard deviation of its place among people [m]."""
    sigma: float
    """How far it strays from a rigid body in motion [m]."""
    twin: str
    """The point of the other side that sits mirrored; its own name where there is none."""


@cache
def tables() -> dict[str, tuple[Point, ...]]:
    """The points of every skeleton and marker set in data/corpus/points.toml."""
    text = resources.files("monomsk").joinpath("data/corpus/points.toml").read_text("utf-8")
    return {name: tuple(p for key, entry in table.items() for p in _entry(key, entry)) for name, table in tomllib.loads(text).items()}


def _entry(key: str, entry: dict[str, Any]) -> list[Point]:
    x, y, z = entry["location"]
    if "names" not in entry:
        return [Point(key, entry["body"], (x, y, z), entry["spread"], entry["sigma"], key)]
    right, left = entry["names"]
    middle = entry["body"] in ("pelvis", "torso")
    bodies = (entry["body"],) * 2 if middle else (f"{entry['body']}_r", f"{entry['body']}_l")
    twins = (right, left) if entry.get("alone") else (left, right)
    rows = ((right, bodies[0], z, twins[0]), (left, bodies[1], -z, twins[1]))
    return [Point(name, body, (x, y, side), entry["spread"], entry["sigma"], twin) for name, body, side, twin in rows]


def points_of_model(own: ModelSpec, generic: ModelSpec) -> tuple[Point, ...]:
    """The markers of a person's own model on our generic body, made as large as ours body by body.

    Raises InputError when the two have no body of the same name.
    """
    ours, theirs = _sizes(generic), _sizes(own)
    shared = set(ours) & set(theirs)
    if not {"pelvis", "femur_r", "tibia_r"} <= shared:
        raise InputError(f"model {own.name} has no bodies named as ours (pelvis, femur_r, tibia_r)")
    found = []
    for marker in own.markers:
        if marker.body in shared:
            x, y, z = (float(v) * ours[marker.body] / theirs[marker.body] for v in marker.location)
            found.append(Point(marker.name.replace(" ", "_"), marker.body, (x, y, z), SPREAD_ON_MODEL, SIGMA_ON_MODEL, marker.name))
    return tuple(found)


def _sizes(spec: ModelSpec) -> dict[str, float]:
    """Size of every body in the neutral pose [m]: the distance to the body after it."""
    model = compile_model(spec.with_markers(()))
    origin = np.asarray(forward_kinematics(model, complete(model, jnp.asarray(model.coordinate_default))).p)
    at = dict(zip(model.body_names, origin, strict=True))
    sizes = {body: float(np.linalg.norm(at[body] - at[after])) for body, after in NEXT.items() if body in at and after in at}
    for body in at:
        # Toes and hands have nothing after them; a person without arms has a torso of the pelvis's size.
        before = {"toes": "calcn", "hand": "radius"}.get(body[:-2], "pelvis")
        sizes.setdefault(body, sizes.get(f"{before}{body[-2:]}", sizes["pelvis"]))
    return sizes


def body_with(generic: ModelSpec, points: tuple[Point, ...]) -> ModelSpec:
    """The generic body that carries the points for markers, and nothing that inverse kinematics does not need."""
    plain = replace(generic, muscles=(), wraps=())
    return plain.with_markers(tuple(Marker(p.name, p.body, p.location) for p in points))


def places_of(points: tuple[Point, ...]) -> Places:
    """What is believed of the points' places. Raises FormatError when a twin is missing."""
    names = [p.name for p in points]
    spread: Float[np.ndarray, "marker 3"] = np.repeat([[p.spread] for p in points], 3, axis=1)
    twins = list[int]()
    for i, p in enumerate(points):
        if p.twin not in names:
            # Only one side was measured: it goes alone.
            twins.append(i)
        else:
            twins.append(names.index(p.twin))
    if any(twins[t] != i for i, t in enumerate(twins)):
        raise FormatError("two points of a source claim the same twin")
    return Places(spread, tuple(twins))
