"""What of a body hides what from a camera: keypoints behind its limbs, trunk and head, as round bars between keypoints."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from monomsk.keypoints.skeleton import NAMES
from monomsk.model.sides import plain

BARS = (
    ("shoulder_{}", "elbow_{}", 0.028),
    ("elbow_{}", "wrist_{}", 0.022),
    ("hip_{}", "knee_{}", 0.045),
    ("knee_{}", "ankle_{}", 0.030),
    ("heel_{}", "big_toe_{}", 0.020),
    ("shoulder_{}", "hip_{}", 0.055),
)
"""Ends, and radius [statures], of both sides: a mannequin's, without clothes (`data/body`, `datasets.outfit`)."""
MIDDLE_BARS = (("neck", "hip_mid", 0.065), ("neck", "head_top", 0.050))
BEHIND, SOFT = 0.4, 0.006
"""A point is hidden from this depth behind a bar's axis [radii]; width of the edges, which are soft [statures]."""
TRUNK = ("shoulder", "hip", "neck", "hip_mid", "upper_neck")
"""Points at the trunk's own surface, which its bars do not hide."""


class Bars(NamedTuple):
    """Round bars between keypoints."""

    ends: tuple[tuple[int, int], ...]
    radius: tuple[float, ...]
    """[statures]"""
    own: tuple[tuple[bool, ...], ...]
    """For each bar, which keypoints are part of it, and never behind it."""


def _bars() -> Bars:
    made = [(a.format(s), b.format(s), r) for s in "rl" for a, b, r in BARS] + list(MIDDLE_BARS)
    own = []
    for a, b, _ in made:
        near = {a, b}
        if plain(a) in TRUNK and plain(b) in (*TRUNK, "head_top"):
            near |= {name for name in NAMES if plain(name) in TRUNK}
        if plain(a) == "heel":
            near |= {f"{p}_{a[-1]}" for p in ("ankle", "small_toe")}
        if plain(b) == "wrist":
            near.add(f"index_{a[-1]}")
        if plain(b) == "ankle":
            near.add(f"heel_{a[-1]}")
        own.append(tuple(name in near for name in NAMES))
    ends = tuple((NAMES.index(a), NAMES.index(b)) for a, b, _ in made)
    return Bars(ends, tuple(r for _, _, r in made), tuple(own))


_BODY = _bars()


def hidden_by_body(local: Float[Array, "time keypoint 3"], height: Float[Array, ""]) -> Float[Array, "time keypoint"]:
    """How far each keypoint is behind the body, from 0 (plain) to 1, of points in the camera frame [m] of somebody of this height [m]."""
    first, second = (jnp.array([pair[i] for pair in _BODY.ends]) for i in (0, 1))
    radius = height * jnp.array(_BODY.radius)
    slope, depth = local[..., :2] / local[..., 2:], local[..., 2]
    a, b = slope[:, first], slope[:, second]
    along = b - a
    # Where on each bar's axis the line of sight to the point passes nearest.
    apart = slope[:, :, None] - a[:, None]
    share = jnp.clip(jnp.sum(apart * along[:, None], -1) / (jnp.sum(along**2, -1)[:, None] + 1e-8), 0.0, 1.0)
    near = depth[:, None, first] + share * (depth[:, second] - depth[:, first])[:, None]
    aside = jnp.sqrt(jnp.sum((apart - share[..., None] * along[:, None]) ** 2, -1) + 1e-12) * near
    soft = SOFT * height
    covered = jax.nn.sigmoid((radius - aside) / soft) * jax.nn.sigmoid((depth[:, :, None] - near - BEHIND * radius) / soft)
    return jnp.max(jnp.where(jnp.array(_BODY.own).T, 0.0, covered), -1)
