"""Inverse kinematics from markers: motions that are known beforehand, and what OpenSim's tool finds in the same files."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from monomsk.errors import InputError
from monomsk.io import osim_write, results, trc
from monomsk.io.body import load_body
from monomsk.kinematics.tracking import Task, track
from monomsk.model.compile import compile_model
from monomsk.model.model import complete
from monomsk.model.spec import ModelSpec
from monomsk.physics.forward_kinematics import forward_kinematics, marker_positions
from monomsk.types import Markers

FRAMES = 40


@cache
def body() -> ModelSpec:
    return replace(load_body(), muscles=(), wraps=())


@cache
def moving() -> tuple[Markers, np.ndarray]:
    """Somebody who walks in a full circle and then lies down, as markers and as coordinates."""
    model = compile_model(body())
    t = np.linspace(0.0, 1.0, FRAMES)
    q = np.tile(np.asarray(model.coordinate_default), (FRAMES, 1))
    for name, values in {
        "pelvis_rotation": np.minimum(9.0 * t, 2.0 * np.pi),
        "pelvis_tilt": -1.4 * np.clip(4.0 * t - 3.0, 0.0, 1.0),
        "pelvis_tx": np.sin(6.0 * t),
        "hip_flexion_r": 0.5 * np.sin(12.0 * t),
        "hip_flexion_l": -0.5 * np.sin(12.0 * t),
        "knee_angle_r": 0.6 + 0.5 * np.cos(12.0 * t),
        "arm_flex_l": 0.8 * np.sin(12.0 * t),
        "elbow_flex_l": 0.5 + 0.0 * t,
        "lumbar_rotation": 0.2 * np.sin(12.0 * t),
    }.items():
        q[:, model.coordinate(name)] = values
    q = np.asarray(jax.vmap(lambda row: complete(model, row))(jnp.asarray(q)))
    xyz = np.asarray(jax.jit(jax.vmap(lambda row: marker_positions(model, forward_kinematics(model, row))))(jnp.asarray(q)))
    return Markers(t, model.marker_names, xyz, np.full(xyz.shape[:2], 0.005)), q


def test_a_motion_comes_back_from_its_markers() -> None:
    markers, q = moving()
    found = track(markers, body())
    turns = np.array([c.name == "pelvis_rotation" for c in body().coordinates])
    error = found.motion.q - q
    error[:, turns] -= 2.0 * np.pi * np.round(error[:1, turns] / (2.0 * np.pi))
    assert np.abs(error).max() < 1e-4
    assert found.motion.quality["marker_max_m"] < 1e-5
    assert np.abs(np.diff(found.motion.q[:, turns], axis=0)).max() < 0.5


def test_raised_arms_keep_to_one_way_of_saying_a_pose() -> None:
    """Near a right angle of adduction the other two angles turn fast, and each pose has a second set of angles half a turn away."""
    turning = {c.name: replace(c, range=(-np.pi, np.pi)) for c in body().coordinates if c.name.startswith("arm")}
    joints = tuple(replace(j, coordinates=tuple(turning.get(c.name, c) for c in j.coordinates)) for j in body().joints)
    model = compile_model(body())
    t = np.linspace(0.0, 1.0, 60)
    step = 1.0 / (1.0 + np.exp(-25.0 * (t - 0.5)))
    q = np.tile(np.asarray(model.coordinate_default), (len(t), 1))
    for side in "rl":
        q[:, model.coordinate(f"arm_add_{side}")] = -1.45 * np.sin(np.pi * np.clip(1.5 * t - 0.25, 0.0, 1.0)) ** 2
        q[:, model.coordinate(f"arm_flex_{side}")] = 1.2 - 2.8 * step
        q[:, model.coordinate(f"arm_rot_{side}")] = 0.5 - 2.2 * step
        q[:, model.coordinate(f"elbow_flex_{side}")] = 1.2
    xyz = np.asarray(jax.jit(jax.vmap(lambda row: marker_positions(model, forward_kinematics(model, row))))(jnp.asarray(q)))
    markers = Markers(t, model.marker_names, xyz, np.full(xyz.shape[:2], 0.005))
    found = track(markers, replace(body(), joints=joints))
    assert np.abs(found.motion.q - q).max() < 1e-4


def test_markers_may_be_missing_and_frames_too() -> None:
    markers, q = moving()
    sigma = markers.sigma.copy()
    sigma[:, 2] = np.inf
    sigma[10:12] = np.inf
    found = track(replace(markers, sigma=sigma), body())
    assert any("2 frames with fewer than three markers" in text for text in found.motion.warnings)
    assert any("missing in every frame" in text for text in found.motion.warnings)
    assert np.isnan(found.error[10]).all()
    knee = found.motion.names.index("knee_angle_r")
    np.testing.assert_allclose(found.motion.q[[9, 12], knee], q[[9, 12], knee], atol=1e-3)
    low, high = sorted(found.motion.q[[9, 12], knee])
    assert low <= found.motion.q[10, knee] <= high


def test_weights_decide_between_markers_that_disagree() -> None:
    markers, _ = moving()
    torn = markers.names.index(markers.names[0])
    xyz = markers.xyz.copy()
    xyz[:, torn] += [0.1, 0.0, 0.0]
    disturbed = replace(markers, xyz=xyz)
    even = track(disturbed, body())
    trusted = track(disturbed, body(), marker_tasks={n: Task(50.0 if i == torn else 1.0) for i, n in enumerate(markers.names)})
    ignored = track(disturbed, body(), marker_tasks={n: Task(0.0 if i == torn else 1.0) for i, n in enumerate(markers.names)})
    assert trusted.error[0, torn] < 0.5 * even.error[0, torn]
    assert markers.names[torn] not in ignored.names
    assert np.nanmax(ignored.error) < 1e-5


def test_a_coordinate_can_be_held() -> None:
    markers, _ = moving()
    found = track(markers, body(), coordinate_tasks={"elbow_flex_l": Task(1000.0, 1.0)})
    assert np.abs(found.motion.q[:, found.motion.names.index("elbow_flex_l")] - 1.0).max() < 0.05


def test_clamped_coordinates_keep_to_their_ranges() -> None:
    markers, _ = moving()
    joints = tuple(
        replace(j, coordinates=tuple(replace(c, range=(0.0, 0.4), clamped=True) if c.name == "knee_angle_r" else c for c in j.coordinates))
        for j in body().joints
    )
    found = track(markers, replace(body(), joints=joints))
    knee = found.motion.q[:, found.motion.names.index("knee_angle_r")]
    assert knee.max() == pytest.approx(0.4)
    assert knee.min() >= 0.0


def test_refusals() -> None:
    markers, _ = moving()
    with pytest.raises(InputError, match="share 0 names"):
        track(replace(markers, names=tuple(f"X{n}" for n in markers.names)), body())
    with pytest.raises(InputError, match="check the unit"):
        track(replace(markers, xyz=1000.0 * markers.xyz), body())
    with pytest.raises(InputError, match="no frame has three markers"):
        track(replace(markers, sigma=np.full_like(markers.sigma, np.inf)), body())
    with pytest.raises(InputError, match="coordinate 'tail'"):
        track(markers, body(), coordinate_tasks={"tail": Task(1.0)})


def test_opensims_tool_finds_the_same(tmp_path: Path) -> None:
    """With noise, a missing marker, weights and tasks of coordinates; the coordinates that markers show."""
    opensim = pytest.importorskip("opensim")
    opensim.Logger.setLevelString("Error")
    markers, _ = moving()
    rng = np.random.default_rng(0)
    sigma = markers.sigma.copy()
    sigma[3:5, 2] = np.inf
    noisy = replace(markers, xyz=markers.xyz + rng.normal(0.0, 0.01, markers.xyz.shape), sigma=sigma)
    # A quarter turn: the model's range of pelvic rotation, beyond which OpenSim does not go.
    keep = slice(0, 7)
    noisy = replace(noisy, time=noisy.time[keep], xyz=noisy.xyz[keep], sigma=noisy.sigma[keep])
    osim_write.write(tmp_path / "model.osim", body())
    trc.write(tmp_path / "markers.trc", noisy)
    weights = {name: 1.0 + i % 3 for i, name in enumerate(noisy.names)}
    held = {"elbow_flex_l": Task(0.01, 1.2), "hip_adduction_r": Task(0.02)}
    ours = track(trc.read(tmp_path / "markers.trc"), body(), marker_tasks={n: Task(w) for n, w in weights.items()}, coordinate_tasks=held)
    tool = opensim.InverseKinematicsTool()
    model = opensim.Model(str(tmp_path / "model.osim"))
    tool.setModel(model)
    tool.setMarkerDataFileName(str(tmp_path / "markers.trc"))
    tool.setStartTime(0.0)
    tool.setEndTime(float(noisy.time[-1]))
    tool.setResultsDir(str(tmp_path))
    tool.setOutputMotionFileName(str(tmp_path / "ik.mot"))
    tool.set_accuracy(1e-8)
    for name, weight in weights.items():
        task = opensim.IKMarkerTask()
        task.setName(name)
        task.setWeight(weight)
        task.setApply(True)
        tool.getIKTaskSet().cloneAndAppend(task)
    for name, wanted in held.items():
        task = opensim.IKCoordinateTask()
        task.setName(name)
        task.setWeight(wanted.weight)
        if wanted.value is None:
            task.setValueType(opensim.IKCoordinateTask.DefaultValue)
        else:
            task.setValueType(opensim.IKCoordinateTask.ManualValue)
            task.setValue(wanted.value)
        tool.getIKTaskSet().cloneAndAppend(task)
    assert tool.run()
    theirs = results.read_motion(tmp_path / "ik.mot", body())
    for i, (name, angle) in enumerate(zip(ours.motion.names, ours.motion.rotational, strict=True)):
        if angle and not name.startswith(("pro_sup", "wrist")):
            assert np.degrees(np.sqrt(np.mean((ours.motion.q[:, i] - theirs.q[:, i]) ** 2))) < 0.1, name
    elbow = ours.motion.names.index("elbow_flex_l")
    assert np.abs(ours.motion.q[:, elbow] - 0.5).min() > 0.1  # 0.5 is what the markers alone show
