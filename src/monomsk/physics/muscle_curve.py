"""Force–length and force–velocity curves of muscle: smooth quintic Bézier corners (Millard et al. 2013), and others' formulas.

A corner joins two straight lines; its second and third control points coincide, as do its fourth and fifth, so four
points say it all. Beyond its ends a curve goes straight on.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

BISECTIONS, NEWTON_STEPS = 4, 5
"""Steps that find the parameter of a point on a corner to rounding."""

Numbers = dict[str, Float[Array, " muscle"]]
_Corner = tuple[Float[Array, "muscle 4"], Float[Array, "muscle 4"]]


class BezierCurve(eqx.Module):
    """One curve a muscle, of `corner` corners from left to right; several curves side by side have a leading axis."""

    x: Float[Array, "*curve muscle corner 4"]
    y: Float[Array, "*curve muscle corner 4"]
    end: Float[Array, "*curve muscle"]
    """x at the right end of the last corner."""
    slope_below: Float[Array, "*curve muscle"]
    slope_above: Float[Array, "*curve muscle"]


def beside(curves: list[BezierCurve]) -> BezierCurve:
    """Several curves as one, so that one evaluation serves all; shorter ones get corners that are never reached."""
    most = max(c.x.shape[-2] for c in curves)

    def padded(a: Array, value: float) -> Array:
        return jnp.pad(a, ((0, 0), (0, most - a.shape[-2]), (0, 0)), constant_values=value)

    x, y = [padded(c.x, jnp.inf) for c in curves], [padded(c.y, 0.0) for c in curves]
    rest = ([getattr(c, name) for c in curves] for name in ("end", "slope_below", "slope_above"))
    return BezierCurve(jnp.stack(x), jnp.stack(y), *(jnp.stack(a) for a in rest))


def evaluate(curve: BezierCurve, x: Float[Array, "*batch muscle"]) -> Float[Array, "*batch muscle"]:
    """Value of each muscle's curve at its own x. Differentiable once, by x and by the control points."""
    low = curve.x[..., 0, 0]
    inner = jnp.clip(x, low, curve.end)
    px, py = (jnp.broadcast_to(a[..., 0, :], (*x.shape, 4)) for a in (curve.x, curve.y))
    for corner in range(1, curve.x.shape[-2]):
        beyond = (inner >= curve.x[..., corner, 0])[..., None]
        px, py = jnp.where(beyond, curve.x[..., corner, :], px), jnp.where(beyond, curve.y[..., corner, :], py)
    u = _parameter(px, inner)
    outside = curve.slope_below * jnp.minimum(x - low, 0.0) + curve.slope_above * jnp.maximum(x - curve.end, 0.0)
    return _bezier(py, u) + outside


def _bezier(p: Float[Array, "*batch 4"], u: Float[Array, "*batch"]) -> Float[Array, "*batch"]:
    v = 1.0 - u
    near, far = 5.0 * u * v**4 + 10.0 * u**2 * v**3, 10.0 * u**3 * v**2 + 5.0 * u**4 * v
    return p[..., 0] * v**5 + p[..., 1] * near + p[..., 2] * far + p[..., 3] * u**5


def _bezier_slope(p: Float[Array, "*batch 4"], u: Float[Array, "*batch"]) -> Float[Array, "*batch"]:
    v = 1.0 - u
    a, b, c = p[..., 1] - p[..., 0], p[..., 2] - p[..., 1], p[..., 3] - p[..., 2]
    return 5.0 * (a * v**4 + 6.0 * b * u**2 * v**2 + c * u**4)


def _parameter(p: Float[Array, "*batch 4"], x: Float[Array, "*batch"]) -> Float[Array, "*batch"]:
    """The parameter u at which a rising corner reaches x."""
    p_held, x_held = jax.lax.stop_gradient((p, x))
    low, high = jnp.zeros_like(x_held), jnp.ones_like(x_held)
    for _ in range(BISECTIONS):
        middle = 0.5 * (low + high)
        left = _bezier(p_held, middle) > x_held
        low, high = jnp.where(left, low, middle), jnp.where(left, middle, high)

    def newton(_: int, u: Float[Array, "*batch"]) -> Float[Array, "*batch"]:
        return jnp.clip(u - (_bezier(p_held, u) - x_held) / _bezier_slope(p_held, u), low, high)

    u = jax.lax.fori_loop(0, NEWTON_STEPS, newton, 0.5 * (low + high))
    # One last step outside the loop carries the derivative (implicit function theorem).
    return u - (_bezier(p, u) - x) / _bezier_slope(p_held, u)


def _corner(x0: Array, y0: Array, slope0: Array, x1: Array, y1: Array, slope1: Array, curviness: Array) -> _Corner:
    """The corner between two lines; `curviness` 0..1 from nearly straight to nearly a kink."""
    bend = 0.1 + 0.8 * curviness
    parallel = jnp.abs(slope0 - slope1) < 1.5e-8
    crossing = (y1 - y0 - x1 * slope1 + x0 * slope0) / jnp.where(parallel, 1.0, slope0 - slope1)
    xc = jnp.where(parallel, 0.5 * (x0 + x1), crossing)
    yc = (xc - x1) * slope1 + y1
    x = jnp.stack(jnp.broadcast_arrays(x0, x0 + bend * (xc - x0), x1 + bend * (xc - x1), x1), -1)
    y = jnp.stack(jnp.broadcast_arrays(y0, y0 + bend * (yc - y0), y1 + bend * (yc - y1), y1), -1)
    return x, y


