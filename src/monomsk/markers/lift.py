"""The classic way to depth: the estimator's own three-dimensional guess, brought to stature and put where the pixels are.

Rays come from the pixels, which are good; only the depth along them comes from the estimator, which is poor (120 mm
standard deviation measured for MediaPipe). The kinematics takes the result as a start and a weak prior.
"""

from dataclasses import replace

import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float
from scipy.ndimage import gaussian_filter1d, median_filter

from monomsk.errors import KeypointError
from monomsk.spatial import projection
from monomsk.types import Camera, Keypoints, Markers, Subject

DEPTH_SIGMA = 0.12
"""Standard deviation of the estimator's depth [m]."""

# Segment lengths as fractions of stature (Drillis & Contini 1966, after Winter 2009, figure 4.1).
SEGMENTS = (("hip", "knee", 0.245), ("knee", "ankle", 0.246), ("shoulder", "elbow", 0.186), ("shoulder", "hip", 0.288))


def lift(keypoints: Keypoints, camera: Camera, subject: Subject) -> tuple[Markers, Camera]:
    """Markers in the ground frame, one a keypoint, and the camera placed in that frame.

    The ground frame has its origin on the floor below the person's first position and X where the person walks or, standing,
    faces. Raises KeypointError when hips or shoulders are never seen together with their pixels.
    """
    rays = _rays(keypoints, camera)
    seen = np.isfinite(keypoints.sigma)
    relative = _relative_depth(keypoints, subject)
    root = _root_position(rays, relative, seen, keypoints, subject)
    depth = relative[..., 2] + root[:, None, 2]
    points = np.concatenate([rays, np.ones_like(rays[..., :1])], -1) * np.maximum(depth, 0.2)[..., None]
    placed = _place_camera(points, seen, keypoints, camera)
    ground = (points - np.asarray(placed.p_camera_ground)) @ np.asarray(placed.R_camera_ground)
    lateral = keypoints.sigma * depth / camera.focal[0]
    sigma = np.sqrt((2.0 * lateral**2 + DEPTH_SIGMA**2) / 3.0)
    return Markers(keypoints.time, keypoints.names, np.where(seen[..., None], ground, np.nan), np.where(seen, sigma, np.inf)), placed


def undistorted(keypoints: Keypoints, camera: Camera) -> Float[np.ndarray, "time keypoint 2"]:
    """Pixels [px] of the keypoints with the lens distortion taken out."""
    if not any(camera.distortion):
        return keypoints.xy
    focal, center, distortion = (jnp.asarray(v, float) for v in (camera.focal, camera.center, camera.distortion))
    return np.asarray(projection.undistort(jnp.asarray(keypoints.xy), focal, center, distortion))


def _rays(keypoints: Keypoints, camera: Camera) -> Float[np.ndarray, "time keypoint 2"]:
    return np.nan_to_num((undistorted(keypoints, camera) - np.array(camera.center)) / np.array(camera.focal))


def _relative_depth(keypoints: Keypoints, subject: Subject) -> Float[np.ndarray, "time keypoint 3"]:
    """The estimator's points about the hip midpoint [m], scaled so that the segments fit the stature; flat when it has none."""
    if keypoints.depth is None:
        return np.zeros((*keypoints.xy.shape[:2], 3))
    names = keypoints.names
    expected, found = 0.0, 0.0
    for upper, lower, fraction in SEGMENTS:
        for side in "rl":
            if f"{upper}_{side}" in names and f"{lower}_{side}" in names:
                a, b = names.index(f"{upper}_{side}"), names.index(f"{lower}_{side}")
                both = np.isfinite(keypoints.sigma[:, a] + keypoints.sigma[:, b])
                if both.any():
                    expected += fraction * subject.height
                    found += float(np.median(np.linalg.norm(keypoints.depth[both, a] - keypoints.depth[both, b], axis=-1)))
    return np.nan_to_num(keypoints.depth) * (expected / found if found > 0 else 1.0)


def _root_position(
    rays: Float[np.ndarray, "time keypoint 2"],
    relative: Float[np.ndarray, "time keypoint 3"],
    seen: Bool[np.ndarray, "time keypoint"],
    keypoints: Keypoints,
    subject: Subject,
) -> Float[np.ndarray, "time 3"]:
    """Where the hip midpoint is in the camera frame [m], so that the estimator's points fall on their rays (least squares a frame)."""
    weight = np.where(seen, 1.0 / np.where(seen, keypoints.sigma, 1.0), 0.0)
    if keypoints.depth is None:
        return _root_from_stature(rays, seen, keypoints, subject)
    enough = seen.sum(1) >= 6
    if not enough.any():
        raise KeypointError("no frame shows six keypoints together: the person cannot be placed in space; film the whole body")
    # Each keypoint gives t_xy − ray t_z = ray z − (x, y).
    rows = np.zeros((*rays.shape, 3))
    rows[..., 0, 0] = rows[..., 1, 1] = 1.0
    rows[..., 2] = -rays
    right = rays * relative[..., 2:] - relative[..., :2]
    square = (weight**2)[..., None, None]
    normal = np.einsum("tkij,tkil->tjl", rows * square, rows) + 1e-9 * np.eye(3)
    root = np.linalg.solve(normal, np.einsum("tkij,tki->tj", rows * square, right)[..., None])[..., 0]
    return _smoothed(root, np.where(root[:, 2] > 0.3, enough, False), keypoints.time)


