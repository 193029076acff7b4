"""Keeps what libraries print by themselves off the terminal, so that a person sees stages, warnings and errors only."""

import faulthandler
import io
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def libraries_silenced() -> Iterator[None]:
    """Inside, only Python's own `sys.stderr` reaches standard error; what native code writes to descriptor 2 does not.

    MediaPipe and TensorFlow Lite log there before any setting of theirs is read. `MONOMSK_VERBOSE=1` lets everything through.
    """
    if os.environ.get("MONOMSK_VERBOSE") or not _is_standard_error(sys.stderr):
        yield
        return
    before, kept = sys.stderr, os.dup(2)
    with warnings.catch_warnings(), os.fdopen(kept, "w", buffering=1, encoding=before.encoding, errors="backslashreplace") as ours:
        warnings.filterwarnings("ignore", module=r"google\.protobuf")
        nowhere = os.open(os.devnull, os.O_WRONLY)
        before.flush()
        os.dup2(nowhere, 2)
        os.close(nowhere)
        sys.stderr = ours
        faulthandler.enable(ours)  # a crash in native code must not be silent
        try:
            yield
        finally:
            faulthandler.disable()
            sys.stderr = before
            os.dup2(kept, 2)


def _is_standard_error(stream: object) -> bool:
    try:
        return isinstance(stream, io.TextIOBase) and stream.fileno() == 2
    except OSError:
        return False
