"""How well depth and angles come out of one simulated camera: python benchmarks/lifting_accuracy.py --corpus DIR [--split test].

Clips of people that no network was trained on are seen by cameras anywhere around them, with measured noise, and analysed in each way;
prints, by source or activity, the mean distance of 16 points about the hips [mm] and the mean error of 13 leg and pelvis angles [°].
`--plot FILE` draws the errors that were observed against those that the networks stated.
"""

import argparse
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import numpy as np

from monomsk.config import KinematicsConfig
from monomsk.datasets.corpus import read_corpus
from monomsk.evaluation.lifting import ANGLES, JOINTS, PELVIS, Errors, Seen, angle_errors, look_at, point_error, with_keypoints
from monomsk.io.body import load_anatomy, load_body
from monomsk.keypoints.skeleton import NAMES
from monomsk.kinematics.classic import Fit, fit
from monomsk.kinematics.embodied import embody
from monomsk.markers import learned, lift
from monomsk.model.compile import compile_model
from monomsk.networks import Networks, load_networks
from monomsk.types import Camera, Markers, Trial

WAYS = ("lifted", "classic", "learned", "both")
BODY = load_body()
ANATOMY = load_anatomy()


def main() -> None:
    options = _options()
    networks = load_networks(options.weights)
    clips = read_corpus(options.corpus, split=options.split)[:: options.every]
    rows: dict[str, list[dict[str, Errors]]] = defaultdict(list)
    calibration: list[tuple[np.ndarray, np.ndarray]] = []
    for seen in look_at(clips, views=options.views, seed=options.seed):
        markers, camera = learned.lift(seen.keypoints, seen.camera, seen.subject, networks.markers)
        calibration.append(_stated_and_observed(seen, markers, camera))
        found = {way: _errors(seen, way, networks, markers, camera) for way in options.ways}
        for group in ("all", seen.clip.origin.source, f"  {seen.clip.origin.activity}"):
            rows[group].append(found)
    _table(rows, options.ways)
    _tell_calibration(calibration, options.plot)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--split", default="test")
    parser.add_argument("--weights", default="commercial")
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=WAYS)
    parser.add_argument("--every", type=int, default=1, help="only every so many clips")
    parser.add_argument("--views", type=int, default=1)
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--plot", type=Path)
    return parser.parse_args()


def _errors(seen: Seen, way: str, networks: Networks, markers: Markers, camera: Camera) -> Errors:
    """One way through one stretch; of the lifted markers alone there are no angles."""
    if way == "lifted":
        return Errors(point_error(seen, markers, camera), dict.fromkeys((*ANGLES, *PELVIS), np.nan))
    if way == "classic":
        markers, camera = lift.lift(seen.keypoints, seen.camera, seen.subject)
    body = replace(BODY, muscles=(), wraps=())
    trial = Trial(seen.subject, keypoints=seen.keypoints, markers=markers, camera=camera, body=body)
    if way == "learned":
        made = embody(trial, ANATOMY, networks.kinematics)
    else:
        made = fit(trial, ANATOMY, KinematicsConfig(), network=networks.kinematics if way == "both" else None)
    return Errors(point_error(seen, _keypoints_of(made, markers), made.camera), angle_errors(seen, made.motion, made.camera))


def _keypoints_of(made: Fit, markers: Markers) -> Markers:
    return with_keypoints(markers, made.motion, compile_model(made.body.with_markers(ANATOMY.anchors_on(made.body))))


def _table(rows: dict[str, list[dict[str, Errors]]], ways: list[str]) -> None:
    print(f"{'':34s}{'clips':>6s}" + "".join(f"{way:>17s}" for way in ways))
    for group, found in rows.items():
        cells = [f"{np.mean([f[way].points for f in found]):9.1f} {np.mean([f[way].mean_angle for f in found]):6.2f}°" for way in ways]
        print(f"{group:34s}{len(found):6d}" + "".join(f"{cell:>17s}" for cell in cells))
    for way in ways:
        each = {n: np.mean([f[way].angles[n] for f in rows["all"]]) for n in (*ANGLES, *PELVIS)}
        print(f"{way}: " + ", ".join(f"{name} {value:.2f}°" for name, value in each.items()))


def _stated_and_observed(seen: Seen, markers: Markers, camera: Camera) -> tuple[np.ndarray, np.ndarray]:
    """Depth relative to the hips: standard deviations that the network states, and errors [m]."""
    names = [f"{joint}_{side}" for joint in JOINTS for side in "rl" if joint != "hip"]
    column = [markers.names.index(n) for n in names]
    hips = 0.5 * (markers.xyz[:, markers.names.index("hip_r")] + markers.xyz[:, markers.names.index("hip_l")])
    depth = ((markers.xyz[:, column] - hips[:, None]) @ np.asarray(camera.R_camera_ground).T)[..., 2]
    assert markers.depth_sigma is not None
    return markers.depth_sigma[:, column].ravel(), (depth - seen.points[:, [NAMES.index(n) for n in names], 2]).ravel()


def _tell_calibration(pairs: list[tuple[np.ndarray, np.ndarray]], plot: Path | None) -> None:
    stated, error = (np.concatenate(values) for values in zip(*pairs, strict=True))
    edges = np.quantile(stated, np.linspace(0.0, 1.0, 9))
    bins = np.clip(np.searchsorted(edges, stated) - 1, 0, 7)
    told = np.array([np.sqrt(np.mean(stated[bins == b] ** 2)) for b in range(8)])
    observed = np.array([np.sqrt(np.mean(error[bins == b] ** 2)) for b in range(8)])
    bars = ", ".join(f"{1e3 * a:.0f} → {1e3 * b:.0f}" for a, b in zip(told, observed, strict=True))
    print(f"depth relative to the hips, stated → observed [mm]: {bars}")
    print(f"within one stated standard deviation: {100.0 * np.mean(np.abs(error) < stated):.0f} % (normal errors: 68 %)")
    if plot is not None:
        import matplotlib

        matplotlib.use("Agg")
        import matplotlib.pyplot as plt

        figure, axes = plt.subplots(figsize=(4.5, 4.2))
        axes.plot(1e3 * told, 1e3 * observed, "o-")
        top = 1.1e3 * max(told.max(), observed.max())
        axes.plot([0, top], [0, top], "k--", linewidth=0.8)
        axes.set(xlabel="stated standard deviation [mm]", ylabel="observed error, RMS [mm]", title="depth relative to the hips")
        figure.tight_layout()
        figure.savefig(plot, dpi=120)


if __name__ == "__main__":
    main()
