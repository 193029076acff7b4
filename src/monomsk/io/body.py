"""The body that ships with monomsk."""

from functools import cache
from importlib import resources

from monomsk.io import osim_read
from monomsk.model.spec import ModelSpec


@cache
def load_body() -> ModelSpec:
    """The shipped body, unscaled: 22 bodies, 39 coordinates (patellae coupled), 80 muscles, 66 markers, 6 contact spheres a foot.

    Its sources are on `data/body/CARD.md`. Subtalar, metatarsophalangeal and wrist coordinates are locked, as published.

    Raises:
        ModelError: the installed package is damaged.
    """
    with resources.as_file(resources.files("monomsk").joinpath("data/body/monomsk_body.osim")) as path:
        return osim_read.read(path)
