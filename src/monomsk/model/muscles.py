"""The muscles of a body as arrays: a table of paths, the surfaces they bend around, and the numbers of their curves."""

from typing import TypedDict

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from monomsk.errors import ModelError
from monomsk.model import functions
from monomsk.model.functions import PiecewisePolynomials
from monomsk.model.polynomials import PolynomialPaths, compile_polynomials
from monomsk.model.spec import Axis, ModelSpec, Muscle, PathPoint, PathWrap, Vec3, Wrap
from monomsk.spatial import rotation

KINDS = ("Millard2012EquilibriumMuscle", "Thelen2003Muscle", "DeGrooteFregly2016Muscle")
"""Muscle models that can be computed; `Muscles.kind` counts in this order."""

SURFACES = ("WrapCylinder", "WrapSphere", "WrapEllipsoid", "WrapTorus")
"""Surfaces that paths can bend around; `Wraps.kind` counts in this order."""
METHODS = ("hybrid", "midpoint", "axial")
"""How an ellipsoid's plane is found; `Wraps.method` counts in this order."""

# OpenSim 4.6's defaults, for what a file leaves out. Names are OpenSim's, with the curve's name in front.
_DEFAULTS: dict[str, float] = {
    "fiber_damping": 0.1,
    "minimum_activation": 0.01,
    "maximum_pennation_angle": 1.4706289056333368,
    "ActiveForceLengthCurve.min_norm_active_fiber_length": 0.4441,
    "ActiveForceLengthCurve.transition_norm_fiber_length": 0.73,
    "ActiveForceLengthCurve.max_norm_active_fiber_length": 1.8123,
    "ActiveForceLengthCurve.shallow_ascending_slope": 0.8616,
    "ForceVelocityCurve.concentric_slope_near_vmax": 0.25,
    "ForceVelocityCurve.isometric_slope": 5.0,
    "ForceVelocityCurve.eccentric_slope_near_vmax": 0.15,
    "ForceVelocityCurve.max_eccentric_velocity_force_multiplier": 1.4,
    "ForceVelocityCurve.concentric_curviness": 0.6,
    "ForceVelocityCurve.eccentric_curviness": 0.9,
    "FiberForceLengthCurve.strain_at_zero_force": 0.0,
    "FiberForceLengthCurve.strain_at_one_norm_force": 0.7,
    "FiberForceLengthCurve.stiffness_at_low_force": 0.2,
    "FiberForceLengthCurve.stiffness_at_one_norm_force": float("nan"),
    "FiberForceLengthCurve.curviness": 0.75,
    "TendonForceLengthCurve.strain_at_one_norm_force": 0.049,
    "TendonForceLengthCurve.stiffness_at_one_norm_force": float("nan"),
    "TendonForceLengthCurve.norm_force_at_toe_end": 2.0 / 3.0,
    "TendonForceLengthCurve.curviness": 0.5,
    "KshapeActive": 0.45,
    "KshapePassive": 5.0,
    "FmaxMuscleStrain": 0.6,
    "Af": 0.25,
    "Flen": 1.4,
    "active_force_width_scale": 1.0,
    "passive_fiber_strain_at_one_norm_force": 0.6,
    "FmaxTendonStrain": 0.04,
    "fv_linear_extrap_threshold": 0.95,
    "tendon_strain_at_one_norm_force": 0.049,
    "activation_time_constant": 0.01,
    "deactivation_time_constant": 0.04,
    "activation_dynamics_smoothing": 0.1,
}
_OF_KIND: dict[str, dict[str, float]] = {
    "Thelen2003Muscle": {"activation_time_constant": 0.015, "deactivation_time_constant": 0.05},
    "DeGrooteFregly2016Muscle": {
        "fiber_damping": 0.0,
        "minimum_activation": 0.0,
        "activation_time_constant": 0.015,
        "deactivation_time_constant": 0.06,
    },
}
"""Where a kind's default is another."""


# One program: of a plain call JAX compiles every product by itself.
_turned = jax.jit(rotation.from_xyz)


