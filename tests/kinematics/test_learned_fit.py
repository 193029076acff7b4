"""The weights that ship, on a walker whose joints are known: alone, and in the fit."""

from dataclasses import replace

import numpy as np
import pytest

from bodies import legs
from monomsk.config import KinematicsConfig
from monomsk.io.body import load_anatomy
from monomsk.kinematics.classic import fit
from monomsk.kinematics.embodied import embody
from monomsk.markers import learned
from monomsk.networks import folder_of, load_networks
from monomsk.types import Subject, Trial
from walker import CAMERA, seen_walker

PERSON = Subject(1.75, 72.0)


@pytest.fixture(scope="module")
def walk():
    motion, _, keypoints, _, _ = seen_walker(60, noise=3.0, depth_error=0.06)
    networks = load_networks("commercial")
    markers, camera = learned.lift(keypoints, replace(CAMERA, R_camera_ground=None, p_camera_ground=None), PERSON, networks.markers)
    return motion, Trial(PERSON, keypoints=keypoints, markers=markers, camera=camera, body=legs()), networks.kinematics


def knee_error(motion, truth) -> float:
    pairs = [(motion.names.index(f"knee_angle_{s}"), truth.names.index(f"knee_angle_{s}")) for s in "rl"]
    return float(np.degrees(np.mean([np.abs(motion.q[:, i] - truth.q[:, j]).mean() for i, j in pairs])))


def test_the_weights_may_be_shipped():
    folder = folder_of("commercial")
    assert sum(path.stat().st_size for path in folder.iterdir()) < 40e6
    for card in load_networks("commercial").cards.values():
        assert card["use"] == {"commercial": True, "licence": "Apache-2.0"}
        assert len(card["data"]["source"]) == len(card["data"]["licence"]) > 0


def test_the_networks_alone_see_a_walk(walk):
    truth, trial, network = walk
    assert knee_error(embody(trial, load_anatomy(), network).motion, truth) < 12.0


def test_the_fit_goes_on_from_the_networks(walk):
    truth, trial, network = walk
    made = fit(trial, load_anatomy(), KinematicsConfig(), network=network)
    assert knee_error(made.motion, truth) < 8.0
    assert made.motion.quality["reprojection_share_of_height"] < 0.02
    assert made.body.mass == pytest.approx(72.0, abs=1e-6)
