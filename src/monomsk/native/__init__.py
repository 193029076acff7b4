"""Kernels of the mechanics in C++, where the installation could build them: many frames at once, one a lane of the processor.

They know nothing of JAX's transformations; `physics.native_dynamics` wraps them. Where there is no compiler, no module for the
processor, or JAX works on another device, `available` is False and the same functions in JAX serve.
"""

import importlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

import jax
import numpy as np
from jaxtyping import Array

Kernel = Literal["inverse_dynamics", "derivative", "mass_matrix", "solve"]

_KERNELS: tuple[Kernel, ...] = ("inverse_dynamics", "derivative", "mass_matrix", "solve")
_MODULES = ("_avx512", "_avx2", "_plain")
"""Builds of one source for several instruction sets, the widest first."""
_TARGET = "monomsk_dynamics"


@dataclass(frozen=True)
class Tree:
    """How the parts of a body hang together; -1 stands for none."""

    parent: tuple[int, ...]
    """Of every body, which comes before it."""
    slot_coordinate: tuple[int, ...]
    """Of every slot, six a joint."""
    slot_curve: tuple[int, ...]
    """Row of the curves of every slot."""
    follows: tuple[int, ...]
    """Free coordinate, numbered from 0, that every coordinate follows."""


@cache
def available() -> bool:
    """Whether the kernels can be called. `MONOMSK_NATIVE=0` in the environment switches them off."""
    return os.environ.get("MONOMSK_NATIVE") != "0" and jax.default_backend() == "cpu" and _register()


def call(
    kernel: Kernel, tree: Tree, numbers: Sequence[Array], frame: Sequence[Array], results: Sequence[tuple[int, ...]]
) -> Sequence[Array]:
    """Results of a kernel for one frame; `jax.vmap` makes it many, which then share a call.

    Args:
        kernel: its name.
        tree: of the body.
        numbers: of the body, in the order of `Numbers` in tree.h.
        frame: what belongs to the frame, in the order of the kernel's arguments in dynamics.h.
        results: shapes of what comes out.
    """
    kind = numbers[0].dtype
    attributes = {name: np.array(getattr(tree, name), np.int64) for name in ("parent", "slot_coordinate", "slot_curve", "follows")}
    target = jax.ffi.ffi_call(_TARGET, [jax.ShapeDtypeStruct(shape, kind) for shape in results], vmap_method="expand_dims")
    ranks = np.array([a.ndim for a in frame], np.int64)
    return target(*numbers, *frame, kernel=np.int64(_KERNELS.index(kernel)), ranks=ranks, **attributes)


def _register() -> bool:
    """Hand the best module's target to JAX; False where there is none."""
    for name in _MODULES:
        try:
            module = importlib.import_module(f"monomsk.native.{name}")
        except ImportError:
            continue
        if not module.supported:
            continue
        try:
            jax.ffi.register_ffi_target(_TARGET, module.target, platform="cpu")
        except RuntimeError:
            # Built with the headers of a jaxlib whose interface is not this one's.
            return False
        return True
    return False