class Wraps(eqx.Module):
    """Surfaces that some rows of the path table bend around, the same number of them in every row."""

    body: Int[Array, "row wrap"]
    """Body that carries the surface; −1 is the ground."""
    R: Float[Array, "row wrap 3 3"]
    """Orientation of the surface in its body; a cylinder's or torus's axis is z."""
    p: Float[Array, "row wrap 3"]
    radius: Float[Array, "row wrap"]
    """Of the cylinder, the sphere, or the torus's tube (OpenSim's inner radius) [m]."""
    half_length: Float[Array, "row wrap"]
    """Of the cylinder [m]."""
    radii: Float[Array, "row wrap 3"]
    """Half axes of the ellipsoid; the torus's ring (OpenSim's outer radius) in all three [m]. 1 for other surfaces."""
    kind: Int[Array, "row wrap"]
    """Index in SURFACES."""
    method: Int[Array, "row wrap"]
    """Index in METHODS."""
    side: Float[Array, "row wrap 3"]
    """Direction, in the surface's frame, of the side that the path must pass (OpenSim's quadrant); zero for `all`."""
    first: Float[Array, "row wrap"]
    """First point, counted from 0, of the stretch of path that may wrap."""
    last: Float[Array, "row wrap"]
    surface: Float[Array, "row wrap"]
    """Number of the wrap object in the model, so that two uses of one object are known as such."""
    rows: tuple[int, int] = eqx.field(static=True)
    """First and last-but-one row."""
    points: int = eqx.field(static=True)
    """The most path points that any of these rows has."""
    kinds: tuple[int, ...] = eqx.field(static=True)
    """Indices in SURFACES of the surfaces that occur, so that nothing is computed for others."""


class Moving(eqx.Module):
    """Path points that move in their body with a coordinate, one function an axis."""

    row: Int[Array, " curve"]
    point: Int[Array, " curve"]
    axis: Int[Array, " curve"]
    coordinate: Int[Array, " curve"]
    curve: PiecewisePolynomials


class Muscles(eqx.Module):
    """All muscles of a body: a table of paths, one a row in order of their wraps, then numbers in the model's order."""

    location: Float[Array, "row point 3"]
    """Points in their bodies [m], padded to the same number a row."""
    body: Int[Array, "row point"]
    """−1 is the ground."""
    coordinate: Int[Array, "row point"]
    """Coordinate that switches a conditional point."""
    lower: Float[Array, "row point"]
    """The point is on the path between these values of the coordinate; −inf and inf for always, both inf for padding."""
    upper: Float[Array, "row point"]
    moving: Moving
    wraps: tuple[Wraps, ...]
    """Of one, two, … wraps a row, and of the same surfaces."""
    polynomials: PolynomialPaths
    """Paths without points; their rows come after those of the table."""
    max_isometric_force: Float[Array, " muscle"]
    optimal_fiber_length: Float[Array, " muscle"]
    tendon_slack_length: Float[Array, " muscle"]
    pennation: Float[Array, " muscle"]
    """At optimal fibre length [rad]."""
    max_contraction_velocity: Float[Array, " muscle"]
    """Optimal fibre lengths per second."""
    parameters: dict[str, Float[Array, " muscle"]]
    """Further numbers of the muscles and their curves, by OpenSim's names with the curve's name in front."""
    names: tuple[str, ...] = eqx.field(static=True)
    row: tuple[int, ...] = eqx.field(static=True)
    """Row of every muscle in the path table, or in what follows it."""
    kind: tuple[int, ...] = eqx.field(static=True)
    """Index in KINDS."""
    surfaces: tuple[str, ...] = eqx.field(static=True)
    """Names of the model's wrap surfaces, in the order in which `Wraps.surface` counts."""
    opensim_compat: bool = eqx.field(static=True)
    stiff: tuple[bool, ...] = eqx.field(static=True)
    """The muscle's tendon does not give (`ignore_tendon_compliance`)."""
    prompt: tuple[bool, ...] = eqx.field(static=True)
    """The muscle's activation is its excitation (`ignore_activation_dynamics`)."""

    @property
    def count(self) -> int:
        """Number of muscles."""
        return len(self.names)


