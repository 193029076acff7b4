"""Motion and forces made to agree with each other: Newton and Euler's equations hold without a hand from outside, soles rest."""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float
from scipy.ndimage import gaussian_filter1d
from threadpoolctl import threadpool_limits

from monomsk.model.compile import compile_model
from monomsk.model.spec import ModelSpec
from monomsk.simulation import linearised, problem, quality
from monomsk.simulation.ground import believe, on_feet
from monomsk.simulation.problem import Answer, Task
from monomsk.simulation.spline import along, spline_over
from monomsk.types import Kinetics, Motion, Progress, Subject

KNOTS = 30.0
"""Most knots of the motion a second [1/s]."""
USUAL_SIGMA = (np.radians(3.0), 0.02)
"""Trust in angles [rad] and in the pelvis's place [m] where the kinematics states none."""
RATES = (1.0, 2.0, 20.0)
"""Errors of speeds [1/s] and of accelerations [1/s²] over those of the values: they last for half a second, and a little of them less."""
LEAST = 0.005
"""Vertical force from which a foot stands [body weights]."""
HELP, HELP_LASTS = 0.15, 0.2
"""Residual [body weights, body weights × m] that is somebody's or something's help, and standard deviation of the window over which it is
averaged [s]."""
STEPS = 15
"""Most Gauss–Newton steps."""
MOST_MOVED = 1.0
"""Change of the motion beyond which forces or contacts are wrong rather than the motion [standard deviations of the kinematics]."""
MOST_HELPED = 0.3
"""Share of the clip in which something else than the ground may carry the person."""
MOST_LEFT = 2.0
"""Residual force beyond which the search has failed [% of the peak ground force, RMS]."""


@dataclass(frozen=True)
class Refined:
    """The same two, and where they come from."""

    motion: Motion
    kinetics: Kinetics
    task: Task
    answer: Answer
    moved: float
    """How far the motion was moved, RMS [standard deviations of the kinematics]."""
    trouble: str
    """Why it is not to be believed; empty where nothing says so."""


def refine(
    motion: Motion, kinetics: Kinetics, spec: ModelSpec, subject: Subject, progress: Progress | None = None
) -> tuple[Motion, Kinetics]:
    """Motion and forces that agree; those that were given, with a warning, where none are found.

    Raises ModelError for a body whose feet have no contact spheres.
    """
    found = search(motion, kinetics, spec, subject, progress)
    if found.trouble:
        return motion, replace(kinetics, warnings=(*kinetics.warnings, f"motion and forces were left as they are: {found.trouble}"))
    return found.motion, found.kinetics


def search(motion: Motion, kinetics: Kinetics, spec: ModelSpec, subject: Subject, progress: Progress | None = None) -> Refined:
    """The search itself, whatever it finds. Raises as `refine`."""
    tell = progress or (lambda done: None)
    task, here = pose(motion, kinetics, spec)
    # Thousands of small factorisations: threads of the linear algebra library would only wait for each other.
    with threadpool_limits(limits=1, user_api="blas"):
        here = replace(here, cost=problem.cost(task, here.points, here.force))
        while not here.settled and here.steps < STEPS:
            here = problem.improve(task, here)
            tell(here.steps / STEPS)
    tell(1.0)
    motion, found = told(task, here, motion, kinetics)
    state = along(task.spline, here.points, task.time)
    moved = quality.rms((state[0] - task.target[0]) / task.sigma[0])
    figures = quality.forces(found, task.model.root, subject)
    trouble = _trouble(task, here, moved, figures)
    told_figures = {
        "refined_moved_sigmas": moved,
        "refined_steps": float(here.steps),
        "refined_helped_share": float((task.held > 0.0).mean()),
    }
    found = replace(found, quality={**kinetics.quality, **figures, **told_figures})
    return Refined(motion, found, task, here, moved, trouble)


def speeds_of(found: Refined) -> Float[np.ndarray, "time nq"]:
    """Speeds of all coordinates at the frames [rad/s, m/s]."""
    task, state = found.task, along(found.task.spline, found.answer.points, found.task.time)
    feet = tuple(task.model.body(b) for b in found.kinetics.bodies)
    return linearised.joint_forces(task.model, feet, task.place, state, np.zeros((len(task.time), len(feet), 6)))[2]


