"""How well depth and angles come out of real videos: python benchmarks/lifting_video.py --root ../shared/data [--weights SET].

Four cameras see one man balance; each alone is analysed and compared with what all four together say (pose2sim_single): distance of
16 points about the hips, and knee and hip angles between the same points, all as that camera sees them.
"""

import argparse
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from jaxtyping import Float

from monomsk.config import CameraConfig, Config, KinematicsConfig
from monomsk.io.body import load_anatomy
from monomsk.kinematics import trajectories
from monomsk.model.compile import compile_model
from monomsk.pipeline import analyze, go_on
from monomsk.types import Subject, Trial
from monomsk.video.reading import read_clip

WAYS = ("classic", "learned", "both")
HEIGHT, MASS = 1.72, 70.0
"""Of the man; his mass is not told."""
NAMES = ("shoulder", "elbow", "wrist", "hip", "knee", "ankle", "heel", "big_toe")


def main() -> None:
    options = _options()
    folder = options.root / "video" / "pose2sim_single"
    reference = np.load(folder / "reference_openpose_4cam.npz")
    names = tuple(_canonical(str(n)) for n in reference["names"])
    print(f"{'':8s}{'way':10s}{'points mm':>10s}{'knee °':>8s}{'knee0 °':>8s}{'hip °':>8s}{'hip0 °':>8s}")
    rows: dict[str, list[tuple[float, ...]]] = {way: [] for way in options.ways}
    for camera, trial in _seen(folder):
        R = _rotation(folder / "Pose2Sim_cameras.toml", camera)
        truth = reference["ref"] @ R.T
        for way in options.ways:
            found = _points(trial, way, options.weights, names)
            row = _compare(found, truth, names)
            rows[way].append(row)
            print(f"{camera:8s}{way:10s}{row[0]:10.1f}" + "".join(f"{v:8.1f}" for v in row[1:]))
    for way, values in rows.items():
        mean = np.mean(values, 0)
        print(f"{'mean':8s}{way:10s}{mean[0]:10.1f}" + "".join(f"{v:8.1f}" for v in mean[1:]))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--weights", default="commercial")
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=WAYS)
    return parser.parse_args()


def _canonical(name: str) -> str:
    """`LBigToe` → `big_toe_l`."""
    part = "".join(f"_{c.lower()}" if c.isupper() else c for c in name[1:]).lstrip("_")
    return f"{part}_{name[0].lower()}"


def _seen(folder: Path) -> Iterator[tuple[str, Trial]]:
    """Every camera's video up to the keypoints; lens and direction of gravity are told."""
    config = Config(camera=CameraConfig(camera=folder / "Pose2Sim_cameras.toml"))
    for name in ("cam01", "cam02", "cam03", "cam04"):
        clip = read_clip(folder / f"{name}.mp4", config.video)
        yield name, analyze(clip, Subject(HEIGHT, MASS), config, until="keypoints")


def _rotation(path: Path, camera: str) -> Float[np.ndarray, "3 3"]:
    import tomllib

    from scipy.spatial.transform import Rotation

    table = tomllib.loads(path.read_text("utf-8"))[f"cam_{camera[-2:]}"]
    return Rotation.from_rotvec(table["rotation"]).as_matrix()


def _points(trial: Trial, way: str, weights: str, names: tuple[str, ...]) -> Float[np.ndarray, "time point 3"]:
    """The named points in the camera's axes [m], as the fitted body has them."""
    config = Config(kinematics=KinematicsConfig(kinematics=way, weights=weights))
    done = go_on(trial, config, until="kinematics")
    assert done.body is not None
    assert done.motion is not None
    assert done.camera is not None
    spec = replace(done.body, muscles=(), wraps=()).with_markers(load_anatomy().anchors_on(done.body))
    xyz = trajectories.in_chunks(trajectories.marker_trajectories, compile_model(spec), done.motion.q)
    order = [compile_model(spec).marker_names.index(n) for n in names]
    return xyz[:, order] @ np.asarray(done.camera.R_camera_ground).T


def _compare(found: np.ndarray, truth: np.ndarray, names: tuple[str, ...]) -> tuple[float, ...]:
    count = min(len(found), len(truth))
    a, b = (points[:count] - _middle(points[:count], names, "hip")[:, None] for points in (found, truth))
    row = [1000.0 * float(np.nanmean(np.linalg.norm(a - b, axis=-1)))]
    for angle in (_knee, _hip):
        off = np.concatenate([(angle(a, names, s) - angle(b, names, s))[:, None] for s in "rl"], 1)
        row += [float(np.sqrt(np.nanmean(off**2))), float(np.sqrt(np.nanmean((off - np.nanmean(off, 0)) ** 2)))]
    return tuple(row)


def _middle(points: np.ndarray, names: tuple[str, ...], pair: str) -> np.ndarray:
    return 0.5 * (points[:, names.index(f"{pair}_r")] + points[:, names.index(f"{pair}_l")])


def _knee(points: np.ndarray, names: tuple[str, ...], side: str) -> np.ndarray:
    hip, knee, ankle = (points[:, names.index(f"{n}_{side}")] for n in ("hip", "knee", "ankle"))
    return _between(knee - hip, ankle - knee)


def _hip(points: np.ndarray, names: tuple[str, ...], side: str) -> np.ndarray:
    hip, knee = (points[:, names.index(f"{n}_{side}")] for n in ("hip", "knee"))
    return _between(_middle(points, names, "hip") - _middle(points, names, "shoulder"), knee - hip)


def _between(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Angle between vectors [°]."""
    cosine = np.sum(a * b, -1) / (np.linalg.norm(a, axis=-1) * np.linalg.norm(b, axis=-1))
    return np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0)))


if __name__ == "__main__":
    main()
