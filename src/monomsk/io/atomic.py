"""Writing so that a file is there whole or not at all."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from monomsk.errors import OutputError


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary path beside `path`; when the block ends well it takes the name `path`, else it vanishes.

    Raises:
        OutputError: the folder is missing, the disk is full, or writing is not allowed.
    """
    path = Path(path)
    try:
        # Beside the target, because a rename is atomic only within one file system.
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=path.suffix, dir=path.parent)
        os.close(handle)
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror}; check that the folder exists and may be written to") from error
    temporary = Path(name)
    try:
        yield temporary
        _set_default_mode(temporary)
        os.replace(temporary, path)
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror}; free some disk space or choose another folder with --out") from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def _set_default_mode(path: Path) -> None:
    """Give the file the mode that `open` would have given it; mkstemp makes files only the owner can read."""
    mask = os.umask(0)
    os.umask(mask)
    path.chmod(0o666 & ~mask)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text with plain line feeds; see `replacing` for what is raised."""
    write_bytes(path, text.encode("utf-8"))


def write_bytes(path: Path, data: bytes) -> None:
    """Write bytes, flushed to the disk before the name appears; see `replacing` for what is raised."""
    with replacing(path) as temporary, open(temporary, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
