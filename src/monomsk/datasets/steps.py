"""Footsteps and what follows from them: load, centre of pressure, paths of the feet with heel strike and toe-off, the mass above them."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from jaxtyping import Float
from scipy.interpolate import PchipInterpolator
from scipy.ndimage import gaussian_filter1d

from monomsk.datasets.plan import FOOT, RATE, FlatFoot, pitched

GRAVITY = 9.80665
ALWAYS = 1e3
"""Longer than any movement [s]."""
TOE_BEND = 0.5
"""Most that the toes bend when the heel rises [rad]; beyond that the foot turns about their tips."""
EVEN = 0.08
"""How far a swinging foot is ahead of the smoothest path at first, and behind it later, as a share of the way: it travels more evenly."""
AROUND = 3.0
"""Time before and after the movement that the mass knows of [s]."""


@dataclass(frozen=True)
class Roll:
    """How a foot comes down and leaves; angles toes down [rad], times as shares of the stance."""

    strike: float = -0.35
    flat: float = 0.13
    heel_off: float = 0.56
    leave: float = 0.95
    lift: float = 0.02
    """Least height of the sole half-way through the swing that follows [m]."""
    kick: float = 0.0
    """Height added to the ankle's path in that swing [m]."""
    swing: float = 0.0
    """Angle in the second half of it."""
    arrive: tuple[float, float] = (0.0, 0.0)
    """Speed of the ankle forwards and downwards when it lands [m/s]; walkers' heels still move on at 0.87 m/s (Winter 1992)."""
    back: float | None = None
    """Angle in its first half, where a runner's foot is high behind."""


STILL = Roll(strike=0.0, leave=0.0)


@dataclass(frozen=True)
class Footstep:
    """A foot on the ground, or on a step of `height`, from `strike` until `leave` [s]."""

    side: int
    """0 right, 1 left."""
    place: Float[np.ndarray, "3"]
    """Ground below the ankle when the foot is flat [m]."""
    yaw: float
    """To the left [rad]."""
    strike: float
    leave: float
    roll: Roll


@dataclass(frozen=True)
class Step:
    """From one footstep to the next, as seen by the person [m, rad, s]."""

    forward: float
    time: float
    aside: float = 0.0
    turn: float = 0.0
    """To the left."""
    up: float = 0.0


@dataclass(frozen=True)
class Manner:
    """What the steps of somebody have in common."""

    width: float
    """Between the ankles [m]."""
    toe_out: float
    overlap: float
    """Time that both feet stand, as a share of the step; negative where both fly."""
    roll: Roll
    first: int
    """Side that steps first."""


def footsteps(steps: list[Step], manner: Manner, begin: float) -> tuple[list[Footstep], Float[np.ndarray, "key 5"]]:
    """Footsteps from a stand, and the way: time, place and heading of the person's middle at every strike. Times are whole frames."""
    center, heading, time = np.zeros(3), 0.0, begin
    way = [(0.0, *center, heading)]
    feet: list[tuple[int, np.ndarray, float]] = [
        (side, _beside(center, heading, side, manner), _outward(heading, side, manner)) for side in (0, 1)
    ]
    strikes, leaves = [-ALWAYS, -ALWAYS], [ALWAYS, ALWAYS]
    latest = [0, 1]
    side = manner.first
    for step in steps:
        middle = heading + 0.5 * step.turn
        ahead, right = np.array([np.cos(middle), 0.0, -np.sin(middle)]), np.array([np.sin(middle), 0.0, np.cos(middle)])
        center = center + step.forward * ahead + step.aside * right + step.up * np.array([0.0, 1.0, 0.0])
        heading += step.turn
        swing = step.time * (1.0 - manner.overlap)
        leaves[latest[side]] = _framed(time + step.time - swing)
        time += step.time
        feet.append((side, _beside(center, heading, side, manner), _outward(heading, side, manner)))
        strikes.append(_framed(time))
        leaves.append(ALWAYS)
        latest[side] = len(feet) - 1
        way.append((time, *center, heading))
        side = 1 - side
    rolls = [STILL if s < -1.0 else manner.roll for s in strikes]
    made = [Footstep(f[0], f[1], f[2], s, e, r) for f, s, e, r in zip(feet, strikes, leaves, rolls, strict=True)]
    return made, np.array(way)


