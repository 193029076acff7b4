"""Forces from measured motion against force plates: python benchmarks/kinetics_lab.py --root ../shared/data/kinetics.

The motion comes from markers and goes in with the forces hidden. Only frames in which the plates carry the whole person count.
Reference moments: inverse dynamics of the same motion with the measured forces, both low-passed at REFERENCE Hz.
"""

import argparse
import csv
import gzip
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from scipy.ndimage import binary_erosion

from monomsk.config import KineticsConfig
from monomsk.io import osim_read
from monomsk.io.body import load_body
from monomsk.kinetics import classic, filtering
from monomsk.kinetics.feet import Feet, feet_of
from monomsk.kinetics.mechanics import Mechanics, mechanics
from monomsk.model.compile import compile_model
from monomsk.model.edit import with_contacts_of
from monomsk.model.spec import ModelSpec
from monomsk.types import Kinetics, Motion, Subject

REFERENCE = 12.0
PLATE_CUTOFF = 20.0
LOADED = 20.0
CUTOFFS = {"walk": 6.0, "run": 12.0, "sit-to-stand": 4.0, "drop jump": 12.0, "standing": 6.0}
JOINTS = ("hip_flexion", "hip_adduction", "knee_angle", "ankle_angle")


@dataclass(frozen=True)
class Lab:
    """A trial: motion, body and what the plates said, at the motion's frames."""

    name: str
    activity: str
    spec: ModelSpec
    subject: Subject
    motion: Motion
    force: np.ndarray
    cop: np.ndarray
    moment: np.ndarray
    whole: np.ndarray


def activity_of(text: str) -> str | None:
    for key, words in {"run": ("run",), "walk": ("walk",), "sit-to-stand": ("STS",), "drop jump": ("DJ",), "standing": ("static",)}.items():
        if any(w in text for w in words):
            return key
    return None


def load(root: Path, row: dict[str, str]) -> Lab | None:
    data = np.load(root / row["file"], allow_pickle=True)
    activity = activity_of(row["activity"])
    if "q" not in data or not row["model"] or activity is None or row["person"].startswith("RBDS"):
        return None
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.osim"
        path.write_bytes(gzip.decompress((root / row["model"]).read_bytes()))
        spec = with_contacts_of(osim_read.read(path), load_body())
    subject = Subject(float(row["height_m"] or 1.70), float(row["mass_kg"]))
    spec = with_mass(replace(spec, muscles=(), wraps=()), subject.mass)
    motion = motion_of(spec, data)
    feet = feet_of(spec)
    state, rate = state_of(spec, feet, motion, 6.0)
    force, cop, moment = plates_to_feet(data, motion.time, feet, state)
    weight = spec.mass * 9.80665
    whole = whole_frames(activity, row["source"], motion, force[..., 1].sum(1) / weight, state.wrench[:, 4] / weight)
    return Lab(row["file"], activity, spec, subject, motion, force, cop, moment, binary_erosion(whole, np.ones(round(0.06 * rate))))


def with_mass(spec: ModelSpec, mass: float) -> ModelSpec:
    """Some of the models weigh a few per cent more or less than the person on the plates."""
    ratio = mass / spec.mass
    bodies = (replace(b, mass=b.mass * ratio, inertia=tuple(i * ratio for i in b.inertia)) for b in spec.bodies)
    return replace(spec, bodies=tuple(bodies))


def motion_of(spec: ModelSpec, data: "np.lib.npyio.NpzFile") -> Motion:
    """Coordinates by name. Their unit is read off the numbers: the table calls some trials rad that are in degrees."""
    coordinates = spec.coordinates
    names = [str(n).split("/")[-2] if "/" in str(n) else str(n) for n in data["q_names"]]
    raw = np.zeros((len(data["q"]), len(coordinates)))
    angles = [names.index(c.name) for c in coordinates if c.rotational and c.name in names]
    degrees = float(np.abs(data["q"][:, angles]).max()) > 6.3
    for i, c in enumerate(coordinates):
        raw[:, i] = data["q"][:, names.index(c.name)] if c.name in names else c.default
        if c.rotational and degrees and c.name in names:
            raw[:, i] = np.radians(raw[:, i])
    stamp = data["q_time"].astype(float)
    grid = np.linspace(stamp[0], stamp[-1], len(stamp))
    return Motion(grid, tuple(c.name for c in coordinates), np.array([c.rotational for c in coordinates]), raw)


def state_of(spec: ModelSpec, feet: Feet, motion: Motion, cutoff: float) -> tuple[Mechanics, float]:
    rate = filtering.sampling_rate(motion.time)
    rates = filtering.rates(motion.time, filtering.unwrap(motion.q, motion.rotational), cutoff)
    return mechanics(compile_model(spec), feet, rates), rate


