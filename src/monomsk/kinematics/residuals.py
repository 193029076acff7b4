"""What the fit wants to be small, linearised: pixels, the estimator's depth, the floor, planted feet, pose and size.

Everything is a function of a frame's free coordinates x and of the unknowns of the whole clip: logarithms of segment
scales, shifts of the keypoints' places in their bodies, two tilts of the ground, camera height and logarithm of the
focal length (`globals`, in this order).
"""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from monomsk.model.model import Model, complete
from monomsk.model.scale import Segments, scale_model
from monomsk.physics.forward_kinematics import forward_kinematics, points_on_bodies
from monomsk.physics.jacobian import point_jacobian
from monomsk.spatial import projection, rotation

CAMERA_UNKNOWNS = 4


class Scene(eqx.Module):
    """What stays the same over the whole fit."""

    model: Model
    """Generic body whose markers are the keypoints' places."""
    segments: Segments = eqx.field(static=True)
    shift: Float[Array, "marker 3 shift"]
    """How the shifts move the keypoints' places in their bodies [m/m]; both sides alike, mirrored."""
    free: tuple[int, ...] = eqx.field(static=True)
    hips: tuple[int, ...] = eqx.field(static=True)
    """Markers whose mean is the root of the estimator's depth."""
    R_camera_ground: Float[Array, "3 3"]
    camera_position: Float[Array, "3"]
    """In the ground frame [m]."""
    focal: Float[Array, "2"]
    center: Float[Array, "2"]
    sole_sigma: Float[Array, ""]
    """Tolerance of the height of planted soles [m]."""
    slide_sigma: Float[Array, ""]
    """Tolerance of the speed of planted soles [m/s]."""
    robust: Float[Array, ""]
    """Where a reprojection error begins to count as an outlier [standard deviations]."""


class Frames(eqx.Module):
    """What is known of each frame."""

    xy: Float[Array, "time marker 2"]
    """Undistorted pixels."""
    weight: Float[Array, "time marker"]
    """1 / sigma [1/px]; 0 where missing."""
    depth: Float[Array, "time marker"]
    """Depth relative to the hips by the estimator [m]."""
    depth_weight: Float[Array, "time marker"]
    target: Float[Array, "time marker 3"]
    """Lifted markers in the ground frame [m]."""
    target_weight: Float[Array, "time marker"]
    planted: Float[Array, "time contact"]
    """Belief that a sole point is on the floor and still, 0 to 1."""
    step: Float[Array, " time"]
    """Time to the next frame [s]; 0 at the last frame, which ends the chain."""
    share: Float[Array, " time"]
    """Square root of the part of a tenth of a second that a frame stands for: neighbouring frames say the same thing about the floor,
    so its tolerances are those of a tenth of a second, whatever the frame rate."""


class Normal(eqx.Module):
    """Gauss–Newton system of each frame: own block, the coupling to the next frame, and to the globals."""

    own: Float[Array, "time nx nx"]
    after: Float[Array, "time nx nx"]
    """Block (next frame, this frame)."""
    gradient: Float[Array, "time nx"]
    next_own: Float[Array, "time nx nx"]
    next_gradient: Float[Array, "time nx"]
    mixed: Float[Array, "time nx ng"]
    next_mixed: Float[Array, "time nx ng"]
    shared: Float[Array, "ng ng"]
    shared_gradient: Float[Array, " ng"]


def scaled(scene: Scene, unknown: Float[Array, " ng"]) -> Model:
    """The body at the current segment scales, with the keypoints at their shifted places."""
    count = len(scene.segments.names)
    model = scale_model(scene.model, scene.segments.factors(scene.model, unknown[:count]), scene.model.mass.sum())
    return eqx.tree_at(lambda m: m.marker_location, model, model.marker_location + scene.shift @ unknown[count:-CAMERA_UNKNOWNS])


