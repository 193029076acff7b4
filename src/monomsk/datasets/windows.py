"""Windows of motion for training, made on the fly: clips packed into arrays, and every window another body, tempo and mixture.

A draw says which frames of which clips and how they are changed (NumPy, from a seed); `windows` carries it out for a batch in
JAX. Contacts are those of the clip whose legs are seen.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from monomsk.datasets.augment import LIMBS
from monomsk.datasets.corpus import MotionClip
from monomsk.errors import InputError
from monomsk.model.anatomy import Anatomy
from monomsk.model.model import Model, complete
from monomsk.model.scale import Segments, scale_model
from monomsk.model.sides import ACROSS, other_side, plain
from monomsk.physics.forward_kinematics import forward_kinematics, marker_positions, points_on_bodies
from monomsk.spatial import rotation

WAVES = 4
"""Sines in a slow disturbance of an angle."""
UNKNOWN_INDEX = 23.0
"""Body mass index where a clip does not know the mass [kg/m²]."""


@dataclass(frozen=True)
class WindowsConfig:
    """How windows are drawn and changed."""

    frames: int = 40
    """Frames of a window."""
    slowest: float = 18.0
    """Least frame rate [Hz]."""
    fastest: float = 32.0
    """Greatest frame rate [Hz]."""
    speed: float = 0.2
    """Standard deviation of the logarithm of the playing speed."""
    mixed: float = 0.4
    """Share of windows with the trunk and arms of another clip."""
    disturbed: float = 0.6
    """Share of windows with slowly changed angles."""
    arms: float = 0.65
    """Standard deviation of that change for arms [rad]."""
    legs: float = 0.28
    """For legs [rad]."""
    trunk: float = 0.15
    """For the trunk [rad]."""
    wildness: float = 0.5
    """Standard deviation of the logarithm of a limb's share of all three: most windows are disturbed little, some much."""
    lean: float = 0.08
    """For the body as a whole, about the floor under it [rad]."""
    build: float = 0.7
    """Spread of segment lengths, relative to that among people of one stature."""
    stature: float = 0.05
    """Standard deviation of the logarithm of the change of stature."""


class Pack(NamedTuple):
    """Clips one after the other."""

    q: Float[Array, "frame nq"]
    contact: Float[Array, "frame 4"]
    factors: Float[Array, "clip body 3"]


class Draw(NamedTuple):
    """What is chosen for a batch."""

    clip: Int[np.ndarray, " window"]
    first: Float[np.ndarray, " window"]
    """Place of the first frame in the pack, in its frames."""
    step: Float[np.ndarray, " window"]
    """Frames of the pack from one of the window to the next."""
    last: Float[np.ndarray, " window"]
    """Place of the clip's last frame, which longer windows hold."""
    other: Float[np.ndarray, " window"]
    """Place of the first frame of the clip whose trunk and arms are taken."""
    other_last: Float[np.ndarray, " window"]
    mixed: Bool[np.ndarray, " window"]
    mirrored: Bool[np.ndarray, " window"]
    rate: Float[np.ndarray, " window"]
    """Frames per second of the window [Hz]."""
    index: Float[np.ndarray, " window"]
    """Body mass index [kg/m²]."""
    key: Int[np.ndarray, " window"]
    """Seed of everything else."""


class Windows(NamedTuple):
    """A batch of moving bodies."""

    time: Float[Array, "window time"]
    """[s]"""
    q: Float[Array, "window time nq"]
    markers: Float[Array, "window time marker 3"]
    """Ground frame [m]."""
    contact: Float[Array, "window time 4"]
    factors: Float[Array, "window body 3"]
    stature: Float[Array, " window"]
    """[m]"""
    mass: Float[Array, " window"]
    """[kg]"""


