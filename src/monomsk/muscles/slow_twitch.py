"""Which share of a muscle's fibres is slow, by its name (`data/muscles/slow_twitch.toml`, with the sources)."""

import tomllib
from functools import cache
from importlib import resources

import numpy as np
from jaxtyping import Float

from monomsk.model.sides import plain

UNKNOWN = 0.5
"""Share where nothing is known of a muscle."""


def slow_twitch(names: tuple[str, ...]) -> tuple[Float[np.ndarray, " muscle"], tuple[str, ...]]:
    """Shares of slow-twitch fibres of the muscles, and which of them, without their side, are not known and taken as half."""
    stems = [plain(name) for name in names]
    known = _shares()
    unknown = tuple(dict.fromkeys(stem for stem in stems if stem not in known))
    return np.array([known.get(stem, UNKNOWN) for stem in stems]), unknown


@cache
def _shares() -> dict[str, float]:
    table = tomllib.loads(resources.files("monomsk").joinpath("data/muscles/slow_twitch.toml").read_text(encoding="utf-8"))
    return {name: float(entry["share"]) for entry in table["muscle"] for name in entry["called"]}
