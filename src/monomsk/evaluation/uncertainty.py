"""Whether stated errors are those that are made: laboratory trials seen by a simulated camera, fitted, and held against the truth."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from jaxtyping import Bool, Float
from scipy.spatial.transform import Rotation

from monomsk.config import KinematicsConfig, KineticsConfig
from monomsk.datasets.forces import Case, MeasuredForces, reference
from monomsk.evaluation.forces import STANCE
from monomsk.evaluation.lifting import Seen, look_at, stretch_of
from monomsk.io.body import load_anatomy, load_body
from monomsk.kinematics.classic import fit
from monomsk.kinetics.classic import estimate
from monomsk.kinetics.uncertainty import drawn_variance, liveliness, with_spread
from monomsk.markers import learned, lift
from monomsk.model.spec import ModelSpec
from monomsk.networks import Networks
from monomsk.types import Kinetics, Motion, Subject, Trial

PELVIS = ("pelvis_list", "pelvis_rotation", "pelvis_tilt")
"""About the pelvis's own X, Y and Z."""
MOMENTS = ("hip_flexion", "knee_angle", "ankle_angle")
"""Whose moments are compared, without the side."""


@dataclass(frozen=True)
class Pairs:
    """Errors that were made and their standard deviations as stated, and what those of forces are made of."""

    error: Float[np.ndarray, " n"]
    stated: Float[np.ndarray, " n"]
    drawn: Float[np.ndarray, " n"]
    """The draws' part of it, before any factor; that of an angle is all of it."""
    lively: Float[np.ndarray, " n"]
    """Liveliness of the movement [body weights]; 0 for angles."""


def judge(case: Case, measured: MeasuredForces, networks: Networks | None, seed: int) -> dict[str, Pairs] | None:
    """Pairs by quantity of a trial seen from one side; None for a clip that is too short, or without an answer.

    Angles by the coordinate's name without the side [rad], `force vertical` and `force level` of feet that stand on plates [body weights],
    `moment knee_angle` and the like of their legs [body weights × height]. With networks the fit is started and held by them.
    """
    clip = replace(case.clip, q=case.motion.q)
    seen = next(look_at([clip], views=1, seed=seed), None)
    frames = stretch_of(clip)
    if seen is None or frames is None:
        return None
    if networks is None:
        markers, camera = lift.lift(seen.keypoints, seen.camera, seen.subject)
    else:
        markers, camera = learned.lift(seen.keypoints, seen.camera, seen.subject, networks.markers)
    body = replace(load_body(), muscles=(), wraps=())
    trial = Trial(seen.subject, keypoints=seen.keypoints, markers=markers, camera=camera, body=body)
    made = fit(trial, load_anatomy(), KinematicsConfig(), network=None if networks is None else networks.kinematics)
    turn = np.asarray(made.camera.R_camera_ground)
    way = partial(_kinetics, spec=made.body, subject=seen.subject)
    found = with_spread(way(made.motion), made.motion, way, seen.subject)
    variances = drawn_variance(made.motion, way)
    if variances is None:
        return None
    drawn = [np.sqrt(v) for v in variances]
    # The clip's axes in those of the run, by way of the camera.
    pelvis = _pelvis(tuple(clip.names), seen.q)
    to_run = turn.T @ seen.pelvis[0] @ pelvis[0].T
    truth = reference(case, measured)
    cut = replace(measured, force=measured.force[frames] @ to_run.T, known=measured.known[frames], time=measured.time[frames])
    return {
        **_angles(seen, made.motion, turn),
        **_forces(found, cut, drawn[1]),
        **_moments(found, replace(truth, tau=truth.tau[frames]), cut, drawn[0], seen.subject),
    }


def _kinetics(motion: Motion, spec: ModelSpec, subject: Subject) -> Kinetics:
    return estimate(motion, spec, subject, KineticsConfig())


def _pelvis(names: tuple[str, ...], q: Float[np.ndarray, "time nq"]) -> Float[np.ndarray, "time 3 3"]:
    column = [names.index(n) for n in ("pelvis_tilt", "pelvis_list", "pelvis_rotation")]
    return Rotation.from_euler("ZXY", q[:, column]).as_matrix()


def _angles(seen: Seen, motion: Motion, turn: Float[np.ndarray, "3 3"]) -> dict[str, Pairs]:
    """Joint angles, and the direction of the pelvis as the camera sees it: where a run faces is nobody's error."""
    assert motion.sigma is not None
    found: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {}
    for i, name in enumerate(motion.names):
        if motion.rotational[i] and name in seen.clip.names and not name.startswith("pelvis_") and motion.sigma[:, i].any():
            error = motion.q[:, i] - seen.q[:, seen.clip.names.index(name)]
            found.setdefault(name.removesuffix("_r").removesuffix("_l"), []).append((error, motion.sigma[:, i]))
    off = Rotation.from_matrix(seen.pelvis.swapaxes(1, 2) @ turn @ _pelvis(motion.names, motion.q)).as_rotvec()
    for k, name in enumerate(PELVIS):
        found[name] = [(off[:, k], motion.sigma[:, motion.names.index(name)])]
    return {name: _paired(pairs) for name, pairs in found.items()}


def _paired(pairs: Sequence[tuple[np.ndarray, np.ndarray]]) -> Pairs:
    error, stated = (np.concatenate([p[i] for p in pairs]) for i in (0, 1))
    return Pairs(error, stated, stated, np.zeros_like(stated))


def _stance(measured: MeasuredForces) -> Bool[np.ndarray, "time foot"]:
    return measured.known & (measured.force[..., 1] > STANCE)


def _forces(found: Kinetics, measured: MeasuredForces, drawn: Float[np.ndarray, "time foot 3"]) -> dict[str, Pairs]:
    assert found.force_sigma is not None
    weight, stance = measured.mass * 9.80665, _stance(measured)
    error, stated, alone = (found.force - measured.force) / weight, found.force_sigma / weight, drawn / weight
    lively = np.broadcast_to(liveliness(found, weight)[:, None], stance.shape)[stance]
    up = Pairs(error[..., 1][stance], stated[..., 1][stance], alone[..., 1][stance], lively)
    flat = [part[..., [0, 2]][stance].reshape(-1) for part in (error, stated, alone)]
    return {"force vertical": up, "force level": Pairs(flat[0], flat[1], flat[2], np.repeat(lively, 2))}


def _moments(
    found: Kinetics, truth: Kinetics, measured: MeasuredForces, drawn: Float[np.ndarray, "time nq"], subject: Subject
) -> dict[str, Pairs]:
    assert found.tau_sigma is not None
    stance, scale = _stance(measured), measured.mass * 9.80665 * subject.height
    lively = liveliness(found, measured.mass * 9.80665)
    pairs = {}
    for name in MOMENTS:
        sides = []
        for foot, side in enumerate("rl"):
            i, j, at = found.names.index(f"{name}_{side}"), truth.names.index(f"{name}_{side}"), stance[:, foot]
            error = (found.tau[:, i] - truth.tau[:, j]) / scale
            sides.append(np.stack([error, found.tau_sigma[:, i] / scale, drawn[:, i] / scale, lively])[:, at])
        pairs[f"moment {name}"] = Pairs(*np.concatenate(sides, axis=1))
    return pairs


def gathered(parts: Sequence[dict[str, Pairs]]) -> dict[str, Pairs]:
    """The pairs of several trials, one after the other."""
    names = dict.fromkeys(name for part in parts for name in part)
    fields = ("error", "stated", "drawn", "lively")
    return {n: Pairs(*(np.concatenate([getattr(p[n], f) for p in parts if n in p]) for f in fields)) for n in names}
