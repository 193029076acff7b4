"""`monomsk so` and `monomsk muscles` as a person meets them, and OpenSim's analyses of the same files."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from monomsk.cli.main import main
from monomsk.io import osim_write, results, storage
from monomsk.model.spec import CoordinateActuator
from monomsk.types import Motion
from muscles.test_static_optimization import EXTENSOR, FLEXOR
from pendulums import elbow, odd_elbow


@pytest.fixture(scope="module")
def laboratory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A forearm that swings, and from 0.5 s on a weight of 20 N in the hand."""
    folder = tmp_path_factory.mktemp("laboratory")
    osim_write.write(folder / "model.osim", elbow(FLEXOR, EXTENSOR))
    osim_write.write(folder / "bones.osim", elbow())
    motors = (CoordinateActuator("motor", "flexion", 2.0), CoordinateActuator("idle", "flexion"))
    osim_write.write(folder / "motor.osim", replace(elbow(FLEXOR, EXTENSOR), actuators=motors))
    osim_write.write(folder / "odd.osim", odd_elbow())
    time = np.arange(101) / 100.0
    angle = 0.4 + 0.3 * np.sin(5.0 * time)[:, None]
    results.write_motion(folder / "motion.mot", Motion(time, ("flexion",), np.array([True]), angle))
    names = tuple(f"hand_{kind}{axis}" for kind in ("v", "p", "m") for axis in "xyz")
    values = np.zeros((101, 9))
    values[50:, 1], values[:, 4] = -20.0, -0.3
    storage.write(folder / "hand.mot", storage.Table(time, names, values))
    (folder / "loads.xml").write_text(LOADS, encoding="utf-8")
    return folder


LOADS = """<?xml version="1.0"?>
<OpenSimDocument Version="40000"><ExternalLoads name="hand"><objects><ExternalForce name="hand">
<applied_to_body>ulna</applied_to_body><force_expressed_in_body>ground</force_expressed_in_body>
<point_expressed_in_body>ulna</point_expressed_in_body><force_identifier>hand_v</force_identifier>
<point_identifier>hand_p</point_identifier><torque_identifier>hand_m</torque_identifier></ExternalForce></objects>
<datafile>hand.mot</datafile></ExternalLoads></OpenSimDocument>
"""


def solved(laboratory: Path, out: Path, *words: str, model: str = "model.osim") -> int:
    files = [str(laboratory / name) for name in (model, "motion.mot")]
    return main(["so", *files, "--external-loads", str(laboratory / "loads.xml"), "--out", str(out), *words])


