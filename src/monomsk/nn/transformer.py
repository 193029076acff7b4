"""A transformer over time whose attention knows seconds, not frames, so that it does not matter how many frames there are to a second.

Pre-normalised blocks (Xiong et al. 2020) of attention with rotary phases (Su et al. 2021) and gated feed-forward layers
(Shazeer 2020). The blocks' weights are stacked and scanned over: the compiled program is that of one block.
"""

from dataclasses import dataclass

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, PRNGKeyArray

SHORTEST, LONGEST = 0.05, 20.0
"""Periods of the rotary phases [s]."""
TINY = 1e-6


@dataclass(frozen=True)
class Shape:
    """Size of the network."""

    width: int = 256
    """Numbers a frame is described by."""
    heads: int = 8
    """Attention heads; they share the width."""
    depth: int = 4
    """Blocks."""
    temporal: bool = True
    """Whether frames see each other."""


class Linear(eqx.Module):
    """x W + b."""

    weight: Float[Array, "in out"]
    bias: Float[Array, " out"]

    def __init__(self, size: int, out: int, key: PRNGKeyArray, *, gain: float = 1.0) -> None:
        """Weights of variance gain² / size; `gain` 0 begins with nothing."""
        self.weight = gain * size**-0.5 * jax.random.normal(key, (size, out), jnp.float32)
        self.bias = jnp.zeros(out, jnp.float32)

    def __call__(self, x: Float[Array, "*n in"]) -> Float[Array, "*n out"]:
        """Apply to the last axis."""
        # One long axis: gradients by the weights of several take twice as long on CPUs.
        flat = x.reshape(-1, x.shape[-1]) @ self.weight + self.bias
        return flat.reshape(*x.shape[:-1], -1)


def normalized(x: Float[Array, "*n width"], gain: Float[Array, " width"]) -> Float[Array, "*n width"]:
    """Root mean square normalisation (Zhang & Sennrich 2019)."""
    return gain * x * jax.lax.rsqrt(jnp.mean(x**2, -1, keepdims=True) + TINY)


def rotated(x: Float[Array, "*n time head width"], time: Float[Array, "*n time"]) -> Float[Array, "*n time head width"]:
    """Pairs of entries turned by phases that grow with time [s]: products of two such depend on the time between them alone."""
    half = x.shape[-1] // 2
    rate = 2.0 * jnp.pi / jnp.geomspace(SHORTEST, LONGEST, half)
    phase = (time[..., None] * rate).astype(x.dtype)[..., None, :]
    a, b = x[..., :half], x[..., half:]
    return jnp.concatenate([a * jnp.cos(phase) - b * jnp.sin(phase), a * jnp.sin(phase) + b * jnp.cos(phase)], -1)


class Block(eqx.Module):
    """Attention over time, then a gated layer, each added to what went in."""

    attention_gain: Float[Array, " width"]
    gate_gain: Float[Array, " width"]
    query_key_value: Linear
    out: Linear
    gate: Linear
    down: Linear
    heads: int = eqx.field(static=True)
    temporal: bool = eqx.field(static=True)

    def __init__(self, width: int, heads: int, key: PRNGKeyArray, *, temporal: bool = True) -> None:
        """`temporal` False lets every frame see itself only."""
        keys = jax.random.split(key, 4)
        self.attention_gain = jnp.ones(width, jnp.float32)
        self.gate_gain = jnp.ones(width, jnp.float32)
        self.query_key_value = Linear(width, 3 * width, keys[0])
        self.out = Linear(width, width, keys[1], gain=0.5)
        self.gate = Linear(width, 4 * width, keys[2])
        self.down = Linear(2 * width, width, keys[3], gain=0.5)
        self.heads, self.temporal = heads, temporal

    def __call__(
        self, x: Float[Array, "*n time width"], time: Float[Array, "*n time"], there: Bool[Array, "*n time"]
    ) -> Float[Array, "*n time width"]:
        """One pass over windows. Frames that are not `there` are seen by none."""
        width = x.shape[-1]
        parts = self.query_key_value(normalized(x, self.attention_gain)).reshape(*x.shape[:-1], 3, self.heads, width // self.heads)
        query, key, value = rotated(parts[..., 0, :, :], time), rotated(parts[..., 1, :, :], time), parts[..., 2, :, :]
        if self.temporal:
            score = jnp.einsum("...qhw,...khw->...hqk", query, key) * (width // self.heads) ** -0.5
            share = jax.nn.softmax(jnp.where(there[..., None, None, :], score, -1e9), -1)
            value = jnp.einsum("...hqk,...khw->...qhw", share, value)
        x = x + self.out(value.reshape(x.shape))
        opened, closed = jnp.split(self.gate(normalized(x, self.gate_gain)), 2, -1)
        return x + self.down(jax.nn.silu(opened) * closed)


class Transformer(eqx.Module):
    """A stack of blocks."""

    blocks: Block
    """Every array with a first axis more: the block's number."""
    gain: Float[Array, " width"]

    def __init__(self, shape: Shape, key: PRNGKeyArray) -> None:
        """Untrained blocks; the heads must divide the width into even parts."""
        keys = jax.random.split(key, shape.depth)
        self.blocks = eqx.filter_vmap(lambda k: Block(shape.width, shape.heads, k, temporal=shape.temporal))(keys)
        self.gain = jnp.ones(shape.width, jnp.float32)

    def __call__(
        self, x: Float[Array, "*n time width"], time: Float[Array, "*n time"], there: Bool[Array, "*n time"]
    ) -> Float[Array, "*n time width"]:
        """Transform windows; times [s] need not be even."""
        weights, form = eqx.partition(self.blocks, eqx.is_array)

        def step(x: Array, weight: Block) -> tuple[Array, None]:
            return eqx.combine(weight, form)(x, time, there), None

        x, _ = jax.lax.scan(step, x, weights, unroll=len(self.blocks.gate_gain))
        return normalized(x, self.gain)
