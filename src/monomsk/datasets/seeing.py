"""A simulated camera and pose estimator: what would be seen of a moving body, with errors as they were measured.

Cameras stand anywhere around the person, near and far, high and low, slightly tilted. Keypoints err by a bias a clip, part of it
in the picture and part of it in the body, slowly, from frame to frame and in bursts, neighbours together, and more so where the
body hides them; a hidden limb may be taken for the other one for seconds; sides change places for a while; parts fall out, or lie
outside the picture; and what is believed of lens and gravity is off. Pure functions of a key, for `jax.vmap`.
"""

import tomllib
from functools import cache
from importlib import resources
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from monomsk.datasets.hiding import hidden_by_body
from monomsk.keypoints.skeleton import LAYOUTS, LEGS, NAMES, mirror_order
from monomsk.markers.sight import Sight
from monomsk.model.sides import plain as plain_name
from monomsk.spatial import rotation

NEAREST, FARTHEST = 1.6, 8.0
"""Distance of the camera from where the person comes nearest [m]."""
STEEPEST = 40.0
"""Range of the angles by which cameras look down, from five degrees upwards [°]."""
LAYOUT_SHARES = {"mediapipe33": 0.6, "halpe26": 0.12, "openpose_body25": 0.1, "openpose_body25b": 0.08, "coco17": 0.1}
"""How often each format of keypoints is simulated."""
COMMON_MODE = 0.003
"""Error that all keypoints share [statures]."""
FOCAL_ERROR, GRAVITY_ERROR = 0.05, 0.04
"""Standard deviations of what is believed of the focal length (relative) and of gravity [rad]."""
IN_BODY = 0.7
"""Part of the bias that is fixed in the body, alike on both sides: another notion of where a joint is; the rest is fixed in the picture."""
LONGER, WIDER = 5.0, 1.5
"""What being hidden adds to the frames at 60 Hz that outliers last, and by how much it makes them larger."""
TAKEN, TAKEN_LONG = (0.005, 0.15), 90.0
"""Share of frames in which a limb is taken for the other one, plain and hidden, and how many frames at 60 Hz that lasts."""
LIMB_PARTS = (("elbow", "wrist", "index"), ("knee", "ankle", "heel", "big_toe", "small_toe"))
"""What is taken for the other side's together."""
TOWARDS = {"elbow": "shoulder", "wrist": "elbow", "index": "elbow", "knee": "hip", "ankle": "knee"}
TOWARDS |= {"heel": "knee", "big_toe": "knee", "small_toe": "knee"}
"""Where a part's axis points upwards to; those of others follow the trunk."""
FACELESS = 0.08
"""Share of clips in which no point of the face is told."""
FACE = ("nose", "eye", "ear")
LEG_SWAPS, BODY_FLIPS = 0.02, 0.01
"""Share of frames in which the sides of the legs, or of all, are exchanged after the repairs of `keypoints.sides`."""


class Noise(NamedTuple):
    """Numbers of `data/skeletons/simulated_noise.toml`, by keypoint in canonical order."""

    bias: Float[Array, "keypoint 2"]
    slow: Float[Array, " keypoint"]
    memory: Float[Array, " keypoint"]
    white: Float[Array, " keypoint"]
    outliers: Float[Array, " keypoint"]
    """Share of frames when plain."""
    lost: Float[Array, " keypoint"]
    """The same when hidden."""
    size: Float[Array, " keypoint"]
    burst: Float[Array, " keypoint"]
    mixing: Float[Array, "keypoint keypoint"]
    """Independent errors → errors that neighbours share."""
    plain: Float[Array, ""]
    hidden: Float[Array, ""]
    layouts: Bool[Array, "layout keypoint"]
    """Which keypoints each format has."""
    shares: Float[Array, " layout"]
    swaps: Float[Array, "2"]
    """Share of frames in which the sides of the legs, and of all, are exchanged."""
    taken: Float[Array, "2"]
    """Share of frames in which a plain limb, and a hidden one, is taken for the other."""


