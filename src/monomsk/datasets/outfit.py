"""Clothes, skin, light and rooms by chance, so that no two rendered films look alike."""

from colorsys import hsv_to_rgb

import numpy as np
from jaxtyping import Float

from monomsk.datasets.room import Design, Plane
from monomsk.datasets.scene import Light

Color = tuple[float, float, float]

SKINS: tuple[Color, Color] = ((0.72, 0.47, 0.36), (0.10, 0.052, 0.034))
"""The lightest and the darkest [linear red, green, blue]."""
HAIRS: tuple[Color, ...] = ((0.02, 0.015, 0.012), (0.09, 0.045, 0.02), (0.35, 0.22, 0.10), (0.30, 0.30, 0.30))
BARE = 0.3
"""Share of people in shorts."""
ROOM = (0.8, 3.0)
"""From the person or the camera to the walls [m]."""


def draw_paint(random: np.random.Generator) -> dict[str, Color]:
    """Colours by the names of `data/gait/mannequin.toml`."""
    tone = random.uniform()
    skin = _mixed(*SKINS, tone)
    paint = {
        "skin": skin,
        "lip": _mixed(skin, (0.42, 0.15, 0.13), 0.4),
        "hair": HAIRS[random.integers(len(HAIRS))],
        "shirt": _cloth(random),
        "trousers": _cloth(random),
        "shoe": _cloth(random),
        "sole": (float(random.uniform(0.05, 0.8)),) * 3,
    }
    return paint | ({"leg": skin} if random.uniform() < BARE else {})


def draw_light(random: np.random.Generator, toward: Float[np.ndarray, "3"]) -> Light:
    """Light from the side of the camera, or from aside: `toward` leads from the person to the camera, ground frame."""
    # From behind the person, the shadow could fall behind the camera, where nothing can be drawn.
    turn = np.arctan2(toward[2], toward[0]) + random.uniform(-1.6, 1.6)
    lift = random.uniform(0.8, 1.3)
    sun = np.array([np.cos(lift) * np.cos(turn), np.sin(lift), np.cos(lift) * np.sin(turn)])
    return Light(sun, main=float(random.uniform(0.35, 0.9)), around=float(random.uniform(0.3, 0.5)))


def draw_design(random: np.random.Generator, inside: Float[np.ndarray, "point 3"]) -> Design:
    """A room around all these points [m], the floor at height 0."""
    low, high = inside.min(0) - random.uniform(*ROOM, 3), inside.max(0) + random.uniform(*ROOM, 3)
    height = max(float(random.uniform(2.4, 3.2)), float(inside[:, 1].max()) + 0.3)
    wall, side, floor = _tint(random), _tint(random), _tint(random)
    middle = inside.mean(0)
    # Door, window and shelf lie between 0 and 7 m of the painted wall.
    shifts = [float(random.uniform(0.5, 6.5) - middle[0]) for _ in range(2)]
    planes = (
        Plane(1, 0.0, "floor", tint=floor),
        Plane(1, height, "ceiling"),
        Plane(2, float(low[2]), "wall", (shifts[0], 0.0), wall),
        Plane(2, float(high[2]), "wall", (shifts[1], 0.0), wall),
        Plane(0, float(low[0]), "side", tint=side),
        Plane(0, float(high[0]), "side", tint=side),
    )
    corners = tuple((plane.axis, plane.value) for plane in planes[2:])
    lamp = (float(middle[0]), height - 0.4, float(middle[2]))
    return Design(planes, corners, height, lamp)


def _cloth(random: np.random.Generator) -> Color:
    """Any colour, dark ones as often as light ones."""
    return hsv_to_rgb(random.uniform(), random.uniform(0.0, 0.8), float(0.03 * 25.0 ** random.uniform()))


def _tint(random: np.random.Generator) -> Color:
    """Around 1: another paint."""
    red, green, blue = np.exp(0.15 * random.standard_normal(3)) * random.uniform(0.5, 1.4)
    return (float(red), float(green), float(blue))


def _mixed(one: Color, other: Color, share: float) -> Color:
    red, green, blue = ((1.0 - share) * a + share * b for a, b in zip(one, other, strict=True))
    return (red, green, blue)
