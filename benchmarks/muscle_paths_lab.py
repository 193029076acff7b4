"""Muscle paths against OpenSim over measured motion: python benchmarks/muscle_paths_lab.py --root ../shared/data.

Generic bodies go through the coordinates of measured trials, matched by name, a few frames of each. For every muscle and frame
the length, and for every coordinate the moment arm, are compared with OpenSim's: as `opensim_compat` repeats them, and by
default (shortest paths over cylinders). What differs is listed by muscle, with the wraps and the times.
"""

import argparse
import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import jax
import numpy as np

from monomsk.io import osim_read
from monomsk.model.compile import compile_model
from monomsk.model.model import Model, complete
from monomsk.model.muscles import compile_muscles
from monomsk.model.spec import ModelSpec
from monomsk.physics.muscle import FRAMES, muscle_states

LENGTH, MOMENT_ARM = 1e-5, 1e-4
"""What counts as equal [m]."""
CROSSED = 1e-3
"""A muscle whose arm about a coordinate is shorter than this [m] does not cross it."""
BODIES = {
    "Rajagopal2016": "knee bends forwards",
    "RajagopalLaiUhlrich2023": "knee bends forwards",
    "LaiUhlrich2022": "knee bends forwards",
    "LaiArnoldModified2017_poly_withArms_weldHand_generic": "knee bends forwards",
    "gait2392_thelen2003muscle": "knee bends backwards",
    "gait10dof18musc": "knee bends backwards",
    "arm26": "anything",
}
ACTIVITIES = {"walk": ("walk",), "run": ("run",), "squat": ("squat",), "sit-to-stand": ("STS",), "drop jump": ("DJ",)}


@dataclass(frozen=True)
class Frames:
    """Postures of one trial: coordinates of the body, and where they come from."""

    trial: str
    activity: str
    time: np.ndarray
    q: np.ndarray


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--root", type=Path, required=True, help="folder with models/ and kinetics/")
    options.add_argument("--frames", type=int, default=12, help="frames of every trial")
    options.add_argument("--trials", type=int, default=3, help="trials of every activity")
    options.add_argument("--bodies", nargs="*", default=list(BODIES))
    given = options.parse_args()
    jax.config.update("jax_enable_x64", True)
    print("Share of lengths within 1e-5 m and of moment arms within 1e-4 m (all; of coordinates that the muscle crosses), greatest")
    print("differences [m]; then, of the default paths, the difference from OpenSim that 99 % stay below [m].")
    heads = ("length", 9), ("max", 8), ("arms", 9), ("crossed", 9), ("max", 8), ("length", 9), ("arms", 8)
    print(f"{'body':26s} {'activity':13s} frames " + " ".join(f"{head:>{width}s}" for head, width in heads))
    for name in given.bodies:
        for line in compared(given.root / "models" / f"{name}.osim", list(trials(given.root, name, given.frames, given.trials))):
            print(line, flush=True)


def trials(root: Path, body: str, frames: int, most: int) -> Iterator[tuple[str, str, tuple[str, ...], np.ndarray, np.ndarray]]:
    """Coordinates of measured trials: name, activity, names, times, values [rad, m]."""
    kind = BODIES.get(body, "anything")
    if kind == "anything":
        return
    seen: dict[str, int] = {}
    with (root / "kinetics/trials.csv").open() as text:
        rows = list(csv.DictReader(text))
    for row in rows:
        activity = next((a for a, words in ACTIVITIES.items() if any(w in row["activity"] for w in words)), None)
        data = np.load(root / "kinetics" / row["file"], allow_pickle=True)
        if activity is None or seen.get(activity, 0) >= most or "q" not in data or not matches(data, kind):
            continue
        seen[activity] = seen.get(activity, 0) + 1
        q, names = np.array(data["q"], float), tuple(str(n) for n in data["q_names"])
        # The table says rad for some files that hold degrees.
        if np.nanmax(np.abs(q[:, names.index("knee_angle_r")])) > 4.0:
            turning = [not n.endswith(("_tx", "_ty", "_tz")) for n in names]
            q[:, turning] = np.radians(q[:, turning])
        times = np.asarray(data["q_time"], float)
        pick = np.linspace(0, len(q) - 1, frames).astype(int)
        yield row["file"], activity, names, times[pick], q[pick]


def matches(data: np.lib.npyio.NpzFile, kind: str) -> bool:
    """Whether the trial's knees bend in the body's sense."""
    names = [str(n) for n in data["q_names"]]
    if "knee_angle_r" not in names:
        return False
    mean = float(np.nanmean(data["q"][:, names.index("knee_angle_r")]))
    return (mean > 0.0) == (kind == "knee bends forwards")


