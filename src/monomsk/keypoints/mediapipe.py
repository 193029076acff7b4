"""Keypoints of one person by MediaPipe Pose, on the uniform grid of the clip."""

from collections.abc import Iterable

import numpy as np
from jaxtyping import Bool, Float, UInt8

from monomsk.config import KeypointsConfig
from monomsk.errors import KeypointError
from monomsk.keypoints import noise, sides, skeleton
from monomsk.keypoints.estimator import PoseEstimator
from monomsk.keypoints.follow import Follower
from monomsk.keypoints.people import People
from monomsk.keypoints.resample import resample
from monomsk.model.sides import plain
from monomsk.types import Clip, Keypoints, Progress

LEAST_SEEN = 0.1
"""Share of the frames in which the person must be seen."""
FEW_SEEN = 0.7
"""Share below which a warning is given."""
CUT_OFF = 0.05
"""Share of the moments in which a part may be outside of the picture without a warning."""
BORDER = 0.004
"""Width of the strip along the border (over the long side) in which a part counts as cut off."""


def detect(
    clip: Clip,
    frames: Iterable[tuple[int, UInt8[np.ndarray, "height width 3"]]],
    config: KeypointsConfig | None = None,
    *,
    people: People | None = None,
    progress: Progress | None = None,
) -> Keypoints:
    """Follow one person through the frames (`video.frames`; any size, RGB, upright) and say where the keypoints are.

    `people` (`people.find_people`) says who; without it `config.person` counts in the first picture with so many people,
    and the surest person of the first picture with somebody is followed when there is no number.
    Left and right are put right over time, sigma comes from the estimator's visibility, and `depth` is its own
    three-dimensional guess. Raises KeypointError when nobody is seen in nine of ten frames.
    """
    names, order = skeleton.canonical_order("mediapipe33")
    xy, depth, visibility, follower = _follow(clip, frames, config or KeypointsConfig(), people, progress)
    xy, depth, visibility = xy[:, order], depth[:, order], visibility[:, order]
    seen = np.asarray(np.isfinite(visibility).any(1))
    if seen.mean() < LEAST_SEEN:
        where = " in the given box" if config is not None and config.bbox is not None else ""
        raise KeypointError(
            f"{clip.path}: nobody is seen{where} in {100 * (1 - seen.mean()):.0f} % of the frames; the whole body must be in the picture, "
            "well lit and not too small"
        )
    stature = noise.pixel_stature(xy, depth, clip.frame_time)
    swaps = sides.find_swaps(names, xy[seen], stature[seen], clip.frame_time[seen])
    for i, right in zip(np.flatnonzero(seen), swaps.order(names), strict=True):
        xy[i], depth[i], visibility[i] = xy[i, right], depth[i, right], visibility[i, right]
    sigma = noise.keypoint_sigma(names, visibility, stature)
    sigma = noise.doubt_outliers(xy, sigma, stature, clip.frame_time)
    sigma = np.where(noise.beyond_picture(xy, clip.size), np.inf, sigma)
    together, spread = resample(np.concatenate([xy, depth], axis=2), sigma, clip.frame_time, clip.time)
    warnings = (people.warnings if people else ()) + _warnings(clip, names, xy[seen], seen, swaps, follower)
    candidates = people.candidates_at(clip) if people else ()
    return Keypoints(clip.time, names, together[..., :2], spread, together[..., 2:], "mediapipe", candidates, warnings)


def _follow(
    clip: Clip,
    frames: Iterable[tuple[int, UInt8[np.ndarray, "height width 3"]]],
    config: KeypointsConfig,
    people: People | None,
    progress: Progress | None,
) -> tuple[Float[np.ndarray, "frame 33 2"], Float[np.ndarray, "frame 33 3"], Float[np.ndarray, "frame 33"], Follower]:
    """Image points, world points and visibility in every frame; nan where the person is not seen."""
    count = len(clip.frame_time)
    xy, depth, visibility = (np.full((count, 33, *rest), np.nan) for rest in ((2,), (3,), ()))
    with PoseEstimator() as estimator:
        follower = Follower(estimator, clip, people, config)
        for index, pose in follower.poses(frames):
            if pose is not None:
                xy[index], depth[index], visibility[index] = pose.xy, pose.world, pose.visibility
            if progress is not None:
                progress((index + 1) / count)
    return xy, depth, visibility, follower


def _warnings(
    clip: Clip,
    names: tuple[str, ...],
    xy: Float[np.ndarray, "seen keypoint 2"],
    seen: Bool[np.ndarray, " frame"],
    swaps: sides.Swaps,
    follower: Follower,
) -> tuple[str, ...]:
    warnings: list[str] = []
    if seen.mean() < FEW_SEEN:
        warnings.append(f"the person is seen in {100 * seen.mean():.0f} % of the frames only")
    for gap in follower.gaps:
        begin, end = (clip.start + t / clip.time_scale for t in (gap.begin, gap.end))
        warnings.append(f"the person was lost from {begin:.1f} to {end:.1f} s; check that it is the same one afterwards")
    exchanged, whole = swaps.count
    if exchanged:
        warnings.append(f"left and right were exchanged and put right in {exchanged} of {len(xy)} frames (the whole body in {whole})")
    return (*warnings, *cut_off(names, xy, clip.size))


def cut_off(names: tuple[str, ...], xy: Float[np.ndarray, "frame keypoint 2"], size: tuple[int, int]) -> tuple[str, ...]:
    """A warning that names the parts which are often outside of the picture; nothing when there are none."""
    strip = BORDER * max(size)
    outside = ((xy < strip) | (xy > np.array(size) - strip)).any(-1).mean(0)
    share: dict[str, float] = {}
    for name, part in zip(names, outside, strict=True):
        joint = plain(name).replace("_", " ")
        share[joint] = max(share.get(joint, 0.0), float(part))
    often = {name: part for name, part in share.items() if part > CUT_OFF}
    if not often:
        return ()
    listed = ", ".join(sorted(often, key=lambda name: -often[name]))
    return (f"the person is cut off by the picture in up to {100 * max(often.values()):.0f} % of the time ({listed})",)