def coordinates(scene: Scene, x: Float[Array, " nx"]) -> Float[Array, " nq"]:
    """All coordinates from the free ones; locked ones keep their default, coupled ones follow."""
    return complete(scene.model, scene.model.coordinate_default.at[jnp.array(scene.free)].set(x))


@eqx.filter_jit
def all_coordinates(scene: Scene, x: Float[Array, "time nx"]) -> Float[Array, "time nq"]:
    """`coordinates` of many frames."""
    return jax.vmap(lambda row: coordinates(scene, row))(x)


def camera_pose(scene: Scene, unknown: Float[Array, " ng"]) -> tuple[Float[Array, "3 3"], Float[Array, "3"], Float[Array, "2"]]:
    """Rotation ground → camera, position of the camera in the ground frame [m] and focal lengths [px]."""
    tilt_x, tilt_z, height, log_focal = unknown[-CAMERA_UNKNOWNS:]
    turn = rotation.exp(jnp.stack([tilt_x, jnp.zeros_like(tilt_x), tilt_z]))
    position = scene.camera_position + jnp.stack([jnp.zeros_like(height), height, jnp.zeros_like(height)])
    return scene.R_camera_ground @ turn, position, scene.focal * jnp.exp(log_focal)


def points(scene: Scene, model: Model, x: Float[Array, " nx"]) -> Float[Array, "point 3"]:
    """Ground positions of the markers, then of the lowest points of the contact spheres [m]."""
    poses = forward_kinematics(model, coordinates(scene, x))
    places = jnp.concatenate([model.marker_location, model.contact_location])
    centers = points_on_bodies(poses, model.marker_body + model.contact_body, places)
    drop = jnp.concatenate([jnp.zeros(len(model.marker_body)), model.contact_radius])
    return centers - drop[:, None] * jnp.array([0.0, 1.0, 0.0])


def points_jacobian(scene: Scene, model: Model, x: Float[Array, " nx"]) -> Float[Array, "point 3 nx"]:
    """Derivative of `points` by the free coordinates (coupled coordinates move the patella alone, which carries no point)."""
    poses = forward_kinematics(model, coordinates(scene, x))
    places = jnp.concatenate([model.marker_location, model.contact_location])
    body = model.marker_body + model.contact_body
    return point_jacobian(model, poses, body, points_on_bodies(poses, body, places))[..., jnp.array(scene.free)]


def _points_by_globals(scene: Scene, model: Model, unknown: Float[Array, " ng"], x: Float[Array, " nx"]) -> Float[Array, "point 3 ng"]:
    """Derivative of `points` by the unknowns of the clip: scales by forward differentiation, shifts turn with their bodies, camera none."""
    count = len(scene.segments.names)
    by_scale = jax.jacfwd(lambda s: points(scene, scaled(scene, unknown.at[:count].set(s)), x))(unknown[:count])
    poses = forward_kinematics(model, coordinates(scene, x))
    of_markers = poses.R[jnp.array(model.marker_body)] @ scene.shift
    of_soles = jnp.zeros((len(model.contact_body), *of_markers.shape[1:]))
    return jnp.concatenate([by_scale, jnp.concatenate([of_markers, of_soles]), jnp.zeros((*by_scale.shape[:2], CAMERA_UNKNOWNS))], -1)


def in_camera(scene: Scene, unknown: Float[Array, " ng"], point: Float[Array, "3"]) -> Float[Array, "3"]:
    """Pixel u, v and depth z [px, px, m] of a ground point."""
    R, position, focal = camera_pose(scene, unknown)
    seen = R @ (point - position)
    return jnp.concatenate([projection.project(seen, focal, scene.center), seen[2:]])


def _frame_residuals(scene: Scene, frame: Frames, seen: Float[Array, "marker 3"], point: Float[Array, "point 3"]) -> Float[Array, " row"]:
    """Residuals of one frame from what the camera sees of the markers and where the points are; robust weights come separately."""
    n = frame.weight.shape[0]
    pixels = (seen[:, :2] - frame.xy) * frame.weight[:, None]
    depth = (seen[:, 2] - seen[jnp.array(scene.hips), 2].mean() - frame.depth) * frame.depth_weight
    target = (point[:n] - frame.target) * frame.target_weight[:, None]
    return jnp.concatenate([pixels.reshape(-1), depth, target.reshape(-1), _soles(scene, frame, point[n:, 1])])