def plates_to_feet(data: "np.lib.npyio.NpzFile", stamp: np.ndarray, feet: Feet, state: Mechanics) -> tuple[np.ndarray, ...]:
    """Every loaded stretch of a plate goes to the foot nearest to its centre of pressure."""
    start, rate, count = data["force_time"]
    clock = start + np.arange(int(count)) / rate
    force = np.zeros((len(stamp), 2, 3))
    torque = np.zeros((len(stamp), 2, 3))
    for plate in range(data["force"].shape[1]):
        f = data["force"][:, plate].astype(float)
        loaded = f[:, 1] > LOADED
        f = np.where(loaded[:, None], f, 0.0)
        m = np.cross(np.nan_to_num(data["cop"][:, plate]), f) + np.where(loaded[:, None], data["moment"][:, plate], 0.0)
        side = nearest_foot(clock, data["cop"][:, plate], loaded, stamp, feet, state)
        for foot in (0, 1):
            mine = np.concatenate([f, m], 1) * (side == foot)[:, None]
            mine = filtering.lowpass(mine, rate, PLATE_CUTOFF)
            at = np.stack([np.interp(stamp, clock, c) for c in mine.T], 1)
            force[:, foot] += at[:, :3]
            torque[:, foot] += at[:, 3:]
    up = np.maximum(force[..., 1], 1e-6)
    cop = np.stack([torque[..., 2] / up, np.zeros_like(up), -torque[..., 0] / up], -1)
    free = np.zeros_like(force)
    free[..., 1] = torque[..., 1] - np.cross(cop, force)[..., 1]
    off = force[..., 1] < LOADED
    force[off], free[off], cop[off] = 0.0, 0.0, 0.0
    return force, cop, free


def nearest_foot(clock: np.ndarray, cop: np.ndarray, loaded: np.ndarray, stamp: np.ndarray, feet: Feet, state: Mechanics) -> np.ndarray:
    side = np.full(len(clock), -1)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], loaded.astype(int), [0]])))
    for begin, end in edges.reshape(-1, 2):
        middle = np.arange(begin, end)
        frame = np.clip(np.searchsorted(stamp, clock[middle]), 0, len(stamp) - 1)
        gap = [np.linalg.norm((state.point[frame][:, feet.foot == f].mean(1) - cop[middle])[:, [0, 2]], axis=1) for f in (0, 1)]
        height = [state.point[frame][:, feet.foot == f, 1].min(1) for f in (0, 1)]
        cost = [np.median(gap[f] + 2.0 * height[f]) for f in (0, 1)]
        side[begin:end] = int(np.argmin(cost))
    return side


def whole_frames(activity: str, source: str, motion: Motion, measured: np.ndarray, needed: np.ndarray) -> np.ndarray:
    if activity == "drop jump":
        return np.arange(len(measured)) >= np.flatnonzero(measured > 0.1)[0]
    if "schreiber" in source.lower() or activity == "walk":
        return np.abs(measured - needed) < 0.25
    return np.ones(len(measured), bool)


def reference_moments(lab: Lab) -> np.ndarray:
    feet = feet_of(lab.spec)
    state, rate = state_of(lab.spec, feet, lab.motion, REFERENCE)
    wrench = np.concatenate([np.cross(lab.cop, lab.force) + lab.moment, lab.force], -1)
    smooth = filtering.lowpass(wrench.reshape(len(wrench), 12), rate, REFERENCE).reshape(-1, 2, 6)
    return state.tau - np.einsum("tfqi,tfi->tq", state.jacobian, smooth)


def scores(lab: Lab, found: Kinetics) -> dict[str, float]:
    weight = lab.subject.mass * 9.80665
    stance = (lab.force[..., 1] > LOADED) & lab.whole[:, None]
    error = np.abs(found.force - lab.force)[stance] / weight * 100.0
    solid = stance & (lab.force[..., 1] > 0.2 * weight) & found.contact
    cop = np.linalg.norm((found.cop - lab.cop)[solid][:, [0, 2]], axis=1) * 100.0
    out = {"vertical": error[:, 1].mean(), "fore-aft": error[:, 0].mean(), "lateral": error[:, 2].mean(), "cop cm": cop.mean()}
    both = np.abs((found.force - lab.force).sum(1)[lab.whole]) / weight * 100.0
    out["sum v"] = both[:, 1].mean()
    truth = reference_moments(lab)
    moment = np.abs(found.tau - truth)[lab.whole] / (weight * lab.subject.height) * 100.0
    columns = [i for i, n in enumerate(lab.motion.names) if n[:-2] in JOINTS]
    for joint in JOINTS:
        out[joint] = moment[:, [i for i in columns if lab.motion.names[i].startswith(joint)]].mean()
    out["moments"] = moment[:, columns].mean()
    out["contact"] = 100.0 * (found.contact == (lab.force[..., 1] > LOADED))[lab.whole].mean()
    return out


