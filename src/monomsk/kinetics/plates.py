"""Measured forces in the clock and the frame of a run: when, and where on its floor, they were measured.

A run's frame begins where the person is first seen and faces where they go, so that the laboratory's lies in it turned about the
vertical and shifted; nothing in a video tells by how much. The feet do: centres of pressure were under them.
"""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float

from monomsk.errors import InputError
from monomsk.kinetics import filtering
from monomsk.outside_loads import AppliedForce, Placing
from monomsk.types import Kinetics

SMOOTH = 20.0
"""Cut-off of the zero-lag Butterworth filter on measured forces [Hz]; lower where a clip's frames cannot show so much."""
SHARE = 0.45
"""Of the frame rate, beyond which that filter passes nothing."""
LOADED = 20.0
"""Less vertical force is no contact [N]."""
SOLID = 50.0
"""Vertical force from which a centre of pressure tells where a foot is [N]."""
AROUND = 0.25
"""How far around contacts vertical forces are compared [s]: where nobody stands on a plate, it says nothing."""
LEAST_OVERLAP = 0.5
"""Share of what can be compared that an offset must leave to be tried."""
LEAST_CORRELATION = 0.6
"""An offset that makes forces no more alike than this is not believed."""
SPREAD = 0.04
"""Centres of pressure nearer together than this tell no direction (RMS) [m]."""


@dataclass(frozen=True)
class FootForces:
    """What plates say of both feet, on even times; axis `foot` is right, left."""

    time: Float[np.ndarray, " time"]
    force: Float[np.ndarray, "time foot 3"]
    """[N]"""
    cop: Float[np.ndarray, "time foot 3"]
    """Centre of pressure [m]; meaningless while there is no force."""
    moment: Float[np.ndarray, "time foot 3"]
    """Free moment about it [N·m]."""
    known: Bool[np.ndarray, "time foot"]
    """Whether a plate measured for the foot at that time."""

    @property
    def loaded(self) -> Bool[np.ndarray, "time foot"]:
        """Where a foot stands on a plate."""
        return self.known & (self.force[..., 1] > LOADED)


def on_feet(forces: tuple[tuple[AppliedForce, ...], tuple[AppliedForce, ...]], step: float) -> FootForces:
    """Right and left foot's measured forces together, low-passed, a frame every `step` [s]. Raises InputError for uneven times.

    The centre of pressure is made of the filtered force and moment again, at the mean height at which the plates tell theirs.
    """
    every = [f for of_foot in forces for f in of_foot]
    first, last = min(f.time[0] for f in every), max(f.time[-1] for f in every)
    time = first + step * np.arange(int((last - first) / step + 1e-6) + 1)
    wrench, known, level = np.zeros((len(time), 2, 6)), np.zeros((len(time), 2), bool), np.zeros(2)
    for foot, of_foot in enumerate(forces):
        heights = [f.point[f.force[:, 1] > LOADED, 1] for f in of_foot]
        level[foot] = float(np.mean(np.concatenate(heights))) if any(h.size for h in heights) else 0.0
        for force in of_foot:
            inside = (time >= force.time[0] - 1e-9) & (time <= force.time[-1] + 1e-9)
            wrench[inside, foot] += _wrench(force, step)(time[inside])
            known[inside, foot] = True
    moment, force = wrench[..., :3], wrench[..., 3:]
    stands = known & (force[..., 1] > LOADED)
    up = np.where(stands, force[..., 1], 1.0)
    cop = np.stack([(moment[..., 2] + level * force[..., 0]) / up, np.broadcast_to(level, up.shape),
                    (level * force[..., 2] - moment[..., 0]) / up], -1)  # fmt: skip
    free = np.zeros_like(force)
    free[..., 1] = moment[..., 1] - np.cross(cop, force)[..., 1]
    there = stands[..., None]
    return FootForces(time, np.where(there, force, 0.0), np.where(there, cop, 0.0), np.where(there, free, 0.0), known)


