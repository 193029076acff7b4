"""Muscle paths by a compiled kernel: the function of the same name in `muscle_path`, many times as fast and with nothing to compile.

The kernel knows points and cylinders; rows over other surfaces are laid in JAX beside it. Derivatives are those of the
function in JAX, whatever they are taken by and however often. Where there is no kernel that function serves alone.
"""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, PyTree

from monomsk import native
from monomsk.model.model import Model
from monomsk.model.muscles import SURFACES, Muscles, Wraps
from monomsk.physics import muscle_path
from monomsk.physics.forward_kinematics import Poses
from monomsk.physics.jacobian import coordinate_twists
from monomsk.physics.muscle_path import Group, Laid, Paths, groups

KNOWN = (SURFACES.index("WrapCylinder"),)
"""Surfaces that the kernel knows."""


def muscle_paths(model: Model, muscles: Muscles, poses: Poses, q: Float[Array, " nq"]) -> Paths:
    """Lengths and moment arms of all muscles. Equals `muscle_path.muscle_paths`."""
    if not native.available() or not any(map(_is_known, groups(muscles))):
        return muscle_path.muscle_paths(model, muscles, poses, q)
    return _muscle_paths((model, muscles, poses, q))


@eqx.filter_custom_jvp
def _muscle_paths(given: tuple[Model, Muscles, Poses, Float[Array, " nq"]]) -> Paths:
    model, muscles, poses, q = given
    known = [group for group in groups(muscles) if _is_known(group)]
    rest = [group for group in groups(muscles) if not _is_known(group)]
    laid = _lay(model, muscles, poses, q, known)
    if rest:
        other = muscle_path.lay(model, muscles, poses, q, rest)
        laid = Laid(*(jnp.concatenate(parts) for parts in zip(laid, other, strict=True)))
    return muscle_path.by_muscle(muscles, laid, _rows([*known, *rest]), q)


@_muscle_paths.def_jvp
def _derivative(primals: PyTree, tangents: PyTree) -> tuple[Paths, PyTree]:
    return eqx.filter_jvp(lambda given: muscle_path.muscle_paths(*given), primals, tangents)


def _is_known(group: Group) -> bool:
    return group[2] is None or group[2].kinds == KNOWN


def _rows(which: list[Group]) -> list[int]:
    return [row for low, high, _ in which for row in range(low, high)]


def _lay(model: Model, muscles: Muscles, poses: Poses, q: Float[Array, " nq"], which: list[Group]) -> Laid:
    """The groups' rows by the kernel; what it takes is described in native/paths.h."""
    location, rate = muscle_path.locations(muscles, q)
    points = (location, muscles.body, muscles.coordinate, muscles.lower, muscles.upper)
    moving = muscles.moving
    curve = jnp.stack([moving.row, moving.point, moving.axis, moving.coordinate], -1)
    surfaces = [_surfaces(wraps) for _, _, wraps in which if wraps is not None]
    surface = jnp.concatenate(surfaces) if surfaces else jnp.zeros((0, 21), q.dtype)
    moves = model.ancestor[:, jnp.array(model.coordinate_body)]
    twist = coordinate_twists(model, poses, poses.p[0])
    first_wrap = [0]
    for low, high, wraps in which:
        first_wrap += [first_wrap[-1] + (0 if wraps is None else wraps.radius.shape[1]) * (i + 1) for i in range(high - low)]
    numbers = (*points, curve, surface, moves, poses.R, poses.p, twist, q, rate)
    kind = jnp.result_type(location, poses.R, q)
    length, work, inside_of, count = native.call_paths(
        _rows(which), first_wrap, [jnp.asarray(a, kind) for a in numbers], as_opensim=muscles.opensim_compat
    )
    return Laid(length, work, inside_of.astype(int), count.astype(int))


def _surfaces(wraps: Wraps) -> Float[Array, "wrap number"]:
    columns = [wraps.body[..., None], wraps.R.reshape(*wraps.radius.shape, 9), wraps.p, wraps.radius[..., None]]
    columns += [wraps.half_length[..., None], wraps.side, *(a[..., None] for a in (wraps.first, wraps.last, wraps.surface))]
    return jnp.concatenate([c.astype(wraps.radius.dtype) for c in columns], -1).reshape(-1, 21)
