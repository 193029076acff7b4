"""monomsk's side of `benchmarks/mechanics.py`. `FUNCTIONS` says what is measured; all else follows from it."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from monomsk import native
from monomsk.model.model import Model
from monomsk.physics import equations_of_motion, forward_dynamics, inverse_dynamics, mass_matrix, native_dynamics

STEPS = 30
STEP = 0.002
"""Steps of a rollout, and their length [s]."""
TASKS = ("inverse dynamics", "mass matrix", "forward dynamics", "rollout", "rollout gradient")


@dataclass(frozen=True)
class Functions:
    """One way to compute, each function of the body and one frame."""

    inverse_dynamics: Callable[..., jax.Array]
    mass_matrix: Callable[..., jax.Array]
    forward_dynamics: Callable[..., jax.Array]


FUNCTIONS = {
    "monomsk, kernels": Functions(
        native_dynamics.inverse_dynamics,
        native_dynamics.mass_matrix,
        partial(equations_of_motion.accelerations, constrained=False),
    ),
    "monomsk, JAX alone": Functions(inverse_dynamics.inverse_dynamics, mass_matrix.mass_matrix, forward_dynamics.forward_dynamics),
}


@dataclass(frozen=True)
class Frames:
    """What the tasks begin with: states, accelerations and torques; torques of the rollouts, and what their gradient weighs."""

    q: np.ndarray
    qd: np.ndarray
    qdd: np.ndarray
    tau: np.ndarray
    torques: np.ndarray
    weight: np.ndarray

    @classmethod
    def random(cls, model: Model, batch: int) -> "Frames":
        """States within the coordinates' ranges; rollouts start there at rest, under torques of about 1 N·m."""
        rng = np.random.default_rng(7)
        low, high = np.clip(np.asarray(model.coordinate_range).T, -1.0, 1.0)
        q = rng.uniform(low, high, (batch, model.nq))
        qd, qdd, tau = rng.normal(size=(3, batch, model.nq))
        return cls(q, qd, qdd, tau, rng.normal(size=(batch, STEPS, model.nq)), rng.normal(size=2 * model.nq))

    def inputs(self, task: str, kind: type) -> tuple[jax.Array, ...]:
        """Of a task, as JAX arrays of a type."""
        arrays = {
            "inverse dynamics": (self.q, self.qd, self.qdd),
            "mass matrix": (self.q,),
            "forward dynamics": (self.q, self.qd, self.tau),
            "rollout": (self.q, self.torques),
            "rollout gradient": (self.q, self.torques, np.tile(self.weight, (len(self.q), 1))),
        }[task]
        return tuple(jnp.asarray(a, kind) for a in arrays)


def ways() -> dict[str, Functions]:
    """Those that this installation has."""
    return {name: f for name, f in FUNCTIONS.items() if "kernels" not in name or native.available()}


def compiled(functions: Functions, task: str, model: Model | None = None) -> Callable[..., jax.Array]:
    """The task as a compiled function of the body and a batch of inputs; of the inputs alone where the body is given.

    A body that is part of the program costs no time to hand over, which counts where the batch is small. XLA then works out
    ahead what it can, which takes it seconds without the kernels.
    """
    by_task = {
        "inverse dynamics": functions.inverse_dynamics,
        "mass matrix": functions.mass_matrix,
        "forward dynamics": functions.forward_dynamics,
        "rollout": partial(_rollout, functions.forward_dynamics),
        "rollout gradient": jax.grad(partial(_score, functions.forward_dynamics), argnums=2),
    }[task]
    if model is not None:
        return jax.jit(jax.vmap(partial(by_task, model)))
    return jax.jit(lambda model, *inputs: jax.vmap(partial(by_task, model))(*inputs))


def cast(model: Model, kind: type) -> Model:
    return jax.tree.map(lambda a: a.astype(kind), model)


def _rollout(accelerate: Callable[..., jax.Array], model: Model, q: jax.Array, torques: jax.Array) -> jax.Array:
    """The last state of semi-implicit Euler from rest."""

    def step(state: tuple[jax.Array, jax.Array], tau: jax.Array) -> tuple[tuple[jax.Array, jax.Array], None]:
        q, qd = state
        qd = qd + STEP * accelerate(model, q, qd, tau)
        return (q + STEP * qd, qd), None

    return jnp.concatenate(jax.lax.scan(step, (q, jnp.zeros_like(q)), torques)[0])


def _score(accelerate: Callable[..., jax.Array], model: Model, q: jax.Array, torques: jax.Array, weight: jax.Array) -> jax.Array:
    return weight @ _rollout(accelerate, model, q, torques)


def compile_times(model_path: str | None, names: tuple[str, ...]) -> dict[str, dict[str, tuple[float, float]]]:
    """Seconds to trace and compile each task, cold and from JAX's cache on the disk, each time in a process of its own."""
    found: dict[str, dict[str, tuple[float, float]]] = {}
    with tempfile.TemporaryDirectory(prefix="monomsk-benchmark-") as folder:
        settings = {
            "COMPILATION_CACHE_DIR": folder,
            "PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
            "PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
        }
        environment = {**os.environ, **{f"JAX_{key}": value for key, value in settings.items()}}
        for name in names:
            words = [sys.executable, __file__, name, *([model_path] if model_path else [])]
            cold, warm = (
                json.loads(subprocess.run(words, env=environment, check=True, capture_output=True, text=True).stdout) for _ in range(2)
            )
            found[name] = {task: (cold[task], warm[task]) for task in TASKS}
    return found


def _print_compile_times(name: str, path: str | None) -> None:
    """What the processes of `compile_times` do: a JSON of seconds by task, batch 256."""
    from hinged_body import bare

    from monomsk.io import osim_read
    from monomsk.io.body import load_body
    from monomsk.model.compile import compile_model

    model = compile_model(bare(osim_read.read(path) if path else load_body()))
    frames = Frames.random(model, 256)
    jax.jit(lambda x: x + 1.0).lower(jnp.zeros(3)).compile()
    seconds = {}
    for task in TASKS:
        function, inputs = compiled(FUNCTIONS[name], task), frames.inputs(task, np.float64)
        began = time.perf_counter()
        function.lower(model, *inputs).compile()
        seconds[task] = time.perf_counter() - began
    print(json.dumps(seconds))


if __name__ == "__main__":
    _print_compile_times(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else None)
