"""A segment over whatever surface its path wraps: only the surfaces that occur in a group of paths are computed."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from monomsk.model.muscles import SURFACES, Wraps
from monomsk.physics import wrap_cylinder, wrap_ellipsoid, wrap_sphere, wrap_torus
from monomsk.physics.bend import Bend, Point
from monomsk.physics.wrap_cylinder import Cylinder
from monomsk.physics.wrap_ellipsoid import Ellipsoid
from monomsk.physics.wrap_sphere import Sphere
from monomsk.physics.wrap_torus import Torus


def table(wraps: Wraps) -> Float[Array, "row wrap number"]:
    """The numbers of all surfaces as `wrap_segment` takes them. Groups of nothing but cylinders have fewer."""
    columns = [wraps.side, wraps.radius[..., None], wraps.half_length[..., None]]
    if wraps.kinds != (0,):
        columns += [wraps.radii, *(v[..., None].astype(wraps.radii.dtype) for v in (wraps.kind, wraps.method))]
    return jnp.concatenate(columns, -1)


def wrap_segment(
    p1: Float[Array, "row slot 3"],
    p2: Float[Array, "row slot 3"],
    surface: Float[Array, "row one number"],
    kinds: tuple[int, ...],
    *,
    lone: bool,
    compat: bool,
) -> Bend:
    """Bend segments, given in the frame of the surface of their row [m], around it; `lone` where a path has no other wrap."""
    ends: tuple[Point, Point] = (p1[..., 0], p1[..., 1], p1[..., 2]), (p2[..., 0], p2[..., 1], p2[..., 2])
    number = [surface[..., i] for i in range(surface.shape[-1])]
    side, radius = (number[0], number[1], number[2]), number[3]
    slides = compat and not lone
    bends: list[Bend] = []
    for kind in kinds:
        name = SURFACES[kind]
        if name == "WrapCylinder":
            cylinder = Cylinder(radius, number[4], side, jnp.array(not (compat and lone)), compat, slides)
            bends.append(wrap_cylinder.wrap_segment(*ends, cylinder))
        elif name == "WrapSphere":
            bends.append(wrap_sphere.wrap_segment(*ends, Sphere(radius, side, jnp.array(compat))))
        elif name == "WrapEllipsoid":
            bends.append(wrap_ellipsoid.wrap_segment(*ends, Ellipsoid((number[5], number[6], number[7]), side, number[9])))
        else:
            bends.append(wrap_torus.wrap_segment(*ends, Torus(radius, number[5], side, jnp.array(not lone), compat, slides)))
    result = bends[0]
    for kind, bend in zip(kinds[1:], bends[1:], strict=True):
        own = number[8] == kind
        result = jax.tree.map(lambda new, old, own=own: jnp.where(own, new, old), bend, result)
    return result
