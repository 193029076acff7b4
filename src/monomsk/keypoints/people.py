"""Who is in the picture, and whom to follow."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, UInt8

from monomsk.config import KeypointsConfig
from monomsk.errors import KeypointError, SeveralPeopleError
from monomsk.keypoints.estimator import Person, PoseEstimator
from monomsk.types import Candidate, Clip

Stills = Sequence[tuple[int, UInt8[np.ndarray, "height width 3"]]]
"""A few pictures over the clip: index into `clip.frame_time`, upright RGB of any size."""

PACE = 2.5
"""How far somebody may move in a second, over the radius of the body (about 2.5 m/s for an adult)."""
STILLNESS = 0.6
"""How far the detector's idea of the same hips may differ, over the radius of the body."""
GROWTH = 1.8
"""Largest ratio of the radii of the same body in two pictures."""
RIVAL = 0.5
"""Merit, over that of the best, from which somebody else may as well be the one the video is about."""
FEWEST_SIGHTINGS = 2
"""Stills in which somebody must be seen to count (of more than four)."""


@dataclass(frozen=True)
class Track:
    """One of the people of a clip: where they are in those pictures in which they were found."""

    number: int
    """What `--person` calls them: 1, 2, … from left to right in the picture of `People.frame`; 0 when not in that picture."""
    sightings: tuple[tuple[int, Person], ...]
    """Index into `clip.frame_time`, and the person [px of the upright video]."""
    merit: float
    """How much they look like the one the video is about."""


@dataclass(frozen=True)
class People:
    """Everybody found in the stills of a clip."""

    tracks: tuple[Track, ...]
    """Numbered ones first."""
    frame: int = 0
    """Index into `clip.frame_time` of the picture that shows most people; the numbers belong to it."""
    chosen: Track | None = None
    warnings: tuple[str, ...] = ()

    def candidates_at(self, clip: Clip) -> tuple[Candidate, ...]:
        """Everybody in the picture of `frame`, when there are several."""
        time, (width, height) = float(clip.frame_time[self.frame]), clip.size
        found = []
        for track in self.tracks:
            person = dict(track.sightings).get(self.frame)
            if person is None:
                continue
            left, top, right, bottom = np.clip(person.box, 0, [width, height, width, height])
            box = (float(left), float(top), float(right - left), float(bottom - top))
            found.append(Candidate(track.number, time, box, track is self.chosen))
        return tuple(found) if len(self.tracks) > 1 else ()


def find_people(clip: Clip, stills: Stills, config: KeypointsConfig | None = None) -> People:
    """Look for people in a few pictures, link them over time and choose one.

    The choice is `config.person`, else the one with by far the best merit (size × share of the stills × nearness to the
    middle), with a warning when there are others in the background. A `config.bbox` leaves the choice to the tracker.

    Raises:
        SeveralPeopleError: two or more have about the same merit, and nobody said whom to follow.
        KeypointError: a person number that does not exist.
    """
    config = config or KeypointsConfig()
    if config.bbox is not None:
        return People(())
    with PoseEstimator() as estimator:
        seen = [(index, _people_of(estimator, image, clip.size)) for index, image in stills]
    return choose_among(seen, clip, config)


