"""How good a fit is, in figures a person can read."""

import numpy as np
from jaxtyping import Float

from monomsk.kinematics.residuals import Frames, Scene


def fit_quality(
    scene: Scene,
    frames: Frames,
    planted: Float[np.ndarray, "time contact"],
    seen: Float[np.ndarray, "time marker 3"],
    points: Float[np.ndarray, "time point 3"],
    *,
    height: float,
) -> dict[str, float]:
    """Reprojection error, sliding and penetration of the feet of a fit observed as `trajectories.observe` tells."""
    used = np.asarray(frames.weight) > 0
    error = np.linalg.norm(seen[..., :2] - np.asarray(frames.xy), axis=-1)[used]
    tall = float(scene.focal[1]) * height / max(float(np.median(seen[:, list(scene.hips), 2])), 0.1)
    sole = points[:, len(scene.model.marker_names) :]
    speed = np.linalg.norm(np.diff(sole[..., [0, 2]], axis=0), axis=-1) / np.asarray(frames.step)[:-1, None]
    still = planted[:-1] > 0.5
    return {
        "reprojection_px": float(np.median(error)) if error.size else np.nan,
        "reprojection_share_of_height": float(np.median(error)) / tall if error.size else np.nan,
        "keypoints_used": float(used.sum() / max(1, used.any(0).sum() * len(used))),
        "foot_slide_m_per_s": float(speed[still].mean()) if still.any() else 0.0,
        "floor_penetration_m": float(np.quantile(np.maximum(-sole[..., 1].min(1), 0.0), 0.95)),
        "frames_with_a_planted_foot": float((planted > 0.5).any(1).mean()),
    }


def fit_warnings(quality: dict[str, float]) -> tuple[str, ...]:
    """What a person should know of a poor fit."""
    warnings: list[str] = []
    share = quality["reprojection_share_of_height"]
    if not share < 0.03:
        warnings.append(
            f"the body lies {100 * share:.1f} % of the person's height from the keypoints (usual: 1 to 2 %): "
            "look at the overlay; angles may be far off"
        )
    if quality["foot_slide_m_per_s"] > 0.12:
        warnings.append(
            f"planted feet slide at {quality['foot_slide_m_per_s']:.2f} m/s: the camera may move, or its tilt is not known well"
        )
    if quality["frames_with_a_planted_foot"] < 0.1:
        warnings.append("hardly ever is a foot seen planted on the floor: ground height and forces are uncertain")
    return tuple(warnings)
