"""Speed of the muscles beside OpenSim's: python benchmarks/muscles.py. On one thread, after compiling, in one run.

Paths: lengths and moment arms of all muscles of the shipped body about all coordinates, 256 frames together, against
OpenSim's MuscleAnalysis over some of the same postures; then polynomials fit to the same paths beside these. Static
optimization: activations of a swaying motion from its moments on, paths and forces of the muscles included, against OpenSim's
StaticOptimization over some of its frames; the tool does its inverse dynamics on the way, a small part of its time.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")

import jax
import jax.numpy as jnp
import numpy as np
from so_lab import arm

from monomsk.config import MusclesConfig
from monomsk.io.body import load_body
from monomsk.kinetics.inverse import joint_forces
from monomsk.model.compile import compile_model
from monomsk.model.edit import with_paths
from monomsk.model.model import Model, complete
from monomsk.model.muscles import compile_muscles
from monomsk.model.spec import ModelSpec
from monomsk.muscles.path_fit import fit_paths
from monomsk.muscles.path_samples import across_ranges, sample, varied
from monomsk.muscles.static_optimization import solve
from monomsk.physics.forward_kinematics import forward_kinematics
from monomsk.physics.muscle import muscle_states
from monomsk.physics.muscle_path import coupled
from monomsk.physics.native_paths import muscle_paths
from monomsk.types import Motion

BODY = Path(__file__).parents[1] / "src/monomsk/data/body/monomsk_body.osim"
RESERVE = 10.0
"""Optimal moment of the reserves [N·m]."""
LEAST_FRAMES = 40
"""OpenSim puts splines through the motion and takes no shorter one."""


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--batch", type=int, default=256)
    options.add_argument("--peer-frames", type=int, default=8, help="frames for OpenSim, which is slow")
    given = options.parse_args()
    jax.config.update("jax_enable_x64", True)
    paths(given.batch, given.peer_frames)
    polynomials(given.batch)
    static_optimization(2 * given.batch, given.peer_frames)


def paths(batch: int, peer_frames: int) -> None:
    spec = load_body()
    model = compile_model(spec)
    q = postures(model, batch)
    peer = muscle_analysis(model, q[:LEAST_FRAMES], peer_frames)
    print(f"paths: OpenSim's MuscleAnalysis {peer:10.1f} frames/s")
    for name, compat in (("shortest", False), ("as OpenSim", True)):
        muscles = compile_muscles(spec, model.body_names, opensim_compat=compat)

        def one(x: jax.Array, muscles=muscles) -> tuple[jax.Array, jax.Array]:
            found = muscle_paths(model, muscles, forward_kinematics(model, x), x)
            return found.length, coupled(model, x, found.moment_arm)

        run = jax.jit(jax.vmap(one))
        first, best = timed(lambda run=run: jax.block_until_ready(run(q)))
        print(f"paths: ours, {name:12s} {batch / best:16.1f} frames/s, {batch / best / peer:7.0f} times; compiled in {first:.1f} s")


def polynomials(batch: int) -> None:
    """Lengths and moment arms, and with them all that static optimization needs, of paths with points and of polynomials fit to them."""
    spec = load_body()
    model = compile_model(spec)
    muscles = compile_muscles(spec, model.body_names)
    q = postures(model, batch)
    coordinates = varied(model)
    start = time.perf_counter()
    given, checks = (sample(model, muscles, across_ranges(model, coordinates, n, s), coordinates) for n, s in ((2048, 0), (1024, 1)))
    sampled = time.perf_counter()
    fits = fit_paths(model, muscles, coordinates, given, checks)
    print(f"polynomials: sampled in {sampled - start:.1f} s with compiling, {len(fits)} paths fit in {time.perf_counter() - sampled:.1f} s")
    smooth = compile_muscles(with_paths(spec, {name: fit.path for name, fit in fits.items()}), model.body_names)
    speeds: dict[str, list[float]] = {"paths": [], "states": []}
    for own in (muscles, smooth):

        def one(x: jax.Array, own=own) -> tuple[jax.Array, jax.Array]:
            found = muscle_paths(model, own, forward_kinematics(model, x), x)
            return found.length, coupled(model, x, found.moment_arm)

        run = jax.jit(jax.vmap(one))
        speeds["paths"].append(batch / timed(lambda run=run: jax.block_until_ready(run(q)))[1])
        speeds["states"].append(batch / timed(lambda own=own: jax.block_until_ready(muscle_states(model, own, q, q)))[1])
    for what, (points, curves) in speeds.items():
        print(f"{what}: with points {points:10.1f} frames/s, polynomials {curves:10.1f} frames/s, {curves / points:5.0f} times")


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds of the first call, and the fewest of ten more."""
    seconds: list[float] = []
    for _ in range(11):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return seconds[0], min(seconds[1:])


