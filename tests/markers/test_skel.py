"""SKEL's angles pose the shipped body: checked against what SKEL and HSMR themselves gave, and by eye-witness facts of posture."""

from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from monomsk.errors import FormatError
from monomsk.io.body import load_anatomy, load_body
from monomsk.markers.skel import CAMERA_OF_BODY, bone_turns, with_angles
from monomsk.mesh_track import SKEL_ANGLES, SKEL_PARTS, MeshTrack
from monomsk.model.compile import compile_model
from monomsk.physics.forward_kinematics import forward_kinematics

BEFORE_THE_CAMERA = {"pelvis_tilt": np.pi}
ARMS_DOWN = {"humerus_r_1": 1.4, "humerus_l_1": -1.4}
STANDING = BEFORE_THE_CAMERA | ARMS_DOWN
EXCHANGED = [0, 1, 2, *range(10, 17), *range(3, 10), *range(17, 26), *range(36, 46), *range(26, 36)]
NEGATED = [1, 2, *(i + k for i in (17, 20, 23) for k in (0, 2)), *(i + k for i in (26, 29, 36, 39) for k in (0, 1))]


def angles(*postures: dict[str, float]) -> np.ndarray:
    rows = np.zeros((len(postures), 46))
    for row, posture in zip(rows, postures, strict=True):
        for name, value in posture.items():
            row[SKEL_ANGLES.index(name)] = value
    return rows


def posed(rows: np.ndarray) -> dict[str, np.ndarray]:
    track = with_angles(MeshTrack("hsmr", np.arange(len(rows)), "0", angles=rows), *body())
    return {name: track.joints[:, k] for k, name in enumerate(track.names)}


@cache
def body():
    return load_body(), load_anatomy()


def degrees_between(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.degrees(np.arccos(a @ b / np.linalg.norm(a) / np.linalg.norm(b))))


def test_every_angle_turns_a_bone() -> None:
    assert sum(len(part.axes) for part in SKEL_PARTS) == len(SKEL_ANGLES) == 46
    names = ["", *(part.name for part in SKEL_PARTS)]
    assert all(part.parent in names[: k + 1] for k, part in enumerate(SKEL_PARTS))


def test_the_pelvis_is_turned_as_hsmr_turned_it() -> None:
    """Two people before a camera: root angles and the rotation from (left, up, forward) to x right, y down, z forward that HSMR gave.

    Published in Ke-Chen-kyrie/HSMR, docs/_robot_latest_3d.json.
    """
    roots = [[2.973808, 0.096779, -0.364586], [-2.818951, -0.044179, 0.077739]]
    given = [
        [[0.966066, 0.137976, 0.218354], [0.104141, -0.981679, 0.159563], [0.236369, -0.131409, -0.962736]],
        [[0.977346, 0.017003, -0.210963], [-0.051435, -0.947805, -0.314675], [-0.205302, 0.318397, -0.925459]],
    ]
    rows = np.zeros((2, 46))
    rows[:, :3] = roots
    found = CAMERA_OF_BODY @ bone_turns(rows)["pelvis"] @ CAMERA_OF_BODY.T
    apart = Rotation.from_matrix(found @ np.swapaxes(given, -1, -2)).magnitude()
    assert np.degrees(apart).max() < 1.0


def test_limbs_lie_as_in_two_postures_of_skel() -> None:
    """Joints that SKEL gave [m] (Ke-Chen-kyrie/HSMR, docs/_bone_data.js), zero angles and another posture: limbs point the same way."""
    rows = angles({}, {"pelvis_tilt": 0.15, "knee_angle_r": 1.2, "humerus_l_2": -1.2, "elbow_flexion_l": 1.6})
    given = {
        ("hip_r", "knee_r"): ([-0.018, -0.415, -0.023], [-0.014, -0.414, 0.040]),
        ("knee_r", "ankle_r"): ([-0.003, -0.427, -0.055], [0.006, -0.165, -0.398]),
        ("knee_l", "ankle_l"): ([0.006, -0.426, -0.058], [0.011, -0.430, 0.006]),
        ("shoulder_r", "elbow_r"): ([-0.279, -0.023, -0.044], [-0.279, -0.032, -0.040]),
        ("shoulder_l", "elbow_l"): ([0.277, -0.021, -0.041], [0.274, -0.026, -0.052]),
        ("elbow_r", "wrist_r"): ([-0.267, 0.016, -0.002], [-0.268, 0.013, -0.004]),
        ("elbow_l", "wrist_l"): ([0.267, 0.016, -0.004], [-0.027, -0.184, 0.192]),
        ("hip_mid", "neck"): ([-0.004, 0.555, -0.043], [-0.010, 0.542, -0.126]),
    }
    points = posed(rows)
    for (start, end), directions in given.items():
        for row, direction in enumerate(directions):
            assert degrees_between(points[end][row] - points[start][row], np.array(direction)) < 6.0, (start, end, row)


