import numpy as np
import pytest

from keypoints.walkers import clip_of
from monomsk.config import KeypointsConfig
from monomsk.errors import KeypointError, SeveralPeopleError
from monomsk.keypoints.estimator import Person
from monomsk.keypoints.people import People, choose_among, same_person

CLIP = clip_of(300)
"""Five seconds, 1920 × 1080."""
STILLS = range(0, 300, 20)


def _person(x: float, radius: float = 250.0) -> Person:
    return Person(np.array([x, 600.0]), radius, 0.9)


def _choose(*ways: dict[int, Person], config: KeypointsConfig | None = None) -> People:
    seen = [(i, [way[i] for way in ways if i in way]) for i in STILLS]
    return choose_among(seen, CLIP, config or KeypointsConfig())


def _standing(x: float, radius: float = 250.0) -> dict[int, Person]:
    return {i: _person(x, radius) for i in STILLS}


def _walking(start: float, speed: float) -> dict[int, Person]:
    return {i: _person(start + speed * i / 60) for i in STILLS}


def test_somebody_alone_is_chosen_without_a_word() -> None:
    people = _choose(_standing(900))
    assert len(people.tracks) == 1
    assert people.chosen is people.tracks[0]
    assert people.warnings == ()
    assert people.candidates_at(CLIP) == ()


def test_the_larger_one_in_the_middle_is_chosen_with_a_warning() -> None:
    people = _choose(_standing(1700, 120), _standing(900, 280))
    assert people.chosen is not None
    assert people.chosen.number == 1
    assert people.chosen.sightings[0][1].hips[0] == 900
    assert "2 people" in people.warnings[0]
    assert "--person" in people.warnings[0]


def test_between_people_alike_only_a_person_can_choose() -> None:
    with pytest.raises(SeveralPeopleError, match=r"2 people .* --person 1 or 2 .* --bbox") as caught:
        _choose(_standing(1200), _standing(700))
    assert [number for number, _ in caught.value.boxes] == [1, 2]
    assert caught.value.boxes[0][1][0] < caught.value.boxes[1][1][0]


def test_numbers_count_from_left_to_right() -> None:
    people = _choose(_standing(1500), _standing(300), _standing(900), config=KeypointsConfig(person=2))
    assert [c.sightings[0][1].hips[0] for c in people.tracks] == [300, 900, 1500]
    assert [c.number for c in people.tracks] == [1, 2, 3]
    candidates = people.candidates_at(CLIP)
    assert [(c.number, c.box, c.followed) for c in candidates] == [
        (1, (50.0, 350.0, 500.0, 500.0), False),
        (2, (650.0, 350.0, 500.0, 500.0), True),
        (3, (1250.0, 350.0, 500.0, 500.0), False),
    ]


@pytest.mark.parametrize(("number", "x"), [(1, 300), (2, 900), (3, 1500)])
def test_a_wanted_number_is_followed(number: int, x: float) -> None:
    people = _choose(_standing(1500), _standing(300), _standing(900), config=KeypointsConfig(person=number))
    assert people.chosen is not None
    assert people.chosen.sightings[0][1].hips[0] == x
    assert people.warnings == ()


def test_a_number_that_nobody_has_is_refused() -> None:
    with pytest.raises(KeypointError, match=r"no person 3.*found: 1, 2"):
        _choose(_standing(300), _standing(900), config=KeypointsConfig(person=3))


def test_a_box_chooses_by_the_hips() -> None:
    people = _choose(_standing(300), _standing(900), config=KeypointsConfig(bbox=(100, 300, 400, 700)))
    assert people.chosen is not None
    assert people.chosen.sightings[0][1].hips[0] == 300
    with pytest.raises(KeypointError, match="box"):
        _choose(_standing(300), config=KeypointsConfig(bbox=(1000, 300, 400, 700)))


def test_people_who_pass_each_other_stay_themselves() -> None:
    people = _choose(_walking(300, 260), _walking(1500, -260), config=KeypointsConfig(person=1))
    assert len(people.tracks) == 2
    for candidate in people.tracks:
        x = np.array([person.hips[0] for _, person in candidate.sightings])
        assert (np.sign(np.diff(x)) == np.sign(x[-1] - x[0])).mean() > 0.85


def test_who_comes_late_has_no_number_but_can_be_chosen() -> None:
    late = {i: _person(1000, 300) for i in STILLS if i >= 100}
    first, second = ({i: _person(x, 90) for i in STILLS if i < 80} for x in (100, 1800))
    people = _choose(first, second, late)
    assert people.chosen is not None
    assert people.chosen.number == 0
    assert people.chosen.sightings[0][0] == 100
    assert "comes later" in people.warnings[0]


def test_nobody_is_nobody() -> None:
    people = _choose()
    assert (people.tracks, people.chosen, people.warnings) == ((), None, ())


@pytest.mark.parametrize(
    ("x", "radius", "seconds", "same"),
    [(1000, 250, 0.1, True), (1500, 250, 0.1, False), (1500, 250, 1.0, True), (1000, 600, 0.1, False), (1000, 120, 5.0, False)],
)
def test_place_and_size_tell_who_it_can_be(x: float, radius: float, seconds: float, same: bool) -> None:
    assert same_person(_person(950), _person(x, radius), seconds) == same
