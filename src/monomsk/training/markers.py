"""Training of the lifting transformer on moving bodies that simulated cameras see."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from monomsk.datasets.corpus import MotionClip
from monomsk.datasets.fitting import opened
from monomsk.datasets.seeing import Noise, load_noise, place_camera, see, white_noise
from monomsk.datasets.windows import Body, Draw, Windows, WindowsConfig, body_of, draw, pack_clips, windows
from monomsk.io.body import load_anatomy, load_body
from monomsk.keypoints.skeleton import NAMES
from monomsk.markers.sight import Sight
from monomsk.markers.transformer import Lifted, MarkerTransformer
from monomsk.model.compile import compile_model
from monomsk.nn.transformer import Shape
from monomsk.training.loop import Schedule, Tell, started, train

CLUSTERS = ("TH", "TB", "UA", "FA")
"""Markers of the body on soft parts of the limbs, which are no landmarks."""


@dataclass(frozen=True)
class LossConfig:
    """Weights of what the network is told off for; distances in statures."""

    velocity: float = 2.0
    """Change of the markers' error from frame to frame."""
    sigma: float = 0.02
    """Uncertainty that is not what the errors are like."""
    root: float = 0.3
    """Distance from the camera (its logarithm), and place across the line of sight."""
    floor: float = 0.3
    """Height of the hips over the floor."""
    contact: float = 0.02
    """Contact of the feet."""


@dataclass(frozen=True)
class MarkersTraining:
    """Everything about a training of the lifting transformer."""

    shape: Shape = field(default_factory=Shape)
    windows: WindowsConfig = field(default_factory=WindowsConfig)
    loss: LossConfig = field(default_factory=LossConfig)
    schedule: Schedule = field(default_factory=Schedule)
    noise: Literal["measured", "white"] = "measured"
    """Errors of the simulated keypoints: as measured, or as large but without memory, to see what that is worth."""


class Truth(NamedTuple):
    """What the network should have said, of windows; see `Lifted`."""

    relative: Float[Array, "window time marker 3"]
    root: Float[Array, "window time 3"]
    floor: Float[Array, "window time"]
    contact: Float[Array, "window time 4"]
    R_camera_ground: Float[Array, "window 3 3"]

    def turned(self, R: Float[Array, "window 3 3"]) -> "Truth":
        """In other frames, whose axes are the columns."""
        return self._replace(relative=jnp.einsum("wtmi,wij->wtmj", self.relative, R), root=self.root @ R)


def train_markers(
    clips: Sequence[MotionClip], config: MarkersTraining, folder: Path, tell: Tell, start: MarkerTransformer | None = None
) -> MarkerTransformer:
    """Train a lifting transformer on clips; state and curves are kept in the folder, and a state there is gone on from.

    The training begins with the weights of `start`, where one is given. Raises InputError when its form is another, and as
    `datasets.windows.pack_clips` and `loop.train`.
    """
    source, body = pack_clips(clips), training_body(config.windows)
    noise = load_noise() if config.noise == "measured" else white_noise()
    network = MarkerTransformer(NAMES, marker_names(body), config.shape, jax.random.key(config.schedule.seed))
    network = network if start is None else started(network, start)

    def told(network: MarkerTransformer, drawn: Draw, key: PRNGKeyArray) -> tuple[Float[Array, ""], dict[str, Float[Array, ""]]]:
        return loss(network, windows(body, source.pack, drawn, config.windows), key, body, noise, config.loss)

    batch = config.schedule.batch
    return train(network, told, lambda step, random: draw(source, batch, config.windows, random), config.schedule, folder, tell)


def training_body(config: WindowsConfig) -> Body:
    """The generic body with the keypoints of the anatomy and its landmarks for markers."""
    anatomy, body = load_anatomy(), opened(replace(load_body(), muscles=(), wraps=()))
    landmarks = tuple(m for m in body.markers if m.name[1:].rstrip("123") not in CLUSTERS and not m.name[1:].startswith("FA"))
    return body_of(compile_model(body.with_markers((*anatomy.anchors_on(body), *landmarks))), anatomy, config)


def marker_names(body: Body) -> tuple[str, ...]:
    """What the network lifts: keypoints, joint centres and landmarks; not the sole and the head's top, which are for the stature."""
    return tuple(name for name in body.model.marker_names if not name.startswith("sole"))


