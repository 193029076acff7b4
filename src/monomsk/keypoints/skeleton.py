"""The names of keypoints, and the order in which each format lists them.

`neck` is the middle of the shoulders (OpenPose BODY_25, HALPE), `upper_neck` the top of the cervical spine (BODY_25B),
`index` the knuckle of the index finger, `big_toe` also stands for MediaPipe's foot index. Right is `_r`, left `_l`.
"""

import tomllib
from collections.abc import Sequence
from importlib import resources

import numpy as np
from jaxtyping import Int

_TABLE = tomllib.loads(resources.files("monomsk").joinpath("data/skeletons/layouts.toml").read_text(encoding="utf-8"))

NAMES: tuple[str, ...] = tuple(_TABLE["names"])
"""Every canonical name, in the order in which keypoints are listed."""
LAYOUTS: dict[str, tuple[str, ...]] = {name: tuple(points) for name, points in _TABLE["layouts"].items()}
"""Names of the points of each format in its own order; "" for a point that has no canonical name."""
LEGS = ("hip", "knee", "ankle", "heel", "big_toe", "small_toe")
"""Parts (without side) that make up a leg."""


def mirrored(name: str) -> str:
    """The same point of the other side; points in the middle are their own. Equals its own inverse."""
    if name.endswith("_r"):
        return name[:-2] + "_l"
    return name[:-2] + "_r" if name.endswith("_l") else name


def mirror_order(names: Sequence[str]) -> Int[np.ndarray, " keypoint"]:
    """Indices that exchange left and right in an array over `names`; a point whose other side is absent stays."""
    place = {name: i for i, name in enumerate(names)}
    return np.array([place.get(mirrored(name), i) for i, name in enumerate(names)])


def canonical_order(layout: str) -> tuple[tuple[str, ...], Int[np.ndarray, " keypoint"]]:
    """Canonical names that a format has, in our order, and where the format keeps each of them."""
    place = {name: i for i, name in enumerate(LAYOUTS[layout]) if name}
    names = tuple(name for name in NAMES if name in place)
    return names, np.array([place[name] for name in names])