def _wrench(force: AppliedForce, step: float):
    """Moment about the origin and force as a function of time, filtered so that frames `step` apart show it."""
    values = np.concatenate([np.cross(force.point, force.force) + force.torque, force.force], axis=1)
    spacing = np.diff(force.time)
    if len(spacing) < 8 or float(np.abs(spacing - spacing.mean()).max()) > 0.02 * float(spacing.mean()):
        raise InputError(f"external force {force.name}: its times are not evenly spaced, or fewer than 9")
    smooth = filtering.lowpass(values, 1.0 / float(spacing.mean()), min(SMOOTH, SHARE / step))
    return lambda time: np.stack([np.interp(time, force.time, column) for column in smooth.T], axis=1)


def moved(feet: FootForces, placing: Placing, start: float) -> FootForces:
    """The same in the clock of a motion that begins `start` seconds into the video, and in the frame of the run."""
    turned = [rotated(a, placing.turn) for a in (feet.force, feet.cop, feet.moment)]
    force, cop, moment = turned[0], turned[1] + np.array(placing.shift), turned[2]
    return replace(feet, time=feet.time + placing.offset - start, force=force, cop=cop, moment=moment)


def rotated(values: Float[np.ndarray, "*n 3"], turn: float) -> Float[np.ndarray, "*n 3"]:
    """Vectors turned about the vertical [rad], from Z towards X."""
    c, s = np.cos(turn), np.sin(turn)
    x, y, z = np.moveaxis(values, -1, 0)
    return np.stack([c * x + s * z, y, c * z - s * x], -1)


def at_times(feet: FootForces, time: Float[np.ndarray, " time"]) -> FootForces:
    """The same at other times, the nearest frames before and after mixed; nothing is known outside of them."""
    index = np.interp(time, feet.time, np.arange(len(feet.time)), left=-1.0, right=-1.0)
    inside = index >= 0.0
    low = np.clip(np.floor(index).astype(int), 0, max(0, len(feet.time) - 2))
    part = np.clip(index - low, 0.0, 1.0)[:, None, None]
    high = np.minimum(low + 1, len(feet.time) - 1)
    force, moment = ((1.0 - part) * a[low] + part * a[high] for a in (feet.force, feet.moment))
    # A centre of pressure is there only where there is force: of two frames of which one has none, the other's.
    stands = feet.loaded
    weight = np.stack([(1.0 - part[..., 0]) * stands[low], part[..., 0] * stands[high]]) + 1e-12
    cop = (weight[0, ..., None] * feet.cop[low] + weight[1, ..., None] * feet.cop[high]) / weight.sum(0)[..., None]
    return FootForces(time, force, cop, moment, feet.known[low] & feet.known[high] & inside[:, None])


def correlation(measured: FootForces, estimate: Kinetics) -> tuple[float, int]:
    """Of vertical forces on the feet, at the estimate's frames where somebody stands on a plate or is about to; and of how many.

    NaN where fewer than eight frames can be compared.
    """
    rate = 1.0 / float(estimate.time[1] - estimate.time[0])
    width = np.ones(2 * round(AROUND * rate) + 1)
    near = np.stack([np.convolve(column, width, mode="same") > 0.0 for column in measured.loaded.T], 1) & measured.known
    if near.sum() < 8:
        return float("nan"), int(near.sum())
    a, b = measured.force[..., 1][near], estimate.force[..., 1][near]
    a, b = a - a.mean(), b - b.mean()
    size = float(np.sqrt((a**2).sum() * (b**2).sum()))
    return (float((a * b).sum()) / size if size > 0.0 else float("nan")), int(near.sum())