class Pose(NamedTuple):
    """Where a simulated camera stands."""

    R_camera_ground: Float[Array, "3 3"]
    position: Float[Array, "3"]
    """In the ground frame [m]."""


@cache
def load_noise() -> Noise:
    """The measured errors."""
    # Also when somebody asks for them while a program is being compiled, they are numbers.
    with jax.ensure_compile_time_eval():
        return _noise()


def _noise() -> Noise:
    table = tomllib.loads(resources.files("monomsk").joinpath("data/skeletons/simulated_noise.toml").read_text("utf-8"))
    part = [plain_name(name) for name in NAMES]
    rows = [table["part"][table["like"].get(p, p)] for p in part]
    mixing = jnp.eye(len(NAMES))
    for own, other, share in table["common"]["pairs"]:
        for i, name in enumerate(NAMES):
            if part[i] == own:
                side = name[len(own) :]
                j = next(j for j, n in enumerate(NAMES) if part[j] == other and n[len(other) :] in (side, ""))
                mixing = mixing.at[i].set(share * mixing[j]).at[i, i].set((1.0 - share**2) ** 0.5)
    layouts = [[name in LAYOUTS[layout] for name in NAMES] for layout in LAYOUT_SHARES]
    columns = {
        key: jnp.array([row[key] for row in rows], jnp.float32)
        for key in ("bias", "slow", "memory", "white", "outliers", "lost", "size", "burst")
    }
    seen = (jnp.float32(table["seen"][k]) for k in ("plain", "hidden"))
    return Noise(
        **columns,
        mixing=mixing.astype(jnp.float32),
        **dict(zip(("plain", "hidden"), seen, strict=True)),
        layouts=jnp.array(layouts),
        shares=jnp.array(list(LAYOUT_SHARES.values()), jnp.float32),
        swaps=jnp.array([LEG_SWAPS, BODY_FLIPS], jnp.float32),
        taken=jnp.array(TAKEN, jnp.float32),
    )


def white_noise() -> Noise:
    """What is often simulated instead: errors as large, but new in every frame, every keypoint for itself, and no sides exchanged."""
    real = load_noise()
    nothing = jnp.zeros_like(real.slow)
    size = jnp.sqrt(real.slow**2 + real.white**2 + jnp.mean(real.bias**2, -1))
    return real._replace(
        bias=jnp.zeros_like(real.bias),
        slow=nothing,
        white=size,
        outliers=nothing,
        lost=nothing,
        mixing=jnp.eye(len(size), dtype=size.dtype),
        plain=jnp.ones_like(real.plain),
        hidden=jnp.ones_like(real.hidden),
        swaps=jnp.zeros_like(real.swaps),
        taken=jnp.zeros_like(real.taken),
    )


def place_camera(key: PRNGKeyArray, points: Float[Array, "time keypoint 3"]) -> Pose:
    """A camera that looks at the person [m, ground]."""
    keys = jax.random.split(key, 6)
    middle = jnp.mean(points, (0, 1))
    # Nobody passes the camera: it stands beyond the way that they go.
    reach = jnp.max(jnp.linalg.norm((jnp.mean(points, 1) - middle)[:, jnp.array([0, 2])], axis=-1))
    distance = NEAREST * (FARTHEST / NEAREST) ** jax.random.uniform(keys[0]) + reach
    angle = 2.0 * jnp.pi * jax.random.uniform(keys[1])
    # Half of them are held or stand on a tripod, some lie or hang anywhere, and a third looks down (or up a little) by any angle.
    held = jnp.clip(1.2 + 0.4 * jax.random.normal(keys[2]), 0.2, 2.2)
    anywhere = 0.3 + 3.2 * jax.random.uniform(keys[2])
    steep = middle[1] + distance * jnp.tan(jnp.radians(STEEPEST * jax.random.uniform(keys[2]) - 5.0))
    kind = jax.random.uniform(keys[5])
    height = jnp.where(kind < 0.5, held, jnp.where(kind < 2.0 / 3.0, anywhere, jnp.maximum(steep, 0.2)))
    position = jnp.stack([middle[0] + distance * jnp.cos(angle), height, middle[2] + distance * jnp.sin(angle)])
    target = middle + jnp.array([0.25, 0.15, 0.25]) * jax.random.normal(keys[3], (3,))
    forward = (target - position) / jnp.linalg.norm(target - position)
    right = jnp.cross(forward, jnp.array([0.0, 1.0, 0.0]))
    right = right / jnp.linalg.norm(right)
    upright = jnp.stack([right, jnp.cross(forward, right), forward])
    roll = 0.03 * jax.random.normal(keys[4])
    return Pose(rotation.exp(roll * jnp.array([0.0, 0.0, 1.0])) @ upright, position)