def _soles(scene: Scene, frame: Frames, height: Float[Array, " contact"]) -> Float[Array, " contact"]:
    """Heights of sole points that are planted or below the floor, in tolerances."""
    return jnp.where(height < 0.0, 1.0, frame.planted) * height / scene.sole_sigma * frame.share


def _robust_weights(scene: Scene, frame: Frames, seen: Float[Array, "marker 3"], point: Float[Array, "point 3"]) -> Float[Array, " row"]:
    """Square roots of the Cauchy weights of the pixels and the soles; 1 for all else.

    Soles too, because people stand on boxes and stairs, and the floor may be told at the wrong one of these heights.
    """
    n = frame.weight.shape[0]
    error = jnp.sum(((seen[:, :2] - frame.xy) * frame.weight[:, None]) ** 2, -1)
    pixel = jnp.repeat(1.0 / jnp.sqrt(1.0 + error / scene.robust**2), 2)
    sole = 1.0 / jnp.sqrt(1.0 + (_soles(scene, frame, point[n:, 1]) / scene.robust) ** 2)
    return jnp.concatenate([pixel, jnp.ones(4 * n), sole])


def _slide(scene: Scene, frame: Frames, motion: Float[Array, "contact 3"]) -> Float[Array, " row"]:
    """Motion of planted sole points to the next frame [m], in tolerances."""
    step = jnp.where(frame.step > 0.0, frame.step, 1.0)
    weight = jnp.where(frame.step > 0.0, frame.planted / (step * scene.slide_sigma) * frame.share, 0.0)
    return (motion * weight[:, None]).reshape(-1)


@eqx.filter_jit
def linearise(scene: Scene, frames: Frames, x: Float[Array, "time+1 nx"], unknown: Float[Array, " ng"]) -> Normal:
    """Gauss–Newton blocks of a chunk of frames; x has one frame more, the first of the next chunk."""
    model = scaled(scene, unknown)
    n = len(scene.model.marker_body)
    here = jax.vmap(lambda v: points(scene, model, v))(x)
    by_x = jax.vmap(lambda v: points_jacobian(scene, model, v))(x)
    by_globals = jax.vmap(lambda v: _points_by_globals(scene, model, unknown, v))(x)

    def one(
        frame: Frames, point: Array, J_x: Array, J_globals: Array, sole: Array, sole_x: Array, sole_globals: Array
    ) -> tuple[Array, ...]:
        seen = jax.vmap(lambda p: in_camera(scene, unknown, p))(point[:n])
        by_point = jax.vmap(jax.jacfwd(lambda p: in_camera(scene, unknown, p)))(point[:n])
        by_unknown = jax.vmap(jax.jacfwd(lambda u, p: in_camera(scene, u, p)), (None, 0))(unknown, point[:n])
        d_point = jnp.concatenate([J_x, J_globals], -1)
        d_seen = by_point @ d_point[:n] + jnp.concatenate([jnp.zeros((n, 3, J_x.shape[-1])), by_unknown], -1)
        push = jax.vmap(lambda s, p: jax.jvp(lambda a, b: _frame_residuals(scene, frame, a, b), (seen, point), (s, p))[1], (-1, -1), -1)
        weight = _robust_weights(scene, frame, seen, point)
        J, r = push(d_seen, d_point) * weight[:, None], _frame_residuals(scene, frame, seen, point) * weight
        moved = jax.vmap(lambda v: _slide(scene, frame, v), -1, -1)
        slide = _slide(scene, frame, sole - point[n:])
        return _blocks(J, r, moved(-J_x[n:]), moved(sole_x), moved(sole_globals - J_globals[n:]), slide)

    rows = (frames, here[:-1], by_x[:-1], by_globals[:-1], here[1:, n:], by_x[1:, n:], by_globals[1:, n:])
    own, after, gradient, next_own, next_gradient, mixed, next_mixed, shared, shared_gradient = jax.vmap(one)(*rows)
    return Normal(own, after, gradient, next_own, next_gradient, mixed, next_mixed, shared.sum(0), shared_gradient.sum(0))


