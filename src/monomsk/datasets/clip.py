"""The demonstration clip: the mannequin walks through the room before a still camera; the truth goes with it."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int, UInt8
from scipy.ndimage import gaussian_filter

from monomsk.datasets.gait import Gait, gait_kinetics, joint_centers, load_gait, stretch_of, walker
from monomsk.datasets.mannequin import Mannequin, build_mannequin, corners, normals
from monomsk.datasets.rasterizer import cover, rasterize
from monomsk.datasets.room import Room, draw_room, placement
from monomsk.io import arrays_npz
from monomsk.io.atomic import replacing
from monomsk.io.body import load_body
from monomsk.model.model import Model
from monomsk.types import Camera, Kinetics, Progress
from monomsk.video.writing import write_movie

Picture = Float[np.ndarray, "row column 3"]
Mask = Float[np.ndarray, "row column"]
Window = tuple[slice, slice]

RATE = 60.0
DURATION = 4.5
"""[s]"""
SIZE = (1280, 720)
FOCAL = 0.72
"""Of the long side."""
FINE = 2
"""Samples per pixel and axis on the mannequin."""
SUN = np.array([0.35, 0.85, 0.55]) / np.linalg.norm([0.35, 0.85, 0.55])
"""Towards the main light."""


@dataclass(frozen=True)
class Scene:
    """Everything that a frame needs."""

    camera: Camera
    room: Room
    mannequin: Mannequin
    points: Float[np.ndarray, "time corner 3"]


def scene_camera() -> Camera:
    """A phone on a table: 1.2 m up, turned 18° towards the person who comes, tilted 3° down, 1° askew."""
    yaw, pitch, roll = np.radians([18.0, 3.0, 1.0])
    forward = np.array([-np.sin(yaw) * np.cos(pitch), -np.sin(pitch), -np.cos(yaw) * np.cos(pitch)])
    right = np.cross(forward, [0.0, 1.0, 0.0])
    right /= np.linalg.norm(right)
    down = np.cross(forward, right)
    right, down = np.cos(roll) * right + np.sin(roll) * down, np.cos(roll) * down - np.sin(roll) * right
    R = np.stack([right, down, forward])
    place = np.array([4.72, 1.2, 4.3])
    focal = FOCAL * max(SIZE)
    return Camera(
        SIZE, (focal, focal), (SIZE[0] / 2.0, SIZE[1] / 2.0), R_camera_ground=R, p_camera_ground=-R @ place, gravity=-R[:, 1].copy()
    )


def clip_time() -> Float[np.ndarray, " time"]:
    """Times of the frames [s]."""
    return np.arange(round(DURATION * RATE)) / RATE


def build_scene(model: Model, gait: Gait, kinetics: Kinetics) -> Scene:
    """Room and mannequin for the truth's coordinates."""
    camera = scene_camera()
    mannequin = build_mannequin(model, stretch_of(model, gait.person))
    return Scene(camera, draw_room(camera), mannequin, corners(mannequin, model, kinetics.q))


def project(camera: Camera, points: Float[np.ndarray, "*n 3"]) -> tuple[Float[np.ndarray, "*n 2"], Float[np.ndarray, "*n"]]:
    """Pixels and depths [m] of ground points."""
    R, origin = placement(camera)
    seen = points @ R.T + origin
    return seen[..., :2] / seen[..., 2:] * camera.focal + camera.center, seen[..., 2]


def frames(scene: Scene) -> Iterator[UInt8[np.ndarray, "row column 3"]]:
    """The pictures, one after the other."""
    random = np.random.default_rng(0)
    grain = random.normal(0.0, 1.5, (scene.camera.size[1] * 2, scene.camera.size[0] * 2, 1)).astype(np.float32)
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
    xy, _ = project(scene.camera, np.concatenate([points, _cast(points)]))
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
    shaded[found.pixel, :3] = paint * _light(normal)[:, None] + _gloss(normal, eye)[:, None]
    shaded[found.pixel, 3] = 1.0
    small = shaded.reshape(size[1], FINE, size[0], FINE, 4).mean((1, 3))
    return small[..., :3], small[..., 3]


def _light(normal: Float[np.ndarray, "hit 3"]) -> Float[np.ndarray, " hit"]:
    """Main light, a weak second one from the other side, and light from above and, less, from below."""
    main = np.maximum(normal @ SUN, 0.0)
    second = np.maximum(normal @ np.array([-0.7, 0.3, 0.65]), 0.0)
    return 0.75 * main + 0.18 * second + 0.42 + 0.20 * normal[:, 1]


