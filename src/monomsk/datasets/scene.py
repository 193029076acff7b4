"""A mannequin in a room before a still camera, drawn frame by frame: light, shadows, and the camera's grain."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float, Int, UInt8
from scipy.ndimage import gaussian_filter

from monomsk.datasets.mannequin import Mannequin, normals
from monomsk.datasets.rasterizer import cover, rasterize
from monomsk.datasets.room import Room, placement
from monomsk.types import Camera

Picture = Float[np.ndarray, "row column 3"]
Mask = Float[np.ndarray, "row column"]
Window = tuple[slice, slice]

FINE = 2
"""Samples per pixel and axis on the mannequin."""
SUN = np.array([0.35, 0.85, 0.55]) / np.linalg.norm([0.35, 0.85, 0.55])
"""Towards the demonstration's main light."""


@dataclass(frozen=True)
class Light:
    """Where light comes from, and how much."""

    sun: Float[np.ndarray, "3"] = field(default_factory=lambda: SUN)
    """Unit vector towards the main light, ground frame."""
    main: float = 0.75
    around: float = 0.42
    """From everywhere."""


@dataclass(frozen=True)
class Scene:
    """Everything that a frame needs."""

    camera: Camera
    room: Room
    mannequin: Mannequin
    points: Float[np.ndarray, "time corner 3"]
    """Of the mannequin, ground frame [m]."""
    light: Light = field(default_factory=Light)
    grain: float = 1.5
    """Standard deviation of a pixel, of 255."""
    seed: int = 0
    """Of the grain."""


def project(camera: Camera, points: Float[np.ndarray, "*n 3"]) -> tuple[Float[np.ndarray, "*n 2"], Float[np.ndarray, "*n"]]:
    """Pixels and depths [m] of ground points."""
    R, origin = placement(camera)
    seen = points @ R.T + origin
    return seen[..., :2] / seen[..., 2:] * camera.focal + camera.center, seen[..., 2]


def frames(scene: Scene) -> Iterator[UInt8[np.ndarray, "row column 3"]]:
    """The pictures, one after the other."""
    random = np.random.default_rng(scene.seed)
    grain = random.normal(0.0, scene.grain, (scene.camera.size[1] * 2, scene.camera.size[0] * 2, 1)).astype(np.float32)
    empty = _developed(scene.room.picture)
    height, width = empty.shape[:2]
    for points in scene.points:
        window = _window(scene, points)
        color, alpha = _person(scene, points, window)
        part = scene.room.picture[window] * _shadow(scene, points, window)[..., None]
        picture = empty.copy()
        picture[window] = _developed(part * (1.0 - alpha[..., None]) + color)
        down, right = random.integers(height), random.integers(width)
        picture += grain[down : down + height, right : right + width]
        yield np.clip(picture + 0.5, 0.0, 255.0).astype(np.uint8)


def _developed(linear: Picture) -> Picture:
    """Linear light to screen values, 0 to 255."""
    return np.clip(linear, 0.0, 1.0) ** np.float32(1.0 / 2.2) * np.float32(255.0)


def _window(scene: Scene, points: Float[np.ndarray, "corner 3"]) -> Window:
    """Rows and columns that the person and the shadows can change."""
    xy, _ = project(scene.camera, np.concatenate([points, _cast(points, scene.light.sun)]))
    low = np.clip(xy.min(0).astype(int) - 12, 0, scene.camera.size)
    high = np.clip(xy.max(0).astype(int) + 13, 0, scene.camera.size)
    return slice(low[1], high[1]), slice(low[0], high[0])


def _person(scene: Scene, points: Float[np.ndarray, "corner 3"], window: Window) -> tuple[Picture, Mask]:
    """Colours times coverage, and coverage, of the mannequin."""
    mannequin, camera = scene.mannequin, scene.camera
    corner_xy, depth = project(camera, points)
    xy, size = _inside(corner_xy, window)
    found = rasterize(xy * FINE, depth, mannequin.triangles, (size[0] * FINE, size[1] * FINE))
    corner = mannequin.triangles[found.triangle]
    attributes = np.concatenate([normals(points, mannequin.triangles), points, mannequin.colors], 1).astype(np.float32)
    mixed = np.einsum("hi,hij->hj", found.weight, attributes[corner])
    normal, place, paint = mixed[:, :3], mixed[:, 3:6], mixed[:, 6:]
    normal /= np.maximum(np.linalg.norm(normal, axis=-1, keepdims=True), 1e-9)
    R, origin = placement(camera)
    eye = -R.T @ origin - place
    eye /= np.linalg.norm(eye, axis=-1, keepdims=True)
    shaded = np.zeros((size[0] * size[1] * FINE**2, 4), np.float32)
    shaded[found.pixel, :3] = paint * _lit(scene.light, normal)[:, None] + _gloss(scene.light, normal, eye)[:, None]
    shaded[found.pixel, 3] = 1.0
    small = shaded.reshape(size[1], FINE, size[0], FINE, 4).mean((1, 3))
    return small[..., :3], small[..., 3]


def _lit(light: Light, normal: Float[np.ndarray, "hit 3"]) -> Float[np.ndarray, " hit"]:
    """Main light, a weak second one from the other side, and light from above and, less, from below."""
    main = np.maximum(normal @ light.sun, 0.0)
    second = np.maximum(normal @ np.array([-0.7, 0.3, 0.65]), 0.0)
    return light.main * main + 0.18 * second + light.around + 0.20 * normal[:, 1]


def _gloss(light: Light, normal: Float[np.ndarray, "hit 3"], eye: Float[np.ndarray, "hit 3"]) -> Float[np.ndarray, " hit"]:
    half = eye + light.sun
    half /= np.linalg.norm(half, axis=-1, keepdims=True)
    return 0.02 * np.maximum(np.einsum("hi,hi->h", normal, half), 0.0) ** 20


def _shadow(scene: Scene, points: Float[np.ndarray, "corner 3"], window: Window) -> Mask:
    """What the shadows leave of the light: of the main light, soft, and of the sky under the feet."""
    cast = _dark(scene, _cast(points, scene.light.sun), scene.mannequin.triangles, window)
    low = (points[:, 1] < 0.10)[scene.mannequin.triangles].all(-1)
    near = _dark(scene, points * np.array([1.0, 0.0, 1.0]), scene.mannequin.triangles[low], window)
    left = (1.0 - 0.42 * gaussian_filter(cast, 3.5)) * (1.0 - 0.35 * gaussian_filter(near, 3.0))
    return np.where(scene.room.floor[window], left, np.float32(1.0))


def _cast(points: Float[np.ndarray, "corner 3"], sun: Float[np.ndarray, "3"]) -> Float[np.ndarray, "corner 3"]:
    """Shadow of the main light on the floor."""
    return points - sun * (points[:, 1:2] / sun[1])


def _dark(scene: Scene, flat: Float[np.ndarray, "corner 3"], triangles: Int[np.ndarray, "triangle 3"], window: Window) -> Mask:
    corner_xy, depth = project(scene.camera, flat)
    xy, size = _inside(corner_xy, window)
    # Of a closed surface the triangles that face the eye cover all of its shadow: those that turn away fall on the same place.
    return cover(rasterize(xy, depth, triangles, size), size).astype(np.float32)


def _inside(xy: Float[np.ndarray, "corner 2"], window: Window) -> tuple[Float[np.ndarray, "corner 2"], tuple[int, int]]:
    """Pixels counted from the window's corner, and the window's width and height."""
    rows, columns = window
    return xy - [columns.start, rows.start], (columns.stop - columns.start, rows.stop - rows.start)
