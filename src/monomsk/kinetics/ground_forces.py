"""What the ground does to each foot: the required wrench split over the feet by a convex problem, all frames at once.

Unknown in every frame: the pressure on every contact point (≥ 0), and per foot the friction (inside a linearised cone) and
the twisting moment (bounded by the pressure). All points lie on the ground plane, so these reach exactly the wrenches that
forces in cones at the points reach. In double support the split is not unique; where the pressure may be, and that forces
change smoothly, decide (the smooth transition of Ren et al. 2008 is what comes out, without assuming its shape).
A seat may push up under the hips of a person who sits; its force is no one's but the residual's.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float
from scipy.ndimage import convolve1d

from monomsk.kinetics.cone_program import ConeProgram, solve
from monomsk.kinetics.contact import Contact
from monomsk.kinetics.feet import Feet
from monomsk.kinetics.mechanics import Mechanics

UP = np.array([0.0, 1.0, 0.0])
EXTRA = 7
"""Unknowns besides the pressures: two frictions and a twist per foot, and the force of a seat."""
FRICTION = 0.8
SIDES = 8
"""Edges of the linearised friction cone, which lies inside the round one."""
TWIST = 0.05
"""Greatest free moment per newton of pressure [m]."""
FORCE_SIGMA = 0.03
"""Trust in the required force [body weights]."""
MOMENT_SIGMA = 0.02
"""Trust in the required moment about the centre of mass [body weights × m]."""
PRESSURE_SIGMA = 3.0
"""Pressure that costs one unit on a point that is surely planted [body weights]: it only spreads the load."""
LIFTED = 0.002
"""How much of that is left on a point that is surely not planted."""
AIM = (0.9, 0.4)
"""How far friction, fore-aft and lateral, turns a foot's force from the vertical towards the centre of mass (1: through it).
Least squares over walking, squatting and landing people on force plates; it settles what two feet on the ground leave open."""
AIM_SIGMA = 0.05
"""Usual distance of the friction from that [body weights]."""
DOUBT = (0.04, 8.0)
"""Typical distance found from which the required wrench is doubted, and the greatest factor of that doubt."""
TWIST_SIGMA = 0.02
"""Usual free moment [body weights × m]."""
SEAT_HEIGHT = (0.8, 0.02)
"""Height of the hips, in that of standing, below which the person may sit, and the width of the doubt."""
SEAT_COST = 20.0
"""Cost per body weight on a seat: a chair is believed only where the feet would miss the moment by far."""
BEND_SIGMA = 150.0
"""Usual second derivative of a force [body weights per s²]."""
THRESHOLD = 0.03
"""Less vertical force than this is no contact [body weights]."""
MARGIN = 0.03
"""How long before and after a contact phase a little force may appear [s]."""


@dataclass(frozen=True)
class GroundForces:
    """Wrenches on the feet, ground frame; axis `foot` is right, left."""

    force: Float[np.ndarray, "time foot 3"]
    """[N]"""
    cop: Float[np.ndarray, "time foot 3"]
    """Centre of pressure [m]; below the foot while there is no force."""
    moment: Float[np.ndarray, "time foot 3"]
    """Free moment about it [N·m]."""
    contact: Bool[np.ndarray, "time foot"]


def split(feet: Feet, mechanics: Mechanics, contact: Contact, scale: tuple[float, float], rate: float) -> GroundForces:
    """Forces on the feet that best explain the required wrench. Raises SolveError.

    `scale` is the body's weight [N] and the height of its hips over the ground when it stands [m].
    """
    weight = scale[0]
    share = allowance(feet, contact, rate)
    point = np.stack([mechanics.point[..., 0], np.broadcast_to(contact.level[:, None], share.shape), mechanics.point[..., 2]], axis=-1)
    weights = share + 1e-3 * share.max(axis=1, keepdims=True) + 1e-9
    anchor = np.stack([_mean(point[:, feet.foot == f], weights[:, feet.foot == f]) for f in (0, 1)], axis=1)
    # The friction's line of action depends on the centre of pressure, and how far the required wrench can be trusted shows
    # in how wildly the friction follows it: solve, take both from the answer, solve again.
    program = Program(feet, mechanics, point, share, scale, rate)
    x = solve(program.at(anchor))
    forces = _unpack(feet, (point, anchor), x, weight)
    x = solve(program.at(forces.cop, program.doubt(x)))
    return _unpack(feet, (point, forces.cop), x, weight)


def allowance(feet: Feet, contact: Contact, rate: float) -> Float[np.ndarray, "time contact"]:
    """From 0 (cannot) to 1 (may): how freely each point may carry load. Points above the lowest of their foot may less."""
    width = 2 * round(MARGIN * rate) + 1
    window = np.hanning(width + 2)[1:-1]
    planted = convolve1d(contact.planted.astype(float), window / window.sum(), axis=0, mode="nearest")
    share = np.empty(contact.gap.shape)
    for side in (0, 1):
        of = feet.foot == side
        above = contact.gap[:, of] - contact.gap[:, of].min(axis=1, keepdims=True)
        share[:, of] = planted[:, [side]] / (1.0 + np.exp(np.clip((above - 0.025) / 0.006, -40.0, 40.0)))
    return share


def cone(feet: Feet) -> Float[np.ndarray, "row k"]:
    """Rows a with a · x ≤ 0: no pulling, friction inside the cone, bounded twist. x is pressures, frictions, twists, seat."""
    n = len(feet.foot)
    rows = [-np.eye(n, n + EXTRA), -np.eye(1, n + EXTRA, n + EXTRA - 1)]
    for side in (0, 1):
        total = np.concatenate([(feet.foot == side).astype(float), np.zeros(EXTRA)])
        turns = 2.0 * np.pi * np.arange(SIDES) / SIDES
        edge = np.zeros((SIDES, n + EXTRA))
        edge[:, n + 2 * side], edge[:, n + 2 * side + 1] = np.cos(turns), np.sin(turns)
        rows.append(edge - FRICTION * np.cos(np.pi / SIDES) * total)
        twist = np.zeros((2, n + EXTRA))
        twist[:, n + 4 + side] = [1.0, -1.0]
        rows.append(twist - TWIST * total)
    return np.concatenate(rows)


def wrench_map(
    point: Float[np.ndarray, "time contact 3"], anchor: Float[np.ndarray, "time foot 3"], seat: Float[np.ndarray, "time 3"]
) -> Float[np.ndarray, "time 6 k"]:
    """Moment about the points' origin and force per unit of pressures, frictions (which act at `anchor`), twists, seat force."""
    frames, n = point.shape[:2]
    out = np.zeros((frames, 6, n + EXTRA))
    out[:, 4, :n] = 1.0
    out[:, :3, :n] = np.cross(point, UP).swapaxes(1, 2)
    for side in (0, 1):
        for i, axis in enumerate(([1.0, 0.0, 0.0], [0.0, 0.0, 1.0])):
            column = n + 2 * side + i
            out[:, 3:, column] = axis
            out[:, :3, column] = np.cross(anchor[:, side], axis)
        out[:, 1, n + 4 + side] = 1.0
    out[:, 4, -1] = 1.0
    out[:, :3, -1] = np.cross(seat, UP)
    return out