def _framed(time: float) -> float:
    return round(time * RATE) / RATE


def _beside(center: np.ndarray, heading: float, side: int, manner: Manner) -> np.ndarray:
    return center + (0.5 - side) * manner.width * np.array([np.sin(heading), 0.0, np.cos(heading)])


def _outward(heading: float, side: int, manner: Manner) -> float:
    return heading + (-1.0 if side == 0 else 1.0) * manner.toe_out


def shares(feet: list[Footstep], time: Float[np.ndarray, " time"]) -> Float[np.ndarray, "time step"]:
    """Part of the load on every footstep: it moves over while two feet stand."""
    raw = np.zeros((len(time), len(feet)))
    for k, foot in enumerate(feet):
        others = [f for f in feet if f.side != foot.side]
        into = min([f.leave - foot.strike for f in others if 0.0 < f.leave - foot.strike < 5.0], default=1e-3)
        out = min([foot.leave - f.strike for f in others if 0.0 < foot.leave - f.strike < 5.0], default=1e-3)
        x = np.clip(np.minimum((time - foot.strike) / into, (foot.leave - time) / out), 0.0, 1.0)
        raw[:, k] = x * x * (3.0 - 2.0 * x)
    return raw / np.maximum(raw.sum(1), 1e-3)[:, None]


def pressure(feet: list[Footstep], flat: tuple[FlatFoot, FlatFoot], time: Float[np.ndarray, " time"]) -> Float[np.ndarray, "time 3"]:
    """Centre of pressure [m]: from heel to ball under every foot that rolls, at the middle of feet that stay."""
    at = np.zeros((len(time), 3))
    for share, foot in zip(shares(feet, time).T, feet, strict=True):
        ball = flat[foot.side].ball[0]
        s = np.clip((time - foot.strike) / (foot.leave - foot.strike), 0.0, 1.0)
        rolling = foot.leave - foot.strike < 5.0 and foot.roll.strike < 0.0
        along = ball * (-0.25 + 1.3 * s) if rolling else np.full(len(time), 0.45 * ball)
        place = foot.place + np.stack([np.cos(foot.yaw) * along, 0.0 * along, -np.sin(foot.yaw) * along], -1)
        at += share[:, None] * place
    return at


def balanced(pressure_at: Float[np.ndarray, "long 3"], height: float) -> Float[np.ndarray, "long 3"]:
    """The path of a mass at a height [m] that neither falls nor runs away over a centre of pressure.

    The bounded solution of the linear inverted pendulum (Kajita et al. 2001), x'' = g/h (x - p):
    x(t) = ω/2 ∫ exp(-ω|t - τ|) p(τ) dτ with ω² = g/h. The mass moves before the pressure does, as people shift their weight.
    """
    omega = np.sqrt(GRAVITY / height)
    lag = np.arange(-int(AROUND * RATE), int(AROUND * RATE) + 1) / RATE
    kernel = np.exp(-omega * np.abs(lag))
    kernel /= kernel.sum()
    half = len(lag) // 2
    # At the ends the pressure goes on as it went.
    rows = np.arange(-half, len(pressure_at) + half)
    inside = np.clip(rows, 0, len(pressure_at) - 1)
    return np.stack([np.convolve(column[inside], kernel, "valid") for column in pressure_at.T], -1)


@dataclass(frozen=True)
class FootPath:
    """One foot over time."""

    markers: Float[np.ndarray, "time foot 3"]
    """`FOOT`, ground frame [m]."""
    floor: Float[np.ndarray, " time"]
    """Height of what is under it [m]."""

    @property
    def ankle(self) -> Float[np.ndarray, "time 3"]:
        """[m]"""
        return self.markers[:, FOOT.index("ankle")]