def postures(model: Model, count: int) -> jax.Array:
    low, high = np.clip(np.asarray(model.coordinate_range).T, -0.6, 0.6)
    q = np.random.default_rng(0).uniform(low, high, (count, model.nq))
    return jax.vmap(lambda x: complete(model, x))(jnp.array(q))


def static_optimization(frames: int, peer_frames: int) -> None:
    spec = load_body()
    motion = swaying(spec, frames)
    found = joint_forces(motion, spec)
    peer = peer_optimization(spec, motion, peer_frames)
    print(f"static optimization: OpenSim's {peer:10.1f} frames/s")
    first, best = timed(lambda: solve(found, spec, MusclesConfig(reserve=RESERVE)))
    print(
        f"static optimization: ours, paths included {frames / best:10.1f} frames/s, {frames / best / peer:7.0f} times; first {first:.1f} s"
    )


def swaying(spec: ModelSpec, frames: int) -> Motion:
    """Arms, trunk and legs go to and fro by a tenth of a radian about a slight crouch."""
    at = np.arange(frames) / 100.0
    model = compile_model(spec)
    turning = np.array([c.rotational for c in spec.coordinates])
    middle = np.array([0.4 if c.name.startswith(("knee_angle", "hip_flexion")) else c.default for c in spec.coordinates])
    phase = np.random.default_rng(1).uniform(0.0, 2.0 * np.pi, model.nq)
    q = middle + 0.1 * turning * np.sin(2.0 * np.pi * at[:, None] + phase)
    q = np.array(jax.vmap(lambda x: complete(model, x))(jnp.array(q)))
    return Motion(at, model.coordinate_names, turning, q)


def muscle_analysis(model: Model, q: jax.Array, frames: int) -> float:
    """Frames a second of OpenSim's MuscleAnalysis with all moment arms, reading and writing of files included."""
    import opensim

    analysis = opensim.MuscleAnalysis()
    analysis.setComputeMoments(True)
    return analyze(BODY, model.coordinate_names, np.asarray(q), frames, analysis)


def peer_optimization(spec: ModelSpec, motion: Motion, frames: int) -> float:
    """Frames a second of OpenSim's StaticOptimization, with an actuator on every free coordinate."""
    import opensim

    with tempfile.TemporaryDirectory() as folder:
        body = opensim.Model(str(BODY))
        reserved = [c.name for c in spec.coordinates if c.name.startswith(("hip", "knee_angle", "ankle", "subtalar", "mtp"))]
        arm(body, reserved, RESERVE)
        body.printToXML(f"{folder}/armed.osim")
        analysis = opensim.StaticOptimization()
        analysis.setUseModelForceSet(True)
        return analyze(Path(folder) / "armed.osim", motion.names, motion.q[:LEAST_FRAMES], frames, analysis)


def analyze(body: Path, names: tuple[str, ...], q: np.ndarray, frames: int, analysis: object) -> float:
    """Frames a second of OpenSim's AnalyzeTool over the first frames, 100 a second."""
    import opensim

    opensim.Logger.setLevelString("error")
    with tempfile.TemporaryDirectory() as folder:
        motion = Path(folder) / "motion.mot"
        at = np.arange(len(q)) / 100.0
        write_motion(motion, at, names, q)
        tool = opensim.AnalyzeTool()
        tool.setName("muscles")
        tool.setModelFilename(str(body))
        tool.setCoordinatesFileName(str(motion))
        tool.setInitialTime(float(at[0]))
        tool.setFinalTime(float(at[frames - 1]))
        tool.setSolveForEquilibrium(False)
        tool.setResultsDir(folder)
        tool.updAnalysisSet().cloneAndAppend(analysis)
        setup = Path(folder) / "setup.xml"
        tool.printToXML(str(setup))
        tool = opensim.AnalyzeTool(str(setup))
        start = time.perf_counter()
        tool.run()
        return frames / (time.perf_counter() - start)


def write_motion(path: Path, at: np.ndarray, names: tuple[str, ...], q: np.ndarray) -> None:
    """Coordinates in radians, as OpenSim reads them."""
    header = f"coordinates\nversion=1\nnRows={len(at)}\nnColumns={len(names) + 1}\ninDegrees=no\nendheader\n"
    rows = "\n".join("\t".join(f"{v:.12g}" for v in (t, *row)) for t, row in zip(at, q, strict=True))
    path.write_text(header + "\t".join(("time", *names)) + "\n" + rows + "\n")


if __name__ == "__main__":
    main()
