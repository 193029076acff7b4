"""What every reader of a motion source makes: points of a person over time, in our axes, and what is known of them."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from scipy.ndimage import gaussian_filter1d

from monomsk.types import Markers

Split = Literal["train", "dev", "test"]

SMOOTHING = 0.35
"""Width of the low-pass kernel before frames are thinned, in steps of the new rate: what it could not show is taken out."""


@dataclass(frozen=True)
class Recording:
    """One clip as its source has it."""

    source: str
    person: str
    name: str
    activity: str
    licence: str
    commercial_use: bool
    split: Split | None
    """Where the source itself assigns the person; None leaves it to the corpus."""
    markers: Markers
    """Joint centres or markers, ground frame, X forward, Y up, Z right [m]."""
    points: str
    """How the points lie on the body: a table of data/corpus/points.toml, or the path of the person's own model (.osim.gz)."""
    height: float | None = None
    """[m]"""
    mass: float | None = None
    """[kg]"""
    treadmill: bool = False
    """Whether the floor moves under the person."""
    lower_body: bool = False
    """Whether nothing above the pelvis was measured."""

    @property
    def key(self) -> str:
        """How messages name it."""
        return f"{self.source} {self.person} {self.name}"


def at_rate(markers: Markers, rate: float) -> Markers:
    """The markers on a uniform grid [Hz]; faster recordings are smoothed before they are thinned.

    A grid time between two frames of a slower recording has a value only where it falls on a frame: nothing is made up.
    """
    time = np.asarray(markers.time)
    step = float(np.median(np.diff(time)))
    grid = time[0] + np.arange(int(np.floor((time[-1] - time[0]) * rate + 1e-6)) + 1) / rate
    seen = np.isfinite(markers.sigma) & np.isfinite(markers.xyz).all(-1)
    xyz = np.where(seen[..., None], markers.xyz, 0.0)
    if step < 0.95 / rate:
        width = SMOOTHING / (rate * step)
        share = gaussian_filter1d(seen.astype(float), width, axis=0, mode="constant")
        xyz = gaussian_filter1d(xyz, width, axis=0, mode="constant") / np.maximum(share, 1e-9)[..., None]
    place = (grid - time[0]) / step
    before = np.clip(np.floor(place + 1e-6).astype(int), 0, len(time) - 1)
    after = np.minimum(before + 1, len(time) - 1)
    part = np.clip(place - before, 0.0, 1.0)
    on_frame = part < 1e-3
    mixed = xyz[before] + (part[:, None, None] * (xyz[after] - xyz[before]))
    slower = step > 1.05 / rate
    there = np.where(on_frame[:, None], seen[before], seen[before] & seen[after] & (not slower))
    sigma = np.where(there, np.where(seen, markers.sigma, 0.0)[before], np.inf)
    return replace(markers, time=grid, xyz=np.where(there[..., None], mixed, 0.0), sigma=sigma)
