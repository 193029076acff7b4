"""How good a corpus is: python benchmarks/corpus_quality.py --corpus DIR --root ../shared/data.

By source: how fast planted heels move and how far they are from the floor, how far soles sink, how often joints stand at the ends of
their ranges, how the angles differ from those that the source's own model has (laboratory trials), and whether feet that press on force
plates are said to stand.
"""

import argparse
import csv
from collections import defaultdict
from pathlib import Path

import numpy as np

from monomsk.datasets import augment, laboratory
from monomsk.datasets.corpus import MotionClip, read_corpus
from monomsk.datasets.fitting import generic_body

COMPARED = ("hip_flexion", "knee_angle", "ankle_angle")
LIMITED = ("hip_flexion", "hip_rotation", "knee_angle", "ankle_angle", "elbow_flex")
PRESSING = 50.0
"""Vertical force from which somebody presses on a plate [N]."""


def feet(clip: MotionClip) -> dict[str, np.ndarray]:
    """Speed [mm/s] and distance from the floor [mm] of planted heels, and depth of the lowest sole point [mm], frame by frame."""
    body = clip.body(generic_body())
    sole = augment.soles(body, clip.q)[clip.valid]
    if len(sole) < 3:
        return {}
    speed = np.linalg.norm(np.gradient(sole[..., [0, 2]], 1.0 / clip.rate, axis=0), axis=-1)
    heel = [augment.heel_sphere(body, side) for side in ("_r", "_l")]
    on_heels = clip.contact[clip.valid][:, [0, 2]]
    return {
        "slide": 1000.0 * speed[:, heel][on_heels],
        "height": 1000.0 * np.abs(sole[:, heel, 1][on_heels]),
        "sunk": 1000.0 * np.maximum(-sole[..., 1].min(1), 0.0),
    }


def at_limits(clip: MotionClip) -> dict[str, float]:
    """Share of frames in which an angle is within half a degree of an end of its range."""
    low, high = np.asarray(generic_body().coordinate_range).T
    found = {}
    for name in LIMITED:
        i = clip.names.index(f"{name}_r")
        if clip.measured[i]:
            q = clip.q[:, i]
            found[name] = float(((q < low[i] + 0.009) | (q > high[i] - 0.009)).mean())
    return found


def beside_source(clip: MotionClip, path: Path, degrees: bool) -> dict[str, tuple[float, float]]:
    """Mean and standard deviation [°] of the difference from the source's own angles."""
    time, names, q = laboratory.read_angles(path)
    found: dict[str, tuple[float, float]] = {}
    if not names:
        return found
    start = laboratory.read_markers(path).time[0]
    for name in COMPARED:
        column = f"{name}_r"
        if column not in names:
            continue
        theirs = q[:, names.index(column)]
        # Some files are in degrees whatever the table says: no joint turns by four radians.
        theirs = theirs * (1.0 if degrees or np.abs(theirs).max() > 4.0 else 180.0 / np.pi)
        ours = np.degrees(clip.q[:, clip.names.index(column)])
        inside = (clip.time + start >= time[0]) & (clip.time + start <= time[-1])
        if inside.sum() < 10:
            continue
        there = np.interp((clip.time + start)[inside], time, theirs)
        # gait2392's knees bend to the negative side.
        sign = -1.0 if name == "knee_angle" and np.median(there) < 0.0 else 1.0
        difference = ours[inside] - sign * there
        found[name] = (float(difference.mean()), float(difference.std()))
    return found


def standing_on_plates(clip: MotionClip, path: Path) -> tuple[float, float] | None:
    """Share of frames pressing on plates that have a foot in contact, and share of unpressed ones that have none (flight)."""
    plates, start = laboratory.read_plates(path), laboratory.read_markers(path).time[0]
    vertical = plates.force[..., 1].sum(1)
    if vertical.max() < 200.0 or len(vertical) < 10:
        return None
    force = np.interp(clip.time + start, plates.time, vertical)
    said = clip.contact.any(1)
    pressed = force > PRESSING
    return float(said[pressed].mean()), float((~said[~pressed]).mean()) if (~pressed).any() else np.nan


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--root", type=Path, required=True)
    chosen = parser.parse_args()
    rows = {(r["source"], r["person"], r["trial"]): r for r in csv.DictReader((chosen.root / "kinetics" / "trials.csv").open())}
    groups: dict[str, list[MotionClip]] = defaultdict(list)
    for clip in read_corpus(chosen.corpus):
        groups[clip.origin.source].append(clip)
    for source, clips in sorted(groups.items()):
        print(f"{source}: {len(clips)} clips")
        print_feet_and_ranges(clips)
        known = [(c, row) for c in clips if (row := rows.get((c.origin.source, c.origin.person, c.origin.name))) is not None]
        print_beside_laboratory(known, chosen.root / "kinetics")


def print_feet_and_ranges(clips: list[MotionClip]) -> None:
    measured = [m for c in clips if (m := feet(c))]
    for name, unit in (("slide", "mm/s"), ("height", "mm"), ("sunk", "mm")):
        values = np.concatenate([m[name] for m in measured])
        if len(values):
            print(f"  {name}: median {np.median(values):.1f}, 95 % {np.quantile(values, 0.95):.1f} {unit}")
    ends = [at_limits(c) for c in clips]
    shares = {n: np.mean([e[n] for e in ends if n in e] or [0.0]) for n in LIMITED}
    print("  at the ends of ranges: " + ", ".join(f"{n} {100.0 * share:.1f} %" for n, share in shares.items()))
    knee = np.degrees(np.concatenate([c.q[:, c.names.index(f"knee_angle_{s}")] for c in clips for s in "rl"]))
    counts = np.histogram(knee, [-10, 0, 20, 40, 60, 80, 100, 120, 140, 170])[0]
    print("  knee flexion below 0, 20, 40 … 140° and above, % of frames: " + " ".join(f"{100.0 * n / len(knee):.1f}" for n in counts))


def print_beside_laboratory(known: list[tuple[MotionClip, dict[str, str]]], root: Path) -> None:
    beside = [beside_source(c, root / row["file"], row["q_units"] == "deg") for c, row in known]
    for name in COMPARED:
        values = np.array([b[name] for b in beside if name in b])
        if len(values):
            mean, spread = values[:, 0].mean(), values[:, 0].std()
            print(
                f"  {name} beside the source's own: mean {mean:+.1f}° (sd over trials {spread:.1f}°), sd within {values[:, 1].mean():.1f}°"
            )
    plates = np.array([p for c, row in known if (p := standing_on_plates(c, root / row["file"])) is not None])
    if len(plates):
        there, gone = 100.0 * plates[:, 0].mean(), 100.0 * np.nanmean(plates[:, 1])
        print(f"  force plates: contact in {there:.0f} % of the pressed frames, none in {gone:.0f} % of the others")


if __name__ == "__main__":
    main()
