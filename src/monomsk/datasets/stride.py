"""One stride as Fourier series of the coordinates, and the ground forces it needs: pure functions of a phase.

The phase counts strides: the right heel strikes the ground at every whole number, the left one half a stride later.
Left and right do the same, half a stride apart, so `hip_flexion` stands for both sides.
"""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from monomsk.model.model import Model, complete_rates
from monomsk.model.sides import plain
from monomsk.physics.center_of_mass import center_of_mass
from monomsk.physics.forward_kinematics import Poses, forward_kinematics, points_on_bodies
from monomsk.physics.inverse_dynamics import net_wrenches
from monomsk.spatial import motion, rotation

DOUBLE_SUPPORT = 0.11
"""Share of the stride during which the load moves from one foot to the other (Perry 1992: about 10 %)."""
STANCE = 0.5 + DOUBLE_SUPPORT
Rates = tuple[Float[Array, " nq"], Float[Array, " nq"], Float[Array, " nq"]]
FEET = (("calcn_r", "toes_r"), ("calcn_l", "toes_l"))


class Stride(eqx.Module):
    """A walk that repeats itself."""

    coefficients: Float[Array, "curve term"]
    """Mean, then cosine and sine of every harmonic [rad, m]; of pelvis_tx what is left when the steady walk is taken away."""
    duration: Float[Array, ""]
    """[s]"""
    length: Float[Array, ""]
    """[m]"""
    names: tuple[str, ...] = eqx.field(static=True)
    """Coordinates, without the side at the end."""


class FootLoads(eqx.Module):
    """What the ground does to the right and the left foot, ground frame."""

    share: Float[Array, "2"]
    """Share of the load, 0 to 1."""
    force: Float[Array, "2 3"]
    cop: Float[Array, "2 3"]
    moment: Float[Array, "2 3"]
    """Free moment about the centre of pressure; vertical."""