def compile_muscles(spec: ModelSpec, body_names: tuple[str, ...], *, opensim_compat: bool = False) -> Muscles:
    """Compile the muscles of a body; `body_names` is the order of the compiled model.

    By default paths over cylinders and spheres are the shortest ones. `opensim_compat` repeats what OpenSim 4.6 does instead, to
    compare numbers with it (see `physics.muscle_path`). Raises ModelError for a muscle, point or wrap that cannot be
    computed.
    """
    body = {name: i for i, name in enumerate(body_names)} | {"ground": -1}
    coordinates = {c.name: i for i, c in enumerate(spec.coordinates)}
    for m in spec.muscles:
        _check(m, body, coordinates)
    wraps = {w.name: (i, w) for i, w in enumerate(spec.wraps)}
    used = [_used_wraps(m, wraps, body) for m in spec.muscles]
    groups = [(len(u), tuple(sorted({SURFACES.index(w.kind) for _, w, _ in u}))) for u in used]
    functions_of = [i for i, m in enumerate(spec.muscles) if m.polynomial is not None]
    order = sorted((i for i, m in enumerate(spec.muscles) if m.polynomial is None), key=lambda i: groups[i])
    rows = [*order, *functions_of]
    return Muscles(
        **_points([spec.muscles[i] for i in order], body, coordinates),
        wraps=tuple(
            _wraps([spec.muscles[i] for i in order], [used[i] for i in order], body, [i for i, j in enumerate(order) if groups[j] == group])
            for group in sorted({groups[i] for i in order})
            if group[0]
        ),
        polynomials=compile_polynomials([(m.name, m.polynomial) for m in spec.muscles if m.polynomial is not None], coordinates),
        max_isometric_force=jnp.array([m.max_isometric_force for m in spec.muscles], float),
        optimal_fiber_length=jnp.array([m.optimal_fiber_length for m in spec.muscles], float),
        tendon_slack_length=jnp.array([m.tendon_slack_length for m in spec.muscles], float),
        pennation=jnp.array([m.pennation for m in spec.muscles], float),
        max_contraction_velocity=jnp.array([m.max_contraction_velocity for m in spec.muscles], float),
        parameters={name: jnp.array([_parameter(m, name) for m in spec.muscles], float) for name in _DEFAULTS},
        names=tuple(m.name for m in spec.muscles),
        row=tuple(rows.index(i) for i in range(len(rows))),
        kind=tuple(KINDS.index(m.kind) for m in spec.muscles),
        stiff=tuple(m.ignore_tendon_compliance for m in spec.muscles),
        prompt=tuple(dict(m.parameters).get("ignore_activation_dynamics", 0.0) != 0.0 for m in spec.muscles),
        surfaces=tuple(w.name for w in spec.wraps),
        opensim_compat=opensim_compat,
    )


def _check(muscle: Muscle, body: dict[str, int], coordinates: dict[str, int]) -> None:
    if muscle.kind not in KINDS:
        raise ModelError(f"muscle {muscle.name} is a {muscle.kind}; monomsk computes {', '.join(KINDS)}")
    if muscle.polynomial is None and len(muscle.points) < 2:
        raise ModelError(f"muscle {muscle.name} has {len(muscle.points)} path points; a path needs two or more")
    for field in ("max_isometric_force", "optimal_fiber_length", "tendon_slack_length", "max_contraction_velocity"):
        if not getattr(muscle, field) > 0.0:
            raise ModelError(f"muscle {muscle.name}: {field} is {getattr(muscle, field):g}; it must be positive")
    for point in muscle.points:
        if point.body not in body:
            raise ModelError(f"muscle {muscle.name}: point {point.name} is on body {point.body!r}, which the model does not have")
        named = [point.coordinate, *(axis.coordinate for axis in point.moving or ())]
        unknown = [c for c in named if c is not None and c not in coordinates]
        if unknown:
            raise ModelError(f"muscle {muscle.name}: point {point.name} follows coordinate {unknown[0]!r}, which the model does not have")


def _parameter(muscle: Muscle, name: str) -> float:
    """The muscle's own value, else OpenSim's default."""
    default = _OF_KIND.get(muscle.kind, {}).get(name, _DEFAULTS[name])
    return dict(muscle.parameters).get(name, default)


def _used_wraps(muscle: Muscle, wraps: dict[str, tuple[int, Wrap]], body: dict[str, int]) -> list[tuple[int, Wrap, PathWrap]]:
    used: list[tuple[int, Wrap, PathWrap]] = []
    for use in () if muscle.polynomial is not None else muscle.wraps:
        if use.wrap not in wraps:
            raise ModelError(f"muscle {muscle.name} wraps over {use.wrap!r}, which the model does not have")
        index, wrap = wraps[use.wrap]
        if not wrap.active:
            continue
        if wrap.kind not in SURFACES:
            raise ModelError(f"muscle {muscle.name} wraps over {wrap.name}, a {wrap.kind}; monomsk computes {', '.join(SURFACES)}")
        if not all(size > 0.0 for size in wrap.dimensions):
            raise ModelError(f"wrap {wrap.name}: {' '.join(f'{size:g}' for size in wrap.dimensions)} are not sizes; they must be positive")
        if wrap.kind == "WrapTorus" and not wrap.dimensions[1] > wrap.dimensions[0]:
            raise ModelError(f"wrap {wrap.name}: the outer radius {wrap.dimensions[1]:g} must be above the inner {wrap.dimensions[0]:g}")
        if wrap.kind == "WrapEllipsoid" and use.method not in METHODS:
            raise ModelError(f"muscle {muscle.name}: the method {use.method!r} of its wrap is not one of {', '.join(METHODS)}")
        if wrap.body not in body:
            raise ModelError(f"wrap {wrap.name} is on body {wrap.body!r}, which the model does not have")
        used.append((index, wrap, use))
    return used


class _Points(TypedDict):
    location: Float[Array, "row point 3"]
    body: Int[Array, "row point"]
    coordinate: Int[Array, "row point"]
    lower: Float[Array, "row point"]
    upper: Float[Array, "row point"]
    moving: Moving


