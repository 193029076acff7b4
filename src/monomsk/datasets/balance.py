"""Standing: quietly, with the weight moved about, and on one leg with the other held to the front, the side, behind or up."""

import numpy as np

from monomsk.datasets import augment, steps
from monomsk.datasets.bearing import above, reach
from monomsk.datasets.performer import ARMS, Person
from monomsk.datasets.plan import FOOT, RATE, Plan, flat_foot, minimum_jerk

WIDE = {"arm_flex": 0.2, "arm_add": -1.35, "arm_rot": 0.0, "elbow_flex": 0.2, "pro_sup": 1.2}
UP = {"arm_flex": 2.7, "arm_add": -0.25, "arm_rot": 0.1, "elbow_flex": 0.3, "pro_sup": 1.2}
POSTURES = {**ARMS, "wide": WIDE, "up": UP}
Keys = list[tuple[float, float]]


def balance(person: Person, random: np.random.Generator) -> Plan:
    """Stand in a stance of one's own, move the weight, stand on a leg once or twice or not at all, and change what the arms do."""
    width = person.width * random.uniform(0.5, 2.4)
    ahead = random.normal(0.0, 0.12) if random.random() < 0.5 else 0.0
    yaw = [-random.normal(0.15, 0.12), random.normal(0.15, 0.12)]
    places = [np.array([s * ahead, 0.0, s * 0.5 * width]) for s in (1.0, -1.0)]
    weight: Keys = [(0.0, 0.5 + random.normal(0.0, 0.08))]
    raised: list[list[tuple[float, str, float]]] = [[(0.0, "down", 0.0)], [(0.0, "down", 0.0)]]
    bent = random.uniform(0.04, 0.2)
    now = random.uniform(0.5, 1.5)
    weight.append((now, weight[0][1]))
    for _ in range(random.integers(1, 3)):
        side, change = int(random.integers(2)), random.uniform(0.6, 1.2)
        if random.random() < 0.35:
            to = float(random.uniform(0.08, 0.92))
            weight += [(now + change, to), (now + change + random.uniform(0.4, 1.2), to)]
            now = weight[-1][0]
            continue
        where, angle = str(random.choice(["front", "side", "back", "knee"])), float(random.uniform(0.2, 1.1))
        angle *= {"front": 0.9, "side": 0.65, "back": 0.7, "knee": 1.2}[where]
        on, move, hold = 1.0 - side, random.uniform(0.6, 1.1), random.uniform(0.6, 2.0)
        weight.append((now + change, 0.0 if side == 0 else 1.0))
        begin = now + change
        weight.append((begin + 2.0 * move + hold, float(on < 0.5)))
        raised[side] += [
            (begin, "down", 0.0),
            (begin + move, where, angle),
            (begin + move + hold, where, angle),
            (begin + 2.0 * move + hold, "down", 0.0),
        ]
        now = begin + 2.0 * move + hold + change
        weight.append((now, 0.5))
        weight.append((now + 0.4, 0.5))
        now += 0.4
    time = np.arange(int((now + random.uniform(0.3, 0.8)) * RATE)) / RATE
    return _standing(person, random, time, (places, yaw), weight, raised, bent)


def _standing(
    person: Person,
    random: np.random.Generator,
    time: np.ndarray,
    stance: tuple[list[np.ndarray], list[float]],
    weight: Keys,
    raised: list[list[tuple[float, str, float]]],
    bent: float,
) -> Plan:
    flat = [flat_foot(person.model, side) for side in (0, 1)]
    places, yaw = stance
    right = minimum_jerk(weight, time)
    middle = [p + flat[0].ball[0] * 0.4 * np.array([np.cos(y), 0.0, -np.sin(y)]) for p, y in zip(places, yaw, strict=True)]
    sway = 0.006 * np.stack([augment.slow_noise(len(time), RATE, random) for _ in range(3)], -1) * [1.0, 0.0, 1.0]
    pressure = right[:, None] * middle[0] + (1.0 - right)[:, None] * middle[1] + sway
    mass = steps.balanced(pressure, person.mass)
    lifts = [
        {way: minimum_jerk([(t, a if w == way else 0.0) for t, w, a in keys], time) for way in ("front", "side", "back", "knee")}
        for keys in raised
    ]
    front = sum(np.sin(one["front"]) + 0.5 * np.sin(one["knee"]) - np.sin(one["back"]) for one in lifts)
    aside = np.sin(lifts[0]["side"]) - np.sin(lifts[1]["side"])
    share = random.uniform(0.3, 1.0)
    lean = random.normal(0.03, 0.03) - 0.25 * share * np.maximum(front, 0.0) - 0.9 * share * np.minimum(front, 0.0)
    tip = -0.4 * share * aside
    hip = mass + np.stack(
        [-0.08 * person.leg * front - 0.18 * person.hip * np.sin(lean), 0.0 * time, -0.08 * person.leg * aside - 0.1 * tip], -1
    )
    facing = np.zeros(len(time))
    still = FOOT.index("ankle")
    ankles = [flat[k].markers[still] + places[k] for k in (0, 1)]
    up = [
        a[1] + np.sqrt(np.maximum(reach(person, bent) ** 2 - above(person, np.tile(a, (len(time), 1)), hip, facing, k), 0.04))
        for k, a in enumerate(ankles)
    ]
    hip[:, 1] = right * up[0] + (1.0 - right) * up[1]
    standing = [sum(lift.values()) < 1e-4 for lift in lifts]
    for k in (0, 1):
        hip[:, 1] = np.where(standing[k], np.minimum(hip[:, 1], up[k] + 0.5 * (reach(person, 0.03) - reach(person, bent))), hip[:, 1])
    markers = [_lifted(person, k, (flat[k], ankles[k], yaw[k]), hip, lifts[k]) for k in (0, 1)]
    return Plan(
        np.stack(markers, 1),
        hip,
        _wishes(random, time, lean, tip),
        mass,
        np.ones((len(time), 3)) * [1.0, 0.0, 1.0],
        np.zeros((len(time), 2)),
    )


