"""Triangles to pixels with a depth buffer, in NumPy: needs neither a display nor a graphics library."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int


@dataclass(frozen=True)
class Fragments:
    """The nearest surface of every pixel that is hit."""

    pixel: Int[np.ndarray, " hit"]
    """Row × width + column."""
    triangle: Int[np.ndarray, " hit"]
    weight: Float[np.ndarray, "hit 3"]
    """Share of each corner at the pixel's middle."""


def rasterize(
    xy: Float[np.ndarray, "corner 2"],
    depth: Float[np.ndarray, " corner"],
    triangles: Int[np.ndarray, "triangle 3"],
    size: tuple[int, int],
) -> Fragments:
    """What is seen of triangles whose corners lie at xy [px, the picture's corner at 0, 0] and at some depth [m].

    Triangles whose corners run clockwise to the eye turn their back and are left out.
    """
    width, height = size
    a, b, c = (xy[triangles[:, i]] for i in range(3))
    area = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])
    low = np.ceil(np.minimum(np.minimum(a, b), c) - 0.5).astype(np.int32)
    high = np.floor(np.maximum(np.maximum(a, b), c) - 0.5).astype(np.int32)
    low, high = np.maximum(low, 0), np.minimum(high, np.array([width - 1, height - 1], np.int32))
    seen = np.flatnonzero((area < -1e-9) & np.all(high >= low, -1))
    low, high = low[seen], high[seen]
    span = high[:, 0] - low[:, 0] + 1
    count = span * (high[:, 1] - low[:, 1] + 1)
    of = np.repeat(np.arange(len(seen), dtype=np.int32), count)
    step = np.arange(len(of), dtype=np.int32) - np.repeat(np.cumsum(count, dtype=np.int32) - count, count)
    down, right = np.divmod(step, span[of])
    first, by_column, by_row = _planes(a[seen], b[seen], c[seen], area[seen], low)
    weight = [first[i][of] + by_column[i][of] * right + by_row[i][of] * down for i in range(3)]
    inside = np.flatnonzero((weight[0] >= 0.0) & (weight[1] >= 0.0) & (weight[2] >= 0.0))
    of, weight = of[inside], np.stack([w[inside] for w in weight], -1)
    pixel = (low[of, 1] + down[inside]) * width + low[of, 0] + right[inside]
    triangle = seen[of]
    nearness = np.einsum("hi,hi->h", weight, (1.0 / depth).astype(np.float32)[triangles[triangle]])
    # Later writes win, so the nearest is written last.
    order = np.argsort(nearness)
    winner = np.full(width * height, -1, np.int32)
    winner[pixel[order]] = order
    chosen = winner[winner >= 0]
    return Fragments(pixel[chosen], triangle[chosen], weight[chosen])


def cover(fragments: Fragments, size: tuple[int, int]) -> Bool[np.ndarray, "row column"]:
    """Which pixels are hit."""
    mask = np.zeros(size[0] * size[1], bool)
    mask[fragments.pixel] = True
    return mask.reshape(size[1], size[0])


def _planes(
    a: Float[np.ndarray, "triangle 2"],
    b: Float[np.ndarray, "triangle 2"],
    c: Float[np.ndarray, "triangle 2"],
    area: Float[np.ndarray, " triangle"],
    low: Int[np.ndarray, "triangle 2"],
) -> tuple[Float[np.ndarray, "3 triangle"], ...]:
    """The corners' weights at the middle of the pixel `low`, and how they change from column to column and row to row."""
    middle = low + 0.5
    first, by_column, by_row = [], [], []
    for p, q in ((b, c), (c, a), (a, b)):
        side = (q - p) / area[:, None]
        first.append(side[:, 0] * (middle[:, 1] - p[:, 1]) - side[:, 1] * (middle[:, 0] - p[:, 0]))
        by_column.append(-side[:, 1])
        by_row.append(side[:, 0])
    return tuple(np.array(rows, np.float32) for rows in (first, by_column, by_row))
