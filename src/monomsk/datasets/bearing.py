"""How the body goes with its feet: trunk and arms against the legs, legs that reach the ground."""

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float
from scipy.ndimage import gaussian_filter1d
from scipy.spatial.transform import Rotation

from monomsk.datasets import augment, steps
from monomsk.datasets.performer import ARMS, Person
from monomsk.datasets.plan import RATE, Plan
from monomsk.datasets.steps import FootPath, Footstep

KNEE = (0.0, 0.22, 0.62, 0.82, 1.0)
"""Shares of a stance at which its knee angles are told."""


@dataclass(frozen=True)
class Style:
    """How the body goes with the steps; angles [rad]."""

    knee: tuple[float, ...]
    """Of the standing leg at `KNEE`."""
    stand: float = 0.08
    """Of both knees before and after."""
    lean: float = 0.05
    lean_aside: float = 0.0
    turn: float = 0.13
    """Of the pelvis, for every metre that one ankle is before the other [rad/m]."""
    drop: float = 0.06
    """Of the pelvis on the side of the swing."""
    swing: tuple[float, float] = (0.5, 0.5)
    """Of the arms, for every metre that one ankle is before the other [rad/m]."""
    arms: tuple[dict[str, float], dict[str, float]] = field(default_factory=lambda: (ARMS["hanging"], ARMS["hanging"]))


def reach(person: Person, knee: Float[np.ndarray, " time"] | float) -> Float[np.ndarray, " time"]:
    """From hip to ankle at a knee angle [m]."""
    return person.reach / person.leg * np.sqrt(person.thigh**2 + person.shank**2 + 2.0 * person.thigh * person.shank * np.cos(knee))


def above(person: Person, ankle: np.ndarray, hip: np.ndarray, heading: np.ndarray, side: int) -> Float[np.ndarray, " time"]:
    """Square of the distance of a hip from the ankle's vertical [m²]; `hip` is the middle of both."""
    right = (0.5 - side) * person.width * np.stack([np.sin(heading), np.cos(heading)], -1)
    return ((hip[:, [0, 2]] + right - ankle[:, [0, 2]]) ** 2).sum(-1)


def wishes_of(
    feet: list[Footstep], paths: tuple[FootPath, FootPath], heading: np.ndarray, style: Style, when: tuple[np.ndarray, np.random.Generator]
) -> dict[str, Float[np.ndarray, " time"]]:
    """Trunk and arms: they go against the legs, which are where the footsteps put them."""
    time, random = when
    apart = ((paths[0].ankle - paths[1].ankle)[:, [0, 2]] * np.stack([np.cos(heading), -np.sin(heading)], -1)).sum(-1)
    apart = gaussian_filter1d(apart, 0.06 * RATE, mode="nearest")
    share = steps.shares(feet, time)
    load = share @ np.array([1.0 if f.side == 0 else -1.0 for f in feet])
    load = gaussian_filter1d(load, 0.05 * RATE, mode="nearest") - gaussian_filter1d(load, 0.25 * RATE, mode="nearest")
    noise = [augment.slow_noise(len(time), RATE, random) for _ in range(16)]
    lean = style.lean + 0.015 * noise[0]
    share_of_pelvis = random.uniform(0.4, 0.7)
    # How the pelvis lies differs between people, and the back makes up for it.
    basin = random.normal(-0.02, 0.09)
    sag, turn = -style.drop * load, style.turn * apart
    sideways = style.lean_aside + 0.012 * noise[1]
    facing = (
        Rotation.from_euler("Y", heading[:, None])
        * Rotation.from_euler("ZXY", np.stack([-share_of_pelvis * lean + basin, sag + 0.3 * sideways, turn], -1))
    ).as_euler("ZXY")
    facing = np.unwrap(facing, axis=0)
    wishes = dict(zip(("pelvis_tilt", "pelvis_list", "pelvis_rotation"), facing.T, strict=True)) | {
        "lumbar_extension": -(1.0 - share_of_pelvis) * lean - 0.8 * basin + random.uniform(-0.08, 0.05),
        "lumbar_bending": -0.9 * sag + 0.7 * sideways,
        "lumbar_rotation": -random.uniform(1.2, 2.2) * turn + 0.02 * noise[2],
    }
    for k, side in enumerate("rl"):
        habit = {n: random.normal(0.0, 0.08) for n in style.arms[k]}
        swing = (-1.0 if k == 0 else 1.0) * style.swing[k] * apart
        for j, name in enumerate(style.arms[k]):
            extra = {"arm_flex": swing, "elbow_flex": 0.45 * swing, "arm_add": -0.05 * np.abs(style.swing[k]) + 0.0 * swing}.get(name, 0.0)
            curve = style.arms[k][name] + habit[name] + extra + 0.03 * noise[3 + 5 * k + j]
            wishes[f"{name}_{side}"] = np.maximum(curve, 0.02) if name in ("elbow_flex", "pro_sup") else curve
    return wishes


def cut_out(plan: Plan, low: int, high: int) -> Plan:
    """A part of a plan, by frames."""
    floor = None if plan.floor is None else plan.floor[low:high]
    wishes = {name: curve[low:high] for name, curve in plan.wishes.items()}
    return Plan(plan.feet[low:high], plan.hip[low:high], wishes, plan.mass[low:high], plan.held[low:high], floor)