def _lifted(
    person: Person, side: int, foot: tuple[steps.FlatFoot, np.ndarray, float], hip: np.ndarray, lift: dict[str, np.ndarray]
) -> np.ndarray:
    """Markers of a foot that hangs below a leg turned at the hip, or stands."""
    flat, ankle, yaw = foot
    sign = 1.0 if side == 0 else -1.0
    leg = 0.94 * (person.thigh + person.shank)
    joint = hip + np.array([0.0, 0.0, 0.5 * sign * person.width])
    swing, out, knee = lift["front"] - lift["back"], lift["side"], lift["knee"]
    # A raised knee carries a shank that hangs.
    thigh = person.thigh * np.stack([np.sin(knee), -np.cos(knee), 0.0 * knee], -1)
    hanging = joint + thigh + person.shank * 0.97 * np.stack([-0.15 * np.sin(knee), -np.ones(len(knee)), 0.0 * knee], -1)
    straight = joint + leg * np.stack([np.sin(swing), -np.cos(swing) * np.cos(out), sign * np.sin(out)], -1)
    most = {"knee": float(knee.max()), "other": float(np.maximum(np.abs(swing), out).max())}
    total = np.clip((np.abs(swing) + out) / max(most["other"], 1e-6), 0.0, 1.0)[:, None]
    total_knee = np.clip(knee / max(most["knee"], 1e-6), 0.0, 1.0)[:, None]
    at = ankle + total * (straight - ankle) + total_knee * (hanging - ankle)
    # The sole comes clear of the floor before it goes far.
    off = np.clip(3.0 * (total + total_knee)[:, 0], 0.0, 1.0)
    at[:, 1] += 0.035 * off**3 * (10.0 - 15.0 * off + 6.0 * off**2)
    pitch = -0.9 * lift["front"] + 0.5 * lift["back"] + 0.25 * knee
    return steps.placed(flat, at, yaw, pitch)


def _wishes(random: np.random.Generator, time: np.ndarray, lean: np.ndarray, tip: np.ndarray) -> dict[str, np.ndarray]:
    noise = [augment.slow_noise(len(time), RATE, random) for _ in range(16)]
    share = random.uniform(0.4, 0.8)
    wishes = {
        "pelvis_tilt": -share * lean - 0.03 + 0.01 * noise[0],
        "pelvis_list": 0.4 * tip + 0.012 * noise[1],
        "pelvis_rotation": 0.03 * noise[2] + random.normal(0.0, 0.08),
        "lumbar_extension": -(1.0 - share) * lean + random.uniform(-0.08, 0.05),
        "lumbar_bending": 0.6 * tip + 0.02 * noise[3],
        "lumbar_rotation": 0.03 * noise[4] + random.normal(0.0, 0.06),
    }
    changes = sorted(random.uniform(0.0, time[-1], 2 * random.integers(0, 3)))
    both = [str(random.choice(list(POSTURES))) for _ in range(1 + len(changes) // 2)]
    for k, side in enumerate("rl"):
        own = [str(random.choice(list(POSTURES))) if random.random() < 0.15 else p for p in both]
        keys = [(0.0, own[0])]
        for j, posture in enumerate(own[1:]):
            begin = max(changes[2 * j], keys[-1][0] + 0.05)
            keys += [(begin, keys[-1][1]), (begin + max(changes[2 * j + 1] - changes[2 * j], 0.6), posture)]
        for j, name in enumerate(WIDE):
            curve = minimum_jerk([(t, POSTURES[p][name]) for t, p in keys], time) + random.normal(0.0, 0.12) + 0.04 * noise[5 + 5 * k + j]
            wishes[f"{name}_{side}"] = np.maximum(curve, 0.02) if name in ("elbow_flex", "pro_sup") else curve
    return wishes
