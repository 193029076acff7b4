"""The compiled body: arrays and names, ready for the physics. An Equinox module, so it can be differentiated, scaled and batched."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from monomsk.model import functions
from monomsk.model.functions import PiecewisePolynomials
from monomsk.model.one_program import as_one_program
from monomsk.model.passive import PassiveElements


class Model(eqx.Module):
    """Bodies in order of their depth in the tree; one joint a body; six slots a joint (three rotations, three translations)."""

    mass: Float[Array, " body"]
    mass_center: Float[Array, "body 3"]
    inertia: Float[Array, "body 3 3"]
    """About the mass centre, body axes [kg·m²]."""
    R_parent_joint: Float[Array, "body 3 3"]
    """Orientation of the joint's fixed frame in the parent body."""
    p_parent_joint: Float[Array, "body 3"]
    R_child_joint: Float[Array, "body 3 3"]
    """Orientation of the joint's moving frame in the child body."""
    p_child_joint: Float[Array, "body 3"]
    axis: Float[Array, "body 6 3"]
    slope: Float[Array, "body 6"]
    intercept: Float[Array, "body 6"]
    gain: Float[Array, "body 6"]
    """Multiplies slope, intercept and curve; scaling changes it."""
    radii: Float[Array, "ellipsoid 3"]
    """Half axes of the ellipsoids that some joints slide on, in the joints' fixed frames [m]."""
    curves: PiecewisePolynomials
    """Functions of the slots that are neither constant nor linear."""
    coupler_curves: PiecewisePolynomials
    ancestor: Float[Array, "body body"]
    """1 where the second body is the first or one of its ancestors."""
    slot_to_coordinate: Float[Array, "slot nq"]
    """1 where a slot (body × 6) follows a coordinate."""
    coordinate_range: Float[Array, "nq 2"]
    coordinate_default: Float[Array, " nq"]
    gravity: Float[Array, "3"]
    marker_location: Float[Array, "marker 3"]
    contact_location: Float[Array, "contact 3"]
    contact_radius: Float[Array, " contact"]
    contact_stiffness: Float[Array, " contact"]
    """Plane-strain modulus of a sphere and the ground [N/m²]."""
    contact_dissipation: Float[Array, " contact"]
    """[s/m]."""
    contact_friction: Float[Array, "contact 3"]
    """Static, dynamic [-] and viscous [s/m] coefficient."""
    contact_transition_velocity: Float[Array, " contact"]
    """Slip speed at which friction is full [m/s]."""
    passive: PassiveElements
    """Springs, stops and soft tissue along coordinates."""

    body_names: tuple[str, ...] = eqx.field(static=True)
    joint_names: tuple[str, ...] = eqx.field(static=True)
    ellipsoid: tuple[int, ...] = eqx.field(static=True)
    """Bodies whose joint is an EllipsoidJoint."""
    simbody_driver: tuple[tuple[int, ...], ...] = eqx.field(static=True)
    """Which of its joint's coordinates, as Simbody numbers them, turns each of the three axes: only its error depends on it."""
    coordinate_names: tuple[str, ...] = eqx.field(static=True)
    marker_names: tuple[str, ...] = eqx.field(static=True)
    contact_names: tuple[str, ...] = eqx.field(static=True)
    parent: tuple[int, ...] = eqx.field(static=True)
    """Index of the parent body; −1 is the ground."""
    levels: tuple[tuple[int, int], ...] = eqx.field(static=True)
    """First and last-but-one body of every depth."""
    slot_coordinate: tuple[int, ...] = eqx.field(static=True)
    """Coordinate of every slot; −1 for none."""
    curve_slot: tuple[int, ...] = eqx.field(static=True)
    scaled_slot: tuple[int, ...] = eqx.field(static=True)
    """Translation slots whose gain follows the parent's scale: all but plain sliding coordinates."""
    coordinate_body: tuple[int, ...] = eqx.field(static=True)
    rotational: tuple[bool, ...] = eqx.field(static=True)
    locked: tuple[bool, ...] = eqx.field(static=True)
    dependent: tuple[int, ...] = eqx.field(static=True)
    """Coordinates that a coupler determines."""
    independent: tuple[int, ...] = eqx.field(static=True)
    """The coordinate that determines each of them."""
    marker_body: tuple[int, ...] = eqx.field(static=True)
    contact_body: tuple[int, ...] = eqx.field(static=True)

    @property
    def nq(self) -> int:
        """Number of coordinates."""
        return len(self.coordinate_names)

    @property
    def root(self) -> tuple[int, ...]:
        """Coordinates of the joint between ground and the first body."""
        return tuple(i for i, b in enumerate(self.coordinate_body) if self.parent[b] == -1)

    @property
    def free(self) -> tuple[int, ...]:
        """Coordinates that are neither locked nor determined by another one."""
        return tuple(i for i in range(self.nq) if not self.locked[i] and i not in self.dependent)

    def coordinate(self, name: str) -> int:
        """Index of a coordinate. Raises ValueError for an unknown name."""
        return self.coordinate_names.index(name)

    def body(self, name: str) -> int:
        """Index of a body. Raises ValueError for an unknown name."""
        return self.body_names.index(name)


@as_one_program
def complete(model: Model, q: Float[Array, " nq"]) -> Float[Array, " nq"]:
    """The coordinates with the coupled ones (patella) set from those that determine them."""
    if not model.dependent:
        return q
    value, _, _ = functions.evaluate(model.coupler_curves, q[jnp.array(model.independent)])
    return q.at[jnp.array(model.dependent)].set(value)


@as_one_program
def complete_rates(
    model: Model, q: Float[Array, " nq"], qd: Float[Array, " nq"], qdd: Float[Array, " nq"]
) -> tuple[Float[Array, " nq"], Float[Array, " nq"], Float[Array, " nq"]]:
    """Coordinates, speeds and accelerations with the coupled ones set. Equals `complete` and its time derivatives."""
    if not model.dependent:
        return q, qd, qdd
    source, target = jnp.array(model.independent), jnp.array(model.dependent)
    value, first, second = functions.evaluate(model.coupler_curves, q[source])
    qdd_target = first * qdd[source] + second * qd[source] ** 2
    return q.at[target].set(value), qd.at[target].set(first * qd[source]), qdd.at[target].set(qdd_target)
