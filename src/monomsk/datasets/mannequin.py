"""A clothed mannequin as a triangle mesh that follows the bodies of a model."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from itertools import pairwise
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int
from scipy.interpolate import PchipInterpolator

from monomsk.model.model import Model
from monomsk.physics.forward_kinematics import forward_kinematics

SPACING = 0.02
"""Distance of the rings that are interpolated [m]."""
AROUND = 24
"""Points of a ring."""
MIRROR = np.array([1.0, 1.0, -1.0])


@dataclass(frozen=True)
class Mannequin:
    """Triangles whose corners are each carried by two bodies."""

    bodies: Int[np.ndarray, "corner 2"]
    weights: Float[np.ndarray, "corner 2"]
    local: Float[np.ndarray, "corner 2 3"]
    """Position in the axes of either body [m]."""
    colors: Float[np.ndarray, "corner 3"]
    """Linear red, green, blue, 0 to 1."""
    triangles: Int[np.ndarray, "triangle 3"]
    """Counter-clockwise seen from outside."""


@dataclass(frozen=True)
class _Piece:
    """A mesh in the neutral pose, ground frame."""

    points: Float[np.ndarray, "corner 3"]
    bodies: Int[np.ndarray, "corner 2"]
    weights: Float[np.ndarray, "corner 2"]
    triangles: Int[np.ndarray, "triangle 3"]
    color: str
    part: str
    """Its name; none for the small ones of the face."""


@dataclass(frozen=True)
class _Neutral:
    """The body in its default pose."""

    names: tuple[str, ...]
    R: Float[np.ndarray, "body 3 3"]
    p: Float[np.ndarray, "body 3"]
    stretch: Float[np.ndarray, "body 3"]

    def place(self, body: int, location: Float[np.ndarray, "*n 3"]) -> Float[np.ndarray, "*n 3"]:
        """Ground position of a point given in the unstretched body."""
        return self.p[body] + (location * self.stretch[body]) @ self.R[body].T


def build_mannequin(
    model: Model, stretch: Float[np.ndarray, "body 3"], paint: Mapping[str, tuple[float, float, float]] | None = None
) -> Mannequin:
    """Dress a model whose bodies were stretched by these factors.

    `paint` gives other linear colours than the usual to a part, or to all that have one colour, by their names in `mannequin.toml`.
    """
    shape = tomllib.loads(resources.files("monomsk").joinpath("data/gait/mannequin.toml").read_text(encoding="utf-8"))
    poses = forward_kinematics(model, model.coordinate_default)
    neutral = _Neutral(model.body_names, np.asarray(poses.R), np.asarray(poses.p), np.asarray(stretch))
    colors = {**shape["colors"], **(paint or {})}
    pieces = [piece for part in shape["part"] for piece in _sides(part, neutral, _skin)]
    pieces += [piece for ball in shape["ball"] for piece in _sides(ball, neutral, _ellipsoid)]
    start = np.cumsum([0, *(len(piece.points) for piece in pieces)])
    points = np.concatenate([piece.points for piece in pieces])
    bodies = np.concatenate([piece.bodies for piece in pieces])
    local = np.einsum("cbji,cbj->cbi", neutral.R[bodies], points[:, None] - neutral.p[bodies])
    painted = [np.broadcast_to(colors.get(piece.part, colors[piece.color]), piece.points.shape) for piece in pieces]
    return Mannequin(
        bodies,
        np.concatenate([piece.weights for piece in pieces]),
        local,
        np.concatenate(painted),
        np.concatenate([piece.triangles + first for piece, first in zip(pieces, start, strict=False)]),
    )


def corners(mannequin: Mannequin, model: Model, q: Float[np.ndarray, "time nq"]) -> Float[np.ndarray, "time corner 3"]:
    """Ground positions of the mesh's corners [m]."""

    def at(x: jax.Array) -> jax.Array:
        poses = forward_kinematics(model, x)
        placed = jnp.einsum("cbij,cbj->cbi", poses.R[mannequin.bodies], mannequin.local) + poses.p[mannequin.bodies]
        return jnp.sum(placed * mannequin.weights[..., None], 1)

    return np.asarray(jax.lax.map(at, jnp.asarray(q)))


def carried(
    mannequin: Mannequin, R: Float[np.ndarray, "time body 3 3"], p: Float[np.ndarray, "time body 3"]
) -> Float[np.ndarray, "time corner 3"]:
    """Ground positions of the corners [m] on bodies whose axes (in columns) and places [m] are known: `corners` without a model."""
    placed = np.einsum("tcbij,cbj->tcbi", R[:, mannequin.bodies], mannequin.local) + p[:, mannequin.bodies]
    return np.einsum("tcbi,cb->tci", placed, mannequin.weights)


def normals(points: Float[np.ndarray, "corner 3"], triangles: Int[np.ndarray, "triangle 3"]) -> Float[np.ndarray, "corner 3"]:
    """Unit normals of the corners: the sum over the triangles around them, weighted by their areas."""
    a, b, c = (points[triangles[:, i]] for i in range(3))
    across = np.cross(b - a, c - a)
    total = np.zeros_like(points)
    for axis in range(3):
        for corner in range(3):
            total[:, axis] += np.bincount(triangles[:, corner], across[:, axis], len(points))
    return total / np.maximum(np.linalg.norm(total, axis=-1, keepdims=True), 1e-12)


