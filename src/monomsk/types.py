"""The nouns that flow along the way, immutable: from a Clip to a Trial.

SI units and radians. Ground frame: X forward, Y up, Z right. Camera frame: x right, y down, z forward.
Missing data are `sigma = inf` (values then mean nothing), never zeros. `names` index the last-but-one axis.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from jaxtyping import Bool, Float

from monomsk.errors import InputError
from monomsk.outside_loads import AppliedForce, Placing

if TYPE_CHECKING:
    from monomsk.model.spec import ModelSpec

Sex = Literal["f", "m"]
Progress = Callable[[float], None]
"""Told by a stage how much of its work is done, from 0 to 1."""


@dataclass(frozen=True)
class Subject:
    """The person: what cannot be seen in one video and has no default."""

    height: float
    """Standing height [m]."""
    mass: float
    """Body mass [kg]."""
    sex: Sex | None = None
    """Sex, when stated; None leaves the segment statistics of both."""

    def __post_init__(self) -> None:
        """Refuse what no person has; most often it is another unit. Raises InputError."""
        height, mass = self.height, self.mass
        if not 0.5 <= height <= 2.5:
            centimetres = f" looks like centimetres: write {height / 100:g}" if 50 <= height <= 250 else " is not one in metres"
            raise InputError(f"height {height:g}{centimetres} (allowed: 0.5 to 2.5 m)")
        if not 10.0 <= mass <= 300.0:
            raise InputError(f"mass {mass:g} is not one in kilograms (allowed: 10 to 300 kg)")
        bmi = self.body_mass_index
        if not 10.0 <= bmi <= 55.0:
            hint = f"if that is pounds, write {mass * 0.45359237:.1f}" if bmi > 55.0 else "check both (kilograms and metres)"
            raise InputError(f"mass {mass:g} kg with height {height:g} m gives BMI {bmi:.0f}: {hint}")
        if self.sex not in (None, "f", "m"):
            raise InputError(f"sex {self.sex!r} is not known (allowed: f, m, or leave it out)")

    @property
    def body_mass_index(self) -> float:
        """Mass over height squared [kg/m²]."""
        return self.mass / self.height**2


@dataclass(frozen=True)
class Clip:
    """A stretch of video, upright, on a uniform time grid. Pixels are decoded on demand by `video.frames`."""

    path: Path
    size: tuple[int, int]
    """Width and height [px] of the upright picture."""
    rotation: int
    """Counter-clockwise quarter turns (0..3) that make the decoded picture upright."""
    frame_time: Float[np.ndarray, " frame"]
    """True time of every decoded frame in the stretch [s], slow motion undone, on the axis of `time`: the first one at 0."""
    frame_index: tuple[int, int]
    """First (inclusive) and last (exclusive) decoded frame of the stretch."""
    time: Float[np.ndarray, " time"]
    """The uniform grid [s], starting at 0, on which everything after the keypoints lives."""
    start: float
    """Time in the file at which the stretch begins [s], as a player counts it."""
    time_scale: float = 1.0
    """Real seconds per second of the file; below 1 for slow motion."""
    metadata: dict[str, str] = field(default_factory=dict[str, str])
    """What the container says (make, model, focal length, capture rate)."""
    warnings: tuple[str, ...] = ()

    @property
    def rate(self) -> float:
        """Frames per second of the uniform grid [Hz]."""
        return 1.0 / float(self.time[1] - self.time[0])


@dataclass(frozen=True)
class Camera:
    """A pinhole camera with radial–tangential distortion, still in the ground frame."""

    size: tuple[int, int]
    """Width and height [px]."""
    focal: tuple[float, float]
    """fx, fy [px]."""
    center: tuple[float, float]
    """Principal point [px]."""
    distortion: tuple[float, float, float, float, float] = (0.0, 0.0, 0.0, 0.0, 0.0)
    """k1, k2, p1, p2, k3 (Brown–Conrady, OpenCV's order)."""
    focal_sigma: float = 0.0
    """Relative standard deviation of the focal length."""
    focal_source: str = "user"
    """Where the focal length comes from: user, metadata, table, prior."""
    R_camera_ground: Float[np.ndarray, "3 3"] | None = None
    """Rotation that takes ground vectors to camera vectors; None until the kinematics has placed the ground."""
    p_camera_ground: Float[np.ndarray, "3"] | None = None
    """Position of the ground origin in the camera frame [m]."""
    gravity: Float[np.ndarray, "3"] | None = None
    """Unit vector of gravity (down) in the camera frame."""
    gravity_sigma: float = 0.0
    """Standard deviation of that direction [rad]."""
    gravity_source: str = "prior"
    """Where gravity comes from: user, vanishing_point, prior, mesh, fit."""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Candidate:
    """Somebody in the picture, as a person would point at them."""

    number: int
    """Counted from left to right in the picture at `time`; what `--person` takes."""
    time: float
    """When [s, on the axis of the clip]; the same for all candidates of a clip."""
    box: tuple[float, float, float, float]
    """Left, top, width, height [px]."""
    followed: bool
    """Whether it is the one whose keypoints these are."""


@dataclass(frozen=True)
class Keypoints:
    """Points of the image over the uniform grid of the clip."""

    time: Float[np.ndarray, " time"]
    names: tuple[str, ...]
    """Canonical names (`keypoints.skeleton`), for example `knee_r`."""
    xy: Float[np.ndarray, "time keypoint 2"]
    """Pixels of the upright picture, distortion still in."""
    sigma: Float[np.ndarray, "time keypoint"]
    """Standard deviation per axis [px]; inf where missing."""
    depth: Float[np.ndarray, "time keypoint 3"] | None = None
    """The estimator's own three-dimensional guess [m], camera axes, hip midpoint at the origin; None when it has none."""
    source: str = "mediapipe"
    candidates: tuple[Candidate, ...] = ()
    """Everybody in the picture that shows most people, when there are several."""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Markers:
    """Anatomical points in space."""

    time: Float[np.ndarray, " time"]
    names: tuple[str, ...]
    xyz: Float[np.ndarray, "time marker 3"]
    """Ground frame [m]."""
    sigma: Float[np.ndarray, "time marker"]
    """Standard deviation per axis [m]; inf where missing."""
    depth_sigma: Float[np.ndarray, "time marker"] | None = None
    """Standard deviation along the camera's line of sight, relative to the hips [m], where it is told apart."""


@dataclass(frozen=True)
class Motion:
    """Coordinates of a body model over time."""

    time: Float[np.ndarray, " time"]
    names: tuple[str, ...]
    """Coordinate names, in the model's order."""
    rotational: Bool[np.ndarray, " nq"]
    """True for angles, False for lengths."""
    q: Float[np.ndarray, "time nq"]
    """rad and m."""
    sigma: Float[np.ndarray, "time nq"] | None = None
    """Standard deviation of q, when the solver gives one."""
    draws: Float[np.ndarray, "draw time nq"] | None = None
    """Errors of q that are as likely as any, when the solver gives them: how far the frames and coordinates go together."""
    contact: Float[np.ndarray, "time 2"] | None = None
    """Probability that the right and the left foot is planted."""
    quality: dict[str, float] = field(default_factory=dict[str, float])
    """Figures of the fit (reprojection error in px, sliding in m/s, …)."""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Kinetics:
    """Generalized forces and what the ground does to the feet. Axis `foot` is right, left."""

    time: Float[np.ndarray, " time"]
    names: tuple[str, ...]
    """Coordinate names, in the model's order."""
    rotational: Bool[np.ndarray, " nq"]
    q: Float[np.ndarray, "time nq"]
    """The filtered coordinates whose derivatives the forces belong to [rad, m]."""
    tau: Float[np.ndarray, "time nq"]
    """Generalized forces [N·m, N]; on the root coordinates they are the residuals."""
    bodies: tuple[str, str]
    """Bodies that carry the wrenches, for example calcn_r, calcn_l."""
    force: Float[np.ndarray, "time foot 3"]
    """Ground reaction force on the person, ground frame [N]."""
    cop: Float[np.ndarray, "time foot 3"]
    """Centre of pressure, ground frame [m]; on the ground below the foot while there is no force."""
    moment: Float[np.ndarray, "time foot 3"]
    """Free moment about the centre of pressure [N·m]."""
    contact: Bool[np.ndarray, "time foot"]
    quality: dict[str, float] = field(default_factory=dict[str, float])
    warnings: tuple[str, ...] = ()
    outside: tuple[AppliedForce, ...] = ()
    """What acts besides the ground on the feet, in the run's ground frame and at its frames."""
    measured: Bool[np.ndarray, "time foot"] | None = None
    """Where a foot's wrench was measured and not estimated; None where nothing was."""
    placing: Placing | None = None
    """How the measured forces were brought into the run."""
    tau_sigma: Float[np.ndarray, "time nq"] | None = None
    """Standard deviation of tau [N·m, N], where the motion tells its own."""
    force_sigma: Float[np.ndarray, "time foot 3"] | None = None
    """The same of the forces [N]."""


@dataclass(frozen=True)
class GeneralizedForces:
    """What must act on the coordinates for a motion."""

    time: Float[np.ndarray, " time"]
    names: tuple[str, ...]
    """Coordinate names, in the model's order."""
    rotational: Bool[np.ndarray, " nq"]
    tau: Float[np.ndarray, "time nq"]
    """[N·m, N]"""
    q: Float[np.ndarray, "time nq"]
    """The filtered coordinates that they belong to [rad, m]."""
    qd: Float[np.ndarray, "time nq"]
    qdd: Float[np.ndarray, "time nq"]
    bodies: tuple[str, ...] = ()
    """Bodies that measured forces act on."""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class MuscleActivity:
    """Muscle forces that explain the joint moments."""

    time: Float[np.ndarray, " time"]
    names: tuple[str, ...]
    activation: Float[np.ndarray, "time muscle"]
    force: Float[np.ndarray, "time muscle"]
    """Tendon force [N]."""
    reserve_names: tuple[str, ...]
    """Coordinates with a reserve actuator."""
    reserve: Float[np.ndarray, "time reserve"]
    """Generalized force the muscles could not supply [N·m]."""
    quality: dict[str, float] = field(default_factory=dict[str, float])
    warnings: tuple[str, ...] = ()
    length: Float[np.ndarray, "time muscle"] | None = None
    """Of muscle and tendon [m], where the solver knows it."""
    speed: Float[np.ndarray, "time muscle"] | None = None
    """At which they lengthen [m/s]."""


@dataclass(frozen=True)
class MetabolicCost:
    """What the muscles of a model burn, by a model of their energetics."""

    model: str
    """umberger2010 or bhargava2004."""
    power: Float[np.ndarray, "time muscle"]
    """[W]"""
    basal: float
    """What the whole body burns besides [W]."""
    muscle_mass: Float[np.ndarray, " muscle"]
    """[kg]"""
    guessed: tuple[str, ...]
    """Muscles whose share of slow-twitch fibres is not known and taken as half."""


@dataclass(frozen=True)
class Energetics:
    """Power of muscles and joints, positive where it is given to the bones."""

    time: Float[np.ndarray, " time"]
    names: tuple[str, ...]
    """Muscles."""
    muscle: Float[np.ndarray, "time muscle"]
    """Mechanical power of fibres and tendon together [W]."""
    active: Float[np.ndarray, "time muscle"]
    """Of the active fibre force [W]."""
    passive: Float[np.ndarray, "time muscle"]
    """Of the fibres' elasticity [W]."""
    coordinates: tuple[str, ...]
    """Coordinates of the joints, less those of the root."""
    joint: Float[np.ndarray, "time coordinate"]
    """Generalized force times speed [W]."""
    mass: float
    """Of the person [kg]."""
    metabolic: MetabolicCost | None = None
    """None where it was not asked for."""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class JointLoads:
    """What joints transmit, muscle forces included, at the origin of the joint's frame in the body acted on."""

    time: Float[np.ndarray, " time"]
    names: tuple[str, ...]
    """Joints."""
    bodies: tuple[str, ...]
    """Bodies that the loads act on, a joint each."""
    frames: tuple[str, ...]
    """Bodies, or ground, in whose axes they are given."""
    force: Float[np.ndarray, "time joint 3"]
    """[N]"""
    moment: Float[np.ndarray, "time joint 3"]
    """About the point [N·m]."""
    point: Float[np.ndarray, "time joint 3"]
    """Where they act, in the frame [m]."""
    coordinates: tuple[str, ...] = ()
    """Those that are free to move."""
    remaining: Float[np.ndarray, "time coordinate"] = field(default_factory=lambda: np.zeros((0, 0)))
    """What must act on them besides the muscles for the motion: reserves, the root's residuals, and what moves joints
    without muscles [N·m, N]."""


@dataclass(frozen=True)
class KneeContact:
    """How the condyles of the knees share their loads."""

    time: Float[np.ndarray, " time"]
    names: tuple[str, ...]
    """`<joint>_medial`, `<joint>_lateral`."""
    force: Float[np.ndarray, "time condyle"]
    """Compression [N]; negative where the condyle would have to pull."""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Trial:
    """Everything a run knows; stages after `until` are None."""

    subject: Subject
    clip: Clip | None = None
    camera: Camera | None = None
    keypoints: Keypoints | None = None
    markers: Markers | None = None
    body: "ModelSpec | None" = None
    """The scaled body model."""
    motion: Motion | None = None
    kinetics: Kinetics | None = None
    muscles: MuscleActivity | None = None
    seconds: dict[str, float] = field(default_factory=dict[str, float])
    """Wall time of each stage [s]."""
    warnings: tuple[str, ...] = ()
    loads: JointLoads | None = None
    """Of the stage `muscles` too."""
    energetics: Energetics | None = None
    """Of the stage `muscles` too."""
    networks: dict[str, str] = field(default_factory=dict[str, str])
    """Fingerprints (SHA-256) of the weights of the networks that had a part in it, by file."""
