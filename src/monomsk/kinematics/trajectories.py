"""Positions over all frames, computed in padded chunks so that no clip length compiles anew."""

from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from monomsk.kinematics import levenberg, residuals
from monomsk.kinematics.levenberg import Estimate
from monomsk.kinematics.residuals import Frames, Scene
from monomsk.model.model import Model
from monomsk.physics.forward_kinematics import forward_kinematics, marker_positions


def in_chunks(function: Callable[..., Array], model: Model | Scene, rows: Float[np.ndarray, "time n"]) -> Float[np.ndarray, "time *rest"]:
    """A compiled function of (model, chunk of rows) over all rows, the last chunk padded."""
    size = levenberg.CHUNK
    parts = [rows[np.minimum(np.arange(low, low + size), len(rows) - 1)] for low in range(0, len(rows), size)]
    return np.concatenate([np.asarray(function(model, jnp.asarray(part))) for part in parts])[: len(rows)]


@eqx.filter_jit
def marker_trajectories(model: Model, q: Float[Array, "time nq"]) -> Float[Array, "time marker 3"]:
    """Markers of the body in the ground frame [m]."""
    return jax.vmap(lambda row: marker_positions(model, forward_kinematics(model, row)))(q)


def observe(
    scene: Scene, frames: Frames, estimate: Estimate
) -> tuple[Float[np.ndarray, "time marker 3"], Float[np.ndarray, "time point 3"]]:
    """What the camera sees of the markers (u, v [px], z [m]) and where markers and sole points are in the ground frame [m]."""
    unknown = jnp.asarray(estimate.unknown)
    parts = [residuals.observe(scene, jnp.asarray(window[:-1]), unknown) for _, window in levenberg.chunks(frames, estimate.x)]
    seen, points = (np.concatenate([np.asarray(part[i]) for part in parts])[: len(estimate.x)] for i in (0, 1))
    return seen, points


def soles(scene: Scene, frames: Frames, estimate: Estimate) -> Float[np.ndarray, "time contact 3"]:
    """Lowest points of the contact spheres in the ground frame [m]."""
    return observe(scene, frames, estimate)[1][:, len(scene.model.marker_names) :]