def foot_path(flat: FlatFoot, feet: list[Footstep], time: Float[np.ndarray, " time"]) -> FootPath:
    """One foot's footsteps, in their order, and the swings between them."""
    pitch, bend = _pitch(feet, time)
    locals_ = _rolled(flat, pitch, bend)
    ankle, yaw, floor = np.zeros((len(time), 3)), np.zeros(len(time)), np.zeros(len(time))
    still = FOOT.index("ankle")
    standing = [f.place + _yawed(locals_[:, still], np.full(len(time), f.yaw)) for f in feet]
    for foot, stand in zip(feet, standing, strict=True):
        rows = (time >= foot.strike - 1e-6) & (time <= foot.leave + 1e-6)
        ankle[rows], yaw[rows], floor[rows] = stand[rows], foot.yaw, foot.place[1]
    for k, (a, b) in enumerate(pairwise(feet)):
        rows = np.flatnonzero((time > a.leave + 1e-6) & (time < b.strike - 1e-6))
        if not len(rows):
            continue
        s = (time[rows] - a.leave) / (b.strike - a.leave)
        yaw[rows] = a.yaw + (b.yaw - a.yaw) * s**3 * (10.0 - 15.0 * s + 6.0 * s**2)
        rise = b.place[1] - a.place[1]
        floor[rows] = np.where(s < (0.75 if rise > 0.0 else 0.25), a.place[1], b.place[1])
        forward, down = b.roll.arrive
        landing = np.array([forward * np.cos(b.yaw), -down, -forward * np.sin(b.yaw)])
        path = _between(standing[k], standing[k + 1], time, (a.leave, b.strike, landing), s)
        path[:, 1] += rise * (_late(s, 0.0, 0.75) if rise > 0.0 else _late(s, 0.3, 1.0)) - rise * _late(s, 0.0, 1.0)
        evenly = s**3 * (1.0 - s) ** 3 * (1.0 - 2.0 * s) / 0.00373
        path += EVEN * evenly[:, None] * (b.place - a.place) * [1.0, 0.0, 1.0]
        path[:, 1] += a.roll.kick * s**3 * (1.0 - s) ** 4 / 0.00839
        low = _lowest(flat, locals_[rows], pitch[rows], bend[rows]) + path[:, 1] - np.interp(s, [0.0, 1.0], [a.place[1], b.place[1]])
        bump = (4.0 * s * (1.0 - s)) ** 3
        middle = (s > 0.25) & (s < 0.75)
        missing = a.roll.lift - low / bump
        path[:, 1] += max(float(missing[middle].max(initial=0.0)), 0.0) * bump
        ankle[rows] = path
    offsets = locals_ - locals_[:, still : still + 1]
    turned = np.stack([_yawed(offsets[:, i], yaw) for i in range(len(FOOT))], 1)
    return FootPath(ankle[:, None] + turned, floor)


def placed(flat: FlatFoot, ankle: Float[np.ndarray, "time 3"], yaw: float, pitch: Float[np.ndarray, " time"]) -> np.ndarray:
    """Markers of a foot with straight toes whose ankle is where it is told to be [m]."""
    still = FOOT.index("ankle")
    turned = _rolled(flat, pitch, np.zeros(len(pitch)))
    return ankle[:, None] + np.stack([_yawed(turned[:, i] - turned[:, still], np.full(len(pitch), yaw)) for i in range(len(FOOT))], 1)


def _late(s: np.ndarray, low: float, high: float) -> np.ndarray:
    x = np.clip((s - low) / (high - low), 0.0, 1.0)
    return x**3 * (10.0 - 15.0 * x + 6.0 * x**2)


