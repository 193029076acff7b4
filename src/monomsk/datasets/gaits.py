"""Going: walks and runs of many speeds and manners, along curves, sideways, backwards, on the spot, up and down stairs.

Footsteps come first; the body follows from them. Speed sets length, time and stance of the steps by published relations.
"""

from dataclasses import dataclass, field, replace

import numpy as np
from jaxtyping import Float
from scipy.interpolate import PchipInterpolator
from scipy.ndimage import gaussian_filter1d
from scipy.spatial.transform import Rotation

from monomsk.datasets import augment, steps
from monomsk.datasets.performer import ARMS, Person
from monomsk.datasets.plan import RATE, Plan, flat_foot
from monomsk.datasets.steps import ALWAYS, GRAVITY, Footstep, FootPath, Manner, Roll, Step

WALK_RATIO = 0.0065
"""Step length over steps a minute [m·min]; the same at all speeds (Sekiya & Nagasaki 1998: men 0.0065, women 0.0061)."""
KNEE = (0.0, 0.22, 0.62, 0.82, 1.0)
"""Shares of a stance at which its knee angles are told."""
STRAIGHT = 0.06
"""No leg gets straighter than this [rad at the knee]."""
FORE = 0.1
"""Of the hips before the mass's planned path, in lengths of the leg."""
AFTER = 1.0
"""Standing at the end [s]."""


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


def walk(person: Person, random: np.random.Generator) -> Plan:
    """Straight on at 0.5 to 2.2 m/s, in a manner that is drawn: ordinary, or long, short, stiff, crouched, on the toes, limping and others."""
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
    count = int(np.clip(random.uniform(3.5, 6.5) / time, 5, 12))
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
            kick=0.015,
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
        arms, swing = arms[::-1], swing[::-1]
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


def run(person: Person, random: np.random.Generator) -> Plan:
    """Running at 2 to 5 m/s."""
    return running(person, random, float(random.uniform(2.0, 5.0)))


def running(person: Person, random: np.random.Generator, speed: float) -> Plan:
    """Running straight on at a speed [m/s].

    Steps a second rise from 2.7 at 2 m/s to 3.05 at 5 m/s, and the way made in one contact by 0.09 m for every m/s (after Cavanagh & Kram
    1989, Weyand et al. 2000). The mass flies freely; on the ground the vertical force is half a sine wave in time (Alexander 1989).
    """
    time = float(round(RATE / ((2.4 + 0.13 * speed) * random.normal(1.0, 0.04) * (0.84 / person.leg) ** 0.5)) / RATE)
    contact = (0.54 + 0.09 * speed) * person.leg / 0.84 / speed
    contact = float(min(round(contact * RATE) / RATE, time - 2.0 / RATE))
    strike = float(random.uniform(-0.35, 0.0))
    manner = Manner(
        width=person.width * float(random.uniform(0.0, 0.5)),
        toe_out=float(random.normal(0.08, 0.06)),
        overlap=contact / time - 1.0,
        roll=Roll(
            strike=strike,
            flat=0.18,
            heel_off=0.5,
            leave=float(random.uniform(0.95, 1.15)),
            lift=0.04,
            arrive=(0.55 * speed, 0.7),
            kick=float((0.03 + 0.04 * speed) * random.uniform(0.75, 1.2)),
            back=float(np.clip(0.85 + 0.17 * speed, 1.0, 1.7)),
        ),
        first=int(random.integers(2)),
    )
    bent = {**ARMS["hanging"], "arm_flex": -0.25, "arm_add": -0.2, "elbow_flex": float(random.uniform(1.2, 1.75))}
    gain = float(random.uniform(0.35, 0.7))
    style = Style((), lean=float(random.uniform(0.03, 0.2)), turn=0.1, drop=0.08, swing=(gain, gain), arms=(bent, bent))
    count = int(np.clip(random.uniform(3.0, 5.0) / time, 9, 16))
    feet, way = steps.footsteps([Step(speed * time, time)] * count, manner, 1.0)
    return _flown(person, random, (feet, way), style, contact)


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
    wishes = _wishes(feet, paths, heading, style, (time, random))
    plan = Plan(np.stack([p.markers for p in paths], 1), hip, wishes, mass, held, np.stack([p.floor for p in paths], -1))
    return _cut(plan, int(way[2, 0] * RATE), int(way[-3, 0] * RATE)) if cut else plan


def _cut(plan: Plan, low: int, high: int) -> Plan:
    floor = None if plan.floor is None else plan.floor[low:high]
    wishes = {name: curve[low:high] for name, curve in plan.wishes.items()}
    return Plan(plan.feet[low:high], plan.hip[low:high], wishes, plan.mass[low:high], plan.held[low:high], floor)


