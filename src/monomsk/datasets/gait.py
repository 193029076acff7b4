"""The demonstration walk: coordinates at any time, and the ground forces and joint moments that go with them exactly."""

import tomllib
from dataclasses import dataclass
from functools import partial
from importlib import resources

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from monomsk.datasets import stride as strides
from monomsk.datasets.stride import FEET, FootLoads, Stride
from monomsk.errors import FormatError
from monomsk.model.compile import compile_model
from monomsk.model.model import Model
from monomsk.model.scale import scale_model
from monomsk.model.spec import ModelSpec
from monomsk.physics.forward_kinematics import forward_kinematics
from monomsk.physics.inverse_dynamics import inverse_dynamics
from monomsk.types import Kinetics, Motion

START = -0.1
"""Phase at time 0: shortly before the right heel strikes."""


@dataclass(frozen=True)
class Person:
    """Whom the walk was made for."""

    height: float
    """Standing height without shoes [m]."""
    mass: float
    """[kg]"""
    stretch: dict[str, tuple[float, float, float]]
    """Factors along x, y, z of the bodies whose names begin so; 1 for all others."""


@dataclass(frozen=True)
class Gait:
    """A walk and its person."""

    person: Person
    stride: Stride


def load_gait() -> Gait:
    """The walk that ships with monomsk."""
    return parse_gait(resources.files("monomsk").joinpath("data/gait/walk.toml").read_text(encoding="utf-8"))


def parse_gait(text: str) -> Gait:
    """A walk from the text of its file. Raises FormatError for what is not one."""
    try:
        data = tomllib.loads(text)
        person = Person(data["height"], data["mass"], {name: (f[0], f[1], f[2]) for name, f in data["stretch"].items()})
        names = tuple(data["coefficients"])
        coefficients = jnp.array([data["coefficients"][name] for name in names], float)
        stride = Stride(coefficients, jnp.array(data["stride_time"], float), jnp.array(data["stride_length"], float), names)
    except (AttributeError, KeyError, IndexError, TypeError, ValueError) as error:
        raise FormatError(f"walk.toml is not a walk ({error}): make one with tools/make_gait.py") from error
    return Gait(person, stride)


def gait_text(gait: Gait) -> str:
    """The text of a walk's file: TOML, rad and m to nine digits."""
    lines = [
        "# A walk as Fourier series of the coordinates, made by tools/make_gait.py: mean, then cosine and sine of every harmonic [rad, m].",
        f"height = {gait.person.height!r}",
        f"mass = {gait.person.mass!r}",
        f"stride_time = {float(gait.stride.duration)!r}",
        f"stride_length = {float(gait.stride.length)!r}",
        "\n[stretch]",
        *(f"{name} = {list(factors)}" for name, factors in gait.person.stretch.items()),
        "\n[coefficients]",
    ]
    for name, row in zip(gait.stride.names, np.asarray(gait.stride.coefficients), strict=True):
        lines.append(f"{name} = [{', '.join(f'{value:.9g}' for value in row)}]")
    return "\n".join(lines) + "\n"


def stretch_of(model: Model, person: Person) -> Float[np.ndarray, "body 3"]:
    """Factors of all bodies."""
    rows = [next((f for start, f in person.stretch.items() if name.startswith(start)), (1.0, 1.0, 1.0)) for name in model.body_names]
    return np.array(rows)


def walker(body: ModelSpec, person: Person) -> Model:
    """The body stretched to the person."""
    model = compile_model(body)
    return scale_model(model, jnp.array(stretch_of(model, person)), person.mass)


def gait_motion(model: Model, stride: Stride, time: Float[np.ndarray, " time"], *, start: float = START) -> Motion:
    """The walk along X from the ground's origin, at any times [s]. `start` is the phase at time 0."""
    q, _, _ = _coordinates(model, stride, _phase(stride, time, start))
    share = jax.vmap(strides.load_share)(_phase(stride, time, start))
    contact = (np.asarray(share) > 0.0).astype(float)
    return Motion(np.asarray(time), model.coordinate_names, np.array(model.rotational), np.asarray(q), contact=contact)


def gait_kinetics(model: Model, stride: Stride, time: Float[np.ndarray, " time"], *, start: float = START) -> Kinetics:
    """Ground forces and generalized forces of the walk at any times [s].

    The forces under the feet add up to what the motion needs, so the generalized forces on the root are zero to rounding.
    """
    phase = _phase(stride, time, start)
    q, tau, loads = _dynamics(model, stride, phase, strides.marks_of_footprint(model))
    return Kinetics(
        time=np.asarray(time),
        names=model.coordinate_names,
        rotational=np.array(model.rotational),
        q=np.asarray(q),
        tau=np.asarray(tau),
        bodies=(FEET[0][0], FEET[1][0]),
        force=np.asarray(loads.force),
        cop=np.asarray(loads.cop),
        moment=np.asarray(loads.moment),
        contact=np.asarray(loads.share) > 0.0,
    )


def _phase(stride: Stride, time: Float[np.ndarray, " time"], start: float) -> Float[Array, " time"]:
    return start + jnp.asarray(time) / stride.duration


@eqx.filter_jit
def _coordinates(model: Model, stride: Stride, phase: Float[Array, " time"]) -> tuple[Float[Array, "time nq"], ...]:
    return jax.vmap(partial(strides.coordinates, model, stride))(phase)


@eqx.filter_jit
def _dynamics(
    model: Model, stride: Stride, phase: Float[Array, " time"], marks: tuple[tuple[int, ...], ...]
) -> tuple[Float[Array, "time nq"], Float[Array, "time nq"], FootLoads]:
    print_ = strides.footprint(model, stride, marks)

    def at(p: Float[Array, ""]) -> tuple[Float[Array, " nq"], Float[Array, " nq"], FootLoads]:
        q, qd, qdd = strides.coordinates(model, stride, p)
        loads = strides.foot_loads(model, stride, print_, p, (q, qd, qdd))
        return q, inverse_dynamics(model, q, qd, qdd, strides.external_forces(model, loads)), loads

    return jax.vmap(at)(phase)


def joint_centers(model: Model, q: Float[np.ndarray, "time nq"]) -> Float[np.ndarray, "time body 3"]:
    """Where every body's joint with its parent turns, ground frame [m]."""
    return np.asarray(jax.vmap(lambda x: forward_kinematics(model, x).pivot)(jnp.asarray(q)))
