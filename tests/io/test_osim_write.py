"""What is written reads back as the same model, and real OpenSim opens it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from monomsk.errors import OutputError
from monomsk.io import osim_read, osim_write
from monomsk.io.osim_functions import number_text
from monomsk.model.spec import Axis, ModelSpec


def test_round_trip_is_exact(everything: ModelSpec, tmp_path: Path) -> None:
    osim_write.write(tmp_path / "model.osim", everything)
    assert osim_read.read(tmp_path / "model.osim") == everything


def test_a_bent_native_joint_becomes_a_custom_joint(everything: ModelSpec, tmp_path: Path) -> None:
    pin = next(joint for joint in everything.joints if joint.kind == "PinJoint")
    bent = replace(pin, rotations=(Axis((0.0, 0.6, 0.8), pin.rotations[0].function, pin.rotations[0].coordinate), *pin.rotations[1:]))
    joints = tuple(bent if joint is pin else joint for joint in everything.joints)
    osim_write.write(tmp_path / "model.osim", replace(everything, joints=joints))
    back = next(joint for joint in osim_read.read(tmp_path / "model.osim").joints if joint.name == pin.name)
    assert back == replace(bent, kind="CustomJoint")


def test_numbers_keep_every_digit() -> None:
    values = [1 / 3, 1e-300, -0.0, 123456789.123456789, 5e-324, 2.0**60, 1e22, 3.0]
    assert [float(number_text(v)) for v in values] == values
    assert number_text(3.0) == "3"
    assert np.signbit(float(number_text(-0.0)))


def test_a_missing_folder_is_said(everything: ModelSpec, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot write"):
        osim_write.write(tmp_path / "nowhere" / "model.osim", everything)


def test_opensim_opens_it_with_the_same_numbers(everything: ModelSpec, osim: Any, tmp_path: Path) -> None:
    path = tmp_path / "model.osim"
    osim_write.write(path, everything)
    model = osim.Model(str(path))
    state = model.initSystem()
    assert model.getTotalMass(state) == pytest.approx(everything.mass, abs=1e-12)
    assert [model.getJointSet().get(i).getConcreteClassName() for i in range(len(everything.joints))] == [j.kind for j in everything.joints]
    for coordinate in everything.coordinates:
        theirs = model.getCoordinateSet().get(coordinate.name)
        assert (theirs.getRangeMin(), theirs.getRangeMax()) == coordinate.range
        assert (theirs.get_locked(), theirs.get_clamped(), theirs.get_default_value()) == (
            coordinate.locked,
            coordinate.clamped,
            coordinate.default,
        )
        assert (theirs.getMotionType() == osim.Coordinate.Rotational) == coordinate.rotational
    for muscle in everything.muscles:
        theirs = model.getMuscles().get(muscle.name)
        assert theirs.getConcreteClassName() == muscle.kind
        assert theirs.getMaxIsometricForce() == muscle.max_isometric_force
    thelen = osim.Thelen2003Muscle.safeDownCast(model.getMuscles().get("vasti"))
    assert thelen.get_Af() == 0.3
    assert not thelen.get_ignore_tendon_compliance()
    millard = osim.Millard2012EquilibriumMuscle.safeDownCast(model.getMuscles().get("soleus"))
    assert millard.getTendonForceLengthCurve().getStrainAtOneNormForce() == 0.033
    assert (millard.get_appliesForce(), millard.get_ignore_tendon_compliance()) == (False, True)
    contact = osim.SmoothSphereHalfSpaceForce.safeDownCast(model.getForceSet().get("SmoothSphereHalfSpaceForce_s2_r"))
    assert (contact.get_stiffness(), contact.get_appliesForce()) == (2e6, False)


@pytest.mark.parametrize("kind", ["BallJoint", "FreeJoint", "GimbalJoint", "PlanarJoint", "SliderJoint", "UniversalJoint", "PinJoint"])
def test_six_slots_move_as_the_joint_class_does(kind: str, everything: ModelSpec, osim: Any, tmp_path: Path) -> None:
    joint = next(joint for joint in everything.joints if joint.kind == kind)
    body = everything.bodies[everything.joints.index(joint)]
    joint = replace(joint, parent="ground", coordinates=tuple(replace(c, locked=False) for c in joint.coordinates))
    poses = []
    for spelled in (kind, "CustomJoint"):
        path = tmp_path / f"{spelled}.osim"
        osim_write.write(path, ModelSpec("one", (body,), (replace(joint, kind=spelled),)))
        model = osim.Model(str(path))
        state = model.initSystem()
        for i, coordinate in enumerate(joint.coordinates):
            model.getCoordinateSet().get(coordinate.name).setValue(state, 0.2 + 0.1 * i)
        model.realizePosition(state)
        pose = model.getBodySet().get(0).getTransformInGround(state)
        poses.append([pose.p()[i] for i in range(3)] + [pose.R().get(i, j) for i in range(3) for j in range(3)])
    np.testing.assert_allclose(poses[0], poses[1], atol=1e-14)
