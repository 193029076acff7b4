"""MediaPipe Pose, the model that ships inside its wheel: one pose that is followed, and where people are at all."""

import os
from dataclasses import dataclass
from importlib import util
from pathlib import Path
from typing import Any, Self

import numpy as np
from jaxtyping import Float, UInt8

from monomsk.errors import KeypointError

MODELS = ("pose_detection/pose_detection.tflite", "pose_landmark/pose_landmark_full.tflite")
"""Files below mediapipe/modules without which nothing can be found; releases after 0.10.21 do not carry them."""
DETECTION_GRAPH = """
input_stream: "image"
output_stream: "detections"
node { calculator: "PoseDetectionCpu" input_stream: "IMAGE:image" output_stream: "DETECTIONS:detections" }
"""


@dataclass(frozen=True)
class Pose:
    """What MediaPipe says of one person in one picture; points in the order of its 33 landmarks."""

    xy: Float[np.ndarray, "33 2"]
    """Pixels of the picture."""
    visibility: Float[np.ndarray, " 33"]
    """From 0 to 1."""
    world: Float[np.ndarray, "33 3"]
    """Metres, camera axes (x right, y down, z away), hip midpoint at the origin."""

    @property
    def hips(self) -> Float[np.ndarray, "2"]:
        """The middle of the hips [px]."""
        return 0.5 * (self.xy[23] + self.xy[24])

    @property
    def box(self) -> Float[np.ndarray, "4"]:
        """Left, top, right, bottom [px] around all points."""
        return np.concatenate([self.xy.min(0), self.xy.max(0)])


@dataclass(frozen=True)
class Person:
    """Somebody in a picture, found without a pose: the circle around the body."""

    hips: Float[np.ndarray, "2"]
    """The middle of the hips [px]."""
    radius: float
    """Radius of the circle about the hips that holds the body [px]; about half the stature of a standing person."""
    score: float

    @property
    def box(self) -> Float[np.ndarray, "4"]:
        """Left, top, right, bottom [px] of the square around the circle."""
        return np.concatenate([self.hips - self.radius, self.hips + self.radius])


class PoseEstimator:
    """MediaPipe's two networks behind three questions. Use as a context manager. Raises KeypointError without its models."""

    def __init__(self) -> None:
        check_models()
        # Both are read when the libraries load; without them every run prints a page of notes.
        os.environ.setdefault("GLOG_minloglevel", "2")
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
        from google.protobuf import text_format
        from mediapipe.framework.calculator_pb2 import CalculatorGraphConfig  # pyright: ignore[reportAttributeAccessIssue]
        from mediapipe.python.solution_base import SolutionBase
        from mediapipe.python.solutions.pose import Pose as Solution

        graph = text_format.Parse(DETECTION_GRAPH, CalculatorGraphConfig())
        self._finder: Any = SolutionBase(graph_config=graph, outputs=["detections"])
        self._follower: Any = Solution(model_complexity=1, smooth_landmarks=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._finder.close()
        self._follower.close()

    def people(self, image: UInt8[np.ndarray, "height width 3"]) -> list[Person]:
        """Everybody who can be made out, the surest first."""
        found = self._finder.process({"image": image}).detections or []
        scale = np.array([image.shape[1], image.shape[0]], float)
        everybody: list[Person] = []
        for detection in found:
            points = np.array([[p.x, p.y] for p in detection.location_data.relative_keypoints]) * scale
            everybody.append(Person(points[0], float(np.linalg.norm(points[1] - points[0])), float(detection.score[0])))
        return sorted(everybody, key=lambda person: -person.score)

    def follow(self, image: UInt8[np.ndarray, "height width 3"]) -> Pose | None:
        """The pose of the person of the picture before; of the surest person after `forget`. None when nobody is there."""
        found = self._follower.process(image)
        if found.pose_landmarks is None:
            return None
        points = np.array([[p.x, p.y, p.visibility] for p in found.pose_landmarks.landmark])
        world = np.array([[p.x, p.y, p.z] for p in found.pose_world_landmarks.landmark])
        return Pose(points[:, :2] * [image.shape[1], image.shape[0]], points[:, 2], world)

    def within(self, image: UInt8[np.ndarray, "height width 3"], box: Float[np.ndarray, "4"]) -> Pose | None:
        """The pose of whoever is inside the box [px], everything else blanked; `follow` goes on from there."""
        self.forget()
        left, top, right, bottom = np.clip(np.round(box), 0, [image.shape[1], image.shape[0]] * 2).astype(int)
        if right - left < 8 or bottom - top < 8:
            return None
        masked = np.zeros_like(image)
        masked[top:bottom, left:right] = image[top:bottom, left:right]
        return self.follow(masked)

    def forget(self) -> None:
        """Look everywhere again at the next picture."""
        self._follower.reset()


def check_models() -> None:
    """Raise KeypointError unless the installed mediapipe carries the pose models."""
    found = util.find_spec("mediapipe")
    advice = 'install the release that carries them: pip install "mediapipe>=0.10.9,<=0.10.14" (Python 3.11 or 3.12)'
    if found is None or not found.origin:
        raise KeypointError(f"mediapipe, which finds the person, is not installed; {advice}")
    folder = Path(found.origin).parent / "modules"
    missing = [name for name in MODELS if not (folder / name).is_file()]
    if missing:
        raise KeypointError(f"this mediapipe has no pose model ({Path(missing[0]).name} is missing); {advice}")