def aim_map(feet: Feet, mechanics: Mechanics, point: Float[np.ndarray, "time contact 3"]) -> Float[np.ndarray, "time 4 k"]:
    """Friction less what would aim it as `AIM` says, per foot along the person's fore-aft and lateral direction."""
    across = (mechanics.hip[:, 0] - mechanics.hip[:, 1])[:, [0, 2]]
    across /= np.maximum(np.linalg.norm(across, axis=1, keepdims=True), 1e-6)
    ahead = np.stack([across[:, 1], -across[:, 0]], axis=1)
    arm = mechanics.center[:, None] - point
    slope = arm[..., [0, 2]] / np.maximum(arm[..., 1:2], 0.2)
    n = len(feet.foot)
    out = np.zeros((len(point), 4, n + EXTRA))
    for side in (0, 1):
        for i, direction in enumerate((ahead, across)):
            of = np.flatnonzero(feet.foot == side)
            out[:, 2 * side + i, n + 2 * side : n + 2 * side + 2] = direction
            out[:, 2 * side + i, of] = -AIM[i] * np.einsum("tnj,tj->tn", slope[:, of], direction)
    return out


@dataclass(frozen=True)
class Program:
    """The convex problem of a clip."""

    feet: Feet
    mechanics: Mechanics
    point: Float[np.ndarray, "time contact 3"]
    share: Float[np.ndarray, "time contact"]
    scale: tuple[float, float]
    """Body weight [N], height of the standing hips [m]."""
    rate: float

    def at(self, anchor: Float[np.ndarray, "time foot 3"], doubt: float = 1.0) -> ConeProgram:
        """With friction acting at `anchor` and the required wrench trusted `doubt` times less."""
        weight, k = self.scale[0], len(self.feet.foot) + EXTRA
        center, hips = self.mechanics.center, self.mechanics.hip.mean(axis=1)
        sigma = doubt * np.array([MOMENT_SIGMA] * 3 + [FORCE_SIGMA] * 3)
        design = wrench_map(self.point - center[:, None], anchor - center[:, None], hips - center) / sigma[:, None]
        aim = aim_map(self.feet, self.mechanics, self.point) / AIM_SIGMA
        hessian = design.swapaxes(1, 2) @ design + aim.swapaxes(1, 2) @ aim
        hessian[:, np.arange(k), np.arange(k)] += self._ridge()
        linear = np.einsum("tij,ti->tj", design, self.mechanics.wrench / weight / sigma)
        linear[:, -1] -= SEAT_COST / doubt**2
        bend = np.full(k, self.rate**2 / BEND_SIGMA)
        bend[-3:-1] /= TWIST
        return ConeProgram(hessian, linear, bend**2, cone(self.feet))

    def doubt(self, x: Float[np.ndarray, "time k"]) -> float:
        """How many times less the required wrench deserves to be trusted, seen from a first answer. 1 on clean motion."""
        miss = np.einsum("tij,tj->ti", aim_map(self.feet, self.mechanics, self.point), x).reshape(-1, 2, 2)
        loaded = np.stack([x[:, np.flatnonzero(self.feet.foot == side)].sum(axis=1) > 0.1 for side in (0, 1)], axis=1)
        if not loaded.any():
            return 1.0
        return float(np.clip((np.mean(miss[loaded] ** 2) / DOUBT[0] ** 2), 1.0, DOUBT[1]))

    def _ridge(self) -> Float[np.ndarray, "time k"]:
        n, hips = len(self.feet.foot), self.mechanics.hip.mean(axis=1)
        low = (hips[:, 1] - self.point[:, 0, 1]) / self.scale[1]
        sits = 1.0 / (1.0 + np.exp(np.clip((low - SEAT_HEIGHT[0]) / SEAT_HEIGHT[1], -40.0, 40.0)))
        ridge = np.full((len(low), n + EXTRA), 1e-2)
        ridge[:, :n] = (PRESSURE_SIGMA * (LIFTED + self.share)) ** -2.0
        ridge[:, n + 4 : n + 6] = TWIST_SIGMA**-2.0
        ridge[:, -1] = (PRESSURE_SIGMA * (LIFTED + sits)) ** -2.0
        return ridge


