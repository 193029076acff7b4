"""Movements that recordings are short of, never twice the same: standing up, squats, lunges, jumps, walks, runs, stairs, balancing.

People, tempo, depth, stance, arms and asymmetry are drawn; feet stay where they stand, and the mass stays over them or flies freely.
"""

from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from monomsk.datasets import augment, balance, gaits, runs
from monomsk.datasets.corpus import MotionClip, Origin, split_of
from monomsk.datasets.performer import ARMS, Person, person_of
from monomsk.datasets.plan import RATE, Plan, Stance, carry_out, foot_markers, minimum_jerk
from monomsk.errors import InputError
from monomsk.model.anatomy import Anatomy
from monomsk.model.model import Model
from monomsk.model.scale import scale_model

GRAVITY = 9.80665
KINDS = ("sit_to_stand", "squat", "lunge", "jump", "walk", "run", "turn", "stairs", "balance")
Keys = list[tuple[float, float]]


def procedural_clip(kind: str, seed: int, generic: Model, anatomy: Anatomy) -> MotionClip:
    """One movement by a person who is drawn anew for every tenth of seeds. Equals itself for the same kind and seed.

    `generic` is the corpus's unscaled body with the anatomy's keypoints for markers. Raises InputError for an unknown kind.
    """
    plans = dict(
        zip(KINDS, (_sit_to_stand, _squat, _lunge, _jump, gaits.walk, runs.run, gaits.turn, gaits.stairs, balance.balance), strict=True)
    )
    if kind not in plans:
        raise InputError(f"no procedural motion is called {kind!r} (there are: {', '.join(KINDS)})")
    factors, mass = augment.drawn_shape(generic, anatomy, np.random.default_rng([7, seed // 10]))
    person = person_of(scale_model(generic, jnp.asarray(factors), mass))
    random = np.random.default_rng([11, KINDS.index(kind), seed])
    plan = plans[kind](person, random)
    q = carry_out(person.model, plan)
    time = np.arange(len(q)) / RATE
    name = procedural_person(seed)
    return MotionClip(
        origin=Origin("procedural", name, f"{kind}_{seed:04d}", kind, split_of(name, None), "Apache-2.0", True),
        names=generic.coordinate_names,
        bodies=generic.body_names,
        time=time,
        q=q.astype(np.float32),
        contact=_contacts(person.model, plan, q),
        valid=np.ones(len(q), bool),
        measured=~np.array(generic.locked),
        factors=factors,
        stature=augment.height_of(generic, factors),
        mass=mass,
        error={},
    )


def _contacts(model: Model, plan: Plan, q: Float[np.ndarray, "time nq"]) -> np.ndarray:
    """Heels and toes that stand, each on what is under its foot."""
    sole = augment.soles(model, q)
    if plan.floor is not None:
        left = [model.body_names[b].endswith("_l") for b in model.contact_body]
        sole = sole - plan.floor[:, np.array(left, int), None] * np.array([0.0, 1.0, 0.0])
    return augment.contacts(model, sole, RATE)


def procedural_person(seed: int) -> str:
    """Who makes the movement of a seed."""
    return f"procedural-{seed // 10:03d}"


@dataclass
class _Script:
    """Keys (time, value) of the curves of a movement as it is written."""

    random: np.random.Generator
    person: Person
    hip: Keys
    """Height of the hips, as a share of that when standing."""
    lean: Keys
    """Of the trunk, forwards [rad]."""
    arms: list[tuple[float, str]]
    width: float
    """Of the stance, ankle to ankle [m]."""
    yaw: float
    ahead: float
    """Of the mass before the ankles [m]."""
    aside: float
    """Of the mass to the right [m]."""
    now: float = 0.0

    @staticmethod
    def begin(person: Person, random: np.random.Generator, arms: str) -> "_Script":
        """A person standing in a stance of their own."""
        width = person.width * random.uniform(0.8, 2.2)
        script = _Script(
            *(random, person, [], [], [], width),
            yaw=random.uniform(0.0, 0.45),
            ahead=person.foot * random.uniform(0.25, 0.6),
            aside=0.12 * width * random.normal(),
        )
        script.rest(random.uniform(0.97, 0.985), random.uniform(-0.02, 0.08), arms, random.uniform(0.2, 0.7))
        return script

    def rest(self, hip: float, lean: float, arms: str, pause: float) -> None:
        """Stay as one is."""
        self._mark(hip, lean, arms)
        self.now += pause
        self._mark(hip, lean, arms)

    def move(self, hip: float, lean: float, arms: str, duration: float) -> None:
        """Get there."""
        self.now += duration
        self._mark(hip, lean, arms)

    def _mark(self, hip: float, lean: float, arms: str) -> None:
        for keys, value in ((self.hip, hip), (self.lean, lean)):
            keys.append((self.now, value))
        self.arms.append((self.now, arms))

    @property
    def time(self) -> Float[np.ndarray, " time"]:
        return np.arange(int(self.now * RATE) + 1) / RATE

    def wishes(self) -> dict[str, Float[np.ndarray, " time"]]:
        """Angles of trunk and arms, with what nobody does twice in the same way."""
        time, random = self.time, self.random
        noise = [augment.slow_noise(len(time), RATE, random) for _ in range(24)]
        lean = minimum_jerk(self.lean, time) + 0.03 * noise[0]
        share = random.uniform(0.45, 0.75)
        wishes = {
            "pelvis_tilt": -share * lean,
            "lumbar_extension": -(1.0 - share) * lean + random.uniform(-0.12, 0.05),
            "pelvis_list": 0.02 * noise[1] + random.normal(0.0, 0.02),
            "pelvis_rotation": 0.03 * noise[2] + random.normal(0.0, 0.04),
            "lumbar_bending": 0.03 * noise[3] + random.normal(0.0, 0.03),
            "lumbar_rotation": 0.04 * noise[4] + random.normal(0.0, 0.04),
        }
        for k, side in enumerate("rl"):
            habit = {n: random.normal(0.0, 0.12) for n in ARMS["hanging"]}
            late = random.uniform(-0.08, 0.08)
            for j, name in enumerate(ARMS["hanging"]):
                keys = [(t, ARMS[posture][name]) for t, posture in self.arms]
                curve = minimum_jerk(keys, time - late) + habit[name] + 0.05 * noise[5 + 5 * k + j]
                wishes[f"{name}_{side}"] = np.maximum(curve, 0.02) if name in ("elbow_flex", "pro_sup") else curve
        return wishes

    def stances(self, heel: Float[np.ndarray, " time"] | float = 0.0) -> tuple[Stance, Stance]:
        """Both feet side by side, one a little before the other."""
        time = self.time
        zero = np.zeros(len(time))
        apart = self.random.normal(0.0, 0.015)
        feet = [
            Stance(zero + sign * apart, zero + sign * 0.5 * self.width, self.yaw + self.random.normal(0.0, 0.05), zero, zero + heel, zero)
            for sign in (1.0, -1.0)
        ]
        return feet[0], feet[1]


def _feet(person: Person, stances: tuple[Stance, Stance]) -> Float[np.ndarray, "time 2 foot 3"]:
    return np.stack([foot_markers(person.model, side, stance) for side, stance in enumerate(stances)], 1)


def _plan(script: _Script, stances: tuple[Stance, Stance], hip: Float[np.ndarray, "time 3"], mass: np.ndarray, held: np.ndarray) -> Plan:
    return Plan(_feet(script.person, stances), hip, script.wishes(), mass, held)


def _over_feet(script: _Script, held: Float[np.ndarray, " time"] | float = 1.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Hips by their height, the mass over the feet with a little sway; where `held` is less, the hips' own path counts as much more."""
    time, person, random = script.time, script.person, script.random
    sway = [augment.slow_noise(len(time), RATE, random) for _ in range(2)]
    mass = np.stack([script.ahead + 0.008 * sway[0], np.zeros(len(time)), script.aside + 0.008 * sway[1]], -1)
    height = person.hip * minimum_jerk(script.hip, time)
    lean = minimum_jerk(script.lean, time)
    hip = np.stack([script.ahead - 0.18 * person.hip * np.sin(lean), height, mass[:, 2]], -1)
    return hip, mass, np.stack([np.ones(len(time)) * held, np.zeros(len(time)), np.ones(len(time)) * held], -1)


def _squat(person: Person, random: np.random.Generator) -> Plan:
    """Squats of any depth, one to four of them."""
    rest = str(random.choice(["hanging", "forward", "crossed", "on_hips"]))
    low = rest if random.random() < 0.5 else "forward"
    script = _Script.begin(person, random, rest)
    depth, tempo = random.uniform(0.08, 0.62), random.uniform(0.6, 1.6)
    for _ in range(random.integers(1, 5)):
        down = float(np.clip(depth + random.normal(0.0, 0.04), 0.05, 0.64))
        script.move(0.98 - down, random.uniform(0.5, 1.2) * down + 0.1, low, tempo * random.uniform(0.6, 1.1) * (0.5 + down))
        if random.random() < 0.6:
            script.rest(0.98 - down, script.lean[-1][1], low, random.uniform(0.05, 0.7))
        script.move(random.uniform(0.965, 0.985), random.uniform(-0.02, 0.08), rest, tempo * random.uniform(0.5, 1.0) * (0.5 + down))
        script.rest(*(script.hip[-1][1], script.lean[-1][1], rest), random.uniform(0.05, 0.8))
    # Stiff ankles let the heels rise in a deep squat.
    rise = random.uniform(0.0, 0.5) if random.random() < 0.25 else 0.0
    heel = rise * np.clip((0.62 - minimum_jerk(script.hip, script.time)) / 0.25, 0.0, 1.0)
    return _plan(script, script.stances(heel), *_over_feet(script))


def _sit_to_stand(person: Person, random: np.random.Generator) -> Plan:
    """From a seat and back, once to four times; on the seat the seat carries the body."""
    seat = random.uniform(0.38, 0.54)
    rest = str(random.choice(["crossed", "on_thighs", "hanging", "forward"]))
    up = rest if rest != "on_thighs" else "hanging"
    sitting = (seat + 0.09) / person.hip
    script = _Script.begin(person, random, up)
    script.width = person.width * random.uniform(0.9, 1.7)
    script.hip, script.lean, script.arms, script.now = [], [], [], 0.0
    upright = random.uniform(-0.05, 0.2)
    script.rest(sitting, upright, rest, random.uniform(0.3, 0.9))
    seated = [(0.0, 1.0), (script.now, 1.0)]
    tempo = random.uniform(0.7, 1.8)
    for _ in range(random.integers(1, 4)):
        lean = random.uniform(0.5, 0.95)
        script.move(sitting + 0.005, lean, up, tempo * random.uniform(0.35, 0.6))
        seated.append((script.now, 1.0))
        seated.append((script.now + 0.25 * tempo, 0.0))
        script.move(random.uniform(0.965, 0.985), random.uniform(0.0, 0.06), up, tempo * random.uniform(0.7, 1.0))
        script.rest(script.hip[-1][1], script.lean[-1][1], up, random.uniform(0.1, 1.0))
        script.move(sitting + 0.01, random.uniform(0.5, 0.8), rest, tempo * random.uniform(0.9, 1.3))
        seated += [(script.now - 0.3 * tempo, 0.0), (script.now, 1.0)]
        script.move(sitting, upright, rest, tempo * random.uniform(0.4, 0.7))
        script.rest(sitting, upright, rest, random.uniform(0.2, 0.8))
    on_seat = minimum_jerk(seated, script.time)
    hip, mass, held = _over_feet(script, 1.0 - on_seat)
    back = script.ahead - person.thigh * random.uniform(0.85, 1.05)
    hip[:, 0] = on_seat * back + (1.0 - on_seat) * hip[:, 0]
    return _plan(script, script.stances(), hip, mass, held)


def _lunge(person: Person, random: np.random.Generator) -> Plan:
    """One or both feet step forwards in turn; the knee behind sinks; the way back."""
    rest = str(random.choice(["hanging", "on_hips", "crossed"]))
    script = _Script.begin(person, random, rest)
    script.width = person.width * random.uniform(0.9, 1.4)
    step, depth, tempo = person.leg * random.uniform(0.55, 0.95), random.uniform(0.12, 0.36), random.uniform(0.7, 1.5)
    x: list[Keys] = [[(0.0, 0.0)], [(0.0, 0.0)]]
    lift: list[Keys] = [[(0.0, 0.0)], [(0.0, 0.0)]]
    heel: list[Keys] = [[(0.0, 0.0)], [(0.0, 0.0)]]
    middle: Keys = [(0.0, 0.0), (script.now, 0.0)]
    side = int(random.integers(2))
    for _ in range(random.integers(1, 4)):
        begin, far = script.now, step * random.uniform(0.92, 1.08)
        stride, sink, stay = tempo * random.uniform(0.5, 0.7), tempo * random.uniform(0.5, 0.9), random.uniform(0.05, 0.5)
        script.move(0.95, 0.08, rest, stride)
        script.move(0.97 - depth, random.uniform(0.05, 0.3), rest, sink)
        script.rest(0.97 - depth, script.lean[-1][1], rest, stay)
        script.move(0.95, 0.1, rest, sink)
        script.move(0.98, 0.03, rest, stride)
        end = script.now
        script.rest(0.98, 0.03, rest, random.uniform(0.2, 0.6))
        x[side] += [(begin, 0.0), (begin + stride, far), (end - stride, far), (end, 0.0)]
        for low, high in ((begin, begin + stride), (end - stride, end)):
            lift[side] += [(low, 0.0), (0.5 * (low + high), random.uniform(0.06, 0.14)), (high, 0.0)]
        turn, rise = stride + sink, random.uniform(0.7, 1.0)
        heel[1 - side] += [(begin + 0.4 * stride, 0.0), (begin + turn, rise), (end - turn, rise), (end - 0.4 * stride, 0.0)]
        turn -= 0.5 * sink
        middle += [(begin, 0.0), (begin + turn, 0.52 * far), (end - turn, 0.52 * far), (end, 0.0)]
        side = 1 - side if random.random() < 0.7 else side
    time = script.time
    curves = [[minimum_jerk(keys, time) for keys in pair] for pair in zip(x, lift, heel, strict=True)]
    zero = np.zeros(len(time))
    stances = [
        Stance(a, zero + sign * 0.5 * script.width, 0.1, up, rise, zero) for (a, up, rise), sign in zip(curves, (1.0, -1.0), strict=True)
    ]
    hip, mass, held = _over_feet(script)
    way = minimum_jerk(middle, time)
    hip[:, 0] += way
    mass[:, 0] += way
    return _plan(script, (stances[0], stances[1]), hip, mass, held)


def _jump(person: Person, random: np.random.Generator) -> Plan:
    """Counter-movement jumps, one to three: down, up, off; the mass flies as a stone does; landing, and standing again."""
    swing = random.random() < 0.7
    rest, low, high = ("hanging", "back", "high") if swing else ("on_hips", "on_hips", "on_hips")
    script = _Script.begin(person, random, rest)
    stand = person.mass * 0.985
    pieces, heel, flights = [_Piece(0.0, script.now, (stand,))], [(0.0, 0.0)], list[tuple[float, float, float]]()
    for _ in range(random.integers(1, 4)):
        bottom, off = stand - person.leg * random.uniform(0.18, 0.36), person.mass + person.foot * random.uniform(0.2, 0.4)
        speed = float(np.sqrt(2.0 * GRAVITY * random.uniform(0.05, 0.36)))
        down, push, air = random.uniform(0.45, 0.8), 1.75 * (off - bottom) / speed, 2.0 * speed / GRAVITY
        soft, up = 1.75 * (off - bottom) / speed * random.uniform(1.0, 1.4), random.uniform(0.5, 0.9)
        lean, rise = random.uniform(0.35, 0.8), random.uniform(0.55, 0.85)
        begin = script.now
        script.move(0.75, lean, low, down)
        # The arms are back before the hips are down, and come forward from then on.
        script.arms[-1] = (begin + 0.5 * down, low)
        script.move(1.03, 0.02, high, push)
        script.move(1.03, 0.05, "forward" if swing else rest, air)
        script.move(0.8, 0.8 * lean, "forward" if swing else rest, soft)
        script.move(0.98, 0.03, rest, up)
        script.rest(0.98, 0.03, rest, random.uniform(0.2, 0.6))
        at = np.cumsum([begin, down, push, air, soft, up])
        pieces += [
            _Piece.between(at[0], at[1], (stand, 0.0, 0.0), (bottom, 0.0, 0.0)),
            _Piece.between(at[1], at[2], (bottom, 0.0, 0.0), (off, speed, -GRAVITY)),
            _Piece(at[2], at[3], (off, speed, -0.5 * GRAVITY)),
            _Piece.between(at[3], at[4], (off, -speed, -GRAVITY), (bottom, 0.0, 0.0)),
            _Piece.between(at[4], at[5], (bottom, 0.0, 0.0), (stand, 0.0, 0.0)),
            _Piece(at[5], script.now, (stand,)),
        ]
        heel += [(at[1] + 0.35 * push, 0.0), (at[2], rise), (at[3], 0.8 * rise), (at[3] + 0.35 * soft, 0.0)]
        flights.append((at[2], air, speed))
    return _flown(script, pieces, heel, flights)


@dataclass(frozen=True)
class _Piece:
    """A stretch of the mass's height."""

    begin: float
    end: float
    coefficients: tuple[float, ...]
    """Of a polynomial of the time since its beginning, lowest power first."""

    @staticmethod
    def between(begin: float, end: float, start: tuple[float, float, float], stop: tuple[float, float, float]) -> "_Piece":
        """The quintic with these heights, speeds and accelerations at its ends."""
        t = end - begin
        known = [start[0], start[1], 0.5 * start[2]]
        rows = np.array([[t**3, t**4, t**5], [3 * t**2, 4 * t**3, 5 * t**4], [6 * t, 12 * t**2, 20 * t**3]])
        reached = (known[0] + known[1] * t + known[2] * t**2, known[1] + 2 * known[2] * t, 2 * known[2])
        left = np.array(stop) - np.array(reached)
        return _Piece(begin, end, (*known, *(float(c) for c in np.linalg.solve(rows, left))))


def _flown(script: _Script, pieces: list[_Piece], heel: Keys, flights: list[tuple[float, float, float]]) -> Plan:
    """The plan of jumps whose mass has a given height at all times."""
    time, random = script.time, script.random
    hip, mass, held = _over_feet(script)
    for piece in pieces:
        inside = (time >= piece.begin) & (time <= piece.end + 1e-9)
        mass[inside, 1] = np.polynomial.polynomial.polyval(time[inside] - piece.begin, piece.coefficients)
    held[:, 1] = 1.0
    hip[:, 1] = mass[:, 1] + script.person.hip - script.person.mass
    flight, tuck = np.zeros(len(time)), random.uniform(0.0, 0.2)
    for begin, air, speed in flights:
        t = np.clip(time - begin, 0.0, air)
        flight += (1.0 + tuck) * t * (speed - 0.5 * GRAVITY * t)
    # In the air the toes hang too; the ball is what the foot turns about, so it must be high enough for that.
    hanging = np.clip(flight / 0.08, 0.0, 1.0)
    rise = minimum_jerk(heel, time)
    feet = [Stance(s.x, s.z, s.yaw, flight, rise * (1.0 - hanging), 0.9 * rise * hanging) for s in script.stances()]
    return _plan(script, (feet[0], feet[1]), hip, mass, held)
