"""Sets of weights: what is saved is loaded, what is damaged or missing is said."""

import jax
import numpy as np
import pytest

from monomsk.errors import FormatError, InputError
from monomsk.keypoints.skeleton import NAMES
from monomsk.kinematics.transformer import KinematicsTransformer
from monomsk.kinetics.transformer import DynamicsTransformer
from monomsk.markers.transformer import MarkerTransformer
from monomsk.networks import dynamics_folder, fingerprint, folder_of, load_dynamics, load_networks, save_network
from monomsk.nn.transformer import Shape

MARKERS = ("hip_r", "hip_l", "shoulder_r", "shoulder_l")
SHAPE = Shape(16, 2, 1, temporal=False)


@pytest.fixture
def saved(tmp_path):
    lifting = MarkerTransformer(NAMES, MARKERS, SHAPE, jax.random.key(0))
    kinematics = KinematicsTransformer(MARKERS, {"knee_angle_r": (0.0, 2.1)}, ("thigh",), SHAPE, jax.random.key(1))
    for network in (lifting, kinematics):
        save_network(tmp_path, network, {"data": {"source": ["somewhere"], "minutes": [1.5]}})
    return tmp_path, lifting, kinematics


def test_a_set_comes_back(saved):
    folder, lifting, kinematics = saved
    found = load_networks(str(folder))
    assert found.markers.shape == SHAPE
    assert found.markers.markers == MARKERS
    assert found.kinematics.joints == ("knee_angle_r",)
    assert found.kinematics.ranges == ((0.0, 2.1),)
    assert found.cards["markers"]["data"] == {"source": ["somewhere"], "minutes": [1.5]}
    for one, other in ((lifting, found.markers), (kinematics, found.kinematics)):
        for a, b in zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True):
            assert np.asarray(b) == pytest.approx(np.asarray(a), abs=2e-3)
            assert a.dtype == b.dtype


def test_the_dynamics_come_back_by_themselves(tmp_path):
    network = DynamicsTransformer(("pelvis_tilt", "knee_angle_r"), ("s1_r", "s1_l"), SHAPE, jax.random.key(2))
    save_network(tmp_path, network, {"use": {"commercial": True}})
    found, card = load_dynamics(tmp_path)
    assert (found.coordinates, found.points) == (network.coordinates, network.points)
    assert card["use"]["commercial"] is True
    for a, b in zip(jax.tree.leaves(network), jax.tree.leaves(found), strict=True):
        assert np.asarray(b) == pytest.approx(np.asarray(a), abs=2e-3)
    assert set(fingerprint(tmp_path, "dynamics")) == {"dynamics.safetensors"}


def test_what_is_missing_is_said(saved):
    folder, _, _ = saved
    with pytest.raises(InputError, match="monomsk train dynamics"):
        load_dynamics(folder)
    assert dynamics_folder(str(folder)) == folder_of("commercial")
    with pytest.raises(InputError, match="no weights are called"):
        load_networks("nowhere")
    (folder / "kinematics.toml").unlink()
    with pytest.raises(InputError, match="monomsk train kinematics"):
        load_networks(str(folder))


@pytest.mark.parametrize(("old", "new"), [("width = 16", "width = 32"), ("depth = 1", ""), ("[network]", "[network")])
def test_a_damaged_card_is_refused(saved, old, new):
    path = saved[0] / "markers.toml"
    path.write_text(path.read_text("utf-8").replace(old, new), "utf-8")
    with pytest.raises(FormatError):
        load_networks(str(saved[0]))


def test_networks_that_were_not_trained_for_one_another_are_refused(saved):
    folder, _, _ = saved
    save_network(folder, MarkerTransformer(NAMES, MARKERS[:3], SHAPE, jax.random.key(0)), {})
    with pytest.raises(FormatError, match="different markers"):
        load_networks(str(folder))
