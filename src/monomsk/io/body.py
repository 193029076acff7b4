"""The body that ships with monomsk, and what is known of people beyond it."""

import tomllib
from functools import cache
from importlib import resources
from math import radians
from typing import Any

from monomsk.io import osim_read
from monomsk.model.anatomy import Anatomy, Habit, Segment
from monomsk.model.spec import Marker, ModelSpec


@cache
def load_body() -> ModelSpec:
    """The shipped body, unscaled: 22 bodies, 39 coordinates (patellae coupled), 80 muscles, 66 markers, 6 contact spheres a foot.

    Its sources are on `data/body/CARD.md`. Subtalar, metatarsophalangeal and wrist coordinates are locked, as published.

    Raises:
        ModelError: the installed package is damaged.
    """
    with resources.as_file(resources.files("monomsk").joinpath("data/body/monomsk_body.osim")) as path:
        return osim_read.read(path)


@cache
def load_anatomy() -> Anatomy:
    """Keypoint places, segment lengths and habits of the coordinates (`data/body/anatomy.toml`)."""
    table = tomllib.loads(resources.files("monomsk").joinpath("data/body/anatomy.toml").read_text("utf-8"))
    entries = {
        **table["middle"],
        **{f"{name}_{side}": _sided(entry, side) for name, entry in table["right_and_left"].items() for side in "rl"},
    }
    return Anatomy(
        anchors=tuple(Marker(name, entry["body"], tuple(entry["location"])) for name, entry in entries.items()),
        loose={name: float(entry["loose"]) for name, entry in entries.items() if "loose" in entry},
        shifts={name: float(entry["shift"]) for name, entry in table["right_and_left"].items() if "shift" in entry},
        segments=tuple(
            Segment(name, entry["axes"], entry["sd"], {sex[0]: entry[sex] for sex in ("female", "male") if sex in entry})
            for name, entry in table["segments"].items()
        ),
        habits={name: _habit(name, entry) for name, entry in table["pose"].items()},
    )


def _sided(entry: dict[str, Any], side: str) -> dict[str, Any]:
    """The right side's entry for one side: paired bodies get the side's name, the left mirrors Z."""
    x, y, z = entry["location"]
    body = entry["body"] if entry["body"] in ("torso", "pelvis") else f"{entry['body']}_{side}"
    return {**entry, "body": body, "location": (x, y, z if side == "r" else -z)}


def _habit(name: str, entry: dict[str, float]) -> Habit:
    """Degrees to radians; the pelvis translations are metres."""
    unit = 1.0 if name in ("pelvis_tx", "pelvis_ty", "pelvis_tz") else radians(1.0)
    return Habit(unit * entry["mean"], unit * entry["sd"], float(entry["acceleration"]))
