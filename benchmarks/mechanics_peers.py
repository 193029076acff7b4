"""The other libraries of `benchmarks/mechanics.py`, each used as its own documentation advises for speed.

All work on Data made once, over rows split beforehand: the loops make no objects. Where a library has a loop of its own in
C++ over many frames, that is measured too.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from hinged_body import mjcf, pinocchio_model
from mechanics_ours import STEP, STEPS, Frames

from monomsk.io import osim_write
from monomsk.model.model import Model
from monomsk.model.spec import ModelSpec

Job = Callable[[], np.ndarray]


@dataclass
class Peer:
    """A library: for every name of a way of using it and every task, a job that runs over a batch of frames and gives the results."""

    name: str
    version: str
    order: list[int]
    """Our coordinate of each of its own."""
    jobs: Callable[[Frames], dict[tuple[str, str], Job]] = field(repr=False)
    largest: int = 4096
    """Largest batch worth measuring."""


def mujoco_peer(spec: ModelSpec, model: Model) -> Peer:
    """Raises ImportError when it is not installed."""
    import mujoco

    # The motors serve the finite differences alone; elsewhere torques are qfrc_applied.
    own = mujoco.MjModel.from_xml_string(mjcf(spec, STEP))
    order = [model.coordinate_names.index(own.joint(i).name) for i in range(own.nv)]
    return Peer("MuJoCo", mujoco.__version__, order, lambda frames: _mujoco_jobs(own, _ordered(frames, order)))


def _mujoco_jobs(own: object, frames: Frames) -> dict[tuple[str, str], Job]:
    import mujoco

    data = mujoco.MjData(own)
    jobs = {**_mujoco_inverse(own, data, frames), **_mujoco_forward(own, data, frames)}
    if len(frames.q) == 1:
        jobs["MuJoCo mjd_transitionFD, adjoint by hand", "rollout gradient"] = lambda: _mujoco_gradient(own, data, frames)
    return jobs


def _mujoco_inverse(own: object, data: object, frames: Frames) -> dict[tuple[str, str], Job]:
    import mujoco

    qpos, qvel, qacc = data.qpos, data.qvel, data.qacc
    states = _rows(frames.q, frames.qd, frames.qdd)
    result, matrix = np.zeros_like(frames.q), np.zeros((own.nv, own.nv))
    rows = list(result)

    def mj_inverse() -> np.ndarray:
        for (q, qd, qdd), row in zip(states, rows, strict=True):
            qpos[:], qvel[:], qacc[:] = q, qd, qdd
            mujoco.mj_inverse(own, data)
            row[:] = data.qfrc_inverse
        return result

    def rne() -> np.ndarray:
        for (q, qd, qdd), row in zip(states, rows, strict=True):
            qpos[:], qvel[:], qacc[:] = q, qd, qdd
            mujoco.mj_kinematics(own, data)
            mujoco.mj_comPos(own, data)
            mujoco.mj_comVel(own, data)
            mujoco.mj_rne(own, data, 1, row)
        return result

    def make_matrix() -> np.ndarray:
        for q, _, _ in states:
            qpos[:] = q
            mujoco.mj_kinematics(own, data)
            mujoco.mj_comPos(own, data)
            mujoco.mj_makeM(own, data)
        mujoco.mj_fullM(own, data, matrix)
        return matrix

    def nothing() -> np.ndarray:
        for (q, qd, qdd), row in zip(states, rows, strict=True):
            qpos[:], qvel[:], qacc[:] = q, qd, qdd
            row[:] = qacc
        return result

    return {
        ("MuJoCo mj_inverse", "inverse dynamics"): mj_inverse,
        ("MuJoCo kinematics, comPos, comVel, rne", "inverse dynamics"): rne,
        ("(the loop in Python around MuJoCo, alone)", "inverse dynamics"): nothing,
        ("MuJoCo kinematics, comPos, makeM (sparse)", "mass matrix"): make_matrix,
    }


def _mujoco_forward(own: object, data: object, frames: Frames) -> dict[tuple[str, str], Job]:
    import mujoco
    from mujoco import rollout

    n, nv = frames.q.shape
    qpos, qvel, qacc, applied = data.qpos, data.qvel, data.qacc, data.qfrc_applied
    states, result = _rows(frames.q, frames.qd, frames.tau), np.zeros_like(frames.q)
    rows = list(result)
    # A whole state is the time, coordinates and speeds, and what this model does not have.
    start = np.zeros((n, mujoco.mj_stateSize(own, mujoco.mjtState.mjSTATE_FULLPHYSICS)))
    start[:, 1 : 1 + nv] = frames.q
    kept = np.zeros((n, STEPS, start.shape[1]))
    torques, here, models = int(mujoco.mjtState.mjSTATE_QFRC_APPLIED), rollout.Rollout(nthread=0), [own] * n

    def mj_forward() -> np.ndarray:
        for (q, qd, tau), row in zip(states, rows, strict=True):
            qpos[:], qvel[:], applied[:] = q, qd, tau
            mujoco.mj_forward(own, data)
            row[:] = qacc
        applied[:] = 0.0
        return result

    def roll() -> np.ndarray:
        here.rollout(models, [data], start, frames.torques, control_spec=torques, skip_checks=True, nstep=STEPS, state=kept)
        return kept[:, -1, 1 : 1 + 2 * nv]

    return {("MuJoCo mj_forward", "forward dynamics"): mj_forward, ("MuJoCo rollout", "rollout"): roll}


def _mujoco_gradient(own: object, data: object, frames: Frames) -> np.ndarray:
    """One rollout by mj_step, its derivatives by finite differences in C."""
    import mujoco

    nv = own.nv
    A, B = np.zeros((STEPS, 2 * nv, 2 * nv)), np.zeros((STEPS, 2 * nv, nv))
    mujoco.mj_resetData(own, data)
    data.qpos[:] = frames.q[0]
    for step, tau in enumerate(frames.torques[0]):
        data.ctrl[:] = tau
        mujoco.mjd_transitionFD(own, data, 1e-6, False, A[step], B[step], None, None)
        mujoco.mj_step(own, data)
    data.ctrl[:] = 0.0
    weight, gradient = frames.weight, np.zeros((1, STEPS, nv))
    for step in reversed(range(STEPS)):
        gradient[0, step] = weight @ B[step]
        weight = weight @ A[step]
    return gradient


def pinocchio_peer(spec: ModelSpec, model: Model) -> Peer:
    """Raises ImportError when it is not installed."""
    import pinocchio as pin

    own = pinocchio_model(spec)
    order = [model.coordinate_names.index(name) for name in list(own.names)[1:]]
    return Peer("Pinocchio", pin.__version__, order, lambda frames: _pinocchio_jobs(own, _ordered(frames, order)))


def _pinocchio_jobs(own: object, frames: Frames) -> dict[tuple[str, str], Job]:
    import pinocchio as pin

    data, pool = own.createData(), pin.ModelPool(own, 1)
    inverse, forward = _rows(frames.q, frames.qd, frames.qdd), _rows(frames.q, frames.qd, frames.tau)
    q, qd, qdd, tau = (np.asfortranarray(a.T) for a in (frames.q, frames.qd, frames.qdd, frames.tau))
    result = np.zeros_like(q)
    rows = list(result.T)
    adjoint = _PinocchioAdjoint(own)

    def rnea() -> np.ndarray:
        for (q, qd, qdd), row in zip(inverse, rows, strict=True):
            row[:] = pin.rnea(own, data, q, qd, qdd)
        return result.T

    def rnea_in_parallel() -> np.ndarray:
        pin.rneaInParallel(1, pool, q, qd, qdd, result)
        return result.T

    def crba() -> np.ndarray:
        for q, _, _ in inverse:
            matrix = pin.crba(own, data, q)
        return np.triu(matrix) + np.triu(matrix, 1).T

    def aba() -> np.ndarray:
        for (q, qd, tau), row in zip(forward, rows, strict=True):
            row[:] = pin.aba(own, data, q, qd, tau)
        return result.T

    def aba_in_parallel() -> np.ndarray:
        pin.abaInParallel(1, pool, q, qd, tau, result)
        return result.T

    def roll() -> np.ndarray:
        return np.array([adjoint.forward(start, torques) for start, torques in zip(frames.q, frames.torques, strict=True)])

    def gradient() -> np.ndarray:
        return np.array([adjoint.gradient(start, torques, frames.weight) for start, torques in zip(frames.q, frames.torques, strict=True)])

    return {
        ("Pinocchio rnea", "inverse dynamics"): rnea,
        ("Pinocchio rneaInParallel, 1 thread", "inverse dynamics"): rnea_in_parallel,
        ("Pinocchio crba (upper half)", "mass matrix"): crba,
        ("Pinocchio aba", "forward dynamics"): aba,
        ("Pinocchio abaInParallel, 1 thread", "forward dynamics"): aba_in_parallel,
        ("Pinocchio aba", "rollout"): roll,
        ("Pinocchio computeABADerivatives, adjoint by hand", "rollout gradient"): gradient,
    }


class _PinocchioAdjoint:
    """Rollouts by the articulated-body algorithm, and their gradient by its analytic derivatives."""

    def __init__(self, own: object) -> None:
        import pinocchio as pin

        self.pin, self.own, self.data = pin, own, own.createData()
        self.q, self.qd = np.zeros((2, STEPS + 1, own.nv))

    def forward(self, start: np.ndarray, torques: np.ndarray) -> np.ndarray:
        q, qd, aba = self.q, self.qd, self.pin.aba
        q[0] = start
        for step in range(STEPS):
            qd[step + 1] = qd[step] + STEP * aba(self.own, self.data, q[step], qd[step], torques[step])
            q[step + 1] = q[step] + STEP * qd[step + 1]
        return np.concatenate([q[-1], qd[-1]])

    def gradient(self, start: np.ndarray, torques: np.ndarray, weight: np.ndarray) -> np.ndarray:
        self.forward(start, torques)
        nv, derivatives, found = self.own.nv, self.pin.computeABADerivatives, np.zeros((STEPS, self.own.nv))
        by_q, by_qd = weight[:nv].copy(), weight[nv:].copy()
        for step in reversed(range(STEPS)):
            a_q, a_qd, a_tau = derivatives(self.own, self.data, self.q[step], self.qd[step], torques[step])
            by_qd += STEP * by_q
            # Of the inverse of the mass matrix only the upper half is filled.
            upper = STEP * (a_tau @ by_qd)
            found[step] = STEP * (by_qd @ a_tau) + upper - STEP * by_qd * a_tau.diagonal() if not a_tau[-1, 0] else upper
            by_q = by_q + STEP * (by_qd @ a_q)
            by_qd = by_qd + STEP * (by_qd @ a_qd)
        return found


def opensim_peer(spec: ModelSpec, model: Model, folder: Path) -> Peer:
    """Raises ImportError when it is not installed."""
    import opensim

    opensim.Logger.setLevelString("Off")
    path = folder / f"body_{len(spec.couplers)}.osim"
    osim_write.write(path, spec)
    own = opensim.Model(str(path.absolute()))
    state = own.initSystem()
    coordinates = [own.getCoordinateSet().get(i) for i in range(own.getNumCoordinates())]
    for coordinate in coordinates:
        coordinate.setLocked(state, False)
        coordinate.setSpeedValue(state, 0.0)
    # Simbody has an order of its own.
    place = {}
    for coordinate in coordinates:
        coordinate.setSpeedValue(state, 1.0)
        place[coordinate.getName()] = int(np.argmax(state.getU().to_numpy()))
        coordinate.setSpeedValue(state, 0.0)
    order = [model.coordinate_names.index(name) for name in sorted(place, key=place.__getitem__)]
    version = opensim.GetVersion()
    return Peer("OpenSim", version, order, lambda frames: _opensim_jobs(own, state, _ordered(frames, order), bool(spec.couplers)), 256)


def _opensim_jobs(own: object, state: object, frames: Frames, constrained: bool) -> dict[tuple[str, str], Job]:
    import opensim

    def vectors(values: np.ndarray) -> list[object]:
        return [opensim.Vector.createFromMat(row) for row in values]

    solver, system, matrix = opensim.InverseDynamicsSolver(own), own.getMatterSubsystem(), opensim.Matrix()
    states = list(zip(*(vectors(a) for a in (frames.q, frames.qd, frames.qdd)), strict=True))
    results: list[object] = [None] * len(states)

    def solve() -> np.ndarray:
        for i, (q, qd, qdd) in enumerate(states):
            state.setQ(q)
            state.setU(qd)
            results[i] = solver.solve(state, qdd)
        return np.array([r.to_numpy() for r in results])

    def calc_matrix() -> np.ndarray:
        for q, _, _ in states:
            state.setQ(q)
            own.realizePosition(state)
            system.calcM(state, matrix)
        return matrix.to_numpy()

    def accelerate() -> np.ndarray:
        for q, qd, _ in states:
            state.setQ(q)
            state.setU(qd)
            own.realizeAcceleration(state)
        return state.getUDot().to_numpy()[None]

    held = ", couplers hold" if constrained else ""
    return {
        ("OpenSim InverseDynamicsSolver", "inverse dynamics"): solve,
        ("OpenSim calcM", "mass matrix"): calc_matrix,
        (f"OpenSim realizeAcceleration{held}", "forward dynamics"): accelerate,
    }


def _ordered(frames: Frames, order: list[int]) -> Frames:
    n = len(order)
    weight = np.concatenate([frames.weight[:n][order], frames.weight[n:][order]])
    arrays = (np.ascontiguousarray(a[..., order]) for a in (frames.q, frames.qd, frames.qdd, frames.tau, frames.torques))
    return Frames(*arrays, weight)


def _rows(*arrays: np.ndarray) -> list[tuple[np.ndarray, ...]]:
    return list(zip(*(list(a) for a in arrays), strict=True))
