"""Generalized forces of recorded motions under measured forces, also as OpenSim's tool finds them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from kinetics.motions import body, gait
from monomsk.errors import InputError
from monomsk.io import external_loads, osim_write, results, storage
from monomsk.kinetics.inverse import joint_forces
from monomsk.model.spec import CoordinateSpring
from monomsk.outside_loads import AppliedForce

HAND = AppliedForce(
    "load", "hand_r", np.array([0.0, 3.0]), np.array([[0.0, -50.0, 5.0]] * 2), np.array([[0.01, -0.05, 0.0]] * 2), np.zeros((2, 3)),
    force_frame="torso", point_frame="hand_r",
)  # fmt: skip
FOOT = AppliedForce(
    "plate", "calcn_r", np.linspace(0.0, 2.0, 500),
    np.stack([30.0 * np.sin(np.arange(500) / 60.0), 400.0 + 300.0 * np.sin(np.arange(500) / 40.0), np.full(500, 10.0)], 1),
    np.tile([0.1, 0.0, 0.1], (500, 1)), np.tile([0.0, 3.0, 0.0], (500, 1)),
)  # fmt: skip


def completed(frames: int):
    """A walk on the spot whose patellae follow the knees, as OpenSim's tool, which takes all columns as they stand, needs it."""
    motion = gait(frames)
    q = motion.q.copy()
    for side in "rl":
        q[:, motion.names.index(f"knee_angle_{side}_beta")] = q[:, motion.names.index(f"knee_angle_{side}")]
    return replace(motion, q=q)


def test_a_force_does_what_its_opposite_undoes() -> None:
    motion = gait(60)
    there_and_back = (HAND, replace(HAND, force=-HAND.force))
    np.testing.assert_allclose(joint_forces(motion, body(), there_and_back).tau, joint_forces(motion, body()).tau, atol=1e-9)


def test_springs_of_the_model_come_off_when_asked_for() -> None:
    motion = gait(60)
    sprung = replace(body(), passive=(CoordinateSpring("band", "hip_flexion_r", stiffness=20.0, rest=0.1, damping=0.0),))
    change = joint_forces(motion, sprung, passive=True).tau - joint_forces(motion, sprung).tau
    hip = motion.names.index("hip_flexion_r")
    np.testing.assert_allclose(change[:, hip], 20.0 * (motion.q[:, hip] - 0.1), atol=1e-9)
    assert not np.delete(change, hip, axis=1).any()


def test_a_load_in_the_hand_is_carried_by_the_elbow() -> None:
    motion = gait(60)
    change = joint_forces(motion, body(), (HAND,)).tau - joint_forces(motion, body()).tau
    elbow, knee = (motion.names.index(name) for name in ("elbow_flex_r", "knee_angle_r"))
    assert np.abs(change[:, elbow]).max() > 5.0
    assert np.abs(change[:, knee]).max() < 1e-9
    root = motion.names.index("pelvis_ty")
    assert np.all(np.abs(change[:, root] - 50.0) < 5.0)


def test_outside_its_measurement_a_force_is_zero_and_said_so() -> None:
    motion = gait(250)
    found = joint_forces(motion, body(), (replace(FOOT, time=FOOT.time * 0.5),))
    assert any("taken as zero at 148 frames" in text for text in found.warnings)
    np.testing.assert_allclose(found.tau[-100:], joint_forces(motion, body()).tau[-100:], atol=1e-9)


@pytest.mark.parametrize(
    ("force", "said"),
    [
        (replace(HAND, body="tail"), "body 'tail', which the model does not have"),
        (replace(HAND, body="ground"), "acts on the ground"),
        (replace(HAND, time=HAND.time + 100.0), "was measured from 100 to 103 s"),
    ],
)
def test_refusals(force: AppliedForce, said: str) -> None:
    with pytest.raises(InputError, match=said):
        joint_forces(gait(40), body(), (force,))


@pytest.mark.parametrize("lowpass", [None, 6.0])
def test_opensims_tool_finds_the_same(tmp_path: Path, lowpass: float | None) -> None:
    opensim = pytest.importorskip("opensim")
    opensim.Logger.setLevelString("Error")
    motion = completed(150)
    osim_write.write(tmp_path / "model.osim", body())
    results.write_motion(tmp_path / "motion.mot", motion)
    columns = {"plate": FOOT, "load": HAND}
    grid = FOOT.time
    values = [
        np.stack([np.interp(grid, force.time, part[:, k]) for part in (force.force, force.point, force.torque) for k in range(3)], 1)
        for force in columns.values()
    ]
    names = tuple(f"{name}_{kind}{axis}" for name in columns for kind in "vpm" for axis in "xyz")
    storage.write(tmp_path / "forces.mot", storage.Table(grid, names, np.concatenate(values, 1)))
    external_loads.write(
        tmp_path / "loads.xml",
        "forces.mot",
        tuple(
            external_loads.ExternalForce(n, f.body, f"{n}_v", f"{n}_p", f"{n}_m", f.force_frame, f.point_frame) for n, f in columns.items()
        ),
    )
    ours = joint_forces(
        results.read_motion(tmp_path / "motion.mot", body()),
        body(),
        external_loads.read_applied(tmp_path / "loads.xml"),
        lowpass=lowpass,
        simbody_compatible=True,
    )
    tool = opensim.InverseDynamicsTool()
    model = opensim.Model(str(tmp_path / "model.osim"))
    tool.setModel(model)
    tool.setCoordinatesFileName(str(tmp_path / "motion.mot"))
    tool.setExternalLoadsFileName(str(tmp_path / "loads.xml"))
    if lowpass is not None:
        tool.setLowpassCutoffFrequency(lowpass)
    tool.setStartTime(0.0)
    tool.setEndTime(float(motion.time[-1]))
    tool.setResultsDir(str(tmp_path))
    tool.setOutputGenForceFileName("id.sto")
    assert tool.run()
    theirs = storage.read(tmp_path / "id.sto")
    for i, (name, angle) in enumerate(zip(ours.names, ours.rotational, strict=True)):
        other = np.interp(ours.time, theirs.time, theirs.column(f"{name}_{'moment' if angle else 'force'}"))
        assert np.sqrt(np.mean((ours.tau[:, i] - other) ** 2)) < 1e-4 * np.abs(other).max() + 1e-4, name