def test_somebody_who_stands_before_the_camera() -> None:
    """Camera: x right, y down, z away. He looks into it, so his right is the picture's left and forwards is towards the camera."""
    points = {name: xyz[0] for name, xyz in posed(angles(STANDING)).items()}
    assert points["nose"][1] < points["neck"][1] < points["hip_mid"][1] < points["knee_r"][1] < points["ankle_r"][1] < points["heel_r"][1]
    for part in ("hip", "knee", "ankle", "shoulder", "elbow", "wrist", "ear", "heel"):
        assert points[f"{part}_r"][0] < 0.0 < points[f"{part}_l"][0]
    assert points["nose"][2] < points["ear_r"][2] - 0.05
    assert points["RASI"][2] < points["RPSI"][2] - 0.1
    for side in "rl":
        assert points[f"big_toe_{side}"][2] < points[f"heel_{side}"][2] - 0.15
        assert points[f"wrist_{side}"][1] > points[f"elbow_{side}"][1] > points[f"shoulder_{side}"][1] + 0.2
        assert abs(points[f"small_toe_{side}"][0]) > abs(points[f"big_toe_{side}"][0])
        assert abs(points[f"{side.upper()}LMAL"][0]) > abs(points[f"{side.upper()}MMAL"][0])
    tall = points["heel_r"][1] - points["nose"][1]
    assert 1.4 < tall < 1.7


@pytest.mark.parametrize(
    ("name", "value", "point", "change"),
    [
        # change: (right, down, away), what the posture does to the point at least [m]; 0: not told.
        ("hip_flexion_{s}", 0.8, "knee_{s}", (0, -0.08, -0.2)),
        ("hip_adduction_{s}", 0.3, "ankle_{s}", ("in", 0, 0)),
        ("hip_rotation_{s}", 0.4, "big_toe_{s}", ("in", 0, 0)),
        ("knee_angle_{s}", 1.2, "ankle_{s}", (0, -0.15, 0.3)),
        ("ankle_angle_{s}", 0.4, "big_toe_{s}", (0, -0.05, 0)),
        ("elbow_flexion_{s}", 1.5, "wrist_{s}", (0, -0.15, -0.15)),
        ("lumbar_2", 0.5, "nose", (0, 0, 0.15)),
        ("lumbar_1", 0.4, "nose", (-0.15, 0, 0)),
        ("lumbar_3", 0.5, "shoulder_r", (0, 0, -0.05)),
        ("thorax_2", -0.5, "nose", (0, 0.05, -0.1)),
        ("head_3", 0.6, "nose", (0.04, 0, 0)),
        ("scapula_r_2", -0.4, "shoulder_r", (0, -0.02, 0)),
        ("scapula_l_2", 0.4, "shoulder_l", (0, -0.02, 0)),
        ("scapula_r_1", 0.4, "shoulder_r", (0, 0, -0.02)),
        ("scapula_l_1", -0.4, "shoulder_l", (0, 0, -0.02)),
    ],
)
def test_angles_move_what_their_names_say(name: str, value: float, point: str, change: tuple[float | str, ...]) -> None:
    for side, inwards in (("r", 0.05), ("l", -0.05)):
        before, after = posed(angles(STANDING, STANDING | {name.format(s=side): value}))[point.format(s=side)]
        for axis, least in enumerate(inwards if c == "in" else c for c in change):
            assert np.sign(least) * (after - before)[axis] >= abs(least), (side, axis, after - before)


