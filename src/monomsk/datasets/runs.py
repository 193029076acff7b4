"""Runs: the mass flies, the legs follow."""

import numpy as np
from jaxtyping import Float

from monomsk.datasets import steps
from monomsk.datasets.bearing import Style, above, cut_out, reach, wishes_of
from monomsk.datasets.performer import ARMS, Person
from monomsk.datasets.plan import RATE, Plan, flat_foot
from monomsk.datasets.steps import GRAVITY, Footstep, Manner, Roll, Step


def run(person: Person, random: np.random.Generator) -> Plan:
    """Running at 2 to 5 m/s."""
    return running(person, random, float(random.uniform(2.0, 5.0)))


def running(person: Person, random: np.random.Generator, speed: float) -> Plan:
    """Running straight on at a speed [m/s].

    Steps a second rise from 2.7 at 2 m/s to 3.05 at 5 m/s, and the way made in one contact by 0.09 m for every m/s: they rise as Cavanagh &
    Kram 1989 and Weyand et al. 2000 describe, the numbers were chosen by comparison with recorded runs.
    The mass flies freely; on the ground the vertical force is half a sine wave in time (Alexander 1989).
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
    count = int(np.clip(random.uniform(4.0, 6.0) / time, 12, 18))
    feet, way = steps.footsteps([Step(speed * time, time)] * count, manner, 1.0)
    return _flown(person, random, (feet, way), style, contact)


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
    along = 0.4 * flat[0].ball[0] + 0.15 * person.leg
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
    wishes = wishes_of(feet, paths, heading, style, (time, random))
    plan = Plan(np.stack([p.markers for p in paths], 1), hip, wishes, mass, np.ones((len(time), 3)))
    return cut_out(plan, low, high)


def bounce(since: Float[np.ndarray, " time"], pace: float, contact: float) -> Float[np.ndarray, " time"]:
    """Height of a runner's mass against that at touch-down [m]: half a sine wave of force while the foot stands, free fall in between."""
    t = np.mod(since, pace)
    air = pace - contact
    push = 0.5 * np.pi * GRAVITY * pace / contact
    s = np.minimum(t, contact)
    ground = -0.5 * GRAVITY * air * s - 0.5 * GRAVITY * s**2 + push * contact / np.pi * (s - contact / np.pi * np.sin(np.pi * s / contact))
    f = np.maximum(t - contact, 0.0)
    return np.where(t < contact, ground, 0.5 * GRAVITY * air * f - 0.5 * GRAVITY * f**2)
