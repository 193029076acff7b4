"""How far the angles of a fit may be off: the fit's own curvature, stretched to the errors that were observed.

The fit takes keypoints for noise that is new in every frame and weights for standard deviations. Neither is so: a
keypoint is wrong in the same way for a second, a length is wrong throughout. What the curvature says is therefore multiplied by
factors from people whose motion is known, seen by simulated cameras (benchmarks/uncertainty.py).
"""

from dataclasses import replace
from typing import Literal

import numpy as np
from jaxtyping import Float
from scipy.interpolate import CubicSpline

from monomsk.errors import SolveError
from monomsk.kinematics import levenberg, residuals, trajectories
from monomsk.kinematics.levenberg import Estimate, Prior
from monomsk.kinematics.residuals import Frames, Scene
from monomsk.types import Motion

SEED = 20
"""Of the draws, so that equal clips have equal intervals."""
Way = Literal["classic", "both"]
STRETCH: dict[Way, tuple[tuple[str, float], ...]] = {
    "classic": (("", 1.0),),
    "both": (("", 1.0),),
}
"""Factors by the beginning of a coordinate's name; the longest one that fits counts."""


def errors_of(scene: Scene, frames: Frames, prior: Prior, estimate: Estimate, way: Way, draws: int) -> Motion | None:
    """Standard deviations and draws of errors of all coordinates on the fit's own frames, as the `sigma` and `draws` of a Motion around
    it; None where the fit's equations have no inverse, so that nothing can be said.

    The draws are not stretched: the factors are of errors that last, which move the curves and not their accelerations.
    """
    try:
        found = levenberg.spread(scene, frames, prior, estimate, draws, SEED)
    except SolveError:
        return None
    x = estimate.x
    names = scene.model.coordinate_names
    factor = np.array([stretch(way, names[i]) for i in scene.free])
    wide = found.sigma.reshape(x.shape) * factor
    q, beside = (trajectories.in_chunks(residuals.all_coordinates, scene, rows) for rows in (x, x + wide))
    errors = found.draws.T.reshape(draws, *x.shape)
    moved = [trajectories.in_chunks(residuals.all_coordinates, scene, x + error) - q for error in errors]
    # A locked coordinate has no error, a coupled one that of the coordinate which it follows.
    return Motion(np.arange(len(x), dtype=float), names, np.array(scene.model.rotational), q, np.abs(beside - q), np.array(moved))


def with_errors(motion: Motion, errors: Motion | None, time: Float[np.ndarray, " fitted"]) -> Motion:
    """A motion with the errors of its fit, which are given at the times of the fit."""
    if errors is None or errors.sigma is None or errors.draws is None:
        return motion
    draws = errors.draws if len(errors.draws) else None
    if len(time) == len(motion.time):
        return replace(motion, sigma=errors.sigma, draws=draws)
    between = np.stack([np.interp(motion.time, time, column) for column in errors.sigma.T], axis=1)
    return replace(motion, sigma=between, draws=None if draws is None else CubicSpline(time, draws, axis=1)(motion.time))


def stretch(way: Way, name: str) -> float:
    """Factor of a coordinate's standard deviation."""
    return max((pair for pair in STRETCH[way] if name.startswith(pair[0])), key=lambda pair: len(pair[0]))[1]
