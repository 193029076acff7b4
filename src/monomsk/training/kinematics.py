"""Training of the inverse kinematics transformer: on markers as the lifting transformer gives them, and on measured ones."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from monomsk.datasets.corpus import MotionClip
from monomsk.datasets.seeing import Noise, load_noise
from monomsk.datasets.windows import Body, Draw, Windows, WindowsConfig, draw, pack_clips, windows
from monomsk.kinematics.transformer import ROOT, Cloud, KinematicsTransformer, Posture, pelvis_rotation, posed, sized
from monomsk.markers.transformer import Lifted, MarkerTransformer
from monomsk.nn.transformer import Shape
from monomsk.training.loop import Schedule, Tell, started, train
from monomsk.training.markers import length, seen_by_cameras, training_body

LEAST_SIGMA, MOST_SIGMA = 0.003, 0.03
"""Range of the noise of markers that were not lifted but measured [statures]."""
LOST = 0.15
"""Share of such markers that a window does not have."""


@dataclass(frozen=True)
class LossConfig:
    """Weights of what the network is told off for."""

    angle: float = 1.0
    """Joint angles [rad]."""
    pelvis: float = 2.0
    """Angle between where the pelvis points and should [rad]."""
    marker: float = 4.0
    """Markers of the posed body about its hips [statures]."""
    velocity: float = 1.0
    """Change of all of these from frame to frame, with the same weights."""
    sigma: float = 0.02
    """Uncertainty that is not what the errors are like."""


@dataclass(frozen=True)
class KinematicsTraining:
    """Everything about a training of the inverse kinematics transformer."""

    shape: Shape = field(default_factory=lambda: Shape(depth=3))
    windows: WindowsConfig = field(default_factory=WindowsConfig)
    loss: LossConfig = field(default_factory=LossConfig)
    schedule: Schedule = field(default_factory=lambda: Schedule(steps=2500))
    measured: float = 0.25
    """Share of windows with measured markers instead of lifted ones."""


class Target(NamedTuple):
    """What the network should have said of windows."""

    R_frame_pelvis: Float[Array, "window time 3 3"]
    joints: Float[Array, "window time joint"]
    relative: Float[Array, "window time marker 3"]
    """All the body's markers about the hips, in statures."""


def train_kinematics(
    clips: Sequence[MotionClip],
    lifting: MarkerTransformer,
    config: KinematicsTraining,
    folder: Path,
    tell: Tell,
    start: KinematicsTransformer | None = None,
) -> KinematicsTransformer:
    """Train an inverse kinematics transformer on what the lifting one makes of clips; otherwise as `markers.train_markers`."""
    source, body, noise = pack_clips(clips), training_body(config.windows), load_noise()
    network = new_network(body, lifting.markers, config.shape, jax.random.key(config.schedule.seed))
    network = network if start is None else started(network, start)

    def told(network: KinematicsTransformer, drawn: Draw, key: PRNGKeyArray) -> tuple[Float[Array, ""], dict[str, Float[Array, ""]]]:
        return loss(network, lifting, windows(body, source.pack, drawn, config.windows), key, body, noise, config)

    batch = config.schedule.batch
    return train(network, told, lambda step, random: draw(source, batch, config.windows, random), config.schedule, folder, tell)


def joints_of(body: Body) -> tuple[int, ...]:
    """Columns of the coordinates that the network tells: those that are free, after the pelvis's."""
    return tuple(i for i in body.model.free if i >= ROOT)


def new_network(body: Body, markers: tuple[str, ...], shape: Shape, key: PRNGKeyArray) -> KinematicsTransformer:
    """An untrained network for a body."""
    ranges = {body.model.coordinate_names[i]: body.model.coordinate_range[i] for i in joints_of(body)}
    plain = {name: (round(float(low), 6), round(float(high), 6)) for name, (low, high) in ranges.items()}
    return KinematicsTransformer(markers, plain, body.segments.names, shape, key)


def loss(
    network: KinematicsTransformer,
    lifting: MarkerTransformer,
    moving: Windows,
    key: PRNGKeyArray,
    body: Body,
    noise: Noise,
    config: KinematicsTraining,
) -> tuple[Float[Array, ""], dict[str, Float[Array, ""]]]:
    """Of a batch: the loss, and figures to watch (`degrees`, mean of all angles; `marker`, of the posed body in mm)."""
    cloud, target = clouds(lifting, moving, key, body, noise, config)
    posture = network(cloud)
    mean = {name: jnp.mean(value) for name, value in figures(posture, target, moving.stature, body).items()}
    weights = config.loss
    total = weights.angle * (mean["angle"] + weights.velocity * mean["angle_velocity"])
    total = total + weights.pelvis * (mean["pelvis"] + weights.velocity * mean["pelvis_velocity"])
    total = total + weights.marker * (mean["position"] + weights.velocity * mean["position_velocity"])
    return total + weights.sigma * mean["sigma"], mean


