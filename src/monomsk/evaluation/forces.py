"""How well forces come out of motion alone: laboratory trials whose plates are hidden, and what the plates said.

Errors are means over the frames of a trial, then over the trials of a person, then over people: never over frames of several trials.
A way is a function of a `Case` that makes `Kinetics`; `WAYS` names those there are.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float
from scipy.spatial.transform import Rotation

from monomsk.config import KineticsConfig
from monomsk.datasets.forces import Case, MeasuredForces
from monomsk.datasets.lessons import certain, has_trunk
from monomsk.kinematics import smooth_path
from monomsk.kinetics import classic, filtering, learned
from monomsk.kinetics.feet import feet_of
from monomsk.model.compile import compile_model
from monomsk.networks import SHIPPED, dynamics_folder, load_dynamics
from monomsk.types import Kinetics, Motion, Subject

Way = Callable[[Case], Kinetics]
STANCE = 20.0
"""Vertical force from which a foot stands [N]."""
SOLID = 100.0
"""Vertical force from which a centre of pressure is held against another [N]."""
HEADING = 1.0
"""Cut-off of the direction that the pelvis faces [Hz]: steps turn it to and fro."""
REACH = 0.15
"""An estimated foot strike or lift further from the measured one is another, or none [s]."""
LEG = ("hip_flexion", "hip_adduction", "hip_rotation", "knee_angle", "ankle_angle")
"""Coordinates of a leg, without the side, whose moments are judged."""
ACTIVITIES = {"run": "running", "jog": "running", "sprint": "running", "walk": "walking", "sts": "sit-to-stand", "dj": "landing"}
"""Words of the table of trials, in lower case, and the activity that they begin."""


@dataclass(frozen=True)
class Score:
    """Of one trial in one way."""

    person: str
    trial: str
    activity: str
    values: dict[str, float]
    """Figures by name; NaN where a trial shows none."""


def classic_way(lowpass: float) -> Way:
    """Newton–Euler with the motion low-passed at `lowpass` [Hz]."""

    def way(case: Case) -> Kinetics:
        return classic.estimate(case.motion, case.spec, case.subject, KineticsConfig(lowpass=lowpass))

    return way


def learned_way(weights: str) -> Way:
    """The inverse dynamics transformer of a set of weights, which is read when the first trial comes."""

    def way(case: Case) -> Kinetics:
        network, _ = load_dynamics(dynamics_folder(weights))
        motion = certain(case.motion) if case.motion.sigma is None else case.motion
        return learned.estimate(motion, case.spec, case.subject, KineticsConfig(), network, trunk=has_trunk(case.clip))

    return way


WAYS: dict[str, Way] = {
    "classic": classic_way(KineticsConfig().lowpass),
    "classic12": classic_way(12.0),
    "learned": learned_way(SHIPPED[0]),
}
"""By name: the classic way as a run takes it, and with twice the cut-off; the inverse dynamics transformer that ships."""


def activity_of(text: str) -> str:
    """Activity of a trial by what the table calls it; its own words where they are none of `ACTIVITIES`."""
    return next((name for word, name in ACTIVITIES.items() if text.lower().startswith(word)), text)


def judge(case: Case, measured: MeasuredForces, truth: Kinetics, found: Kinetics) -> dict[str, float]:
    """All figures of a trial; `truth` is inverse dynamics under the measured forces."""
    stance = measured.known & (measured.force[..., 1] > STANCE)
    weight = measured.mass * 9.80665
    scale = weight * case.subject.height
    moments = moment_errors(found, truth, stance, scale)
    return {
        **force_errors(found.force - measured.force, stance, heading(case.motion), weight),
        "total": _mean(np.abs((found.force - measured.force).sum(1)[:, 1]), measured.whole & stance.any(1)) * 100.0 / weight,
        "cop": cop_error(found.cop, measured.cop, measured.known & (measured.force[..., 1] > SOLID)),
        "hip": _over(moments, LEG[:3]),
        **{name.removesuffix("_angle"): moments[name] for name in LEG[3:]},
        "moments": _over(moments, LEG),
        "peak knee": peak_error(found, truth, stance, scale),
        **residual(found, measured, case.subject),
        **timing(found.force[..., 1], measured.force[..., 1], measured.known, measured.time),
        "slide": sliding(case, found, measured),
    }


def heading(motion: Motion) -> Float[np.ndarray, "time 3 3"]:
    """Rows: forward, up and right of the direction that the pelvis faces, low-passed; ground frame."""
    column = [motion.names.index(name) for name in ("pelvis_tilt", "pelvis_list", "pelvis_rotation")]
    ahead = Rotation.from_euler("ZXY", motion.q[:, column]).as_matrix()[:, [0, 2], 0]
    ahead = filtering.lowpass(ahead, filtering.sampling_rate(motion.time), HEADING)
    ahead = ahead / np.maximum(np.linalg.norm(ahead, axis=1, keepdims=True), 1e-9)
    x, z, none, one = ahead[:, 0], ahead[:, 1], np.zeros(len(ahead)), np.ones(len(ahead))
    return np.stack([np.stack([x, none, z], -1), np.stack([none, one, none], -1), np.stack([-z, none, x], -1)], 1)


def force_errors(
    error: Float[np.ndarray, "time foot 3"], frames: Bool[np.ndarray, "time foot"], axes: Float[np.ndarray, "time 3 3"], weight: float
) -> dict[str, float]:
    """Mean absolute errors along the axes, and of the whole vector, in the frames of each foot [% body weight]."""
    along = np.abs(np.einsum("tij,tfj->tfi", axes, error)) * 100.0 / weight
    size = np.linalg.norm(error, axis=-1) * 100.0 / weight
    named = {"fore-aft": along[..., 0], "vertical": along[..., 1], "lateral": along[..., 2], "vector": size}
    return {name: _mean(named[name], frames) for name in ("vertical", "fore-aft", "lateral", "vector")}


def cop_error(
    found: Float[np.ndarray, "time foot 3"], measured: Float[np.ndarray, "time foot 3"], frames: Bool[np.ndarray, "time foot"]
) -> float:
    """Mean distance of centres of pressure along the floor [cm]."""
    return 100.0 * _mean(np.linalg.norm((found - measured)[..., [0, 2]], axis=-1), frames)


def moment_errors(found: Kinetics, truth: Kinetics, frames: Bool[np.ndarray, "time foot"], scale: float) -> dict[str, float]:
    """Mean absolute errors of a leg's moments in the frames of its foot [% of `scale`, body weight × height in N·m]."""
    errors = {}
    for name in LEG:
        column = [found.names.index(f"{name}_{side}") for side in "rl"]
        errors[name] = _mean(np.abs(found.tau - truth.tau)[:, column], frames) * 100.0 / scale
    return errors


