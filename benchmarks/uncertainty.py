"""Whether stated errors are made: python benchmarks/uncertainty.py --corpus DIR --root ../shared/data [--split dev] [--most N].

Laboratory trials that were fitted into the corpus, their motion from markers, seen by a simulated camera with measured noise, fitted and
analysed. Prints, for angles, forces on feet that stand on plates, and moments of their legs: errors that were made (RMS), those that were
stated, how many lie within one and two standard deviations (normal errors: 68 and 95 %), and made against stated by quarters of the
stated. `--calibrate` prints factors for `kinematics.uncertainty` and `kinetics.uncertainty`; use it on trials of other people than those
that judge. `--plot FILE` draws made against stated.
"""

import argparse
import time
from collections import defaultdict
from pathlib import Path

import numpy as np
from scipy.optimize import nnls

from monomsk.datasets import laboratory
from monomsk.datasets.forces import read_case
from monomsk.errors import MonomskError
from monomsk.evaluation.forces import activity_of
from monomsk.evaluation.uncertainty import Pairs, gathered, judge
from monomsk.networks import load_networks

WITHIN_ONE = 0.6827
"""Share of normal errors within a standard deviation."""


def main() -> None:
    options = _options()
    networks = load_networks(options.weights) if options.way == "both" else None
    found, began = defaultdict(list), time.monotonic()
    for number, row in enumerate(_chosen(options)):
        if time.monotonic() - began > options.minutes * 60.0:
            print(f"stopped after {options.minutes:g} minutes")
            break
        try:
            pairs = judge(*read_case(options.corpus, options.root / "kinetics", row), networks, options.seed + number)
        except MonomskError as error:
            print(f"left out: {row.file}: {error}", flush=True)
            continue
        if pairs is not None:
            found[_kind(row)].append(pairs)
            print(f"{row.file}", flush=True)
    every = {f"{kind}, {len(of)} trials": gathered(of) for kind, of in found.items()}
    every["all"] = gathered([pairs for of in found.values() for pairs in of])
    for name, pairs in every.items():
        _tell(name, pairs)
    if options.calibrate:
        _calibrate(every["all"])
    if options.plot:
        _draw(every["all"], options.plot)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--split", choices=("train", "dev"), default="dev")
    parser.add_argument("--way", choices=("classic", "both"), default="classic")
    parser.add_argument("--weights", default="commercial")
    parser.add_argument("--most", type=int, default=1000, help="trials of each activity")
    parser.add_argument("--minutes", type=float, default=1e6, help="begin no trial after so many")
    parser.add_argument("--seed", type=int, default=100)
    parser.add_argument("--calibrate", action="store_true")
    parser.add_argument("--plot", type=Path)
    return parser.parse_args()


def _kind(row: laboratory.Row) -> str:
    return "landing" if row.activity.startswith("DJ") else activity_of(row.activity)


def _chosen(options: argparse.Namespace) -> list[laboratory.Row]:
    """Trials of a split in an order that mixes people and activities, the same for equal seeds."""
    rows = [r for r in laboratory.read_table(options.root / "kinetics" / "trials.csv") if r.split == options.split]
    order = np.random.default_rng(options.seed).permutation(len(rows))
    chosen: list[tuple[int, laboratory.Row]] = []
    counts: dict[str, int] = defaultdict(int)
    for i in order:
        kind = _kind(rows[i])
        counts[kind] += 1
        if counts[kind] <= options.most:
            chosen.append((counts[kind], rows[i]))
    return [row for _, row in sorted(chosen, key=lambda pair: pair[0])]


def _unit(name: str) -> tuple[float, str]:
    if name.startswith("force"):
        return 100.0, "% BW"
    return (100.0, "% BW·h") if name.startswith("moment") else (180.0 / np.pi, "°")


def _rms(values: np.ndarray) -> float:
    return float(np.sqrt(np.mean(values**2))) if values.size else float("nan")


def _quarters(pairs: Pairs) -> list[tuple[float, float]]:
    """Stated and made error, RMS, of the quarters with the least to the greatest stated error."""
    parts = np.array_split(np.argsort(pairs.stated), 4)
    return [(_rms(pairs.stated[part]), _rms(pairs.error[part])) for part in parts]


def _tell(title: str, every: dict[str, Pairs]) -> None:
    print(f"\n{title}\n{'':22s}{'stated':>8s}{'made':>8s}{'unit':>8s}{'within 1':>10s}{'within 2':>10s}   stated → made, by quarters")
    for name, pairs in every.items():
        if not pairs.error.size:
            continue
        scale, unit = _unit(name)
        inside = [100.0 * np.mean(np.abs(pairs.error) <= k * pairs.stated) for k in (1, 2)]
        bars = ", ".join(f"{scale * a:.1f} → {scale * b:.1f}" for a, b in _quarters(pairs))
        sizes = "".join(f"{scale * _rms(values):8.2f}" for values in (pairs.stated, pairs.error))
        print(f"{name:22s}{sizes}{unit:>8s}{inside[0]:9.0f} %{inside[1]:9.0f} %   {bars}")


def _calibrate(every: dict[str, Pairs]) -> None:
    """Factors under which two thirds of the errors lie within their standard deviation."""
    print("\nfactors on the standard deviations of angles, to multiply those in use with")
    for name, pairs in every.items():
        if not name.startswith(("force", "moment")):
            print(f"  {name:22s}{np.quantile(np.abs(pairs.error) / pairs.stated, WITHIN_ONE):6.2f}")
    print("parts of the standard deviations of forces and moments: of the draws, constant, of liveliness")
    moments = gathered([{"moment": pairs} for name, pairs in every.items() if name.startswith("moment")])
    for name, pairs in {**{n: p for n, p in every.items() if n.startswith("force")}, **moments}.items():
        print(f"  {name:22s}" + "".join(f"{v:8.4f}" for v in shares(pairs)))


def shares(pairs: Pairs) -> np.ndarray:
    """Factor on the draws, constant and factor on the liveliness whose squares add up to the squares of the errors.

    Least squares over groups of alike frames, each relative to its own errors, then all scaled until two thirds of the errors lie within.
    """
    parts = np.stack([pairs.drawn**2, np.ones_like(pairs.drawn), pairs.lively**2], axis=1)
    groups = [g for half in np.array_split(np.argsort(pairs.lively), 6) for g in np.array_split(half[np.argsort(pairs.drawn[half])], 4)]
    means, made = np.array([parts[g].mean(0) for g in groups]), np.array([np.mean(pairs.error[g] ** 2) for g in groups])
    found = nnls(means / made[:, None], np.ones(len(made)))[0]
    stated = np.sqrt(parts @ found)
    return np.sqrt(found) * np.quantile(np.abs(pairs.error) / stated, WITHIN_ONE)


def _draw(every: dict[str, Pairs], path: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 3, figsize=(13.0, 4.2))
    for axis, kind in zip(axes, ("°", "% BW", "% BW·h"), strict=True):
        top = 0.0
        for name, pairs in every.items():
            scale, unit = _unit(name)
            if unit == kind and pairs.error.size:
                points = scale * np.array(_quarters(pairs))
                axis.plot(*points.T, "o-", label=name, markersize=3)
                top = max(top, float(points.max()))
        axis.plot([0, 1.1 * top], [0, 1.1 * top], "k--", linewidth=0.8)
        axis.set(xlabel=f"stated [{kind}]", ylabel=f"made, RMS [{kind}]")
        axis.legend(fontsize=6)
    figure.tight_layout()
    figure.savefig(path, dpi=110)


if __name__ == "__main__":
    main()
