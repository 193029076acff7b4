"""Kernels of the mechanics in C++, where the installation could build them: many frames at once, one a lane of the processor.

They know nothing of JAX's transformations; `physics.native_dynamics` and `physics.native_paths` wrap them. Where there is no
compiler, no module for the processor, or JAX works on another device, `available` is False and the same functions in JAX serve.
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
_TARGETS = {"dynamics": "monomsk_dynamics", "paths": "monomsk_paths"}


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
    shapes = [jax.ShapeDtypeStruct(shape, kind) for shape in results]
    target = jax.ffi.ffi_call(_TARGETS["dynamics"], shapes, vmap_method="expand_dims")
    ranks = np.array([a.ndim for a in frame], np.int64)
    return target(*numbers, *frame, kernel=np.int64(_KERNELS.index(kernel)), ranks=ranks, **attributes)


def call_paths(
    rows: Sequence[int], first_wrap: Sequence[int], numbers: Sequence[Array], *, as_opensim: bool
) -> tuple[Array, Array, Array, Array]:
    """Muscle paths of one frame; `jax.vmap` makes it many, which then share a call.

    Args:
        rows: of the table of paths, that are to be laid.
        first_wrap: number of each row's first wrap in the table of wraps, and at the end the count of all.
        numbers: tables and frame in the order of `PathFrame` in paths.h, all of one type.
        as_opensim: whether what OpenSim does otherwise is repeated.

    Returns:
        length (row), work (row, coordinate), number of a surface that an end lies inside of or −1 (row), count of points (row).
    """
    kind, count = numbers[0].dtype, len(rows)
    shapes = [jax.ShapeDtypeStruct(shape, kind) for shape in ((count,), (count, numbers[7].shape[-1]), (count,), (count,))]
    target = jax.ffi.ffi_call(_TARGETS["paths"], shapes, vmap_method="expand_dims")
    attributes = {"rows": np.array(rows, np.int64), "first_wrap": np.array(first_wrap, np.int64)}
    length, work, inside_of, points = target(*numbers, as_opensim=np.int64(as_opensim), **attributes)
    return length, work, inside_of, points


def _register() -> bool:
    """Hand the best module's targets to JAX; False where there is none."""
    for build in _MODULES:
        try:
            module = importlib.import_module(f"monomsk.native.{build}")
        except ImportError:
            continue
        if not module.supported:
            continue
        try:
            for name, target in _TARGETS.items():
                jax.ffi.register_ffi_target(target, getattr(module, name), platform="cpu")
        except RuntimeError:
            # Built with the headers of a jaxlib whose interface is not this one's.
            return False
        return True
    return False
