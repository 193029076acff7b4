"""What a person can type, as types: tyro makes the flags and their help from these and from `config.py`.

Nothing heavy is imported here, so that `monomsk --help` answers at once.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro
from tyro.constructors import ConstructorRegistry, PrimitiveConstructorSpec, PrimitiveTypeInfo, UnsupportedTypeAnnotationError

from monomsk.config import Config, MusclesConfig, Stage
from monomsk.types import Sex, Subject

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Run:
    """Analyse one video: angles, moments, ground and muscle forces into a folder."""

    video: tyro.conf.Positional[Path]
    """The video: one person, a camera that stands still."""
    height: float
    """Standing height of the person [m]."""
    mass: float
    """Body mass of the person [kg]."""
    sex: Sex | None = None
    """f or m; leave it out and the body statistics of both are used."""
    out: Path | None = None
    """Folder for the results; VIDEO_monomsk in the current folder if not given."""
    until: Stage = "report"
    """Last stage to do."""
    config: Path | None = None
    """Settings as TOML (every run writes its own as config.toml). Flags win over the file, the file over the defaults."""
    overwrite: bool = False
    """Replace the results of an earlier run in the same folder; files that are not monomsk's stay."""
    settings: Annotated[Config, tyro.conf.arg(name="")] = field(default_factory=Config)

    @property
    def subject(self) -> Subject:
        """The person. Raises InputError for what no person has."""
        return Subject(height=self.height, mass=self.mass, sex=self.sex)

    @property
    def folder(self) -> Path:
        """Where the results go."""
        return self.out or Path(f"{self.video.stem}_monomsk")


@dataclass(frozen=True)
class Demo:
    """Draw a walk whose truth is known, analyse the movie like any other, and print estimate against truth."""

    out: Path = Path("monomsk_demo")
    """Folder for the results."""
    overwrite: bool = False
    """Replace the results of an earlier run in the same folder; files that are not monomsk's stay."""


@dataclass(frozen=True)
class Doctor:
    """Check that everything monomsk needs is here, and say how to mend what is not."""


@dataclass(frozen=True)
class Scale:
    """A body of a person's size from the markers of a standing trial."""

    model: tyro.conf.Positional[Path]
    """The generic body, with its markers (.osim)."""
    markers: tyro.conf.Positional[Path]
    """Measured markers of the person standing (.trc)."""
    height: float
    """Standing height of the person [m]."""
    mass: float
    """Body mass of the person [kg]."""
    sex: Sex | None = None
    """f or m; leave it out and the body statistics of both are used."""
    up: Literal["y", "z"] = "y"
    """Axis of the laboratory that points up."""
    start: float | None = None
    """First time to use [s]."""
    end: float | None = None
    """Last time to use [s]."""
    out: Path = Path("scaled")
    """Folder for model.osim, static.mot and scale.json."""
    overwrite: bool = False
    """Replace earlier results in that folder."""


@dataclass(frozen=True)
class InverseKinematics:
    """The motion that measured markers show, as OpenSim's InverseKinematicsTool finds it."""

    model: tyro.conf.Positional[Path]
    """The body, scaled to the person, with its markers (.osim)."""
    markers: tyro.conf.Positional[Path]
    """Measured markers (.trc)."""
    tasks: Path | None = None
    """Weights of markers and coordinates (an IKTaskSet, or the set-up of a tool); all markers weigh the same if not given."""
    up: Literal["y", "z"] = "y"
    """Axis of the laboratory that points up."""
    start: float | None = None
    """First time to use [s]."""
    end: float | None = None
    """Last time to use [s]."""
    out: Path = Path("inverse_kinematics")
    """Folder for kinematics.mot and ik_marker_errors.sto."""
    overwrite: bool = False
    """Replace earlier results in that folder."""