def _joined(corners: list[_Corner], below: Array, above: Array) -> BezierCurve:
    x, y = jnp.stack([c[0] for c in corners], -2), jnp.stack([c[1] for c in corners], -2)
    muscles = x.shape[:-2]
    return BezierCurve(x, y, x[..., -1, 3], jnp.broadcast_to(below, muscles), jnp.broadcast_to(above, muscles))


def _of(numbers: Numbers, curve: str, *names: str) -> list[Float[Array, " muscle"]]:
    return [numbers[f"{curve}.{name}"] for name in names]


def active_force_length(numbers: Numbers) -> BezierCurve:
    """Active force over fibre length, both normalized (Millard et al. 2013, figure 3), zero outside its range."""
    x0, x1, x3, slope = _of(
        numbers,
        "ActiveForceLengthCurve",
        "min_norm_active_fiber_length",
        "transition_norm_fiber_length",
        "max_norm_active_fiber_length",
        "shallow_ascending_slope",
    )
    zero, one = jnp.zeros_like(x0), jnp.ones_like(x0)
    # Half the plateau's width, as OpenSim widens the sarcomere's to fit measured curves.
    shift = 0.05
    shoulder = 1.0 - shift
    y1 = 1.0 - slope * (shoulder - x1)
    steep = 1.25 * y1 / (x1 - x0)
    x01, y01 = 0.5 * (x0 + x1), 0.5 * y1
    x1s, y1s = 0.5 * (x1 + shoulder), 0.5 * (y1 + 1.0)
    x23, y23 = 0.5 * (1.0 + shift + x3), 0.5 * one
    fall = -1.0 / (x3 - 1.0 - 2.0 * shift)
    corners = [
        _corner(x0, zero, zero, x01, y01, steep, one),
        _corner(x01, y01, steep, x1s, y1s, slope, one),
        _corner(x1s, y1s, slope, one, one, zero, one),
        _corner(one, one, zero, x23, y23, fall, one),
        _corner(x23, y23, fall, x3, zero, zero, one),
    ]
    return _joined(corners, zero, zero)


def force_velocity(numbers: Numbers) -> BezierCurve:
    """Force over lengthening velocity, both normalized; −1 shortens at the greatest speed. Flat beyond ±1."""
    near_c, iso, near_e, most, bend_c, bend_e = _of(
        numbers,
        "ForceVelocityCurve",
        "concentric_slope_near_vmax",
        "isometric_slope",
        "eccentric_slope_near_vmax",
        "max_eccentric_velocity_force_multiplier",
        "concentric_curviness",
        "eccentric_curviness",
    )
    zero, one = jnp.zeros_like(iso), jnp.ones_like(iso)
    xc, yc = -0.9 * one, 0.05 * near_c
    xe, ye = 0.9 * one, most - 0.05 * near_e
    corners = [
        _corner(-one, zero, zero, xc, yc, near_c, bend_c),
        _corner(xc, yc, near_c, zero, one, iso, bend_c),
        _corner(zero, one, iso, xe, ye, near_e, bend_e),
        _corner(xe, ye, near_e, one, most, zero, bend_e),
    ]
    return _joined(corners, zero, zero)


def passive_force_length(numbers: Numbers) -> BezierCurve:
    """Passive force over fibre length, both normalized."""
    zero_strain, one_strain, low, stiffness, bend = _of(
        numbers,
        "FiberForceLengthCurve",
        "strain_at_zero_force",
        "strain_at_one_norm_force",
        "stiffness_at_low_force",
        "stiffness_at_one_norm_force",
        "curviness",
    )
    stiffness = jnp.where(jnp.isnan(stiffness), 2.0 / (one_strain - zero_strain), stiffness)
    zero, one = jnp.zeros_like(low), jnp.ones_like(low)
    x0, x1 = 1.0 + zero_strain, 1.0 + one_strain
    x_low = x0 + jnp.minimum(0.1 / stiffness, 0.1 * (x1 - x0))
    y_low = 0.5 * low * (x_low - x0)
    corners = [_corner(x0, zero, zero, x_low, y_low, low, bend), _corner(x_low, y_low, low, x1, one, stiffness, bend)]
    return _joined(corners, zero, stiffness)


def tendon_force_length(numbers: Numbers) -> BezierCurve:
    """Tendon force over tendon length, normalized by greatest isometric force and slack length."""
    strain, stiffness, toe, bend = _of(
        numbers,
        "TendonForceLengthCurve",
        "strain_at_one_norm_force",
        "stiffness_at_one_norm_force",
        "norm_force_at_toe_end",
        "curviness",
    )
    stiffness = jnp.where(jnp.isnan(stiffness), 1.375 / strain, stiffness)
    zero, one = jnp.zeros_like(strain), jnp.ones_like(strain)
    x_toe = (toe - 1.0) / stiffness + 1.0 + strain
    x_foot = 1.0 + 0.1 * (x_toe - 1.0)
    x_middle = (0.5 * toe - 1.0) / stiffness + 1.0 + strain
    slope = 0.5 * toe / (x_middle - x_foot)
    x_joint, y_joint = 0.5 * (x_foot + x_middle), 0.25 * toe
    corners = [_corner(one, zero, zero, x_joint, y_joint, slope, bend), _corner(x_joint, y_joint, slope, x_toe, toe, stiffness, bend)]
    return _joined(corners, zero, stiffness)
