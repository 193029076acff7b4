import dataclasses

import numpy as np
import pytest

from monomsk.datasets.clip import SIZE, build_scene, clip_key, clip_time, draw_clip, scene_camera, truth, truth_arrays
from monomsk.datasets.scene import frames, project
from monomsk.io import arrays_npz

FEW = [0, 60, 120, 180, 240, 269]


@pytest.fixture(scope="module")
def found(walk):
    return truth(walk.model, walk.gait)


@pytest.fixture(scope="module")
def scene(walk, found):
    return build_scene(walk.model, walk.gait, dataclasses.replace(found, q=found.q[FEW]))


@pytest.fixture(scope="module")
def pictures(scene):
    return list(frames(scene))


def test_the_camera_is_upright_and_stands_in_the_room():
    camera = scene_camera()
    R = camera.R_camera_ground
    np.testing.assert_allclose(R @ R.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(R) == pytest.approx(1.0)
    np.testing.assert_allclose(camera.gravity, R @ [0.0, -1.0, 0.0])
    assert 0.97 < camera.gravity[1] < 1.0
    np.testing.assert_allclose(-R.T @ camera.p_camera_ground, [4.72, 1.2, 4.3])


def test_the_whole_person_is_always_in_the_picture(scene):
    xy, depth = project(scene.camera, scene.points)
    assert depth.min() > 3.0
    assert xy.min() > 15.0
    assert np.all(xy.max((0, 1)) < np.array(SIZE) - 15.0)
    tall = np.ptp(xy[..., 1], axis=1)
    assert tall.min() > 0.3 * SIZE[1]


def test_the_person_is_drawn_where_the_joints_are(walk, found, scene, pictures):
    arrays = truth_arrays(walk.model, walk.gait, found, scene.camera)
    seen = arrays["joint_centers"][FEW] @ arrays["R_camera_ground"].T + arrays["p_camera_ground"]
    xy = (seen @ arrays["K"].T)[..., :2] / seen[..., 2:]
    body = list(arrays["bodies"]).index("pelvis")
    for picture, other, at in zip(pictures, pictures[1:] + pictures[:1], xy[:, body], strict=True):
        column, row = np.round(at).astype(int)
        here = (slice(row - 5, row + 5), slice(column - 5, column + 5))
        assert np.abs(picture[here].astype(float) - other[here]).mean() > 15.0


def test_the_pose_estimator_finds_the_joints(found, walk, scene, pictures):
    mediapipe = pytest.importorskip("mediapipe")
    arrays = truth_arrays(walk.model, walk.gait, found, scene.camera)
    xy, depth = project(scene.camera, arrays["joint_centers"][FEW])
    bodies = list(arrays["bodies"])
    points = {"humerus_r": 12, "femur_r": 24, "femur_l": 23, "tibia_r": 26, "talus_r": 28, "talus_l": 27}
    errors = []
    with mediapipe.solutions.pose.Pose(static_image_mode=True, model_complexity=1) as pose:
        for picture, joints, z in zip(pictures, xy, depth, strict=True):
            answer = pose.process(picture)
            assert answer.pose_landmarks is not None
            tall = scene.camera.focal[0] * walk.gait.person.height / z[bodies.index("pelvis")]
            for body, index in points.items():
                landmark = answer.pose_landmarks.landmark[index]
                place = np.array([landmark.x * SIZE[0], landmark.y * SIZE[1]])
                errors.append(np.linalg.norm(place - joints[bodies.index(body)]) / tall)
    assert np.median(errors) < 0.025


def test_the_movie_and_its_truth_come_together(scene, tmp_path, monkeypatch):
    monkeypatch.setattr("monomsk.datasets.clip.draw_room", lambda camera: scene.room)
    monkeypatch.setattr("monomsk.datasets.clip.clip_time", lambda: clip_time()[::60])
    told: list[float] = []
    draw_clip(tmp_path / "clip.mp4", told.append)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["clip.mp4", "truth.npz"]
    import av

    with av.open(str(tmp_path / "clip.mp4")) as container:
        stream = container.streams.video[0]
        assert (stream.width, stream.height) == SIZE
        assert stream.average_rate == 60
        assert sum(1 for _ in container.decode(stream)) == 5
    assert told[-1] == 1.0
    arrays = arrays_npz.read(tmp_path / "truth.npz")
    assert arrays["q"].shape == (5, len(arrays["coordinates"]))


def test_the_key_is_steady():
    assert clip_key() == clip_key()
    assert len(clip_key()) == 12
