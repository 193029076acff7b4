"""How far polynomials are from the paths that they stand for."""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from monomsk.muscles.path_samples import Samples


@dataclass(frozen=True)
class PathError:
    """Of one muscle [m], over postures in which its path with points does not begin inside a surface. Arms about lengths count as
    they are."""

    muscle: str
    length_rms: float
    length_99: float
    """What 99 % of the postures stay below."""
    length_max: float
    moment_arm_rms: float
    """About the coordinate where it is largest."""
    moment_arm_99: float
    """What 99 % of the postures stay below about all coordinates."""
    moment_arm_max: float


def path_errors(points: Samples, polynomials: Samples, names: tuple[str, ...], chosen: Collection[str]) -> tuple[PathError, ...]:
    """Errors of the chosen ones of the muscles `names`, between paths with points and polynomials in the same postures."""
    found: list[PathError] = []
    for i, name in enumerate(names):
        if name not in chosen:
            continue
        sound = points.sound[:, i] if points.sound[:, i].any() else np.ones(len(points.q), bool)
        length = (polynomials.length[sound, i] - points.length[sound, i])[:, None]
        arm = polynomials.moment_arm[sound, :, i] - points.moment_arm[sound, :, i]
        found.append(PathError(name, *_figures(length), *_figures(arm)))
    return tuple(found)


def _figures(error: Float[np.ndarray, "sample coordinate"]) -> tuple[float, float, float]:
    worst = np.abs(error).max(1)
    return float(np.sqrt(np.mean(error**2, axis=0)).max()), float(np.quantile(worst, 0.99)), float(worst.max())
