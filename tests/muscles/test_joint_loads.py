"""Joint loads of a held posture, where statics knows the answer."""

from dataclasses import replace

import numpy as np
import pytest

from monomsk.config import MusclesConfig
from monomsk.model.spec import Body, Frame, Joint
from monomsk.muscles.joint_loads import joint_loads
from monomsk.muscles.rates import accelerations, speeds
from monomsk.muscles.static_optimization import solve
from monomsk.physics.external_wrench import Attachment
from muscles.test_static_optimization import EXTENSOR, FLEXOR, bent
from pendulums import elbow

CONFIG = MusclesConfig(minimum_activation=0.0)
NOTHING = Attachment((), (), ()), np.zeros((10, 0, 9))


def test_the_muscles_pull_the_bones_together() -> None:
    body, kinetics = elbow(FLEXOR, EXTENSOR), bent(8.0)
    activity = solve(kinetics, body, CONFIG)
    loads = joint_loads(kinetics, NOTHING, activity, body, CONFIG)
    assert (loads.names, loads.bodies, loads.frames) == (("elbow",), ("ulna",), ("ulna",))
    np.testing.assert_allclose(loads.force[:, 0, 1], 9.80665 - activity.force.sum(1), atol=1e-6)
    np.testing.assert_allclose(loads.force[:, 0, [0, 2]], 0.0, atol=1e-9)
    np.testing.assert_allclose(loads.moment[:, 0, 2], -0.04 * (activity.force[:, 0] - activity.force[:, 1]), atol=1e-6)
    np.testing.assert_allclose(loads.point, 0.0, atol=1e-12)
    assert loads.coordinates == ("flexion",)
    # The muscles were asked for 8 N·m that a forearm hanging still does not need.
    np.testing.assert_allclose(loads.remaining, activity.reserve - 8.0, atol=1e-6)


def test_the_other_body_feels_the_opposite_in_any_frame() -> None:
    body = elbow(FLEXOR, EXTENSOR)
    kinetics = replace(bent(8.0), q=np.full((10, 1), 0.5))
    activity = solve(kinetics, body, CONFIG)
    child = joint_loads(kinetics, NOTHING, activity, body, CONFIG, frame="ground")
    parent = joint_loads(kinetics, NOTHING, activity, body, CONFIG, on="parent", frame="parent")
    turned = joint_loads(kinetics, NOTHING, activity, body, CONFIG, frame="child")
    assert (parent.bodies, parent.frames, child.frames) == (("humerus",), ("humerus",), ("ground",))
    np.testing.assert_allclose(parent.force, -child.force, atol=1e-9)
    np.testing.assert_allclose(parent.moment, -child.moment, atol=1e-9)
    R = np.array([[np.cos(0.5), np.sin(0.5), 0.0], [-np.sin(0.5), np.cos(0.5), 0.0], [0.0, 0.0, 1.0]])
    np.testing.assert_allclose(turned.force, child.force @ R.T, atol=1e-9)


def test_a_load_in_the_hand_is_carried_by_the_joint() -> None:
    body, kinetics = elbow(FLEXOR, EXTENSOR), bent(0.0)
    activity = replace(solve(kinetics, body, CONFIG), force=np.zeros((10, 2)))
    held = np.tile([0.0, -50.0, 0.0, 0.1, -0.3, 0.0, 0.0, 0.0, 0.0], (10, 1, 1))
    loads = joint_loads(kinetics, (Attachment((1,), (-1,), (-1,)), held), activity, body, CONFIG)
    np.testing.assert_allclose(loads.force[:, 0], [[0.0, 59.80665, 0.0]] * 10, atol=1e-6)
    np.testing.assert_allclose(loads.moment[:, 0, 2], 5.0, atol=1e-6)


def test_compartments_between_joints_have_loads_under_their_names() -> None:
    """A chain humerus, compartment (stiff), ulna as knees of several bodies have it; what is stiff beyond stays out."""
    body, kinetics = elbow(FLEXOR, EXTENSOR), bent(0.0)
    shoulder, hinge = body.joints
    still = shoulder.rotations, shoulder.translations
    between = Joint("compartment", "WeldJoint", "frame", "condyle", Frame((0.0, -0.02, 0.0)), Frame(), *still, ())
    pin = replace(hinge, child="frame")
    ulna = Joint("wrist", "WeldJoint", "condyle", "ulna", Frame(), Frame((0.0, 0.02, 0.0)), *still, ())
    tip = Joint("tip", "WeldJoint", "ulna", "nail", Frame(), Frame(), *still, ())
    light = (Body(name, 0.0, (0.0, 0.0, 0.0), (0.0,) * 6) for name in ("frame", "condyle", "nail"))
    frame, condyle, nail = light
    chain = replace(body, bodies=(body.bodies[0], frame, condyle, body.bodies[1], nail), joints=(shoulder, pin, between, ulna, tip))
    held = np.tile([0.0, -50.0, 0.0, 0.1, -0.3, 0.0, 0.0, 0.0, 0.0], (10, 1, 1))
    loads = joint_loads(kinetics, (Attachment((3,), (-1,), (-1,)), held), solve(kinetics, chain, CONFIG), chain, CONFIG)
    assert loads.names == ("elbow", "compartment", "wrist")
    np.testing.assert_allclose(loads.force[:, 1], loads.force[:, 0], atol=1e-9)
    # The forearm's weight and what is held, less the muscles that keep it there.
    np.testing.assert_allclose(loads.force[:, 1], loads.force[:, 2], atol=1e-9)


@pytest.mark.parametrize("frames", [1, 2, 5, 30])
def test_accelerations_are_second_derivatives(frames: int) -> None:
    t = np.arange(frames) / 50.0
    found = accelerations(t, np.stack([t**2, t], 1))
    np.testing.assert_allclose(found[:, 0], 2.0 if 2 < frames < 8 else 0.0 if frames < 3 else found[:, 0], atol=1e-6)
    np.testing.assert_allclose(found[:, 1], 0.0, atol=1e-6)
    wave = np.sin(3.0 * t)[:, None]
    assert speeds(t, wave).shape == wave.shape
    if frames == 30:
        np.testing.assert_allclose(found[8:-8, 0], 2.0, atol=1e-3)
