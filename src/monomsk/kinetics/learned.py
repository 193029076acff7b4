"""The learned way to forces: windows of the motion through the inverse dynamics transformer, and joint moments that fit its forces.

The six equations of the floating base hold by construction, unless something besides the ground carries the person. The pelvis's
accelerations are the worst known of all (a motion from one camera, differentiated twice); they are taken to be what the forces on the
feet make them, given those of the joints. By how much they are then others than the motion's is told: that is what a residual would
have hidden.
"""

from dataclasses import dataclass
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from scipy.ndimage import gaussian_filter1d

from monomsk.config import KineticsConfig
from monomsk.errors import InputError
from monomsk.kinetics import filtering
from monomsk.kinetics.applied_forces import burdened
from monomsk.kinetics.classic import check, standing_hips
from monomsk.kinetics.contact import Contact, find_contact
from monomsk.kinetics.feet import feet_of
from monomsk.kinetics.ground_forces import GroundForces, split
from monomsk.kinetics.mechanics import Mechanics, mechanics
from monomsk.kinetics.quality import quality, warnings
from monomsk.kinetics.transformer import WHOLE, DynamicsTransformer, Effort, Ground
from monomsk.model.compile import compile_model
from monomsk.model.sides import ACROSS, mirror_order
from monomsk.model.spec import ModelSpec
from monomsk.outside_loads import AppliedForce
from monomsk.spatial import rotation
from monomsk.types import Kinetics, Motion, Progress, Subject
from monomsk.windowing import batches, blended, stride_of, windows_of

FRAMES, MOST_RATE = 64, 60.0
"""Frames of a window, and how many a second at most [Hz]."""
UNTOLD, BELIEVABLE = 0.08, (0.01, 0.3)
"""Standard deviation of angles that a motion does not tell, and between which it is taken as stated [rad]."""
QUICKER = 2.0
"""How many times higher the cut-off of the second look at the needed force is."""
HELD, HELD_FOR = (0.15, 0.25), 0.25
"""Upward force that the feet do not give, smoothed, from which somebody is believed to be carried by something else, and surely is
[body weights]; and over how long it is smoothed, so that errors of steps do not count [s, standard deviation]."""
GRAVITY = 9.80665
FLIP, TURN = np.array([1.0, 1.0, -1.0]), np.array([-1.0, -1.0, 1.0])
"""What a mirror beside the person makes of a vector and of a moment."""


@dataclass(frozen=True)
class Moved:
    """A motion made ready for the network."""

    effort: Effort
    """Of the whole motion; time is no window yet."""
    R_ground_facing: Float[np.ndarray, "time 3 3"]
    state: Mechanics
    contact: Contact
    """Contact as the classic way sees it: the height and the speed of the ground."""
    guess: GroundForces
    """Of the classic way."""
    weight: float
    """Of the body [N]."""
    outside: tuple[AppliedForce, ...] = ()
    """What acts besides the ground."""


def moved(
    motion: Motion,
    spec: ModelSpec,
    subject: Subject,
    lowpass: float,
    coordinates: tuple[str, ...],
    *,
    trunk: bool = True,
    outside: tuple[AppliedForce, ...] = (),
) -> Moved:
    """Features of a motion; `coordinates` are those of the posture, `lowpass` [Hz] as in `KineticsConfig`, `trunk` as in `Effort`.

    Raises as `classic.estimate`.
    """
    model, feet = compile_model(spec), feet_of(spec)
    plain = filtering.unwrap(motion.q, motion.rotational)
    q, qd, qdd = filtering.rates(motion.time, plain, lowpass)
    weight, height = spec.mass * GRAVITY, subject.height
    state, quicker = (
        burdened(mechanics(model, feet, rates), model, outside, motion.time)
        for rates in ((q, qd, qdd), filtering.rates(motion.time, plain, QUICKER * lowpass))
    )
    rate = filtering.sampling_rate(motion.time)
    contact = find_contact(feet, state.point, state.velocity, state.wrench[:, 4] / weight, rate, motion.contact)
    guess = split(feet, state, contact, (weight, standing_hips(model, feet)), rate)
    R = facing(state.hip)
    lean = np.asarray(rotation.zxy(jnp.asarray(R.swapaxes(1, 2) @ state.R_ground_root)))
    columns = [model.coordinate_names.index(n) for n in coordinates[2:]]
    root = np.stack([lean[:, :2], *filtering.derivatives(motion.time, np.unwrap(lean[:, :2], axis=0))])
    posture, speed, acceleration = (np.concatenate([r, v[:, columns]], 1) for r, v in zip(root, (q, qd, qdd), strict=True))
    belt = np.array([contact.belt[0], 0.0, contact.belt[1]])

    def turned(vectors: Float[np.ndarray, "time k 3"]) -> Float[np.ndarray, "time k 3"]:
        return np.einsum("tij,tki->tkj", R, vectors)

    def wrench(needed: Float[np.ndarray, "time 6"]) -> Float[np.ndarray, "time 6"]:
        return turned(np.stack([needed[:, :3] / height, needed[:, 3:]], 1)).reshape(-1, 6) / weight

    fields: dict[str, Any] = {
        "time": motion.time - motion.time[0],
        "posture": posture,
        "speed": speed,
        "acceleration": acceleration,
        "sigma": _sigma(motion, coordinates),
        "needed": wrench(state.wrench),
        "quick": wrench(quicker.wrench),
        "force": turned(guess.force) / weight,
        "cop": turned(guess.cop - state.center[:, None]) / height,
        "point": turned(state.point - state.center[:, None]) / height,
        "velocity": turned(state.velocity - belt) / height,
        "seen": np.ones((len(q), 1), bool),
        "height": np.float32(height),
        "mass": np.float32(subject.mass),
        "trunk": np.float32(trunk),
    }
    single = {n: v.astype(np.float32) if v.dtype == np.float64 else v for n, v in fields.items()}
    return Moved(Effort(**single), R, state, contact, guess, weight, outside)


