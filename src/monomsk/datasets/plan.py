"""A planned motion and the body that carries it out: feet where they are put, the mass over them, other angles as wished."""

from dataclasses import dataclass, replace

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from monomsk.kinematics.pose import Bounds, Targets, nearest_poses
from monomsk.model.model import Model, complete
from monomsk.model.sides import plain
from monomsk.physics.center_of_mass import center_of_mass
from monomsk.physics.forward_kinematics import forward_kinematics, marker_positions

RATE = 60.0
FOOT = ("heel", "big_toe", "small_toe", "ankle")
"""Markers that hold a foot."""
CHUNK = 32
ROUNDS = 3
"""Of moving the hips until the mass is where it is wanted."""
FOOT_WEIGHT, HIP_WEIGHT, SURE_HIP_WEIGHT = 1.0, 0.2, 3.0
"""Of a foot's markers; of the hips where the mass decides; and where they do."""
WISH_WEIGHT, HABIT_WEIGHT = 2e-3, 3e-5
"""Of angles that a plan names, and of the others' usual values [m²/rad²]."""
USUAL = {"hip_adduction": -0.05, "elbow_flex": 0.25, "pro_sup": 1.0, "knee_angle": 0.15}
"""Usual angles [rad]; 0 for all others."""


@dataclass(frozen=True)
class Plan:
    """What is to happen, frame by frame."""

    feet: Float[np.ndarray, "time 2 foot 3"]
    """Markers `FOOT` of the right and the left foot, ground frame [m]."""
    hip: Float[np.ndarray, "time 3"]
    """Middle of the hips [m]."""
    wishes: dict[str, Float[np.ndarray, " time"]]
    """Angles by coordinate [rad]."""
    mass: Float[np.ndarray, "time 3"]
    """Where the centre of mass is wanted [m]."""
    held: Float[np.ndarray, "time 3"]
    """How much that counts, 0 to 1 along each axis: 0 where something else carries the body, or the hips say it all."""
    floor: Float[np.ndarray, "time 2"] | None = None
    """Height of what is under the right and the left foot [m]; 0 where not given."""


def minimum_jerk(keys: list[tuple[float, float]], time: Float[np.ndarray, " time"]) -> Float[np.ndarray, " time"]:
    """A curve through (time, value) pairs that rests at each of them and moves between them as people reach (Flash & Hogan 1985)."""
    at, value = (np.array(column, float) for column in zip(*keys, strict=True))
    k = np.clip(np.searchsorted(at, time, side="right") - 1, 0, max(len(at) - 2, 0))
    if len(at) == 1:
        return np.full(len(time), value[0])
    s = np.clip((time - at[k]) / (at[k + 1] - at[k]), 0.0, 1.0)
    return value[k] + (value[k + 1] - value[k]) * s**3 * (10.0 - 15.0 * s + 6.0 * s**2)


@dataclass(frozen=True)
class Stance:
    """A foot on the floor, or lifted from it; a curve each."""

    x: Float[np.ndarray, " time"]
    """Of the ankle [m]."""
    z: Float[np.ndarray, " time"]
    yaw: float
    """Toes to the outside when positive [rad]."""
    lift: Float[np.ndarray, " time"]
    """Of the whole foot [m]."""
    heel: Float[np.ndarray, " time"]
    """Angle of the heel over toes that stay flat [rad]."""
    point: Float[np.ndarray, " time"]
    """Angle of the whole foot, toes down [rad]."""


@dataclass(frozen=True)
class FlatFoot:
    """A foot that stands flat, from the ground below the ankle [m]."""

    markers: Float[np.ndarray, "foot 3"]
    """`FOOT`."""
    ball: Float[np.ndarray, "3"]
    """About which the toes bend."""
    heel: Float[np.ndarray, "3"]
    """Middle of the heel's contact sphere."""
    tip: Float[np.ndarray, "3"]
    """Middle of the foremost contact sphere."""


def flat_foot(model: Model, side: int) -> FlatFoot:
    """The right (0) or left (1) foot in the body's own size."""
    suffix = "_rl"[side + 1]
    poses = forward_kinematics(model, complete(model, model.coordinate_default))
    at = np.asarray(marker_positions(model, poses))
    flat = np.stack([at[model.marker_names.index(f"{name}_{suffix}")] for name in FOOT])
    spheres = [c for c, b in enumerate(model.contact_body) if model.body_names[b].endswith(f"_{suffix}")]
    centers = np.asarray(poses.p)[list(model.contact_body)] + np.einsum(
        "cij,cj->ci", np.asarray(poses.R)[list(model.contact_body)], np.asarray(model.contact_location)
    )
    floor = float(min(centers[c, 1] - float(model.contact_radius[c]) for c in spheres))
    ankle = flat[FOOT.index("ankle")]
    origin = np.array([ankle[0], floor, ankle[2]])
    ball = np.asarray(poses.p)[model.body(f"toes_{suffix}")]
    heel, tip = (centers[pick(spheres, key=lambda c: centers[c, 0])] for pick in (min, max))
    return FlatFoot(flat - origin, ball - origin, heel - origin, tip - origin)


def foot_markers(model: Model, side: int, stance: Stance) -> Float[np.ndarray, "time foot 3"]:
    """Places of the markers `FOOT` of the right (0) or left (1) foot in the body's own size, ground frame [m]."""
    foot = flat_foot(model, side)
    outward = -stance.yaw if side == 0 else stance.yaw
    placed = []
    for name, point in zip(FOOT, foot.markers, strict=True):
        local = np.repeat(point[None], len(stance.x), 0)
        if name in ("heel", "ankle"):
            local = pitched(local, foot.ball, stance.heel)
        local = pitched(local, np.array([foot.ball[0], 0.0, 0.0]), stance.point)
        c, s = np.cos(outward), np.sin(outward)
        turned = np.stack([c * local[:, 0] + s * local[:, 2], local[:, 1], -s * local[:, 0] + c * local[:, 2]], -1)
        placed.append(turned + np.stack([stance.x, stance.lift, stance.z], -1))
    return np.stack(placed, 1)