def compared(path: Path, measured: list[tuple[str, str, tuple[str, ...], np.ndarray, np.ndarray]]) -> Iterator[str]:
    """A line an activity, then a line for every muscle that differs."""
    spec = osim_read.read(path)
    model = compile_model(spec)
    parts = [postures(model, spec, m) for m in measured] or [random_postures(model)]
    q = np.concatenate([p.q for p in parts])
    length, arm = living(path, model, q)
    exact, plain = ours(spec, model, q, compat=True), ours(spec, model, q, compat=False)
    where = np.concatenate([[i] * len(p.time) for i, p in enumerate(parts)])
    for activity in dict.fromkeys(p.activity for p in parts):
        own = np.isin(where, [i for i, p in enumerate(parts) if p.activity == activity])
        dl, da = np.abs(exact[0] - length)[own], np.abs(exact[1] - arm)[own]
        pl, pa = np.abs(plain[0] - length)[own], np.abs(plain[1] - arm)[own]
        # A coordinate that a muscle does not cross has no arm in either: it would only make the share look better.
        crossed = np.maximum(np.abs(arm[own]), np.abs(exact[1][own])) > CROSSED
        shares = [np.mean(dl <= LENGTH), np.mean(da[:, :, list(model.free)] <= MOMENT_ARM), np.mean(da[crossed] <= MOMENT_ARM)]
        text = f"{path.stem[:26]:26s} {activity:13s} {own.sum():6d} {shares[0]:9.3%} {dl.max():8.1e} {shares[1]:9.3%} {shares[2]:9.3%}"
        yield f"{text} {da.max():8.1e} {np.quantile(pl, 0.99):9.1e} {np.quantile(pa[crossed], 0.99):8.1e}"
    yield from exceptions(spec, model, parts, where, np.abs(exact[0] - length), np.abs(exact[1] - arm))


def exceptions(spec: ModelSpec, model: Model, parts: list[Frames], where: np.ndarray, length: np.ndarray, arm: np.ndarray) -> Iterator[str]:
    """Muscles that differ: by how much, about what, in which frames, and over which wraps."""
    times = np.concatenate([p.time for p in parts])
    for i, muscle in enumerate(spec.muscles):
        off = ~(arm[:, i] <= MOMENT_ARM)
        frames = np.flatnonzero((length[:, i] > LENGTH) | off.any(1))
        if not len(frames):
            continue
        about = ", ".join(n for n, hit in zip(model.coordinate_names, off.any(0), strict=True) if hit) or "–"
        wraps = " ".join(w.wrap for w in muscle.wraps) or "none"
        at = f"{parts[where[frames[0]]].trial} at {times[frames[0]]:.3f} s"
        most = f"length {length[frames, i].max():.1e} m, moment arm {arm[frames, i].max():.1e} m about {about}"
        yield f"    {muscle.name}: {len(frames)} frames, {most}; wraps {wraps}; first {at}"


def postures(model: Model, spec: ModelSpec, measured: tuple[str, str, tuple[str, ...], np.ndarray, np.ndarray]) -> Frames:
    """The trial's coordinates in the body's order; those it does not know keep their default."""
    trial, activity, names, times, values = measured
    q = np.tile([c.default for c in spec.coordinates], (len(times), 1))
    for i, name in enumerate(model.coordinate_names):
        if name in names:
            q[:, i] = values[:, names.index(name)]
    return Frames(trial, activity, times, np.array(jax.vmap(lambda x: complete(model, x))(q)))


def random_postures(model: Model) -> Frames:
    """For a body without measured motion."""
    low, high = np.clip(np.asarray(model.coordinate_range).T, -2.0, 2.0)
    q = np.random.default_rng(0).uniform(low, high, (48, model.nq))
    return Frames("random", "random", np.arange(48.0), np.array(jax.vmap(lambda x: complete(model, x))(q)))


def ours(spec: ModelSpec, model: Model, q: np.ndarray, *, compat: bool) -> tuple[np.ndarray, np.ndarray]:
    muscles = compile_muscles(spec, model.body_names, opensim_compat=compat)
    length, arm = [], []
    for start in range(0, len(q), FRAMES):
        block = q[start : start + FRAMES]
        padded = np.concatenate([block, np.repeat(block[-1:], FRAMES - len(block), 0)])
        states = muscle_states(model, muscles, padded, np.zeros_like(padded))
        length.append(np.asarray(states.length)[: len(block)])
        arm.append(np.asarray(states.moment_arm)[: len(block)][:, :, list(model.free)])
    full = np.zeros((len(q), muscles.count, model.nq))
    full[:, :, list(model.free)] = np.concatenate(arm)
    return np.concatenate(length), full


def living(path: Path, model: Model, q: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """OpenSim's lengths, and moment arms about the coordinates that are not coupled."""
    import opensim

    opensim.Logger.setLevelString("error")
    body = opensim.Model(str(path))
    coordinates = [body.updCoordinateSet().get(n) for n in model.coordinate_names]
    for c in coordinates:
        c.set_clamped(False)
        c.set_locked(False)
    state = body.initSystem()
    muscles = [body.getMuscles().get(i) for i in range(body.getMuscles().getSize())]
    length, arm = np.zeros((len(q), len(muscles))), np.zeros((len(q), len(muscles), model.nq))
    for k, posture in enumerate(q):
        for c, value in zip(coordinates, posture, strict=True):
            c.setValue(state, float(value), False)
        body.realizePosition(state)
        length[k] = [m.getLength(state) for m in muscles]
        for i in model.free:
            arm[k, :, i] = [m.computeMomentArm(state, coordinates[i]) for m in muscles]
    return length, arm


if __name__ == "__main__":
    main()
