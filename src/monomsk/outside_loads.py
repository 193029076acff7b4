"""What acts on a person besides the ground as it is estimated: measured forces, carried masses, and where they lie in a run."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float


@dataclass(frozen=True)
class AppliedForce:
    """A measured force on a body over time (a force plate, a carried load)."""

    name: str
    body: str
    """Body that it acts on."""
    time: Float[np.ndarray, " time"]
    force: Float[np.ndarray, "time 3"]
    """[N]"""
    point: Float[np.ndarray, "time 3"]
    """Where it acts [m]."""
    torque: Float[np.ndarray, "time 3"]
    """Free moment [N·m]."""
    force_frame: str = "ground"
    """Body, or ground, whose axes force and torque are given in."""
    point_frame: str = "ground"
    """Body, or ground, whose axes and origin the point is given in."""


@dataclass(frozen=True)
class CarriedMass:
    """Something that a body of the model carries: a point mass, fixed to it."""

    body: str
    mass: float
    """[kg]"""
    location: tuple[float, float, float]
    """In the body's frame [m]."""
    begin: float | None = None
    """When it is picked up [s, as a player counts the video]; before the clip begins if None."""
    end: float | None = None
    """When it is put down; after the clip ends if None."""


@dataclass(frozen=True)
class Loads:
    """What a person says acts on the body."""

    forces: tuple[AppliedForce, ...] = ()
    """Measured ones, in the frame and on the clock of the laboratory."""
    carried: tuple[CarriedMass, ...] = ()


@dataclass(frozen=True)
class Placing:
    """How the laboratory's frame and clock lie in those of a run: a point goes to Ry(turn) · point + shift."""

    offset: float
    """Time in the video, as a player counts it, less that of the plates [s]."""
    offset_from: str
    """given, auto, or not given (then 0)."""
    turn: float
    """About the vertical, from Z towards X [rad]."""
    turn_from: str
    """given or feet."""
    shift: tuple[float, float, float]
    """[m]"""
    shift_from: str
    """given or feet."""
    distance: float
    """Of the measured centres of pressure from the estimated ones, along the floor, RMS [m]; NaN where no foot has both."""
    correlation: float
    """Of the measured vertical forces with the estimated ones; NaN where nothing can be compared."""
