"""Which foot stands on which force plate: filtered plate forces at a clip's frames, a loaded stretch of a plate at a time."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from monomsk.datasets.laboratory import Plates
from monomsk.kinetics import filtering

CUTOFF = 20.0
"""Of the zero-lag Butterworth filter on force and moment [Hz]; a clip's 60 frames a second show no more than 30."""
LOADED = 20.0
"""Less vertical force is no contact [N]."""
CORE = 0.08
"""Vertical force that makes sure of a contact [body weights]; noise and crosstalk between plates stay below it."""
SHORTEST = 3
"""Frames of that at least."""
WIDTH = 0.05
"""Half the width of a sole, and what its spheres leave out at heel and toes [m]."""
FAR = 0.10
"""A centre of pressure further outside a sole [m] is not this foot's."""
CLEARANCE = 2.0
"""How much more height above the floor counts than distance along it."""
ASTRAY = 0.2
"""Share of a stretch's load whose centre of pressure may lie outside the sole; beyond it two feet share the plate."""
RIGHT, LEFT, NOBODY = 0, 1, -1


@dataclass(frozen=True)
class Soles:
    """Lowest points of the contact spheres of both feet, in the clip's frame."""

    point: Float[np.ndarray, "time contact 3"]
    """[m]"""
    foot: Int[np.ndarray, " contact"]
    """0 for the right, 1 for the left foot."""

    def height(self) -> Float[np.ndarray, "time foot"]:
        """Of each foot's lowest point [m]."""
        return np.stack([self.point[:, self.foot == f, 1].min(1) for f in (RIGHT, LEFT)], 1)

    def middle(self) -> Float[np.ndarray, "time foot 3"]:
        """Mean of each foot's points [m]."""
        return np.stack([self.point[:, self.foot == f].mean(1) for f in (RIGHT, LEFT)], 1)

    def outside(self, at: Float[np.ndarray, "time 3"]) -> Float[np.ndarray, "time foot"]:
        """How far a point of the floor lies outside each sole, seen from above [m]; 0 on it."""
        return np.stack([self._outside(at, self.foot == f) for f in (RIGHT, LEFT)], 1)

    def _outside(self, at: Float[np.ndarray, "time 3"], mine: Bool[np.ndarray, " contact"]) -> Float[np.ndarray, " time"]:
        """Distance from the line between the two points of the sole that are furthest apart, less the sole's half width."""
        flat = self.point[:, mine][..., [0, 2]]
        apart = np.linalg.norm(flat[:, :, None] - flat[:, None], axis=-1)
        a, b = np.unravel_index(int(apart.mean(0).argmax()), apart.shape[1:])
        heel, along = flat[:, a], flat[:, b] - flat[:, a]
        reach = at[:, [0, 2]] - heel
        part = np.clip((reach * along).sum(-1) / np.maximum((along**2).sum(-1), 1e-9), 0.0, 1.0)
        return np.maximum(np.linalg.norm(reach - part[:, None] * along, axis=-1) - WIDTH, 0.0)


@dataclass(frozen=True)
class Stretch:
    """A plate that is loaded without a break, as the filter leaves it."""

    frames: slice
    core: slice
    """Where it is loaded for sure."""
    plate: int
    foot: int
    """`NOBODY` where it cannot be told, or two feet share the plate."""


