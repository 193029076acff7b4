"""Walks of many speeds and manners, along curves, sideways, backwards, on the spot, up and down stairs.

Footsteps come first; the body follows from them. Speed sets length, time and stance of the steps by published relations.
"""

from dataclasses import replace

import numpy as np
from jaxtyping import Float
from scipy.interpolate import PchipInterpolator
from scipy.ndimage import gaussian_filter1d

from monomsk.datasets import steps
from monomsk.datasets.bearing import KNEE, Style, above, cut_out, reach, wishes_of
from monomsk.datasets.performer import ARMS, Person
from monomsk.datasets.plan import RATE, Plan, flat_foot
from monomsk.datasets.steps import ALWAYS, FootPath, Footstep, Manner, Roll, Step

WALK_RATIO = 0.0065
"""Step length over steps a minute [m·min]; the same at all speeds (Sekiya & Nagasaki 1998: men 0.0065, women 0.0061)."""
STRAIGHT = 0.06
"""No leg gets straighter than this [rad at the knee]."""
FORE = 0.105
"""Of the hips before the mass's planned path, in lengths of the leg."""
AFTER = 1.0
"""Standing at the end [s]."""


def walk(person: Person, random: np.random.Generator) -> Plan:
    """Straight on at 0.5 to 2.2 m/s, in a manner that is drawn: ordinary, or long, short, stiff, crouched, on the toes, limping."""
    speed = float(random.uniform(0.5, 2.2))
    habit = str(random.choice(["usual", "usual", "usual", "long", "short", "stiff", "crouch", "high_knees", "toes", "limp", "leaning"]))
    return walking(person, random, speed, habit)


def walking(person: Person, random: np.random.Generator, speed: float, habit: str) -> Plan:
    """A straight walk of a given speed [m/s] and manner."""
    stretch = {"long": 1.2, "short": 0.75, "high_knees": 0.85}.get(habit, 1.0) * random.normal(1.0, 0.03)
    length, time = paces(person, speed, stretch)
    manner = _manner(person, random, speed)
    style = _style(random, speed)
    manner, style = _in_habit(habit, manner, style, random)
    uneven, late = (random.uniform(-0.15, 0.15), random.uniform(0.06, 0.16)) if habit == "limp" else (0.0, random.uniform(-0.01, 0.01))
    count = int(np.clip(random.uniform(4.5, 7.0) / time, 7, 14))
    plain = []
    for k in range(count):
        sign = 1.0 if k % 2 else -1.0
        plain.append(
            Step(length * (1.0 + sign * uneven + random.normal(0.0, 0.015)), time * (1.0 + sign * late + random.normal(0.0, 0.01)))
        )
    return _gone(person, random, plain, manner, style, cut=random.random() < 0.6)


def paces(person: Person, speed: float, stretch: float = 1.0) -> tuple[float, float]:
    """Length [m] and time [s] of a walking step at a speed [m/s]: by the walk ratio, longer for longer legs."""
    ratio = WALK_RATIO * (person.leg / 0.84) * stretch**2
    length = float(np.sqrt(ratio * 60.0 * speed))
    return length, length / speed


def _overlap(speed: float) -> float:
    """Of both feet's stances in a walk, as a share of the step: stance 64.2 % - 3.5 % of the stride for every m/s (Kirtley et al. 1985)."""
    return 2.0 * (0.642 - 0.035 * speed) - 1.0


def _manner(person: Person, random: np.random.Generator, speed: float) -> Manner:
    return Manner(
        width=person.width * float(random.uniform(0.35, 1.0) if random.random() < 0.8 else random.uniform(0.1, 1.8)),
        toe_out=float(random.normal(0.1, 0.07)),
        overlap=_overlap(speed),
        roll=Roll(
            strike=-float(np.clip(0.2 + 0.13 * speed, 0.1, 0.5) * random.uniform(0.85, 1.1)),
            leave=float(np.clip(0.8 + 0.2 * speed, 0.6, 1.2) * random.uniform(0.9, 1.1)),
            lift=float(random.uniform(0.012, 0.03)),
            kick=0.004,
            arrive=(0.45 * speed, 0.05),
        ),
        first=int(random.integers(2)),
    )