def pitched(point: Float[np.ndarray, "time 3"], pivot: Float[np.ndarray, "3"], angle: Float[np.ndarray, " time"]) -> np.ndarray:
    """Points turned about the Z axis through the pivot so that what lies behind it rises."""
    x, y = point[:, 0] - pivot[0], point[:, 1] - pivot[1]
    c, s = np.cos(angle), np.sin(angle)
    return np.stack([pivot[0] + c * x + s * y, pivot[1] - s * x + c * y, point[:, 2]], -1)


@eqx.filter_jit
def _mass_centers(model: Model, q: Float[Array, "time nq"]) -> Float[Array, "time 3"]:
    return jax.vmap(lambda row: center_of_mass(model, forward_kinematics(model, row)))(q)


def mass_centers(model: Model, q: Float[np.ndarray, "time nq"]) -> Float[np.ndarray, "time 3"]:
    """Centres of mass [m]."""
    rows = [np.minimum(np.arange(low, low + 256), len(q) - 1) for low in range(0, len(q), 256)]
    return np.concatenate([np.asarray(_mass_centers(model, jnp.asarray(q[i]))) for i in rows])[: len(q)]


def carry_out(model: Model, plan: Plan) -> Float[np.ndarray, "time nq"]:
    """The motion of the body that a plan describes. `model` has the anatomy's keypoints for markers."""
    hip = plan.hip
    targets = _targets(model, plan)
    free = list(model.free)
    low, high = np.asarray(model.coordinate_range)[free].T
    root = np.array([i in model.root for i in free])
    bounds = Bounds(jnp.asarray(np.where(root, -np.inf, low)), jnp.asarray(np.where(root, np.inf, high)))
    q = np.zeros((len(hip), model.nq))
    for number in range(ROUNDS):
        q = _solve(
            model, bounds, _with_hip(model, targets, hip), _standing(model, hip, plan.wishes) if number == 0 else q, chained=number == 0
        )
        if not plan.held.any():
            return q
        hip = hip + plan.held * (plan.mass - mass_centers(model, q))
    return _solve(model, bounds, _with_hip(model, targets, hip), q, chained=False)


@dataclass(frozen=True)
class _Wanted:
    """The arrays of `Targets`, to be cut into chunks."""

    position: Float[np.ndarray, "time marker 3"]
    weight: Float[np.ndarray, "time marker"]
    value: Float[np.ndarray, "time nq"]
    value_weight: Float[np.ndarray, "time nq"]


def _targets(model: Model, plan: Plan) -> _Wanted:
    count = len(plan.hip)
    position, weight = np.zeros((count, len(model.marker_names), 3)), np.zeros((count, len(model.marker_names)))
    for side, suffix in enumerate("rl"):
        for k, name in enumerate(FOOT):
            i = model.marker_names.index(f"{name}_{suffix}")
            position[:, i], weight[:, i] = plan.feet[:, side, k], FOOT_WEIGHT
    weight[:, model.marker_names.index("hip_mid")] = HIP_WEIGHT if plan.held.any() else SURE_HIP_WEIGHT
    usual = [USUAL.get(plain(n), 0.0) for n in model.coordinate_names]
    value = np.tile(usual, (count, 1))
    habit = [0.0 if i in model.root else HABIT_WEIGHT for i in range(model.nq)]
    value_weight = np.tile(habit, (count, 1))
    for name, wish in plan.wishes.items():
        value[:, model.coordinate(name)], value_weight[:, model.coordinate(name)] = wish, WISH_WEIGHT
    return _Wanted(position, weight, value, value_weight)


def _with_hip(model: Model, wanted: _Wanted, hip: Float[np.ndarray, "time 3"]) -> _Wanted:
    position = wanted.position.copy()
    position[:, model.marker_names.index("hip_mid")] = hip
    return replace(wanted, position=position)


def _standing(
    model: Model, hip: Float[np.ndarray, "time 3"], wishes: dict[str, Float[np.ndarray, " time"]]
) -> Float[np.ndarray, "time nq"]:
    """A pose with bent knees that faces where it should, to begin the search with."""
    q = np.tile(np.asarray(model.coordinate_default), (len(hip), 1))
    for name, value in (("hip_flexion_r", 0.5), ("hip_flexion_l", 0.5), ("knee_angle_r", 0.8), ("knee_angle_l", 0.8)):
        q[:, model.coordinate(name)] = value
    q[:, [model.coordinate(f"pelvis_t{axis}") for axis in "xyz"]] = hip
    q[:, model.coordinate("pelvis_rotation")] = wishes.get("pelvis_rotation", 0.0)
    return q


def _solve(model: Model, bounds: Bounds, wanted: _Wanted, start: Float[np.ndarray, "time nq"], *, chained: bool) -> np.ndarray:
    """Poses of all frames; when chained, each chunk begins with the last pose of the one before."""
    q, last = [], start[:1]
    for low in range(0, len(start), CHUNK):
        rows = np.minimum(np.arange(low, low + CHUNK), len(start) - 1)
        targets = Targets(*(jnp.asarray(a[rows]) for a in (wanted.position, wanted.weight, wanted.value, wanted.value_weight)))
        begin = np.repeat(last, CHUNK, 0) if chained else start[rows]
        found = np.asarray(nearest_poses(model, bounds, targets, jnp.asarray(begin)).q)
        last = found[-1:]
        q.append(found[: min(CHUNK, len(start) - low)])
    return np.concatenate(q)
