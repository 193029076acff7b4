"""Reading a video file: when each frame was taken, which way is up, what the container says."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Bool, Float

from monomsk.config import VideoConfig
from monomsk.errors import VideoError
from monomsk.types import Clip

if TYPE_CHECKING:
    from av.video.stream import VideoStream

SHORTEST = 0.5
"""Shortest usable stretch [s]."""
SMALLEST_SIDE, LARGEST_SIDE = 96, 8192
"""Sides of a picture that can show a person [px]."""
COUNTED = ("avi",)
"""Formats whose timestamps are those of decoding, not of presentation: their frames are counted instead."""
CAPTURE_RATE_KEY = "com.android.capture.fps"
"""What Android phones write into slow-motion files: the rate at which the frames were really taken."""


@dataclass(frozen=True)
class Probe:
    """What a file holds, before any stretch is chosen."""

    time: Float[np.ndarray, " frame"]
    """Presentation time of every frame [s], the first one at 0."""
    keyframe: Bool[np.ndarray, " frame"]
    """Frames at which decoding can begin."""
    origin: float
    """Presentation time of the first frame as the container counts it [s]."""
    size: tuple[int, int]
    """Width and height [px] of the upright picture, pixels made square."""
    rotation: int
    """Counter-clockwise quarter turns that make the decoded picture upright."""
    metadata: dict[str, str]
    timed: bool
    """False when the file has no timestamps of its own and a constant rate was assumed."""


def read_clip(path: Path, config: VideoConfig | None = None) -> Clip:
    """Choose the stretch `config.start` to `config.end` of a video and lay a uniform time grid over it. Decodes one frame only.

    Raises VideoError when the file is missing, cannot be decoded, has no pictures, an impossible size, or less than 0.5 s.
    """
    config = config or VideoConfig()
    probed = probe(Path(path))
    first, last = _stretch(probed, config, Path(path))
    scale, warnings = _time_scale(probed, config)
    frame_time = (probed.time[first:last] - probed.time[first]) * scale
    duration = float(frame_time[-1]) if len(frame_time) else 0.0
    if len(frame_time) < 3 or duration < SHORTEST - 0.02:
        raise VideoError(f"{path}: the stretch lasts {duration:.2f} s ({len(frame_time)} frames); at least {SHORTEST} s is needed")
    time, timing_warnings = _uniform_grid(frame_time)
    if not probed.timed:
        timing_warnings += ("the file has no presentation times: a constant frame rate was assumed",)
    return Clip(
        path=Path(path),
        size=probed.size,
        rotation=probed.rotation,
        frame_time=frame_time,
        frame_index=(first, last),
        time=time,
        start=float(probed.time[first]),
        time_scale=scale,
        metadata=probed.metadata,
        warnings=warnings + timing_warnings,
    )


def probe(path: Path) -> Probe:
    """What the file holds; read once a file as long as it does not change. Raises VideoError."""
    if not path.exists():
        raise VideoError(f"{path}: no such file")
    if not path.is_file():
        raise VideoError(f"{path}: is not a file; name a video file (mp4, mov, …)")
    status = path.stat()
    return _probe(path, status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=4)
def _probe(path: Path, changed: int, size: int) -> Probe:
    import av
    from av.error import FFmpegError

    try:
        with av.open(str(path)) as container:
            stream = video_stream(container, path)
            stamps = [(p.pts, p.is_keyframe) for p in container.demux(stream) if p.size and not p.is_discard]
        with av.open(str(path)) as container:
            stream = video_stream(container, path)
            frame = _first_frame(container, stream, path)
            rotation = (round(frame.rotation / 90)) % 4
            picture_size = upright_size(frame.width, frame.height, stream.sample_aspect_ratio, rotation)
            metadata = {**stream.metadata, **container.metadata}
            unit = float(stream.time_base or 0.0)
            rate = float(stream.average_rate or stream.guessed_rate or 30)
            counted = container.format.name in COUNTED
    except FFmpegError as error:
        raise VideoError(f"{path}: cannot be decoded ({error.strerror}); convert it to mp4 with H.264") from error
    _check_size(picture_size, path)
    timed = not counted and unit > 0 and all(pts is not None for pts, _ in stamps)
    if timed:
        order = sorted((pts * unit, key) for pts, key in stamps if pts is not None)
    else:
        order = [(i / rate, i == 0) for i in range(_count_frames(path))]
    if not order:
        raise VideoError(f"{path}: holds no pictures")
    seconds = np.array([t for t, _ in order])
    keys = np.array([k for _, k in order])
    return Probe(seconds - seconds[0], keys, float(seconds[0]) if timed else 0.0, picture_size, rotation, metadata, timed)


def video_stream(container: Any, path: Path) -> "VideoStream":
    """The first stream of moving pictures; a cover picture in a sound file is none."""
    for stream in container.streams.video:
        if "attached_pic" not in str(getattr(stream, "disposition", "")):
            stream.thread_type = "AUTO"
            return stream
    raise VideoError(f"{path}: holds no video stream")


def _first_frame(container: Any, stream: Any, path: Path) -> Any:
    for frame in decoded(container, stream):
        return frame
    raise VideoError(f"{path}: no frame can be decoded; the file may be cut off, export it again")


def decoded(container: Any, stream: Any) -> Iterator[Any]:
    """Frames in order of presentation; what is damaged is left out instead of ending the rest."""
    from av.error import InvalidDataError

    for packet in container.demux(stream):
        try:
            yield from packet.decode()
        except InvalidDataError:
            continue


def _count_frames(path: Path) -> int:
    import av

    with av.open(str(path)) as container:
        return sum(1 for _ in decoded(container, video_stream(container, path)))


def upright_size(width: int, height: int, pixel_aspect: Any, rotation: int) -> tuple[int, int]:
    """Width and height [px] once pixels are square and the picture is upright."""
    if pixel_aspect:
        width = round(width * float(pixel_aspect))
    return (height, width) if rotation % 2 else (width, height)


def _check_size(size: tuple[int, int], path: Path) -> None:
    if min(size) < SMALLEST_SIDE or max(size) > LARGEST_SIDE:
        raise VideoError(
            f"{path}: pictures of {size[0]}×{size[1]} px cannot be used (allowed: {SMALLEST_SIDE} to {LARGEST_SIDE} px a side)"
        )


def _stretch(probed: Probe, config: VideoConfig, path: Path) -> tuple[int, int]:
    """First (inclusive) and last (exclusive) frame between the wanted times."""
    length = float(probed.time[-1])
    end = length if config.end is None else config.end
    if config.start < 0 or config.start >= end or config.start > length:
        raise VideoError(f"{path}: the stretch {config.start:g} s to {end:g} s is not within the {length:.2f} s of the video")
    # Half a millisecond: a typed time is rounded more coarsely than a timestamp.
    return int(np.searchsorted(probed.time, config.start - 5e-4)), int(np.searchsorted(probed.time, end + 5e-4, side="right"))


def _time_scale(probed: Probe, config: VideoConfig) -> tuple[float, tuple[str, ...]]:
    """Real seconds per second of the file: as stated, else from the capture rate that Android writes."""
    if config.time_scale is not None:
        if not 0.005 <= config.time_scale <= 20:
            raise VideoError(f"time scale {config.time_scale:g} is not one (0.125 for 240 fps played at 30; allowed: 0.005 to 20)")
        return config.time_scale, ()
    try:
        captured = float(probed.metadata.get(CAPTURE_RATE_KEY, "0"))
    except ValueError:
        captured = 0.0
    played = 1.0 / float(np.median(np.diff(probed.time))) if len(probed.time) > 1 else 0.0
    if captured <= played * 1.05 or played <= 0:
        return 1.0, ()
    return played / captured, (f"slow motion undone: {captured:g} frames a second were taken and are played at {played:.4g}",)


def _uniform_grid(frame_time: Float[np.ndarray, " frame"]) -> tuple[Float[np.ndarray, " time"], tuple[str, ...]]:
    """Uniform times at the rate of the frames, from the first to the last frame, and what is uneven about them."""
    steps = np.diff(frame_time)
    usual = float(np.median(steps))
    # Timestamps are rounded (to 1 ms in some containers), so the rate comes from the whole length over the number of steps.
    whole = np.maximum(np.round(steps / usual), 0.0)
    even = np.abs(steps - whole * usual) < 0.25 * usual
    step = float(steps[even].sum() / whole[even].sum()) if even.mean() > 0.5 and whole[even].sum() > 0 else usual
    count = int(np.floor(frame_time[-1] / step + 1e-3)) + 1
    warnings: list[str] = []
    gaps = steps[steps > 2.0 * usual * 1.01]
    if len(gaps):
        warnings.append(f"{len(gaps)} gaps between frames, the longest {1000 * gaps.max():.0f} ms (usual step {1000 * usual:.1f} ms)")
    missing = int((whole[even] - 1).clip(0).sum())
    if missing:
        warnings.append(f"{missing} frames were dropped by the camera; their moments are interpolated")
    if even.mean() < 0.9:
        warnings.append(f"the frame rate varies (about {1 / usual:.1f} a second); true timestamps are used")
    return step * np.arange(count), tuple(warnings)