def _style(random: np.random.Generator, speed: float) -> Style:
    """An ordinary walker; arms swing, or carry, or are crossed."""
    loading = float(np.clip(0.14 * speed + 0.1, 0.12, 0.45) * random.uniform(0.8, 1.2))
    posture = str(random.choice(["hanging"] * 6 + ["crossed", "on_hips", "forward", "one"]))
    gain = float(np.clip(0.3 + 0.15 * speed, 0.3, 0.6) * random.uniform(0.4, 1.4))
    hold = {**ARMS["hanging"], "arm_flex": 0.3, "elbow_flex": 1.5}
    arms, swing = (ARMS["hanging"], ARMS["hanging"]), (gain, gain)
    if posture == "one":
        arms, swing = (hold, ARMS["hanging"]), (0.05, gain)
    elif posture != "hanging":
        arms, swing = (ARMS[posture], ARMS[posture]), (0.04, 0.04)
    if random.random() < 0.5:
        arms, swing = (arms[1], arms[0]), (swing[1], swing[0])
    straight = float(random.uniform(0.06, 0.14))
    return Style(
        knee=(straight, loading, straight, 0.22, 0.68),
        lean=float(random.normal(0.04, 0.03)),
        turn=float(random.normal(0.13, 0.04)),
        drop=float(random.uniform(0.03, 0.08)),
        swing=swing,
        arms=arms,
    )


def _in_habit(habit: str, manner: Manner, style: Style, random: np.random.Generator) -> tuple[Manner, Style]:
    """What is different in a manner of walking that is not the usual one."""
    roll = manner.roll
    if habit == "stiff":
        return manner, replace(style, knee=(0.05, 0.06, 0.05, 0.08, 0.25))
    if habit == "crouch":
        more = float(random.uniform(0.25, 0.9))
        return replace(manner, roll=replace(roll, strike=0.5 * roll.strike, leave=0.7 * roll.leave)), replace(
            style, knee=tuple(k + more for k in style.knee), stand=more, lean=float(random.uniform(0.1, 0.6))
        )
    if habit == "high_knees":
        return replace(manner, roll=replace(roll, strike=-0.05, lift=float(random.uniform(0.12, 0.35)))), style
    if habit == "toes":
        rise = float(random.uniform(0.15, 0.4))
        return replace(manner, roll=replace(roll, strike=rise, flat=0.3, heel_off=0.32)), style
    if habit == "leaning":
        aside = float(random.normal(0.0, 0.2))
        return manner, replace(style, lean=float(random.uniform(-0.1, 0.5)), lean_aside=aside)
    return manner, style


def turn(person: Person, random: np.random.Generator) -> Plan:
    """Along a curve, turning on the spot, sideways or backwards."""
    kind, side = str(random.choice(["curve", "curve", "spot", "aside", "back"])), int(random.integers(2))
    hand = 1.0 if side else -1.0
    pace = float(random.uniform(0.45, 0.75))
    soft = Roll(strike=0.0, leave=0.25, lift=float(random.uniform(0.03, 0.08)))
    if kind == "curve":
        radius = float(np.exp(random.uniform(np.log(0.5), np.log(6.0))))
        speed = float(random.uniform(0.45, 0.6 + 0.75 * min(radius, 1.5)))
        length, time = paces(person, speed)
        angle = float(np.clip(length / radius, 0.0, 0.6))
        plain = [Step(length, time, turn=hand * angle) for _ in range(int(np.clip(random.uniform(3.5, 6.5) / time, 5, 12)))]
        return _gone(person, random, plain, _manner(person, random, speed), _style(random, speed), cut=random.random() < 0.5)
    style = replace(_style(random, 0.5), turn=0.05, drop=0.03)
    manner = Manner(person.width * float(random.uniform(0.8, 1.4)), float(random.uniform(0.0, 0.2)), 0.35, soft, side)
    if kind == "spot":
        angle = float(random.uniform(0.25, 0.8))
        plain = [Step(0.0, pace, turn=hand * angle * (1.2 if k % 2 == 0 else 0.6)) for k in range(random.integers(3, 9))]
    elif kind == "aside":
        far = float(random.uniform(0.15, 0.4))
        plain = [Step(0.0, pace, aside=-hand * far if k % 2 == 0 else 0.0) for k in range(2 * random.integers(2, 5))]
    else:
        far = float(random.uniform(0.25, 0.5))
        manner = replace(manner, roll=Roll(strike=0.3, flat=0.25, heel_off=0.75, leave=-0.15, lift=0.03), overlap=0.28)
        plain = [Step(-far * random.normal(1.0, 0.04), pace) for _ in range(random.integers(4, 9))]
    return _gone(person, random, plain, manner, style, cut=False)