def sampled(
    plates: Plates, time: Float[np.ndarray, " time"], shift: Float[np.ndarray, "time 3"]
) -> tuple[Float[np.ndarray, "time plate 3"], Float[np.ndarray, "time plate 3"], Float[np.ndarray, "time plate"]]:
    """Filtered force [N], centre of pressure [m] and vertical free moment [N·m] at times of the laboratory [s], moved by `shift`.

    What is filtered is force and moment about a point that stays; a centre of pressure is made of them again: filtered itself, it
    would swing where a foot lifts. Before and after the plates' own recording there is no force.
    """
    rate = 1.0 / float(np.median(np.diff(plates.time)))
    up = np.maximum(plates.force[..., 1], 0.0)
    sure = (up > 0.3 * np.maximum(up.max(0), 1.0))[..., None]
    # Near the middle of the feet, so that the moments are small and their noise is.
    about = np.where(sure, plates.cop, 0.0).sum(0) / np.maximum(sure.sum(0), 1)
    moment = np.cross(plates.cop - about, plates.force)
    moment[..., 1] += plates.moment[..., 1]
    loaded = up[..., None] > 0.25 * LOADED
    # A centre of pressure means nothing without a force; wild ones must not reach the filter.
    lever = np.linalg.norm(plates.cop - about, axis=-1, keepdims=True) < 5.0
    wrench = np.concatenate([plates.force, np.where(loaded & lever, moment, 0.0)], -1)
    flat = filtering.lowpass(wrench.reshape(len(wrench), -1), rate, CUTOFF)
    inside = (time >= plates.time[0] - 1e-6) & (time <= plates.time[-1] + 1e-6)
    at = np.stack([np.where(inside, np.interp(time, plates.time, column), 0.0) for column in flat.T], -1).reshape(len(time), -1, 6)
    force, turn = at[..., :3], at[..., 3:]
    safe = np.where(force[..., 1] > LOADED, force[..., 1], np.inf)
    level = plates.cop[..., 1][up > LOADED]
    height = float(np.median(level)) - about[:, 1] if level.size else np.zeros(force.shape[1])
    x = (turn[..., 2] + force[..., 0] * height) / safe
    z = (-turn[..., 0] + force[..., 2] * height) / safe
    from_about = np.stack([x, np.broadcast_to(height, x.shape), z], -1)
    free = turn[..., 1] - np.cross(from_about, force)[..., 1]
    return force, about + from_about + shift[:, None], free


def stretches(
    force: Float[np.ndarray, "time plate 3"], cop: Float[np.ndarray, "time plate 3"], soles: Soles, weight: float
) -> tuple[Stretch, ...]:
    """Loaded stretches of every plate and the foot that stands there. `weight` is the person's [N]."""
    found = list[Stretch]()
    for plate in range(force.shape[1]):
        up = force[:, plate, 1]
        cores = [s for s in _runs(up > CORE * weight) if s.stop - s.start >= SHORTEST]
        for number, core in enumerate(cores):
            low = _valley(up, cores[number - 1].stop, core.start) if number else 0
            high = _valley(up, core.stop, cores[number + 1].start) if number + 1 < len(cores) else len(up)
            begin, end = core.start, core.stop
            while begin > low and up[begin - 1] > LOADED:
                begin -= 1
            while end < high and up[end] > LOADED:
                end += 1
            found.append(Stretch(slice(begin, end), core, plate, _foot(core, up, cop[:, plate], soles)))
    return tuple(found)


def _runs(there: Bool[np.ndarray, " time"]) -> list[slice]:
    edges = np.flatnonzero(np.diff(np.concatenate([[0], there.astype(int), [0]])))
    return [slice(int(a), int(b)) for a, b in edges.reshape(-1, 2)]


def _valley(up: Float[np.ndarray, " time"], begin: int, end: int) -> int:
    """Where the force between two contacts is least."""
    return begin + int(np.argmin(up[begin:end]))


def _foot(core: slice, up: Float[np.ndarray, " time"], cop: Float[np.ndarray, "time 3"], soles: Soles) -> int:
    outside = soles.outside(cop)[core]
    cost = outside + CLEARANCE * np.maximum(soles.height()[core], 0.0)
    load = up[core] / up[core].sum()
    foot = int((cost * load[:, None]).sum(0).argmin())
    near = float(outside[:, foot] @ load) < FAR
    return foot if near and float((outside[:, foot] > WIDTH) @ load) < ASTRAY else NOBODY
