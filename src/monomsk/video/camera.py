"""What is known of the camera before anything is fitted: focal length and the direction of gravity."""

import numpy as np
from jaxtyping import UInt8

from monomsk.config import CameraConfig
from monomsk.errors import InputError
from monomsk.types import Camera, Clip
from monomsk.video import camera_file, decode, phones, vertical

FILM_DIAGONAL = 43.27
"""Diagonal of 35-mm film [mm]."""
UNKNOWN_RATIO, UNKNOWN_SIGMA = 0.73, 0.08
"""Focal length over the long side for the main camera of an unknown phone, and its relative deviation (spread over
200 devices of the OpenCap table, and stabilisation that crops up to a tenth)."""
SIGMA = {"user": 0.01, "metadata": 0.05, "table": 0.04, "prior": UNKNOWN_SIGMA}
"""Relative deviation of the focal length by source; phones crop while they stabilise."""
HELD_SIGMA = np.radians(10.0)
"""How far from upright cameras are when nothing in the picture tells [rad]."""
CALIBRATED_SIGMA = np.radians(1.0)


def estimate_camera(clip: Clip, config: CameraConfig | None = None) -> Camera:
    """The camera of a clip: its lens and which way is down; the ground is placed later, by the kinematics.

    The lens comes from `config.camera` (a file), `config.focal`, the video's metadata, a table of phones, or 0.73 × the
    long side, in this order. Gravity comes from the camera file, the vertical edges in the background, or the guess
    that the camera was held upright. Raises InputError for a camera file or focal length that cannot be right.
    """
    config = config or CameraConfig()
    known, source, warnings = _intrinsics(clip, config)
    center = known.center or (0.5 * clip.size[0], 0.5 * clip.size[1])
    gravity, gravity_sigma, gravity_source = known.gravity, CALIBRATED_SIGMA, "user"
    if gravity is None:
        gravity, gravity_sigma, gravity_source = _gravity(clip, known.focal[0], center)
        # A wrong focal length tilts a tilted camera: the angle to the vanishing point is measured in focal lengths.
        gravity_sigma = np.hypot(gravity_sigma, SIGMA[source] * float(np.hypot(gravity[0], gravity[2]) * gravity[1]))
    if gravity_source == "prior":
        warnings += ("nothing in the picture shows the vertical: the camera is taken to be held upright (±10°)",)
    return Camera(
        size=clip.size,
        focal=known.focal,
        center=center,
        distortion=known.distortion,
        focal_sigma=SIGMA[source],
        focal_source=source,
        gravity=gravity,
        gravity_sigma=float(gravity_sigma),
        gravity_source=gravity_source,
        warnings=warnings,
    )


def _intrinsics(clip: Clip, config: CameraConfig) -> tuple[camera_file.Intrinsics, str, tuple[str, ...]]:
    """The lens, where it comes from, and what to warn of."""
    width, height = clip.size
    if config.camera is not None:
        return camera_file.read_camera_file(config.camera, clip.path, clip.size), "user", ()
    if config.focal is not None:
        if not 0.2 * max(clip.size) < config.focal < 20 * max(clip.size):
            low, high = 0.2 * max(clip.size), 20 * max(clip.size)
            raise InputError(f"focal length {config.focal:g} px cannot be right for {width}×{height} px (allowed: {low:.0f} to {high:.0f})")
        return camera_file.Intrinsics((config.focal, config.focal)), "user", ()
    film = phones.focal_35mm(clip.metadata)
    if film is not None:
        focal = film / FILM_DIAGONAL * float(np.hypot(width, height))
        return camera_file.Intrinsics((focal, focal)), "metadata", ()
    phone = phones.phone_ratio(clip.metadata)
    if phone is not None:
        focal = phone[1] * max(clip.size)
        return camera_file.Intrinsics((focal, focal)), "table", ()
    focal = UNKNOWN_RATIO * max(clip.size)
    warning = (
        f"the focal length is unknown: {focal:.0f} px (0.73 × the long side, ±8 %) is assumed, so distances from the camera "
        "may be off by as much; state it with --focal or --camera"
    )
    return camera_file.Intrinsics((focal, focal)), "prior", (warning,)


def _gravity(clip: Clip, focal: float, center: tuple[float, float]) -> tuple[np.ndarray, float, str]:
    background = temporal_median([image for _, image in decode.stills(clip)])
    shrink = background.shape[1] / clip.size[0]
    found = vertical.find_vertical(background, focal * shrink, (center[0] * shrink, center[1] * shrink))
    if found is None:
        return vertical.DOWN.copy(), HELD_SIGMA, "prior"
    return found.gravity, found.sigma, "vanishing_point"


def temporal_median(images: list[UInt8[np.ndarray, "height width 3"]]) -> UInt8[np.ndarray, "height width 3"]:
    """The picture without what moves: the median over time of each pixel."""
    return np.median(np.stack(images), axis=0).astype(np.uint8)
