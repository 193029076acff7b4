import numpy as np
import pytest

from keypoints.walkers import clip_of
from monomsk.config import KeypointsConfig
from monomsk.keypoints.estimator import Person, Pose
from monomsk.keypoints.follow import Follower, overlap
from monomsk.keypoints.people import People, Track

COUNT = 60
IMAGE = np.zeros((540, 960, 3), np.uint8)
"""Half the size of the clip."""


class Stage:
    """A stand-in for the estimator: people at places [px of the picture] frame by frame, who may be hidden.

    `follow` behaves as MediaPipe does: when it loses somebody it takes whoever is surest in the next picture.
    """

    def __init__(self, *ways: list[float | None]) -> None:
        self.ways = ways
        self.frame = -1
        self.current: int | None = None

    def __call__(self):
        for index in range(COUNT):
            self.frame = index
            yield index, IMAGE

    def _there(self) -> list[int]:
        return [who for who, way in enumerate(self.ways) if way[self.frame] is not None]

    def _pose(self, who: int) -> Pose:
        place = self.ways[who][self.frame]
        assert place is not None
        xy = np.array([place, 300.0]) + np.linspace(-1, 1, 33)[:, None] * [30.0, 120.0]
        xy[23:25] = [place, 300.0]
        return Pose(xy, np.full(33, 0.9), np.full((33, 3), float(who)))

    def people(self, image: np.ndarray) -> list[Person]:
        return [Person(np.array([self.ways[who][self.frame], 300.0], float), 130.0, 0.9 - 0.1 * who) for who in self._there()]

    def follow(self, image: np.ndarray) -> Pose | None:
        if self.current is None or self.current not in self._there():
            self.current = next(iter(self._there()), None)
        return None if self.current is None else self._pose(self.current)

    def within(self, image: np.ndarray, box: np.ndarray) -> Pose | None:
        inside = [who for who in self._there() if box[0] <= (self.ways[who][self.frame] or 0) <= box[2]]
        self.current = next(iter(inside), None)
        return None if self.current is None else self._pose(self.current)


def _follow(stage: Stage, people: People | None = None, config: KeypointsConfig | None = None) -> tuple[list[int | None], Follower]:
    """Who was followed in each frame."""
    follower = Follower(stage, clip_of(COUNT, 30.0), people, config or KeypointsConfig())  # pyright: ignore[reportArgumentType]
    return [None if pose is None else int(pose.world[0, 0]) for _, pose in follower.poses(stage())], follower


def test_somebody_is_followed_in_pixels_of_the_video() -> None:
    stage = Stage([400.0 + i for i in range(COUNT)])
    follower = Follower(stage, clip_of(COUNT, 30.0), None, KeypointsConfig())  # pyright: ignore[reportArgumentType]
    places = [pose.hips[0] for _, pose in follower.poses(stage()) if pose is not None]
    np.testing.assert_allclose(places, 2 * (400.0 + np.arange(COUNT)))
    assert follower.gaps == []


def test_the_chosen_one_is_taken_up_not_the_surest() -> None:
    stage = Stage([200.0] * COUNT, [700.0] * COUNT)
    sighting = Person(np.array([1400.0, 600.0]), 260.0, 0.5)
    people = People((), 0, Track(2, ((0, sighting),), 1.0))
    assert set(_follow(stage, people)[0]) == {1}


def test_a_box_says_who() -> None:
    stage = Stage([200.0] * COUNT, [700.0] * COUNT)
    who, _ = _follow(stage, config=KeypointsConfig(bbox=(1300.0, 300.0, 200.0, 600.0)))
    assert set(who) == {1}


def test_a_number_counts_from_the_left() -> None:
    stage = Stage([700.0] * COUNT, [200.0] * COUNT)
    who, _ = _follow(stage, config=KeypointsConfig(person=1))
    assert set(who) == {1}


def test_nobody_else_is_taken_when_the_person_leaves() -> None:
    stage = Stage([200.0 if i < 20 else None for i in range(COUNT)], [850.0] * COUNT)
    who, _ = _follow(stage)
    assert who[:20] == [0] * 20
    # A second and more later somebody could have come that far; until then it must be somebody else.
    assert who[20:45] == [None] * 25


def test_the_person_is_found_again_and_the_gap_is_told() -> None:
    stage = Stage([200.0 + 4 * i if not 20 <= i < 40 else None for i in range(COUNT)])
    who, follower = _follow(stage)
    assert who == [0] * 20 + [None] * 20 + [0] * 20
    assert [(round(gap.begin, 3), round(gap.end, 3)) for gap in follower.gaps] == [(0.633, 1.333)]


def test_who_comes_late_is_waited_for() -> None:
    stage = Stage([900.0] * COUNT, [None if i < 30 else 100.0 for i in range(COUNT)])
    sighting = Person(np.array([200.0, 600.0]), 260.0, 0.5)
    people = People((), 0, Track(0, ((30, sighting),), 1.0))
    who, _ = _follow(stage, people)
    assert who == [None] * 30 + [1] * 30


@pytest.mark.parametrize(
    ("second", "expected"), [((0, 0, 10, 10), 1.0), ((5, 0, 15, 10), 1 / 3), ((10, 0, 20, 10), 0.0), ((30, 30, 40, 40), 0.0)]
)
def test_overlap(second: tuple[float, ...], expected: float) -> None:
    assert overlap(np.array([0.0, 0, 10, 10]), np.array(second, float)) == pytest.approx(expected)
