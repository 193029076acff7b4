"""Inputs of a simulation as functions of time: steps, straight lines or a cubic spline between samples."""

from typing import Literal

import equinox as eqx
import jax.numpy as jnp
from jax.lax.linalg import tridiagonal_solve
from jaxtyping import Array, Float

Shape = Literal["constant", "linear", "cubic"]


class Controls(eqx.Module):
    """Samples of `control` inputs and the rule between them; call it with a time [s]. Before and after, the ends hold on."""

    time: Float[Array, " sample"]
    value: Float[Array, "sample control"]
    shape: Shape = eqx.field(static=True)
    bend: Float[Array, "sample control"]
    """Second derivatives at the samples; zero unless cubic."""

    def __call__(self, t: Float[Array, ""] | float) -> Float[Array, " control"]:
        """The inputs at a time."""
        last = self.time.shape[0] - 1
        if last == 0:
            return self.value[0]
        i = jnp.clip(jnp.searchsorted(self.time, t, side="right") - 1, 0, last - 1)
        step = self.time[i + 1] - self.time[i]
        u = jnp.clip((t - self.time[i]) / step, 0.0, 1.0)
        if self.shape == "constant":
            return jnp.where(u < 1.0, self.value[i], self.value[i + 1])
        line = (1.0 - u) * self.value[i] + u * self.value[i + 1]
        if self.shape == "linear":
            return line
        v = 1.0 - u
        return line + step**2 / 6.0 * ((v**3 - v) * self.bend[i] + (u**3 - u) * self.bend[i + 1])


def controls(time: Float[Array, " sample"], value: Float[Array, "sample control"], shape: Shape = "linear") -> Controls:
    """Inputs sampled at increasing times [s].

    `constant` holds each sample until the next; `linear` joins them; `cubic` is the natural cubic spline through them. All
    can be differentiated by the samples.
    """
    bend = jnp.zeros_like(value)
    if shape == "cubic" and time.shape[0] > 2:
        step = jnp.diff(time)
        slope = jnp.diff(value, axis=0) / step[:, None]
        edge = jnp.zeros(1, step.dtype)
        below = jnp.concatenate([edge, step[1:-1]])
        above = jnp.concatenate([step[1:-1], edge])
        inner = tridiagonal_solve(below, 2.0 * (step[:-1] + step[1:]), above, 6.0 * jnp.diff(slope, axis=0))
        bend = bend.at[1:-1].set(inner)
    return Controls(time, value, shape, bend)


def constant(value: Float[Array, " control"]) -> Controls:
    """Inputs that never change."""
    return Controls(jnp.zeros(1, value.dtype), value[None], "constant", jnp.zeros_like(value)[None])
