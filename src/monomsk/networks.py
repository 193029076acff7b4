"""The trained networks: a set is a folder with weights (safetensors) and a card (TOML) for each, which say what they are and come from."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any, Literal, TypeVar

import equinox as eqx
import jax

from monomsk.errors import FormatError, InputError
from monomsk.io import weights
from monomsk.io.atomic import write_text
from monomsk.io.config_file import toml_text
from monomsk.kinematics.transformer import KinematicsTransformer
from monomsk.kinetics.transformer import DynamicsTransformer
from monomsk.markers.transformer import MarkerTransformer
from monomsk.nn.transformer import Shape

Network = TypeVar("Network", MarkerTransformer, KinematicsTransformer, DynamicsTransformer)
Kind = Literal["markers", "kinematics", "dynamics"]
SHIPPED = ("commercial",)
"""Sets of weights in the package, by what they may be used for."""


@dataclass(frozen=True)
class Networks:
    """A set."""

    markers: MarkerTransformer
    kinematics: KinematicsTransformer
    cards: dict[Kind, dict[str, Any]]
    fingerprints: dict[str, str]
    """SHA-256 of the files of weights."""


def folder_of(name: str) -> Path:
    """Where a set lies: one of `SHIPPED`, or a folder. Raises InputError when there is none."""
    if name in SHIPPED:
        return Path(str(resources.files("monomsk").joinpath("data/weights", name)))
    if not Path(name).is_dir():
        raise InputError(f"no weights are called {name!r} (there are: {', '.join(SHIPPED)}), and no such folder exists")
    return Path(name)


@lru_cache(maxsize=4)
def load_networks(name: str) -> Networks:
    """A set of weights. Raises InputError when there is none of that name, FormatError when it is damaged."""
    folder = folder_of(name)
    markers, card = load_markers(folder)
    kinematics, other = load_kinematics(folder)
    if kinematics.markers != markers.markers:
        raise FormatError(f"{folder}: its two networks know different markers: they were not trained for one another")
    prints = {**fingerprint(folder, "markers"), **fingerprint(folder, "kinematics")}
    return Networks(markers, kinematics, {"markers": card, "kinematics": other}, prints)


def load_markers(folder: Path) -> tuple[MarkerTransformer, dict[str, Any]]:
    """The lifting transformer of a folder, and its card. Raises as `load_networks`."""
    return _load(
        folder, "markers", lambda form, shape, key: MarkerTransformer(tuple(form["keypoints"]), tuple(form["markers"]), shape, key)
    )


def load_kinematics(folder: Path) -> tuple[KinematicsTransformer, dict[str, Any]]:
    """The inverse kinematics transformer of a folder, and its card. Raises as `load_networks`."""

    def build(form: dict[str, Any], shape: Shape, key: jax.Array) -> KinematicsTransformer:
        joints = {name: (float(low), float(high)) for name, low, high in zip(form["joints"], form["low"], form["high"], strict=True)}
        return KinematicsTransformer(tuple(form["markers"]), joints, tuple(form["segments"]), shape, key)

    return _load(folder, "kinematics", build)


@lru_cache(maxsize=4)
def load_dynamics(folder: Path) -> tuple[DynamicsTransformer, dict[str, Any]]:
    """The inverse dynamics transformer of a folder, and its card. Raises as `load_networks`."""
    return _load(
        folder, "dynamics", lambda form, shape, key: DynamicsTransformer(tuple(form["coordinates"]), tuple(form["points"]), shape, key)
    )


def dynamics_folder(name: str) -> Path:
    """Where the inverse dynamics transformer of a set lies: with the set, or, where that has none, with the one that ships.

    Raises as `folder_of`.
    """
    folder = folder_of(name)
    return folder if (folder / "dynamics.toml").is_file() else folder_of(SHIPPED[0])


def fingerprint(folder: Path, kind: Kind) -> dict[str, str]:
    """SHA-256 of a network's file of weights, by its name."""
    path = folder / f"{kind}.safetensors"
    return {path.name: weights.sha256(path)}


def _load(folder: Path, kind: Kind, build: Callable[[dict[str, Any], Shape, jax.Array], Network]) -> tuple[Network, dict[str, Any]]:
    path = folder / f"{kind}.toml"
    card = weights.read_card(path)
    try:
        form = card["network"]
        shape = Shape(**{name: form[name] for name in ("width", "heads", "depth", "temporal")})
        # Only its form: no number is drawn, nothing is compiled.
        like = eqx.filter_eval_shape(lambda key: build(form, shape, key), jax.random.key(0))
    except (KeyError, ValueError, TypeError) as error:
        raise FormatError(f"{path} is not the card of a network: {error}") from error
    arrays, rest = eqx.partition(like, lambda leaf: isinstance(leaf, jax.ShapeDtypeStruct))
    return eqx.combine(weights.read_tree(folder / f"{kind}.safetensors", arrays), rest), card


def save_network(
    folder: Path, network: MarkerTransformer | KinematicsTransformer | DynamicsTransformer, about: dict[str, dict[str, Any]]
) -> Path:
    """Write a network and its card, in which `about` follows what it is. Raises OutputError."""
    shape = network.shape
    form: dict[str, Any] = {"width": shape.width, "heads": shape.heads, "depth": shape.depth, "temporal": shape.temporal}
    kind: Kind
    if isinstance(network, MarkerTransformer):
        kind = "markers"
        form |= {"keypoints": network.keypoints, "markers": network.markers}
    elif isinstance(network, DynamicsTransformer):
        kind = "dynamics"
        form |= {"coordinates": network.coordinates, "points": network.points}
    else:
        kind = "kinematics"
        low, high = zip(*network.ranges, strict=True)
        form |= {"joints": network.joints, "low": low, "high": high, "segments": network.segments, "markers": network.markers}
    weights.write_tree(folder / f"{kind}.safetensors", eqx.filter(network, eqx.is_array), half=True)
    write_text(folder / f"{kind}.toml", toml_text({"network": form, **about}))
    return folder / f"{kind}.safetensors"