@dataclass(frozen=True)
class Source:
    """The clips of a corpus, ready to be drawn from."""

    pack: Pack
    start: Int[np.ndarray, " clip"]
    count: Int[np.ndarray, " clip"]
    index: Float[np.ndarray, " clip"]
    """Body mass index."""
    share: Float[np.ndarray, " clip"]
    """How often each is drawn: its length, less the longer its kind is."""
    donors: Int[np.ndarray, " donor"]
    """Clips whose trunk and arms were measured."""
    whole: Bool[np.ndarray, " clip"]
    rate: float
    names: tuple[str, ...] = field(default=())


def pack_clips(clips: Sequence[MotionClip], *, shortest: float = 1.0) -> Source:
    """Pack the clips of at least `shortest` seconds that are valid throughout long enough; stretches in between are left out.

    Raises InputError when none is left, or their coordinates or rates differ.
    """
    q, contact, factors, index, kinds, whole = [], [], [], [], [], []
    for clip in clips:
        if clip.names != clips[0].names or abs(clip.rate - clips[0].rate) > 1e-6:
            raise InputError(f"clip {clip.key} has other coordinates or another frame rate than {clips[0].key}")
        edges = np.flatnonzero(np.diff(np.concatenate([[0], clip.valid.astype(int), [0]])))
        for low, high in edges.reshape(-1, 2):
            if high - low >= shortest * clip.rate:
                q.append(clip.q[low:high])
                contact.append(clip.contact[low:high])
                factors.append(clip.factors)
                index.append(clip.mass / clip.stature**2 if np.isfinite(clip.mass) else UNKNOWN_INDEX)
                kinds.append(f"{clip.origin.source} {clip.origin.activity}")
                whole.append(all(clip.measured[i] for i, n in enumerate(clip.names) if plain(n) in NEEDED))
    if not q:
        raise InputError(f"none of {len(clips)} clips is valid for {shortest:g} s: make the corpus with more or longer motion")
    count = np.array([len(part) for part in q])
    total = {kind: sum(n for n, k in zip(count, kinds, strict=True) if k == kind) for kind in set(kinds)}
    share = np.array([n / total[k] ** 0.5 for n, k in zip(count, kinds, strict=True)])
    pack = Pack(
        jnp.asarray(np.concatenate(q), jnp.float32),
        jnp.asarray(np.concatenate(contact), jnp.float32),
        jnp.asarray(np.stack(factors), jnp.float32),
    )
    start = np.concatenate([[0], np.cumsum(count)[:-1]])
    donors = np.flatnonzero(whole) if any(whole) else np.arange(len(count))
    return Source(pack, start, count, np.array(index), share / share.sum(), donors, np.array(whole), clips[0].rate, clips[0].names)


NEEDED = ("arm_flex", "arm_add", "elbow_flex", "lumbar_extension")
"""Coordinates that a clip must show to lend its upper body."""
ABOVE = (*LIMBS["arms"], *LIMBS["trunk"], "wrist_flex", "wrist_dev")
"""Coordinates that another clip may lend."""


def draw(source: Source, size: int, config: WindowsConfig, random: np.random.Generator) -> Draw:
    """Choose a batch of windows. Upper bodies that were not measured are always another's."""
    clip = random.choice(len(source.count), size, p=source.share)
    rate = np.exp(random.uniform(np.log(config.slowest), np.log(config.fastest), size))
    step = source.rate / rate * np.exp(config.speed * random.normal(size=size))

    def first(which: Int[np.ndarray, " window"]) -> Float[np.ndarray, " window"]:
        room = np.maximum(source.count[which] - 1 - step * (config.frames - 1), 0.0)
        return source.start[which] + random.uniform(size=size) * room

    lender = random.choice(source.donors, size)
    return Draw(
        clip=clip,
        first=first(clip),
        step=step,
        last=(source.start + source.count - 1)[clip],
        other=first(lender),
        other_last=(source.start + source.count - 1)[lender],
        mixed=(random.uniform(size=size) < config.mixed) | ~source.whole[clip],
        mirrored=random.uniform(size=size) < 0.5,
        rate=rate,
        index=np.clip(source.index[clip] * np.exp(0.08 * random.normal(size=size)), 16.0, 40.0),
        key=random.integers(0, 2**31, size),
    )