def plot(lab: Lab, found: Kinetics, folder: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    weight = lab.subject.mass * 9.80665
    truth = reference_moments(lab)
    figure, axes = plt.subplots(4, 2, figsize=(16, 14), sharex=True)
    for foot, side in enumerate(("r", "l")):
        for row, axis in enumerate((1, 0)):
            axes[row, foot].plot(
                lab.motion.time, lab.force[:, foot, axis] / weight, "k", found.time, found.force[:, foot, axis] / weight, "r"
            )
            axes[row, foot].fill_between(lab.motion.time, 0, 0.1, where=lab.whole, color="g", alpha=0.4)
        solid = lab.force[:, foot, 1] > 0.1 * weight
        loaded = found.contact[:, foot]
        for axis, style in ((0, ""), (2, "--")):
            axes[2, foot].plot(lab.motion.time, np.where(solid, lab.cop[:, foot, axis], np.nan), "k" + style)
            axes[2, foot].plot(lab.motion.time, np.where(loaded, found.cop[:, foot, axis], np.nan), "r" + style)
        for joint, colour in zip(("hip_flexion", "knee_angle", "ankle_angle"), "bgm", strict=True):
            i = lab.motion.names.index(f"{joint}_{side}")
            axes[3, foot].plot(lab.motion.time, truth[:, i], colour + "--", found.time, found.tau[:, i], colour)
        axes[0, foot].set_title(f"{lab.name} {side}: vertical, fore-aft [BW], CoP x, z [m], moments [N·m]")
    figure.tight_layout()
    figure.savefig(folder / (Path(lab.name).stem + ".png"), dpi=55)
    plt.close(figure)


def with_noise(motion: Motion, seed: int) -> Motion:
    """Slow AR(1) errors like those of one camera: 2° on angles, 1 cm on the root, 2 cm on its depth (Z)."""
    random = np.random.default_rng(seed)
    rate = filtering.sampling_rate(motion.time)
    keep = np.exp(-1.0 / (0.3 * rate))
    size = np.where(motion.rotational, np.radians(2.0), 0.01)
    size = np.where([n == "pelvis_tz" for n in motion.names], 0.02, size)
    size = np.where(
        [n.startswith(("pelvis_t", "pelvis_l", "pelvis_r", "lumbar", "hip", "knee", "ankle", "arm", "elbow")) for n in motion.names],
        size,
        0.0,
    )
    noise = np.zeros_like(motion.q)
    for t in range(1, len(noise)):
        noise[t] = keep * noise[t - 1] + np.sqrt(1.0 - keep**2) * size * random.standard_normal(len(size))
    return replace(motion, q=motion.q + noise)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--root", type=Path, required=True)
    arguments.add_argument("--split", default="dev")
    arguments.add_argument("--plots", type=Path)
    arguments.add_argument("--only", default="")
    arguments.add_argument("--lowpass", type=float)
    arguments.add_argument("--noise", action="store_true")
    chosen = arguments.parse_args()
    table: dict[str, list[dict[str, float]]] = {}
    for row in csv.DictReader((chosen.root / "trials.csv").open()):
        if row["split"] != chosen.split or chosen.only not in row["file"]:
            continue
        lab = load(chosen.root, row)
        if lab is None:
            continue
        motion = with_noise(lab.motion, 0) if chosen.noise else lab.motion
        cutoff = chosen.lowpass or CUTOFFS[lab.activity]
        begin = time.perf_counter()
        found = classic.estimate(motion, lab.spec, lab.subject, KineticsConfig(lowpass=cutoff))
        seconds = time.perf_counter() - begin
        result = scores(lab, found)
        table.setdefault(lab.activity, []).append(result)
        residual = found.quality["residual_force_rms_percent_peak_grf"]
        print(f"{lab.name:38s} {len(motion.time):5d} frames {seconds:5.1f} s  residual {residual:4.1f} %  " + text(result), flush=True)
        if chosen.plots:
            chosen.plots.mkdir(parents=True, exist_ok=True)
            plot(lab, found, chosen.plots)
    for activity, results in table.items():
        print(f"{activity:14s} n={len(results):2d}  " + text({k: float(np.mean([r[k] for r in results])) for k in results[0]}))


def text(result: dict[str, float]) -> str:
    return "  ".join(f"{k} {v:5.2f}" for k, v in result.items())


if __name__ == "__main__":
    main()
