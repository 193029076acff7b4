"""How well forces come out of motion alone: python benchmarks/force_accuracy.py --corpus DIR --root ../shared/data [--split dev].

Laboratory trials that were fitted into the corpus, forces hidden, motion from their markers. Prints, by source and activity, in how many
trials every contact with the ground was measured and how well the measured forces fit the motion; then, by activity, every way's errors,
means over people. `plates` is inverse dynamics under the measured forces: what it leaves at the pelvis is the motion's fault, or the
plates'. `--shaken SEED` judges motions that err like those of one camera. `--each` tells every trial;
`--plot FILE` draws one trial of each activity, measured (black) beside estimated.
"""

import argparse
from collections import defaultdict
from dataclasses import dataclass, replace
from pathlib import Path
from zlib import crc32

import numpy as np

from monomsk.datasets import laboratory
from monomsk.datasets.forces import Case, MeasuredForces, read_case, reference
from monomsk.datasets.lessons import shaken
from monomsk.errors import MonomskError
from monomsk.evaluation.forces import WAYS, Score, activity_of, by_person, heading, judge
from monomsk.types import Kinetics

UNITS = {
    "% BW": ("vertical", "fore-aft", "lateral", "vector", "total"),
    "cm": ("cop",),
    "% BW·h": ("hip", "knee", "ankle", "moments", "peak knee", "residual moment"),
    "% peak": ("residual force",),
    "ms": ("strike", "lift"),
    "%": ("missed",),
    "mm/s": ("slide",),
}
MEASURED = "plates"
"""How the measured forces themselves are called among the ways: only their residuals say something."""


@dataclass(frozen=True)
class Shown:
    """A trial for the picture."""

    row: laboratory.Row
    case: Case
    measured: MeasuredForces
    truth: Kinetics
    found: dict[str, Kinetics]


def main() -> None:
    options = _options()
    scores: dict[str, list[Score]] = defaultdict(list)
    whole: dict[tuple[str, str], list[tuple[laboratory.Row, MeasuredForces, Case]]] = defaultdict(list)
    shown: dict[str, Shown] = {}
    root = options.root / "kinetics"
    for row in laboratory.read_table(root / "trials.csv"):
        if row.split != options.split or options.only not in row.file:
            continue
        try:
            case, measured = read_case(options.corpus, root, row, as_fitted=options.as_fitted)
        except MonomskError as error:
            print(f"left out: {error}")
            continue
        truth, kind = reference(case, measured), activity_of(row.activity)
        whole[row.source, kind].append((row, measured, case))
        seen = case if options.shaken is None else _shaken(case, options.shaken)
        found = {way: WAYS[way](seen) for way in options.ways}
        for way, kinetics in {MEASURED: truth, **found}.items():
            values = judge(case, measured, truth, kinetics)
            scores[way].append(Score(row.person, row.trial, kind, values))
            if options.each:
                print(f"{row.file:36s} {way:10s} " + "  ".join(f"{n} {v:.2f}" for n, v in values.items()), flush=True)
        if kind not in shown or measured.known.sum() > shown[kind].measured.known.sum():
            shown[kind] = Shown(row, case, measured, truth, found)
    _tell_whole(whole)
    _tell_scores(scores)
    if options.plot:
        _draw(list(shown.values()), options.plot)


def _shaken(case: Case, seed: int) -> Case:
    """The trial with a motion that errs like one from one camera."""
    return replace(case, motion=shaken(case.motion, np.random.default_rng([seed, crc32(case.clip.key.encode())])))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--split", choices=("train", "dev"), default="dev")
    parser.add_argument("--ways", nargs="*", choices=tuple(WAYS), default=tuple(WAYS))
    parser.add_argument("--only", default="", help="only trials with this in their file's name")
    parser.add_argument("--each", action="store_true")
    parser.add_argument("--as-fitted", action="store_true", help="the motion of the corpus instead of that of the markers")
    parser.add_argument("--shaken", type=int, help="seed: the motion with errors like those of one camera (datasets/lessons.py)")
    parser.add_argument("--plot", type=Path)
    return parser.parse_args()


