"""What the body hides: somebody who stands, seen from the front and from aside."""

import jax.numpy as jnp
import numpy as np
import pytest

from monomsk.datasets.hiding import hidden_by_body
from monomsk.keypoints.skeleton import NAMES

HEIGHT = jnp.asarray(1.75)
PLACE = {
    "nose": (0.10, 1.62, 0.0), "eye": (0.09, 1.65, 0.03), "ear": (0.02, 1.63, 0.08), "neck": (0.0, 1.47, 0.0),
    "upper_neck": (0.0, 1.52, 0.0), "head_top": (0.0, 1.75, 0.0), "shoulder": (0.0, 1.44, 0.18), "elbow": (0.0, 1.13, 0.22),
    "wrist": (0.05, 0.88, 0.22), "index": (0.07, 0.78, 0.22), "hip_mid": (0.0, 0.93, 0.0), "hip": (0.0, 0.93, 0.09),
    "knee": (0.0, 0.50, 0.09), "ankle": (0.0, 0.08, 0.09), "heel": (-0.06, 0.02, 0.09), "big_toe": (0.15, 0.02, 0.08),
    "small_toe": (0.12, 0.02, 0.13),
}  # fmt: skip
"""Forward, up, outwards [m]."""


def standing() -> np.ndarray:
    """Points of somebody who faces X, the right side at Z."""
    rows = []
    for name in NAMES:
        part, side = (name[:-2], -1.0 if name[-1] == "l" else 1.0) if name[-2:] in ("_r", "_l") else (name, 1.0)
        x, y, z = PLACE[part]
        rows.append((x, y, side * z))
    return np.array(rows)


def seen_from(bearing: float) -> dict[str, float]:
    """What is hidden when the camera stands 4 m away at this angle from where the person faces towards their right [rad]."""
    forward = -np.array([np.cos(bearing), 0.0, np.sin(bearing)])
    right = np.cross(forward, [0.0, 1.0, 0.0])
    R = np.stack([right, [0.0, -1.0, 0.0], forward])
    local = (standing() - (np.array([0.0, 1.0, 0.0]) - 4.0 * forward)) @ R.T
    return dict(zip(NAMES, np.asarray(hidden_by_body(jnp.asarray(local[None]), HEIGHT))[0], strict=True))


def test_nothing_of_the_limbs_is_hidden_from_the_front():
    assert max(value for name, value in seen_from(0.0).items() if name[-2:] in ("_r", "_l")) < 0.3


@pytest.mark.parametrize(("bearing", "near", "far"), [(np.pi / 2, "r", "l"), (-np.pi / 2, "l", "r")])
def test_the_far_limbs_are_hidden_from_aside(bearing, near, far):
    hidden = seen_from(bearing)
    for part in ("elbow", "wrist", "knee", "shoulder"):
        assert hidden[f"{part}_{far}"] > 0.7, part
        assert hidden[f"{part}_{near}"] < 0.3, part


def test_the_face_is_hidden_from_behind_and_plain_from_the_front():
    assert min(seen_from(np.pi)[name] for name in ("nose", "eye_r", "eye_l")) > 0.7
    assert max(seen_from(0.0)[name] for name in ("nose", "eye_r", "eye_l", "ear_r", "ear_l")) < 0.3
    aside = seen_from(np.pi / 2)
    assert aside["ear_l"] > 0.7 > 0.3 > aside["ear_r"]
