"""Other motions from those of the corpus: mirrored, turned, faster, by other people, with other arms. Pure; chance comes from a seed."""

from dataclasses import replace
from functools import partial

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float
from scipy.interpolate import CubicSpline
from scipy.ndimage import gaussian_filter1d
from scipy.spatial.transform import Rotation

from monomsk.datasets.corpus import MotionClip
from monomsk.errors import InputError
from monomsk.kinematics.trajectories import in_chunks
from monomsk.model.anatomy import Anatomy
from monomsk.model.model import Model, complete
from monomsk.model.scale import scale_model
from monomsk.model.sides import ACROSS, other_side, plain
from monomsk.physics.forward_kinematics import forward_kinematics, points_on_bodies
from monomsk.types import Sex

TURNS = ("pelvis_tilt", "pelvis_list", "pelvis_rotation")
SLIDES = ("pelvis_tx", "pelvis_ty", "pelvis_tz")
STATURE: dict[Sex, tuple[float, float]] = {"m": (1.756, 0.069), "f": (1.629, 0.064)}
"""Mean and standard deviation [m] of 4082 men and 1986 women (ANSUR II; Gordon et al. 2014)."""
MASS_INDEX: dict[Sex, tuple[float, float]] = {"m": (27.5, 0.15), "f": (25.3, 0.15)}
"""Median [kg/m²], and standard deviation of its logarithm, of the body mass index of the same people."""
LIMBS = {
    "arms": ("arm_flex", "arm_add", "arm_rot", "elbow_flex", "pro_sup"),
    "legs": ("hip_flexion", "hip_adduction", "hip_rotation", "knee_angle", "ankle_angle"),
    "trunk": ("lumbar_extension", "lumbar_bending", "lumbar_rotation"),
}
LOW, SLOW = 0.025, 0.35
"""Height [m] and speed [m/s] below which a sole point stands on the floor."""


def mirrored(clip: MotionClip) -> MotionClip:
    """Right for left, as a mirror beside the path shows the person.

    Equals the mirror image of every body (Z with its other sign, the sides exchanged); twice is the clip itself.
    """
    names = list(clip.names)
    other = [names.index(other_side(n)) for n in names]
    sign = np.array([-1.0 if n in ACROSS else 1.0 for n in names], np.float32)
    bodies = [clip.bodies.index(other_side(b)) for b in clip.bodies]
    return replace(
        clip, q=clip.q[:, other] * sign, contact=clip.contact[:, [2, 3, 0, 1]], measured=clip.measured[other], factors=clip.factors[bodies]
    )


def turned(clip: MotionClip, angle: float) -> MotionClip:
    """The clip turned about the vertical through the ground's origin by `angle` [rad], to the left when positive.

    Equals every body's pose turned in the same way.
    """
    turns, slides = [clip.names.index(n) for n in TURNS], [clip.names.index(n) for n in SLIDES]
    turn = Rotation.from_euler("Y", angle)
    q = clip.q.astype(float)
    # Tilt about Z, list about the turned X, rotation about the turned Y: their sum does not know the vertical.
    angles = (turn * Rotation.from_euler("ZXY", q[:, turns])).as_euler("ZXY")
    q[:, turns] = np.unwrap(angles, axis=0)
    q[:, slides] = turn.apply(q[:, slides])
    return replace(clip, q=q.astype(np.float32))


def at_speed(clip: MotionClip, speed: float | Float[np.ndarray, " knot"]) -> MotionClip:
    """The clip played at another speed, at the same frame rate: a factor, or factors at knots spread evenly over it.

    Raises InputError for speeds that are not above zero.
    """
    factors = np.atleast_1d(np.asarray(speed, float))
    if not (factors > 0.0).all():
        raise InputError(f"a motion cannot be played at a speed of {factors.min():g}")
    knots = np.linspace(0.0, clip.time[-1], len(factors)) if len(factors) > 1 else np.array([0.0, clip.time[-1]])
    fine = np.interp(clip.time, knots, factors if len(factors) > 1 else np.repeat(factors, 2))
    step = np.diff(clip.time) / (0.5 * (fine[1:] + fine[:-1]))
    played = np.concatenate([[0.0], np.cumsum(step)])
    time = np.arange(int(np.floor(played[-1] * clip.rate + 1e-9)) + 1) / clip.rate
    if len(time) < 2:
        raise InputError(f"clip {clip.key} has less than two frames at {factors.max():g} times its speed")
    source = np.interp(time, played, clip.time)
    nearest = np.clip(np.round(source * clip.rate).astype(int), 0, len(clip.time) - 1)
    q = CubicSpline(clip.time, clip.q.astype(float))(source).astype(np.float32)
    return replace(clip, time=time, q=q, contact=clip.contact[nearest], valid=clip.valid[nearest])