def _gloss(normal: Float[np.ndarray, "hit 3"], eye: Float[np.ndarray, "hit 3"]) -> Float[np.ndarray, " hit"]:
    half = eye + SUN
    half /= np.linalg.norm(half, axis=-1, keepdims=True)
    return 0.02 * np.maximum(np.einsum("hi,hi->h", normal, half), 0.0) ** 20


def _shadow(scene: Scene, points: Float[np.ndarray, "corner 3"], window: Window) -> Mask:
    """What the shadows leave of the light: of the main light, soft, and of the sky under the feet."""
    cast = _dark(scene, _cast(points), scene.mannequin.triangles, window)
    low = (points[:, 1] < 0.10)[scene.mannequin.triangles].all(-1)
    near = _dark(scene, points * np.array([1.0, 0.0, 1.0]), scene.mannequin.triangles[low], window)
    left = (1.0 - 0.42 * gaussian_filter(cast, 3.5)) * (1.0 - 0.35 * gaussian_filter(near, 3.0))
    return np.where(scene.room.floor[window], left, np.float32(1.0))


def _cast(points: Float[np.ndarray, "corner 3"]) -> Float[np.ndarray, "corner 3"]:
    """Shadow of the main light on the floor."""
    return points - SUN * (points[:, 1:2] / SUN[1])


def _dark(scene: Scene, flat: Float[np.ndarray, "corner 3"], triangles: Int[np.ndarray, "triangle 3"], window: Window) -> Mask:
    corner_xy, depth = project(scene.camera, flat)
    xy, size = _inside(corner_xy, window)
    # Of a closed surface the triangles that face the eye cover all of its shadow: those that turn away fall on the same place.
    return cover(rasterize(xy, depth, triangles, size), size).astype(np.float32)


def _inside(xy: Float[np.ndarray, "corner 2"], window: Window) -> tuple[Float[np.ndarray, "corner 2"], tuple[int, int]]:
    """Pixels counted from the window's corner, and the window's width and height."""
    rows, columns = window
    return xy - [columns.start, rows.start], (columns.stop - columns.start, rows.stop - rows.start)


def draw_clip(path: Path, progress: Progress = lambda done: None) -> None:
    """Draw the clip into an .mp4, and put its truth beside it as `truth.npz`. Raises OutputError when they cannot be written."""
    gait = load_gait()
    model = walker(load_body(), gait.person)
    kinetics = truth(model, gait)
    scene = build_scene(model, gait, kinetics)

    def counted() -> Iterator[UInt8[np.ndarray, "row column 3"]]:
        for i, picture in enumerate(frames(scene)):
            progress(i / len(scene.points))
            yield picture
        progress(1.0)

    with replacing(path) as temporary:
        write_movie(temporary, counted(), SIZE, round(RATE))
    arrays_npz.write(path.with_name("truth.npz"), truth_arrays(model, gait, kinetics, scene.camera))


def clip_key() -> str:
    """A short text that changes whenever the clip would: a digest of the walk, the mannequin, the body and the code that draws."""
    names = [f"datasets/{stem}.py" for stem in ("clip", "gait", "mannequin", "rasterizer", "room", "stride")]
    names += ["data/gait/walk.toml", "data/gait/mannequin.toml", "data/body/monomsk_body.osim"]
    digest = hashlib.sha256(b"".join(resources.files("monomsk").joinpath(name).read_bytes() for name in names))
    return digest.hexdigest()[:12]


def truth(model: Model, gait: Gait) -> Kinetics:
    """Coordinates and forces at the frames."""
    return gait_kinetics(model, gait.stride, clip_time())


def truth_arrays(model: Model, gait: Gait, kinetics: Kinetics, camera: Camera) -> dict[str, np.ndarray]:
    """The truth as it is kept beside the clip: see `io.arrays_npz`."""
    R, origin = placement(camera)
    K = np.array([[camera.focal[0], 0.0, camera.center[0]], [0.0, camera.focal[1], camera.center[1]], [0.0, 0.0, 1.0]])
    return {
        "time": kinetics.time,
        "coordinates": np.array(kinetics.names),
        "q": kinetics.q,
        "tau": kinetics.tau,
        "force": kinetics.force,
        "cop": kinetics.cop,
        "moment": kinetics.moment,
        "contact": kinetics.contact,
        "bodies": np.array(model.body_names),
        "joint_centers": joint_centers(model, kinetics.q),
        "stretch": stretch_of(model, gait.person),
        "height": np.array(gait.person.height),
        "mass": np.array(gait.person.mass),
        "K": K,
        "R_camera_ground": R,
        "p_camera_ground": origin,
    }
