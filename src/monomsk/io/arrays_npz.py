"""Plain named arrays in an .npz."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from monomsk.errors import FormatError
from monomsk.io.atomic import replacing


def write(path: Path | str, arrays: Mapping[str, np.ndarray]) -> None:
    """Write arrays of numbers and texts.

    Raises:
        OutputError: the file cannot be written.
    """
    with replacing(Path(path)) as temporary, open(temporary, "wb") as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)


def read(path: Path | str) -> dict[str, np.ndarray]:
    """Read all arrays.

    Raises:
        FormatError: the file is missing or is not an .npz of plain arrays.
    """
    try:
        with np.load(path, allow_pickle=False) as stored:
            return {name: stored[name] for name in stored.files}
    except (OSError, ValueError, EOFError) as error:
        raise FormatError(f"{path} is not an .npz of plain arrays ({error})") from error
