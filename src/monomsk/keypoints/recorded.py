"""Keypoints that another program recorded, made into those of one person on the grid of the clip."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Bool, Float

from monomsk.config import KeypointsConfig
from monomsk.errors import KeypointError
from monomsk.keypoints import noise, people, sides, skeleton
from monomsk.keypoints.estimator import Person
from monomsk.keypoints.mediapipe import cut_off
from monomsk.keypoints.people import People
from monomsk.keypoints.resample import resample
from monomsk.types import Clip, Keypoints

LEAST_CONFIDENCE = 0.05
"""Confidence below which a point counts as missing."""
LEAST_POINTS = 6
"""Points that make a person."""
LEAST_SEEN = 0.1
"""Share of the clip in which the person must be there."""


def recorded_keypoints(
    recorded: Keypoints | Sequence[Float[np.ndarray, "person point 3"]],
    format: str,
    clip: Clip,
    config: KeypointsConfig | None = None,
) -> Keypoints:
    """Recorded keypoints on the grid of the clip.

    `recorded` is ready keypoints, or for each frame of the whole video everybody in it (x, y in px, confidence; the order
    of `format`, a key of `skeleton.LAYOUTS`). People are linked over time by place and size; `config.person` counts from
    left to right in the frame that shows most of them, `config.bbox` holds the person in the first frame with people.
    Raises KeypointError when the format is unknown or nobody is there in nine of ten frames.
    """
    if isinstance(recorded, Keypoints):
        return _on_grid(recorded, clip)
    if format not in skeleton.LAYOUTS:
        raise KeypointError(f"keypoint format {format!r} is not known (known: {', '.join(skeleton.LAYOUTS)})")
    names, order = skeleton.canonical_order(format)
    first, last = clip.frame_index
    stretch = [frame[:, order] for frame in recorded[first:last]]
    if len(stretch) < len(clip.frame_time):
        stretch += [np.zeros((0, len(order), 3))] * (len(clip.frame_time) - len(stretch))
    points, who = _one_person(names, stretch, clip, config or KeypointsConfig())
    seen = np.isfinite(points).all(-1).any(-1)
    if seen.mean() < LEAST_SEEN:
        raise KeypointError(
            f"the recorded keypoints show the person in {100 * seen.mean():.0f} % of the frames of {clip.path.name}; "
            "do they belong to this video?"
        )
    return _keypoints(names, points, clip, who, format, len(recorded))


def _keypoints(names: tuple[str, ...], points: np.ndarray, clip: Clip, who: People, format: str, frames: int) -> Keypoints:
    seen = np.flatnonzero(np.isfinite(points).all(-1).any(-1))
    xy, confidence = points[..., :2], points[..., 2]
    stature = _stature(names, xy, clip.frame_time)
    filled = _filled(xy[seen], clip.frame_time[seen])
    swaps = sides.find_swaps(names, filled, np.full(len(seen), np.nanmedian(stature)), clip.frame_time[seen])
    for i, right in zip(seen, swaps.order(names), strict=True):
        xy[i], confidence[i] = xy[i, right], confidence[i, right]
    sigma = noise.recorded_sigma(names, confidence, stature)
    sigma = noise.doubt_outliers(xy, sigma, stature, clip.frame_time)
    sigma = np.where(noise.beyond_picture(xy, clip.size), np.inf, sigma)
    values, spread = resample(xy, sigma, clip.frame_time, clip.time)
    warnings = [*who.warnings, *cut_off(names, xy[seen], clip.size)]
    exchanged, whole = swaps.count
    if exchanged:
        warnings.append(f"left and right were exchanged and put right in {exchanged} of {len(seen)} frames (the whole body in {whole})")
    if abs(frames - clip.frame_index[1]) > 2 and frames < clip.frame_index[1]:
        warnings.append(f"the recorded keypoints end after {frames} frames, the stretch of the video after {clip.frame_index[1]}")
    if len(seen) < 0.7 * len(points):
        warnings.append(f"the person is seen in {100 * len(seen) / len(points):.0f} % of the frames only")
    return Keypoints(clip.time, names, values, spread, None, format, who.candidates_at(clip), tuple(warnings))


def _on_grid(recorded: Keypoints, clip: Clip) -> Keypoints:
    """Ready keypoints, their time counted from the beginning of the stretch, on the grid of the clip."""
    together = recorded.xy if recorded.depth is None else np.concatenate([recorded.xy, recorded.depth], axis=2)
    values, sigma = resample(together, recorded.sigma, recorded.time, clip.time)
    share = float(np.isfinite(sigma).any(1).mean())
    if share < LEAST_SEEN:
        raise KeypointError(f"the recorded keypoints cover {100 * share:.0f} % of {clip.path.name}; do they belong to this stretch of it?")
    warnings = recorded.warnings
    if share < 0.7:
        warnings += (f"the recorded keypoints cover {100 * share:.0f} % of the clip only",)
    depth = None if recorded.depth is None else values[..., 2:]
    return replace(recorded, time=clip.time, xy=values[..., :2], sigma=sigma, depth=depth, warnings=warnings)


def _one_person(
    names: tuple[str, ...], stretch: list[np.ndarray], clip: Clip, config: KeypointsConfig
) -> tuple[Float[np.ndarray, "frame keypoint 3"], People]:
    """The points of the chosen person in every frame, nan where missing."""
    rows: list[list[tuple[Person, np.ndarray]]] = [[] for _ in stretch]
    for i, everybody in enumerate(stretch):
        for person in everybody:
            circle = _circle(names, person)
            if circle is not None:
                rows[i].append((circle, person))
    who = people.choose_among([(i, [circle for circle, _ in row]) for i, row in enumerate(rows)], clip, config)
    points = np.full((len(stretch), len(names), 3), np.nan)
    if who.chosen is not None:
        for index, circle in who.chosen.sightings:
            person = next(person for other, person in rows[index] if other is circle)
            points[index] = np.where(_good(person)[:, None], person, np.nan)
    return points, who


def _circle(names: tuple[str, ...], person: Float[np.ndarray, "keypoint 3"]) -> Person | None:
    """Middle of the trunk and reach of the body; None for a few stray points."""
    good = _good(person)
    if good.sum() < LEAST_POINTS:
        return None
    trunk = good & np.array([name.startswith(("hip", "shoulder", "neck")) for name in names])
    middle = np.median(person[trunk if trunk.sum() >= 2 else good, :2], axis=0)
    reach = np.percentile(np.linalg.norm(person[good, :2] - middle, axis=1), 90)
    return Person(middle, float(max(reach, 1.0)), float(person[good, 2].mean()))


def _good(person: Float[np.ndarray, "keypoint 3"]) -> Bool[np.ndarray, " keypoint"]:
    """Points that were found; a coordinate of exactly 0 is a missing point or one that was clipped at the border."""
    return (person[:, 2] >= LEAST_CONFIDENCE) & (person[:, :2] > 0.0).all(1)


def _stature(names: tuple[str, ...], xy: np.ndarray, time: np.ndarray) -> Float[np.ndarray, " frame"]:
    """Standing height in the picture [px] from the longest that trunk, thigh and shank appear within a second each."""
    place = {name: i for i, name in enumerate(names)}

    def middle(part: str) -> np.ndarray:
        return 0.5 * (xy[:, place[f"{part}_r"]] + xy[:, place[f"{part}_l"]])

    trunk = np.linalg.norm(middle("shoulder") - middle("hip"), axis=-1)
    limbs = [
        np.stack([np.linalg.norm(xy[:, place[f"{a}_{s}"]] - xy[:, place[f"{b}_{s}"]], axis=-1) for s in "rl"], axis=1)
        for a, b in (("hip", "knee"), ("knee", "ankle"))
    ]
    longest = np.stack([trunk, *(np.fmax(limb[:, 0], limb[:, 1]) for limb in limbs)], axis=1)
    stature = np.full(len(time), np.nan)
    for i in range(len(time)):
        near = longest[np.abs(time - time[i]) <= 1.0]
        if np.isfinite(near).any(0).all():
            stature[i] = np.nanpercentile(near, 90, axis=0).sum() / noise.CHAIN_SHARE
    return np.where(np.isfinite(stature), stature, np.nanmedian(stature) if np.isfinite(stature).any() else np.nan)


def _filled(xy: Float[np.ndarray, "frame keypoint 2"], time: Float[np.ndarray, " frame"]) -> Float[np.ndarray, "frame keypoint 2"]:
    """Missing points between their neighbours in time, so that a gap is no movement."""
    out = xy.copy()
    for j in range(xy.shape[1]):
        good = np.isfinite(xy[:, j]).all(-1)
        for axis in range(2):
            out[:, j, axis] = np.interp(time, time[good], xy[good, j, axis]) if good.any() else 0.0
    return out
