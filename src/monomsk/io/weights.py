"""Weights of networks and states of trainings: safetensors, an array a leaf of the tree, named by its path. Never pickle."""

import hashlib
import tomllib
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PyTree
from safetensors import SafetensorError
from safetensors.numpy import load, save

from monomsk.errors import FormatError, InputError
from monomsk.io.atomic import write_bytes


def write_tree(path: Path, tree: PyTree, *, half: bool = False) -> None:
    """Write all arrays of a tree, in half precision if wanted. Raises OutputError."""
    arrays = {name: np.asarray(leaf, order="C") for name, leaf in _named(tree)}
    write_bytes(path, save({name: a.astype(np.float16) for name, a in arrays.items()} if half else arrays))


def read_tree(path: Path, like: PyTree) -> PyTree:
    """Read a tree of the same form, shapes and types as `like`, which needs no numbers. Raises FormatError when the file is not one."""
    try:
        found = load(path.read_bytes())
    except (OSError, SafetensorError, ValueError) as error:
        raise FormatError(f"{path} is not a file of weights ({error})") from error
    leaves = []
    for name, leaf in _named(like):
        if name not in found or found[name].shape != leaf.shape:
            has = f"the shape {found[name].shape}" if name in found else "nothing"
            raise FormatError(f"{path} has {has} for {name}; a network of this form has {leaf.shape}: it belongs to another")
        leaves.append(jnp.asarray(found[name].astype(leaf.dtype)))
    if len(found) != len(leaves):
        raise FormatError(f"{path} has {len(found) - len(leaves)} arrays more than a network of this form: it belongs to another")
    return jax.tree.unflatten(jax.tree.structure(like), leaves)


def read_card(path: Path) -> dict[str, Any]:
    """What lies beside weights and says what they are. Raises InputError when it is not there, FormatError when it is no TOML."""
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        hint = f"train it with `monomsk train {path.stem}`, or leave out --weights"
        raise InputError(f"{path}: cannot be read ({error.strerror}): {hint}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise FormatError(f"{path} is not the card of a network: {error}") from error


def sha256(path: Path) -> str:
    """The fingerprint of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _named(tree: PyTree) -> list[tuple[str, Any]]:
    return [(jax.tree_util.keystr(path), leaf) for path, leaf in jax.tree_util.tree_flatten_with_path(tree)[0]]
