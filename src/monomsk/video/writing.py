"""Writing a movie."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import UInt8

from monomsk.errors import OutputError, VideoError

if TYPE_CHECKING:
    from av.video.stream import VideoStream

CODECS = (("libx264", {"crf": "18", "preset": "fast"}), ("mpeg4", {"qscale": "3"}))
"""H.264 where PyAV's build has it, else what every build has."""


def write_movie(path: Path, pictures: Iterable[UInt8[np.ndarray, "height width 3"]], size: tuple[int, int], rate: int) -> None:
    """Write RGB pictures of one size (width and height [px], both even) as a movie of `rate` frames a second.

    Raises VideoError when there is no encoder, OutputError when the file cannot be written.
    """
    import av
    import av.error

    codec = next(((name, options) for name, options in CODECS if name in av.codecs_available), None)
    if codec is None:
        raise VideoError("PyAV has neither libx264 nor mpeg4: reinstall it from its wheel (pip install --force-reinstall av)")
    try:
        with av.open(str(path), "w") as container:
            stream: VideoStream = container.add_stream(codec[0], rate=rate, options=dict(codec[1]))  # pyright: ignore[reportAssignmentType]
            stream.width, stream.height = size
            stream.pix_fmt = "yuv420p"
            for picture in pictures:
                container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
            container.mux(stream.encode())
    except (OSError, av.error.FFmpegError) as error:
        raise OutputError(f"cannot write the movie {path}: {error.strerror or error}") from error
