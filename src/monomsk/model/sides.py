"""Left and right: which name belongs to the other side, and what changes its sign in a mirror."""

from collections.abc import Sequence

ACROSS = ("pelvis_list", "pelvis_rotation", "pelvis_tz", "lumbar_bending", "lumbar_rotation")
"""Coordinates that change their sign in the mirror; those of the limbs change sides."""


def other_side(name: str) -> str:
    """The coordinate, body or marker of the other side; what has no side is its own.

    Sides are told by an ending, as in `knee_r`, or, in markers of the laboratory, by a first letter before a capital, as in RASI.
    """
    # The coupled coordinate of the patella carries its side in the middle.
    for a, b in (("_r", "_l"), ("_l", "_r")):
        if name.endswith(a):
            return name.removesuffix(a) + b
        if name.endswith(f"{a}_beta"):
            return name.removesuffix(f"{a}_beta") + f"{b}_beta"
    if len(name) > 1 and name[0] in "RL" and (name[1].isupper() or name[1] == "_"):
        return ("L" if name[0] == "R" else "R") + name[1:]
    return name


def plain(name: str) -> str:
    """The name without the ending that tells its side."""
    return name.removesuffix("_r").removesuffix("_l")


def mirror_order(names: Sequence[str]) -> tuple[int, ...]:
    """Indices that exchange left and right in an array over `names`; what has no partner among them stays."""
    place = {name: i for i, name in enumerate(names)}
    return tuple(place.get(other_side(name), i) for i, name in enumerate(names))
