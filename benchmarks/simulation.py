"""Cost of a simulation's gradient: python benchmarks/simulation.py [--steps 120] [--batch 1 16 256] [--single].

The shipped body through fixed steps, all torques of all steps free; the gradient is by every one of them. For each size of batch
and each length of checkpointed block: compile time, forward time and gradient time a step, and the memory that the gradient
needs beside its inputs and results (XLA's own count).

Seconds are the processor's, not the clock's, so that other work on the machine disturbs them little; hold it to
one core with `taskset -c 0`.
"""

import argparse
import time
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

import monomsk  # noqa: F401 - sets double precision
from monomsk import native
from monomsk.io.body import load_body
from monomsk.model.compile import compile_model
from monomsk.model.model import Model
from monomsk.physics.controls import controls
from monomsk.physics.simulate import Drive, Integration, State, simulate, torques, with_contact

STEP = 0.005
DAMPING = 0.5
REPEATS = 7


def rollout(model: Model, steps: int, drive: Drive, integration: Integration) -> Callable[[State, jax.Array], jax.Array]:
    """Where bodies end that torques [steps, nq] drive, each held through its step."""
    stamp = jnp.linspace(0.0, steps * STEP, steps + 1, dtype=model.mass.dtype)
    damping = jnp.full(model.nq, DAMPING, model.mass.dtype)

    def end(start: State, tau: jax.Array) -> jax.Array:
        inputs = controls(stamp[:-1], tau, "constant")
        made = simulate(model, start, inputs, stamp, drive=drive, damping=damping, integration=integration)
        return made.state.q[-1]

    return end


def compiled(function: Callable[..., jax.Array], *inputs: object) -> tuple[Callable[..., jax.Array], float, float]:
    """The program, the seconds it took to trace and compile, and the memory it needs on the way [MB]."""
    began = time.process_time()
    program = jax.jit(function).lower(*inputs).compile()
    took = time.process_time() - began
    memory = program.memory_analysis()
    return program, took, (memory.temp_size_in_bytes if memory is not None else float("nan")) / 1e6


def fastest(program: Callable[..., jax.Array], *inputs: object) -> float:
    """Seconds of the fastest of several calls."""
    jax.block_until_ready(program(*inputs))
    best = float("inf")
    for _ in range(REPEATS):
        began = time.process_time()
        jax.block_until_ready(program(*inputs))
        best = min(best, time.process_time() - began)
    return best


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=120)
    parser.add_argument("--batch", type=int, nargs="+", default=[1, 16, 256])
    parser.add_argument("--block", type=int, nargs="+", default=[0, 10, 30], help="steps a checkpoint; 0 for none")
    parser.add_argument("--contact", action="store_true", help="with the ground under the feet")
    parser.add_argument("--single", action="store_true", help="float32")
    arguments = parser.parse_args()
    kind = jnp.float32 if arguments.single else jnp.float64
    model = jax.tree.map(lambda a: a.astype(kind), compile_model(load_body()))
    print(f"{'float32' if arguments.single else 'float64'}, {arguments.steps} steps, kernels: {native.available()}")
    print(
        f"{'batch':>5} {'block':>5} | {'compile s':>9} | {'forward':>9} {'gradient':>9} us a step | ratio | {'gradient steps/s':>16} | MB"
    )
    for batch in arguments.batch:
        rng = np.random.default_rng(0)
        tau = jnp.asarray(rng.normal(size=(batch, arguments.steps, model.nq)) * 5.0, kind)
        q = jnp.tile(model.coordinate_default, (batch, 1))
        start = State(q, jnp.asarray(rng.normal(size=q.shape) * 0.1, kind))
        for block in arguments.block:
            integration = Integration(checkpoint=block or None)
            end = jax.vmap(rollout(model, arguments.steps, with_contact(torques) if arguments.contact else torques, integration))
            forward, _, _ = compiled(end, start, tau)
            gradient, took, memory = compiled(jax.grad(lambda t, s, end=end: jnp.sum(jnp.sin(end(s, t)))), tau, start)
            each = [fastest(p, *x) / (arguments.steps * batch) for p, x in ((forward, (start, tau)), (gradient, (tau, start)))]
            print(
                f"{batch:5d} {block:5d} | {took:9.1f} | {each[0] * 1e6:9.2f} {each[1] * 1e6:9.2f} {'':9} | {each[1] / each[0]:5.2f} |"
                f" {1 / each[1]:16,.0f} | {memory:.1f}"
            )


if __name__ == "__main__":
    main()