def _heading(way: Float[np.ndarray, "key 5"], time: Float[np.ndarray, " time"]) -> Float[np.ndarray, " time"]:
    half = 0.5 * np.diff(way[:, 0]).mean()
    return gaussian_filter1d(np.interp(time, way[:, 0] - 0.4 * half, way[:, 4]), 0.4 * half * RATE, mode="nearest")


def reach(person: Person, knee: Float[np.ndarray, " time"] | float) -> Float[np.ndarray, " time"]:
    """From hip to ankle at a knee angle [m]."""
    return person.reach / person.leg * np.sqrt(person.thigh**2 + person.shank**2 + 2.0 * person.thigh * person.shank * np.cos(knee))


def above(person: Person, ankle: np.ndarray, hip: np.ndarray, heading: np.ndarray, side: int) -> Float[np.ndarray, " time"]:
    """Square of the distance of a hip from the ankle's vertical [m²]; `hip` is the middle of both."""
    right = (0.5 - side) * person.width * np.stack([np.sin(heading), np.cos(heading)], -1)
    return ((hip[:, [0, 2]] + right - ankle[:, [0, 2]]) ** 2).sum(-1)


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


def _wishes(
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
    sag, turn = -style.drop * load, style.turn * apart
    sideways = style.lean_aside + 0.012 * noise[1]
    facing = (
        Rotation.from_euler("Y", heading[:, None])
        * Rotation.from_euler("ZXY", np.stack([-share_of_pelvis * lean - 0.03, sag + 0.3 * sideways, turn], -1))
    ).as_euler("ZXY")
    facing = np.unwrap(facing, axis=0)
    wishes = dict(zip(("pelvis_tilt", "pelvis_list", "pelvis_rotation"), facing.T, strict=True)) | {
        "lumbar_extension": -(1.0 - share_of_pelvis) * lean + random.uniform(-0.08, 0.05),
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


def _flown(person: Person, random: np.random.Generator, where: tuple[list[Footstep], np.ndarray], style: Style, contact: float) -> Plan:
    """The plan of a run: the mass's height follows from times of contact and flight, the legs from that."""
    feet, way = where
    time = np.arange(int((way[-1, 0] + 0.5) * RATE)) / RATE
    flat = (flat_foot(person.model, 0), flat_foot(person.model, 1))
    paths = (
        steps.foot_path(flat[0], [f for f in feet if f.side == 0], time),
        steps.foot_path(flat[1], [f for f in feet if f.side == 1], time),
    )
    pace = float(way[2, 0] - way[1, 0])
    along = 0.4 * flat[0].ball[0] + 0.17 * person.leg
    mass = np.stack([np.interp(time, way[:, 0] + 0.5 * contact, way[:, 1] + along), 0.0 * time, 0.0 * time], -1)
    heading = np.zeros(len(time))
    rise = bounce(time - way[1, 0], pace, contact)
    hip = mass - np.array([0.18 * person.hip * np.sin(style.lean), 0.0, 0.0])
    low, high = int(way[3, 0] * RATE), int(way[-3, 0] * RATE)
    bent = float(random.uniform(0.7, 0.86))
    levels, most = [], []
    for side, p in enumerate(paths):
        far = above(person, p.ankle, hip, heading, side)
        for f in (f for f in feet if f.side == side and f.strike > 0.0):
            k = int((f.strike + 0.45 * contact) * RATE)
            levels.append(p.ankle[k, 1] + np.sqrt(reach(person, bent) ** 2 - far[k]) - rise[k])
            stands = (time > f.strike - 0.5 / RATE) & (time < f.leave)
            top = p.ankle[:, 1] + np.sqrt(np.maximum(reach(person, 0.1) ** 2 - far, 0.04)) - rise
            most += list(top[stands & (time >= way[3, 0]) & (time <= way[-3, 0])])
    level = min(float(np.median(levels)), min(most))
    hip[:, 1] = level + rise
    mass[:, 1] = hip[:, 1] - person.hip + person.mass
    wishes = _wishes(feet, paths, heading, style, (time, random))
    plan = Plan(np.stack([p.markers for p in paths], 1), hip, wishes, mass, np.ones((len(time), 3)))
    return _cut(plan, low, high)


def bounce(since: Float[np.ndarray, " time"], pace: float, contact: float) -> Float[np.ndarray, " time"]:
    """Height of a runner's mass against that at touch-down [m]: half a sine wave of force while the foot stands, free fall in between."""
    t = np.mod(since, pace)
    air = pace - contact
    push = 0.5 * np.pi * GRAVITY * pace / contact
    s = np.minimum(t, contact)
    ground = -0.5 * GRAVITY * air * s - 0.5 * GRAVITY * s**2 + push * contact / np.pi * (s - contact / np.pi * np.sin(np.pi * s / contact))
    f = np.maximum(t - contact, 0.0)
    return np.where(t < contact, ground, 0.5 * GRAVITY * air * f - 0.5 * GRAVITY * f**2)