def see(
    key: PRNGKeyArray,
    noise: Noise,
    pose: Pose,
    points: Float[Array, "time keypoint 3"],
    time: Float[Array, " time"],
    size: tuple[Float[Array, ""], Float[Array, ""]],
) -> tuple[Sight, Float[Array, ""]]:
    """Keypoints that an estimator makes of points of a body in the ground frame [m], and the believed focal length over the true one.

    `size` are height [m] and mass [kg]. Keypoints whose points are NaN are never seen.
    """
    there = jnp.all(jnp.isfinite(points), (0, 2))
    points = jnp.where(there[:, None], points, jnp.nanmean(points, 1, keepdims=True))
    keys = jax.random.split(key, 10)
    local = (points - pose.position) @ pose.R_camera_ground.T
    local = local.at[..., 2].set(jnp.maximum(local[..., 2], 0.3))
    severity = jnp.clip(jnp.exp(0.3 * jax.random.normal(keys[0])), 0.6, 1.6)
    frame = (time[1] - time[0]) * 60.0
    plain = _visibility(keys[1], local, size[0], frame)
    spread = severity * (noise.hidden + (noise.plain - noise.hidden) * plain)
    local = local + size[0] * IN_BODY * _misplaced(keys[8], noise, local)
    slope = local[..., :2] / local[..., 2:]
    unit = (size[0] / jnp.mean(local[..., 2:], 1))[:, 0]
    slope = _taken(keys[9], noise, slope, plain, frame) + unit[:, None, None] * _errors(keys[2], noise, spread, plain, frame)
    slope = _exchanged(keys[3], noise, slope, frame)
    seen, slope = _picture(keys[4], noise, slope, there, frame)
    # What the estimator's sigma is made of (`keypoints.noise`): the bias, which no frame shows, has no part in it.
    stated = jnp.sqrt(noise.slow**2 + noise.white**2) * spread
    stated = stated * jnp.exp(0.25 * jax.random.normal(keys[5], stated.shape))
    lens = jnp.exp(FOCAL_ERROR * jax.random.normal(keys[6]))
    tilt = GRAVITY_ERROR * jax.random.normal(keys[7], (3,)) * jnp.array([1.0, 0.0, 1.0])
    down = rotation.exp(tilt) @ (-pose.R_camera_ground[:, 1])
    return Sight(time, slope * lens, stated * unit[:, None] * lens, seen, down, *size), lens


def _switching(key: PRNGKeyArray, share: Float[Array, "*n"], length: Float[Array, "*n"], frames: int) -> Bool[Array, "time *n"]:
    """States that are on for a share of the time, `length` frames on the average each time."""
    return _varying(key, jnp.broadcast_to(share, (frames, *jnp.shape(share))), jnp.broadcast_to(length, (frames, *jnp.shape(share))))


def _varying(key: PRNGKeyArray, share: Float[Array, "time *n"], length: Float[Array, "time *n"]) -> Bool[Array, "time *n"]:
    """The same with shares and lengths that change."""
    first, later = jax.random.split(key)
    off = 1.0 / jnp.maximum(length, 1.0)
    on = jnp.minimum(off * share / (1.0 - share), 1.0)

    def step(state: Array, drawn: tuple[Array, Array, Array]) -> tuple[Array, Array]:
        draw, off, on = drawn
        state = jnp.where(state, draw >= off, draw < on)
        return state, state

    start = jax.random.uniform(first, share.shape[1:]) < share[0]
    return jax.lax.scan(step, start, (jax.random.uniform(later, share.shape), off, on))[1]


