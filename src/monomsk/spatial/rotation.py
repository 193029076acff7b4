"""Rotation matrices: from axis and angle, from angles, and the small-angle maps, with safe gradients at zero."""

import jax.numpy as jnp
from jaxtyping import Array, Float


def skew(v: Float[Array, "*batch 3"]) -> Float[Array, "*batch 3 3"]:
    """Matrix of the cross product. Equals `jnp.cross(v, w)` when applied to w."""
    zero = jnp.zeros_like(v[..., 0])
    x, y, z = v[..., 0], v[..., 1], v[..., 2]
    return jnp.stack([zero, -z, y, z, zero, -x, -y, x, zero], -1).reshape((*v.shape[:-1], 3, 3))


def from_axis_angle(axis: Float[Array, "*batch 3"], angle: Float[Array, "*batch"]) -> Float[Array, "*batch 3 3"]:
    """Rotation by `angle` [rad] about the unit vector `axis` (Rodrigues 1840)."""
    k = skew(axis)
    s, c = jnp.sin(angle)[..., None, None], jnp.cos(angle)[..., None, None]
    return jnp.eye(3, dtype=k.dtype) + s * k + (1.0 - c) * (k @ k)


def exp(v: Float[Array, "*batch 3"]) -> Float[Array, "*batch 3 3"]:
    """Rotation by |v| [rad] about v. Equals the identity at zero, and so does its gradient's limit."""
    squared = jnp.sum(v * v, -1)
    small = squared < 1e-12
    angle = jnp.sqrt(jnp.where(small, 1.0, squared))
    a = jnp.where(small, 1.0 - squared / 6.0, jnp.sin(angle) / angle)[..., None, None]
    b = jnp.where(small, 0.5 - squared / 24.0, (1.0 - jnp.cos(angle)) / angle**2)[..., None, None]
    k = skew(v)
    return jnp.eye(3, dtype=k.dtype) + a * k + b * (k @ k)


def from_xyz(angles: Float[Array, "*batch 3"]) -> Float[Array, "*batch 3 3"]:
    """Body-fixed X-Y-Z rotation by `angles` [rad], the way OpenSim writes the orientation of a frame."""
    x, y, z = (from_axis_angle(jnp.broadcast_to(jnp.eye(3, dtype=angles.dtype)[i], angles.shape), angles[..., i]) for i in range(3))
    return x @ y @ z


def from_zxy(angles: Float[Array, "*batch 3"]) -> Float[Array, "*batch 3 3"]:
    """Turn about Z, then the turned X, then the turned Y [rad]: tilt, list and rotation of a pelvis. Equals the inverse of `zxy`."""
    z, x, y = (
        from_axis_angle(jnp.broadcast_to(jnp.eye(3, dtype=angles.dtype)[i], angles.shape), angles[..., k]) for k, i in enumerate((2, 0, 1))
    )
    return z @ x @ y


def zxy(R: Float[Array, "*batch 3 3"]) -> Float[Array, "*batch 3"]:
    """Angles [rad] of `from_zxy`; the second lies between -π/2 and π/2."""
    second = jnp.arcsin(jnp.clip(R[..., 2, 1], -1.0, 1.0))
    return jnp.stack([jnp.arctan2(-R[..., 0, 1], R[..., 1, 1]), second, jnp.arctan2(-R[..., 2, 0], R[..., 2, 2])], -1)