def drawn_shape(model: Model, anatomy: Anatomy, random: np.random.Generator) -> tuple[Float[np.ndarray, "body 3"], float]:
    """Somebody's factors of all bodies and mass [kg]: stature and build of a sex, segments varying about what the stature lets expect.

    Stature and body mass index follow ANSUR II, the segments the anatomy's spreads (ANSUR 1988). `model` carries the anatomy's keypoints.
    """
    sex: Sex = "f" if random.random() < 0.5 else "m"
    stature = random.normal(*STATURE[sex])
    described, segments = anatomy.segments_of(model)
    spread = np.array([random.normal(s.by_sex.get(sex, 0.0), s.spread) for s in described])
    factors = np.asarray(segments.factors(model, jnp.asarray(spread)))
    factors = factors * stature / height_of(model, factors)
    index = MASS_INDEX[sex][0] * np.exp(random.normal(0.0, MASS_INDEX[sex][1]))
    return factors, float(np.clip(index, 16.0, 45.0)) * stature**2


def height_of(model: Model, factors: Float[np.ndarray, "body 3"]) -> float:
    """Height of the stretched body in the neutral posture [m]; `model` has head_top and sole_r for markers."""
    top, sole = (model.marker_names.index(name) for name in ("head_top", "sole_r"))
    q = complete(model, model.coordinate_default)
    at = _markers(scale_model(model, jnp.asarray(factors), 1.0), q)
    return float(at[top, 1] - at[sole, 1])


@eqx.filter_jit
def _markers(model: Model, q: Float[Array, " nq"]) -> Float[Array, "marker 3"]:
    return points_on_bodies(forward_kinematics(model, q), model.marker_body, model.marker_location)


@eqx.filter_jit
def _completed(model: Model, q: Float[Array, "time nq"]) -> Float[Array, "time nq"]:
    return jax.vmap(partial(complete, model))(q)


@eqx.filter_jit
def _soles(model: Model, q: Float[Array, "time nq"]) -> Float[Array, "time contact 3"]:
    def one(row: Float[Array, " nq"]) -> Float[Array, "contact 3"]:
        center = points_on_bodies(forward_kinematics(model, row), model.contact_body, model.contact_location)
        return center - model.contact_radius[:, None] * jnp.array([0.0, 1.0, 0.0])

    return jax.vmap(one)(q)


def soles(model: Model, q: Float[np.ndarray, "time nq"]) -> Float[np.ndarray, "time contact 3"]:
    """Lowest points of the contact spheres, ground frame [m]; every coordinate is taken as given."""
    return in_chunks(_soles, model, np.asarray(q, float))


def of_shape(clip: MotionClip, generic: Model, factors: Float[np.ndarray, "body 3"], mass: float) -> MotionClip:
    """The same angles in another body: the feet as far from the floor as before, in proportion, and planted ones in their places."""
    before = soles(clip.body(generic), clip.q)
    other = replace(clip, factors=factors, mass=mass, stature=height_of(generic, factors))
    legs = _leg_length(generic, factors) / _leg_length(generic, clip.factors)
    q = clip.q.astype(float)
    q[:, [clip.names.index(n) for n in SLIDES]] *= legs
    return replace(other, q=_grounded(other, generic, q, legs * before).astype(np.float32))


def straightened(clip: MotionClip, generic: Model, angle: float) -> MotionClip:
    """The clip with straighter knees: by `angle` [rad] where they are nearly straight, less where they are bent, not at all from 110° on.

    Hip and ankle share the change, so that trunk and feet keep their directions; the feet stay where they are and the hips rise.
    For skeletons whose legs are bent when people stand straight.
    """
    q = clip.q.astype(float)
    for side in "rl":
        i = clip.names.index(f"knee_angle_{side}")
        part = np.clip((np.radians(110.0) - q[:, i]) / np.radians(90.0), 0.0, 1.0)
        # Legs that are straight already stay so, without a corner on the way there.
        change = angle * part * -np.expm1(-np.maximum(q[:, i], 0.0) / angle)
        for name, share in ((f"knee_angle_{side}", 1.0), (f"hip_flexion_{side}", 0.5), (f"ankle_angle_{side}", 0.5)):
            q[:, clip.names.index(name)] -= share * change
    q = in_chunks(_completed, generic, q)
    before = soles(clip.body(generic), clip.q)
    return replace(clip, q=_grounded(clip, generic, q, before).astype(np.float32))


def _grounded(
    clip: MotionClip, generic: Model, q: Float[np.ndarray, "time nq"], wanted: Float[np.ndarray, "time contact 3"]
) -> Float[np.ndarray, "time nq"]:
    """The coordinates of the clip's person, moved so that the lowest sole point is as high as wanted and planted ones travel as wanted."""
    q = q.copy()
    after = soles(clip.body(generic), q)
    q[:, clip.names.index("pelvis_ty")] += wanted[..., 1].min(1) - after[..., 1].min(1)
    planted = _planted_points(generic, clip.contact)
    slip = np.diff(after - wanted, axis=0)[..., [0, 2]]
    weight = (planted[1:] & planted[:-1]).astype(float)
    drift = np.einsum("tc,tci->ti", weight, slip) / np.maximum(weight.sum(1), 1.0)[:, None]
    travel = np.concatenate([np.zeros((1, 2)), np.cumsum(drift, axis=0)])
    q[:, [clip.names.index(n) for n in ("pelvis_tx", "pelvis_tz")]] -= gaussian_filter1d(travel, 1.0, axis=0, mode="nearest")
    return q


