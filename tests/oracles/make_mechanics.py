"""Makes mechanics.npz: positions, mass matrices and generalized forces of bodies by OpenSim. Run: python tests/oracles/make_mechanics.py

Made with OpenSim 4.6 (pip install opensim): two random states each of the shipped body and of five published models
(in ../shared/data/models beside the repository), and the forces of the shipped body's contact spheres. Seed 3.
"""

from pathlib import Path
from typing import Any

import numpy as np
import opensim

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = ROOT / "src/monomsk/data/body/monomsk_body.osim"
MODELS = ROOT / "../shared/data/models"
NAMES = ("Rajagopal2016", "RajagopalLaiUhlrich2023", "LaiUhlrich2022", "gait2392_thelen2003muscle", "gait10dof18musc")
STATES = 2
OTHER_CONTACT = {
    "stiffness": 5e5,
    "dissipation": 1.0,
    "static_friction": 0.9,
    "dynamic_friction": 0.5,
    "viscous_friction": 0.3,
    "transition_velocity": 0.1,
}
"""Parameters of contact that differ from the shipped body's, and its two coefficients of friction from each other."""
STATION = (0.1, -0.2, 0.3)
"""A point of every body, off its axes, that tells its orientation as well."""


class Opened:
    """A model that OpenSim has opened, without forces but, when asked for, those of its contact spheres,
    with the parameters given."""

    def __init__(self, path: Path, contact_parameters: dict[str, float] | None = None):
        opensim.Logger.setLevelString("off")
        self.model = opensim.Model(str(path))
        forces = self.model.updForceSet()
        if contact_parameters is not None:
            for i in range(forces.getSize()):
                forces.get(i).set_appliesForce(forces.get(i).getConcreteClassName() == "SmoothSphereHalfSpaceForce")
                contact = opensim.SmoothSphereHalfSpaceForce.safeDownCast(forces.get(i))
                for name, value in contact_parameters.items() if contact is not None else ():
                    getattr(contact, f"set_{name}")(value)
        else:
            forces.clearAndDestroy()
        self.state = self.model.initSystem()
        found = self.model.getCoordinateSet()
        self.coordinates = [found.get(i) for i in range(found.getSize())]
        self.names = [c.getName() for c in self.coordinates]
        for c in self.coordinates:
            c.setLocked(self.state, False)
            c.setSpeedValue(self.state, 0.0)
        self.mobility = [self._mobility(c) for c in self.coordinates]

    def _mobility(self, coordinate: Any) -> int:
        """Where Simbody keeps a coordinate: its speed alone is not zero there."""
        coordinate.setSpeedValue(self.state, 1.0)
        place = int(np.argmax(self.state.getU().to_numpy()))
        coordinate.setSpeedValue(self.state, 0.0)
        return place

    def random(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Coordinates within their ranges (at most ±1.5), speeds and accelerations of order one."""
        low, high = np.clip([[c.getRangeMin(), c.getRangeMax()] for c in self.coordinates], -1.5, 1.5).T
        return rng.uniform(low, high), rng.normal(size=len(low)), rng.normal(size=len(low))

    def move(self, q: np.ndarray, qd: np.ndarray) -> None:
        """Every coordinate there, whatever locks and couplers say."""
        for c, value, speed in zip(self.coordinates, q, qd, strict=True):
            c.setValue(self.state, float(value), False)
            c.setSpeedValue(self.state, float(speed))
        self.model.realizeVelocity(self.state)

    def positions(self) -> tuple[np.ndarray, np.ndarray]:
        """Markers and a station of every body, in the ground [m], each sorted by name."""
        markers, bodies = self.model.getMarkerSet(), self.model.getBodySet()
        by_name = {markers.get(i).getName(): markers.get(i).getLocationInGround(self.state) for i in range(markers.getSize())}
        station = opensim.Vec3(*STATION)
        at = {bodies.get(i).getName(): bodies.get(i).findStationLocationInGround(self.state, station) for i in range(bodies.getSize())}
        in_order = [np.array([found[k].to_numpy() for k in sorted(found)]).reshape(-1, 3) for found in (by_name, at)]
        return in_order[0], in_order[1]

    def mass_matrix(self) -> np.ndarray:
        matrix = opensim.Matrix()
        self.model.getMatterSubsystem().calcM(self.state, matrix)
        return matrix.to_numpy()[np.ix_(self.mobility, self.mobility)]

    def inverse_dynamics(self, qdd: np.ndarray) -> np.ndarray:
        """Generalized forces, constraints ignored."""
        udot = np.zeros(len(qdd))
        udot[self.mobility] = qdd
        solver = opensim.InverseDynamicsSolver(self.model)
        return solver.solve(self.state, opensim.Vector.createFromMat(udot)).to_numpy()[self.mobility]


def record(path: Path, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """What OpenSim says of random states; of the mass matrix the upper triangle."""
    opened = Opened(path)
    rows: dict[str, list[np.ndarray]] = {name: [] for name in ("q", "qd", "qdd", "marker", "station", "mass_matrix", "tau")}
    for _ in range(STATES):
        q, qd, qdd = opened.random(rng)
        opened.move(q, qd)
        M = opened.mass_matrix()
        values = (q, qd, qdd, *opened.positions(), M[np.triu_indices(len(M))], opened.inverse_dynamics(qdd))
        for name, value in zip(rows, values, strict=True):
            rows[name].append(value)
    return {name: np.array(values) for name, values in rows.items()} | {"coordinates": np.array(opened.names)}


def record_contacts(path: Path, rng: np.random.Generator, states: int, parameters: dict[str, float]) -> dict[str, np.ndarray]:
    """Moment about the ground origin [N·m] and force [N] on the body of every contact sphere, the feet in and near the ground."""
    opened = Opened(path, parameters)
    forces = opened.model.getForceSet()
    found = [opensim.SmoothSphereHalfSpaceForce.safeDownCast(forces.get(i)) for i in range(forces.getSize())]
    spheres = {f.getSocket("sphere").getConnecteePath().split("/")[-1]: f for f in found if f is not None}
    height = opened.names.index("pelvis_ty")
    heels = [opened.model.getBodySet().get(name) for name in ("calcn_r", "calcn_l")]
    rows: dict[str, list[np.ndarray]] = {name: [] for name in ("q", "qd", "wrench")}
    for index in range(states):
        q, qd, _ = opened.random(rng)
        q, qd = 0.15 * q, qd * (0.3 if index else 0.0)
        opened.move(q, qd)
        q[height] += rng.uniform(0.02, 0.05) - min(heel.getPositionInGround(opened.state).get(1) for heel in heels)
        opened.move(q, qd)
        opened.model.realizeDynamics(opened.state)
        values = (q, qd, np.array([_wrench(spheres[name], opened.state) for name in sorted(spheres)]))
        for name, value in zip(rows, values, strict=True):
            rows[name].append(value)
    names = {"coordinates": np.array(opened.names), "spheres": np.array(sorted(spheres))}
    return {name: np.array(values) for name, values in rows.items()} | names


def _wrench(force: Any, state: Any) -> np.ndarray:
    """What a contact does to its sphere's body: the opposite of what it does to the ground."""
    values = force.getRecordValues(state)
    on_ground = np.array([values.get(i) for i in range(6, 12)])
    return -np.concatenate([on_ground[3:], on_ground[:3]])


def main() -> None:
    rng = np.random.default_rng(3)
    arrays = {f"shipped/{k}": v for k, v in record(SHIPPED, rng).items()}
    arrays |= {f"contacts/{k}": v for k, v in record_contacts(SHIPPED, rng, 6, {}).items()}
    for name in NAMES:
        arrays |= {f"{name}/{k}": v for k, v in record(MODELS / f"{name}.osim", rng).items()}
    arrays |= {f"other_contact/{k}": v for k, v in record_contacts(SHIPPED, rng, 3, OTHER_CONTACT).items()}
    arrays["version"] = np.array(opensim.GetVersionAndDate())
    np.savez_compressed(Path(__file__).with_name("mechanics.npz"), **arrays)  # pyright: ignore[reportArgumentType]


if __name__ == "__main__":
    main()
