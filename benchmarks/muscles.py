"""Speed of the muscles beside OpenSim's: python benchmarks/muscles.py. On one thread, after compiling, in one run.

Paths: lengths and moment arms of all muscles of the shipped body about all coordinates, 256 frames together, against
OpenSim's MuscleAnalysis over some of the same postures. Then polynomials fit to the same paths, beside these.
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

from monomsk.io.body import load_body
from monomsk.model.compile import compile_model
from monomsk.model.edit import with_paths
from monomsk.model.model import Model, complete
from monomsk.model.muscles import compile_muscles
from monomsk.muscles.path_fit import fit_paths
from monomsk.muscles.path_samples import across_ranges, sample, varied
from monomsk.physics.forward_kinematics import forward_kinematics
from monomsk.physics.muscle import muscle_states
from monomsk.physics.muscle_path import coupled, muscle_paths

BODY = Path(__file__).parents[1] / "src/monomsk/data/body/monomsk_body.osim"
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


def muscle_analysis(model: Model, q: jax.Array, frames: int) -> float:
    """Frames a second of OpenSim's MuscleAnalysis with all moment arms, reading and writing of files included."""
    import opensim

    opensim.Logger.setLevelString("error")
    with tempfile.TemporaryDirectory() as folder:
        motion = Path(folder) / "motion.mot"
        at = np.arange(len(q)) / 100.0
        write_motion(motion, at, model.coordinate_names, np.asarray(q))
        tool = opensim.AnalyzeTool()
        tool.setName("muscles")
        tool.setModelFilename(str(BODY))
        tool.setCoordinatesFileName(str(motion))
        tool.setInitialTime(float(at[0]))
        tool.setFinalTime(float(at[frames - 1]))
        tool.setSolveForEquilibrium(False)
        tool.setResultsDir(folder)
        analysis = opensim.MuscleAnalysis()
        analysis.setComputeMoments(True)
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
