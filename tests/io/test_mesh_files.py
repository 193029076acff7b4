"""Each format, made here as its program writes it, becomes the same common thing."""

import pickle
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from io_files import torch_save
from monomsk.errors import FormatError
from monomsk.io.mesh_files import read_mesh
from monomsk.mesh_track import SKEL_ANGLES, VERTICES

RNG = np.random.default_rng(0)
FRAMES = 4
TILT = Rotation.from_euler("x", 0.2)
"""Takes the camera's axes to those of a world whose Y points up, after turning upside down."""


def dump(path: Path, value: object) -> Path:
    path.write_bytes(pickle.dumps(value))
    return path


def roots() -> tuple[np.ndarray, np.ndarray]:
    """The root's rotation vectors in a camera tilted by 0.2 rad, and in the world."""
    world = Rotation.from_euler("yxz", RNG.normal(0, 0.3, (FRAMES, 3)))
    R_camera_world = TILT * Rotation.from_euler("x", np.pi)
    return (R_camera_world * world).as_rotvec(), world.as_rotvec()


def wham(frames: int, vertices: np.ndarray | None = None) -> dict:
    camera, world = roots()
    pose, pose_world = np.zeros((FRAMES, 72)), np.zeros((FRAMES, 72))
    pose[:, :3], pose_world[:, :3] = camera, world
    verts = RNG.normal(size=(FRAMES, 6890, 3)) if vertices is None else vertices
    rows = {"pose": pose, "pose_world": pose_world, "trans": np.ones((FRAMES, 3)), "betas": np.zeros((FRAMES, 10)), "verts": verts}
    return {k: v[:frames] for k, v in rows.items()} | {"frame_ids": np.arange(10, 10 + frames)}


def test_wham(tmp_path: Path) -> None:
    people = defaultdict(dict, {0: wham(2), 3: wham(4)})
    path = dump(tmp_path / "wham_output.pkl", people)
    track = read_mesh(path)
    assert (track.source, track.person, track.topology) == ("wham", "3", "smpl")
    np.testing.assert_array_equal(track.frame, [10, 11, 12, 13])
    np.testing.assert_array_equal(track.vertices, people[3]["verts"])
    np.testing.assert_allclose(track.down, TILT.apply([0.0, 1.0, 0.0]), atol=1e-12)
    assert len(read_mesh(path, person="0").frame) == 2
    with pytest.raises(FormatError, match=r"no person '7'; there are: 0 \(2 frames\), 3 \(4 frames\)"):
        read_mesh(path, person="7")


def test_gvhmr(tmp_path: Path) -> None:
    camera, world = roots()
    rest = {"body_pose": RNG.normal(size=(FRAMES, 63)), "betas": np.ones((FRAMES, 10)), "transl": np.ones((FRAMES, 3))}
    K = np.broadcast_to(np.diag([900.0, 900.0, 1.0]), (FRAMES, 3, 3))
    content = {"smpl_params_incam": rest | {"global_orient": camera}, "smpl_params_global": rest | {"global_orient": world}, "K_fullimg": K}
    torch_save(tmp_path / "hmr4d_results.pt", content)
    track = read_mesh(tmp_path / "hmr4d_results.pt")
    assert (track.source, track.topology, track.focal) == ("gvhmr", "smplx", 900.0)
    np.testing.assert_allclose(track.rotations[:, 0], camera, rtol=1e-6)
    np.testing.assert_allclose(track.rotations[:, 1:].reshape(FRAMES, 63), rest["body_pose"], rtol=1e-6)
    np.testing.assert_allclose(track.down, TILT.apply([0.0, 1.0, 0.0]), atol=1e-6)


def test_4dhumans(tmp_path: Path) -> None:
    turn = Rotation.from_rotvec(RNG.normal(size=(24, 3)))
    smpl = {"global_orient": turn.as_matrix()[:1], "body_pose": turn.as_matrix()[1:], "betas": np.ones(10)}
    joints = RNG.normal(size=(FRAMES, 45, 3))
    content = {}
    for i in range(FRAMES):
        mine = {"3d_joints": [joints[i] + 9, joints[i]], "camera": [np.ones(3)] * 2, "smpl": [smpl] * 2}
        seen = mine if i else {key: values[1:] for key, values in mine.items()}
        content[f"_DEMO/img/{i + 1:06d}.jpg"] = {"time": i, "tid": [5, 2] if i else [2], **seen}
    remembered = {k: [v[1]] for k, v in mine.items()}
    content["_DEMO/img/000099.jpg"] = {"time": 98, "tid": [2], "tracked_time": [3], **remembered}
    path = dump(tmp_path / "demo_walk.pkl", content)
    track = read_mesh(path)
    assert (track.source, track.person) == ("4dhumans", "2")
    np.testing.assert_array_equal(track.joints, joints[:, :25])
    np.testing.assert_allclose(track.rotations[0], turn.as_rotvec(), atol=1e-12)
    assert track.names[9] == "hip_r"
    assert len(read_mesh(path, person="5").frame) == FRAMES - 1


