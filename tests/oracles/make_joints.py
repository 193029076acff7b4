"""Makes joints.npz: a chain of all classes of joints, and forces along coordinates, by OpenSim.

Run: PYTHONPATH=tests python -m oracles.make_joints
Made with OpenSim 4.6 (pip install opensim) from the bodies of tests/joint_chains.py. Seed 3.
"""

import tempfile
from pathlib import Path

import numpy as np
import opensim

from joint_chains import ALL_CLASSES, cart_and_rod, chain
from monomsk.io import osim_write
from oracles import make_mechanics

STATES = 12
"""Of forces along coordinates, within the stops and beyond."""


def record_chain(folder: Path, seed: int) -> dict[str, np.ndarray]:
    """Positions, mass matrices and generalized forces; speeds, accelerations and forces as Simbody knows them."""
    osim_write.write(folder / "chain.osim", chain(ALL_CLASSES))
    return make_mechanics.record(folder / "chain.osim", np.random.default_rng(seed))


def record_passive(folder: Path, seed: int) -> dict[str, np.ndarray]:
    """Generalized forces of all elements: what inverse dynamics of a body without them has more."""
    rng, path = np.random.default_rng(seed), folder / "cart.osim"
    osim_write.write(path, cart_and_rod())
    with_forces, without = _Body(path, forces=True), _Body(path, forces=False)
    rows: dict[str, list[np.ndarray]] = {"q": [], "qd": [], "tau": []}
    for _ in range(STATES):
        q, qd = rng.uniform((-0.3, -1.0), (0.4, 1.3)), rng.normal(size=2)
        for name, value in zip(rows, (q, qd, without.needs(q, qd) - with_forces.needs(q, qd)), strict=True):
            rows[name].append(value)
    return {name: np.array(values) for name, values in rows.items()} | {"coordinates": np.array(with_forces.names)}


class _Body:
    def __init__(self, path: Path, *, forces: bool):
        opensim.Logger.setLevelString("off")
        self.model = opensim.Model(str(path))
        if not forces:
            self.model.updForceSet().clearAndDestroy()
        self.state = self.model.initSystem()
        self.names = [self.model.getCoordinateSet().get(i).getName() for i in range(2)]

    def needs(self, q: np.ndarray, qd: np.ndarray) -> np.ndarray:
        """Generalized forces that keep the speeds as they are."""
        for name, value, speed in zip(self.names, q, qd, strict=True):
            self.model.getCoordinateSet().get(name).setValue(self.state, float(value))
            self.model.getCoordinateSet().get(name).setSpeedValue(self.state, float(speed))
        self.model.realizeDynamics(self.state)
        return opensim.InverseDynamicsSolver(self.model).solve(self.state, opensim.Vector(2, 0.0)).to_numpy().copy()


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        arrays = {f"chain/{k}": v for k, v in record_chain(Path(folder), 3).items()}
        arrays |= {f"cart/{k}": v for k, v in record_passive(Path(folder), 3).items()}
    arrays["version"] = np.array(opensim.GetVersionAndDate())
    np.savez_compressed(Path(__file__).with_name("joints.npz"), **arrays)  # pyright: ignore[reportArgumentType]


if __name__ == "__main__":
    main()