def _sigma(motion: Motion, coordinates: tuple[str, ...]) -> Float[np.ndarray, "time coordinate"]:
    """Standard deviations of the posture [rad], as the motion states them, or `UNTOLD`."""
    if motion.sigma is None:
        return np.full((len(motion.time), len(coordinates)), UNTOLD)
    sigma = motion.sigma[:, [motion.names.index(n) for n in coordinates]]
    return np.where(np.isfinite(sigma), np.clip(sigma, *BELIEVABLE), UNTOLD)


def facing(hip: Float[np.ndarray, "time foot 3"]) -> Float[np.ndarray, "time 3 3"]:
    """Axes forwards, up and to the right of a person whose hips these are, in the ground frame, as columns."""
    right = (hip[:, 0] - hip[:, 1]) * np.array([1.0, 0.0, 1.0])
    right = right / np.maximum(np.linalg.norm(right, axis=1, keepdims=True), 1e-9)
    up = np.broadcast_to(np.array([0.0, 1.0, 0.0]), right.shape)
    return np.stack([np.cross(up, right), up, right], -1)


def estimate(
    motion: Motion,
    spec: ModelSpec,
    subject: Subject,
    config: KineticsConfig,
    network: DynamicsTransformer,
    progress: Progress | None = None,
    *,
    trunk: bool = True,
    outside: tuple[AppliedForce, ...] = (),
) -> Kinetics:
    """Ground forces and joint moments of a motion of the scaled body `spec`; as `classic.estimate`, and raises the same.

    `trunk` False says that the motion of trunk and arms was made up, because nothing showed it.
    """
    tell = progress or (lambda done: None)
    check(motion, spec)
    if lacking := unknown(network, spec):
        raise InputError(f"model {spec.name} has no {', '.join(lacking)}, which the network wants to see: use the classic way")
    ready = moved(motion, spec, subject, config.lowpass, network.coordinates, trunk=trunk, outside=outside)
    tell(0.8)
    kinetics = under(motion, spec, subject, ready, in_ground(grounded(network, ready.effort), ready, subject))
    tell(1.0)
    return kinetics


def unknown(network: DynamicsTransformer, spec: ModelSpec) -> tuple[str, ...]:
    """Coordinates and contact points that the network wants to see and the body does not have."""
    there = {c.name for c in (*spec.coordinates, *spec.contacts)}
    return tuple(name for name in (*network.coordinates, *network.points) if name not in there)


def under(motion: Motion, spec: ModelSpec, subject: Subject, ready: Moved, forces: GroundForces) -> Kinetics:
    """What the joints do when the ground does this."""
    model, state = compile_model(spec), ready.state
    applied = np.concatenate([np.cross(forces.cop, forces.force) + forces.moment, forces.force], axis=-1)
    tau = state.tau - np.einsum("tfqi,tfi->tq", state.jacobian, applied)
    left = state.wrench[:, 3:] - forces.force.sum(axis=1)
    turns = [i for i in model.root if model.rotational[i]]
    figures = quality(forces, left, tau[:, turns], subject)
    return Kinetics(
        time=motion.time, names=motion.names, rotational=motion.rotational, q=state.q,
        tau=balanced(state, tau, model.root, alone(left[:, 1] / ready.weight, motion.time)),
        bodies=feet_of(spec).bodies, force=forces.force, cop=forces.cop, moment=forces.moment, contact=forces.contact,
        quality=figures, warnings=warnings(figures, ready.contact, spec.mass, subject), outside=ready.outside,
    )  # fmt: skip


