"""Clips of the corpus as films of a mannequin, by simulated cameras: what a pose estimator can be tried on with the truth known.

Clothes, skin, light and room differ from clip to clip, all from one seed. The lens is chosen so that the person fills the picture,
whole, at all times. A mannequin is smooth, has no fingers, no folds and no hair that falls: a check, not a likeness.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, UInt8

from monomsk.datasets import outfit
from monomsk.datasets.corpus import MotionClip
from monomsk.datasets.fitting import generic_body
from monomsk.datasets.mannequin import build_mannequin, carried
from monomsk.datasets.rasterizer import rasterize
from monomsk.datasets.room import draw_room, placement
from monomsk.datasets.scene import Scene, frames, project
from monomsk.datasets.seeing import Pose, place_camera
from monomsk.errors import InputError
from monomsk.keypoints.skeleton import NAMES
from monomsk.model.model import Model, complete
from monomsk.model.sides import plain
from monomsk.physics.forward_kinematics import forward_kinematics, marker_positions
from monomsk.types import Camera

RATE, FRAMES, SHORTEST = 30.0, 60, 40
"""Of a film [Hz], and its most and fewest frames."""
LONG, SHORT = 640, 480
"""Sides of the picture [px]; it lies or stands as the motion needs it."""
MARGIN = 0.86
"""Share of the half picture that the person reaches at most."""
NEAREST = 0.25
"""Of the body to the camera [m]."""
DEEP = {"shoulder": 0.10, "hip": 0.15, "knee": 0.09, "ankle": 0.08}
"""How far below the skin a part lies at most [m]; `SHALLOW` for others. With more in front of it, something else hides it."""
SHALLOW = 0.06
COARSE = 3
"""Pixels, along either axis, in one of the picture in which what hides what is looked up."""


@dataclass(frozen=True)
class Rendered:
    """A film, and what is true in it."""

    clip: MotionClip
    time: Float[np.ndarray, " time"]
    """[s]"""
    scene: Scene
    points: Float[np.ndarray, "time keypoint 3"]
    """Keypoints of the names `NAMES`, ground frame [m]; NaN where the body has none."""
    axes: Float[np.ndarray, "time keypoint 3 3"]
    """Axes of the bodies that carry them, in columns, ground frame."""
    facing: Float[np.ndarray, " time"]
    """Angle between where the pelvis faces and the way to the camera, seen from above [rad]: 0 from the front, π from behind."""

    @property
    def pose(self) -> Pose:
        """Of the camera."""
        R, origin = placement(self.scene.camera)
        return Pose(jnp.asarray(R), jnp.asarray(-R.T @ origin))

    @property
    def xy(self) -> Float[np.ndarray, "time keypoint 2"]:
        """Where the keypoints truly are [px]."""
        return project(self.scene.camera, self.points)[0]

    @property
    def stature(self) -> Float[np.ndarray, " time"]:
        """Standing height in the picture, at the person's mean depth [px]."""
        _, depth = project(self.scene.camera, self.points)
        return self.scene.camera.focal[0] * self.clip.stature / np.nanmean(depth, 1)

    def frames(self) -> Iterator[UInt8[np.ndarray, "row column 3"]]:
        """The pictures, one after the other. Equal for equal seeds."""
        return frames(self.scene)


