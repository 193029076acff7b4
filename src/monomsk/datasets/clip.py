"""The demonstration clip: the mannequin walks through the room before a still camera; the truth goes with it."""

import hashlib
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

import numpy as np
from jaxtyping import Float, UInt8

from monomsk.datasets.gait import Gait, gait_kinetics, joint_centers, load_gait, stretch_of, walker
from monomsk.datasets.mannequin import build_mannequin, corners
from monomsk.datasets.room import draw_room, placement
from monomsk.datasets.scene import Scene, frames
from monomsk.io import arrays_npz
from monomsk.io.atomic import replacing
from monomsk.io.body import load_body
from monomsk.model.model import Model
from monomsk.types import Camera, Kinetics, Progress
from monomsk.video.writing import write_movie

RATE = 60.0
DURATION = 4.5
"""[s]"""
SIZE = (1280, 720)
FOCAL = 0.72
"""Of the long side."""


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
    names = [f"datasets/{stem}.py" for stem in ("clip", "gait", "mannequin", "rasterizer", "room", "scene", "stride")]
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
