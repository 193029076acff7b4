"""Training of the inverse dynamics transformer on laboratory trials whose plates say what it should have said."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from monomsk.datasets.fitting import generic_body
from monomsk.datasets.lessons import Lesson, Target
from monomsk.errors import InputError
from monomsk.kinematics.transformer import ROOT
from monomsk.kinetics.learned import FRAMES, UNTOLD, mirrored
from monomsk.kinetics.transformer import WHOLE, DynamicsTransformer, Effort, Ground
from monomsk.nn.transformer import Shape
from monomsk.training.loop import Schedule, Tell, started, train
from monomsk.training.markers import length

CERTAIN = 0.02
"""Load from which a centre of pressure counts [body weights]."""
RARE = 0.75
"""How far sources with few frames are drawn more often: 0 as many as there are, 1 every source alike."""
LEG = ("hip", "knee", "ankle")
"""How the names of a leg's coordinates begin."""


@dataclass(frozen=True)
class LossConfig:
    """Weights of what the network is told off for."""

    force: float = 1.0
    """Force on each foot [body weights]."""
    moment: float = 3.0
    """Its moment about hip, knee and ankle, against what it truly was [body weights × statures]."""
    cop: float = 5.0
    """Centre of pressure [statures], the more the more it carries."""
    twist: float = 10.0
    """Free moment [body weights × statures]."""
    contact: float = 0.1
    """Contact of the feet."""
    sigma: float = 0.01
    """Uncertainty that is not what the errors are like."""


@dataclass(frozen=True)
class CloudConfig:
    """What is kept from the network, so that it does not learn people by heart."""

    hidden: float = 0.2
    """Share of windows in which each of posture, speeds, accelerations, the soles' speeds and the second look is hidden."""
    untold: float = 0.3
    """Share in which nothing is said of how sure the posture is."""
    posture: float = 0.06
    """Constant errors of the posture [rad]."""


@dataclass(frozen=True)
class DynamicsTraining:
    """Everything about a training of the inverse dynamics transformer."""

    shape: Shape = field(default_factory=lambda: Shape(width=128, heads=4, depth=3))
    loss: LossConfig = field(default_factory=LossConfig)
    clouds: CloudConfig = field(default_factory=CloudConfig)
    schedule: Schedule = field(default_factory=lambda: Schedule(steps=4000, batch=32, weight_decay=0.3))
    copies: int = 2
    """Shaken copies of every trial."""
    imitations: int = 60
    """Clips of other movements that teach how errors look."""


class Pack(NamedTuple):
    """Lessons one after the other."""

    effort: Effort
    """Height and mass a lesson, everything else a frame."""
    target: Target


class Draw(NamedTuple):
    """What is chosen for a batch."""

    lesson: Int[np.ndarray, " window"]
    first: Int[np.ndarray, " window"]
    mirrored: Bool[np.ndarray, " window"]


@dataclass(frozen=True)
class Source:
    """Lessons, ready to be drawn from."""

    pack: Pack
    start: Int[np.ndarray, " lesson"]
    count: Int[np.ndarray, " lesson"]
    share: Float[np.ndarray, " lesson"]


def coordinates() -> tuple[str, ...]:
    """Those that the network is shown: the pelvis's lean, and the legs. Not the trunk and the arms, of which many sources show nothing
    (what they do is in the force that the motion needs), nor the joints in the feet, which `monomsk run` does not move."""
    model = generic_body()
    free = [model.coordinate_names[i] for i in model.free if i >= ROOT]
    return ("pelvis_tilt", "pelvis_list", *(name for name in free if name.startswith(LEG)))


def train_dynamics(
    lessons: Sequence[Lesson], config: DynamicsTraining, folder: Path, tell: Tell, start: DynamicsTransformer | None = None
) -> DynamicsTransformer:
    """Train an inverse dynamics transformer; otherwise as `markers.train_markers`. Raises InputError when there are no lessons."""
    source = pack_lessons(lessons)
    network = DynamicsTransformer(coordinates(), generic_body().contact_names, config.shape, jax.random.key(config.schedule.seed))
    network = network if start is None else started(network, start)

    def told(network: DynamicsTransformer, drawn: Draw, key: PRNGKeyArray) -> tuple[Float[Array, ""], dict[str, Float[Array, ""]]]:
        effort, target = windows(source.pack, drawn, network)
        return loss(network, clouded(effort, config.clouds, key), target, config.loss)

    batch = config.schedule.batch
    return train(network, told, lambda step, random: draw(source, batch, random), config.schedule, folder, tell)


def pack_lessons(lessons: Sequence[Lesson]) -> Source:
    """Put lessons together that are long enough and say something. Raises InputError when there are none."""
    kept = [lesson for lesson in lessons if len(lesson.effort.time) >= FRAMES and lesson.target.known.any()]
    if not kept:
        raise InputError(
            f"none of {len(lessons)} trials with measured forces is {FRAMES} frames long: give --root with kinetics/trials.csv"
        )
    kinds: dict[str, float] = defaultdict(float)
    names = [f"{lesson.origin.source} {lesson.effort.trunk}" for lesson in kept]
    known = np.array([float(lesson.target.known.mean()) * len(lesson.effort.time) for lesson in kept])
    for name, n in zip(names, known, strict=True):
        kinds[name] += n
    share = np.array([n / kinds[name] ** RARE for name, n in zip(names, known, strict=True)])
    count = np.array([len(lesson.effort.time) for lesson in kept])

    def joined(parts: list[Any], name: str) -> Any:
        return jnp.asarray(np.stack(parts) if name in WHOLE else np.concatenate(parts))

    effort = Effort(**{n: joined([getattr(lesson.effort, n) for lesson in kept], n) for n in Effort._fields})
    target = Target(**{n: joined([getattr(lesson.target, n) for lesson in kept], n) for n in Target._fields})
    return Source(Pack(effort, target), np.concatenate([[0], np.cumsum(count)[:-1]]), count, share / share.sum())