def _remembered(white: Float[Array, "time *n"], memory: Float[Array, "*n"]) -> Float[Array, "time *n"]:
    """A first-order autoregressive process of unit variance from white noise."""

    def step(state: Array, draw: Array) -> tuple[Array, Array]:
        state = memory * state + jnp.sqrt(1.0 - memory**2) * draw
        return state, state

    return jax.lax.scan(step, white[0], white)[1]


def _visibility(
    key: PRNGKeyArray, local: Float[Array, "time keypoint 3"], height: Float[Array, ""], frame: Float[Array, ""]
) -> Float[Array, "time keypoint"]:
    """How well every keypoint is seen, from 0 to 1: not what the body hides, and chance has its part."""
    chance = _remembered(jax.random.normal(key, local.shape[:2]), 0.95**frame)
    return jax.nn.sigmoid(3.0 - 6.0 * hidden_by_body(local, height) + 1.2 * chance)


def _misplaced(key: PRNGKeyArray, noise: Noise, local: Float[Array, "time keypoint 3"]) -> Float[Array, "time keypoint 3"]:
    """Another notion of where the joints are: shifts forwards, up and outwards, alike on both sides [statures], camera frame."""
    part = [plain_name(name) for name in NAMES]
    hip_r, hip_l, hips = (NAMES.index(n) for n in ("hip_r", "hip_l", "hip_mid"))
    upper = [TOWARDS.get(p, "neck") + (name[len(p) :] if p in TOWARDS else "") for p, name in zip(part, NAMES, strict=True)]
    lower = [k if p in TOWARDS else hips for k, p in enumerate(part)]
    up = _unit(local[:, jnp.array([NAMES.index(n) for n in upper])] - local[:, jnp.array(lower)])
    right = _unit((local[:, hip_r] - local[:, hip_l])[:, None] + 0.0 * up)
    ahead = _unit(jnp.cross(up, right))
    side = jnp.array([-1.0 if name.endswith("_l") else 1.0 for name in NAMES])
    same = jnp.array([part.index(p) for p in part])
    size = jax.random.normal(key, (len(NAMES), 3))[same] * noise.bias[:, jnp.array([0, 1, 0])]
    return size[:, :1] * ahead + size[:, 1:2] * up + (side * size[:, 2])[:, None] * right


def _unit(v: Float[Array, "*n 3"]) -> Float[Array, "*n 3"]:
    return v / jnp.sqrt(jnp.sum(v**2, -1, keepdims=True) + 1e-8)


def _taken(
    key: PRNGKeyArray, noise: Noise, slope: Float[Array, "time keypoint 2"], plain: Float[Array, "time keypoint"], frame: Float[Array, ""]
) -> Float[Array, "time keypoint 2"]:
    """Limbs that are seen where the other side's is, the more often the less they are seen themselves."""
    order = jnp.array(mirror_order(NAMES))
    for parts, drawn in zip(LIMB_PARTS, jax.random.split(key, len(LIMB_PARTS)), strict=True):
        for side, own in zip("rl", jax.random.split(drawn), strict=True):
            limb = jnp.array([name.endswith(f"_{side}") and plain_name(name) in parts for name in NAMES])
            seen = jnp.sum(plain * limb, 1) / jnp.sum(limb)
            switch, nearness = jax.random.split(own)
            share = noise.taken[1] + (noise.taken[0] - noise.taken[1]) * seen
            on = _varying(switch, share, jnp.broadcast_to(TAKEN_LONG / frame, share.shape))
            near = jax.random.uniform(nearness, minval=0.6, maxval=1.0)
            slope = jnp.where((on[:, None] & limb)[..., None], slope + near * (slope[:, order] - slope), slope)
    return slope


