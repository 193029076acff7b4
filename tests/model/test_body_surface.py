"""Skinning of a tiny body whose answers are known by hand."""

from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from monomsk.errors import FormatError
from monomsk.io.body_surface import read_surface
from monomsk.markers.mesh import with_surface
from monomsk.mesh_track import MeshTrack
from monomsk.model.body_surface import posed, posed_frames, thinned

# An arm along Y of two bones; a vertex at each joint and one at the tip, and one between that follows both bones alike.
TINY = {
    "v_template": np.array([[0.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 2.0, 0.0], [0.0, 1.0, 0.1]]),
    "shapedirs": np.array([[0.0, 0.0, 0.0], [0.0, 0.5, 0.0], [0.0, 1.0, 0.0], [0.0, 0.5, 0.0]])[..., None],
    "posedirs": np.zeros((4, 3, 9)),
    "weights": np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0], [0.5, 0.5]]),
    "J_regressor": np.eye(2, 4),
    "kintree_table": np.array([[2**32 - 1, 0], [0, 1]], np.uint32),
}
BENT = np.stack([np.eye(3), Rotation.from_euler("z", 90, degrees=True).as_matrix()])


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    # SMPL-X's files hold objects too, which are left alone.
    np.savez(tmp_path / "tiny.npz", joint2num=np.array({"pelvis": 0}, object), **TINY)
    return tmp_path / "tiny.npz"


def test_a_bent_elbow(tiny: Path) -> None:
    surface, topology = read_surface(tiny, 1)
    assert topology is None
    vertices, joints = posed(surface, jnp.asarray(BENT), jnp.zeros(1), jnp.array([0.0, 0.0, 5.0]))
    np.testing.assert_allclose(vertices, [[0, 0, 5], [0, 1, 5], [-1, 1, 5], [0, 1, 5.1]], atol=1e-12)
    np.testing.assert_allclose(joints, [[0, 0, 5], [0, 1, 5]], atol=1e-12)


def test_shape_lengthens_bones_and_the_root_turns_all(tiny: Path) -> None:
    surface, _ = read_surface(tiny, 1)
    turned = jnp.asarray(np.stack([Rotation.from_euler("x", 90, degrees=True).as_matrix(), BENT[1]]))
    vertices, joints = posed(surface, turned, jnp.ones(1), jnp.zeros(3))
    np.testing.assert_allclose(joints, [[0, 0, 0], [0, 0, 1.5]], atol=1e-12)
    np.testing.assert_allclose(vertices[2], [-1.5, 0, 1.5], atol=1e-12)


def test_pose_corrections_follow_the_rotation_matrices(tmp_path: Path) -> None:
    corrections = np.zeros((4, 3, 9))
    corrections[2, 2, 1] = 0.2
    np.savez(tmp_path / "tiny.npz", **(TINY | {"posedirs": corrections}))
    surface, _ = read_surface(tmp_path / "tiny.npz", 1)
    vertices, _ = posed(surface, jnp.asarray(BENT), jnp.zeros(1), jnp.zeros(3))
    np.testing.assert_allclose(vertices[2], [-1.0, 1.0, 0.2 * BENT[1][0, 1]], atol=1e-12)


def test_frames_and_fewer_vertices_equal_the_whole(tiny: Path) -> None:
    surface, _ = read_surface(tiny, 1)
    frames = jnp.asarray(np.stack([BENT, np.stack([BENT[1], BENT[1]])]))
    few, joints = posed_frames(thinned(surface, (2, 0)), frames, jnp.ones((2, 1)), jnp.ones((2, 3)))
    for t in range(2):
        vertices, expected = posed(surface, frames[t], jnp.ones(1), jnp.ones(3))
        np.testing.assert_allclose(few[t], vertices[jnp.array([2, 0])], atol=1e-12)
        np.testing.assert_allclose(joints[t], expected, atol=1e-12)


def test_files_that_do_not_fit_are_refused(tmp_path: Path, tiny: Path) -> None:
    np.savez(tmp_path / "short.npz", **{k: v for k, v in TINY.items() if k != "weights"})
    with pytest.raises(FormatError, match="has no weights"):
        read_surface(tmp_path / "short.npz", 1)
    np.savez(tmp_path / "wrong.npz", **(TINY | {"weights": np.ones((4, 3))}))
    with pytest.raises(FormatError, match="weights"):
        read_surface(tmp_path / "wrong.npz", 1)
    with pytest.raises(FormatError, match="do not fit"):
        read_surface(tiny, 10)
    (tmp_path / "smpl.pkl").write_bytes(b"cchumpy.ch\nCh\n.")
    with pytest.raises(FormatError, match=r"objects of chumpy or scipy: .* save the arrays v_template"):
        read_surface(tmp_path / "smpl.pkl", 10)


def test_a_body_of_another_kind_is_refused(tiny: Path) -> None:
    surface, topology = read_surface(tiny, 1)
    track = MeshTrack("gvhmr", np.arange(2), "0", topology="smplx", rotations=np.zeros((2, 22, 3)), shape=np.zeros((2, 1)))
    with pytest.raises(FormatError, match="no rotations that a body model"):
        with_surface(track, surface, topology)
    whole = MeshTrack(
        "gvhmr", np.arange(2), "0", topology="smplx", rotations=track.rotations, shape=track.shape, translation=np.zeros((2, 3))
    )
    with pytest.raises(FormatError, match="needs a body model of smplx, not of an unknown body"):
        with_surface(whole, surface, topology)