def _root_from_stature(
    rays: Float[np.ndarray, "time keypoint 2"], seen: Bool[np.ndarray, "time keypoint"], keypoints: Keypoints, subject: Subject
) -> Float[np.ndarray, "time 3"]:
    """Without depth: the person is as far as the stature says from the tallest extent of the shoulders over the ankles."""
    names = keypoints.names
    pairs = [names.index(f"{n}_{s}") for n in ("shoulder", "ankle", "hip") for s in "rl" if f"{n}_{s}" in names]
    if len(pairs) < 6:
        raise KeypointError("the keypoints have no shoulders, hips and ankles: the person cannot be placed in space")
    enough = np.logical_and.reduce(seen[:, pairs], 1)
    if not enough.any():
        raise KeypointError("no frame shows shoulders, hips and ankles together: film the whole body")
    middle = rays[:, pairs].reshape(len(rays), 3, 2, 2).mean(2)
    extent = np.linalg.norm(middle[:, 0] - middle[:, 2], axis=-1) + np.linalg.norm(middle[:, 2] - middle[:, 1], axis=-1)
    fraction = sum(part for _, lower, part in SEGMENTS if lower in ("hip", "knee", "ankle"))
    depth = fraction * subject.height / np.quantile(extent[enough], 0.9)
    root = np.concatenate([middle[:, 2], np.ones((len(rays), 1))], -1) * depth
    return _smoothed(root, enough, keypoints.time)


def _smoothed(root: Float[np.ndarray, "time 3"], good: Bool[np.ndarray, " time"], time: Float[np.ndarray, " time"]) -> np.ndarray:
    """Bridge frames without a position, take out spikes, and smooth over a tenth of a second."""
    if not good.any():
        raise KeypointError("the person cannot be placed in space in any frame: film the whole body, upright in the picture")
    filled = np.stack([np.interp(time, time[good], root[good, k]) for k in range(3)], -1)
    frames = 0.1 / (time[1] - time[0])
    calm = median_filter(filled, size=(2 * round(frames) + 1, 1), mode="nearest")
    return gaussian_filter1d(calm, max(frames, 0.5), axis=0, mode="nearest")


def _place_camera(
    points: Float[np.ndarray, "time keypoint 3"], seen: Bool[np.ndarray, "time keypoint"], keypoints: Keypoints, camera: Camera
) -> Camera:
    """Camera with the pose of the ground: Y against gravity, floor under the lowest feet, X along the way or the facing."""
    if camera.R_camera_ground is not None and camera.p_camera_ground is not None:
        return camera
    gravity = camera.gravity if camera.gravity is not None else np.array([0.0, 1.0, 0.0])
    up = -gravity / np.linalg.norm(gravity)
    root = _middle(points, keypoints.names, ("hip_r", "hip_l"))
    forward = heading(points, root, up, keypoints.names)
    right = np.cross(forward, up)
    R = np.stack([forward, up, right], -1)
    feet = [i for i, n in enumerate(keypoints.names) if n.split("_")[0] in ("heel", "big", "ankle")]
    heights = np.where(seen[:, feet], points[:, feet] @ up, np.inf).min(1)
    heights = heights[np.isfinite(heights)]
    floor = float(np.quantile(heights, 0.1)) if heights.size else float(np.min(root @ up) - 0.9)
    origin = root[0] + up * (floor - root[0] @ up)
    return replace(camera, R_camera_ground=R, p_camera_ground=origin)


def _middle(points: np.ndarray, names: tuple[str, ...], pair: tuple[str, str]) -> Float[np.ndarray, "time 3"]:
    return 0.5 * (points[:, names.index(pair[0])] + points[:, names.index(pair[1])])


def heading(points: np.ndarray, root: Float[np.ndarray, "time 3"], up: Float[np.ndarray, "3"], names: tuple[str, ...]) -> np.ndarray:
    """Horizontal unit vector of the way when the person goes more than a metre, else of the mean facing."""
    right = sum(points[:, names.index(f"{n}_r")] - points[:, names.index(f"{n}_l")] for n in ("hip", "shoulder"))
    facing = np.cross(up, right)
    facing = (facing / np.maximum(np.linalg.norm(facing, axis=-1, keepdims=True), 1e-9)).mean(0)
    way = root[-1] - root[0]
    way = way - up * (way @ up)
    backwards = way @ facing < -0.5 * np.linalg.norm(way)
    way = -way if backwards else way
    direction = way if np.linalg.norm(way) > 1.0 else facing - up * (facing @ up)
    length = np.linalg.norm(direction)
    if length < 1e-6:
        direction, length = np.cross(up, [1.0, 0.0, 0.0]), 1.0
    return direction / length
