"""Lengths, moment arms and lengthening speeds of muscle paths that are polynomials of coordinates (van den Bogert et al. 2013)."""

import jax.numpy as jnp
from jaxtyping import Array, Float

from monomsk.model.muscles import Muscles
from monomsk.model.polynomials import Block, PolynomialPaths, starts


def polynomial_paths(paths: PolynomialPaths, q: Float[Array, " nq"]) -> tuple[Float[Array, " path"], Float[Array, "path nq"]]:
    """Lengths [m], and moment arms about all coordinates [m for angles, 1 for lengths].

    Moment arms equal −dL/dq, unless the file has other functions for them.
    """
    values = _outputs(paths.blocks, q)
    return values[paths.length], jnp.append(values, 0.0)[paths.arm]


def lengthening_speeds(
    muscles: Muscles, q: Float[Array, " nq"], qd: Float[Array, " nq"], moment_arm: Float[Array, "muscle nq"]
) -> Float[Array, " muscle"]:
    """Lengthening speeds of all muscles [m/s]: those of their moment arms, or of the path's own function where it has another one."""
    speed = -moment_arm @ qd
    own = muscles.polynomials
    if not own.speeds:
        return speed
    stated = _outputs(own.speeds, jnp.concatenate([q, qd]))
    which = jnp.array([muscles.row.index(muscles.count - own.count + i) for i in own.speed_of])
    return speed.at[which].set(stated)


def _outputs(blocks: tuple[Block, ...], x: Float[Array, " argument"]) -> Float[Array, " output"]:
    """Values of the polynomials of all blocks. Blocks of as many arguments share the making of the terms."""
    values: list[Float[Array, " output"]] = [jnp.zeros(0, x.dtype)] * len(blocks)
    for dimension in sorted({len(block.arguments) for block in blocks}):
        members = [i for i, block in enumerate(blocks) if len(block.arguments) == dimension]
        order = max(blocks[i].order for i in members)
        terms = _terms(x[jnp.array([blocks[i].arguments for i in members])], order)
        for row, i in enumerate(members):
            coefficients = blocks[i].coefficients
            values[i] = coefficients @ terms[row, : coefficients.shape[1]]
    return jnp.concatenate(values)


def _terms(x: Float[Array, "block argument"], order: int) -> Float[Array, "block term"]:
    """All products of the arguments up to the order, in the order of `model.polynomials.graded`."""
    degree = jnp.ones((x.shape[0], 1), x.dtype)
    degrees = [degree]
    for first in starts(x.shape[1], order):
        degree = jnp.concatenate([x[:, a, None] * degree[:, start:] for a, start in enumerate(first)], 1)
        degrees.append(degree)
    return jnp.concatenate(degrees, 1)
