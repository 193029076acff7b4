"""What every test may need."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

# Tests compile the same programs again and again; keep them, the smallest too, as the command line does: every file begins
# without programs, and there are thousands of small ones.
os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(Path(__file__).parents[1] / ".pytest_cache" / "jax"))
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES", "-1")

REPOSITORY = Path(__file__).resolve().parents[1]
SHARED = REPOSITORY.parent / "shared"


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the source tree."""
    return REPOSITORY


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of shared data beside the repository; the test is skipped where there is none."""
    if not SHARED.is_dir():
        pytest.skip("no shared data beside the repository")
    return SHARED


@pytest.fixture(autouse=True, scope="module")
def _no_programs_of_other_files() -> Iterator[None]:
    """Compiled programs are dropped after each file: a process may map 65 530 regions of memory on Linux, and all of them take more."""
    yield
    if (jax := sys.modules.get("jax")) is not None:
        jax.clear_caches()


@pytest.fixture(autouse=True)
def _opensims_own_defaults() -> Iterator[None]:
    """OpenSim keeps the `<defaults>` of every file that it has read for those after it; each test begins with its own again."""
    yield
    if (opensim := sys.modules.get("opensim")) is not None:
        for name in ("Thelen2003Muscle", "Millard2012EquilibriumMuscle", "DeGrooteFregly2016Muscle"):
            opensim.OpenSimObject.registerType(getattr(opensim, name)())