@dataclass(frozen=True)
class InverseDynamics:
    """Joint moments of a recorded motion, as OpenSim's InverseDynamicsTool finds them."""

    model: tyro.conf.Positional[Path]
    """The body, scaled to the person (.osim)."""
    motion: tyro.conf.Positional[Path]
    """Its coordinates over time (.mot, .sto)."""
    external_loads: Path | None = None
    """Measured forces (external_loads.xml)."""
    lowpass: float | None = None
    """Cut-off of the low-pass filter on the coordinates [Hz]; 6 suits gait. Not filtered if not given."""
    start: float | None = None
    """First time to write [s]."""
    end: float | None = None
    """Last time to write [s]."""
    out: Path = Path("inverse_dynamics.sto")
    """File for the result."""
    overwrite: bool = False
    """Replace that file if it is there."""
    passive: bool = False
    """Take off what the model's springs, stops and soft tissue do, as OpenSim's tool does with forces that it is not told to exclude."""
    simbody_compatible: bool = False
    """Repeat the error of OpenSim's CustomJoint and its splines through forces, to compare numbers with it."""


@dataclass(frozen=True)
class StaticOptimization:
    """Muscle forces, joint loads and power of a recorded motion, as OpenSim's StaticOptimization and JointReaction find them."""

    model: tyro.conf.Positional[Path]
    """The body with its muscles, scaled to the person (.osim)."""
    motion: tyro.conf.Positional[Path]
    """Its coordinates over time (.mot, .sto)."""
    external_loads: Path | None = None
    """Measured forces (external_loads.xml)."""
    lowpass: float | None = None
    """Cut-off of the low-pass filter on the coordinates [Hz]; 6 suits gait. Not filtered if not given."""
    start: float | None = None
    """First time to solve [s]."""
    end: float | None = None
    """Last time to solve [s]."""
    on: Literal["child", "parent"] = "child"
    """Which body of each joint the loads are told for."""
    frame: Literal["child", "parent", "ground"] = "child"
    """In whose axes."""
    condyle_distance: float | None = None
    """Distance [m] between the points at which the condyles touch, from an image or a measure of the knee: tells how they share the
    load of knees that are one joint (knee_contact.sto)."""
    out: Path = Path("static_optimization")
    """Folder for StaticOptimization_activation.sto, StaticOptimization_force.sto, reserve_actuators.xml, joint_reactions.sto, and the
    power of muscles and joints (muscle_power.sto, joint_power.sto, metabolic_power.sto, energy.json)."""
    overwrite: bool = False
    """Replace earlier results in that folder."""
    muscles: Annotated[MusclesConfig, tyro.conf.arg(name="")] = field(default_factory=lambda: MusclesConfig(opensim_compat=True))


@dataclass(frozen=True)
class MuscleAnalysis:
    """Lengths, lengthening speeds and moment arms of all muscles over a motion, as OpenSim's MuscleAnalysis finds them."""

    model: tyro.conf.Positional[Path]
    """The body with its muscles, scaled to the person (.osim)."""
    motion: tyro.conf.Positional[Path]
    """Its coordinates over time (.mot, .sto)."""
    lowpass: float | None = None
    """Cut-off of the low-pass filter on the coordinates [Hz]; not filtered if not given."""
    start: float | None = None
    """First time to write [s]."""
    end: float | None = None
    """Last time to write [s]."""
    out: Path = Path("muscle_analysis")
    """Folder for _Length.sto, _LengtheningSpeed.sto and a _MomentArm_….sto for every coordinate that a muscle moves."""
    overwrite: bool = False
    """Replace earlier results in that folder."""
    opensim_compat: bool = True
    """Lay paths as OpenSim 4.6 does; --no-opensim-compat lays the shortest where the two differ."""