def found_offset(feet: FootForces, estimate: Kinetics, start: float) -> float:
    """Time in the video less that of the plates [s] at which vertical forces are most alike; the estimate's frames are as far apart as
    those of `feet`, and its first is `start` seconds into the video.

    Raises InputError when no offset makes them alike, or when another one does so nearly as well (steady steps repeat themselves).
    """
    step = float(estimate.time[1] - estimate.time[0])
    count, frames = len(feet.time), len(estimate.time)
    lags = np.arange(1 - count, frames)
    found = np.full(len(lags), np.nan)
    shared = np.zeros(len(lags), int)
    for i, lag in enumerate(lags):
        shifted = replace(feet, time=estimate.time[0] + step * (lag + np.arange(count)))
        found[i], shared[i] = correlation(_cut(shifted, estimate.time, int(lag)), estimate)
    found = np.where(shared >= LEAST_OVERLAP * shared.max(), found, np.nan)
    if not np.isfinite(found).any() or np.nanmax(found) < LEAST_CORRELATION:
        best = f"{np.nanmax(found):.2f}" if np.isfinite(found).any() else "none"
        raise InputError(
            f"--loads-offset auto: the measured vertical forces are like the estimated ones at no offset (best correlation {best}, "
            f"{LEAST_CORRELATION} needed): give the offset in seconds"
        )
    best = int(np.nanargmax(found))
    other = np.where(np.abs(lags - lags[best]) * step > AROUND, found, -1.0)
    if np.nanmax(other) > found[best] - 0.02:
        second = float(estimate.time[0] + step * lags[int(np.nanargmax(other))] - feet.time[0] + start)
        first = float(estimate.time[0] + step * lags[best] - feet.time[0] + start)
        raise InputError(
            f"--loads-offset auto: offsets of {first:.2f} s and {second:.2f} s fit equally well (correlations {found[best]:.2f} and "
            f"{np.nanmax(other):.2f}): give the right one in seconds"
        )
    return float(estimate.time[0] + step * (lags[best] + _summit(found, best)) - feet.time[0] + start)


def _cut(feet: FootForces, time: Float[np.ndarray, " time"], lag: int) -> FootForces:
    """Forces on frames that lie `lag` frames after the first of `time`, at those of `time`; not known elsewhere."""
    rows = np.arange(len(time)) - lag
    inside = (rows >= 0) & (rows < len(feet.time))
    rows = np.clip(rows, 0, len(feet.time) - 1)
    return FootForces(time, feet.force[rows], feet.cop[rows], feet.moment[rows], feet.known[rows] & inside[:, None])


def _summit(values: Float[np.ndarray, " n"], at: int) -> float:
    """How far beside the highest of even samples the parabola through it and its neighbours is highest [samples]."""
    if not 0 < at < len(values) - 1 or not np.isfinite(values[at - 1 : at + 2]).all():
        return 0.0
    before, here, after = values[at - 1 : at + 2]
    bend = before - 2.0 * here + after
    return float(0.5 * (before - after) / bend) if bend < 0.0 else 0.0


def found_place(
    measured: FootForces, estimate: Kinetics, turn: float | None, shift: tuple[float, float, float] | None
) -> tuple[float, tuple[float, float, float], float]:
    """Turn [rad], shift [m] and distance [m, RMS along the floor] that bring measured centres of pressure to the estimated ones.

    `measured` in the laboratory's frame, at the estimate's frames. What is given is kept. Raises InputError where the feet do not tell
    what is not given: no foot stands on a plate, or all the time in one place.
    """
    weight = np.minimum(measured.force[..., 1], estimate.force[..., 1])
    weight = np.where(measured.known & (weight > SOLID), weight, 0.0)
    there = weight > 0.0
    if not there.any():
        if turn is None or shift is None:
            raise InputError(
                "no foot stands on a plate while the motion has it on the ground, so where the plates lie is not known: check "
                "--loads-offset and the feet's bodies, or give --loads-turn and --loads-shift"
            )
        return turn, shift, float("nan")
    of, to, weight = measured.cop[there], estimate.cop[there], weight[there] / weight.sum()
    middle, target = weight @ of, weight @ to
    a, b = (of - middle)[:, [0, 2]], (to - target)[:, [0, 2]]
    if turn is None:
        if np.sqrt(weight @ (a**2).sum(1)) < SPREAD:
            raise InputError("the centres of pressure lie all in one place, which tells no direction: give --loads-turn in degrees")
        # Least squares over rotations (Kabsch 1976) in the plane; turning from Z towards X.
        sine, cosine = weight @ (a[:, 1] * b[:, 0] - a[:, 0] * b[:, 1]), weight @ (a * b).sum(1)
        turn = float(np.arctan2(sine, cosine))
    if shift is None:
        x, y, z = (float(v) for v in target - rotated(middle, turn))
        shift = x, y, z
    off = (rotated(of, turn) + np.array(shift) - to)[:, [0, 2]]
    return turn, shift, float(np.sqrt(weight @ (off**2).sum(1)))
