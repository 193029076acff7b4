"""Plain rooms, the demonstration's around its walkway, computed pixel by pixel: floor boards, walls, a door, a window and a shelf."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce

import numpy as np
from jaxtyping import Bool, Float
from scipy.ndimage import map_coordinates

from monomsk.types import Camera

Colors = Float[np.ndarray, "pixel 3"]
Axis = Float[np.ndarray, " pixel"]
Box = tuple[float, float, float, float, tuple[float, float, float]]
"""Left, low, right, high [m], and a colour."""

FINE = 3
"""Samples per pixel and axis."""
HEIGHT = 2.6
"""Of the demonstration's room [m]."""


@dataclass(frozen=True)
class Room:
    """Its picture in linear colours, and where the floor is."""

    picture: Float[np.ndarray, "row column 3"]
    floor: Bool[np.ndarray, "row column"]


@dataclass(frozen=True)
class Plane:
    """Points x with x[axis] = value; the two other axes span it."""

    axis: int
    value: float
    kind: str
    """What is painted on it: floor, ceiling, wall (with door, window and shelf, across x), side (panels)."""
    shift: tuple[float, float] = (0.0, 0.0)
    """Added to the two other coordinates before it is painted [m]."""
    tint: tuple[float, float, float] = (1.0, 1.0, 1.0)
    """Factors of the colours."""


@dataclass(frozen=True)
class Design:
    """A room: its planes, which of them meet in dark corners, its height and its lamp [m, ground frame]."""

    planes: tuple[Plane, ...]
    """The floor first."""
    corners: tuple[tuple[int, float], ...]
    """Axis and value."""
    height: float
    lamp: tuple[float, float, float]


STUDIO = Design(
    planes=(
        Plane(1, 0.0, "floor"),
        Plane(1, HEIGHT, "ceiling"),
        Plane(2, -2.1, "wall"),
        Plane(0, -3.2, "side"),
        Plane(0, 9.0, "side"),
    ),
    corners=((2, -2.1), (0, -3.2)),
    height=HEIGHT,
    lamp=(3.0, 2.2, 0.8),
)
"""The room of the demonstration."""


def draw_room(camera: Camera, design: Design = STUDIO) -> Room:
    """The empty room as the camera sees it. The camera must know its pose, and stand inside."""
    width, height = camera.size
    column, row = np.meshgrid((np.arange(width * FINE) + 0.5) / FINE, (np.arange(height * FINE) + 0.5) / FINE)
    origin, rays = _rays(camera, column.ravel(), row.ravel())
    distance = np.full(column.size, np.inf, np.float32)
    which = np.zeros(column.size, np.int8)
    for i, plane in enumerate(design.planes):
        with np.errstate(divide="ignore"):
            t = (plane.value - origin[plane.axis]) / rays[plane.axis]
        nearer = (t > 1e-6) & (t < distance)
        distance[nearer], which[nearer] = t[nearer], i
    color = np.zeros((column.size, 3), np.float32)
    for i, plane in enumerate(design.planes):
        at = np.flatnonzero(which == i)
        point = tuple(start + ray[at] * distance[at] for start, ray in zip(origin, rays, strict=True))
        u, v = (point[axis] + shift for axis, shift in zip(_others(plane.axis), plane.shift, strict=True))
        color[at] = _PAINT[plane.kind](u, v) * np.array(plane.tint) * _dimming(design, *point)[:, None]
    fine = (height, FINE, width, FINE)
    return Room(color.reshape(*fine, 3).mean((1, 3)), (which == 0).reshape(fine).mean((1, 3)) > 0.5)


def placement(camera: Camera) -> tuple[Float[np.ndarray, "3 3"], Float[np.ndarray, "3"]]:
    """`R_camera_ground` and `p_camera_ground` of a camera that knows them."""
    assert camera.R_camera_ground is not None
    assert camera.p_camera_ground is not None
    return camera.R_camera_ground, camera.p_camera_ground


def _rays(camera: Camera, column: Axis, row: Axis) -> tuple[Float[np.ndarray, "3"], tuple[Axis, Axis, Axis]]:
    """Where the camera stands, and the direction of every pixel, ground frame."""
    R, origin = placement(camera)
    x, y = (column - camera.center[0]) / camera.focal[0], (row - camera.center[1]) / camera.focal[1]
    toward = tuple((R[0, i] * x + R[1, i] * y + R[2, i]).astype(np.float32) for i in range(3))
    return -R.T @ origin, (toward[0], toward[1], toward[2])


def _others(axis: int) -> tuple[int, int]:
    """The two axes that span a plane."""
    return ((1, 2), (0, 2), (0, 1))[axis]


def _dimming(design: Design, x: Axis, y: Axis, z: Axis) -> Axis:
    """Light from a lamp above the middle of the room, darker in the corners."""
    lamp = design.lamp
    far = (0.55 * (x - lamp[0])) ** 2 + (0.6 * (y - lamp[1])) ** 2 + (0.8 * (z - lamp[2])) ** 2
    away = [np.abs((x, y, z)[axis] - value) for axis, value in design.corners]
    corner = reduce(np.minimum, away) + 0.15 * (y > 0.01)
    rim = np.minimum(y, design.height - y) + 0.4 * (np.abs(y) < 1e-3)
    return (1.15 / (1.0 + 0.10 * far)) * (1.0 - 0.25 * np.exp(-corner / 0.2)) * (1.0 - 0.2 * np.exp(-np.maximum(rim, 0.0) / 0.12))


