"""Motion and forces that agree, against those that do not: python benchmarks/consistency.py --corpus DIR --root ../shared/data.

Laboratory trials that were fitted into the corpus, plates hidden, motion from their markers or, with `--shaken`, with errors as one camera
makes them (4 degrees and 3 cm that last for half a second, half a degree and 3 mm that last for a fourteenth; seeds are the trials'
names). Prints, by activity, means over people: errors of forces and moments as `force_accuracy.py` has them, what is left at the pelvis,
sliding of what carries [mm/s], sinking [mm], acceleration of the centre of mass less gravity's in flight [m/s²], and where simulations of
0.1 s through the differential equation end that begin on the motion [deg, mm]. `refused` are those that the refinement gave back as they
were. `--clean-second` prints instead how far forward dynamics is from the motion whose inverse dynamics it is fed, after a second.
"""

import argparse
import time
import zlib
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy.ndimage import gaussian_filter1d

from monomsk.config import KineticsConfig
from monomsk.datasets import laboratory
from monomsk.datasets.forces import Case, MeasuredForces, read_case, reference
from monomsk.errors import MonomskError
from monomsk.evaluation.forces import Score, activity_of, by_person, judge
from monomsk.kinetics import classic, filtering
from monomsk.model.compile import compile_model
from monomsk.simulation import linearised, quality
from monomsk.simulation.refinement import search, speeds_of
from monomsk.simulation.rollout import defects
from monomsk.simulation.spline import along, spline_over
from monomsk.types import Kinetics, Motion

NAMES = ("vertical", "fore-aft", "lateral", "vector", "cop", "hip", "knee", "ankle", "moments", "peak knee", "residual force",
         "residual moment", "angles", "sliding", "sinking", "flight", "window_angle_error", "window_pelvis_error", "refused")  # fmt: skip


def main() -> None:
    options = _options()
    scores: dict[str, dict[str, list[Score]]] = defaultdict(lambda: defaultdict(list))
    spent, seconds = 0.0, 0.0
    for row in laboratory.read_table(options.root / "kinetics" / "trials.csv"):
        if row.split != options.split or not any(word in row.file for word in options.only or ("",)):
            continue
        try:
            case, measured = read_case(options.corpus, options.root / "kinetics", row)
        except MonomskError as error:
            print(f"left out: {error}")
            continue
        if options.clean_second:
            _tell_second(row.file, case)
            continue
        motion = shaken(case.motion, row.file) if options.shaken else case.motion
        before = classic.estimate(motion, case.spec, case.subject, KineticsConfig())
        began = time.perf_counter()
        found = search(motion, before, case.spec, case.subject)
        spent, seconds = spent + time.perf_counter() - began, seconds + float(case.motion.time[-1])
        speeds = filtering.rates(motion.time, filtering.unwrap(motion.q, motion.rotational), KineticsConfig().lowpass)[1]
        after = found.kinetics if not found.trouble else before
        rate = speeds_of(found) if not found.trouble else speeds
        for way, kinetics, qd in (("classic", before, speeds), ("refined", after, rate)):
            values = _figures(case, measured, kinetics, qd) | {"refused": 100.0 * bool(found.trouble and way == "refined")}
            scores[activity_of(row.activity)][way].append(Score(row.person, row.trial, activity_of(row.activity), values))
        if options.each:
            for way, of_way in scores[activity_of(row.activity)].items():
                told = "  ".join(f"{n} {of_way[-1].values[n]:.2f}" for n in NAMES)
                print(f"{row.file:36s} {way:8s} {told} moved {found.moved:.2f} steps {found.answer.steps} {found.trouble}", flush=True)
    _tell(scores)
    if seconds:
        print(f"\nrefinement: {spent:.1f} s for {seconds:.1f} s of motion, compiling included")


def shaken(motion: Motion, name: str) -> Motion:
    """The motion with errors as one camera makes them, and their standard deviations."""
    random, rate = np.random.default_rng(zlib.crc32(name.encode())), 1.0 / float(motion.time[1] - motion.time[0])
    lasting = np.where(motion.rotational, np.radians(4.0), 0.03)
    hasty = np.where(motion.rotational, np.radians(0.5), 0.003)
    error = lasting * _wandering(motion.q.shape, 0.5 * rate, random) + hasty * _wandering(motion.q.shape, 0.07 * rate, random)
    return replace(motion, q=motion.q + error, sigma=np.broadcast_to(lasting, motion.q.shape), contact=None)


def _wandering(shape: tuple[int, ...], frames: float, random: np.random.Generator) -> np.ndarray:
    pad = round(4.0 * frames) + 1
    white = gaussian_filter1d(random.normal(size=(shape[0] + 2 * pad, *shape[1:])), frames, axis=0)
    return (white / white.std())[pad:-pad]


def _figures(case: Case, measured: MeasuredForces, kinetics: Kinetics, qd: np.ndarray) -> dict[str, float]:
    model = compile_model(case.spec)
    weight = case.spec.mass * quality.GRAVITY
    turning = [i for i in model.free if model.rotational[i] and i not in model.root]
    away = np.degrees(quality.rms((kinetics.q - case.motion.q)[:, turning]))
    figures = judge(case, measured, reference(case, measured), kinetics)
    return figures | quality.contact(model, kinetics, qd, weight) | quality.window_errors(model, kinetics, qd) | {"angles": float(away)}


def _tell_second(name: str, case: Case) -> None:
    """Inverse dynamics of the motion's spline, then forward dynamics from its first state, over its first second."""
    model, fine = compile_model(case.spec), 240.0
    spline = spline_over(case.motion.time, 20.0)
    points = spline.fit(case.motion.time, filtering.unwrap(case.motion.q, case.motion.rotational)[:, list(model.free)])
    at = case.motion.time[0] + np.arange(round(fine) + 1) / fine
    state = along(spline, points, at)
    nothing = np.zeros((len(at), 0, 6))
    tau, q, qd = linearised.joint_forces(model, (), case.motion.q[0], state, nothing)
    error = defects(model, (), (q, qd), (tau, nothing), (at, 1.0))
    slides = [i for i in model.root if not model.rotational[i]]
    turns = [i for i in model.free if model.rotational[i]]
    angle, place = np.degrees(np.abs(error[:, turns]).max()), 1e3 * np.abs(error[:, slides]).max()
    print(f"{name:40s} after 1 s: angles {angle:.2g} deg, pelvis {place:.2g} mm")


def _tell(scores: dict[str, dict[str, list[Score]]]) -> None:
    for kind, ways in sorted(scores.items()):
        rows = next(iter(ways.values()))
        print(f"\n{kind}: {len(rows)} trials of {len({s.person for s in rows})} people")
        means = {way: by_person(of_way) for way, of_way in ways.items()}
        print(f"{'':24s}" + "".join(f"{way:>12s}" for way in means))
        for name in NAMES:
            print(f"{name:24s}" + "".join(f"{m[name]:12.2f}" for m in means.values()))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--split", choices=("train", "dev"), default="dev")
    parser.add_argument("--only", nargs="*", help="only trials with one of these in their file's name")
    parser.add_argument("--shaken", action="store_true")
    parser.add_argument("--each", action="store_true")
    parser.add_argument("--clean-second", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    main()
