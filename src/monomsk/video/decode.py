"""Pixels on demand: all frames of the stretch in one pass, a few stills, or one picture. PyAV only, upright, RGB."""

import queue
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

from monomsk.errors import VideoError
from monomsk.types import Clip
from monomsk.video import reading

Picture = UInt8[np.ndarray, "height width 3"]

STILLS, STILLS_SIDE = 16, 960
"""How many pictures over the clip show what stands still, and their long side [px]."""
AHEAD = 4
"""Pictures decoded ahead of whoever uses them."""


def frames(clip: Clip, *, long_side: int | None = None) -> Iterator[tuple[int, Picture]]:
    """Every frame of the stretch, in order: its index into `clip.frame_time` and the upright RGB picture.

    Decoding runs ahead in a thread of its own. `long_side` shrinks larger pictures to that many pixels.
    A damaged frame is left out. Raises VideoError when nothing can be decoded.
    """
    ready: queue.Queue[tuple[int, Picture] | None] = queue.Queue(maxsize=AHEAD)
    stop = threading.Event()

    def hand_over(item: tuple[int, Picture] | None) -> None:
        while not stop.is_set():
            try:
                ready.put(item, timeout=0.1)
            except queue.Full:
                continue
            return

    def work() -> None:
        try:
            for item in _pick(clip, range(len(clip.frame_time)), long_side):
                hand_over(item)
                if stop.is_set():
                    return
        finally:
            hand_over(None)

    seen = 0
    with ThreadPoolExecutor(1, thread_name_prefix="decode") as pool:
        outcome = pool.submit(work)
        try:
            while (item := ready.get()) is not None:
                seen += 1
                yield item
            outcome.result()  # raises here whatever ended the decoding early
        finally:
            stop.set()
    if not seen:
        raise VideoError(f"{clip.path}: no frame of the stretch can be decoded; export the video again")


def stills(clip: Clip, *, count: int = STILLS, long_side: int = STILLS_SIDE) -> tuple[tuple[int, Picture], ...]:
    """A few pictures spread over the stretch: index into `clip.frame_time` and upright RGB. Kept for the clip read last."""
    if not clip.path.is_file():
        raise VideoError(f"{clip.path}: no such file")
    return _stills(clip.path, clip.path.stat().st_mtime_ns, clip.frame_index, clip.rotation, count, long_side)


def picture(clip: Clip, time: float) -> Picture:
    """The upright RGB picture taken nearest to `time` [s, on the axis of `clip.time`]. Raises VideoError."""
    wanted = int(np.argmin(np.abs(clip.frame_time - time)))
    for _, image in _pick(clip, [wanted], None):
        return image
    raise VideoError(f"{clip.path}: the frame at {time:.3f} s cannot be decoded")


@lru_cache(maxsize=2)
def _stills(
    path: Path, changed: int, stretch: tuple[int, int], rotation: int, count: int, long_side: int
) -> tuple[tuple[int, Picture], ...]:
    """`changed` (when the file was) is there so that what is kept belongs to the file as it is."""
    probed, (first, last) = reading.probe(path), stretch
    wanted = np.unique(np.linspace(0, last - first - 1, min(count, last - first)).round().astype(int))
    spacing = (last - first) / max(len(wanted), 1)
    keys = np.flatnonzero(probed.keyframe[first:last])
    # A keyframe nearby serves as well and costs no decoding of what lies between.
    near = [int(keys[np.argmin(np.abs(keys - w))]) if len(keys) else int(w) for w in wanted]
    chosen = sorted({k if abs(k - w) <= 0.5 * spacing else int(w) for w, k in zip(wanted, near, strict=True)})
    images = tuple(_pick_from(path, rotation, [first + c for c in chosen], long_side))
    if not images:
        raise VideoError(f"{path}: no frame of the stretch can be decoded; export the video again")
    return tuple((index - first, image) for index, image in images)


def _pick(clip: Clip, indices: Sequence[int], long_side: int | None) -> Iterator[tuple[int, Picture]]:
    first = clip.frame_index[0]
    for index, image in _pick_from(clip.path, clip.rotation, [first + i for i in indices], long_side):
        yield index - first, image