@dataclass(frozen=True)
class PolynomialPaths:
    """The model with polynomials in place of its muscle paths, smooth and fast, as OpenSim's PolynomialPathFitter makes them."""

    model: tyro.conf.Positional[Path]
    """The body with its muscles, scaled to the person (.osim)."""
    motion: Path | None = None
    """Fit around this motion (.mot, .sto) alone; across the ranges of the coordinates if not given."""
    margin: float = 0.175
    """How far around the motion [rad]."""
    samples: int = 2048
    """Postures to fit to; another half of that many choose the order, and as many again tell the errors."""
    order: int = 9
    """Highest order of a polynomial, 9 at most."""
    length_tolerance: float = 1e-4
    """Root mean square error of a length with which an order will do [m]."""
    arm_tolerance: float = 1e-4
    """The same of a moment arm [m]."""
    seed: int = 0
    """Of the draw of postures."""
    paths: Path | None = None
    """Take the polynomials of this FunctionBasedPathSet instead of fitting any, and tell their errors."""
    opensim_compat: bool = False
    """Fit to paths as OpenSim 4.6 lays them where it differs from the shortest."""
    out: Path = Path("polynomial_paths")
    """Folder for model.osim, FunctionBasedPathSet.xml and path_errors.csv."""
    overwrite: bool = False
    """Replace earlier results in that folder."""


@dataclass(frozen=True)
class ForwardDynamics:
    """The motion that generalized forces make from a state, as OpenSim's forward tool finds it."""

    model: tyro.conf.Positional[Path]
    """The body (.osim)."""
    states: tyro.conf.Positional[Path]
    """Where it begins: a row of coordinates, and speeds if there are any (.sto, .mot)."""
    controls: tyro.conf.Positional[Path]
    """Generalized forces over time, named as `monomsk id` names them (.sto)."""
    external_loads: Path | None = None
    """Measured forces on top (external_loads.xml)."""
    contact: bool = False
    """Let the ground push on the model's contact spheres."""
    passive: bool = False
    """Let the model's springs, stops and soft tissue act on the coordinates; moments of `monomsk id` hold them already."""
    start: float | None = None
    """Time of the row to begin with [s]; the first row if not given."""
    end: float | None = None
    """When to stop [s]; at the end of the forces if not given."""
    rate: float = 100.0
    """Frames to write a second [Hz]."""
    method: Literal["semi-implicit", "tsit5", "kvaerno5"] = "tsit5"
    """Fixed steps with implicit damping; adaptive explicit steps; adaptive implicit ones for stiff contact."""
    step: float = 0.001
    """Longest fixed step [s]."""
    damping: float = 0.0
    """Moment against the speed of every joint coordinate [N·m·s/rad]."""
    out: Path = Path("forward_dynamics")
    """Folder for states.sto and kinematics.mot."""
    overwrite: bool = False
    """Replace earlier results in that folder."""


@dataclass(frozen=True)
class Corpus:
    """Motion data of many sources fitted to one body, for training."""

    root: Path
    """Folder with mocap/ and kinetics/."""
    out: Path
    """Folder for clips/ and index.csv; clips that are there already, made in the same way, are not fitted again."""
    only: tuple[str, ...] = ()
    """Sources to fit; all if not given."""
    procedural: int = 40
    """Movements to make up of every kind: standing up, squats, lunges, jumps, walks, runs, turns, stairs, balancing."""
    workers: int = 2
    """Processes that fit at the same time."""


@dataclass(frozen=True)
class CorpusDynamics:
    """Moments and ground forces for the motions of a corpus, by optimal control: to learn from without force plates."""

    corpus: Path
    """Folder that `monomsk corpus` made."""
    out: Path
    """Folder for dynamics/*.npz and dynamics.csv; clips that are there already are not tracked again."""
    only: tuple[str, ...] = ()
    """Sources to track; all if not given."""
    split: Literal["train", "dev", "test"] | None = None
    """Part of the corpus; all of it if not given."""
    most: int | None = None
    """Clips to track at most, the first of each source in turn; all if not given."""


