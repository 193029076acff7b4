"""What the ground does to each foot: the required wrench split over the feet by a convex problem, all frames at once.

Unknown in every frame: the pressure on every contact point (≥ 0), and per foot the friction (inside a linearised cone) and
the twisting moment (bounded by the pressure). All points lie on the ground plane, so friction need not be told apart point by
point: only its sum and its twist reach the body. In double support the split is not unique; where the pressure may be, and
that forces change smoothly, decide (compare the smooth transition of Ren et al. 2008); where the moment is too rough to say,
the usual course of a step does. A seat may push up under the hips of a person who sits; its force is the residual's.
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
TRANSFER = 0.4
"""Longest double support that counts as a step from one foot to the other [s]."""
HANDED = (0.94, 0.1)
"""Share of the load on the foot behind when such a step begins and ends; it falls along a straight line (mean of 31 steps of 8
people on force plates, standard deviation 0.12)."""
TRANSFER_SIGMA = (0.2, 0.03)
"""Distance of the load from that course [body weights] where the moment decides the split by itself, and where it cannot."""
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
MARGIN = 0.02
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
    program = Program(feet, mechanics, (point, share, transfer(contact.planted, rate)), scale, rate)
    x = solve(program.at(anchor))
    forces = _unpack(feet, (point, anchor), x, weight)
    x = solve(program.at(forces.cop, program.doubt(x), program.missed_moment(x, forces.cop) / MOMENT_SIGMA))
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


def transfer(planted: Bool[np.ndarray, "time foot"], rate: float) -> Float[np.ndarray, " time"]:
    """Right foot's usual share of the load while a step hands it from one foot to the other; NaN at all other times."""
    share = np.full(len(planted), np.nan)
    both = np.concatenate([[0], planted.all(axis=1).astype(int), [0]])
    for begin, end in np.flatnonzero(np.diff(both)).reshape(-1, 2):
        if begin == 0 or end == len(planted) or end - begin > TRANSFER * rate:
            continue
        before, after = planted[begin - 1], planted[end]
        if before.sum() == 1 and after.sum() == 1 and (before != after).all():
            behind = HANDED[0] + (HANDED[1] - HANDED[0]) * (np.arange(end - begin) + 1.0) / (end - begin + 1.0)
            share[begin:end] = behind if before[0] else 1.0 - behind
    return share


def transfer_map(feet: Feet, share: Float[np.ndarray, " time"]) -> Float[np.ndarray, "time 1 k"]:
    """Load on the right foot beyond its usual share; zero where there is no usual one."""
    right, known = feet.foot == 0, np.isfinite(share)
    s = np.where(known, share, 0.0)
    out = np.zeros((len(share), 1, len(right) + EXTRA))
    out[:, 0, np.flatnonzero(right)] = (1.0 - s)[:, None]
    out[:, 0, np.flatnonzero(~right)] = -s[:, None]
    return out * known[:, None, None]


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
    places: tuple[Float[np.ndarray, "time contact 3"], Float[np.ndarray, "time contact"], Float[np.ndarray, " time"]]
    """Contact points on the ground [m], how freely each may carry load, and the right foot's usual share of it."""
    scale: tuple[float, float]
    """Body weight [N], height of the standing hips [m]."""
    rate: float

    def at(self, anchor: Float[np.ndarray, "time foot 3"], doubt: float = 1.0, habit: float = 1.0) -> ConeProgram:
        """With friction acting at `anchor`, the required wrench trusted `doubt` times less, usual steps `habit` times more."""
        (point, _, usual), weight, k = self.places, self.scale[0], len(self.feet.foot) + EXTRA
        sigma = doubt * np.array([MOMENT_SIGMA] * 3 + [FORCE_SIGMA] * 3)
        design = self._wrench_map(anchor) / sigma[:, None]
        aim = aim_map(self.feet, self.mechanics, point) / AIM_SIGMA
        course = transfer_map(self.feet, usual) / max(TRANSFER_SIGMA[0] / max(habit, 1.0) ** 2, TRANSFER_SIGMA[1])
        rows = np.concatenate([design, aim, course], axis=1)
        hessian = rows.swapaxes(1, 2) @ rows
        hessian[:, np.arange(k), np.arange(k)] += self._ridge()
        linear = np.einsum("tij,ti->tj", design, self.mechanics.wrench / weight / sigma)
        linear[:, -1] -= SEAT_COST / doubt**2
        bend = np.full(k, self.rate**2 / BEND_SIGMA)
        bend[-3:-1] /= TWIST
        return ConeProgram(hessian, linear, bend**2, cone(self.feet))

    def doubt(self, x: Float[np.ndarray, "time k"]) -> float:
        """How many times less the required wrench deserves to be trusted, seen from a first answer. 1 on clean motion."""
        miss = np.einsum("tij,tj->ti", aim_map(self.feet, self.mechanics, self.places[0]), x).reshape(-1, 2, 2)
        loaded = np.stack([x[:, np.flatnonzero(self.feet.foot == side)].sum(axis=1) > 0.1 for side in (0, 1)], axis=1)
        if not loaded.any():
            return 1.0
        return float(np.clip((np.mean(miss[loaded] ** 2) / DOUBT[0] ** 2), 1.0, DOUBT[1]))

    def missed_moment(self, x: Float[np.ndarray, "time k"], anchor: Float[np.ndarray, "time foot 3"]) -> float:
        """Root mean square of the moment that an answer leaves unexplained [body weights × m]."""
        left = self.mechanics.wrench / self.scale[0] - np.einsum("tij,tj->ti", self._wrench_map(anchor), x)
        return float(np.sqrt((left[:, :3] ** 2).sum(axis=1).mean()))

    def _wrench_map(self, anchor: Float[np.ndarray, "time foot 3"]) -> Float[np.ndarray, "time 6 k"]:
        center, hips = self.mechanics.center, self.mechanics.hip.mean(axis=1)
        return wrench_map(self.places[0] - center[:, None], anchor - center[:, None], hips - center)

    def _ridge(self) -> Float[np.ndarray, "time k"]:
        n, hips, (point, share, _) = len(self.feet.foot), self.mechanics.hip.mean(axis=1), self.places
        low = (hips[:, 1] - point[:, 0, 1]) / self.scale[1]
        sits = 1.0 / (1.0 + np.exp(np.clip((low - SEAT_HEIGHT[0]) / SEAT_HEIGHT[1], -40.0, 40.0)))
        ridge = np.full((len(low), n + EXTRA), 1e-2)
        ridge[:, :n] = (PRESSURE_SIGMA * (LIFTED + share)) ** -2.0
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