def _pick_from(path: Path, rotation: int, wanted: Sequence[int], long_side: int | None) -> Iterator[tuple[int, Picture]]:
    """The wanted frames (ascending, counted from the beginning of the file), jumping over what is not needed."""
    import av
    from av.error import FFmpegError
    from av.video.reformatter import VideoReformatter

    probed = reading.probe(path)
    todo, reformatter, jumps = deque(wanted), VideoReformatter(), _Jumps(probed)
    try:
        with av.open(str(path)) as container:
            stream = reading.video_stream(container, path)
            position = -1
            while todo:
                target = jumps.toward(todo[0], position)
                if target is not None:
                    container.seek(round((target + probed.origin) / float(stream.time_base or 1)), stream=stream)
                for frame in reading.decoded(container, stream):
                    position = _position(frame, probed, position)
                    if jumps.missed(todo[0], position):
                        break
                    while todo and todo[0] < position:  # damaged: never came
                        todo.popleft()
                    if todo and todo[0] == position:
                        yield todo.popleft(), _upright(frame, rotation, stream.sample_aspect_ratio, long_side, reformatter)
                    if not todo or jumps.worthwhile(todo[0], position):
                        break
                else:
                    return
    except FFmpegError as error:
        raise VideoError(f"{path}: decoding stopped ({error.strerror})") from error


class _Jumps:
    """Where decoding may jump ahead to a keyframe; it gives up jumping once it has landed behind a wanted frame."""

    def __init__(self, probed: reading.Probe) -> None:
        self.time = probed.time
        self.keys = np.flatnonzero(probed.keyframe)
        self.allowed = probed.timed
        self.landed = 0
        self.just_jumped = False

    def worthwhile(self, wanted: int, position: int) -> bool:
        return self.allowed and self._key(wanted) > max(position + 1, self.landed)

    def toward(self, wanted: int, position: int) -> float | None:
        """Time to seek to [s, the first frame at 0]; None to go on from where we are."""
        if not self.allowed and self.just_jumped:
            self.just_jumped = False
            return 0.0
        if not self.worthwhile(wanted, position):
            return None
        self.landed, self.just_jumped = self._key(wanted), True
        later = self.keys[self.keys > self.landed]
        # Containers compare with decoding times, so a time slightly after the keyframe is what leads to it.
        return float(self.time[min(self.landed + 2, (later[0] if len(later) else len(self.time)) - 1)])

    def missed(self, wanted: int, position: int) -> bool:
        """Whether the last jump went too far; then all is decoded from the beginning instead."""
        if self.just_jumped and self.allowed and position > wanted:
            self.allowed = False
            return True
        if self.allowed:
            self.just_jumped = False
        return False

    def _key(self, wanted: int) -> int:
        place = int(np.searchsorted(self.keys, wanted, side="right")) - 1
        return int(self.keys[place]) if place >= 0 else 0


def _position(frame: Any, probed: reading.Probe, previous: int) -> int:
    """Which frame of the file this is, counted in order of presentation."""
    if not probed.timed or frame.time is None:
        return previous + 1
    return int(np.argmin(np.abs(probed.time - (frame.time - probed.origin))))


def _upright(frame: Any, rotation: int, pixel_aspect: Any, long_side: int | None, reformatter: Any) -> Picture:
    import cv2

    width, height = frame.width, frame.height
    if pixel_aspect:
        width = round(width * float(pixel_aspect))
    if long_side and max(width, height) > long_side:
        shrink = long_side / max(width, height)
        width, height = round(width * shrink), round(height * shrink)
    image = reformatter.reformat(frame, width, height, "rgb24", interpolation="AREA" if long_side else "BILINEAR").to_ndarray()
    turns = {1: cv2.ROTATE_90_COUNTERCLOCKWISE, 2: cv2.ROTATE_180, 3: cv2.ROTATE_90_CLOCKWISE}
    return cv2.rotate(image, turns[rotation]) if rotation else image
