"""One frozen dataclass a stage. Command-line flags, the TOML file in and the resolved TOML out are made from these.

A field's docstring is its help text. Values that a person must state (height, mass) are not here: they have no default.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal


@dataclass(frozen=True)
class VideoConfig:
    """Reading the clip."""

    start: float = 0.0
    """Where to begin [s]."""
    end: float | None = None
    """Where to stop [s]; the whole video if not given."""
    time_scale: float | None = None
    """Real seconds per second of video, for slow motion whose file does not say so (0.125 for 240 fps played at 30)."""
    allow_moving: bool = False
    """Go on although the camera moves; results then hold only where it stands still."""


@dataclass(frozen=True)
class CameraConfig:
    """What is known of the camera."""

    focal: float | None = None
    """Focal length [px of the upright picture]; else from the file's metadata, a table of phones, or 0.73 × the long side."""
    camera: Path | None = None
    """A camera file (our own TOML, Pose2Sim's, or OpenCV's): lens, and the direction of gravity if it has it."""


@dataclass(frozen=True)
class KeypointsConfig:
    """Finding the person in the picture."""

    person: int | None = None
    """Whom to follow, counted from left to right in the picture that shows most people."""
    bbox: tuple[float, float, float, float] | None = None
    """Box x, y, width, height [px] around the person in the first frame."""
    keypoints: Path | None = None
    """Recorded keypoints to use instead of looking for the person."""
    format: str | None = None
    """Format of the recorded keypoints: openpose_body25, openpose_body25b, halpe26, coco17, npz."""


@dataclass(frozen=True)
class MeshConfig:
    """A body mesh that another program recovered from the same video."""

    mesh: Path | None = None
    """Its file: WHAM's .pkl, 4D-Humans' .pkl, SAM 3D Body's results, or an .npz of joints; it takes the place of the guessed depth."""
    mesh_format: str | None = None
    """Format of that file: wham, gvhmr, 4dhumans, hsmr, sam3d, npz; found out if not given."""
    mesh_person: str | None = None
    """Whom to take, by the number that the program gave; the one with the most frames if not given."""
    body_model: Path | None = None
    """Your own SMPL or SMPL-X file (.npz), for files that hold angles and shape of a body alone; monomsk ships none."""
    mesh_depth_sigma: float = 0.10
    """Trust in the mesh's depth of each keypoint relative to the hips, per frame [m]; in place of depth_sigma."""


@dataclass(frozen=True)
class KinematicsConfig:
    """Fitting the body to the keypoints."""

    model: Path | None = None
    """An .osim to use instead of the body that ships with monomsk."""
    kinematics: Literal["classic", "learned", "both"] = "classic"
    """classic: an optimisation alone, with the estimator's own depth. learned: the networks alone. both: the optimisation, started and held
    by the networks."""
    weights: str = "commercial"
    """Weights of the networks: the set that ships, or a folder that `monomsk train` made."""
    learned_memory: float = 0.1
    """For how long errors of the networks last [s]: the longer, the less all their frames together are trusted."""
    pixel_inflation: float = 1.5
    """How many times less each frame's pixels are trusted than their sigma says, because errors of neighbouring frames go together."""
    depth_sigma: float = 0.30
    """Trust in the estimator's depth of each keypoint relative to the hips, per frame [m]; its errors last for many frames."""
    sole_sigma: float = 0.01
    """Tolerance of the height of planted soles [m]."""
    slide_sigma: float = 0.1
    """Tolerance of the speed of planted soles [m/s]."""
    robust: float = 3.0
    """Where a reprojection error begins to count as an outlier [standard deviations]."""
    iterations: int = 24
    """Most steps of the second, full fit."""
    draws: int = 12
    """Errors that the motion may have, to carry through to forces and moments for their standard deviations; 0 for none of these."""


@dataclass(frozen=True)
class KineticsConfig:
    """Forces from motion."""

    kinetics: Literal["classic", "learned"] = "learned"
    """classic: Newton–Euler, shared between the feet by an optimisation. learned: that, corrected by the inverse dynamics transformer."""
    lowpass: float = 6.0
    """Cut-off of the filter on the coordinates [Hz]: Butterworth, forwards and backwards, as OpenSim's InverseDynamicsTool filters."""


@dataclass(frozen=True)
class LoadsConfig:
    """What is known to act on the body; it takes the place of the estimate."""

    external_loads: Path | None = None
    """Measured forces: OpenSim's external_loads.xml, a .mot or .sto whose columns name the feet, or a .toml with carried masses."""
    loads_offset: float | Literal["auto"] | None = None
    """Time in the video less that of the force plates [s]; auto finds it by the vertical force. 0 if not given."""
    loads_turn: float | None = None
    """Turn of the laboratory about the vertical into the run's frame, from Z towards X [degrees]; from where the feet are if not given."""
    loads_shift: tuple[float, float, float] | None = None
    """Shift of the laboratory after that turn [m]; from where the feet are if not given."""


@dataclass(frozen=True)
class SimulationConfig:
    """Motion and forces made to agree."""

    simulation: Literal["none", "refined"] = "none"
    """none: motion and forces stay as they were found; what they miss is the pelvis residual. refined: both are changed a little, so that
    the equations of motion hold, soles rest and flight is ballistic."""


@dataclass(frozen=True)
class MusclesConfig:
    """Static optimization."""

    exponent: float = 2.0
    """Power of the activations in the cost, from 1 to 4."""
    minimum_activation: float = 0.01
    """Least activation of any muscle."""
    reserve: float = 1.0
    """A reserve moment r adds (r / reserve)² to the cost [N·m]: the smaller, the more the muscles must do themselves."""
    passive: bool = False
    """Let the muscles' passive elasticity carry its part of the moments. OpenSim's static optimization leaves it out, and a rigid tendon
    overstretches fibres where one camera errs."""
    strength: float = 1.0
    """Factor on all greatest isometric forces. Scaling the body already lets them follow mass^(2/3) from the generic body's 75 kg."""
    metabolics: Literal["umberger2010", "bhargava2004", "none"] = "umberger2010"
    """Model of the muscles' metabolic power: Umberger (2010) or Bhargava et al. (2004), as OpenSim has them; none for no such power."""
    specific_tension: float = 6e5
    """Greatest force of a muscle over its cross-section [Pa], from which muscle masses follow. 600 000 suits the body that ships and
    others whose strengths come from the muscles' volumes; OpenSim's probes take 250 000 unless told otherwise."""
    opensim_compat: bool = False
    """Repeat what OpenSim 4.6 does otherwise than it means to (wrapping, pennation), so that the numbers are its own. `monomsk so` does,
    unless told otherwise."""


Stage = Literal["keypoints", "markers", "kinematics", "kinetics", "simulation", "muscles", "report"]


@dataclass(frozen=True)
class Config:
    """Everything a run can be told."""

    video: VideoConfig = field(default_factory=VideoConfig)
    camera: CameraConfig = field(default_factory=CameraConfig)
    keypoints: KeypointsConfig = field(default_factory=KeypointsConfig)
    mesh: MeshConfig = field(default_factory=MeshConfig)
    kinematics: KinematicsConfig = field(default_factory=KinematicsConfig)
    kinetics: KineticsConfig = field(default_factory=KineticsConfig)
    loads: LoadsConfig = field(default_factory=LoadsConfig)
    simulation: SimulationConfig = field(default_factory=SimulationConfig)
    muscles: MusclesConfig = field(default_factory=MusclesConfig)
