"""Numbers of a compiled body back into what an .osim says."""

from dataclasses import replace

import jax.numpy as jnp
from jaxtyping import Array, Float

from monomsk.errors import ModelError
from monomsk.model.model import Model
from monomsk.model.scale import wrap_factors
from monomsk.model.spec import Axis, Body, ContactSphere, Joint, ModelSpec, Muscle, PolynomialPath, Vec3, Wrap
from monomsk.spatial import rotation


def with_numbers(spec: ModelSpec, model: Model, factors: Float[Array, "body 3"]) -> ModelSpec:
    """The spec with the numbers of `model`, a scaled compilation of it; muscle paths and meshes follow the stretches `factors`.

    Fibre and tendon lengths stay as they are: they follow from path lengths, which are physics. Raises ModelError for stretches
    of a body with muscle paths that are polynomials.
    """
    stretch = {name: _vector(factors[i]) for i, name in enumerate(model.body_names)}
    return replace(
        spec,
        bodies=tuple(_body(body, model, stretch[body.name]) for body in spec.bodies),
        joints=tuple(_joint(joint, model) for joint in spec.joints),
        markers=tuple(replace(m, location=_times(m.location, stretch[m.body])) for m in spec.markers),
        wraps=tuple(_wrap(w, stretch.get(w.body, (1.0, 1.0, 1.0))) for w in spec.wraps),
        muscles=tuple(_muscle(m, stretch) for m in spec.muscles),
        contacts=tuple(
            replace(c, location=_vector(model.contact_location[i]), radius=float(model.contact_radius[i]))
            for i, c in enumerate(spec.contacts)
        ),
    )


def _vector(v: Float[Array, "3"]) -> Vec3:
    return float(v[0]), float(v[1]), float(v[2])


def _times(v: Vec3, s: Vec3) -> Vec3:
    return v[0] * s[0], v[1] * s[1], v[2] * s[2]


def _body(body: Body, model: Model, stretch: Vec3) -> Body:
    i = model.body(body.name)
    inertia = model.inertia[i]
    moments = tuple(float(inertia[r, c]) for r, c in ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2)))
    return replace(
        body,
        mass=float(model.mass[i]),
        mass_center=_vector(model.mass_center[i]),
        inertia=(moments[0], moments[1], moments[2], moments[3], moments[4], moments[5]),
        meshes=tuple((name, _times(size, stretch)) for name, size in body.meshes),
    )


def _joint(joint: Joint, model: Model) -> Joint:
    i = model.body(joint.child)

    def gained(axis: Axis, slot: int) -> Axis:
        gain = float(model.gain[i, slot])
        return axis if gain == axis.gain else replace(axis, gain=gain)

    a, b, c = joint.translations
    return replace(
        joint,
        parent_frame=replace(joint.parent_frame, translation=_vector(model.p_parent_joint[i])),
        child_frame=replace(joint.child_frame, translation=_vector(model.p_child_joint[i])),
        translations=(gained(a, 3), gained(b, 4), gained(c, 5)),
        radii=_vector(model.radii[model.ellipsoid.index(i)]) if i in model.ellipsoid else joint.radii,
    )


def _wrap(wrap: Wrap, stretch: Vec3) -> Wrap:
    """Place and sizes; see `scale.wrap_factors`."""
    factors = wrap_factors(rotation.from_xyz(jnp.array(wrap.rotation)), jnp.array(stretch))
    along, (across, mean) = _vector(factors[0]), (float(f) for f in factors[1:])
    gains = {"WrapCylinder": (across, along[2]), "WrapSphere": (mean,), "WrapEllipsoid": along, "WrapTorus": (across, across)}
    sizes = tuple(gain * size for gain, size in zip(gains[wrap.kind], wrap.dimensions, strict=True))
    return replace(wrap, translation=_times(wrap.translation, stretch), dimensions=sizes)


def _muscle(muscle: Muscle, stretch: dict[str, Vec3]) -> Muscle:
    """Path points follow their bodies; a moving point's functions are multiplied."""
    one = (1.0, 1.0, 1.0)
    if muscle.polynomial is not None and any(factors != one for factors in stretch.values()):
        raise ModelError(
            f"the path of muscle {muscle.name} is a polynomial and cannot follow a stretched body: scale the model with path points "
            "and fit anew (`monomsk paths`)"
        )
    points = []
    for p in muscle.points:
        s = stretch.get(p.body, one)
        moving = p.moving
        if moving is not None:
            x, y, z = (replace(axis, gain=axis.gain * k) for axis, k in zip(moving, s, strict=True))
            moving = (x, y, z)
        points.append(replace(p, location=_times(p.location, s), moving=moving))
    return replace(muscle, points=tuple(points))


def with_paths(spec: ModelSpec, paths: dict[str, PolynomialPath]) -> ModelSpec:
    """The body with polynomials in place of the paths of the muscles named. Raises ModelError for an unknown name."""
    unknown = paths.keys() - {m.name for m in spec.muscles}
    if unknown:
        raise ModelError(f"model {spec.name} has no muscle {min(unknown)!r} to give a path to")
    muscles = (replace(m, points=(), wraps=(), polynomial=paths[m.name]) if m.name in paths else m for m in spec.muscles)
    return replace(spec, muscles=tuple(muscles))


def with_contacts_of(spec: ModelSpec, donor: ModelSpec) -> ModelSpec:
    """The spec, given the donor's contact spheres on bodies of the same names, in the size of its own feet, when it has none.

    The size of a foot is the distance from its heel body's origin to its toe joint. A foot without a toe body carries the
    donor's toe spheres on its heel body. Raises ModelError when it has no body of the name of the donor's heel.
    """
    if spec.contacts:
        return spec
    return replace(spec, contacts=tuple(_moved(sphere, spec, donor) for sphere in donor.contacts))


def _moved(sphere: ContactSphere, spec: ModelSpec, donor: ModelSpec) -> ContactSphere:
    toe_joints = {j.child: j for j in donor.joints if j.parent in {c.body for c in donor.contacts}}
    side = sphere.body[-2:]
    toe = next(j for j in toe_joints.values() if j.child.endswith(side))
    there = toe.parent_frame.translation
    own = next((j.parent_frame.translation for j in spec.joints if j.child == toe.child and j.parent == toe.parent), None)
    if toe.parent not in {b.name for b in spec.bodies}:
        raise ModelError(f"model {spec.name} has no contact spheres and no body {toe.parent!r}: add contact spheres to its feet")
    size = own[0] / there[0] if own is not None else 1.0
    x, y, z = sphere.location
    if sphere.body == toe.child and own is None:
        return replace(sphere, body=toe.parent, location=(x + there[0], y + there[1], z + there[2]))
    return replace(sphere, location=(x * size, y * size, z * size), radius=sphere.radius * size)