def clouds(
    lifting: MarkerTransformer, moving: Windows, key: PRNGKeyArray, body: Body, noise: Noise, config: KinematicsTraining
) -> tuple[Cloud, Target]:
    """What the network gets of windows, some lifted from simulated cameras and some measured, and what it should say."""
    keys = jax.random.split(key, 5)
    sight, truth = seen_by_cameras(moving, keys[0], body, noise, lifting.markers)
    lifted, view = lifting(sight)
    lifted: Lifted = jax.lax.stop_gradient(lifted)
    R_view_ground = jnp.einsum("wji,wjk->wik", view.R_camera_view, truth.R_camera_ground).astype(jnp.float32)
    true = truth.turned(view.R_camera_view).relative
    shape = true.shape[:3]
    spread = jnp.exp(jax.random.uniform(keys[1], (shape[0], 1, 1), minval=jnp.log(LEAST_SIGMA), maxval=jnp.log(MOST_SIGMA)))
    steady, shaken = (jax.random.normal(k, (shape[0], n, *shape[2:], 3)) for k, n in ((keys[2], 1), (keys[3], shape[1])))
    measured = true + spread[..., None] * (0.8 * steady + 0.6 * shaken)
    kept = (jax.random.uniform(keys[4], (shape[0], 1, shape[2])) > LOST) | jnp.array([_needed(n) for n in lifting.markers])
    count = round(config.measured * shape[0])
    chosen = (jnp.arange(shape[0]) < count)[:, None, None]
    sigma = jnp.sqrt(jnp.mean(jnp.exp(2.0 * lifted.log_sigma)[..., jnp.array([0, 0, 1])], -1))
    cloud = Cloud(
        time=moving.time,
        xyz=jnp.where(chosen[..., None], measured, lifted.relative).astype(jnp.float32),
        sigma=jnp.where(chosen, spread, sigma).astype(jnp.float32),
        seen=jnp.where(chosen, jnp.broadcast_to(kept, shape), jnp.broadcast_to(view.there[..., None], shape)),
        floor=jnp.where(chosen[..., 0], truth.floor, lifted.floor).astype(jnp.float32),
        height=moving.stature,
        mass=moving.mass,
    )
    return cloud, _target(moving, R_view_ground, body)


def _needed(name: str) -> bool:
    return name.rpartition("_")[0] in ("hip", "shoulder")


def _target(moving: Windows, R_view_ground: Float[Array, "window 3 3"], body: Body) -> Target:
    pelvis = jax.vmap(jax.vmap(lambda q: pelvis_rotation(body.model, q)))(moving.q).astype(jnp.float32)
    relative = _about_hips(moving.markers, body) / moving.stature[:, None, None, None]
    return Target(
        R_frame_pelvis=jnp.einsum("wij,wtjk->wtik", R_view_ground, pelvis),
        joints=moving.q[..., jnp.array(joints_of(body))],
        relative=jnp.einsum("wij,wtmj->wtmi", R_view_ground, relative).astype(jnp.float32),
    )


def _about_hips(markers: Float[Array, "*n marker 3"], body: Body) -> Float[Array, "*n marker 3"]:
    hips = [body.model.marker_names.index(f"hip_{side}") for side in "rl"]
    return markers - jnp.mean(markers[..., jnp.array(hips), :], -2, keepdims=True)


def body_markers(posture: Posture, stature: Float[Array, " window"], body: Body) -> Float[Array, "window time marker 3"]:
    """Markers of the body in the postures, about the hips, in statures."""

    def one(R: Array, joints: Array, lengths: Array, height: Array) -> Array:
        model, _ = sized(body.model, body.segments, (body.head, body.sole), lengths, height)
        return _about_hips(posed(model, joints_of(body), R, joints), body) / height

    return jax.vmap(one)(posture.R_frame_pelvis, posture.joints, posture.lengths, stature).astype(jnp.float32)


def figures(posture: Posture, target: Target, stature: Float[Array, " window"], body: Body) -> dict[str, Float[Array, "*n"]]:
    """How far off the network is, by what."""
    angle = posture.joints - target.joints
    turn = posture.R_frame_pelvis - target.R_frame_pelvis
    # The chord over √2 is the angle while it is small, and its slope has no pole there.
    pelvis = jnp.sqrt(jnp.sum(turn**2, (-2, -1)) / 2.0 + 1e-8)
    apart = body_markers(posture, stature, body) - target.relative
    position = length(apart)
    sigma = jnp.exp(posture.log_sigma)
    off = jax.lax.stop_gradient(jnp.concatenate([_small_turn(posture, target), angle], -1))
    return {
        "angle": jnp.sqrt(angle**2 + 1e-6),
        "angle_velocity": jnp.abs(jnp.diff(angle, axis=1)),
        "pelvis": pelvis,
        "pelvis_velocity": jnp.sqrt(jnp.sum(jnp.diff(turn, axis=1) ** 2, (-2, -1)) / 2.0 + 1e-8),
        "position": position,
        "position_velocity": length(jnp.diff(apart, axis=1)),
        "sigma": posture.log_sigma + 0.5 * jnp.minimum((off / sigma) ** 2, 25.0),
        "degrees": jnp.rad2deg(jnp.abs(angle)),
        "marker": 1000.0 * jnp.mean(position, (1, 2)) * stature,
    }


def _small_turn(posture: Posture, target: Target) -> Float[Array, "window time 3"]:
    """The pelvis's error as a rotation vector in the pelvis [rad]."""
    off = jnp.einsum("wtji,wtjk->wtik", target.R_frame_pelvis, posture.R_frame_pelvis)
    return 0.5 * jnp.stack([off[..., 2, 1] - off[..., 1, 2], off[..., 0, 2] - off[..., 2, 0], off[..., 1, 0] - off[..., 0, 1]], -1)
