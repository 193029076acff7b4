"""Following one person from frame to frame without ever changing over to another in silence.

The estimator itself keeps to a person only as long as it does not lose them. Here everything outside the person's box
is blanked in the first picture, the box must overlap from frame to frame, and after a loss only somebody who can be
the same by place and size is taken up again.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, UInt8

from monomsk.config import KeypointsConfig
from monomsk.keypoints.estimator import Person, Pose, PoseEstimator
from monomsk.keypoints.people import People, same_person
from monomsk.types import Clip

LEAST_OVERLAP = 0.3
"""Intersection over union of the boxes of one person in consecutive frames."""
MARGIN = 0.15
"""How much larger than the box the part of the picture is that stays visible when a person is taken up."""
LOST = 0.5
"""Seconds without a pose after which the person counts as lost [s]."""


@dataclass(frozen=True)
class Gap:
    """A time without the person [s, on the axis of the clip]."""

    begin: float
    end: float


class Follower:
    """The state of following: the pose of the last frame, and where else the person is known to have been."""

    def __init__(self, estimator: PoseEstimator, clip: Clip, people: People | None, config: KeypointsConfig) -> None:
        self.estimator = estimator
        self.clip = clip
        self.bbox = None if config.bbox is None else _corners(config.bbox)
        self.number = config.person if people is None else None
        chosen = people.chosen if people else None
        self.known: list[tuple[float, Person]] = []
        if chosen is not None and self.bbox is None:
            self.known = [(float(clip.frame_time[index]), person) for index, person in chosen.sightings]
        self.last: Pose | None = None
        self.last_seen: tuple[float, Person] | None = None
        self.gaps: list[Gap] = []

    def poses(self, frames: Iterable[tuple[int, UInt8[np.ndarray, "height width 3"]]]) -> Iterator[tuple[int, Pose | None]]:
        """The pose in every frame, in pixels of the upright video; None where the person is not seen."""
        for index, image in frames:
            scale = self.clip.size[0] / image.shape[1]
            time = float(self.clip.frame_time[index])
            pose = self._next(image, time, scale)
            if pose is not None:
                if self.last_seen is not None and time - self.last_seen[0] > LOST:
                    self.gaps.append(Gap(self.last_seen[0], time))
                self.last_seen = (time, _person(pose, scale))
            self.last = pose
            yield index, None if pose is None else Pose(pose.xy * scale, pose.visibility, pose.world)

    def _next(self, image: UInt8[np.ndarray, "height width 3"], time: float, scale: float) -> Pose | None:
        if self.last is not None:
            pose = self.estimator.follow(image)
            if pose is not None and overlap(pose.box, self.last.box) >= LEAST_OVERLAP:
                return pose
            pose = self.estimator.within(image, _wider(self.last.box))
            if pose is not None and overlap(pose.box, self.last.box) >= LEAST_OVERLAP:
                return pose
        return self._take_up(image, time, scale)

    def _take_up(self, image: UInt8[np.ndarray, "height width 3"], time: float, scale: float) -> Pose | None:
        """Find the person anew: in the given box at the beginning, else whoever can be the same."""
        if self.last_seen is None and self.bbox is not None:
            pose = self.estimator.within(image, _wider(self.bbox / scale))
            return pose if pose is not None and _inside(pose.hips, self.bbox / scale) else None
        for person in self._likely(self.estimator.people(image), time, scale):
            pose = self.estimator.within(image, _wider(person.box))
            # The estimator chooses by itself who it follows inside the box.
            if pose is not None and np.linalg.norm(pose.hips - person.hips) < 0.4 * person.radius:
                return pose
        return None

    def _likely(self, people: list[Person], time: float, scale: float) -> list[Person]:
        """Those who can be the person, the nearest first; everybody while nothing is known of the person."""
        anchors = [*self.known, *([self.last_seen] if self.last_seen else [])]
        if not anchors:
            if self.number is None:
                return people
            return sorted(people, key=lambda person: float(person.hips[0]))[self.number - 1 : self.number]
        when, anchor = min(anchors, key=lambda known: abs(known[0] - time))
        full = [(person, Person(person.hips * scale, person.radius * scale, person.score)) for person in people]
        fitting = [(p, f) for p, f in full if same_person(anchor, f, time - when)]
        return [p for p, _ in sorted(fitting, key=lambda both: float(np.linalg.norm(both[1].hips - anchor.hips)))]


def overlap(first: Float[np.ndarray, "4"], second: Float[np.ndarray, "4"]) -> float:
    """Intersection over union of two boxes given as left, top, right, bottom."""
    width, height = np.minimum(first[2:], second[2:]) - np.maximum(first[:2], second[:2])
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    return float(shared / (np.prod(first[2:] - first[:2]) + np.prod(second[2:] - second[:2]) - shared))


def _person(pose: Pose, scale: float) -> Person:
    """The circle about the hips as the detector would draw it [px of the upright video]: the farthest of nose and ankles."""
    reach = np.linalg.norm(pose.xy[[0, 27, 28]] - pose.hips, axis=1).max()
    return Person(pose.hips * scale, float(1.1 * reach * scale), 1.0)


def _corners(bbox: tuple[float, float, float, float]) -> Float[np.ndarray, "4"]:
    x, y, width, height = bbox
    return np.array([x, y, x + width, y + height], float)


def _wider(box: Float[np.ndarray, "4"]) -> Float[np.ndarray, "4"]:
    margin = MARGIN * (box[2:] - box[:2])
    return np.concatenate([box[:2] - margin, box[2:] + margin])


def _inside(point: Float[np.ndarray, "2"], box: Float[np.ndarray, "4"]) -> bool:
    return bool((point >= box[:2]).all() and (point <= box[2:]).all())
