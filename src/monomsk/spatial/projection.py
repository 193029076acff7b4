"""The pinhole camera with radial–tangential distortion (Brown–Conrady, OpenCV's order k1 k2 p1 p2 k3)."""

import jax.numpy as jnp
from jaxtyping import Array, Float


def project(point: Float[Array, "*batch 3"], focal: Float[Array, "2"], center: Float[Array, "2"]) -> Float[Array, "*batch 2"]:
    """Pixels of points in the camera frame [m], without distortion. Points behind the camera are pushed to 5 cm before it."""
    depth = jnp.maximum(point[..., 2:], 0.05)
    return point[..., :2] / depth * focal + center


def distort(ray: Float[Array, "*batch 2"], coefficients: Float[Array, "5"]) -> Float[Array, "*batch 2"]:
    """Normalised image coordinates (x/z, y/z) as the lens bends them."""
    k1, k2, p1, p2, k3 = coefficients
    x, y = ray[..., 0], ray[..., 1]
    r2 = x * x + y * y
    radial = 1.0 + r2 * (k1 + r2 * (k2 + r2 * k3))
    return jnp.stack(
        [
            x * radial + 2.0 * p1 * x * y + p2 * (r2 + 2.0 * x * x),
            y * radial + p1 * (r2 + 2.0 * y * y) + 2.0 * p2 * x * y,
        ],
        -1,
    )


def undistort(
    pixel: Float[Array, "*batch 2"], focal: Float[Array, "2"], center: Float[Array, "2"], coefficients: Float[Array, "5"]
) -> Float[Array, "*batch 2"]:
    """Pixels where a lens without distortion would have put them. Equals the inverse of distortion within 1e-6 of the focal length.

    Twenty rounds of the fixed point ray ← ray_observed − (distort(ray) − ray), which contracts for phone lenses.
    """
    observed = (pixel - center) / focal
    ray = observed
    for _ in range(20):
        ray = observed - (distort(ray, coefficients) - ray)
    return ray * focal + center