def _points(paths: list[Muscle], body: dict[str, int], coordinates: dict[str, int]) -> _Points:
    size = max((len(m.points) for m in paths), default=2)
    inf = float("inf")
    padding = PathPoint("", "ground", (0.0, 0.0, 0.0), range=(inf, inf))
    points = [[*m.points, *[padding] * (size - len(m.points))] for m in paths]
    moving: list[tuple[int, int, int, Axis]] = [
        (i, j, k, axis) for i, row in enumerate(points) for j, p in enumerate(row) for k, axis in enumerate(p.moving or ())
    ]
    ranges = [[p.range or (-inf, inf) for p in row] for row in points]
    shape = (len(paths), size)
    return _Points(
        location=jnp.array([[p.location for p in row] for row in points], float).reshape(*shape, 3),
        body=jnp.array([[body[p.body] for p in row] for row in points], int).reshape(shape),
        coordinate=jnp.array([[coordinates.get(p.coordinate or "", 0) for p in row] for row in points], int).reshape(shape),
        lower=jnp.array([[low for low, _ in row] for row in ranges], float).reshape(shape),
        upper=jnp.array([[high for _, high in row] for row in ranges], float).reshape(shape),
        moving=Moving(
            row=jnp.array([i for i, _, _, _ in moving], int),
            point=jnp.array([j for _, j, _, _ in moving], int),
            axis=jnp.array([k for _, _, k, _ in moving], int),
            coordinate=jnp.array([coordinates.get(axis.coordinate or "", 0) for _, _, _, axis in moving], int),
            curve=functions.compile_functions([axis.function for _, _, _, axis in moving], [axis.gain for _, _, _, axis in moving]),
        ),
    )


def _wraps(paths: list[Muscle], used: list[list[tuple[int, Wrap, PathWrap]]], body: dict[str, int], rows: list[int]) -> Wraps:
    flat = [(i, *entry) for i in rows for entry in used[i]]
    shape = (len(rows), len(used[rows[0]]))
    sizes = [_sizes(w) for _, _, w, _ in flat]
    kinds = [SURFACES.index(w.kind) for _, _, w, _ in flat]
    return Wraps(
        body=jnp.array([body[w.body] for _, _, w, _ in flat], int).reshape(shape),
        R=_turned(jnp.array([w.rotation for _, _, w, _ in flat], float)).reshape(*shape, 3, 3),
        p=jnp.array([w.translation for _, _, w, _ in flat], float).reshape(*shape, 3),
        radius=jnp.array([radius for radius, _, _ in sizes], float).reshape(shape),
        half_length=jnp.array([half_length for _, half_length, _ in sizes], float).reshape(shape),
        radii=jnp.array([radii for _, _, radii in sizes], float).reshape(*shape, 3),
        kind=jnp.array(kinds, int).reshape(shape),
        method=jnp.array([METHODS.index(use.method) if use.method in METHODS else 0 for *_, use in flat], int).reshape(shape),
        side=jnp.array([_side(w) for _, _, w, _ in flat], float).reshape(*shape, 3),
        first=jnp.array([max(use.range[0], 1) - 1 for _, _, _, use in flat], float).reshape(shape),
        last=jnp.array([(use.range[1] if use.range[1] > 0 else len(paths[i].points)) - 1 for i, _, _, use in flat], float).reshape(shape),
        surface=jnp.array([index for _, index, _, _ in flat], float).reshape(shape),
        rows=(rows[0], rows[-1] + 1),
        points=max(len(paths[i].points) for i in rows),
        kinds=tuple(sorted(set(kinds))),
    )


def _sizes(wrap: Wrap) -> tuple[float, float, Vec3]:
    """Radius, half length and half axes, as `Wraps` holds them."""
    size = wrap.dimensions
    if wrap.kind == "WrapCylinder":
        return size[0], 0.5 * size[1], (1.0, 1.0, 1.0)
    if wrap.kind == "WrapSphere":
        return size[0], 0.0, (1.0, 1.0, 1.0)
    if wrap.kind == "WrapTorus":
        return size[0], 0.0, (size[1], size[1], size[1])
    return 0.0, 0.0, (size[0], size[1], size[2])


def _side(wrap: Wrap) -> tuple[float, float, float]:
    """Direction of OpenSim's quadrant."""
    text = wrap.quadrant.strip().lower()
    if text in ("all", "unassigned", ""):
        return 0.0, 0.0, 0.0
    sign = -1.0 if text.startswith("-") else 1.0
    letter = text.lstrip("+-")
    if letter not in ("x", "y", "z"):
        raise ModelError(f"wrap {wrap.name}: quadrant {wrap.quadrant!r} is not one of all, x, y, z, -x, -y, -z")
    return sign * (letter == "x"), sign * (letter == "y"), sign * (letter == "z")