def test_hsmr(tmp_path: Path) -> None:
    angles = RNG.normal(size=(FRAMES, 46))
    rows = np.empty(FRAMES, object)
    rows[:] = [{"poses": row[None], "betas": np.zeros((1, 10)), "full_cam_t": np.ones((1, 3))} for row in angles]
    np.save(tmp_path / "HSMR-walk.npy", rows, allow_pickle=True)
    np.savez(tmp_path / "HSMR-walk.npz", poses=angles, betas=np.zeros((FRAMES, 10)), full_cam_t=np.ones((FRAMES, 3)))
    for name in ("HSMR-walk.npy", "HSMR-walk.npz"):
        track = read_mesh(tmp_path / name)
        assert (track.source, track.topology) == ("hsmr", "skel")
        np.testing.assert_array_equal(track.angles, angles)
        np.testing.assert_array_equal(track.translation, np.ones((FRAMES, 3)))
    assert len(SKEL_ANGLES) == 46
    assert (SKEL_ANGLES[6], SKEL_ANGLES[36 - 4], SKEL_ANGLES[45]) == ("knee_angle_r", "elbow_flexion_r", "wrist_l_2")


def test_sam3d(tmp_path: Path) -> None:
    points, place = RNG.normal(size=(FRAMES, 70, 3)), np.array([0.1, 0.2, 4.0])
    frames = [[{"pred_keypoints_3d": row, "pred_cam_t": place, "focal_length": np.float32(1000.0)}] for row in points]
    track = read_mesh(dump(tmp_path / "sam.pkl", [*frames[:2], [], *frames[2:]]))
    np.testing.assert_array_equal(track.frame, [0, 1, 3, 4])
    np.testing.assert_allclose(track.joints, points + place)
    assert (track.names[69], track.names[41], track.focal) == ("neck", "wrist_r", 1000.0)
    with pytest.raises(FormatError, match="frame 1 shows 2 people"):
        read_mesh(dump(tmp_path / "sam.pkl", [frames[0], frames[1] * 2]))


def test_npz(tmp_path: Path) -> None:
    joints = RNG.normal(size=(FRAMES, 2, 3))
    np.savez(tmp_path / "a.npz", joints3d=joints, names=["hip_r", "hip_l"], trans=np.ones((FRAMES, 3)))
    track = read_mesh(tmp_path / "a.npz")
    np.testing.assert_allclose(track.joints, joints + 1.0)
    assert track.names == ("hip_r", "hip_l")
    np.savez(tmp_path / "a.npz", joints3d=joints, names=["hip_r"])
    with pytest.raises(FormatError, match="do not go with 1 names"):
        read_mesh(tmp_path / "a.npz")


def test_what_is_none_of_them_is_refused(tmp_path: Path) -> None:
    path = dump(tmp_path / "a.pkl", {"x": np.zeros(3)})
    with pytest.raises(FormatError, match="holds none of the formats"):
        read_mesh(path)
    with pytest.raises(FormatError, match="is not a result of gvhmr"):
        read_mesh(path, "gvhmr")
    with pytest.raises(FormatError, match="mesh format 'smplify' is not known"):
        read_mesh(path, "smplify")
    with pytest.raises(FormatError, match="no such file"):
        read_mesh(tmp_path / "none.pkl")


def test_vertices_of_the_two_sides_are_in_pairs() -> None:
    for topology, count in (("smpl", 6890), ("smplx", 10475)):
        ids = VERTICES[topology]
        assert len(set(ids.values())) == len(ids)
        assert max(ids.values()) < count
        for name in ids:
            twin = name[:-1] + "l" if name.endswith("_r") else "L" + name[1:] if name[0] == "R" else name
            assert twin in ids