def _unpack(feet: Feet, where: tuple[np.ndarray, np.ndarray], x: np.ndarray, weight: float) -> GroundForces:
    point, anchor = where
    frames, n = point.shape[:2]
    force, cop, moment = np.zeros((frames, 2, 3)), anchor.copy(), np.zeros((frames, 2, 3))
    for side in (0, 1):
        of = feet.foot == side
        pressure = np.maximum(x[:, :n][:, of], 0.0)
        friction = x[:, n + 2 * side : n + 2 * side + 2]
        total = pressure.sum(axis=1)
        loaded = total > THRESHOLD
        at = _mean(point[:, of], pressure + 1e-12)
        force[:, side] = np.stack([friction[:, 0], total, friction[:, 1]], axis=1)
        # The friction was taken to act at the anchor; brought to the centre of pressure it leaves a moment about the vertical.
        shift = np.cross(anchor[:, side] - at, force[:, side])[:, 1]
        moment[:, side, 1] = x[:, n + 4 + side] + shift
        cop[loaded, side] = at[loaded]
        force[~loaded, side] = 0.0
        moment[~loaded, side] = 0.0
    return GroundForces(force * weight, cop, moment * weight, force[..., 1] > 0.0)


def _mean(point: np.ndarray, weight: np.ndarray) -> np.ndarray:
    return np.einsum("tn,tni->ti", weight, point) / weight.sum(axis=1, keepdims=True)
