"""The loop that all trainings share: steps, an average of the weights, curves, and a state to go on from after a kill.

The state is written whole to a temporary name and then renamed. A run that is started again in the same folder goes on where it was
and ends with the same weights, bit for bit, as one that was never stopped: what a step does depends on the seed and its number alone.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float, PRNGKeyArray, PyTree
from optax import contrib

from monomsk.errors import InputError
from monomsk.io import curves, weights

Network = TypeVar("Network", bound=eqx.Module)
STACKED = 3
"""Axes of a weight of all blocks of a transformer."""
MUON_RMS = 0.2
"""Root mean square of Muon's updates before the learning rate, which is about that of Adam's (Liu et al. 2025)."""
STATE, CURVES = "state.safetensors", "curves.csv"


@dataclass(frozen=True)
class Schedule:
    """How long, how fast and how much at a time."""

    steps: int = 6500
    """Steps of the optimizer."""
    batch: int = 64
    """Windows a step."""
    learning_rate: float = 1.5e-3
    """Greatest rate; it rises over the warm-up and falls along a cosine to nothing."""
    warmup: int = 300
    """Steps of the rise."""
    weight_decay: float = 0.02
    """Of AdamW (Loshchilov & Hutter 2019)."""
    clip: float = 1.0
    """Longest gradient."""
    average: float = 0.999
    """Memory of the running average of the weights, which is what is kept."""
    seed: int = 0
    """Of everything that chance decides."""
    save_every: int = 250
    """Steps between states."""


def shared(batch: PyTree) -> PyTree:
    """A batch spread over all devices, of all machines that train together, along the first axis."""
    mesh = jax.sharding.Mesh(np.array(jax.devices()), ("window",))
    spread = jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec("window"))
    return jax.tree.map(lambda a: jax.make_array_from_callback(np.shape(a), spread, lambda part, a=a: np.asarray(a)[part]), batch)


def everywhere(tree: PyTree) -> PyTree:
    """Arrays that every device has."""
    mesh = jax.sharding.Mesh(np.array(jax.devices()), ("window",))
    whole = jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec())
    return jax.tree.map(lambda a: jax.make_array_from_callback(np.shape(a), whole, lambda part, a=a: np.asarray(a)[part]), tree)


def started(network: Network, start: Network) -> Network:
    """A network to begin a training with: the weights of `start`. Raises InputError when that is not one of the same form."""
    forms = [jax.tree.map(lambda a: np.shape(a) if eqx.is_array(a) else a, n) for n in (network, start)]
    if not eqx.tree_equal(*forms):
        raise InputError(
            "the weights to start from are of a network of another form: give it the same [shape], or train from the beginning"
        )
    return start


class State(NamedTuple):
    """Everything that a step changes."""

    weights: PyTree
    average: PyTree
    optimizer: optax.OptState
    step: Float[Array, ""]


Tell = Callable[[int, dict[str, float]], None]
"""Told the step, and the mean figures since the last time."""
Loss = Callable[[PyTree, PyTree, PRNGKeyArray], tuple[Float[Array, ""], dict[str, Float[Array, ""]]]]
"""(network, batch, key) → loss and figures to watch."""


def train(
    network: PyTree,
    loss: Loss,
    batch: Callable[[int, np.random.Generator], PyTree],
    schedule: Schedule,
    folder: Path,
    tell: Tell = lambda step, figures: None,
) -> PyTree:
    """Train, and return the network with its averaged weights.

    Args:
        network: an Equinox module; its inexact arrays are trained.
        loss: of a network and a batch.
        batch: what a step learns from, by its number and a generator that belongs to it; carried out outside of compiled code.
        schedule: of the training.
        folder: where the state and the curves are kept.
        tell: told the step and the mean figures since the last time.

    Raises:
        InputError: the schedule does not fit, or a figure is no number.
        FormatError: the folder holds the state of another network.
        OutputError: the state cannot be written.
    """
    if not 0 <= schedule.warmup < schedule.steps:
        raise InputError(f"a warm-up of {schedule.warmup} steps does not fit into {schedule.steps}: make it shorter than the training")
    optimizer = _optimizer(schedule)
    arrays, form = eqx.partition(network, eqx.is_inexact_array)
    state = State(arrays, arrays, optimizer.init(arrays), jnp.zeros((), jnp.int32))
    folder.mkdir(parents=True, exist_ok=True)
    if (folder / STATE).is_file():
        state = weights.read_tree(folder / STATE, state)
    if schedule.batch % len(jax.devices()):
        raise InputError(f"a batch of {schedule.batch} windows cannot be shared by {len(jax.devices())} devices: choose a multiple of that")
    first, writes = int(state.step), jax.process_index() == 0
    state = everywhere(state)

    advance = _advance(form, loss, optimizer, schedule)
    seen: list[dict[str, Any]] = []
    began = time.perf_counter()
    for step in range(first, schedule.steps):
        state, figures = advance(state, shared(batch(step, np.random.default_rng([schedule.seed, step]))))
        seen.append(figures)
        if (step + 1) % schedule.save_every == 0 or step + 1 == schedule.steps:
            mean = {name: float(np.mean([float(f[name]) for f in seen])) for name in seen[0]}
            if not all(np.isfinite(v) for v in mean.values()):
                raise InputError(f"the training has gone astray by step {step + 1} (a figure is no number): lower the learning rate")
            seen = []
            mean["steps_a_second"] = (step + 1 - first) / (time.perf_counter() - began)
            if writes:
                weights.write_tree(folder / STATE, jax.tree.map(np.asarray, state))
                curves.append(folder / CURVES, step + 1, mean)
                tell(step + 1, mean)
    return eqx.combine(jax.tree.map(lambda a: jnp.asarray(np.asarray(a)), state.average), form)


def _advance(form: PyTree, loss: Loss, optimizer: optax.GradientTransformation, schedule: Schedule) -> Callable[[State, PyTree], Any]:
    """One compiled step: (state, batch) → (state, figures)."""

    @jax.jit
    def advance(state: State, batch: PyTree) -> tuple[State, dict[str, Float[Array, ""]]]:
        key = jax.random.fold_in(jax.random.key(schedule.seed), state.step)
        slope = jax.grad(lambda a: loss(eqx.combine(a, form), batch, key), has_aux=True)
        change, figures = slope(state.weights)
        update, kept = optimizer.update(change, state.optimizer, state.weights)
        new = optax.apply_updates(state.weights, update)
        # The average forgets its untrained beginning quickly.
        memory = jnp.minimum(schedule.average, (1.0 + state.step) / (10.0 + state.step))
        average = jax.tree.map(lambda old, now: (memory * old + (1.0 - memory) * now).astype(now.dtype), state.average, new)
        return State(new, average, kept, state.step + 1), figures

    return advance


def _optimizer(schedule: Schedule) -> optax.GradientTransformation:
    """Muon (Jordan et al. 2024) for the stacked matrices of the blocks, AdamW for the rest, with updates of the same size."""
    rate = optax.warmup_cosine_decay_schedule(0.0, schedule.learning_rate, schedule.warmup, schedule.steps)

    def matrices(arrays: PyTree) -> PyTree:
        return jax.tree.map(lambda a: contrib.MuonDimensionNumbers(1, 2) if a.ndim == STACKED else None, arrays)

    return optax.chain(
        optax.clip_by_global_norm(schedule.clip),
        contrib.muon(
            rate,
            weight_decay=schedule.weight_decay,
            adam_weight_decay=schedule.weight_decay,
            muon_weight_dimension_numbers=matrices,
            consistent_rms=MUON_RMS,
        ),
    )
