"""Rendered films through the real pose estimator, and the same films through the simulated one: the same errors?"""

from collections.abc import Callable, Iterator
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, UInt8

from monomsk.datasets.rendered import FRAMES, RATE, Rendered
from monomsk.datasets.room import placement
from monomsk.datasets.scene import project
from monomsk.datasets.seeing import LAYOUT_SHARES, Noise, Pose, load_noise, see
from monomsk.evaluation.keypoint_errors import View
from monomsk.keypoints.mediapipe import detect
from monomsk.keypoints.skeleton import LAYOUTS, NAMES
from monomsk.markers.sight import Sight
from monomsk.types import Clip

Watch = Callable[[int, UInt8[np.ndarray, "row column 3"]], None]
"""Gets the number of every picture, and the picture."""

LAYOUT = "mediapipe33"
MASS = 70.0
"""Where a clip does not know the mass [kg]; errors do not depend on it."""


def compared_names(rendered: Rendered) -> tuple[str, ...]:
    """Keypoints that MediaPipe finds and our body has."""
    there = np.asarray(np.isfinite(rendered.points).all((0, 2)))
    return tuple(name for k, name in enumerate(NAMES) if there[k] and name in LAYOUTS[LAYOUT])


def detected(rendered: Rendered, covered: Bool[np.ndarray, "time keypoint"], watch: Watch | None = None) -> View:
    """The film through MediaPipe and the repairs after it. `covered` is what `rendered.hidden` says; `watch` gets every picture.

    Raises KeypointError when the person is not found.
    """

    def pictures() -> Iterator[tuple[int, UInt8[np.ndarray, "row column 3"]]]:
        for index, picture in enumerate(rendered.frames()):
            if watch is not None:
                watch(index, picture)
            yield index, picture

    count = len(rendered.time)
    clip = Clip(Path(rendered.clip.key), rendered.scene.camera.size, 0, rendered.time, (0, count), rendered.time, 0.0)
    keypoints = detect(clip, pictures())
    column = [keypoints.names.index(name) for name in compared_names(rendered)]
    return _view(rendered, covered, keypoints.xy[:, column], keypoints.sigma[:, column])


def simulated(rendered: Rendered, covered: Bool[np.ndarray, "time keypoint"], seed: int) -> View:
    """What `datasets.seeing` makes of the same motion before the same camera, with MediaPipe's keypoints."""
    noise = load_noise()
    only = jnp.array([layout == LAYOUT for layout in LAYOUT_SHARES], jnp.float32)
    held = rendered.points[np.minimum(np.arange(FRAMES), len(rendered.time) - 1)]
    sight, lens = _sight(jax.random.key(seed), noise._replace(shares=only), rendered.pose, jnp.asarray(held), rendered.clip.stature)
    camera, count = rendered.scene.camera, len(rendered.time)
    column = [NAMES.index(name) for name in compared_names(rendered)]
    scale = camera.focal[0] / float(lens)
    xy = np.asarray(sight.slope, float)[:count, column] * scale + np.array(camera.center)
    sigma = np.where(sight.seen, sight.sigma, np.inf)[:count, column] * scale
    return _view(rendered, covered, xy, sigma)


@eqx.filter_jit
def _sight(key: Array, noise: Noise, pose: Pose, points: Float[Array, "time keypoint 3"], height: float) -> tuple[Sight, Array]:
    return see(key, noise, pose, points, jnp.arange(FRAMES) / RATE, (jnp.asarray(height), jnp.asarray(MASS)))


def _view(
    rendered: Rendered,
    covered: Bool[np.ndarray, "time keypoint"],
    xy: Float[np.ndarray, "time keypoint 2"],
    sigma: Float[np.ndarray, "time keypoint"],
) -> View:
    """Pixels to statures."""
    names = compared_names(rendered)
    column = [NAMES.index(name) for name in names]
    camera, stature = rendered.scene.camera, rendered.stature[:, None]
    seen = np.isfinite(sigma)
    R, _ = placement(camera)
    true, depth = project(camera, rendered.points[:, column])
    # The picture of a point moves with the point across the line of sight, and towards the middle as it goes away.
    slope = (true - camera.center) / camera.focal
    flat = np.zeros((*depth.shape, 2, 3))
    flat[..., 0, 0] = flat[..., 1, 1] = 1.0
    flat[..., 2] = -slope
    lever = flat @ (R @ rendered.axes[:, column]) * (camera.focal[0] / depth / stature)[..., None, None]
    return View(
        rate=RATE,
        names=names,
        found=np.where(seen[..., None], xy - camera.center, 0.0) / stature[..., None],
        true=(true - camera.center) / stature[..., None],
        seen=seen,
        stated=sigma / stature,
        hidden=covered[:, column],
        facing=rendered.facing,
        lever=lever,
    )
