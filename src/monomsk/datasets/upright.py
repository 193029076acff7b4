"""Where the pelvis of a recorded skeleton points, made the same for all sources.

Motion files of joints alone leave open how far the pelvis is tilted: every program that solved them put its own pelvis there, and
among the people of one source upright walking lies 20° apart. Of people with markers on the pelvis it is known. So each person's
pelvis is tilted about the line between the hips, thighs and trunk staying where they are, until it stands like theirs.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float
from scipy.spatial.transform import Rotation

from monomsk.datasets.corpus import MotionClip
from monomsk.datasets.fitting import generic_body
from monomsk.datasets.mocap import SOURCES
from monomsk.model.model import Model
from monomsk.physics.forward_kinematics import forward_kinematics

LEVEL = np.radians(2.0)
"""Tilt of the pelvis of people who stand or walk, where markers on it were measured: mean of the laboratory people of the corpus."""
STRAIGHT, ERECT = np.radians(60.0), np.radians(25.0)
"""People are upright with knees less bent than the one, and the trunk leaning less than the other."""
ENOUGH = 2.0
"""Of upright motion, to say how somebody's pelvis stands [s]."""
TURNS = ("pelvis_tilt", "pelvis_list", "pelvis_rotation")
BEARING = ("hip_flexion_r", "hip_flexion_l", "lumbar_extension")
"""Coordinates whose first turn is about the pelvis's Z."""


def levelled(clips: Sequence[MotionClip]) -> tuple[MotionClip, ...]:
    """The clips, those of recorded skeletons with pelvis, hips and lumbar spine turned against each other; others as they are."""
    skeletons = {source.name for source in SOURCES}
    tilts: dict[tuple[str, str], list[Float[np.ndarray, " frame"]]] = defaultdict(list)
    for clip in clips:
        if clip.origin.source in skeletons:
            tilts[clip.origin.source, clip.origin.person].append(_tilt(clip)[upright(clip)])
    if not tilts:
        return tuple(clips)
    rate = clips[0].rate
    own = {key: np.concatenate(parts) for key, parts in tilts.items()}
    known = {key: LEVEL - float(np.median(tilt)) for key, tilt in own.items() if len(tilt) >= ENOUGH * rate}
    usual = {s: float(np.median([v for (source, _), v in known.items() if source == s] or [0.0])) for s in skeletons}
    generic = generic_body()
    return tuple(
        tilted(clip, known.get((clip.origin.source, clip.origin.person), usual[clip.origin.source]), generic)
        if clip.origin.source in skeletons
        else clip
        for clip in clips
    )


def upright(clip: MotionClip) -> Bool[np.ndarray, " time"]:
    """Valid frames in which the person stands, walks or runs."""
    knees = clip.q[:, [clip.names.index(f"knee_angle_{side}") for side in "rl"]].max(1)
    trunk = _tilt(clip) + clip.q[:, clip.names.index("lumbar_extension")]
    return clip.valid & (knees < STRAIGHT) & (np.abs(trunk) < ERECT)


def _tilt(clip: MotionClip) -> Float[np.ndarray, " time"]:
    return clip.q[:, clip.names.index("pelvis_tilt")]


def tilted(clip: MotionClip, angle: float, generic: Model) -> MotionClip:
    """The clip with its pelvis turned by `angle` [rad] about the line between the hips; thighs and trunk keep their directions."""
    turns = [clip.names.index(n) for n in TURNS]
    slides = [clip.names.index(n) for n in ("pelvis_tx", "pelvis_ty", "pelvis_tz")]
    neutral = forward_kinematics(generic, generic.coordinate_default)
    hips = jnp.mean(jnp.stack([neutral.p[generic.body(f"femur_{side}")] for side in "rl"]), 0) - neutral.p[generic.body("pelvis")]
    hips = np.asarray(hips @ neutral.R[generic.body("pelvis")]) * clip.factors[clip.bodies.index("pelvis")]
    q = clip.q.astype(float)
    before = Rotation.from_euler("ZXY", q[:, turns])
    after = before * Rotation.from_euler("Z", angle)
    q[:, turns] = np.unwrap(after.as_euler("ZXY"), axis=0)
    q[:, slides] += before.apply(hips) - after.apply(hips)
    q[:, [clip.names.index(n) for n in BEARING]] -= angle
    return replace(clip, q=q.astype(np.float32))
