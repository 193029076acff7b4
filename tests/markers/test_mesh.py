"""A mesh takes the place of guessed depth: whatever its own size, distance and focal length."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from monomsk.errors import FormatError
from monomsk.markers.mesh import lift_mesh, mesh_points
from monomsk.mesh_track import VERTICES, MeshTrack
from monomsk.types import Clip, Subject
from walker import CAMERA, RATE, seen_walker

FRAMES = 40
PERSON = Subject(1.75, 72.0)


def clip(frames: int = FRAMES, first: int = 0) -> Clip:
    time = np.arange(frames) / RATE
    return Clip(Path("walk.mp4"), CAMERA.size, 0, time, (first, first + frames), time, 0.0)


def walking(size: float = 1.0, away: float = 0.0) -> MeshTrack:
    """The walker's own points as a mesh program would give them: of another size, at another distance."""
    _, truth, keypoints, R, p = seen_walker(frames=FRAMES)
    joints = size * (truth @ R.T + p) + [0.0, 0.0, away]
    return MeshTrack("npz", np.arange(FRAMES), "0", keypoints.names, joints)


@pytest.mark.parametrize(("size", "away"), [(1.0, 0.0), (0.9, 3.0), (1.2, 40.0)])
def test_depth_comes_from_the_mesh_and_size_from_the_person(size: float, away: float) -> None:
    _, truth, keypoints, R, p = seen_walker(frames=FRAMES)
    flat = replace(keypoints, depth=None)
    markers, camera, guided = lift_mesh(flat, walking(size, away), clip(), CAMERA, PERSON)
    found = markers.xyz @ camera.R_camera_ground.T + camera.p_camera_ground
    true = truth @ R.T + p
    hips = [markers.names.index("hip_r"), markers.names.index("hip_l")]
    relative = [a - a[:, hips].mean(1, keepdims=True) for a in (found, true)]
    # The walker's own segments, not a table's, give his size: a few per cent.
    assert np.linalg.norm(relative[0] - relative[1], axis=-1).mean() < 0.04
    np.testing.assert_allclose(guided.xy, keypoints.xy)
    np.testing.assert_allclose(guided.depth, size * keypoints.depth, atol=1e-12)
    pixels = found[..., :2] / found[..., 2:] * np.array(CAMERA.focal) + np.array(CAMERA.center)
    np.testing.assert_allclose(pixels, keypoints.xy, atol=1e-6)


def test_further_markers_come_along() -> None:
    keypoints = seen_walker(frames=FRAMES)[2]
    track = walking(0.9, 3.0)
    lean = replace(track, names=(*track.names, "RASI"), joints=np.concatenate([track.joints, track.joints[:, :1]], 1))
    markers, _, _ = lift_mesh(keypoints, lean, clip(), CAMERA, PERSON)
    assert markers.names == (*keypoints.names, "RASI")
    np.testing.assert_allclose(markers.xyz[:, -1], markers.xyz[:, 0], atol=0.02)


def test_points_and_frames_without_the_mesh_are_missing() -> None:
    keypoints = seen_walker(frames=FRAMES)[2]
    track = walking()
    part = replace(track, names=track.names[:-1], joints=track.joints[:20, :-1], frame=track.frame[:20] + 100)
    markers, _, guided = lift_mesh(keypoints, part, clip(first=100), CAMERA, PERSON)
    assert np.isnan(markers.xyz[:, -1]).all()
    assert np.isfinite(markers.xyz[:20, :-1]).all()
    assert np.isnan(markers.xyz[20:]).all()
    assert np.isinf(markers.sigma[20:]).all()
    assert np.isinf(guided.sigma[20:]).all()
    with pytest.raises(FormatError, match="does it belong to this video"):
        lift_mesh(keypoints, part, clip(), CAMERA, PERSON)


def test_gravity_of_the_mesh_replaces_a_guess_alone() -> None:
    keypoints, track = seen_walker(frames=FRAMES)[2], replace(walking(), down=np.array([0.0, 0.8, 0.6]))
    for source, expected in (("prior", track.down), ("vanishing_point", CAMERA.gravity)):
        _, camera, _ = lift_mesh(keypoints, track, clip(), replace(CAMERA, gravity_source=source), PERSON)
        np.testing.assert_allclose(camera.gravity, expected)


def test_joint_centres_come_from_vertices() -> None:
    """A pelvis of known breadth and depth, an upright trunk: Harrington's and Rab's formulas by hand."""
    vertices = np.zeros((2, 6890, 3))

    def put(name: str, *place: float) -> None:
        vertices[:, VERTICES["smpl"][name]] = place

    # Facing the camera: right is −x, forward is −z, up is −y.
    for side, x in (("R", -1.0), ("L", 1.0)):
        put(f"{side}ASI", 0.12 * x, 0.0, 3.0)
        put(f"{side}PSI", 0.05 * x, 0.0, 3.15)
        put(f"{side}ACR", 0.2 * x, -0.5, 3.075)
        put(f"{side}LFC", 0.2 * x, 0.5, 3.0)
        put(f"{side}MFC", 0.1 * x, 0.5, 3.0)
    points = mesh_points(MeshTrack("wham", np.arange(2), "0", vertices=vertices, topology="smpl"))
    out, back, low = 0.33 * 0.24 + 0.0073, 0.24 * 0.15 + 0.0099, 0.30 * 0.24 + 0.0109
    np.testing.assert_allclose(points["hip_r"], [[-out, low, 3.0 + back]] * 2, atol=1e-12)
    np.testing.assert_allclose(points["hip_l"], [[out, low, 3.0 + back]] * 2, atol=1e-12)
    np.testing.assert_allclose(points["shoulder_r"], [[-0.2, -0.5 + 0.17 * 0.4, 3.075]] * 2, atol=1e-12)
    np.testing.assert_allclose(points["knee_l"], [[0.15, 0.5, 3.0]] * 2)
    assert {"heel_r", "big_toe_l", "nose", "wrist_r", "ankle_l", "elbow_r", "RASI"} <= set(points)


def test_parameters_alone_are_told_what_is_missing() -> None:
    with pytest.raises(FormatError, match="neither joints nor vertices"):
        mesh_points(MeshTrack("hsmr", np.arange(2), "0", angles=np.zeros((2, 46))))