def draw(source: Source, size: int, random: np.random.Generator) -> Draw:
    """Choose a batch of windows."""
    lesson = random.choice(len(source.count), size, p=source.share)
    room = source.count[lesson] - FRAMES
    first = source.start[lesson] + np.floor(random.uniform(size=size) * (room + 1)).astype(int)
    return Draw(lesson, first, random.uniform(size=size) < 0.5)


def windows(pack: Pack, drawn: Draw, network: DynamicsTransformer) -> tuple[Effort, Target]:
    """Carry out a draw."""
    frames = jnp.asarray(drawn.first)[:, None] + jnp.arange(FRAMES)
    taken = {n: v[drawn.lesson] if n in WHOLE else v[frames] for n, v in pack.effort._asdict().items()}
    effort = Effort(**taken)._replace(time=taken["time"] - taken["time"][:, :1])
    target = jax.tree.map(lambda v: v[frames], pack.target)
    other = mirrored(effort, network)
    flip = jnp.array([1.0, 1.0, -1.0], jnp.float32)
    turned = Target(
        force=target.force[:, :, ::-1] * flip,
        cop=target.cop[:, :, ::-1] * flip,
        twist=-target.twist[:, :, ::-1],
        known=target.known[:, :, ::-1],
        whole=target.whole,
        joint=target.joint[:, :, ::-1] * flip,
        moment=target.moment[:, :, ::-1] * -flip,
    )

    def chosen(a: Array, b: Array) -> Array:
        return jnp.where(jnp.asarray(drawn.mirrored).reshape(-1, *[1] * (a.ndim - 1)), b, a)

    return jax.tree.map(chosen, effort, other), jax.tree.map(chosen, target, turned)


def clouded(effort: Effort, config: CloudConfig, key: PRNGKeyArray) -> Effort:
    """Windows of which something is hidden."""
    names = ("posture", "speed", "acceleration", "velocity", "quick")
    keys = jax.random.split(key, len(names) + 2)
    count = len(effort.time)

    def some(key: PRNGKeyArray, share: float, like: Array) -> Array:
        return jax.random.bernoulli(key, share, (count, *[1] * (like.ndim - 1)))

    error = config.posture * jax.random.normal(keys[-1], (count, 1, effort.posture.shape[-1]), jnp.float32)
    effort = effort._replace(
        posture=effort.posture + error, sigma=jnp.where(some(keys[-2], config.untold, effort.sigma), UNTOLD, effort.sigma)
    )
    empty = {name: jnp.zeros_like(getattr(effort, name)) for name in names[:-1]} | {"quick": effort.needed}
    shown = {n: jnp.where(some(k, config.hidden, e), e, getattr(effort, n)) for k, (n, e) in zip(keys, empty.items(), strict=False)}
    return effort._replace(**shown)


def loss(
    network: DynamicsTransformer, effort: Effort, target: Target, config: LossConfig
) -> tuple[Float[Array, ""], dict[str, Float[Array, ""]]]:
    """Of a batch: the loss, and figures to watch (`vertical`, in % of body weight while a foot carries)."""
    mean = figures(network(effort), target)
    total = config.force * mean["force"] + config.moment * mean["moment"] + config.cop * mean["place"]
    return total + config.twist * mean["twist"] + config.contact * mean["contact"] + config.sigma * mean["sigma"], mean


def figures(said: Ground, target: Target) -> dict[str, Float[Array, ""]]:
    """How far off the network is, means over what is known."""
    known = jnp.asarray(target.known, jnp.float32)
    load = jnp.asarray(target.force)[..., 1]
    stands = known * (load > CERTAIN)

    def mean(value: Array, weight: Array) -> Array:
        return jnp.sum(value * weight) / jnp.maximum(jnp.sum(weight), 1.0)

    off = said.force - target.force
    aside = (said.cop - target.cop) * jnp.array([1.0, 0.0, 1.0], jnp.float32)
    moment = jnp.cross(said.cop[..., None, :] - target.joint, said.force[..., None, :])
    sigma = jnp.exp(said.log_sigma)
    still = jax.lax.stop_gradient(jnp.concatenate([jnp.abs(off), length(aside)[..., None]], -1))
    own = said.log_sigma + jnp.abs(still) / sigma
    touches = (load > CERTAIN).astype(jnp.float32)
    return {
        "force": mean(jnp.sum(jnp.abs(off), -1), known),
        "moment": mean(jnp.sum(jnp.abs(moment - target.moment), (-2, -1)) / moment.shape[-2], known),
        "place": mean(length(aside) * jnp.minimum(load, 1.0), stands),
        "twist": mean(jnp.abs(said.twist - target.twist), stands),
        "contact": mean(jax.nn.softplus(said.contact) - touches * said.contact, known),
        "sigma": mean(jnp.sum(own * jnp.array([1.0, 1.0, 1.0, 0.0]), -1), known) + mean(own[..., 3], stands),
        "vertical": 100.0 * mean(jnp.abs(off[..., 1]), stands),
        "fore_aft": 100.0 * mean(jnp.abs(off[..., 0]), stands),
    }