def alone(lacking: Float[np.ndarray, " time"], time: Float[np.ndarray, " time"]) -> Float[np.ndarray, " time"]:
    """From 0 (something else carries the person, a chair) to 1: by the vertical force that the feet do not give [body weights]."""
    steady = gaussian_filter1d(lacking, HELD_FOR * filtering.sampling_rate(time), mode="nearest")
    return np.clip((HELD[1] - steady) / (HELD[1] - HELD[0]), 0.0, 1.0)


def balanced(
    state: Mechanics, tau: Float[np.ndarray, "time nq"], root: tuple[int, ...], share: Float[np.ndarray, " time"]
) -> Float[np.ndarray, "time nq"]:
    """Generalized forces after the root's accelerations have been changed until only 1 - `share` of what acted on the root does."""
    rows = list(root)
    change = -np.linalg.solve(state.inertia[:, rows], (share[:, None] * tau[:, rows])[..., None])
    return tau + (state.inertia @ change)[..., 0]


def grounded(network: DynamicsTransformer, effort: Effort) -> Ground:
    """What the ground does in every frame of a motion of any length, as the windows that show it say."""
    time = np.asarray(effort.time)
    stride = stride_of(1.0 / float(time[1] - time[0]), MOST_RATE)
    thin = effort._replace(**{n: v[::stride] for n, v in effort._asdict().items() if n not in WHOLE})
    windows = windows_of(len(time[::stride]), FRAMES)
    parts = [_run(network, part) for part in batches(thin, windows, WHOLE)]
    said = (np.concatenate([np.asarray(p[i]) for p in parts])[: len(windows.frame)] for i in range(len(Ground._fields)))
    whole: list[Any] = [blended(v, windows) for v in said]
    return Ground(*(whole if stride == 1 else [_between(v, time[::stride], time) for v in whole]))


def _between(values: Float[np.ndarray, "thin *rest"], thin: Float[np.ndarray, " thin"], time: Float[np.ndarray, " time"]) -> Any:
    """Along straight lines: a smoother curve would swing where a foot lands."""
    flat = values.reshape(len(thin), -1)
    return np.stack([np.interp(time, thin, column) for column in flat.T], -1).reshape(len(time), *values.shape[1:])


@eqx.filter_jit
def _run(network: DynamicsTransformer, effort: Effort) -> tuple[Array, ...]:
    """Windows, each as it is and in the mirror; the mean of both."""
    plain, other = network(effort), mirrored_ground(network(mirrored(effort, network)))
    return tuple(0.5 * (a + b) for a, b in zip(plain, other, strict=True))


def mirrored(effort: Effort, network: DynamicsTransformer) -> Effort:
    """The mirror image of windows: left is right."""
    order, points = jnp.array(mirror_order(network.coordinates)), jnp.array(mirror_order(network.points))
    sign = jnp.array([-1.0 if n in ACROSS else 1.0 for n in network.coordinates], jnp.float32)
    wrench = jnp.asarray(np.concatenate([TURN, FLIP]), jnp.float32)
    return effort._replace(
        posture=effort.posture[..., order] * sign,
        speed=effort.speed[..., order] * sign,
        acceleration=effort.acceleration[..., order] * sign,
        sigma=effort.sigma[..., order],
        needed=effort.needed * wrench,
        quick=effort.quick * wrench,
        force=effort.force[..., ::-1, :] * jnp.asarray(FLIP, jnp.float32),
        cop=effort.cop[..., ::-1, :] * jnp.asarray(FLIP, jnp.float32),
        point=effort.point[..., points, :] * jnp.asarray(FLIP, jnp.float32),
        velocity=effort.velocity[..., points, :] * jnp.asarray(FLIP, jnp.float32),
    )


def mirrored_ground(ground: Ground) -> Ground:
    """The mirror image of an answer."""
    flip = jnp.asarray(FLIP, ground.force.dtype)
    return Ground(
        contact=ground.contact[..., ::-1],
        force=ground.force[..., ::-1, :] * flip,
        cop=ground.cop[..., ::-1, :] * flip,
        twist=-ground.twist[..., ::-1],
        log_sigma=ground.log_sigma[..., ::-1, :],
    )


def in_ground(ground: Ground, ready: Moved, subject: Subject) -> GroundForces:
    """The network's answer in newtons and the ground frame; feet that do not touch have no force."""
    weight = ready.weight
    odds, push, cop, twist = (np.asarray(v, float) for v in (ground.contact, ground.force, ground.cop, ground.twist))
    touching = (odds > 0.0) & (push[..., 1] > 0.0)
    force = np.einsum("tij,tfj->tfi", ready.R_ground_facing, push) * weight
    place = np.einsum("tij,tfj->tfi", ready.R_ground_facing, cop) * subject.height + ready.state.center[:, None]
    place[..., 1] = ready.contact.level[:, None]
    moment = np.zeros_like(force)
    moment[..., 1] = twist * weight * subject.height
    there = touching[..., None]
    return GroundForces(np.where(there, force, 0.0), place, np.where(there, moment, 0.0), touching)