def _noise(u: Axis, v: Axis, scale: float, seed: int) -> Axis:
    """Smooth noise of about unit size with features of one scale [m]."""
    grid = np.random.default_rng(seed).standard_normal((64, 64)).astype(np.float32)
    return map_coordinates(grid, [u / scale, v / scale], order=1, mode="grid-wrap")


def _floor(x: Axis, z: Axis) -> Colors:
    """Boards of 14 cm along the walkway, 1.6 m long, with dark joints."""
    row = np.floor(z / 0.14)
    start = np.mod(row * 0.618, 1.0) * 1.6
    board = np.floor((x + start) / 1.6)
    tone = 1.0 + 0.10 * np.sin(row * 12.9898 + board * 78.233)
    grain = 1.0 + 0.05 * _noise(0.12 * x, 2.5 * z, 0.02, 1) + 0.05 * _noise(x, z, 0.3, 2)
    joint = np.minimum(np.abs(z / 0.14 - np.round(z / 0.14)) * 0.14, np.abs((x + start) / 1.6 - np.round((x + start) / 1.6)) * 1.6)
    dark = np.where(joint < 0.003, 0.45, 1.0)
    return np.array([0.36, 0.25, 0.16]) * (tone * grain * dark)[:, None]


def _ceiling(x: Axis, z: Axis) -> Colors:
    return np.full((len(x), 3), 0.60)


def _wall(x: Axis, y: Axis) -> Colors:
    """Painted wall with what stands and hangs on it; later boxes cover earlier ones."""
    color = np.array([0.50, 0.52, 0.50]) * (1.0 + 0.012 * _noise(x, y, 0.004, 3) + 0.02 * _noise(x, y, 0.35, 4))[:, None]
    for left, low, right, high, paint in (*_DOOR, *_WINDOW, *_shelf()):
        color[(x >= left) & (x <= right) & (y >= low) & (y <= high)] = paint
    return color


def _side(y: Axis, z: Axis) -> Colors:
    """Wall of panels, 60 cm wide."""
    color = np.array([0.42, 0.45, 0.47]) * (1.0 + 0.012 * _noise(y, z, 0.004, 5) + 0.02 * _noise(y, z, 0.3, 6))[:, None]
    color[np.abs(z / 0.6 - np.round(z / 0.6)) * 0.6 < 0.006] *= 0.5
    color[y < 0.10] = (0.62, 0.62, 0.60)
    return color


def _shelf() -> tuple[Box, ...]:
    """A shelf with two rows of books."""
    boxes: list[Box] = [(side, 0.0, side + 0.03, 2.0, (0.22, 0.15, 0.09)) for side in (5.9, 7.0)]
    boxes += [(5.9, board, 7.03, board + 0.03, (0.24, 0.165, 0.10)) for board in (0.05, 0.5, 0.95, 1.4, 1.97)]
    for i in range(18):
        red, green, blue = 0.2 + 0.15 * np.sin(np.array([i * 2.1, i * 3.7 + 1.0, i * 5.3 + 2.0]))
        for low in (0.53, 0.98):
            boxes.append((5.96 + 0.055 * i, low, 6.01 + 0.055 * i, low + 0.25 + 0.04 * float(np.sin(i * 1.7 + low)), (red, green, blue)))
    return tuple(boxes)


_DOOR: tuple[Box, ...] = (
    (-9.0, 0.0, 19.0, 0.10, (0.62, 0.62, 0.60)),
    (-9.0, 0.10, 19.0, 0.106, (0.2, 0.2, 0.2)),
    (0.15, 0.0, 1.23, 2.14, (0.66, 0.65, 0.62)),
    (0.225, 0.0, 1.155, 2.06, (0.10, 0.08, 0.06)),
    (0.235, 0.0, 1.145, 2.05, (0.33, 0.22, 0.13)),
    *((x, y, x + 0.32, y + h, (0.20, 0.13, 0.08)) for x in (0.33, 0.73) for y, h in ((0.2, 0.75), (1.1, 0.8))),
    *((x + 0.012, y + 0.012, x + 0.308, y + h - 0.012, (0.35, 0.235, 0.14)) for x in (0.33, 0.73) for y, h in ((0.2, 0.75), (1.1, 0.8))),
    (1.06, 1.0, 1.12, 1.03, (0.6, 0.58, 0.5)),
)
_WINDOW: tuple[Box, ...] = (
    (2.2, 0.95, 3.9, 2.15, (0.68, 0.68, 0.66)),
    (2.27, 1.02, 3.01, 2.08, (0.62, 0.72, 0.85)),
    (3.09, 1.02, 3.83, 2.08, (0.62, 0.72, 0.85)),
    (4.6, 1.2, 5.2, 2.0, (0.06, 0.06, 0.06)),
    (4.63, 1.23, 5.17, 1.97, (0.55, 0.42, 0.16)),
    (4.72, 1.5, 5.08, 1.8, (0.10, 0.22, 0.30)),
)
_PAINT: dict[str, Callable[[Axis, Axis], Colors]] = {"floor": _floor, "ceiling": _ceiling, "wall": _wall, "side": _side}