def _trouble(task: Task, here: Answer, moved: float, figures: dict[str, float]) -> str:
    if not np.isfinite(here.cost):
        return "the search for ones that agree found no numbers"
    if (helped := float((task.held > 0.0).mean())) > MOST_HELPED:
        return f"something else than the ground carries the person for {100.0 * helped:.0f} % of the clip"
    if moved > MOST_MOVED:
        return f"to agree, the motion would have to move by {moved:.1f} standard deviations (RMS)"
    left = 100.0 * figures["residual_force_rms"] / max(figures["peak_ground_force"], task.weight)
    if left > MOST_LEFT and not task.held.any():
        return f"{left:.0f} % of the peak ground force would still be missing"
    return ""


def pose(motion: Motion, kinetics: Kinetics, spec: ModelSpec) -> tuple[Task, Answer]:
    """The task, and where the search for its answer begins: the motion and the forces that are given."""
    model = compile_model(spec)
    free = list(model.free)
    spline = spline_over(motion.time, KNOTS)
    points = spline.fit(motion.time, kinetics.q[:, free])
    state = along(spline, points, motion.time)
    place = kinetics.q[0].copy()
    weight = spec.mass * float(np.linalg.norm(spec.gravity))
    nothing = np.zeros((len(motion.time), len(model.contact_body), 3))
    _, low, velocity = linearised.missing(model, place, state, nothing, nothing[..., 0])
    ground = believe(model, kinetics, low, velocity, weight)
    usual = np.where(motion.rotational, *USUAL_SIGMA)
    sigma = np.broadcast_to(usual, motion.q.shape) if motion.sigma is None else np.where(np.isfinite(motion.sigma), motion.sigma, usual)
    sigma = np.array(RATES)[:, None, None] * np.maximum(sigma, 0.1 * usual)[None, :, free]
    root = np.isin(free, model.root)
    low, high = np.asarray(model.coordinate_range)[free].T
    limits = np.stack([np.where(root, -np.inf, low), np.where(root, np.inf, high)])
    held = outside_help(kinetics, model.root, weight)
    task = Task(model, place, spline, motion.time, state, sigma, limits, ground, weight, held)
    return task, Answer(points, ground.force)


def outside_help(kinetics: Kinetics, root: tuple[int, ...], weight: float) -> Float[np.ndarray, " time"]:
    """How much the feet leave unexplained for longer than errors of the motion do [body weights]: a seat, a rail, a box unseen; else 0."""
    width = HELP_LASTS / float(kinetics.time[1] - kinetics.time[0])
    left = gaussian_filter1d(kinetics.tau[:, list(root)], width, axis=0, mode="nearest") / weight
    slides = ~kinetics.rotational[list(root)]
    size = np.maximum(np.linalg.norm(left[:, slides], axis=1), np.linalg.norm(left[:, ~slides], axis=1))
    reached = gaussian_filter1d((size > HELP).astype(float), width, mode="nearest")
    return np.where(reached > 0.05, HELP, 0.0)


def told(task: Task, here: Answer, motion: Motion, kinetics: Kinetics) -> tuple[Motion, Kinetics]:
    """The answer as the nouns of the way."""
    state = along(task.spline, here.points, task.time)
    _, low, _ = linearised.missing(task.model, task.place, state, here.force, task.ground.level)
    force, cop, moment = on_feet(task.ground, low, here.force, LEAST * task.weight)
    # In the files a foot's whole wrench acts on one body, also what its toes carry.
    wrench = np.concatenate([np.cross(cop, force) + moment, force], axis=-1)
    tau, q, _ = linearised.joint_forces(task.model, tuple(task.model.body(b) for b in kinetics.bodies), task.place, state, wrench)
    kinetics = replace(kinetics, q=q, tau=tau, force=force, cop=cop, moment=moment, contact=force[..., 1] > 0.0)
    return replace(motion, q=q), kinetics
