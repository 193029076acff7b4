"""OpenSim moves the model that we wrote as it moves the original: same bodies, markers, masses, muscle lengths."""

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from monomsk.io import osim_read, osim_write

GENERIC = (
    "LaiArnoldModified2017_contacts",
    "LaiUhlrich2022",
    "Rajagopal2016",
    "RajagopalLaiUhlrich2023",
    "arm26",
    "gait10dof18musc",
    "gait2392_thelen2003muscle",
)
SCALED = ("CAM01", "HAM01", "HAM18_walk", "OC4", "RBDS010", "SCH2014001")


class Opened:
    """A model that OpenSim has opened."""

    def __init__(self, osim: Any, path: Path):
        self.model = osim.Model(str(path))
        self.state = self.model.initSystem()
        self.coordinates = {c.getName(): c for c in self._members(self.model.getCoordinateSet())}
        self.bodies = {b.getName(): b for b in self._members(self.model.getBodySet())}
        self.markers = {m.getName(): m for m in self._members(self.model.getMarkerSet())}
        self.muscles = {m.getName(): m for m in self._members(self.model.getMuscles())}

    @staticmethod
    def _members(found: Any) -> list[Any]:
        return [found.get(i) for i in range(found.getSize())]

    def move(self, values: dict[str, float]) -> None:
        """Put the coordinates there, whatever locks and couplers say."""
        for name, value in values.items():
            self.coordinates[name].setLocked(self.state, False)
            self.coordinates[name].setValue(self.state, value, False)
        self.model.realizePosition(self.state)

    def poses(self) -> np.ndarray:
        """Origins, rotation matrices and marker positions in the ground [m]."""
        numbers = list[float]()
        for name in sorted(self.bodies):
            pose = self.bodies[name].getTransformInGround(self.state)
            numbers += [pose.p()[i] for i in range(3)] + [pose.R().get(i, j) for i in range(3) for j in range(3)]
        for name in sorted(self.markers):
            place = self.markers[name].getLocationInGround(self.state)
            numbers += [place[i] for i in range(3)]
        return np.array(numbers)

    def masses(self) -> np.ndarray:
        numbers = list[float]()
        for name in sorted(self.bodies):
            body = self.bodies[name]
            inertia, center = body.getInertia(), body.getMassCenter()
            numbers.append(body.getMass())
            numbers += [part[i] for part in (center, inertia.getMoments(), inertia.getProducts()) for i in range(3)]
        return np.array(numbers)

    def muscle_figures(self) -> np.ndarray:
        rows = list[tuple[float, ...]]()
        for name in sorted(self.muscles):
            muscle = self.muscles[name]
            fibre = muscle.getOptimalFiberLength(), muscle.getPennationAngleAtOptimalFiberLength()
            rows.append((*fibre, muscle.getMaxIsometricForce(), muscle.getTendonSlackLength(), muscle.getLength(self.state)))
        return np.array(rows)


def check_same(osim: Any, original: Path, written: Path) -> None:
    first, second = Opened(osim, original), Opened(osim, written)
    assert first.coordinates.keys() == second.coordinates.keys()
    assert first.muscles.keys() == second.muscles.keys()
    for name, coordinate in first.coordinates.items():
        other = second.coordinates[name]
        assert other.getMotionType() == coordinate.getMotionType(), name
        assert (other.get_locked(), other.get_clamped()) == (coordinate.get_locked(), coordinate.get_clamped())
    np.testing.assert_array_equal(second.masses(), first.masses())
    random = np.random.default_rng(4)
    for _ in range(3):
        values = {
            name: random.uniform(max(coordinate.getRangeMin(), -1.5), min(coordinate.getRangeMax(), 1.5))
            for name, coordinate in first.coordinates.items()
        }
        first.move(values)
        second.move(values)
        np.testing.assert_allclose(second.poses(), first.poses(), atol=1e-9, rtol=0)
    np.testing.assert_allclose(second.muscle_figures(), first.muscle_figures(), atol=1e-9, rtol=0)


@pytest.mark.parametrize("name", GENERIC)
def test_generic_models(name: str, osim: Any, shared: Path, tmp_path: Path) -> None:
    original = shared / f"data/models/{name}.osim"
    osim_write.write(tmp_path / "written.osim", osim_read.read(original))
    check_same(osim, original, tmp_path / "written.osim")


@pytest.mark.parametrize("name", SCALED)
def test_scaled_models(name: str, osim: Any, shared: Path, tmp_path: Path) -> None:
    packed = shared / f"data/kinetics/models/{name}.osim.gz"
    (tmp_path / "original.osim").write_bytes(gzip.decompress(packed.read_bytes()))
    osim_write.write(tmp_path / "written.osim", osim_read.read(packed))
    check_same(osim, tmp_path / "original.osim", tmp_path / "written.osim")