def _sides(part: dict[str, Any], neutral: _Neutral, make: Any) -> list[_Piece]:
    if not part.get("sided", False):
        return [make(part, neutral, "")]
    right, left = make(part, neutral, "_r"), make(part, neutral, "_l")
    return [right, left]


def _skin(part: dict[str, Any], neutral: _Neutral, side: str) -> _Piece:
    """A skin through rings."""
    rings = part["rings"]
    body = np.array([_index(neutral, str(ring[0]), side) for ring in rings])
    numbers = np.array([ring[1:] for ring in rings], float)
    flip = MIRROR if side == "_l" else np.ones(3)
    along = "xyz".index(part["along"])
    across = [axis for axis in range(3) if axis != along]
    center = np.stack([neutral.place(b, n[:3] * flip) for b, n in zip(body, numbers, strict=True)])
    radius = numbers[:, 3:5] * np.stack([neutral.stretch[b][across] for b in body])
    way = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(np.column_stack([center, radius]), axis=0), axis=1))])
    fine = np.unique(np.concatenate([np.linspace(a, b, max(2, round((b - a) / SPACING) + 1)) for a, b in pairwise(way)]))
    center, radius = PchipInterpolator(way, center)(fine), PchipInterpolator(way, radius)(fine)
    lower = np.clip(np.searchsorted(way, fine, side="right") - 1, 0, len(way) - 2)
    x = (fine - way[lower]) / (way[lower + 1] - way[lower])
    share = x * x * (3.0 - 2.0 * x)
    points = _rings(center, radius, across, part.get("round", 2.0))
    n = len(fine)
    pair = np.repeat(np.stack([body[lower], body[lower + 1]], -1), AROUND, 0)
    weight = np.repeat(np.stack([1.0 - share, share], -1), AROUND, 0)
    ends = np.array([points[:AROUND].mean(0), points[-AROUND:].mean(0)])
    return _Piece(
        np.concatenate([points, ends]),
        np.concatenate([pair, pair[[0, -1]]]),
        np.concatenate([weight, weight[[0, -1]]]),
        _outward(np.concatenate([points, ends]), _tube(n)),
        part["color"],
        part["name"],
    )


def _rings(
    center: Float[np.ndarray, "ring 3"], radius: Float[np.ndarray, "ring 2"], across: list[int], power: float
) -> Float[np.ndarray, "corner 3"]:
    angle = np.linspace(0.0, 2.0 * np.pi, AROUND, endpoint=False)
    unit = np.stack([np.sign(f) * np.abs(f) ** (2.0 / power) for f in (np.cos(angle), np.sin(angle))], -1)
    points = np.repeat(center[:, None], AROUND, 1)
    points[:, :, across] += radius[:, None] * unit
    return points.reshape(-1, 3)


def _tube(n: int) -> Int[np.ndarray, "triangle 3"]:
    """Triangles of n rings and of the two lids whose middles come last."""
    ring, spoke = np.meshgrid(np.arange(n - 1), np.arange(AROUND), indexing="ij")
    a, b = ring * AROUND + spoke, ring * AROUND + (spoke + 1) % AROUND
    side = np.concatenate([np.stack([a, b, a + AROUND], -1), np.stack([b, b + AROUND, a + AROUND], -1)]).reshape(-1, 3)
    rim = np.arange(AROUND)
    following, last, middle = (rim + 1) % AROUND, (n - 1) * AROUND, n * AROUND
    first_lid = np.stack([following, rim, np.full(AROUND, middle)], -1)
    last_lid = np.stack([last + rim, last + following, np.full(AROUND, middle + 1)], -1)
    return np.concatenate([side, first_lid, last_lid])


def _outward(points: Float[np.ndarray, "corner 3"], triangles: Int[np.ndarray, "triangle 3"]) -> Int[np.ndarray, "triangle 3"]:
    """The same triangles, turned so that the closed mesh has a positive volume."""
    a, b, c = (points[triangles[:, i]] - points.mean(0) for i in range(3))
    return triangles if np.einsum("ni,ni", a, np.cross(b, c)) > 0.0 else triangles[:, ::-1]


def _ellipsoid(ball: dict[str, Any], neutral: _Neutral, side: str) -> _Piece:
    body = _index(neutral, ball["body"], side)
    around, up = 14, 9
    theta = np.linspace(0.0, np.pi, up)[:, None]
    phi = np.linspace(0.0, 2.0 * np.pi, around, endpoint=False)[None]
    unit = np.stack([np.sin(theta) * np.cos(phi), np.cos(theta) + 0.0 * phi, np.sin(theta) * np.sin(phi)], -1).reshape(-1, 3)
    flip = MIRROR if side == "_l" else np.ones(3)
    points = neutral.place(body, np.array(ball["center"]) * flip + unit * ball["radii"])
    ring, spoke = (grid.ravel() for grid in np.meshgrid(np.arange(up - 1), np.arange(around), indexing="ij"))
    a, b = ring * around + spoke, ring * around + (spoke + 1) % around
    triangles = np.concatenate([np.stack([a, b, a + around], -1), np.stack([b, b + around, a + around], -1)])
    carriers = np.full((len(points), 2), body)
    return _Piece(points, carriers, np.full((len(points), 2), 0.5), _outward(points, triangles), ball["color"], "")


def _index(neutral: _Neutral, name: str, side: str) -> int:
    return neutral.names.index(name if name in neutral.names else name + side)
