"""The curves of all muscles together, each muscle's by the formulas of its own kind.

Millard et al. (2013), Thelen (2003), De Groote et al. (2016), with OpenSim 4.6's numbers and, outside the range of a
formula, its continuation.
"""

from collections.abc import Callable

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from monomsk.model.muscles import KINDS, Muscles
from monomsk.physics.muscle_curve import (
    BezierCurve,
    Numbers,
    active_force_length,
    beside,
    evaluate,
    force_velocity,
    passive_force_length,
    tendon_force_length,
)

Batch = Float[Array, "*batch muscle"]

_LARGEST = 60.0
"""Exponents beyond this are held: far outside what muscle can be, where only a trial step comes."""
_D1, _D2, _D3, _D4 = -0.3211346127989808, -8.149, -0.374, 0.8825327733249912
"""De Groote's force–velocity curve, through (−1, 0) and (0, 1)."""
_C1, _C2, _C3 = 0.2, 1.0, 0.2
"""De Groote's tendon curve, through (1, 0)."""
_TOE, _TOE_SHAPE = 0.33, 3.0
"""Thelen's tendon: force at the end of the toe, and its shape factor."""


class Curves(eqx.Module):
    """The curves of all muscles; forces over greatest isometric force, lengths over optimal or slack length."""

    numbers: Numbers
    lengths: BezierCurve
    """Millard's active and passive force, side by side."""
    velocity: BezierCurve
    stretch: BezierCurve
    """Millard's tendon."""
    kind: tuple[int, ...] = eqx.field(static=True)

    def by_length(self, fiber: Batch) -> tuple[Batch, Batch]:
        """Active force at full activation without speed, and passive force, at normalized fibre length."""

        def millard(fiber: Batch) -> Batch:
            return evaluate(self.lengths, jnp.stack([fiber, fiber], -2))

        methods = (
            millard,
            lambda x: jnp.stack(thelen_lengths(self.numbers, x), -2),
            lambda x: jnp.stack(degroote_lengths(self.numbers, x), -2),
        )
        both = self._own(methods, fiber)
        return both[..., 0, :], both[..., 1, :]

    def by_velocity(self, activation: Batch, velocity: Batch) -> Batch:
        """Active force over that without speed, at normalized velocity (positive when fibres lengthen)."""
        methods = (
            lambda x: evaluate(self.velocity, x),
            lambda x: thelen_force(self.numbers, activation, x),
            degroote_velocity,
        )
        return self._own(methods, velocity)

    def tendon(self, length: Batch) -> Batch:
        """Force at normalized tendon length."""
        methods = (
            lambda x: evaluate(self.stretch, x),
            lambda x: _thelen_tendon(self.numbers, x),
            lambda x: _degroote_tendon(self.numbers, x),
        )
        return self._own(methods, length)

    def _own(self, methods: tuple[Callable[[Batch], Array], ...], x: Batch) -> Array:
        assert len(methods) == len(KINDS)
        result = None
        for kind in sorted(set(self.kind)):
            value = methods[kind](x)
            result = value if result is None else jnp.where(self.is_kind(kind), value, result)
        return x if result is None else result

    def is_kind(self, kind: int) -> Array:
        """Which muscles are of a kind, counted as in KINDS."""
        return jnp.array([k == kind for k in self.kind])


def curves(muscles: Muscles) -> Curves:
    """The curves of all muscles, made once for many evaluations."""
    numbers = muscles.parameters
    lengths = beside([active_force_length(numbers), passive_force_length(numbers)])
    return Curves(numbers, lengths, force_velocity(numbers), tendon_force_length(numbers), muscles.kind)


def thelen_lengths(numbers: Numbers, stretch: Batch) -> tuple[Batch, Batch]:
    """Active and passive force over normalized fibre length (Thelen 2003, equations 1 and 3)."""
    strain = jnp.maximum(stretch - 1.0, 0.0)
    exponent = jnp.minimum(numbers["KshapePassive"] * strain / numbers["FmaxMuscleStrain"], _LARGEST)
    return jnp.exp(-((stretch - 1.0) ** 2) / numbers["KshapeActive"]), jnp.expm1(exponent) / jnp.expm1(numbers["KshapePassive"])


def thelen_force(numbers: Numbers, activation: Batch, velocity: Batch) -> Batch:
    """Active force over that without speed (Thelen 2003, equation 6), straight beyond the ends of its range as OpenSim's."""
    af, most, _, pace, steep = _thelen_numbers(numbers, activation)
    v = velocity / pace
    shortening = jnp.where(v > -1.0, (1.0 + jnp.clip(v, -1.0, 0.0)) / (1.0 - jnp.clip(v, -1.0, 0.0) / af), (v + 1.0) / (1.0 + 1.0 / af))
    last, v_last, rate = _thelen_end(numbers, activation)
    w = steep * jnp.clip(v, 0.0, v_last)
    lengthening = jnp.where(v < v_last, (1.0 + w * most) / (1.0 + w), last + (v - v_last) / rate)
    return jnp.where(v < 0.0, shortening, lengthening)