def _errors(
    key: PRNGKeyArray, noise: Noise, spread: Float[Array, "time keypoint"], plain: Float[Array, "time keypoint"], frame: Float[Array, ""]
) -> Float[Array, "time keypoint 2"]:
    """Errors of all keypoints [statures]."""
    keys = jax.random.split(key, 7)
    frames, count = spread.shape
    memory = noise.memory**frame
    slow = jnp.einsum("jk,tki->tji", noise.mixing, jax.random.normal(keys[0], (frames, count, 2)))
    slow = _remembered(slow, memory[:, None]) * noise.slow[:, None]
    white = jax.random.normal(keys[1], (frames, count, 2)) * noise.white[:, None]
    bias = (1.0 - IN_BODY**2) ** 0.5 * jax.random.normal(keys[2], (count, 2)) * noise.bias
    burst = _varying(keys[3], noise.lost + (noise.outliers - noise.lost) * plain, (noise.burst + LONGER * (1.0 - plain)) / frame)
    aim = _remembered(jax.random.normal(keys[4], (frames, count, 2)), jnp.full((count, 1), 0.9) ** frame)
    wild = (burst * (WIDER + (1.0 - WIDER) * plain))[..., None] * aim * (noise.size / 1.18)[:, None]
    common = _remembered(jax.random.normal(keys[5], (frames, 1, 2)), jnp.full((1, 1), 0.875) ** frame) * COMMON_MODE
    return (slow + white) * spread[..., None] + bias + wild + common


def _exchanged(
    key: PRNGKeyArray, noise: Noise, slope: Float[Array, "time keypoint 2"], frame: Float[Array, ""]
) -> Float[Array, "time keypoint 2"]:
    """Sides exchanged for a while: of the legs, or of all. Half of the clips have none of it."""
    keys = jax.random.split(key, 4)
    order = jnp.array(mirror_order(NAMES))
    legs = jnp.array([name.rpartition("_")[0] in LEGS for name in NAMES])
    often = 2.0 * jnp.where(jax.random.uniform(keys[0], (2,)) < 0.5, noise.swaps, 1e-6)
    swaps = _switching(keys[1], often[0], 6.0 / frame, len(slope))
    flips = _switching(keys[2], often[1], 15.0 / frame, len(slope))
    exchange = (swaps[:, None] & legs) ^ flips[:, None]
    return jnp.where(exchange[..., None], slope[:, order], slope)


def _picture(
    key: PRNGKeyArray, noise: Noise, slope: Float[Array, "time keypoint 2"], there: Bool[Array, " keypoint"], frame: Float[Array, ""]
) -> tuple[Bool[Array, "time keypoint"], Float[Array, "time keypoint 2"]]:
    """Which keypoints there are: in the format, in the picture, and not lost for a while."""
    keys = jax.random.split(key, 6)
    layout: Int[Array, ""] = jax.random.choice(keys[0], len(noise.shares), p=noise.shares)
    middle, reach = jnp.mean(slope, (0, 1)), jnp.max(jnp.abs(slope - jnp.mean(slope, (0, 1))), (0, 1))
    # One clip in six is cropped so that parts of the person leave the picture.
    tight = jax.random.uniform(keys[1]) < 1.0 / 6.0
    edge = reach * jnp.where(tight, jax.random.uniform(keys[2], (2,), minval=0.55, maxval=1.0), 2.0)
    inside = jnp.all(jnp.abs(slope - middle) < edge, -1)
    lost = _switching(keys[3], jnp.full(len(NAMES), 0.01), 12.0 / frame, len(slope))
    gone = _switching(keys[4], jnp.asarray(0.01), 15.0 / frame, len(slope))
    faceless = (jax.random.uniform(keys[5]) < FACELESS) & jnp.array([plain_name(name) in FACE for name in NAMES])
    seen = there & noise.layouts[layout] & inside & ~lost & ~gone[:, None] & ~faceless
    # Something is seen in the first frame, or there would be nothing to lift.
    seen = seen.at[0].set(there & noise.layouts[layout] & ~faceless)
    return seen, jnp.where(seen[..., None], slope, 0.0)