def render(clip: MotionClip, seed: int) -> Rendered:
    """The middle of a clip, at most two seconds, before a camera and in a room that the seed gives.

    Raises InputError when the clip is too short, or the camera would stand inside the person.
    """
    stride = max(round(clip.rate / RATE), 1)
    count = min(FRAMES, len(clip.time) // stride)
    if count < SHORTEST:
        raise InputError(f"{clip.key} has {count} frames at {RATE:g} Hz; a film needs {SHORTEST}")
    first = (len(clip.time) - count * stride) // 2
    q = np.asarray(clip.q[first : first + count * stride : stride], float)
    model = clip.body(generic_body())
    body = _moved(model, jnp.asarray(q[np.minimum(np.arange(FRAMES), count - 1)]), jax.random.key(seed))
    points, axes, R, p, facing = (np.asarray(values, float)[:count] for values in body[:5])
    pose = jax.tree.map(lambda a: np.asarray(a, float), body[5])
    random = np.random.default_rng(seed)
    mannequin = build_mannequin(model, clip.factors, outfit.draw_paint(random))
    corners = carried(mannequin, R, p)
    camera = _camera(pose, corners)
    if project(camera, corners)[1].min() < NEAREST:
        raise InputError(f"{clip.key}: with seed {seed} the camera stands inside the person")
    light = outfit.draw_light(random, pose.position - points[:, NAMES.index("hip_mid")].mean(0))
    room = draw_room(camera, outfit.draw_design(random, np.concatenate([corners.reshape(-1, 3), pose.position[None]])))
    scene = Scene(camera, room, mannequin, corners, light, float(random.uniform(0.8, 3.0)), seed)
    return Rendered(clip, np.arange(count) / RATE, scene, points, axes, _bearing(facing, pose.position - p[:, model.body("pelvis")]))


@eqx.filter_jit
def _moved(
    model: Model, q: Float[Array, "time nq"], key: Array
) -> tuple[Float[Array, "time keypoint 3"], Array, Array, Array, Array, Pose]:
    """Keypoints and their bodies' axes, all bodies' axes and places, where the pelvis faces, and a camera."""
    poses = jax.vmap(lambda row: forward_kinematics(model, complete(model, row)))(q)
    markers = jax.vmap(lambda pose: marker_positions(model, pose))(poses)
    names = model.marker_names
    column = jnp.array([names.index(n) if n in names else 0 for n in NAMES])
    points = jnp.where(jnp.array([n not in names for n in NAMES])[:, None], jnp.nan, markers[:, column])
    axes = poses.R[:, jnp.asarray(model.marker_body)[column]]
    return points, axes, poses.R, poses.p, poses.R[:, model.body("pelvis"), :, 0], place_camera(key, markers)


def _camera(pose: Pose, corners: Float[np.ndarray, "time corner 3"]) -> Camera:
    """Looks where the pose says, with the longest lens that has all of the person in the picture."""
    R, place = np.asarray(pose.R_camera_ground), np.asarray(pose.position)
    seen = (corners - place) @ R.T
    reach = np.abs(seen[..., :2] / np.maximum(seen[..., 2:], NEAREST)).max((0, 1))
    size = (LONG, SHORT) if reach[0] > reach[1] else (SHORT, LONG)
    center = (size[0] / 2.0, size[1] / 2.0)
    focal = float((MARGIN * np.array(center) / reach).min())
    return Camera(size, (focal, focal), center, R_camera_ground=R, p_camera_ground=-R @ place, gravity=-R[:, 1].copy())


def _bearing(facing: Float[np.ndarray, "time 3"], away: Float[np.ndarray, "time 3"]) -> Float[np.ndarray, " time"]:
    """Angle between two directions, seen from above [rad]."""
    level = [v[:, [0, 2]] / np.maximum(np.linalg.norm(v[:, [0, 2]], axis=1, keepdims=True), 1e-9) for v in (facing, away)]
    return np.arccos(np.clip((level[0] * level[1]).sum(1), -1.0, 1.0))


def hidden(rendered: Rendered) -> Bool[np.ndarray, "time keypoint"]:
    """Which keypoints another part of the body stands in front of."""
    camera = rendered.scene.camera
    width, height = (side // COARSE for side in camera.size)
    deep = np.array([DEEP.get(plain(name), SHALLOW) for name in NAMES])
    out = np.zeros(rendered.points.shape[:2], bool)
    for i, corners in enumerate(rendered.scene.points):
        xy, depth = project(camera, corners)
        triangles = rendered.scene.mannequin.triangles
        found = rasterize(xy / COARSE, depth, triangles, (width, height))
        surface = np.full(width * height, np.inf)
        surface[found.pixel] = 1.0 / np.einsum("hi,hi->h", found.weight, 1.0 / depth[triangles[found.triangle]])
        at, far = project(camera, rendered.points[i])
        there = np.isfinite(far)
        column, row = (np.clip((at[there, k] / COARSE).astype(int), 0, last) for k, last in enumerate((width - 1, height - 1)))
        out[i, there] = surface[row * width + column] < (far - deep)[there]
    return out