class Body(NamedTuple):
    """What `windows` must know of the generic body: compiled in single precision, and where things are in it."""

    model: Model
    above: Bool[Array, " nq"]
    order: Int[Array, " nq"]
    """The other side's coordinate."""
    sign: Float[Array, " nq"]
    bodies: Int[Array, " body"]
    spread: Float[Array, " nq"]
    """Disturbance of every angle [rad]."""
    limb: Int[Array, " nq"]
    """Number of the limb that a coordinate belongs to."""
    build: Float[Array, " segment"]
    segments: Segments
    height: int
    """Column of the pelvis's height."""
    head: int
    sole: int


def body_of(model: Model, anatomy: Anatomy, config: WindowsConfig) -> Body:
    """Prepare the generic body; its markers are those that windows have, `head_top` and `sole_r` among them."""
    names, bodies = model.coordinate_names, model.body_names
    described, segments = anatomy.segments_of(model)
    by_limb = {"arms": config.arms, "legs": config.legs, "trunk": config.trunk}
    spread = [next((by_limb[limb] for limb, members in LIMBS.items() if plain(n) in members), 0.0) for n in names]
    single = jax.tree.map(lambda a: a.astype(jnp.float32) if eqx.is_inexact_array(a) else a, model)
    return Body(
        model=single,
        above=jnp.array([plain(n) in ABOVE for n in names]),
        order=jnp.array([names.index(other_side(n)) for n in names]),
        sign=jnp.array([-1.0 if n in ACROSS else 1.0 for n in names], jnp.float32),
        bodies=jnp.array([bodies.index(other_side(b)) for b in bodies]),
        spread=jnp.array(spread, jnp.float32),
        limb=jnp.array([_limb(n) for n in names]),
        build=config.build * jnp.array([s.spread for s in described], jnp.float32),
        segments=segments,
        height=names.index("pelvis_ty"),
        head=model.marker_names.index("head_top"),
        sole=model.marker_names.index("sole_r"),
    )


def _limb(name: str) -> int:
    """Right arm, left arm, right leg, left leg, all the rest."""
    limb = next((i for i, limb in enumerate(("arms", "legs")) if plain(name) in LIMBS[limb]), None)
    return 4 if limb is None else 2 * limb + name.endswith("_l")


def windows(body: Body, pack: Pack, drawn: Draw, config: WindowsConfig) -> Windows:
    """Carry out a draw; for `jax.jit` with body and configuration enclosed."""
    single = jax.tree.map(lambda a: jnp.asarray(a, jnp.float32 if jnp.issubdtype(a.dtype, jnp.floating) else a.dtype), drawn)
    return jax.vmap(partial(_window, body, pack, config))(single)