def choose_among(seen: Sequence[tuple[int, list[Person]]], clip: Clip, config: KeypointsConfig) -> People:
    """Link the sightings (index into `clip.frame_time`, everybody there) over time and choose; see `find_people`."""
    tracks = _linked(seen, clip)
    if len(seen) > 4:
        fewest = max(FEWEST_SIGHTINGS, len(seen) // 20)
        tracks = [track for track in tracks if len(track) >= fewest] or tracks
    by_frame = [dict(track) for track in tracks]
    frame = max((index for index, _ in seen), key=lambda i: (sum(i in track for track in by_frame), -i), default=0)
    order = sorted(range(len(tracks)), key=lambda t: by_frame[t][frame].hips[0] if frame in by_frame[t] else np.inf)
    candidates = tuple(
        Track(number if frame in by_frame[t] else 0, tuple(tracks[t]), _merit(tracks[t], clip, len(seen)))
        for number, t in enumerate(order, start=1)
    )
    chosen, warnings = _choose(candidates, config, clip, frame)
    people = People(candidates, frame, chosen, warnings)
    if config.person is None and config.bbox is None:
        _refuse_rivals(people, clip)
    return people


def same_person(before: Person, after: Person, seconds: float) -> bool:
    """Whether two sightings that far apart in time can be of one person, judged by place and size."""
    radius = 0.5 * (before.radius + after.radius)
    near = float(np.linalg.norm(after.hips - before.hips)) <= radius * (STILLNESS + PACE * abs(seconds))
    return near and 1.0 / GROWTH <= after.radius / max(before.radius, 1e-9) <= GROWTH


def _choose(candidates: tuple[Track, ...], config: KeypointsConfig, clip: Clip, frame: int) -> tuple[Track | None, tuple[str, ...]]:
    if config.bbox is not None:
        x, y, width, height = config.bbox
        for candidate in sorted(candidates, key=lambda c: c.sightings[0][0]):
            hips = candidate.sightings[0][1].hips
            if x <= hips[0] <= x + width and y <= hips[1] <= y + height:
                return candidate, ()
        raise KeypointError(f"nobody's hips are in the box {x:g},{y:g},{width:g},{height:g} when they first come into {clip.path.name}")
    numbered = [c for c in candidates if c.number]
    if config.person is not None:
        for candidate in numbered:
            if candidate.number == config.person:
                return candidate, ()
        known = ", ".join(str(c.number) for c in numbered) or "nobody"
        raise KeypointError(
            f"there is no person {config.person} in {clip.path.name} (found: {known}); choose one of these or give --bbox x,y,w,h"
        )
    if not candidates:
        return None, ()
    best = max(candidates, key=lambda c: c.merit)
    if len(candidates) == 1:
        return best, ()
    when = clip.start + clip.frame_time[frame] / clip.time_scale
    where = f"number {best.number} from the left at {when:.1f} s" if best.number else "one who comes later"
    return best, (f"{len(candidates)} people in the video: {where} is followed; choose another with --person or --bbox",)


def _refuse_rivals(people: People, clip: Clip) -> None:
    """Raises SeveralPeopleError when it is anybody's guess whom the video is about."""
    merits = sorted((track.merit for track in people.tracks), reverse=True)
    if len(merits) < 2 or merits[1] < RIVAL * merits[0]:
        return
    shown = people.candidates_at(clip)
    numbers = " or ".join(str(c.number) for c in shown)
    raise SeveralPeopleError(
        f"{len(merits)} people in {clip.path.name}: say whom to follow with --person {numbers} (from the left), or with --bbox x,y,w,h",
        float(clip.frame_time[people.frame]),
        tuple((c.number, c.box) for c in shown),
    )


def _people_of(estimator: PoseEstimator, image: np.ndarray, size: tuple[int, int]) -> list[Person]:
    scale = size[0] / image.shape[1]
    return [Person(p.hips * scale, p.radius * scale, p.score) for p in estimator.people(image)]


def _linked(seen: Sequence[tuple[int, list[Person]]], clip: Clip) -> list[list[tuple[int, Person]]]:
    """Sightings that can be one person, still after still; the nearest pairs first."""
    from scipy.optimize import linear_sum_assignment

    tracks: list[list[tuple[int, Person]]] = []
    for index, people in seen:
        cost = np.full((len(tracks), len(people)), 1e6)
        for i, track in enumerate(tracks):
            last, before = track[-1]
            seconds = float(clip.frame_time[index] - clip.frame_time[last])
            for j, person in enumerate(people):
                if same_person(before, person, seconds):
                    cost[i, j] = np.linalg.norm(person.hips - _expected(track, clip, seconds)) / person.radius + seconds
        rows, columns = linear_sum_assignment(cost)
        linked = {int(j): int(i) for i, j in zip(rows, columns, strict=True) if cost[i, j] < 1e6}
        for j, person in enumerate(people):
            if j in linked:
                tracks[linked[j]].append((index, person))
            else:
                tracks.append([(index, person)])
    return tracks


def _expected(track: list[tuple[int, Person]], clip: Clip, seconds: float) -> Float[np.ndarray, "2"]:
    """Where the hips would be if they went on as before; people who pass each other are told apart by that."""
    last, person = track[-1]
    for index, earlier in reversed(track[:-1]):
        pause = float(clip.frame_time[last] - clip.frame_time[index])
        if pause > 1.5:
            break
        if pause >= 0.2:
            return person.hips + (person.hips - earlier.hips) / pause * min(seconds, 1.0)
    return person.hips


def _merit(track: list[tuple[int, Person]], clip: Clip, stills: int) -> float:
    """Size × share of the stills × nearness to the middle of the picture."""
    size = np.median([p.radius for _, p in track]) / max(clip.size)
    aside = np.median([abs(p.hips[0] / clip.size[0] - 0.5) for _, p in track])
    return float(size * len(track) / max(stills, 1) * np.exp(-0.5 * (aside / 0.3) ** 2))
