"""Springs, stops and soft tissue along coordinates as arrays."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from monomsk.errors import ModelError
from monomsk.model.spec import CoordinateExponential, CoordinateLimit, CoordinateSpring, PassiveForce


class PassiveElements(eqx.Module):
    """Three kinds of forces on coordinates; those that a file switches off are left out."""

    limit: Float[Array, "limit 2"]
    """Lower and upper end of the free range [rad, m]."""
    limit_stiffness: Float[Array, "limit 2"]
    """[N·m/rad, N/m]."""
    limit_damping: Float[Array, " limit"]
    """Beyond the range [N·m·s/rad, N·s/m]."""
    limit_transition: Float[Array, " limit"]
    """Way beyond an end until the stiffness is whole [rad, m]."""
    spring_stiffness: Float[Array, " spring"]
    """[N·m/rad, N/m]."""
    spring_rest: Float[Array, " spring"]
    """[rad, m]."""
    spring_damping: Float[Array, " spring"]
    """[N·m·s/rad, N·s/m]."""
    exponential_gain: Float[Array, " exponential"]
    """[N·m, N]."""
    exponential_rate: Float[Array, " exponential"]
    """[1/rad, 1/m]."""
    exponential_offset: Float[Array, " exponential"]
    """[rad, m]."""

    limit_coordinate: tuple[int, ...] = eqx.field(static=True)
    spring_coordinate: tuple[int, ...] = eqx.field(static=True)
    exponential_coordinate: tuple[int, ...] = eqx.field(static=True)


def compile_passive(forces: tuple[PassiveForce, ...], coordinate_names: list[str]) -> PassiveElements:
    """Compile what acts along coordinates. Raises ModelError for an unknown coordinate or a stop without a transition."""
    for force in forces:
        if force.coordinate not in coordinate_names:
            raise ModelError(f"force {force.name} acts on coordinate {force.coordinate!r}, which the model does not have")
        if isinstance(force, CoordinateLimit) and not force.transition > 0.0:
            raise ModelError(f"force {force.name}: its transition is {force.transition:g}; it must be positive")
    index = {name: i for i, name in enumerate(coordinate_names)}
    applied = [f for f in forces if f.applied]
    limits = [f for f in applied if isinstance(f, CoordinateLimit)]
    springs = [_spring(f) for f in applied if isinstance(f, CoordinateSpring | CoordinateExponential)]
    springs = [s for s in springs if s.stiffness or s.damping]
    exponentials = [(f.coordinate, *e) for f in applied if isinstance(f, CoordinateExponential) for e in f.exponentials]
    return PassiveElements(
        limit=jnp.array([(f.lower, f.upper) for f in limits], float).reshape(-1, 2),
        limit_stiffness=jnp.array([(f.lower_stiffness, f.upper_stiffness) for f in limits], float).reshape(-1, 2),
        limit_damping=jnp.array([f.damping for f in limits], float),
        limit_transition=jnp.array([f.transition for f in limits], float),
        spring_stiffness=jnp.array([f.stiffness for f in springs], float),
        spring_rest=jnp.array([f.rest for f in springs], float),
        spring_damping=jnp.array([f.damping for f in springs], float),
        exponential_gain=jnp.array([gain for _, gain, _, _ in exponentials], float),
        exponential_rate=jnp.array([rate for _, _, rate, _ in exponentials], float),
        exponential_offset=jnp.array([offset for _, _, _, offset in exponentials], float),
        limit_coordinate=tuple(index[f.coordinate] for f in limits),
        spring_coordinate=tuple(index[f.coordinate] for f in springs),
        exponential_coordinate=tuple(index[name] for name, _, _, _ in exponentials),
    )


def _spring(force: CoordinateSpring | CoordinateExponential) -> CoordinateSpring:
    """The straight part of a force."""
    if isinstance(force, CoordinateSpring):
        return force
    return CoordinateSpring(force.name, force.coordinate, force.stiffness, 0.0, force.damping)