def test_a_limb_moves_alone() -> None:
    still, moved = np.stack(list(posed(angles(STANDING, STANDING | {"knee_angle_l": 1.0})).values()), 1)
    names = list(posed(angles(STANDING)))
    changed = {name for name, a, b in zip(names, still, moved, strict=True) if np.linalg.norm(a - b) > 1e-9}
    assert changed == {"ankle_l", "heel_l", "big_toe_l", "small_toe_l", "LLMAL", "LMMAL", "LMT5"}


def test_the_mirror_image() -> None:
    """The exchange of sides that HSMR trains with (skel_utils/transforms.py) mirrors the body, but for SKEL's own unevenness.

    At zero root angles: before the camera the pelvis's axes, 4 degrees askew, would show twice.
    """
    rng = np.random.default_rng(3)
    rows = angles(*[ARMS_DOWN] * 20) + rng.normal(0.0, 0.2, (20, 46))
    flipped = rows[:, EXCHANGED]
    flipped[:, NEGATED] *= -1.0
    points, other = posed(rows), posed(flipped)
    for name in points:
        if name.endswith(("_r", "_l")):
            pair = name[:-1] + {"r": "l", "l": "r"}[name[-1]]
            # One wrong sign of trunk, shoulder blade or arm makes 0.07 m or more of some point's mean.
            assert np.linalg.norm(points[name] * [-1.0, 1.0, 1.0] - other[pair], axis=-1).mean() < 0.055, name


def test_lengths_are_those_of_our_body() -> None:
    rng = np.random.default_rng(4)
    spec, _ = body()
    points = posed(rng.uniform(-1.0, 1.0, (10, 46)))
    model = compile_model(spec)
    neutral = np.asarray(jax.jit(forward_kinematics)(model, jnp.zeros(model.nq)).p)
    for start, end, first, second in (
        ("hip", "knee", "femur", "tibia"),
        ("knee", "ankle", "tibia", "talus"),
        ("shoulder", "elbow", "humerus", "ulna"),
    ):
        for side in "rl":
            length = np.linalg.norm(neutral[model.body(f"{first}_{side}")] - neutral[model.body(f"{second}_{side}")])
            found = np.linalg.norm(points[f"{start}_{side}"] - points[f"{end}_{side}"], axis=-1)
            np.testing.assert_allclose(found, length, atol=1e-4)


def test_the_spine_bows_without_stretching() -> None:
    """The neck of a spine bowed backwards: the two arcs integrated step by step."""
    lower, upper = 0.6, 0.4
    points = {name: xyz[0] for name, xyz in posed(angles({"lumbar_2": lower, "thorax_2": upper})).items()}
    straight = {name: xyz[0] for name, xyz in posed(angles({})).items()}
    height = straight["neck"][1]
    t = (np.arange(100_000) + 0.5) / 100_000
    first = 0.32 * height * np.array([-np.sin(lower * t).mean(), np.cos(lower * t).mean()])
    turned = lower + upper * t
    second = 0.68 * height * np.array([-np.sin(turned).mean(), np.cos(turned).mean()])
    expected = straight["neck"][[2, 1]] - [0.0, height] + first + second
    # The axes of SKEL's lumbar bone lean by a degree.
    np.testing.assert_allclose(points["neck"][[2, 1]], expected, atol=0.002)


def test_the_place_is_the_files_and_angles_are_needed() -> None:
    rows = angles(STANDING, STANDING)
    bare = MeshTrack("hsmr", np.arange(2), "0", angles=rows)
    placed = MeshTrack("hsmr", np.arange(2), "0", angles=rows, translation=np.array([[0.1, 0.2, 30.0], [0.2, 0.2, 31.0]]))
    shift = with_angles(placed, *body()).joints - with_angles(bare, *body()).joints
    np.testing.assert_allclose(shift, np.broadcast_to(placed.translation[:, None], shift.shape), atol=1e-9)
    with pytest.raises(FormatError, match="no angles of SKEL"):
        with_angles(MeshTrack("wham", np.arange(2), "0"), *body())
