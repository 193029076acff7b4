"""Positions, mass matrices and generalized forces equal OpenSim's, its error of bias acceleration included when asked for."""

import gzip
import importlib.util
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from bodies import shipped
from monomsk.io import osim_read, osim_write
from monomsk.model.compile import compile_model
from monomsk.model.model import Model
from monomsk.model.spec import Axis, Body, Coordinate, Frame, Joint, Linear, Marker, ModelSpec, Polynomial, Vec3
from monomsk.physics.forward_kinematics import forward_kinematics, marker_positions, points_on_bodies
from monomsk.physics.inverse_dynamics import inverse_dynamics
from monomsk.physics.mass_matrix import mass_matrix

ORACLES = Path(__file__).parents[1] / "oracles"
MODELS = ("Rajagopal2016", "RajagopalLaiUhlrich2023", "LaiUhlrich2022", "gait2392_thelen2003muscle", "gait10dof18musc")
STATION = (0.1, -0.2, 0.3)
FIGURES = ("q", "qd", "qdd", "marker", "station", "mass_matrix", "tau")

Recorder = Callable[[Path], dict[str, np.ndarray]]


@cache
def golden() -> dict[str, np.ndarray]:
    with np.load(ORACLES / "mechanics.npz") as file:
        return dict(file)


@jax.jit
def figures(model: Model, q: jax.Array, qd: jax.Array, qdd: jax.Array) -> tuple[jax.Array, ...]:
    """Markers, a station of every body, mass matrix and generalized forces as OpenSim has them, and as they are right."""
    poses = forward_kinematics(model, q)
    n = len(model.body_names)
    station = points_on_bodies(poses, tuple(range(n)), jnp.tile(jnp.array(STATION), (n, 1)))
    forces = [inverse_dynamics(model, q, qd, qdd, simbody_compatible=flag) for flag in (True, False)]
    return marker_positions(model, poses), station, mass_matrix(model, q), *forces


def check_against_opensim(model: Model, theirs: dict[str, np.ndarray]) -> float:
    """Our figures of all states against OpenSim's; the largest part of the generalized forces that is OpenSim's error."""
    order = np.array([list(theirs["coordinates"]).index(name) for name in model.coordinate_names])
    by_marker = [model.marker_names.index(name) for name in sorted(model.marker_names)]
    by_body = [model.body(name) for name in sorted(model.body_names)]
    surplus = 0.0
    for row in zip(*(theirs[name] for name in FIGURES), strict=True):
        q, qd, qdd = (jnp.asarray(v[order]) for v in row[:3])
        markers, stations, M, tau, right = (np.asarray(a) for a in figures(model, q, qd, qdd))
        np.testing.assert_allclose(markers[by_marker], row[3], atol=1e-9, rtol=0)
        np.testing.assert_allclose(stations[by_body], row[4], atol=1e-9, rtol=0)
        reference = np.zeros_like(M)
        reference[np.triu_indices(len(M))] = row[5]
        reference = (reference + np.triu(reference, 1).T)[np.ix_(order, order)]
        assert np.abs(M - reference).max() <= 1e-9 * np.abs(reference).max()
        assert np.abs(tau - row[6][order]).max() <= 1e-8 * np.abs(row[6]).max()
        surplus = max(surplus, float(np.abs(tau - right).max()))
    return surplus


def recorded(name: str) -> dict[str, np.ndarray]:
    return {k.partition("/")[2]: v for k, v in golden().items() if k.startswith(f"{name}/")}


def without_muscles(path: Path) -> Model:
    return compile_model(replace(osim_read.read(path), muscles=(), wraps=()))


def test_the_shipped_body() -> None:
    surplus = check_against_opensim(shipped(), recorded("shipped"))
    assert surplus > 1e-3, "OpenSim's error should show: one coordinate turns the shipped knee about three axes"


@pytest.mark.parametrize("name", MODELS)
def test_published_models(name: str, shared: Path) -> None:
    check_against_opensim(without_muscles(shared / f"data/models/{name}.osim"), recorded(name))


@pytest.fixture
def record() -> Recorder:
    """The recorder of the golden file; the test is skipped where OpenSim is not installed."""
    pytest.importorskip("opensim")
    described = importlib.util.spec_from_file_location("make_mechanics", ORACLES / "make_mechanics.py")
    assert described is not None
    assert described.loader is not None
    maker = importlib.util.module_from_spec(described)
    described.loader.exec_module(maker)
    return lambda path: maker.record(path, np.random.default_rng(17))


def test_fresh_states_of_the_shipped_body(record: Recorder, repository: Path) -> None:
    check_against_opensim(shipped(), record(repository / "src/monomsk/data/body/monomsk_body.osim"))


def test_fresh_states_of_a_joint_layout_of_opensim_3(record: Recorder, shared: Path) -> None:
    path = shared / "data/models/gait2392_thelen2003muscle.osim"
    check_against_opensim(without_muscles(path), record(path))


@pytest.mark.parametrize("name", ["JA1", "HAM01_walk"])
def test_fresh_states_of_scaled_models(name: str, record: Recorder, shared: Path, tmp_path: Path) -> None:
    """One in the layout of OpenSim 2, one with expressions along its coordinates and bushings, which are not read."""
    packed, path = shared / f"data/kinetics/models/{name}.osim.gz", tmp_path / "model.osim"
    path.write_bytes(gzip.decompress(packed.read_bytes()))
    check_against_opensim(without_muscles(packed), record(path))


def test_joints_whose_coordinates_turn_other_axes_than_their_own(record: Recorder, tmp_path: Path) -> None:
    """The error depends on which coordinate turns which axis; here none turns the axis of its own number."""
    names = iter("abcdefgh")

    def joint(name: str, parent: str, drivers: tuple[int, ...], count: int) -> Joint:
        coordinates = tuple(Coordinate(next(names), True, (-1.0, 1.0)) for _ in range(count))
        bent = Polynomial((0.3, 0.8, 0.1))
        directions: tuple[Vec3, ...] = ((0.0, 0.6, 0.8), (1.0, 0.0, 0.0), (0.0, 0.0, 1.0)) * 2
        functions = (Linear(1.0), bent, Linear(-0.7, 0.2), bent, Linear(0.5), Linear(0.3, 0.1))
        driven = (*drivers, *reversed(drivers))
        a = [Axis(d, f, coordinates[i].name) for d, f, i in zip(directions, functions, driven, strict=True)]
        frames = Frame((0.1, -0.4, 0.2), (0.3, -0.2, 0.5)), Frame((0.02, 0.3, -0.1), (-0.1, 0.4, 0.2))
        return Joint(name, "CustomJoint", parent, f"{name}_body", *frames, (a[0], a[1], a[2]), (a[3], a[4], a[5]), coordinates)

    joints = (
        joint("one", "ground", (2, 0, 1), 3),
        joint("two", "one_body", (1, 0, 1), 2),
        joint("three", "two_body", (0, 0, 0), 1),
        joint("four", "three_body", (1, 0, 0), 2),
    )
    bodies = tuple(Body(j.child, 2.0, (0.1, -0.2, 0.05), (0.03, 0.02, 0.04, 0.001, 0.002, -0.003)) for j in joints)
    spec = ModelSpec("twisted", bodies, joints, markers=(Marker("tip", "four_body", (0.1, 0.2, 0.3)),))
    osim_write.write(tmp_path / "twisted.osim", spec)
    assert check_against_opensim(compile_model(spec), record(tmp_path / "twisted.osim")) > 0.1