def loss(
    network: MarkerTransformer, moving: Windows, key: PRNGKeyArray, body: Body, noise: Noise, config: LossConfig
) -> tuple[Float[Array, ""], dict[str, Float[Array, ""]]]:
    """Of a batch: the loss, and figures to watch (`marker`, root-relative error in mm)."""
    sight, truth = seen_by_cameras(moving, key, body, noise, network.markers)
    lifted, view = network(sight)
    mean = {name: jnp.mean(value) for name, value in figures(lifted, truth.turned(view.R_camera_view), moving.stature).items()}
    total = mean["position"] + config.velocity * mean["velocity"] + config.sigma * mean["sigma"]
    total = total + config.root * (mean["distance"] + mean["across"]) + config.floor * mean["floor"] + config.contact * mean["contact"]
    return total, mean


def figures(lifted: Lifted, truth: Truth, stature: Float[Array, " window"]) -> dict[str, Float[Array, "*n"]]:
    """How far off the network is, by what; lengths in statures but `marker` [mm]."""
    error = lifted.relative - truth.relative
    apart = length(error)
    sigma = jnp.exp(lifted.log_sigma)[..., jnp.array([0, 0, 1])]
    still = jax.lax.stop_gradient(error)
    own = jnp.log(sigma) + 0.5 * jnp.minimum((still / sigma) ** 2, 25.0)
    far = jnp.log(lifted.root[..., 2] / truth.root[..., 2])
    root_sigma = jnp.exp(lifted.root_log_sigma)
    own_root = lifted.root_log_sigma + 0.5 * jnp.minimum((jax.lax.stop_gradient(far) / root_sigma) ** 2, 25.0)
    across = lifted.root[..., :2] / lifted.root[..., 2:] * truth.root[..., 2:] - truth.root[..., :2]
    odds = lifted.contact
    return {
        "position": apart,
        "velocity": length(jnp.diff(error, axis=1)),
        "sigma": jnp.mean(own) + jnp.mean(own_root),
        "distance": jnp.abs(far),
        "across": length(across),
        "floor": jnp.abs(lifted.floor - truth.floor),
        "contact": jax.nn.softplus(odds) - truth.contact * odds,
        "marker": 1000.0 * jnp.mean(apart, (1, 2)) * stature,
    }


def seen_by_cameras(moving: Windows, key: PRNGKeyArray, body: Body, noise: Noise, markers: tuple[str, ...]) -> tuple[Sight, Truth]:
    """What simulated cameras and a pose estimator make of windows, and what is so, of the given markers, in the camera frame."""
    names = body.model.marker_names
    column = jnp.array([names.index(n) if n in names else 0 for n in NAMES])
    absent = jnp.array([n not in names for n in NAMES])
    lifting = jnp.array([names.index(n) for n in markers])
    hip_r, hip_l = names.index("hip_r"), names.index("hip_l")

    def one(moving: Windows, key: PRNGKeyArray) -> tuple[Sight, Truth]:
        points = jnp.where(absent[:, None], jnp.nan, moving.markers[:, column])
        where, what = jax.random.split(key)
        pose = place_camera(where, moving.markers)
        sight, lens = see(what, noise, pose, points, moving.time, (moving.stature, moving.mass))
        local = (moving.markers - pose.position) @ pose.R_camera_ground.T
        hips = 0.5 * (local[:, hip_r] + local[:, hip_l])
        # With a wrong lens, the place that the pixels tell is nearer or farther by as much.
        root = hips * jnp.stack([jnp.ones_like(lens), jnp.ones_like(lens), 1.0 / lens]) / moving.stature
        floor = 0.5 * (moving.markers[:, hip_r, 1] + moving.markers[:, hip_l, 1]) / moving.stature
        return sight, Truth((local[:, lifting] - hips[:, None]) / moving.stature, root, floor, moving.contact, pose.R_camera_ground)

    seen = jax.vmap(one)(moving, jax.random.split(key, len(moving.time)))
    return jax.tree.map(lambda a: a.astype(jnp.float32) if a.dtype == jnp.float64 else a, seen)


def length(v: Float[Array, "*n 3"]) -> Float[Array, "*n"]:
    """Of vectors; its slope has no pole at nothing."""
    return jnp.sqrt(jnp.sum(v**2, -1) + 1e-10)