def _leg_length(generic: Model, factors: Float[np.ndarray, "body 3"]) -> float:
    """Of thigh and shank [m]."""
    thigh, shank = generic.body("tibia_r"), generic.body("talus_r")
    parts = ((thigh, generic.parent[thigh]), (shank, generic.parent[shank]))
    return float(sum(np.linalg.norm(np.asarray(generic.p_parent_joint)[i] * factors[parent]) for i, parent in parts))


def _planted_points(model: Model, contact: Bool[np.ndarray, "time 4"]) -> Bool[np.ndarray, "time contact"]:
    """Which contact spheres stand, from heels and toes."""
    columns = [
        contact[:, 2 * model.body_names[b].endswith("_l") + (0 if c == heel_sphere(model, model.body_names[b][-2:]) else 1)]
        for c, b in enumerate(model.contact_body)
    ]
    return np.stack(columns, -1)


def heel_sphere(model: Model, side: str) -> int:
    """The contact sphere under the heel of side `_r` or `_l`."""
    on = [c for c, b in enumerate(model.contact_body) if model.body_names[b] == f"calcn{side}"]
    return min(on, key=lambda c: float(model.contact_location[c, 0]))


def contacts(model: Model, sole: Float[np.ndarray, "time contact 3"], rate: float) -> Bool[np.ndarray, "time 4"]:
    """Right heel, right toes, left heel, left toes: low and slow."""
    speed = np.linalg.norm(np.gradient(sole, 1.0 / rate, axis=0), axis=-1)
    stands = (sole[..., 1] < LOW) & (speed < SLOW)
    columns = []
    for side in ("_r", "_l"):
        heel = heel_sphere(model, side)
        rest = [c for c, b in enumerate(model.contact_body) if model.body_names[b].endswith(side) and c != heel]
        columns += [stands[:, heel], stands[:, rest].any(1)]
    return np.stack(columns, -1)


def mixed(lower: MotionClip, upper: MotionClip) -> MotionClip:
    """Legs and path of one clip, trunk and arms of another, as long as the shorter one. The body is that of the first.

    Raises InputError when the two have different coordinates or rates.
    """
    if lower.names != upper.names or abs(lower.rate - upper.rate) > 1e-6:
        raise InputError(f"clips {lower.key} and {upper.key} have different coordinates or frame rates")
    count = min(len(lower.time), len(upper.time))
    above = np.array([plain(n) in (*LIMBS["arms"], *LIMBS["trunk"], "wrist_flex", "wrist_dev") for n in lower.names])
    return replace(
        lower,
        time=lower.time[:count],
        q=np.where(above, upper.q[:count], lower.q[:count]),
        contact=lower.contact[:count],
        valid=lower.valid[:count] & upper.valid[:count],
        measured=np.where(above, upper.measured, lower.measured),
    )


def disturbed(clip: MotionClip, generic: Model, random: np.random.Generator, size: dict[str, float]) -> MotionClip:
    """The clip with slowly varying changes of its angles, of standard deviation `size` [rad] for arms, legs and trunk (`LIMBS`).

    Angles stay within the ranges of `generic`. Where legs change, the lowest sole stays as high as it was and contacts are judged anew.
    """
    q = clip.q.astype(float)
    low, high = np.asarray(generic.coordinate_range).T
    for limb, spread in size.items():
        for i, name in enumerate(clip.names):
            if plain(name) in LIMBS[limb] and spread > 0.0:
                change = spread * slow_noise(len(q), clip.rate, random)
                # An angle that was out of its range already may stay there.
                q[:, i] = np.clip(q[:, i] + change, np.minimum(low[i], q[:, i]), np.maximum(high[i], q[:, i]))
    q = in_chunks(_completed, generic, q)
    if size.get("legs", 0.0) <= 0.0:
        return replace(clip, q=q.astype(np.float32))
    body = clip.body(generic)
    height = soles(body, clip.q)[..., 1].min(1) - soles(body, q)[..., 1].min(1)
    q = q.copy()
    q[:, clip.names.index("pelvis_ty")] += height
    return replace(clip, q=q.astype(np.float32), contact=contacts(body, soles(body, q), clip.rate))


def slow_noise(count: int, rate: float, random: np.random.Generator) -> Float[np.ndarray, " time"]:
    """Smooth noise of variance 1 whose turns are 0.6 to 2 s apart."""
    span = (count - 1) / rate
    gap = random.uniform(0.6, 2.0)
    knots = np.arange(-2, int(np.ceil(span / gap)) + 3) * gap + random.uniform(0.0, gap)
    return CubicSpline(knots, random.normal(size=len(knots)))(np.arange(count) / rate)
