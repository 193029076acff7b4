"""What an .osim says, as plain immutable data: the body before it is compiled.

Every joint is six slots: three rotations about successive body-fixed axes, then three translations along axes of
the parent's frame, each a function of one coordinate (Delp 2007; OpenSim's CustomJoint and SpatialTransform).
Lengths in m, angles in rad, masses in kg. `kind` keeps OpenSim's class name so that a file can be written back.
"""

from dataclasses import dataclass, replace

Vec3 = tuple[float, float, float]


@dataclass(frozen=True)
class Constant:
    """A value that no coordinate changes."""

    value: float


@dataclass(frozen=True)
class Linear:
    """slope × coordinate + intercept."""

    slope: float
    intercept: float = 0.0


@dataclass(frozen=True)
class Polynomial:
    """A polynomial of the coordinate."""

    coefficients: tuple[float, ...]
    """Highest power first."""


@dataclass(frozen=True)
class Spline:
    """Points and the rule between them; straight continuation outside."""

    kind: str
    """SimmSpline, NaturalCubicSpline or PiecewiseLinearFunction."""
    x: tuple[float, ...]
    y: tuple[float, ...]


@dataclass(frozen=True)
class Step:
    """From one value to another, constant before and after; slope and curvature are zero at both ends (OpenSim's StepFunction)."""

    start: float
    """Where the rise begins (OpenSim calls it transition_start_time)."""
    end: float
    start_value: float = 0.0
    end_value: float = 1.0


Function = Constant | Linear | Polynomial | Spline | Step


@dataclass(frozen=True)
class Axis:
    """One slot of a joint: displacement `gain * function(coordinate)` about or along `direction`."""

    direction: Vec3
    function: Function = Constant(0.0)
    coordinate: str | None = None
    gain: float = 1.0
    """OpenSim's MultiplierFunction, which scaling adds to translations."""


@dataclass(frozen=True)
class Frame:
    """Pose of a joint's frame in a body."""

    translation: Vec3 = (0.0, 0.0, 0.0)
    orientation: Vec3 = (0.0, 0.0, 0.0)
    """Body-fixed X-Y-Z angles [rad]."""


@dataclass(frozen=True)
class Coordinate:
    """A degree of freedom of a joint."""

    name: str
    rotational: bool
    range: tuple[float, float]
    default: float = 0.0
    locked: bool = False
    clamped: bool = False


@dataclass(frozen=True)
class Joint:
    """How a body moves in its parent."""

    name: str
    kind: str
    parent: str
    """Parent body, or `ground`."""
    child: str
    parent_frame: Frame
    child_frame: Frame
    rotations: tuple[Axis, Axis, Axis]
    translations: tuple[Axis, Axis, Axis]
    coordinates: tuple[Coordinate, ...]
    radii: Vec3 | None = None
    """EllipsoidJoint: half axes [m] of the ellipsoid in the parent's joint frame on which the child's joint frame rolls and slides."""


@dataclass(frozen=True)
class Body:
    """A rigid body."""

    name: str
    mass: float
    mass_center: Vec3
    inertia: tuple[float, float, float, float, float, float]
    """xx yy zz xy xz yz about the mass centre [kg·m²]."""
    meshes: tuple[tuple[str, Vec3], ...] = ()
    """Names of geometry files (OpenSim finds them in its own folder) and their scale."""


@dataclass(frozen=True)
class Coupler:
    """dependent = gain * function(independent): OpenSim's CoordinateCouplerConstraint."""

    name: str
    dependent: str
    independent: str
    function: Function
    gain: float = 1.0


@dataclass(frozen=True)
class Marker:
    """A point fixed in a body."""

    name: str
    body: str
    location: Vec3
    fixed: bool = False


@dataclass(frozen=True)
class Wrap:
    """A surface that muscle paths bend around, fixed in a body."""

    name: str
    kind: str
    """WrapCylinder, WrapSphere, WrapEllipsoid, WrapTorus."""
    body: str
    translation: Vec3
    rotation: Vec3
    """Body-fixed X-Y-Z angles [rad]."""
    dimensions: tuple[float, ...]
    """Cylinder: radius, length. Sphere: radius. Ellipsoid: three radii. Torus: inner, outer radius."""
    quadrant: str = "all"
    active: bool = True


@dataclass(frozen=True)
class PathPoint:
    """A point of a muscle path. Fixed; or active only while `coordinate` is in `range`; or moved by functions."""

    name: str
    body: str
    location: Vec3
    coordinate: str | None = None
    """Coordinate of a ConditionalPathPoint."""
    range: tuple[float, float] | None = None
    moving: tuple[Axis, Axis, Axis] | None = None
    """MovingPathPoint: location as functions of coordinates, one a direction."""


@dataclass(frozen=True)
class PathWrap:
    """One use of a Wrap by a path."""

    wrap: str
    range: tuple[int, int] = (-1, -1)
    """First and last path point (1-based) between which it acts; −1 is open."""
    method: str = "hybrid"


@dataclass(frozen=True)
class MultivariatePolynomial:
    """A polynomial of several arguments."""

    dimension: int
    """Number of arguments."""
    order: int
    """The largest sum of exponents in a term."""
    coefficients: tuple[float, ...]
    """Of all terms, in the order in which exponents are counted up, the last argument's fastest: 1, y, y², x, xy, x²."""