def _pitch(feet: list[Footstep], time: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Angle of the foot and how much of it the toes bend [rad]."""
    keys: dict[float, tuple[float, float]] = {-2.0 * ALWAYS: (0.0, 0.0)}
    for k, foot in enumerate(feet):
        roll, begin = foot.roll, foot.strike
        stance = foot.leave - begin
        if foot.strike > -ALWAYS:
            keys[begin] = (roll.strike, min(max(roll.strike, 0.0), TOE_BEND))
            keys[begin + roll.flat * min(stance, 1.0)] = (0.0, 0.0)
        if k + 1 == len(feet):
            break
        ends = feet[k + 1]
        swing = ends.strike - foot.leave
        off = begin + roll.heel_off * stance if stance < 5.0 else foot.leave - 0.3
        angle = max(roll.leave, 0.5 * feet[k + 1].roll.leave) if feet[k + 1].roll.leave > 0.0 else roll.leave
        bend = TOE_BEND * float(np.tanh(max(angle, 0.0) / TOE_BEND))
        keys[off] = (0.0, 0.0)
        keys[foot.leave] = (angle, bend)
        keys[foot.leave + 0.13 * swing] = (1.32 * angle, 0.8 * bend)
        if roll.back is None:
            keys[foot.leave + 0.72 * swing] = (ends.roll.swing, 0.05)
        else:
            keys[foot.leave + 0.45 * swing] = (roll.back, 0.2 * bend)
            keys[foot.leave + 0.75 * swing] = (0.4 * roll.back, 0.05)
        keys[foot.leave + 0.92 * swing] = (ends.roll.strike, min(max(ends.roll.strike, 0.0), TOE_BEND))
    keys[ALWAYS + 1.0] = (0.0, 0.0)
    at = np.array(sorted(keys))
    values = np.array([keys[t] for t in at])
    curves = gaussian_filter1d(PchipInterpolator(at, values)(time), 1.2, axis=0, mode="nearest")
    return curves[:, 0], np.clip(curves[:, 1], 0.0, np.maximum(curves[:, 0], 0.15))


def _rolled(flat: FlatFoot, pitch: np.ndarray, bend: np.ndarray) -> Float[np.ndarray, "time foot 3"]:
    """The markers of a foot that turns about its heel, its ball and its toes."""
    made = []
    for name, point in zip(FOOT, flat.markers, strict=True):
        local = np.repeat(point[None], len(pitch), 0)
        made.append(_turned(flat, local, pitch, bend, behind=name in ("heel", "ankle")))
    return np.stack(made, 1)


def _turned(flat: FlatFoot, local: np.ndarray, pitch: np.ndarray, bend: np.ndarray, *, behind: bool) -> np.ndarray:
    over = np.maximum(pitch, 0.0)
    bend = np.minimum(bend, over)
    if behind:
        local = pitched(local, flat.ball, bend)
    local = pitched(local, flat.tip, over - bend)
    return pitched(local, flat.heel, np.minimum(pitch, 0.0))


def _lowest(flat: FlatFoot, locals_: np.ndarray, pitch: np.ndarray, bend: np.ndarray) -> np.ndarray:
    """Lowest point of heel and toe against the ankle [m]."""
    ankle = locals_[:, FOOT.index("ankle"), 1]
    tip = _turned(flat, np.repeat(flat.tip[None], len(pitch), 0), pitch, bend, behind=False)[:, 1] - flat.tip[1]
    heel = _turned(flat, np.repeat(flat.heel[None], len(pitch), 0), pitch, bend, behind=True)[:, 1] - flat.heel[1]
    return np.minimum(tip, heel) - ankle


def _yawed(local: Float[np.ndarray, "time 3"], yaw: Float[np.ndarray, " time"]) -> np.ndarray:
    c, s = np.cos(yaw), np.sin(yaw)
    return np.stack([c * local[:, 0] + s * local[:, 2], local[:, 1], -s * local[:, 0] + c * local[:, 2]], -1)


def _between(start: np.ndarray, stop: np.ndarray, time: np.ndarray, span: tuple[float, float, np.ndarray], s: np.ndarray) -> np.ndarray:
    """Quintics that leave one curve and join another with their speeds and accelerations, the latter a little faster."""
    dt = 1.0 / RATE
    length = span[1] - span[0]
    ends = []
    for curve, at in ((start, span[0]), (stop, span[1])):
        first = np.gradient(curve, dt, axis=0)
        second = np.gradient(first, dt, axis=0)
        k = int(np.clip(round((at - time[0]) * RATE), 0, len(time) - 1))
        ends.append((curve[k], first[k] * length, 0.5 * second[k] * length**2))
    (p, v, a), (q, w, b) = ends
    w = w + span[2] * length
    u = s[:, None]
    reached, speed = q - p - v - a, w - v - 2.0 * a
    third = 2.0 * (b - a)
    c3 = 10.0 * reached - 4.0 * speed + 0.5 * third
    c4 = -15.0 * reached + 7.0 * speed - third
    c5 = 6.0 * reached - 3.0 * speed + 0.5 * third
    return p + v * u + a * u**2 + c3 * u**3 + c4 * u**4 + c5 * u**5