def _tell_whole(table: dict[tuple[str, str], list[tuple[laboratory.Row, MeasuredForces, Case]]]) -> None:
    print(f"{'measured':46s}{'trials':>7s}{'people':>7s}{'seconds':>9s}{'whole: trials':>14s}{'people':>7s}{'seconds':>9s}"
          f"{'feet known s':>13s}{'load/weight':>12s}{'markers mm':>11s}")  # fmt: skip
    for (source, kind), found in sorted(table.items()):
        step = [m.time[1] - m.time[0] for _, m, _ in found]
        some = [(r, m) for r, m, _ in found if m.whole.any()]
        seconds = sum(s * len(m.time) for s, (_, m, _) in zip(step, found, strict=True))
        held = sum(s * m.whole.sum() for s, (_, m, _) in zip(step, found, strict=True))
        feet = sum(s * m.known.sum() for s, (_, m, _) in zip(step, found, strict=True))
        load = [m.force[m.whole].sum(1)[:, 1].mean() / (9.80665 * m.mass) for _, m in some]
        print(f"{source + ', ' + kind:46s}{len(found):7d}{len({r.person for r, _, _ in found}):7d}{seconds:9.1f}{len(some):14d}"
              f"{len({r.person for r, _ in some}):7d}{held:9.1f}{feet:13.1f}{np.mean(load) if load else np.nan:12.3f}"
              f"{1e3 * np.mean([c.distance for _, _, c in found]):11.1f}")  # fmt: skip


def _tell_scores(scores: dict[str, list[Score]]) -> None:
    kinds = sorted({s.activity for of_way in scores.values() for s in of_way})
    for kind in kinds:
        rows = {way: [s for s in of_way if s.activity == kind] for way, of_way in scores.items()}
        people = {s.person for s in next(iter(rows.values()))}
        print(f"\n{kind}: {len(next(iter(rows.values())))} trials of {len(people)} people")
        means = {way: by_person(of_way) for way, of_way in rows.items()}
        print(f"{'':24s}" + "".join(f"{way:>12s}" for way in means))
        for unit, names in UNITS.items():
            for name in names:
                print(f"{name + ' ' + unit:24s}" + "".join(f"{m[name]:12.2f}" for m in means.values()))


def _draw(trials: list[Shown], path: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(4, len(trials), figsize=(7.0 * len(trials), 13.0), squeeze=False)
    for column, one in zip(axes.T, trials, strict=True):
        _draw_trial(column, one)
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="upper right", ncols=len(labels))
    figure.tight_layout(rect=(0.0, 0.0, 1.0, 0.97))
    figure.savefig(path, dpi=70)


def _draw_trial(column: np.ndarray, one: Shown) -> None:
    """Vertical and fore-aft force, knee moment and fore-aft centre of pressure, both feet; grey where a foot is not known."""
    time, weight = one.measured.time, one.measured.mass * 9.80665
    ahead = heading(one.case.motion)
    colours = ("tab:red", "tab:blue", "tab:green", "tab:orange")
    for kinetics, colour, name in [(None, "k", MEASURED), *((k, c, n) for (n, k), c in zip(one.found.items(), colours, strict=False))]:
        force = one.measured.force if kinetics is None else kinetics.force
        along = np.einsum("tij,tfj->tfi", ahead, force) / weight
        cop = one.measured.cop if kinetics is None else kinetics.cop
        tau = (one.truth if kinetics is None else kinetics).tau
        for foot, (side, style) in enumerate((("r", "-"), ("l", "--"))):
            knee = -tau[:, one.truth.names.index(f"knee_angle_{side}")] / one.measured.mass
            held = force[:, foot, 1] > 100.0
            label = f"{name}, {side}"
            column[0].plot(time, along[:, foot, 1], color=colour, linestyle=style, label=label)
            column[1].plot(time, along[:, foot, 0], color=colour, linestyle=style)
            column[2].plot(time, np.where(one.measured.known[:, foot], knee, np.nan), color=colour, linestyle=style)
            middle = one.measured.cop[:, foot, 0] if foot == 0 else one.measured.cop[:, 1, 0]
            column[3].plot(time, np.where(held, 100.0 * (cop[:, foot, 0] - middle), np.nan), color=colour, linestyle=style)
    for panel in column:
        panel.set_xlim(time[0], min(time[-1], time[0] + 3.0))
        panel.fill_between(time, 0, 1, where=~one.measured.known.all(1), color="0.9", transform=panel.get_xaxis_transform())
    column[0].set(title=f"{one.row.file}, {one.row.activity}", ylabel="vertical force [BW]")
    column[1].set(ylabel="fore-aft force [BW]")
    column[2].set(ylabel="knee extension moment [N·m/kg]")
    column[3].set(ylabel="CoP along X less the measured one [cm]", ylim=(-15, 15), xlabel="time [s]")


if __name__ == "__main__":
    main()
