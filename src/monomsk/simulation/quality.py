"""How well a motion, its moments and its ground forces agree: figures of any way, refined or not."""

import numpy as np
from jaxtyping import Float

from monomsk.model.model import Model
from monomsk.simulation import linearised
from monomsk.simulation.ground import believe
from monomsk.simulation.rollout import defects
from monomsk.types import Kinetics, Subject

WINDOW = 0.1
"""Length of the simulated windows [s]."""
GRAVITY = 9.80665


def forces(kinetics: Kinetics, root: tuple[int, ...], subject: Subject) -> dict[str, float]:
    """What is missing at the root and what the feet do, under the names that kinetics gives them."""
    turns, weight = kinetics.rotational[list(root)], subject.mass * GRAVITY
    left = kinetics.tau[:, list(root)]
    size, turn = np.linalg.norm(left[:, ~turns], axis=1), np.linalg.norm(left[:, turns], axis=1)
    total = np.linalg.norm(kinetics.force.sum(axis=1), axis=1)
    peak = float(total.max())
    share = 100.0 / peak if peak > 0.0 else float("inf")
    return {
        "residual_force_rms": rms(size),
        "residual_force_peak": float(size.max()),
        "residual_force_rms_percent_peak_grf": share * rms(size),
        "residual_force_peak_percent_peak_grf": share * float(size.max()),
        "residual_moment_rms": rms(turn),
        "residual_moment_peak": float(turn.max()),
        "residual_moment_rms_percent_bw_height": 100.0 * rms(turn) / (weight * subject.height),
        "contact_share_r": float(kinetics.contact[:, 0].mean()),
        "contact_share_l": float(kinetics.contact[:, 1].mean()),
        "flight_share": float((~kinetics.contact.any(axis=1)).mean()),
        "mean_vertical_force_body_weights": float(kinetics.force[..., 1].sum(axis=1).mean() / weight),
        "peak_ground_force": peak,
    }


def contact(model: Model, kinetics: Kinetics, qd: Float[np.ndarray, "time nq"], weight: float) -> dict[str, float]:
    """Sliding [mm/s], sinking [mm] and flight [m/s²]; `weight` is the body's [N]; NaN where there is none of it to see.

    Sliding is the mean speed along the ground of the points of the soles that carry, each as much as it carries, as points of the foot:
    a sole that rolls does not slide. Sinking is the mean depth of the lowest point of a foot that carries. Flight is the root mean
    square of the centre of mass's acceleration less gravity's while no foot carries.
    """
    free = list(model.free)
    state = np.stack([kinetics.q[:, free], qd[:, free], 0.0 * qd[:, free]])
    nothing = np.zeros((len(kinetics.q), len(model.contact_body), 3))
    _, low, velocity = linearised.missing(model, kinetics.q[0], state, nothing, nothing[..., 0])
    ground = believe(model, kinetics, low, velocity, weight)
    load = ground.force[..., 1]
    speed = np.linalg.norm((velocity - ground.belt)[..., [0, 2]], axis=-1)
    lowest = np.stack([low[:, of, 1].min(axis=1) for of in ground.foot > 0.0], axis=1)
    depth = np.maximum(kinetics.cop[..., 1] - lowest, 0.0)
    slides = [i for i in model.root if not model.rotational[i]]
    flight = ~kinetics.contact.any(axis=1)
    missing = np.linalg.norm(kinetics.tau[:, slides], axis=1) / (weight / GRAVITY)
    return {
        "sliding": 1e3 * float((speed * load).sum() / load.sum()) if load.any() else float("nan"),
        "sinking": 1e3 * float(depth[kinetics.contact].mean()) if kinetics.contact.any() else float("nan"),
        "flight": rms(missing[flight]) if flight.any() else float("nan"),
    }


def window_errors(model: Model, kinetics: Kinetics, qd: Float[np.ndarray, "time nq"], *, hands: bool = False) -> dict[str, float]:
    """Where simulations of `WINDOW` seconds end that begin on the motion: distance from it, of angles [deg, RMS] and of the pelvis [mm].

    The median of the windows: a light foot under a load that does not follow it is lost within hundredths of a second.
    Joint moments and ground forces act, and at the root nothing (`hands` lets the residuals act there too).
    """
    bodies = tuple(model.body(b) for b in kinetics.bodies)
    tau = kinetics.tau.copy()
    if not hands:
        tau[:, list(model.root)] = 0.0
    wrench = np.concatenate([np.cross(kinetics.cop, kinetics.force) + kinetics.moment, kinetics.force], axis=-1)
    error = defects(model, bodies, (kinetics.q, qd), (tau, wrench), (kinetics.time, WINDOW))
    slides = [i for i in model.root if not model.rotational[i]]
    angles = [i for i in model.free if model.rotational[i]]
    return {
        "window_angle_error": float(np.degrees(np.median(np.sqrt(np.mean(error[:, angles] ** 2, axis=1))))),
        "window_pelvis_error": 1e3 * float(np.median(np.linalg.norm(error[:, slides], axis=1))),
    }


def rms(x: Float[np.ndarray, "*n"]) -> float:
    """Root mean square."""
    return float(np.sqrt(np.mean(x**2)))
