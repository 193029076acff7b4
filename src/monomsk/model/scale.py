"""Bodies of other sizes: lengths per body and axis, then masses, inertias and paths of muscles that follow."""

import dataclasses

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from monomsk.errors import ModelError
from monomsk.model.model import Model
from monomsk.model.muscles import SURFACES, Moving, Muscles, Wraps
from monomsk.model.one_program import as_one_program


def scale_model(model: Model, factors: Float[Array, "body 3"], mass: Float[Array, ""] | float) -> Model:
    """The model with every body stretched by its three factors along its own axes, and a total mass [kg].

    Joint frames move with the body that carries them and keep their orientation; translations that a joint's functions
    prescribe follow the parent, and so do the radii of EllipsoidJoints, as in OpenSim's ScaleTool. Each body's mass follows
    its volume, then all are brought to the total. Inertias are those of the stretched mass distribution.
    """
    return _scaled(model, factors, jnp.asarray(mass, factors.dtype) if isinstance(mass, float | int) else mass)


@as_one_program
def _scaled(model: Model, factors: Float[Array, "body 3"], mass: Float[Array, ""]) -> Model:
    ground = jnp.ones((1, 3), factors.dtype)
    parent = jnp.concatenate([ground, factors])[jnp.array(model.parent) + 1]
    share = model.mass * jnp.prod(factors, -1)
    new_mass = share * (mass / share.sum())
    return eqx.tree_at(
        lambda m: (
            *(m.mass, m.mass_center, m.inertia, m.p_parent_joint, m.p_child_joint, m.gain),
            *(m.radii, m.marker_location, m.contact_location, m.contact_radius),
        ),
        model,
        (
            new_mass,
            model.mass_center * factors,
            _stretched_inertia(model.inertia, factors) * (new_mass / model.mass)[:, None, None],
            model.p_parent_joint * parent,
            model.p_child_joint * factors,
            _slot_gains(model, parent),
            model.radii * parent[jnp.array(model.ellipsoid, int)],
            model.marker_location * _of(factors, model.marker_body),
            model.contact_location * _of(factors, model.contact_body),
            model.contact_radius * jnp.prod(_of(factors, model.contact_body), -1) ** (1.0 / 3.0),
        ),
    )


def scale_muscles(muscles: Muscles, factors: Float[Array, "body 3"]) -> Muscles:
    """The muscles on the stretched body: path points, moving ones too, and wrapped surfaces follow the bodies that carry them.

    Fibre and tendon lengths and strengths stay as they are, because they follow from path lengths and mass. Equals
    `compile_muscles` of `edit.with_numbers` with the same factors. Raises ModelError for paths that are polynomials: they have
    no points that could follow.
    """
    if muscles.polynomials.count:
        raise ModelError("muscle paths that are polynomials cannot follow a stretched body; stretch the one with points and fit anew")
    stretch = jnp.concatenate([factors, jnp.ones((1, 3), factors.dtype)])
    return eqx.tree_at(
        lambda m: (m.location, m.moving, m.wraps),
        muscles,
        (
            muscles.location * stretch[muscles.body],
            _stretched_moving(muscles.moving, muscles, stretch),
            tuple(_stretched_wraps(wraps, stretch) for wraps in muscles.wraps),
        ),
    )


def _stretched_moving(moving: Moving, muscles: Muscles, stretch: Float[Array, "body 3"]) -> Moving:
    factor = stretch[muscles.body[moving.row, moving.point], moving.axis]
    return eqx.tree_at(lambda m: m.curve.coefficients, moving, moving.curve.coefficients * factor[:, None, None])


def _stretched_wraps(wraps: Wraps, stretch: Float[Array, "body 3"]) -> Wraps:
    """Place and sizes; see `wrap_factors`."""
    own = stretch[wraps.body]
    along, across, mean = wrap_factors(wraps.R, own)
    names = [SURFACES.index(f"Wrap{name}") for name in ("Sphere", "Ellipsoid", "Torus")]
    sphere, ellipsoid, torus = (wraps.kind == name for name in names)
    radius = wraps.radius * jnp.where(ellipsoid, 1.0, jnp.where(sphere, mean, across))
    radii = jnp.where(ellipsoid[..., None], along, jnp.where(torus, across, 1.0)[..., None])
    half_length = wraps.half_length * jnp.where(sphere | ellipsoid | torus, 1.0, along[..., 2])
    sizes = (wraps.p * own, radius, half_length, wraps.radii * radii)
    return eqx.tree_at(lambda w: (w.p, w.radius, w.half_length, w.radii), wraps, sizes)


def wrap_factors(
    R: Float[Array, "*wrap 3 3"], stretch: Float[Array, "*wrap 3"]
) -> tuple[Float[Array, "*wrap 3"], Float[Array, "*wrap"], Float[Array, "*wrap"]]:
    """What the sizes of a wrap surface follow when its body is stretched, as in OpenSim's ScaleTool; `R` turns the surface in the body.

    Factors along the surface's axes, for the radii of ellipsoids and the length of cylinders; the mean of those along x and y,
    for the radii of cylinders and tori; the mean of the body's three, for spheres.
    """
    along = jnp.linalg.norm(R * stretch[..., :, None], axis=-2)
    return along, 0.5 * (along[..., 0] + along[..., 1]), jnp.mean(stretch, -1)


def _of(factors: Float[Array, "body 3"], body: tuple[int, ...]) -> Float[Array, "n 3"]:
    return factors[jnp.array(body, int)]


def _stretched_inertia(inertia: Float[Array, "body 3 3"], factors: Float[Array, "body 3"]) -> Float[Array, "body 3 3"]:
    """Inertia after the stretch x → S x at unchanged mass: through the second moments of mass, which transform as S · S."""
    eye = jnp.eye(3, dtype=inertia.dtype)
    second = 0.5 * jnp.trace(inertia, axis1=-2, axis2=-1)[:, None, None] * eye - inertia
    second = second * factors[:, :, None] * factors[:, None, :]
    return jnp.trace(second, axis1=-2, axis2=-1)[:, None, None] * eye - second


def _slot_gains(model: Model, parent: Float[Array, "body 3"]) -> Float[Array, "body 6"]:
    """Gains of prescribed translations times the parent's stretch along the axis, given in the joint's fixed frame."""
    along = jnp.linalg.norm(model.axis * parent[:, None], axis=-1)
    follows = jnp.array([float(i in model.scaled_slot) for i in range(model.gain.size)]).reshape(model.gain.shape)
    return model.gain * jnp.where(follows > 0, along, 1.0)


@dataclasses.dataclass(frozen=True)
class Segments:
    """Few numbers that stretch a body: each row of `columns` names a length and the (body, axis) pairs it stretches."""

    names: tuple[str, ...]
    columns: tuple[tuple[tuple[int, int], ...], ...]

    def factors(self, model: Model, log_scale: Float[Array, " segment"]) -> Float[Array, "body 3"]:
        """Factors of all bodies from the logarithms of the segments' scales; bodies without a segment keep 1."""
        pattern = [[0.0] * (3 * len(model.body_names)) for _ in self.columns]
        for row, pairs in zip(pattern, self.columns, strict=True):
            for body, axis in pairs:
                row[3 * body + axis] = 1.0
        return jnp.exp(log_scale @ jnp.array(pattern, log_scale.dtype)).reshape(-1, 3)
