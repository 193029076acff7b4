import numpy as np
import pytest

from monomsk.errors import KeypointError
from monomsk.markers.lift import lift
from monomsk.types import Keypoints, Subject
from walker import CAMERA, seen_walker

PERSON = Subject(1.75, 72.0)


def test_markers_lie_on_their_rays_near_the_truth():
    _, truth, keypoints, R, p = seen_walker(frames=40)
    markers, camera = lift(keypoints, CAMERA, PERSON)
    in_camera = markers.xyz @ camera.R_camera_ground.T + camera.p_camera_ground
    pixels = in_camera[..., :2] / in_camera[..., 2:] * np.array(CAMERA.focal) + np.array(CAMERA.center)
    np.testing.assert_allclose(pixels, keypoints.xy, atol=1e-6)
    true_camera = truth @ R.T + p
    assert np.linalg.norm(in_camera - true_camera, axis=-1).mean() < 0.12


def test_the_ground_frame_stands_upright_on_the_floor_and_looks_along_the_way():
    _, _, keypoints, _, _ = seen_walker(frames=60)
    markers, camera = lift(keypoints, CAMERA, PERSON)
    np.testing.assert_allclose(camera.R_camera_ground[:, 1], -CAMERA.gravity, atol=1e-12)
    np.testing.assert_allclose(camera.R_camera_ground @ camera.R_camera_ground.T, np.eye(3), atol=1e-12)
    hips = markers.xyz[:, [markers.names.index("hip_r"), markers.names.index("hip_l")]].mean(1)
    way = hips[-1] - hips[0]
    assert way[0] > 0.9 * np.linalg.norm(way)
    ankles = markers.xyz[:, [markers.names.index("ankle_r"), markers.names.index("ankle_l")], 1]
    assert -0.1 < np.quantile(ankles, 0.1) < 0.1


def test_a_taller_person_is_farther_away():
    _, _, keypoints, _, _ = seen_walker(frames=30)
    near, far = (lift(keypoints, CAMERA, Subject(h, 70.0)) for h in (1.5, 2.0))
    distance = [np.nanmean(m.xyz @ c.R_camera_ground.T + c.p_camera_ground, (0, 1))[2] for m, c in (near, far)]
    assert distance[1] / distance[0] == pytest.approx(2.0 / 1.5, rel=0.02)


def test_missing_keypoints_stay_missing():
    _, _, keypoints, _, _ = seen_walker(frames=30)
    sigma = keypoints.sigma.copy()
    sigma[5:9, 3] = np.inf
    markers, _ = lift(Keypoints(keypoints.time, keypoints.names, keypoints.xy, sigma, keypoints.depth), CAMERA, PERSON)
    assert np.isnan(markers.xyz[5:9, 3]).all()
    assert np.isinf(markers.sigma[5:9, 3]).all()
    assert np.isfinite(np.delete(markers.xyz, 3, axis=1)).all()


def test_without_depth_the_stature_places_the_person():
    _, truth, keypoints, R, p = seen_walker(frames=30)
    flat = Keypoints(keypoints.time, keypoints.names, keypoints.xy, keypoints.sigma)
    markers, camera = lift(flat, CAMERA, PERSON)
    depth = (markers.xyz @ camera.R_camera_ground.T + camera.p_camera_ground)[..., 2].mean()
    assert depth == pytest.approx((truth @ R.T + p)[..., 2].mean(), rel=0.1)


def test_a_person_never_seen_whole_is_refused():
    _, _, keypoints, _, _ = seen_walker(frames=30)
    sigma = np.full_like(keypoints.sigma, np.inf)
    sigma[:, :3] = 5.0
    with pytest.raises(KeypointError, match="film the whole body"):
        lift(Keypoints(keypoints.time, keypoints.names, keypoints.xy, sigma, keypoints.depth), CAMERA, PERSON)