def _window(body: Body, pack: Pack, config: WindowsConfig, drawn: Draw) -> Windows:
    keys = jax.random.split(jax.random.key(drawn.key), 4)
    frames = jnp.arange(config.frames)
    place = jnp.minimum(drawn.first + drawn.step * frames, drawn.last)
    lent = jnp.minimum(drawn.other + drawn.step * frames, drawn.other_last)
    q = jnp.where(body.above & drawn.mixed, _played(pack.q, lent), _played(pack.q, place))
    contact = pack.contact[jnp.round(place).astype(int)]
    factors = pack.factors[drawn.clip]
    time = frames / drawn.rate
    q = _leaning(keys[3], _disturbed(keys[0], body, q, time, config), time, config)
    q = jnp.where(drawn.mirrored, q[:, body.order] * body.sign, q)
    contact = jnp.where(drawn.mirrored, contact[:, jnp.array([2, 3, 0, 1])], contact)
    factors = jnp.where(drawn.mirrored, factors[body.bodies], factors)
    own = body.segments.factors(body.model, body.build * jax.random.normal(keys[1], body.build.shape, jnp.float32))
    sized = factors * own * jnp.exp(config.stature * jax.random.normal(keys[2], dtype=jnp.float32))
    model = scale_model(body.model, sized, jnp.float32(1.0))
    neutral = marker_positions(model, forward_kinematics(model, complete(model, model.coordinate_default)))
    stature = neutral[body.head, 1] - neutral[body.sole, 1]
    q = jax.vmap(partial(complete, model))(q)
    poses = jax.vmap(partial(forward_kinematics, model))(q)
    markers = jax.vmap(partial(marker_positions, model))(poses)
    soles = jax.vmap(lambda p: points_on_bodies(p, model.contact_body, model.contact_location)[:, 1] - model.contact_radius)(poses)
    # The floor is where the lowest sole gets to; flights stay flights.
    lift = -jnp.min(soles)
    q = q.at[:, body.height].add(lift)
    return Windows(time, q, markers.at[..., 1].add(lift), contact, sized, stature, jnp.asarray(drawn.index) * stature**2)


def _played(q: Float[Array, "frame nq"], place: Float[Array, " time"]) -> Float[Array, "time nq"]:
    """Between the frames, along straight lines."""
    low = jnp.clip(jnp.floor(place).astype(int), 0, len(q) - 2)
    share = jnp.clip(place - low, 0.0, 1.0)[:, None].astype(q.dtype)
    return (1.0 - share) * q[low] + share * q[low + 1]


def _disturbed(
    key: PRNGKeyArray, body: Body, q: Float[Array, "time nq"], time: Float[Array, " time"], config: WindowsConfig
) -> Float[Array, "time nq"]:
    """Angles that go slowly astray, each on its own, within their ranges."""
    keys = jax.random.split(key, 4)
    count = q.shape[1]
    wave = _waves(keys[0], time, count)
    chosen = jax.random.uniform(keys[1], (count,)) < 0.7
    wild = jnp.exp(config.wildness * jax.random.normal(keys[3], (5,), jnp.float32))[body.limb]
    size = body.spread * wild * chosen * (jax.random.uniform(keys[2]) < config.disturbed)
    low, high = body.model.coordinate_range[:, 0], body.model.coordinate_range[:, 1]
    return jnp.clip(q + (size * wave).astype(q.dtype), jnp.minimum(low, q), jnp.maximum(high, q))


def _leaning(key: PRNGKeyArray, q: Float[Array, "time nq"], time: Float[Array, " time"], config: WindowsConfig) -> Float[Array, "time nq"]:
    """The body swaying slowly about the floor under the pelvis."""
    keys = jax.random.split(key)
    size = config.lean * (jax.random.uniform(keys[0]) < config.disturbed)
    sway = size * _waves(keys[1], time, 2)
    R = rotation.exp(jnp.stack([sway[:, 0], jnp.zeros_like(time), sway[:, 1]], -1))
    # The pelvis's coordinates come first: three turns, then the place.
    turned = R @ rotation.from_zxy(q[:, :3])
    place = jnp.stack([q[:, 3], jnp.zeros_like(time), q[:, 5]], -1) + R[..., 1] * q[:, 4:5]
    return q.at[:, :6].set(jnp.concatenate([rotation.zxy(turned), place], -1).astype(q.dtype))


def _waves(key: PRNGKeyArray, time: Float[Array, " time"], count: int) -> Float[Array, "time wave"]:
    """So many slow movements, each a sum of sines with a mean square of one."""
    keys = jax.random.split(key)
    speed = 2.0 * jnp.pi * jax.random.uniform(keys[0], (WAVES, count), minval=0.05, maxval=0.6)
    phase = 2.0 * jnp.pi * jax.random.uniform(keys[1], (WAVES, count))
    return jnp.sum(jnp.sin(time[:, None, None] * speed + phase), 1) * (2.0 / WAVES) ** 0.5
