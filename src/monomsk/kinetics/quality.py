"""Figures that say how far the forces can be believed, and warnings where they cannot."""

import numpy as np
from jaxtyping import Float

from monomsk.kinetics.ground_forces import GroundForces
from monomsk.types import Subject

CARRIED = 0.9
"""Share of body weight that the feet must carry on average."""
UNEXPLAINED = 0.15
"""Residual force [share of the peak ground force] above which it is worth a warning."""


def quality(
    forces: GroundForces, force: Float[np.ndarray, "time 3"], moment: Float[np.ndarray, "time 3"], subject: Subject
) -> dict[str, float]:
    """Figures from the ground forces and the residual force [N] and moment [N·m] on the root body."""
    weight = subject.mass * 9.80665
    total = np.linalg.norm(forces.force.sum(axis=1), axis=1)
    peak = max(float(total.max()), 1e-9)
    size = np.linalg.norm(force, axis=1)
    turn = np.linalg.norm(moment, axis=1)
    return {
        "residual_force_rms": _rms(size),
        "residual_force_peak": float(size.max()),
        "residual_force_rms_percent_peak_grf": 100.0 * _rms(size) / peak if total.max() > 0.0 else float("inf"),
        "residual_force_peak_percent_peak_grf": 100.0 * float(size.max()) / peak if total.max() > 0.0 else float("inf"),
        "residual_moment_rms": _rms(turn),
        "residual_moment_peak": float(turn.max()),
        "residual_moment_rms_percent_bw_height": 100.0 * _rms(turn) / (weight * subject.height),
        "contact_share_r": float(forces.contact[:, 0].mean()),
        "contact_share_l": float(forces.contact[:, 1].mean()),
        "flight_share": float((~forces.contact.any(axis=1)).mean()),
        "mean_vertical_force_body_weights": float(forces.force[..., 1].sum(axis=1).mean() / weight),
        "peak_ground_force": float(total.max()),
    }


def _rms(x: Float[np.ndarray, " time"]) -> float:
    return float(np.sqrt(np.mean(x**2)))
