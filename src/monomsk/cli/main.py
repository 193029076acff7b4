"""The entry point: which command, and what becomes of its errors."""

import importlib
import re
import signal
import sys
import threading
from collections.abc import Sequence
from types import FrameType

from monomsk import __version__, cache
from monomsk.errors import MonomskError

INTERRUPTED = 130
TERMINATED = 143


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line and return its exit code.

    What a person can mend is one line on standard error and the exit code of its class; Ctrl-C is 130. A bug keeps its
    traceback. Neither leaves half-written files (`report.folder.writing`).
    """
    words = list(sys.argv[1:] if arguments is None else arguments) or ["--help"]
    if words == ["--version"]:
        print(f"monomsk {__version__}")
        return 0
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, _terminate)
    cache.keep_compiled_programs()
    try:
        return _dispatch(words)
    except MonomskError as error:
        print(f"monomsk: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("monomsk: stopped; no half-written files were left", file=sys.stderr)
        return INTERRUPTED


def _dispatch(words: list[str]) -> int:
    from monomsk.cli import arguments
    from monomsk.cli.quiet import libraries_silenced

    command = arguments.parse(words)
    name = re.sub("(?<=[a-z])(?=[A-Z])", "_", type(command).__name__).lower()
    with libraries_silenced():
        return getattr(importlib.import_module(f"monomsk.cli.{name}"), name)(command, words)


def _terminate(number: int, frame: FrameType | None) -> None:
    """Leave by an exception, so that what is half-written is cleaned away."""
    sys.exit(TERMINATED)
