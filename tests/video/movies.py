"""Small movies made for the tests."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

TICK = Fraction(1, 90000)


def write_movie(
    path: Path,
    images: Sequence[np.ndarray],
    stamps: Sequence[float] | np.ndarray,
    *,
    turn: int = 0,
    metadata: dict[str, str] | None = None,
    codec: dict[str, str] | None = None,
    tick: Fraction = TICK,
) -> Path:
    """An H.264 movie whose frames are shown at the given times [s]; `turn` is the rotation tag [degrees counter-clockwise]."""
    import av

    with av.open(str(path), "w", options={"movflags": "use_metadata_tags"}) as container:
        container.metadata.update(metadata or {})
        stream = container.add_stream(
            "libx264", rate=round(1 / tick) if tick > TICK else 30, options={"crf": "10", "preset": "ultrafast", **(codec or {})}
        )
        stream.width, stream.height, stream.pix_fmt = images[0].shape[1], images[0].shape[0], "yuv420p"
        stream.time_base = stream.codec_context.time_base = tick
        if turn:
            if not hasattr(stream, "set_display_rotation"):
                pytest.skip("this PyAV cannot write a rotation tag (18.1 can)")
            stream.set_display_rotation(turn)
        for image, stamp in zip(images, stamps, strict=True):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), "rgb24")
            frame.pts, frame.time_base = round(stamp / tick), tick
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def counting_images(count: int, size: tuple[int, int] = (192, 128)) -> list[np.ndarray]:
    """Pictures that tell their number by the brightness of the right half, and which way is up by a bright top left corner."""
    images = []
    for i in range(count):
        image = np.full((size[1], size[0], 3), 30, np.uint8)
        image[:, size[0] // 2 :] = 50 + (3 * i) % 200
        image[: size[1] // 4, : size[0] // 4] = 250
        images.append(image)
    return images


def number_of(image: np.ndarray) -> int:
    """The number of a picture of `counting_images` (up to 66)."""
    height, width = image.shape[:2]
    return round((float(image[height // 2 :, 3 * width // 4].mean()) - 50) / 3)


def room(size: tuple[int, int] = (480, 640), seed: int = 0) -> np.ndarray:
    """A textured picture of blocks, as a wall full of things."""
    random = np.random.default_rng(seed)
    image = np.full((size[1], size[0], 3), 120, np.uint8)
    for _ in range(250):
        x, y = random.integers(0, size[0] - 8), random.integers(0, size[1] - 8)
        width, height = random.integers(6, 50, 2)
        image[y : y + height, x : x + width] = random.integers(0, 255, 3)
    return image
