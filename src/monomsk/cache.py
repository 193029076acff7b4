"""Where things that can be made again are kept: compiled programs, the demo's clip.

`MONOMSK_CACHE` names the folder; else the platform's own place for caches.
"""

import os
import sys
import tempfile
from pathlib import Path


def folder() -> Path:
    """The cache folder, made if need be; one in the temporary folder where the usual place cannot be written."""
    for place in (usual_folder(), Path(tempfile.gettempdir()) / f"monomsk-{_user()}"):
        try:
            place.mkdir(parents=True, exist_ok=True)
        except OSError:
            continue
        if os.access(place, os.W_OK):
            return place
    return Path(tempfile.mkdtemp(prefix="monomsk-"))


def keep_compiled_programs() -> None:
    """Make JAX keep every program it compiles, so that the second run does not compile. Call before JAX is imported.

    Environment variables rather than `jax.config`, because the command line must start without importing JAX.
    """
    os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(folder() / "jax"))
    os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
    os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES", "-1")


def usual_folder() -> Path:
    """Where the cache belongs on this platform, whether or not it can be written."""
    if named := os.environ.get("MONOMSK_CACHE"):
        return Path(named).expanduser()
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "monomsk" / "Cache"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "monomsk"
    # The XDG specification says that a relative path there is invalid and to be ignored.
    named = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(named) if os.path.isabs(named) else Path.home() / ".cache") / "monomsk"


def _user() -> str:
    return str(os.getuid()) if hasattr(os, "getuid") else os.environ.get("USERNAME", "user")
