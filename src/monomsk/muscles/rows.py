"""Which coordinates the muscles are asked to move."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool

from monomsk.model.model import Model
from monomsk.model.muscles import Muscles


@dataclass(frozen=True)
class Rows:
    """Coordinates of the optimization, and those that are left out although they move, with the reason."""

    index: tuple[int, ...]
    unspanned: tuple[str, ...]
    """No muscle crosses them (arms, trunk)."""
    beyond: tuple[str, ...]
    """They lie beyond the body on which the ground force acts (toes), so that their moment is not known."""


def select(model: Model, muscles: Muscles, carriers: tuple[str, ...]) -> Rows:
    """Angles that muscles cross, less the root's, locked and coupled ones. `carriers` are the bodies that the ground acts on."""
    ancestor = np.asarray(model.ancestor) > 0.0
    feet = [model.body(name) for name in carriers if name in model.body_names]
    crossed = _crossed(model, muscles, ancestor)
    index: list[int] = []
    unspanned: list[str] = []
    beyond: list[str] = []
    for i in model.free:
        body = model.coordinate_body[i]
        if i in model.root or not model.rotational[i]:
            continue
        if not crossed[i]:
            unspanned.append(model.coordinate_names[i])
        elif any(body != foot and ancestor[body, foot] for foot in feet):
            beyond.append(model.coordinate_names[i])
        else:
            index.append(i)
    return Rows(tuple(index), tuple(unspanned), tuple(beyond))


def _crossed(model: Model, muscles: Muscles, ancestor: Bool[np.ndarray, "body body"]) -> Bool[np.ndarray, " nq"]:
    """Coordinates with a muscle that touches bodies on both sides, or that moves one of its points; coupled ones count for their source."""
    touched = _touched_bodies(model, muscles)
    crossed = np.zeros(model.nq, bool)
    for i, body in enumerate(model.coordinate_body):
        behind = np.append(ancestor[:, body], False)
        crossed[i] = bool(np.any(np.any(touched & behind, 1) & np.any(touched & ~behind, 1)))
    crossed[np.asarray(muscles.moving.coordinate)] = True
    crossed[list(muscles.polynomials.coordinates)] = True
    for source, target in zip(model.independent, model.dependent, strict=True):
        crossed[source] |= crossed[target]
    return crossed


def _touched_bodies(model: Model, muscles: Muscles) -> Bool[np.ndarray, "row body"]:
    """Bodies that carry a point or a cylinder of each path; the last column is the ground."""
    touched = np.zeros((muscles.count, len(model.body_names) + 1), bool)
    there = np.asarray(muscles.lower) < np.inf
    row = np.nonzero(there)[0]
    touched[row, np.asarray(muscles.body)[there]] = True
    for wraps in muscles.wraps:
        for body in np.asarray(wraps.body).T:
            touched[np.arange(*wraps.rows), body] = True
    return touched
