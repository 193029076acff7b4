"""When and where the feet touch the ground, seen from the motion alone.

The feet of a motion from one camera float or sink by centimetres and slide, so nothing here trusts an absolute height:
the ground is where the lower foot comes to rest, and a treadmill's belt is the ground's own speed.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float
from scipy.ndimage import binary_closing, binary_opening, gaussian_filter1d, grey_opening

from monomsk.kinetics.feet import Feet

HEIGHT = (0.04, 0.01)
"""Height above its rest at which a point is as likely planted as not, and the width of the doubt [m]."""
SPEED = (0.7, 0.15)
"""The same for its speed over the ground [m/s]."""
SLOW = 0.25
"""A point near its lowest height and slower than this over the ground rests [m/s]."""
SLIDE = 0.1
"""Feet that slide more than this while they should rest raise both speeds by as much [m/s]."""
LOW = 0.08
"""How near [m]; also how far the feet may float or sink from their usual ground in the course of the clip."""
DRIFT_WINDOW = 0.5
"""Standard deviation of the window through which floating is followed [s]."""
SWITCH = 4.0
"""Evidence [nats at 100 Hz] that planting or lifting a foot must overcome."""
SHORTEST = 0.06
"""Shorter contacts and gaps are taken for noise [s]."""


@dataclass(frozen=True)
class Contact:
    """Contact phases; axis `foot` is right, left."""

    level: Float[np.ndarray, " time"]
    """Height of the ground under the feet [m]."""
    belt: Float[np.ndarray, "2"]
    """Velocity of the ground along X and Z [m/s]: not zero on a treadmill."""
    planted: Bool[np.ndarray, "time foot"]
    gap: Float[np.ndarray, "time contact"]
    """Height of the contact points above where they rest [m]."""


def find_contact(
    feet: Feet,
    point: Float[np.ndarray, "time contact 3"],
    velocity: Float[np.ndarray, "time contact 3"],
    load: Float[np.ndarray, " time"],
    rate: float,
    belief: Float[np.ndarray, "time 2"] | None = None,
) -> Contact:
    """Contact phases from the motion of the contact points [m, m/s] and the vertical load the motion needs [body weights].

    `belief` is the kinematics' own probability that a foot is planted, one more witness. The four joint states (no foot,
    right, left, both) are tracked together by dynamic programming, which is what keeps phases from flickering.
    """
    belt = belt_velocity(point[..., 1], velocity)
    speed = np.linalg.norm(velocity - np.array([belt[0], 0.0, belt[1]]), axis=-1)
    # One foot or the other rests for at least a third of any clip; how fast it still moves there is the motion's own error.
    slide = max(0.0, float(np.percentile(speed.min(axis=1), 30.0)) - SLIDE)
    rest, drift = resting_heights(point[..., 1], speed - slide, rate)
    gap = point[..., 1] - rest - drift[:, None]
    step = raised_ground(gap.min(axis=1), load, rate)
    gap -= step[:, None]
    touch = _sigmoid((HEIGHT[0] - gap) / HEIGHT[1]) * _sigmoid((SPEED[0] + slide - speed) / SPEED[1])
    p = np.stack([touch[:, feet.foot == side].max(axis=1) for side in (0, 1)], axis=1)
    logit = _logit(p) + (0.0 if belief is None else _logit(belief))
    states = _most_likely_states(_evidence(logit, load) * (100.0 / rate), SWITCH)
    planted = np.stack([states % 2 == 1, states >= 2], axis=1)
    return Contact(float(np.median(rest)) + drift + step, belt, _without_blinks(planted, rate), gap)


def resting_heights(
    height: Float[np.ndarray, "time contact"], speed: Float[np.ndarray, "time contact"], rate: float
) -> tuple[Float[np.ndarray, " contact"], Float[np.ndarray, " time"]]:
    """Height at which each contact point comes to rest [m], and the slow drift of all of them together.

    Every point has its own: a sole is no plane, and toes that the motion does not bend dive under the ground at push-off.
    """
    low = height - np.percentile(height, 5.0, axis=0)
    resting = (speed < SLOW) & (low < LOW)
    enough = resting.sum(axis=0) >= 3
    rest = np.percentile(height, 5.0, axis=0)
    rest[enough] = np.nanmedian(np.where(resting, height, np.nan)[:, enough], axis=0)
    floor = np.percentile(rest[enough], 20.0) if enough.any() else rest.min()
    # A foot that is held up all the time rests in the air, and a heel that never comes down has no rest: the others' ground counts.
    lost = ~enough | (rest > floor + LOW)
    rest[lost] = floor
    resting[:, lost] = False
    width = DRIFT_WINDOW * rate
    seen = gaussian_filter1d(resting.sum(axis=1).astype(float), width, mode="nearest")
    risen = gaussian_filter1d(np.where(resting, height - rest, 0.0).sum(axis=1), width, mode="nearest")
    return rest, np.clip(risen / (seen + 0.1), -LOW, LOW)


def raised_ground(gap: Float[np.ndarray, " time"], load: Float[np.ndarray, " time"], rate: float) -> Float[np.ndarray, " time"]:
    """Height of a box or a step [m] while the person is carried although both feet are far above the ground; else zero."""
    width = max(3, round(0.3 * rate) | 1)
    carried = np.asarray(binary_opening(np.pad(load > 0.4, width, mode="edge"), np.ones(width)), bool)[width:-width]
    lowest = np.asarray(grey_opening(gap, width, mode="nearest"))
    return np.where(carried & (lowest > LOW), lowest, 0.0)


def belt_velocity(height: Float[np.ndarray, "time contact"], velocity: Float[np.ndarray, "time contact 3"]) -> Float[np.ndarray, "2"]:
    """The commonest horizontal velocity of low points [m/s]; zero unless another one is clearly commoner."""
    near = (height - np.percentile(height, 5.0, axis=0) < 0.5 * LOW) & (np.abs(velocity[..., 1]) < 0.3)
    samples = velocity[near][:, [0, 2]]
    if len(samples) < 8:
        return np.zeros(2)
    samples = samples[:: max(1, len(samples) // 1000)]
    crowd = (np.linalg.norm(samples[:, None] - samples[None], axis=-1) < 0.3).sum(axis=1)
    still = int((np.linalg.norm(samples, axis=-1) < 0.3).sum())
    best = samples[int(crowd.argmax())]
    if crowd.max() < 2.0 * still or np.linalg.norm(best) < 0.4:
        return np.zeros(2)
    return np.median(samples[np.linalg.norm(samples - best, axis=-1) < 0.3], axis=0)


def _evidence(logit: Float[np.ndarray, "time 2"], load: Float[np.ndarray, " time"]) -> Float[np.ndarray, "time 4"]:
    """Log-likelihood of the states none, right, left, both."""
    right, left = logit.T
    carried = -0.5 * (np.maximum(load, 0.0) / 0.25) ** 2
    weightless = -0.5 * (np.maximum(0.15 - load, 0.0) / 0.15) ** 2
    return np.stack([np.maximum(carried, -8.0), right + weightless, left + weightless, right + left + weightless], axis=1)


def _most_likely_states(evidence: Float[np.ndarray, "time state"], switch: float) -> np.ndarray:
    """Viterbi's path through states whose bits are feet; each bit that changes costs `switch`."""
    n = evidence.shape[1]
    change = np.array([[switch * (i ^ j).bit_count() for j in range(n)] for i in range(n)])
    score, back = evidence[0].copy(), np.zeros(evidence.shape, int)
    for t in range(1, len(evidence)):
        candidates = score[:, None] - change
        back[t] = candidates.argmax(axis=0)
        score = candidates.max(axis=0) + evidence[t]
    path = np.empty(len(evidence), int)
    path[-1] = score.argmax()
    for t in range(len(evidence) - 1, 0, -1):
        path[t - 1] = back[t, path[t]]
    return path


def _without_blinks(planted: Bool[np.ndarray, "time foot"], rate: float) -> Bool[np.ndarray, "time foot"]:
    """Contacts and gaps shorter than `SHORTEST` removed; what reaches beyond the clip's ends counts as going on."""
    width = max(1, round(SHORTEST * rate))
    kernel = np.ones((width, 1), bool)
    padded = np.pad(planted, ((width, width), (0, 0)), mode="edge")
    return binary_opening(binary_closing(padded, kernel), kernel)[width:-width]


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return 1.0 / (1.0 + np.exp(-np.clip(x, -40.0, 40.0)))


def _logit(p: np.ndarray) -> np.ndarray:
    """Log-odds, no surer than 50 to 1."""
    bounded = np.clip(p, 0.02, 0.98)
    return np.log(bounded / (1.0 - bounded))
