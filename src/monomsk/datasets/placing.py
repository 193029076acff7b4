"""Where a laboratory trial's own frame lies in the frame of its fitted clip.

Fitting lowers a trial to a floor at height 0, begins it above the origin and undoes a treadmill's belt; it turns nothing. What was
measured in the laboratory follows with the same shift. A clip does not keep the shift: it is found again from the markers.
"""

from dataclasses import dataclass, replace

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from monomsk.datasets.corpus import MotionClip
from monomsk.datasets.points import Point
from monomsk.datasets.recording import Recording, at_rate
from monomsk.errors import InputError
from monomsk.model.model import Model, complete
from monomsk.physics.forward_kinematics import Poses, forward_kinematics

POSES = 60
"""Frames from which the shift is found, spread over the clip."""
MARKER_SIGMA = 0.015
"""Usual distance of a marker from the fitted body [m]."""
ROUNDS = 6
"""Of weighing down markers that lie far off."""
TRUSTED = 0.02
"""Distance between markers and body beyond which the two are not of one trial [m], median."""


@dataclass(frozen=True)
class Placement:
    """Shift from the laboratory to the clip: clip = laboratory + offset + speed · time along X."""

    offset: Float[np.ndarray, "3"]
    """[m]"""
    speed: float
    """Of the belt that was undone [m/s]; 0 on firm ground."""
    distance: float
    """Median distance of the shifted markers from the body [m]."""
    points: tuple[Point, ...]
    """The trial's points, where they sit on the clip's body."""

    def of(self, time: Float[np.ndarray, " time"]) -> Float[np.ndarray, "time 3"]:
        """The shift at times of the clip [s, m]."""
        return self.offset + np.outer(time, [self.speed, 0.0, 0.0])


def place(clip: MotionClip, recording: Recording, points: tuple[Point, ...], body: Model) -> Placement:
    """The shift that brings the trial's markers onto the clip's body; `body` is the clip's, `points` lie on the generic one.

    Markers may sit where they like on their bodies, near their usual places: those and the shift are one least-squares problem.
    Raises InputError when clip and trial do not belong together.
    """
    markers = at_rate(recording.markers, clip.rate)
    column = {name: i for i, name in enumerate(markers.names)}
    known = [p for p in points if p.name in column]
    if len(markers.time) != len(clip.time) or len(known) < 6:
        raise InputError(f"{recording.key}: {len(markers.time)} frames and {len(known)} known points are not the clip's {len(clip.time)}")
    chosen = np.unique(np.linspace(0, len(clip.time) - 1, POSES).round().astype(int))
    poses = _poses(body, jnp.asarray(clip.q[chosen], float))
    R, p = np.asarray(poses.R), np.asarray(poses.p)
    columns = [column[k.name] for k in known]
    seen = np.isfinite(markers.sigma[chosen][:, columns]) & np.isfinite(markers.xyz[chosen][:, columns]).all(-1)
    xyz = np.where(seen[..., None], markers.xyz[chosen][:, columns], 0.0)
    index = [body.body(k.body) for k in known]
    usual = np.array([k.location for k in known]) * clip.factors[index]
    spread = np.array([k.spread for k in known])
    problem = _Problem(R[:, index], p[:, index], xyz, seen, usual, spread, clip.time[chosen], recording.treadmill)
    offset, speed, distance, location = problem.solved()
    if not distance < TRUSTED:
        raise InputError(f"{recording.key}: its markers stay {1e3 * distance:.0f} mm from the clip's body: they are not of one trial")
    found = tuple(replace(k, location=(float(x), float(y), float(z))) for k, (x, y, z) in zip(known, location, strict=True))
    return Placement(offset, speed, distance, found)


@eqx.filter_jit
def _poses(model: Model, q: Float[Array, "time nq"]) -> Poses:
    return jax.vmap(lambda row: forward_kinematics(model, complete(model, row)))(q)


@dataclass(frozen=True)
class _Problem:
    """Least squares over the markers' places on their bodies, the shift and the belt."""

    R: Float[np.ndarray, "pose marker 3 3"]
    p: Float[np.ndarray, "pose marker 3"]
    xyz: Float[np.ndarray, "pose marker 3"]
    seen: Bool[np.ndarray, "pose marker"]
    usual: Float[np.ndarray, "marker 3"]
    spread: Float[np.ndarray, " marker"]
    time: Float[np.ndarray, " pose"]
    moving: bool

    def solved(self) -> tuple[Float[np.ndarray, "3"], float, float, Float[np.ndarray, "marker 3"]]:
        """Offset [m], speed [m/s], the median distance left [m] and the markers' places on their bodies [m]."""
        poses, count = self.seen.shape
        design = np.zeros((poses, count, 3, 3 * count + 3 + self.moving))
        for k in range(count):
            design[:, k, :, 3 * k : 3 * k + 3] = self.R[:, k]
        design[..., 3 * count : 3 * count + 3] = -np.eye(3)
        if self.moving:
            design[:, :, 0, -1] = -self.time[:, None]
        target = self.xyz - self.p - np.einsum("tkij,kj->tki", self.R, self.usual)
        prior = np.repeat(1.0 / self.spread**2, 3)
        weight, x = self.seen / MARKER_SIGMA**2, np.zeros(design.shape[-1])
        left = np.zeros(self.seen.shape)
        for _ in range(ROUNDS):
            normal = np.einsum("tkin,tk,tkim->nm", design, weight, design, optimize=True)
            normal[np.arange(3 * count), np.arange(3 * count)] += prior
            x = np.linalg.solve(normal, np.einsum("tkin,tk,tki->n", design, weight, target, optimize=True))
            left = np.linalg.norm(target - design @ x, axis=-1)
            weight = self.seen / (MARKER_SIGMA**2 * (1.0 + (left / (2.0 * MARKER_SIGMA)) ** 2))
        speed = float(x[-1]) if self.moving else 0.0
        return x[3 * count : 3 * count + 3], speed, float(np.median(left[self.seen])), self.usual + x[: 3 * count].reshape(-1, 3)
