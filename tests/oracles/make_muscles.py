"""Make muscles.npz: muscle paths, forces and curves of the shipped body by OpenSim. Run: python tests/oracles/make_muscles.py

Made with OpenSim 4.6 (pip install opensim), 12 random postures of the right leg and pelvis, seed 4.
"""

from pathlib import Path

import numpy as np
import opensim

ROOT = Path(__file__).parents[2]
BODY = ROOT / "src/monomsk/data/body/monomsk_body.osim"
POSTURES = 12
ABOUT = ("hip_flexion_r", "hip_adduction_r", "hip_rotation_r", "knee_angle_r", "ankle_angle_r", "subtalar_angle_r")


def main() -> None:
    opensim.Logger.setLevelString("error")
    model = opensim.Model(str(BODY))
    muscles = [model.getMuscles().get(i) for i in range(model.getMuscles().getSize())]
    for muscle in muscles:
        muscle.set_ignore_tendon_compliance(True)
    state = model.initSystem()
    coordinates = [model.getCoordinateSet().get(i) for i in range(model.getCoordinateSet().getSize())]
    rng = np.random.default_rng(4)
    rows: dict[str, list] = {name: [] for name in ("q", "qd", "length", "speed", "moment_arm", "force", "optimal_force")}
    for _ in range(POSTURES):
        for c in coordinates:
            if not c.getLocked(state) and not c.isDependent(state):
                low, high = max(c.getRangeMin(), -1.8), min(c.getRangeMax(), 1.8)
                c.setValue(state, rng.uniform(low, high), False)
                c.setSpeedValue(state, rng.normal())
        model.assemble(state)
        for muscle in muscles:
            muscle.setActivation(state, 0.5)
        model.realizeDynamics(state)
        rows["q"].append([c.getValue(state) for c in coordinates])
        rows["qd"].append([c.getSpeedValue(state) for c in coordinates])
        rows["length"].append([m.getLength(state) for m in muscles])
        rows["speed"].append([m.getLengtheningSpeed(state) for m in muscles])
        about = [model.getCoordinateSet().get(name) for name in ABOUT]
        rows["moment_arm"].append([[m.computeMomentArm(state, c) for c in about] for m in muscles])
        rows["force"].append([m.getFiberForceAlongTendon(state) for m in muscles])
        rows["optimal_force"].append([m.calcInextensibleTendonActiveFiberForce(state, 1.0) for m in muscles])
    arrays = {name: np.array(values) for name, values in rows.items()}
    arrays["moment_arm"] = arrays["moment_arm"].astype(np.float32)
    arrays |= curves(model, muscles)
    arrays["coordinates"] = np.array([c.getName() for c in coordinates])
    arrays["muscles"] = np.array([m.getName() for m in muscles])
    arrays["about"] = np.array(ABOUT)
    arrays["version"] = np.array(opensim.GetVersionAndDate())
    np.savez_compressed(Path(__file__).with_name("muscles.npz"), **arrays)


def curves(model: opensim.Model, muscles: list) -> dict[str, np.ndarray]:
    """Values of the four curves of three muscles."""
    x = {"active": (0.1, 2.2), "velocity": (-1.3, 1.3), "passive": (0.6, 2.0), "tendon": (0.98, 1.08)}
    get = {
        "active": "get_ActiveForceLengthCurve",
        "velocity": "get_ForceVelocityCurve",
        "passive": "get_FiberForceLengthCurve",
        "tendon": "get_TendonForceLengthCurve",
    }
    arrays = {}
    for name, (low, high) in x.items():
        at = np.linspace(low, high, 53)
        chosen = [opensim.Millard2012EquilibriumMuscle.safeDownCast(muscles[i]) for i in (0, 30, 60)]
        arrays[f"{name}_x"] = at
        arrays[f"{name}_y"] = np.array([[getattr(m, get[name])().calcValue(v) for m in chosen] for v in at])
    return arrays


if __name__ == "__main__":
    main()