def thelen_speed(numbers: Numbers, activation: Batch, force: Batch) -> Batch:
    """Normalized velocity at an active force, over that without speed: the inverse of `thelen_force`."""
    af, most, _, pace, steep = _thelen_numbers(numbers, activation)
    inner = jnp.clip(force, 0.0, 1.0)
    shortening = jnp.where(force > 0.0, (inner - 1.0) / (1.0 + inner / af), force * (1.0 + 1.0 / af) - 1.0)
    last, v_last, rate = _thelen_end(numbers, activation)
    inner = jnp.clip(force, 1.0, last)
    lengthening = jnp.where(force < last, (inner - 1.0) / (steep * (most - inner)), v_last + rate * (force - last))
    return pace * jnp.where(force < 1.0, shortening, lengthening)


def _thelen_numbers(numbers: Numbers, activation: Batch) -> tuple[Batch, ...]:
    af, most = numbers["Af"], numbers["Flen"]
    return af, most, numbers["fv_linear_extrap_threshold"], 0.25 + 0.75 * activation, (2.0 + 2.0 / af) / (most - 1.0)


def _thelen_end(numbers: Numbers, activation: Batch) -> tuple[Batch, Batch, Batch]:
    """Where the lengthening branch ends: force, velocity over its pace, and slope of the latter by the former."""
    _, most, threshold, _, steep = _thelen_numbers(numbers, activation)
    last = threshold * most
    room = steep * (most - last)
    return last, (last - 1.0) / room, 1.0 / room + (last - 1.0) * steep / room**2


def _thelen_tendon(numbers: Numbers, length: Batch) -> Batch:
    """Thelen (2003), equation 5, with the constants that make its slope continuous."""
    strain = length - 1.0
    cube = jnp.exp(3.0)
    toe = 99.0 * numbers["FmaxTendonStrain"] * cube / (166.0 * cube - 67.0)
    stiffness = (1.0 - _TOE) / (numbers["FmaxTendonStrain"] - toe)
    bent = _TOE * jnp.expm1(_TOE_SHAPE * jnp.clip(strain / toe, 0.0, 1.0)) / jnp.expm1(_TOE_SHAPE)
    return jnp.where(strain > toe, _TOE + stiffness * (strain - toe), bent)


def degroote_lengths(numbers: Numbers, stretch: Batch) -> tuple[Batch, Batch]:
    """Active and passive force over normalized fibre length, the latter zero at 0.2 (De Groote et al. 2016, supplement)."""
    x = (stretch - 1.0) / numbers["active_force_width_scale"] + 1.0
    by_length = jnp.zeros_like(x)
    for height, centre, width, widening in (
        (0.8150671134243542, 1.055033428970575, 0.162384573599574, 0.063303448465465),
        (0.433004984392647, 0.716775413397760, -0.029947116970696, 0.200356847296188),
        (0.1, 1.0, 0.5 * 0.5**0.5, 0.0),
    ):
        by_length = by_length + height * jnp.exp(-0.5 * ((x - centre) / (width + widening * x)) ** 2)
    rate = 4.0 / numbers["passive_fiber_strain_at_one_norm_force"]
    offset = jnp.exp(rate * (0.2 - 1.0))
    passive = (jnp.exp(jnp.minimum(rate * (stretch - 1.0), _LARGEST)) - offset) / (jnp.exp(4.0) - offset)
    return by_length, passive


def degroote_velocity(velocity: Batch) -> Batch:
    """Active force over that without speed (De Groote et al. 2016, supplement); negative below −1."""
    return _D1 * jnp.arcsinh(_D2 * velocity + _D3) + _D4


def degroote_speed(force: Batch) -> Batch:
    """Normalized velocity at an active force: the inverse of `degroote_velocity`."""
    return (jnp.sinh(jnp.clip((force - _D4) / _D1, -15.0, 15.0)) - _D3) / _D2


def _degroote_tendon(numbers: Numbers, length: Batch) -> Batch:
    stiffness = jnp.log((1.0 + _C3) / _C1) / (1.0 + numbers["tendon_strain_at_one_norm_force"] - _C2)
    return _C1 * jnp.exp(jnp.minimum(stiffness * (length - _C2), _LARGEST)) - _C3