@dataclass(frozen=True)
class Train:
    """Train one of the networks on a corpus; a training that was stopped goes on."""

    network: tyro.conf.Positional[Literal["markers", "kinematics", "dynamics"]]
    """markers: from keypoints to markers in space. kinematics: from those to joint angles; it needs the first. dynamics: from motion to
    ground forces."""
    corpus: Path
    """Folder that `monomsk corpus` made."""
    out: Path
    """Folder for weights, card, curves and the state from which a stopped training goes on; `monomsk run --weights` takes it."""
    root: Path | None = None
    """Laboratory data (kinetics/trials.csv) with the force plates of the corpus's trials, for dynamics."""
    config: Path | None = None
    """Settings as TOML, sections [shape], [windows], [loss] and [schedule]; every training writes its own there."""
    start: str | None = None
    """Weights to begin with instead of chance: a set that is shipped, or a folder of another training."""
    research: bool = False
    """Train on all clips, also those whose licence forbids commercial use; the card says so."""
    coordinator: str | None = None
    """Several machines: address and port of the first of them, the same for all."""
    machines: int = 1
    """How many train together."""
    machine: int = 0
    """Which of them this is, from 0."""


COMMANDS = {
    "run": Run,
    "demo": Demo,
    "doctor": Doctor,
    "scale": Scale,
    "ik": InverseKinematics,
    "id": InverseDynamics,
    "so": StaticOptimization,
    "muscles": MuscleAnalysis,
    "paths": PolynomialPaths,
    "fd": ForwardDynamics,
    "corpus": Corpus,
    "corpus-dynamics": CorpusDynamics,
    "train": Train,
}
"""What can be typed, and the function of the same module that does it: `Run` is `run.run`, `InverseDynamics` is
`inverse_dynamics.inverse_dynamics`."""


def parse(arguments: list[str]) -> Any:
    """The command that the arguments ask for. Exits with 2 and says what is allowed when they cannot be read.

    Raises InputError and FormatError for a `--config` file that cannot be right.
    """
    defaults: dict[str, Any] = {}
    if arguments[:1] == ["run"] and (path := _value_of(arguments, "--config")) is not None:
        from monomsk.io.config_file import read_config

        settings, subject = read_config(Path(path))
        stated: dict[str, Any] = {"video": tyro.MISSING, "height": tyro.MISSING, "mass": tyro.MISSING} | subject
        defaults["run"] = Run(**stated, settings=settings)
    choices = tuple(
        Annotated[kind, tyro.conf.subcommand(name, default=defaults.get(name, tyro.MISSING_NONPROP))] for name, kind in COMMANDS.items()
    )
    kind: Any = choices[0]
    for choice in choices[1:]:
        kind = kind | choice
    return tyro.cli(
        kind,
        prog="monomsk",
        description="One video, a height and a mass in; joint angles, moments, ground reaction and muscle forces out.",
        args=arguments,
        config=(tyro.conf.OmitArgPrefixes, tyro.conf.FlagCreatePairsOff),
        registry=_registry(),
    )


def _value_of(arguments: list[str], flag: str) -> str | None:
    """What follows a flag, before tyro has read anything."""
    for here, following in zip(arguments, [*arguments[1:], None], strict=True):
        if here == flag:
            return following
        if here.startswith(f"{flag}="):
            return here.partition("=")[2]
    return None


def _registry() -> ConstructorRegistry:
    registry = ConstructorRegistry()

    @registry.primitive_rule
    def box(info: PrimitiveTypeInfo) -> PrimitiveConstructorSpec[Any] | UnsupportedTypeAnnotationError | None:
        """A box is one word, `x,y,w,h`."""
        if info.type != Box:
            return None
        return PrimitiveConstructorSpec(
            nargs=1,
            metavar="X,Y,W,H",
            instance_from_str=lambda words: _box(words[0]),
            is_instance=lambda value: isinstance(value, tuple) and len(value) == 4,
            str_from_instance=lambda value: [",".join(f"{number:g}" for number in value)],
        )

    return registry


def _box(text: str) -> Box:
    numbers = tuple(float(number) for number in text.split(","))
    if len(numbers) != 4:
        raise ValueError(f"a box is four numbers, x,y,w,h, not {text}")
    x, y, width, height = numbers
    return x, y, width, height
