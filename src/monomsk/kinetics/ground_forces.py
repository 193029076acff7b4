"""What the ground does to each foot: the required wrench split over the feet by a convex problem, all frames at once.

Unknown in every frame: the pressure on every contact point (≥ 0), and per foot the friction (inside a linearised cone) and
the twisting moment (bounded by the pressure). All points lie on the ground plane, so these reach exactly the wrenches that
forces in cones at the points reach. In double support the split is not unique; where the pressure may be, and that forces
change smoothly, decide (the smooth transition of Ren et al. 2008 is what comes out, without assuming its shape).
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float
from scipy.ndimage import convolve1d

from monomsk.kinetics.cone_program import ConeProgram, solve
from monomsk.kinetics.contact import Contact
from monomsk.kinetics.feet import Feet
from monomsk.kinetics.mechanics import Mechanics

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
FRICTION_SIGMA = 1.0
TWIST_SIGMA = 0.02
"""Usual friction [body weights] and free moment [body weights × m]."""
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


def split(feet: Feet, mechanics: Mechanics, contact: Contact, weight: float, rate: float) -> GroundForces:
    """Forces on the feet that best explain the required wrench; `weight` is the body's [N]. Raises SolveError."""
    share = allowance(feet, contact, rate)
    point = np.stack([mechanics.point[..., 0], np.broadcast_to(contact.level[:, None], share.shape), mechanics.point[..., 2]], axis=-1)
    weights = share + 1e-3 * share.max(axis=1, keepdims=True) + 1e-9
    anchor = np.stack([_mean(point[:, feet.foot == f], weights[:, feet.foot == f]) for f in (0, 1)], axis=1)
    # The friction's line of action depends on the centre of pressure: solve, move it there, solve again.
    x = solve(_program(feet, mechanics, (point, anchor, share), weight, rate))
    forces = _unpack(feet, (point, anchor), x, weight)
    x = solve(_program(feet, mechanics, (point, forces.cop, share), weight, rate))
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
    """Rows a with a · x ≤ 0: no pulling, friction inside the cone, bounded twist. x is pressures, frictions, twists."""
    n = len(feet.foot)
    rows = [-np.eye(n, n + 6)]
    for side in (0, 1):
        total = np.concatenate([(feet.foot == side).astype(float), np.zeros(6)])
        turns = 2.0 * np.pi * np.arange(SIDES) / SIDES
        edge = np.zeros((SIDES, n + 6))
        edge[:, n + 2 * side], edge[:, n + 2 * side + 1] = np.cos(turns), np.sin(turns)
        rows.append(edge - FRICTION * np.cos(np.pi / SIDES) * total)
        twist = np.zeros((2, n + 6))
        twist[:, n + 4 + side] = [1.0, -1.0]
        rows.append(twist - TWIST * total)
    return np.concatenate(rows)


def wrench_map(
    feet: Feet, point: Float[np.ndarray, "time contact 3"], anchor: Float[np.ndarray, "time foot 3"]
) -> Float[np.ndarray, "time 6 k"]:
    """Moment about the origin of `point` and force per unit of pressures, frictions (which act at `anchor`) and twists."""
    frames, n = point.shape[:2]
    out = np.zeros((frames, 6, n + 6))
    out[:, 4, :n] = 1.0
    out[:, :3, :n] = np.cross(point, [0.0, 1.0, 0.0]).swapaxes(1, 2)
    for side in (0, 1):
        for i, axis in enumerate(([1.0, 0.0, 0.0], [0.0, 0.0, 1.0])):
            column = n + 2 * side + i
            out[:, 3:, column] = axis
            out[:, :3, column] = np.cross(anchor[:, side], axis)
        out[:, 1, n + 4 + side] = 1.0
    return out


def _program(feet: Feet, mechanics: Mechanics, where: tuple[np.ndarray, ...], weight: float, rate: float) -> ConeProgram:
    point, anchor, share = where
    n = len(feet.foot)
    center = mechanics.center[:, None]
    sigma = np.array([MOMENT_SIGMA] * 3 + [FORCE_SIGMA] * 3)
    design = wrench_map(feet, point - center, anchor - center) / sigma[:, None]
    target = mechanics.wrench / weight / sigma
    ridge = np.empty((len(point), n + 6))
    ridge[:, :n] = (PRESSURE_SIGMA * (LIFTED + share)) ** -2.0
    ridge[:, n : n + 4] = FRICTION_SIGMA**-2.0
    ridge[:, n + 4 :] = TWIST_SIGMA**-2.0
    hessian = design.swapaxes(1, 2) @ design
    hessian[:, np.arange(n + 6), np.arange(n + 6)] += ridge
    bend = np.full(n + 6, rate**2 / BEND_SIGMA)
    bend[n + 4 :] /= TWIST
    return ConeProgram(hessian, np.einsum("tij,ti->tj", design, target), bend**2, cone(feet))


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