def coordinates(model: Model, stride: Stride, phase: Float[Array, ""]) -> Rates:
    """Coordinates, speeds and accelerations [rad, m, s] at a phase; coordinates without a curve keep their default."""
    rows, shifts, known = _curves(model, stride.names)
    harmonic = jnp.arange(1, (stride.coefficients.shape[1] - 1) // 2 + 1)
    rate = 2.0 * jnp.pi * harmonic
    angle = rate * (phase + shifts)[:, None]
    c = stride.coefficients[rows]
    cosine, sine = c[:, 1::2], c[:, 2::2]
    q = c[:, 0] + jnp.sum(cosine * jnp.cos(angle) + sine * jnp.sin(angle), -1)
    qd = jnp.sum(rate * (sine * jnp.cos(angle) - cosine * jnp.sin(angle)), -1) / stride.duration
    qdd = -jnp.sum(rate**2 * (cosine * jnp.cos(angle) + sine * jnp.sin(angle)), -1) / stride.duration**2
    forward = jnp.eye(model.nq)[model.coordinate("pelvis_tx")]
    q = jnp.where(known, q, model.coordinate_default) + forward * stride.length * phase
    qd = known * qd + forward * stride.length / stride.duration
    return complete_rates(model, q, qd, known * qdd)


def _curves(model: Model, names: tuple[str, ...]) -> tuple[Float[Array, " nq"], ...]:
    """Row of the curve, shift of the phase, and whether there is a curve, for every coordinate."""
    rows, shifts, known = [], [], []
    for name in model.coordinate_names:
        joint = plain(name)
        known.append(joint in names)
        rows.append(names.index(joint) if joint in names else 0)
        shifts.append(0.5 if name.endswith("_l") else 0.0)
    return jnp.array(rows), jnp.array(shifts), jnp.array(known)


def load_share(phase: Float[Array, ""]) -> Float[Array, "2"]:
    """Shares of the right and the left foot, which add up to one; they and their first two derivatives have no jumps."""
    since = jnp.mod(phase + jnp.array([0.0, 0.5]), 1.0)
    rise, fall = since / DOUBLE_SUPPORT, (STANCE - since) / DOUBLE_SUPPORT
    x = jnp.clip(jnp.minimum(rise, fall), 0.0, 1.0)
    return x**3 * (10.0 - 15.0 * x + 6.0 * x**2)


def soles(model: Model, poses: Poses) -> Float[Array, "contact 3"]:
    """Lowest point of every contact sphere [m]."""
    centers = points_on_bodies(poses, model.contact_body, model.contact_location)
    return centers - model.contact_radius[:, None] * jnp.array([0.0, 1.0, 0.0])


def contacts_on(model: Model, body: str) -> tuple[int, ...]:
    """Contact spheres of a body, from back to front. Call with a concrete model, outside of traced code."""
    at = [i for i, b in enumerate(model.contact_body) if model.body_names[b] == body]
    return tuple(sorted(at, key=lambda i: float(model.contact_location[i, 0])))


def marks_of_footprint(model: Model) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Contact spheres of the right foot that stand for its back and its front: heel and toes."""
    heel, toes = FEET[0]
    return contacts_on(model, heel)[:1], contacts_on(model, toes)


def footprint(model: Model, stride: Stride, marks: tuple[tuple[int, ...], ...]) -> Float[Array, "2 3"]:
    """Where the right foot of stride 0 stands: ground below the heel and below the toes, from the pose at foot flat."""
    q, _, _ = coordinates(model, stride, jnp.array(0.25))
    sole = soles(model, forward_kinematics(model, q))
    points = jnp.stack([sole[jnp.array(mark)].mean(0) for mark in marks])
    return points * jnp.array([1.0, 0.0, 1.0])


def pressure_path(stride: Stride, print_: Float[Array, "2 3"], phase: Float[Array, ""]) -> Float[Array, "2 3"]:
    """Where each foot would like its centre of pressure: from heel to toes while it stands, to the next heel while it swings."""
    shift = jnp.array([0.0, 0.5])
    since = jnp.mod(phase + shift, 1.0)
    start = phase + shift - since
    x = jnp.clip(since / STANCE, 0.0, 1.0)
    along = 0.03 + 1.5 * x - 1.6 * x**2 + 1.07 * x**3
    swing = jnp.clip((since - STANCE) / (1.0 - STANCE), 0.0, 1.0)
    swing = swing**3 * (10.0 - 15.0 * swing + 6.0 * swing**2)
    mirror = jnp.array([[1.0, 1.0, 1.0], [1.0, 1.0, -1.0]])
    heel, toe = (print_[i] * mirror for i in (0, 1))
    forward = jnp.array([1.0, 0.0, 0.0]) * stride.length
    # The left foot of stride 0 stands half a stride before the right one.
    origin = forward * (start - shift)[:, None]
    stand = heel + (toe - heel) * along[:, None]
    path = stand + (heel + (toe - heel) * 0.03 + forward - stand) * swing[:, None]
    return origin + path


def foot_loads(model: Model, stride: Stride, print_: Float[Array, "2 3"], phase: Float[Array, ""], rates: Rates) -> FootLoads:
    """Split the wrench that the motion needs between the feet; the parts add up to it exactly.

    The force goes by `load_share`, each foot's part leaning towards the centre of mass; the moment that is then missing is
    supplied by the smallest weighted sum of centre of pressure shifts, free moments and force exchanged between the feet,
    each weighted so that an unloaded foot gives nothing.
    """
    poses = forward_kinematics(model, rates[0])
    total = net_wrenches(model, poses, rates[1], rates[2]).sum(0)
    wrench = motion.wrench_at(total[3:], total[:3], poses.p[0])
    share = load_share(phase)
    path = pressure_path(stride, print_, phase)
    lean = share[0] * share[1] * wrench[4] * (path[1] - path[0]) / center_of_mass(model, poses)[1]
    force = share[:, None] * wrench[3:] + jnp.stack([lean, -lean])
    missing = wrench[:3] - jnp.cross(path, force).sum(0)
    weight = model.mass.sum() * jnp.linalg.norm(model.gravity)
    spread = weight * jnp.array([0.01, 0.004, 0.01])
    own = share[:, None] * spread
    trade = weight * share[0] * share[1] * jnp.array([0.1, 0.6, 0.1])
    exchange = rotation.skew(path[0] - path[1]) * trade
    pull = jnp.linalg.solve(jnp.diag((own**2).sum(0)) + exchange @ exchange.T, missing)
    moment = own**2 * pull
    swap = trade * (exchange.T @ pull)
    force = force + jnp.stack([swap, -swap])
    vertical = jnp.where(share > 0.0, force[:, 1], 1.0)
    zero = jnp.zeros(2)
    shift = jnp.stack([moment[:, 2] / vertical, zero, -moment[:, 0] / vertical], -1)
    free = moment[:, 1] - jnp.cross(shift, force)[:, 1]
    return FootLoads(share, force, path + shift, jnp.stack([zero, free, zero], -1))


def external_forces(model: Model, loads: FootLoads) -> Float[Array, "body 6"]:
    """The loads as moments about the ground origin and forces on the heel bones, for `inverse_dynamics`."""
    heels = jnp.array([model.body(heel) for heel, _ in FEET])
    wrench = motion.wrench_at(loads.force, loads.moment, loads.cop)
    return jnp.zeros((len(model.body_names), 6)).at[heels].set(wrench)
