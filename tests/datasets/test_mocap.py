import json
from pathlib import Path

import numpy as np
import pytest

from monomsk.datasets.mocap import SOURCES, joint_centers, read_mocap
from monomsk.errors import FormatError

TURN = np.array([0.0, 0.0, np.sqrt(0.5), np.sqrt(0.5)])
"""A quarter turn about Z, x y z w."""
STILL = np.array([0.0, 0.0, 0.0, 1.0])
OWN_PARENT = {"names": ["a"], "parents": [0], "bone_vec_m": [[0, 0, 0]]}


def archive(path: Path, **changes: object) -> Path:
    """Two clips of a skeleton with three bones, the first turned a quarter about Z in its middle joint."""
    bones = [[0, 0, 0], [0, -0.4, 0], [0, -0.5, 0]]
    skeleton = {"id": "02", "names": ["root", "rfemur", "rtibia"], "parents": [-1, 0, 1], "bone_vec_m": bones}
    quaternions = np.tile(STILL, (5, 3, 1))
    quaternions[:3, 1] = TURN
    arrays = {
        "meta": np.array(json.dumps({"fps": 60, "licence": "free", "skeletons": [skeleton]})),
        "clip_name": np.array(["02_01", "02_02"]),
        "clip_start": np.array([0, 3, 5]),
        "clip_skel": np.array([0, 0]),
        "root_pos": np.tile([1.0, 2.0, 3.0], (5, 1)).astype(np.float32),
        "local_quat_xyzw": quaternions.astype(np.float16),
        **changes,
    }
    np.savez(path, **{name: value for name, value in arrays.items() if value is not None})
    return path


def test_a_bone_of_acclaim_turns_about_its_own_start_and_the_axes_become_ours(tmp_path: Path) -> None:
    first, second = read_mocap(archive(tmp_path / "a.npz"), SOURCES[0])
    # Theirs: the femur from (1, 2, 3) along +X, the tibia on from there along its own -Y, which is +X too.
    theirs = np.array([[1.0, 2.0, 3.0], [1.4, 2.0, 3.0], [1.9, 2.0, 3.0]])
    ours = np.stack([theirs[:, 2], theirs[:, 1], -theirs[:, 0]], -1)
    np.testing.assert_allclose(first.markers.xyz, np.tile(ours, (3, 1, 1)), atol=1e-3)
    assert first.markers.names == ("root", "rfemur", "rtibia")
    np.testing.assert_allclose(np.diff(first.markers.time), 1.0 / 60.0)
    assert (first.person, first.name, first.licence, first.commercial_use, first.split) == ("cmu-02", "02_01", "free", True, None)
    assert len(second.markers.time) == 2


def test_a_joint_of_a_bvh_file_turns_what_hangs_on_it() -> None:
    local = np.tile(STILL, (1, 2, 1))
    local[0, 0] = TURN
    at = joint_centers((-1, 0), np.array([[0.0, 0, 0], [0.0, -0.4, 0]]), 3.0 * local, np.zeros((1, 3)), False)
    np.testing.assert_allclose(at[0, 1], [0.4, 0.0, 0.0], atol=1e-12)


def test_the_names_of_clips_say_who_did_what(tmp_path: Path) -> None:
    hdm = archive(tmp_path / "h.npz", clip_name=np.array(["HDM_mm_squat1Reps_037_120", "HDM_tr_kickLFront1Reps_025_120"]))
    assert [(r.person, r.activity) for r in read_mocap(hdm, SOURCES[1])] == [("hdm05-mm", "squat1Reps"), ("hdm05-tr", "kickLFront1Reps")]
    bandai = archive(tmp_path / "b.npz", clip_name=np.array(["dataset-1_walk-left_old_001", "dataset-1_bow_sad_002"]))
    found = list(read_mocap(bandai, SOURCES[2]))
    assert [(r.person, r.activity) for r in found] == [("bandai1", "walk-left_old"), ("bandai1", "bow_sad")]
    assert not found[0].commercial_use


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"root_pos": None}, "no array 'root_pos'"),
        ({"meta": np.array("{")}, "description"),
        ({"meta": np.array(json.dumps({"fps": 60, "licence": "x", "skeletons": [OWN_PARENT]}))}, "fit each other"),
        ({"clip_start": np.array([0, 3, 4])}, "clip_start"),
        ({"clip_skel": np.array([0, 1])}, "skeleton 1"),
        ({"local_quat_xyzw": np.zeros((5, 3, 4), np.float16)}, "rotation"),
        ({"local_quat_xyzw": np.tile(STILL, (5, 2, 1))}, "2 joints"),
    ],
)
def test_damage_is_one_line_that_names_the_file(tmp_path: Path, changes: dict[str, object], said: str) -> None:
    with pytest.raises(FormatError, match=said) as caught:
        list(read_mocap(archive(tmp_path / "broken.npz", **changes), SOURCES[0]))
    assert "broken.npz" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_no_archive(tmp_path: Path) -> None:
    (tmp_path / "x.npz").write_bytes(b"PK not really")
    with pytest.raises(FormatError, match=r"not an \.npz"):
        list(read_mocap(tmp_path / "x.npz", SOURCES[0]))


def test_the_real_archives_hold_people_who_stand_upright(shared: Path) -> None:
    for source in SOURCES:
        recording = next(read_mocap(shared / "data" / "mocap" / source.file, source))
        names, xyz = recording.markers.names, recording.markers.xyz
        head, foot = (names.index(n) for n in (("head", "rfoot") if "head" in names else ("Head", "Foot_R")))
        assert (xyz[:, head, 1] - xyz[:, foot, 1])[0] > 1.0
        left, right = (names.index(n) for n in (("lfemur", "rfemur") if "head" in names else ("LowerLeg_L", "LowerLeg_R")))
        toes = names.index("rtoes" if "head" in names else "Toes_R")
        # Forward × up is the right-hand side: the right knee lies there, seen along the foot.
        ahead = xyz[:, toes] - xyz[:, foot]
        side = np.cross(ahead, [0.0, 1.0, 0.0])
        assert (np.einsum("ti,ti->t", side, xyz[:, right] - xyz[:, left]) > 0.0).mean() > 0.9