def stairs(person: Person, random: np.random.Generator) -> Plan:
    """From the floor up a few steps, down a few steps onto the floor, or onto a box and down again."""
    rise, tread, time = float(random.uniform(0.12, 0.22)), float(random.uniform(0.25, 0.32)), float(random.uniform(0.55, 0.95))
    kind = str(random.choice(["up", "down", "box"]))
    manner = Manner(
        person.width * float(random.uniform(0.6, 1.2)),
        float(random.normal(0.1, 0.06)),
        0.3,
        Roll(0.0, leave=0.5, lift=0.04),
        int(random.integers(2)),
    )
    style = _style(random, 0.8)
    straight = style.knee[0]
    up = replace(style, knee=(1.0, 0.85, 0.3, straight + 0.12, 0.5), drop=0.04, lean=style.lean + float(random.uniform(0.05, 0.2)))
    down = replace(style, knee=(straight, 0.3, 0.4, 0.75, 1.4), drop=0.04)
    before = [Step(float(random.uniform(0.3, 0.5)), time) for _ in range(random.integers(0, 3))]
    climb = [Step(tread, time * random.normal(1.0, 0.03), up=rise) for _ in range(random.integers(2, 5))]
    if kind == "up":
        return _gone(person, random, [*before, *climb], manner, up, cut=False)
    manner_down = replace(manner, roll=Roll(strike=0.25, flat=0.2, heel_off=0.55, leave=0.5, lift=0.03))
    if kind == "down":
        return _gone(person, random, [*(replace(c, up=-rise) for c in climb), *before], manner_down, down, cut=False)
    box = [Step(tread + 0.1, time, up=rise), Step(0.0, time)]
    back = [Step(tread + 0.1, time, up=-rise)] if random.random() < 0.6 else [Step(-tread - 0.1, time, up=-rise)]
    plain = [*before, *box, *back]
    return _gone(person, random, plain, manner, replace(up, knee=(0.9, 0.75, 0.3, 0.35, 0.8)), cut=False)


