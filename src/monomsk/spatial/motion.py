"""Spatial (six-component) motion and force vectors, angular part first, all about one common point in ground axes.

Featherstone, Rigid Body Dynamics Algorithms (2008), chapter 2.
"""

import jax.numpy as jnp
from jaxtyping import Array, Float


def cross_motion(v: Float[Array, "*batch 6"], m: Float[Array, "*batch 6"]) -> Float[Array, "*batch 6"]:
    """Rate of change of the motion vector m that is fixed in a frame moving with v (v × m)."""
    w, u = v[..., :3], v[..., 3:]
    a, b = m[..., :3], m[..., 3:]
    return jnp.concatenate([jnp.cross(w, a), jnp.cross(w, b) + jnp.cross(u, a)], -1)


def velocity_at(v: Float[Array, "*batch 6"], point: Float[Array, "*batch 3"]) -> Float[Array, "*batch 3"]:
    """Linear velocity of the body's material point at `point`, given relative to the reference point."""
    return v[..., 3:] + jnp.cross(v[..., :3], point)


def wrench_at(
    force: Float[Array, "*batch 3"], moment: Float[Array, "*batch 3"], point: Float[Array, "*batch 3"]
) -> Float[Array, "*batch 6"]:
    """Spatial force about the reference point of a force [N] and a moment [N·m] that act at `point`."""
    return jnp.concatenate([moment + jnp.cross(point, force), force], -1)
