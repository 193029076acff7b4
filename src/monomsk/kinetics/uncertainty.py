"""How far forces and moments may be off: errors that the motion may have, each carried through the whole estimate, and what all share.

The draws of a motion tell what noise of its accelerations does. They do not tell what every draw does alike: masses and their places, the
size of the body, the filter that flattens blows, the share of the feet in double support. For these stand a constant and a part that
grows with how lively the movement is, from trials on force plates (benchmarks/uncertainty.py).
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float
from scipy.ndimage import uniform_filter1d

from monomsk.errors import SolveError
from monomsk.types import Kinetics, Motion, Subject

Way = Callable[[Motion], Kinetics]
RATE = 30.0
"""Frames a second that show what the filter on the coordinates leaves of errors [Hz]."""
SMOOTH = 0.1
"""Over which a few draws' variances are averaged [s]."""
SPAN = 0.5
"""Over which liveliness is averaged [s]."""


@dataclass(frozen=True)
class Share:
    """Parts of a standard deviation: factor on that of the draws, constant, and factor on the liveliness."""

    drawn: float
    constant: float
    lively: float


VERTICAL, LEVEL = Share(1.0, 0.0, 0.0), Share(1.0, 0.0, 0.0)
"""Of forces along Y, and along X and Z [body weights]."""
MOMENT = Share(1.0, 0.0, 0.0)
"""Of moments [body weights × height]."""


def with_spread(kinetics: Kinetics, motion: Motion, way: Way, subject: Subject) -> Kinetics:
    """Kinetics with standard deviations; `way` makes kinetics of a motion as it made these. As they are where the motion has no draws.

    Forces that were measured have none, and their feet's moments those of the motion alone; nor have forces on feet in the air. Raises
    what `way` raises for the motion itself.
    """
    if motion.draws is None:
        return kinetics
    variances = drawn_variance(motion, way)
    if variances is None:
        told = "how far forces and moments may be off is not told: errors that the motion may have lead to no forces"
        return replace(kinetics, warnings=(*kinetics.warnings, told))
    tau, force = variances
    weight = subject.mass * 9.80665
    alive = liveliness(kinetics, weight)
    shares = (LEVEL, VERTICAL, LEVEL)
    added = np.stack([(s.constant**2 + (s.lively * alive) ** 2) * weight**2 for s in shares], -1)[:, None] * kinetics.contact[..., None]
    force_sigma = np.sqrt(np.array([s.drawn for s in shares]) ** 2 * force + added)
    moments = (MOMENT.constant**2 + (MOMENT.lively * alive) ** 2) * (weight * subject.height) ** 2
    joint = kinetics.rotational & np.array([not name.startswith("pelvis_") for name in kinetics.names])
    tau_sigma = np.sqrt(MOMENT.drawn**2 * tau + joint * moments[:, None])
    if kinetics.measured is None:
        return replace(kinetics, tau_sigma=tau_sigma, force_sigma=force_sigma)
    for foot, side in enumerate(("_r", "_l")):
        of = np.array([name.endswith(side) for name in kinetics.names])
        tau_sigma = np.where(kinetics.measured[:, foot, None] & of, np.sqrt(tau), tau_sigma)
    return replace(kinetics, tau_sigma=tau_sigma, force_sigma=np.where(kinetics.measured[..., None], 0.0, force_sigma))


def drawn_variance(motion: Motion, way: Way) -> tuple[Float[np.ndarray, "time nq"], Float[np.ndarray, "time foot 3"]] | None:
    """Variances of generalized forces and of forces on the feet over the motion's draws, about those of the motion itself [N·m, N].

    Draws for which no forces are found do not count; None when these are more than half.
    """
    assert motion.draws is not None
    stride = max(1, round(1.0 / (RATE * float(motion.time[1] - motion.time[0]))))
    # Derivatives need eight frames; a clip that short stays whole.
    stride = stride if len(motion.time) >= 8 * stride else 1
    contact = None if motion.contact is None else motion.contact[::stride]
    thin = replace(motion, time=motion.time[::stride], q=motion.q[::stride], sigma=None, draws=None, contact=contact)
    middle = way(thin)
    drawn: list[Kinetics] = []
    for error in motion.draws:
        with suppress(SolveError):
            drawn.append(way(replace(thin, q=thin.q + error[::stride])))
    if 2 * len(drawn) < len(motion.draws):
        return None
    width = max(1, round(SMOOTH / float(thin.time[1] - thin.time[0])))
    tau, force = (np.mean([(getattr(d, name) - getattr(middle, name)) ** 2 for d in drawn], axis=0) for name in ("tau", "force"))
    return _between(_averaged(tau, width), thin.time, motion.time), _between(_averaged(force, width), thin.time, motion.time)


def liveliness(kinetics: Kinetics, weight: float) -> Float[np.ndarray, " time"]:
    """How far the vertical force on both feet is from the weight [N], root mean square over half a second [body weights]."""
    width = max(1, round(SPAN / float(kinetics.time[1] - kinetics.time[0])))
    return np.sqrt(_averaged((kinetics.force[..., 1].sum(1) / weight - 1.0) ** 2, width))


def _averaged(values: Float[np.ndarray, "time *rest"], width: int) -> Float[np.ndarray, "time *rest"]:
    # Running sums leave a trace of rounding below zero.
    return np.maximum(uniform_filter1d(values, width, axis=0, mode="nearest"), 0.0)


def _between(
    values: Float[np.ndarray, "thin *rest"], thin: Float[np.ndarray, " thin"], time: Float[np.ndarray, " time"]
) -> Float[np.ndarray, "time *rest"]:
    flat = values.reshape(len(thin), -1)
    return np.stack([np.interp(time, thin, column) for column in flat.T], -1).reshape(len(time), *values.shape[1:])