def _gone(person: Person, random: np.random.Generator, plain: list[Step], manner: Manner, style: Style, *, cut: bool) -> Plan:
    """From a stand through all steps to a stand again, or what lies between the first and the last two."""
    first = replace(plain[0], forward=0.6 * plain[0].forward, turn=0.6 * plain[0].turn) if plain[0].up == 0.0 else plain[0]
    close = Step(0.0, 1.1 * plain[-1].time)
    begin = float(random.uniform(0.4, 1.2))
    feet, way = steps.footsteps([first, *plain[1:], close], manner, begin)
    lowest = min(f.place[1] for f in feet)
    feet = [replace(f, place=f.place - np.array([0.0, lowest, 0.0])) for f in feet]
    time = np.arange(int((way[-1, 0] + AFTER) * RATE)) / RATE
    flat = (flat_foot(person.model, 0), flat_foot(person.model, 1))
    around = np.arange(-int(RATE), len(time) + int(RATE)) / RATE
    mass = steps.balanced(steps.pressure(feet, flat, around), person.mass)[int(RATE) : -int(RATE)]
    paths = (
        steps.foot_path(flat[0], [f for f in feet if f.side == 0], time),
        steps.foot_path(flat[1], [f for f in feet if f.side == 1], time),
    )
    heading = _heading(way, time)
    # Hips that run before the middle of the feet, as walkers' do; the mass is where the trunk's lean leaves it.
    hip = mass + FORE * person.leg * np.stack([np.cos(heading), 0.0 * heading, -np.sin(heading)], -1)
    hip[:, :2] += -0.18 * person.hip * np.sin(style.lean) * np.stack([np.cos(heading), 0.0 * heading], -1)
    hip[:, 2] += 0.18 * person.hip * np.sin(style.lean) * np.sin(heading)
    hip[:, 1] = _height(person, feet, paths, (hip, heading), (style, time))
    held = np.zeros((len(time), 3))
    wishes = wishes_of(feet, paths, heading, style, (time, random))
    plan = Plan(np.stack([p.markers for p in paths], 1), hip, wishes, mass, held, np.stack([p.floor for p in paths], -1))
    return cut_out(plan, int(way[2, 0] * RATE), int(way[-3, 0] * RATE)) if cut else plan


def _heading(way: Float[np.ndarray, "key 5"], time: Float[np.ndarray, " time"]) -> Float[np.ndarray, " time"]:
    half = 0.5 * np.diff(way[:, 0]).mean()
    return gaussian_filter1d(np.interp(time, way[:, 0] - 0.4 * half, way[:, 4]), 0.4 * half * RATE, mode="nearest")


def _height(
    person: Person,
    feet: list[Footstep],
    paths: tuple[FootPath, FootPath],
    where: tuple[np.ndarray, np.ndarray],
    how: tuple[Style, np.ndarray],
) -> Float[np.ndarray, " time"]:
    """Of the hips [m]: as the knee of the loaded leg wants it, and no higher than both legs reach."""
    (hip, heading), (style, time) = where, how
    height = np.zeros(len(time))
    for share, foot in zip(steps.shares(feet, time).T, feet, strict=True):
        ankle = paths[foot.side].ankle
        knee = _knee(foot, style, time)
        height += share * (
            ankle[:, 1] + np.sqrt(np.maximum(reach(person, knee) ** 2 - above(person, ankle, hip, heading, foot.side), 0.04))
        )
    height = gaussian_filter1d(height, 2.5, mode="nearest")
    most = [
        p.ankle[:, 1] + np.sqrt(np.maximum(reach(person, STRAIGHT) ** 2 - above(person, p.ankle, hip, heading, side), 0.04))
        for side, p in enumerate(paths)
    ]
    return gaussian_filter1d(np.minimum(height, np.minimum(*most)) - 0.5 * person.width * style.drop, 1.5, mode="nearest")


def _knee(foot: Footstep, style: Style, time: np.ndarray) -> Float[np.ndarray, " time"]:
    stance = min(foot.leave - foot.strike, 1.2)
    keys: dict[float, float] = {-2.0 * ALWAYS: style.stand, 2.0 * ALWAYS: style.stand}
    if foot.strike > -ALWAYS:
        keys |= {foot.strike + u * stance: k for u, k in zip(KNEE[:3], style.knee[:3], strict=True)}
    if foot.leave < ALWAYS:
        keys |= {foot.leave - (1.0 - u) * stance: k for u, k in zip(KNEE[3:], style.knee[3:], strict=True)}
        keys[foot.leave - 0.38 * stance] = style.knee[2] if foot.strike > -ALWAYS else style.stand
    else:
        keys[foot.strike + 1.2 * stance] = style.stand
    at = np.array(sorted(keys))
    return PchipInterpolator(at, [keys[t] for t in at])(time)
