"""OpenSim's InverseDynamicsTool, given the files we write and the same cut-off, must find our moments."""

from pathlib import Path

import numpy as np
import pytest

from kinetics.motions import body, gait, subject
from monomsk.config import KineticsConfig
from monomsk.io import external_loads, grf, osim_write, results, storage
from monomsk.kinetics.classic import estimate


def test_moments_agree_with_the_inverse_dynamics_tool(tmp_path: Path) -> None:
    opensim = pytest.importorskip("opensim")
    opensim.Logger.setLevelString("Error")
    motion = gait(220)
    found = estimate(motion, body(), subject(), KineticsConfig(lowpass=6.0))
    # The patellae follow the knees in our answer; the file must say so, for the tool takes every column as it stands.
    q = motion.q.copy()
    for side in "rl":
        q[:, motion.names.index(f"knee_angle_{side}_beta")] = q[:, motion.names.index(f"knee_angle_{side}")]
    osim_write.write(tmp_path / "model.osim", body())
    results.write_motion(tmp_path / "kinematics.mot", type(motion)(motion.time, motion.names, motion.rotational, q))
    grf.write(tmp_path / "grf.mot", found)
    external_loads.write(tmp_path / "external_loads.xml", "grf.mot", external_loads.ground_forces(found.bodies))
    model = opensim.Model(str(tmp_path / "model.osim"))
    tool = opensim.InverseDynamicsTool()
    tool.setModel(model)
    tool.setCoordinatesFileName(str(tmp_path / "kinematics.mot"))
    tool.setExternalLoadsFileName(str(tmp_path / "external_loads.xml"))
    tool.setLowpassCutoffFrequency(6.0)
    tool.setStartTime(0.0)
    tool.setEndTime(float(motion.time[-1]))
    tool.setResultsDir(str(tmp_path))
    tool.setOutputGenForceFileName("id.sto")
    assert tool.run()
    theirs = storage.read(tmp_path / "id.sto")
    for joint in ("hip_flexion", "hip_adduction", "hip_rotation", "knee_angle", "ankle_angle"):
        for side in "rl":
            other = np.interp(found.time, theirs.time, theirs.column(f"{joint}_{side}_moment"))
            error = found.tau[:, found.names.index(f"{joint}_{side}")] - other
            assert np.sqrt((error**2).mean()) < 1.0, (joint, side)
            assert np.abs(other).max() > 1.0