def _blocks(J: Array, r: Array, S_here: Array, S_there: Array, S_globals: Array, slide: Array) -> tuple[Array, ...]:
    nx = S_here.shape[-1]
    full = J.T @ J
    return (
        full[:nx, :nx] + S_here.T @ S_here,
        S_there.T @ S_here,
        J[:, :nx].T @ r + S_here.T @ slide,
        S_there.T @ S_there,
        S_there.T @ slide,
        full[:nx, nx:] + S_here.T @ S_globals,
        S_there.T @ S_globals,
        full[nx:, nx:] + S_globals.T @ S_globals,
        J[:, nx:].T @ r + S_globals.T @ slide,
    )


@eqx.filter_jit
def cost(scene: Scene, frames: Frames, x: Float[Array, "time+1 nx"], unknown: Float[Array, " ng"]) -> Float[Array, " time"]:
    """Half the sum of squares of each frame, pixels and soles under Cauchy's loss; x has one frame more, as in `linearise`."""
    model = scaled(scene, unknown)
    n = len(scene.model.marker_body)
    here = jax.vmap(lambda v: points(scene, model, v))(x)

    def one(frame: Frames, point: Float[Array, "point 3"], sole: Float[Array, "contact 3"]) -> Float[Array, ""]:
        seen = jax.vmap(lambda p: in_camera(scene, unknown, p))(point[:n])
        r = _frame_residuals(scene, frame, seen, point)
        pixel, soles = jnp.sum(r[: 2 * n].reshape(n, 2) ** 2, -1), r[6 * n :] ** 2
        robust = scene.robust**2 * (jnp.log1p(pixel / scene.robust**2).sum() + jnp.log1p(soles / scene.robust**2).sum())
        slide = _slide(scene, frame, sole - point[n:])
        return 0.5 * (robust + jnp.sum(r[2 * n : 6 * n] ** 2) + jnp.sum(slide**2))

    return jax.vmap(one)(frames, here[:-1], here[1:, n:])


@eqx.filter_jit
def observe(
    scene: Scene, x: Float[Array, "time nx"], unknown: Float[Array, " ng"]
) -> tuple[Float[Array, "time marker 3"], Float[Array, "time point 3"]]:
    """What the camera sees of the markers (u, v [px], z [m]) and where all points are in the ground frame [m]."""
    model = scaled(scene, unknown)
    n = len(scene.model.marker_body)

    def one(x_frame: Float[Array, " nx"]) -> tuple[Float[Array, "marker 3"], Float[Array, "point 3"]]:
        here = points(scene, model, x_frame)
        return jax.vmap(lambda p: in_camera(scene, unknown, p))(here[:n]), here

    return jax.vmap(one)(x)


@eqx.filter_jit
def stature(scene: Scene, top: int, sole: int, unknown: Float[Array, " ng"]) -> Float[Array, ""]:
    """Height of the head's top above the sole in the neutral posture [m]."""
    model = scaled(scene, unknown)
    poses = forward_kinematics(model, complete(model, model.coordinate_default))
    at = points_on_bodies(poses, model.marker_body, model.marker_location)
    return at[top, 1] - at[sole, 1]


@eqx.filter_jit
def stature_gradient(scene: Scene, top: int, sole: int, unknown: Float[Array, " ng"]) -> Float[Array, " ng"]:
    """Derivative of `stature` by the globals."""
    return jax.grad(lambda u: stature(scene, top, sole, u))(unknown)