def peak_error(found: Kinetics, truth: Kinetics, frames: Bool[np.ndarray, "time foot"], scale: float) -> float:
    """Mean error of the greatest knee extension moment of each contact [% of `scale`, in N·m]."""
    errors = list[float]()
    for foot, side in enumerate("rl"):
        i = found.names.index(f"knee_angle_{side}")
        for run in _runs(frames[:, foot]):
            # At the clip's ends a contact may be without its peak.
            if run.start > 0 and run.stop < len(frames):
                errors.append(abs(float((-found.tau[run, i]).max() - (-truth.tau[run, i]).max())))
    return 100.0 * float(np.mean(errors)) / scale if errors else float("nan")


def residual(found: Kinetics, measured: MeasuredForces, subject: Subject) -> dict[str, float]:
    """Root mean square of what is left at the pelvis where the plates are whole: force [% of the peak ground force], moment
    [% body weight × height]."""
    whole = measured.whole
    if not whole.any():
        return {"residual force": float("nan"), "residual moment": float("nan")}
    slides, turns = ([found.names.index(f"pelvis_{n}") for n in names] for names in (("tx", "ty", "tz"), ("tilt", "list", "rotation")))
    force, moment = (float(np.sqrt((found.tau[whole][:, c] ** 2).sum(1).mean())) for c in (slides, turns))
    peak = float(np.linalg.norm(measured.force.sum(1), axis=1)[whole].max())
    return {
        "residual force": 100.0 * force / peak if peak > STANCE else float("nan"),
        "residual moment": 100.0 * moment / (measured.mass * 9.80665 * subject.height),
    }