@dataclass(frozen=True)
class PolynomialPath:
    """A muscle path whose length is a polynomial of coordinates: OpenSim's FunctionBasedPath, which has no points."""

    coordinates: tuple[str, ...]
    """Arguments of the polynomials."""
    length: MultivariatePolynomial
    moment_arms: tuple[MultivariatePolynomial, ...] = ()
    """One a coordinate; those of the length where there are none."""
    speed: MultivariatePolynomial | None = None
    """Lengthening speed, of the coordinates and then their speeds; that of the moment arms where there is none."""


@dataclass(frozen=True)
class Muscle:
    """A muscle–tendon actuator and its path."""

    name: str
    kind: str
    max_isometric_force: float
    optimal_fiber_length: float
    tendon_slack_length: float
    pennation: float
    """Pennation angle at optimal fibre length [rad]."""
    max_contraction_velocity: float
    """Optimal fibre lengths per second."""
    points: tuple[PathPoint, ...]
    """None where the path is a polynomial."""
    wraps: tuple[PathWrap, ...] = ()
    parameters: tuple[tuple[str, float], ...] = ()
    """Further numbers of the muscle and its curves, by OpenSim's property names, when they differ from the defaults."""
    ignore_tendon_compliance: bool = False
    group: str = ""
    polynomial: PolynomialPath | None = None
    """In place of points and wraps."""


@dataclass(frozen=True)
class ContactSphere:
    """A sphere that presses on the ground plane y = 0 (OpenSim's SmoothSphereHalfSpaceForce)."""

    name: str
    body: str
    location: Vec3
    radius: float
    stiffness: float = 1.0e6
    dissipation: float = 2.0
    static_friction: float = 0.8
    dynamic_friction: float = 0.8
    viscous_friction: float = 0.5
    transition_velocity: float = 0.2
    applied: bool = True
    """Whether OpenSim lets it push. Off in the shipped body, whose ground forces come from a file: they would count twice."""


@dataclass(frozen=True)
class CoordinateLimit:
    """A soft stop at both ends of a coordinate's range (OpenSim's CoordinateLimitForce, there in degrees)."""

    name: str
    coordinate: str
    lower: float
    """Where the stop begins [rad, m]."""
    upper: float
    lower_stiffness: float
    """[N·m/rad, N/m]."""
    upper_stiffness: float
    transition: float
    """Way beyond the limit until the stiffness is whole [rad, m]."""
    damping: float = 0.0
    """[N·m·s/rad, N·s/m], where the stiffness is whole."""
    applied: bool = True


@dataclass(frozen=True)
class CoordinateSpring:
    """Stiffness and damping along a coordinate (OpenSim's SpringGeneralizedForce)."""

    name: str
    coordinate: str
    stiffness: float
    """[N·m/rad, N/m]."""
    rest: float = 0.0
    """Value of the coordinate at which the spring does nothing."""
    damping: float = 0.0
    """OpenSim's viscosity [N·m·s/rad, N·s/m]."""
    applied: bool = True


@dataclass(frozen=True)
class CoordinateExponential:
    """What soft tissue does along a coordinate: Σ gain · exp(rate · (q − offset)) − stiffness · q − damping · qd (Audu & Davy 1985).

    OpenSim has it as an ExpressionBasedCoordinateForce, whose expressions of other forms are not read.
    """

    name: str
    coordinate: str
    exponentials: tuple[tuple[float, float, float], ...]
    """Gain [N·m, N], rate [1/rad, 1/m] and offset [rad, m] of each; a rate of zero makes a constant."""
    stiffness: float = 0.0
    damping: float = 0.0
    applied: bool = True


PassiveForce = CoordinateLimit | CoordinateSpring | CoordinateExponential


@dataclass(frozen=True)
class CoordinateActuator:
    """A motor along a coordinate: its force is a control times the optimal force."""

    name: str
    coordinate: str
    optimal_force: float = 1.0
    """[N·m, N]."""


@dataclass(frozen=True)
class ModelSpec:
    """A whole body model."""

    name: str
    bodies: tuple[Body, ...]
    joints: tuple[Joint, ...]
    """One a body, parents before children."""
    couplers: tuple[Coupler, ...] = ()
    markers: tuple[Marker, ...] = ()
    wraps: tuple[Wrap, ...] = ()
    muscles: tuple[Muscle, ...] = ()
    contacts: tuple[ContactSphere, ...] = ()
    passive: tuple[PassiveForce, ...] = ()
    """Forces of joints on their coordinates, muscles aside."""
    actuators: tuple[CoordinateActuator, ...] = ()
    """Motors; only what is told of muscle forces knows them by name."""
    gravity: Vec3 = (0.0, -9.80665, 0.0)
    credits: str = ""
    publications: str = ""

    @property
    def coordinates(self) -> tuple[Coordinate, ...]:
        """All coordinates, in the order of the joints."""
        return tuple(c for joint in self.joints for c in joint.coordinates)

    @property
    def mass(self) -> float:
        """Total mass [kg]."""
        return sum(body.mass for body in self.bodies)

    def with_markers(self, markers: tuple[Marker, ...]) -> "ModelSpec":
        """The same body with another marker set."""
        return replace(self, markers=markers)