def test_muscle_forces_and_joint_loads(laboratory: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "so"
    assert solved(laboratory, out, "--start", "0.2", "--end", "0.8") == 0
    assert "61 frames, 2 muscles, reserves at most" in capsys.readouterr().out
    force, activation = (storage.read(out / f"StaticOptimization_{kind}.sto") for kind in ("force", "activation"))
    assert force.names == activation.names == ("flexor", "extensor", "flexion_reserve")
    assert (force.time[0], force.time[-1]) == (0.2, 0.8)
    assert 0.01 - 1e-9 <= activation.values[:, :2].min() < activation.values[:, :2].max() < 1.0
    loads = storage.read(out / "joint_reactions.sto")
    assert loads.names[:4] == tuple(f"elbow_on_ulna_in_ulna_{part}" for part in ("fx", "fy", "fz", "mx"))
    assert loads.names[6:] == tuple(f"elbow_on_ulna_in_ulna_p{axis}" for axis in "xyz")
    # The muscles press along the bones, whatever the weight pulls.
    assert (loads.column("elbow_on_ulna_in_ulna_fy") + force.values[:, :2].sum(1) < 60.0).all()
    assert solved(laboratory, out) == 8


def test_what_is_odd_is_told_by_name_with_the_times(laboratory: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert solved(laboratory, tmp_path / "so", "--strength", "0.1", model="odd.osim") == 0
    said = capsys.readouterr().err.splitlines()
    paths = [
        "warning: stuck unable to bend around pulley: the path starts inside of it, at 0.00–1.00 s",
        "warning: gone without a path (fewer than two of its points are on it), at 0.00–0.06 s, 0.57–1.00 s",
    ]
    assert said[-2:] == paths
    assert any(re.fullmatch(r"warning: muscles cannot supply the moment at flexion: \d+ N·m .* at \d\.\d\d.* s", line) for line in said)
    force, activation = (storage.read(tmp_path / "so" / f"StaticOptimization_{kind}.sto") for kind in ("force", "activation"))
    assert np.isfinite(force.values).all()
    assert not force.column("gone")[60:].any()
    assert activation.column("gone")[60:].max() == pytest.approx(0.01, abs=1e-6)
    assert main(["muscles", str(laboratory / "odd.osim"), str(laboratory / "motion.mot"), "--out", str(tmp_path / "muscles")]) == 0
    assert capsys.readouterr().err.splitlines() == paths


def test_power_and_what_muscles_burn(laboratory: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert solved(laboratory, tmp_path / "so", "--metabolics", "bhargava2004") == 0
    assert "W/kg metabolic power (1.20 of it basal, no other muscles)" in capsys.readouterr().out
    power, joint, burnt = (storage.read(tmp_path / "so" / f"{name}_power.sto") for name in ("muscle", "joint", "metabolic"))
    assert power.names == ("flexor", "extensor")
    assert joint.names == ("flexion_power",)
    np.testing.assert_allclose(burnt.column("metabolics_TOTAL"), burnt.values[:, 1:].sum(1), atol=1e-4)
    figures = json.loads((tmp_path / "so" / "energy.json").read_text(encoding="utf-8"))
    assert figures["metabolic_power_w_per_kg"]["model"] == "bhargava2004"
    assert figures["muscle_work_j_per_kg"]["flexor"]["positive"] > 0.0
    opensim = pytest.importorskip("opensim")
    model = opensim.Model(str(laboratory / "model.osim"))
    probe = opensim.Umberger2010MuscleMetabolicsProbe()
    probe.setName("metabolics")
    probe.set_report_total_metabolics_only(False)
    model.addProbe(probe)
    for name in power.names:
        probe.addMuscle(name, 0.5)
    labels = probe.getProbeOutputLabels()
    assert burnt.names == tuple(labels.get(i) for i in range(labels.size()))
    assert solved(laboratory, tmp_path / "without", "--metabolics", "none", "--passive") == 0
    assert "metabolic" not in capsys.readouterr().out
    assert not (tmp_path / "without" / "metabolic_power.sto").exists()
    assert storage.read(tmp_path / "without" / "muscle_power.sto").names[2:] == tuple(
        f"{name}_{part}" for part in ("active", "passive") for name in power.names
    )


def test_what_muscles_burn_is_what_opensims_probe_says_of_the_same_activations(laboratory: Path, tmp_path: Path) -> None:
    opensim = pytest.importorskip("opensim")
    opensim.Logger.setLevelString("Error")
    assert solved(laboratory, tmp_path / "so", "--specific-tension", "250000") == 0
    burnt, activation = (storage.read(tmp_path / "so" / f"{name}.sto") for name in ("metabolic_power", "StaticOptimization_activation"))
    model = opensim.Model(str(laboratory / "model.osim"))
    probe = opensim.Umberger2010MuscleMetabolicsProbe()
    probe.setName("metabolics")
    probe.set_report_total_metabolics_only(False)
    model.addProbe(probe)
    for name in ("flexor", "extensor"):
        probe.addMuscle(name, 0.5)
        model.updMuscles().get(name).set_ignore_tendon_compliance(True)
    state = model.initSystem()
    for frame in (20, 55, 80):
        now = burnt.time[frame]
        coordinate = model.updCoordinateSet().get("flexion")
        coordinate.setValue(state, 0.4 + 0.3 * np.sin(5.0 * now))
        coordinate.setSpeedValue(state, 1.5 * np.cos(5.0 * now))
        controls = model.updControls(state)
        for i, name in enumerate(("flexor", "extensor")):
            model.getMuscles().get(name).setActivation(state, activation.column(name)[frame])
            controls.set(i, activation.column(name)[frame])
        model.setControls(state, controls)
        model.realizeReport(state)
        outputs = probe.getProbeOutputs(state)
        np.testing.assert_allclose(burnt.values[frame], [outputs.get(i) for i in range(outputs.size())], rtol=1e-4)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["so", "bones.osim", "motion.mot"], 5, "no muscles"),
        (["muscles", "bones.osim", "motion.mot"], 5, "no muscles"),
        (["so", "model.osim", "motion.mot", "--exponent", "9"], 2, "between 1 and 4"),
        (["so", "model.osim", "motion.mot", "--condyle-distance", "0.05"], 2, "no knee"),
        (["so", "model.osim", "motion.mot", "--specific-tension", "25"], 2, "between 50000 and 5e+06"),
        (["muscles", "model.osim", "nowhere.mot"], 6, "cannot read nowhere.mot"),
        (["muscles", "model.osim", "motion.mot", "--start", "5"], 2, "no frame lies between"),
    ],
)
def test_one_line_for_what_cannot_be(
    words: list[str], code: int, said: str, laboratory: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(laboratory)
    before = set(laboratory.iterdir())
    assert main(words) == code
    assert said in capsys.readouterr().err.strip().splitlines()[-1]
    assert set(laboratory.iterdir()) == before


def test_lengths_speeds_and_moment_arms_are_opensims(laboratory: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "muscles"
    assert main(["muscles", str(laboratory / "model.osim"), str(laboratory / "motion.mot"), "--out", str(out)]) == 0
    assert "101 frames, 2 muscles, moment arms about 1 coordinates" in capsys.readouterr().out
    assert {p.name for p in out.iterdir()} == {"_Length.sto", "_LengtheningSpeed.sto", "_MomentArm_flexion.sto"}
    length, speed, arm = (storage.read(out / f"_{name}.sto") for name in ("Length", "LengtheningSpeed", "MomentArm_flexion"))
    np.testing.assert_allclose(np.gradient(length.values, length.time, axis=0)[5:-5], speed.values[5:-5], atol=1e-3)
    opensim = pytest.importorskip("opensim")
    opensim.Logger.setLevelString("Error")
    analysis = opensim.MuscleAnalysis()
    analysis.setComputeMoments(True)
    theirs = analysed(laboratory, tmp_path / "theirs", analysis)
    for ours, name in ((length, "Length"), (arm, "MomentArm_flexion")):
        other = storage.read(theirs / f"a_MuscleAnalysis_{name}.sto")
        assert other.names == ours.names
        np.testing.assert_allclose([np.interp(ours.time, other.time, c) for c in other.values.T], ours.values.T, atol=1e-5)


def test_joint_loads_are_opensims_under_the_forces_written(laboratory: Path, tmp_path: Path) -> None:
    opensim = pytest.importorskip("opensim")
    opensim.Logger.setLevelString("Error")
    assert main(["so", str(laboratory / "motor.osim"), str(laboratory / "motion.mot"), "--out", str(tmp_path / "so")]) == 0
    ours, force, activation = (
        storage.read(tmp_path / "so" / f"{name}.sto")
        for name in ("joint_reactions", "StaticOptimization_force", "StaticOptimization_activation")
    )
    assert force.names == ("flexor", "extensor", "motor", "idle")
    np.testing.assert_allclose(activation.column("motor"), force.column("motor") / 2.0, atol=1e-9)
    assert not force.column("idle").any()
    analysis = opensim.JointReaction()
    names = [opensim.ArrayStr() for _ in range(3)]
    for array, word in zip(names, ("elbow", "child", "ulna"), strict=True):
        array.append(word)
    analysis.setJointNames(names[0])
    analysis.setOnBody(names[1])
    analysis.setInFrame(names[2])
    analysis.setForcesFileName(str(tmp_path / "so" / "StaticOptimization_force.sto"))
    theirs = storage.read(next(analysed(laboratory, tmp_path / "theirs", analysis, "motor.osim").glob("a_*ReactionLoads*")))
    assert theirs.names == ours.names
    # OpenSim's speeds come from another spline; the loads go up to 100 N.
    np.testing.assert_allclose([np.interp(ours.time, theirs.time, c) for c in theirs.values.T], ours.values.T, atol=0.05)


def test_opensim_takes_the_motors(laboratory: Path, tmp_path: Path) -> None:
    opensim = pytest.importorskip("opensim")
    assert solved(laboratory, tmp_path / "so", "--reserve", "0.5") == 0
    motors = opensim.ForceSet(str(tmp_path / "so" / "reserve_actuators.xml"))
    assert [motors.get(i).getName() for i in range(motors.getSize())] == ["flexion_reserve"]
    assert opensim.CoordinateActuator.safeDownCast(motors.get(0)).getOptimalForce() == 0.5


def analysed(laboratory: Path, folder: Path, analysis: object, file: str = "model.osim") -> Path:
    """The folder with what OpenSim's analysis writes of the motion."""
    import opensim

    model = opensim.Model(str(laboratory / file))
    model.addAnalysis(analysis)
    tool = opensim.AnalyzeTool(model)
    tool.setName("a")
    tool.setModel(model)
    tool.setStatesFromMotion(model.initSystem(), opensim.Storage(str(laboratory / "motion.mot")), True)
    tool.setFinalTime(1.0)
    tool.setResultsDir(str(folder))
    assert tool.run()
    return folder
