"""Figures that say how far the forces can be believed, and warnings where they cannot."""

import numpy as np
from jaxtyping import Float

from monomsk.kinetics.contact import Contact
from monomsk.kinetics.ground_forces import GroundForces
from monomsk.types import Subject

CARRIED = 0.9
"""Share of body weight that the feet must carry on average."""
UNEXPLAINED = (15.0, 5.0)
"""Residual force [% of the peak ground force] and moment [% of body weight × height], RMS, above which a warning is due."""
MASS_TOLERANCE = 0.02
"""Difference between the model's mass and the person's that is worth a warning."""


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


def warnings(figures: dict[str, float], contact: Contact, mass: float, subject: Subject) -> tuple[str, ...]:
    """What a person should know before using the forces; `mass` is the model's [kg]."""
    out = list(figure_warnings(figures))
    if abs(mass / subject.mass - 1.0) > MASS_TOLERANCE:
        out.append(f"the body model weighs {mass:.1f} kg, the person {subject.mass:.1f} kg: forces are those of the model")
    speed = float(np.linalg.norm(contact.belt))
    if speed > 0.0:
        out.append(f"the ground under the feet moves at {speed:.1f} m/s: taken for a treadmill")
    return tuple(out)


def figure_warnings(figures: dict[str, float]) -> tuple[str, ...]:
    """The part of the warnings that the figures alone give rise to."""
    out: list[str] = []
    carried = figures["mean_vertical_force_body_weights"]
    force, moment = figures["residual_force_rms_percent_peak_grf"], figures["residual_moment_rms_percent_bw_height"]
    if carried < CARRIED:
        out.append(
            f"the feet carry {100.0 * carried:.0f} % of body weight on average: something else carries the person (a chair, a rail) "
            "or a step was missed; moments between there and the pelvis lack its force"
        )
    if force > UNEXPLAINED[0] or moment > UNEXPLAINED[1]:
        out.append(
            f"the feet leave {force:.0f} % of the peak ground force and {moment:.1f} % of body weight × height unexplained (RMS, "
            "pelvis residuals): use forces and moments with care"
        )
    return tuple(out)


def _rms(x: Float[np.ndarray, " time"]) -> float:
    return float(np.sqrt(np.mean(x**2)))