def timing(
    found: Float[np.ndarray, "time foot"],
    measured: Float[np.ndarray, "time foot"],
    known: Bool[np.ndarray, "time foot"],
    time: Float[np.ndarray, " time"],
) -> dict[str, float]:
    """Mean absolute error of strikes and lifts [ms], from vertical forces [N], and the share of them that was missed [%]."""
    step = float(time[1] - time[0])
    errors: dict[bool, list[float]] = {True: [], False: []}
    missed = 0
    for foot in (0, 1):
        for strikes in (True, False):
            ours = _crossings(found[:, foot], rising=strikes)
            for at in _crossings(measured[:, foot], rising=strikes):
                if not known[max(0, int(at) - 1) : int(at) + 3, foot].all():
                    continue
                apart = np.abs(ours - at) * step
                if apart.size and apart.min() < REACH:
                    errors[strikes].append(1e3 * float(apart.min()))
                else:
                    missed += 1
    count = len(errors[True]) + len(errors[False]) + missed
    mean = {name: float(np.mean(e)) if (e := errors[strikes]) else float("nan") for name, strikes in (("strike", True), ("lift", False))}
    return {**mean, "missed": 100.0 * missed / count if count else float("nan")}


def sliding(case: Case, found: Kinetics, measured: MeasuredForces) -> float:
    """Mean speed along the floor of the sole point nearest to the measured centre of pressure, while it carries [mm/s]."""
    feet, point = feet_of(case.spec), smooth_path.soles(compile_model(case.spec), found.q)
    side = np.array([contact.body[-1] for contact in case.spec.contacts])
    speed = np.linalg.norm(np.gradient(point[..., [0, 2]], measured.time, axis=0), axis=-1)
    near = np.linalg.norm(point[:, None, :, [0, 2]] - measured.cop[:, :, None, [0, 2]], axis=-1)
    near = np.where((side[None] == np.array([[b[-1]] for b in feet.bodies]))[None], near, np.inf).argmin(-1)
    carries = measured.known & (measured.force[..., 1] > SOLID)
    return 1e3 * _mean(np.take_along_axis(speed, near, axis=1), carries)


def by_person(scores: Iterable[Score]) -> dict[str, float]:
    """Means over people of their means over trials; NaN where no trial has the figure."""
    people: dict[str, list[dict[str, float]]] = defaultdict(list)
    for score in scores:
        people[score.person].append(score.values)
    names = dict.fromkeys(name for trials in people.values() for values in trials for name in values)
    return {name: _finite_mean([_finite_mean([v[name] for v in trials]) for trials in people.values()]) for name in names}


def _finite_mean(values: list[float]) -> float:
    finite = [v for v in values if np.isfinite(v)]
    return float(np.mean(finite)) if finite else float("nan")


def _mean(values: np.ndarray, frames: np.ndarray) -> float:
    return float(values[frames].mean()) if frames.any() else float("nan")


def _over(values: dict[str, float], names: tuple[str, ...]) -> float:
    return float(np.mean([values[name] for name in names]))


def _runs(there: Bool[np.ndarray, " time"]) -> list[slice]:
    edges = np.flatnonzero(np.diff(np.concatenate([[0], there.astype(int), [0]])))
    return [slice(int(a), int(b)) for a, b in edges.reshape(-1, 2)]


def _crossings(up: Float[np.ndarray, " time"], *, rising: bool) -> Float[np.ndarray, " event"]:
    """Frames, with fractions, at which a vertical force passes `STANCE`."""
    above = up > STANCE
    before = np.flatnonzero(above[1:] & ~above[:-1] if rising else above[:-1] & ~above[1:])
    return before + (STANCE - up[before]) / (up[before + 1] - up[before])
