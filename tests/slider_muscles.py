"""Made-up muscles with random numbers and states: in OpenSim, pulling on a slider, and as arrays."""

from dataclasses import replace

import numpy as np

from monomsk.model.muscles import Muscles, compile_muscles
from monomsk.model.spec import Muscle
from pendulums import elbow, muscle

ENDS = (("humerus", (0.0, 0.0, 0.0)), ("ulna", (0.0, 1.0, 0.0)))
KINDS = ("Millard2012EquilibriumMuscle", "Thelen2003Muscle", "DeGrooteFregly2016Muscle")
_RANGES = {
    "Millard2012EquilibriumMuscle": {"fiber_damping": (0.02, 0.2), "minimum_activation": (0.01, 0.02)},
    "Thelen2003Muscle": {
        "FmaxTendonStrain": (0.03, 0.08),
        "FmaxMuscleStrain": (0.4, 0.8),
        "KshapeActive": (0.4, 0.6),
        "KshapePassive": (3.0, 5.0),
        "Af": (0.2, 0.4),
        "Flen": (1.3, 1.8),
        "minimum_activation": (0.01, 0.02),
    },
    "DeGrooteFregly2016Muscle": {
        "active_force_width_scale": (1.0, 1.4),
        "tendon_strain_at_one_norm_force": (0.03, 0.1),
        "passive_fiber_strain_at_one_norm_force": (0.4, 0.8),
        "activation_dynamics_smoothing": (0.1, 10.0),
    },
}
_TIMES = {"activation_time_constant": (0.008, 0.02), "deactivation_time_constant": (0.03, 0.07)}
_CURVES = {
    "ActiveForceLengthCurve.min_norm_active_fiber_length": (0.4, 0.5),
    "ActiveForceLengthCurve.max_norm_active_fiber_length": (1.7, 1.9),
    "FiberForceLengthCurve.strain_at_one_norm_force": (0.5, 0.8),
    "TendonForceLengthCurve.strain_at_one_norm_force": (0.03, 0.1),
    "ForceVelocityCurve.max_eccentric_velocity_force_multiplier": (1.3, 1.6),
}


def random_muscles(kind: str, count: int, seed: int) -> list[Muscle]:
    """Muscles of one kind."""
    rng = np.random.default_rng(seed)
    ranges = _RANGES[kind] | _TIMES | (_CURVES if kind == KINDS[0] else {})
    return [
        replace(
            muscle(f"m{i}", ENDS, force=rng.uniform(200.0, 4000.0)),
            kind=kind,
            optimal_fiber_length=rng.uniform(0.03, 0.2),
            tendon_slack_length=rng.uniform(0.05, 0.4),
            pennation=rng.uniform(0.0, 0.6) if i % 4 else 0.0,
            max_contraction_velocity=rng.uniform(8.0, 15.0),
            parameters=tuple((name, rng.uniform(*span)) for name, span in ranges.items()),
        )
        for i in range(count)
    ]


def as_arrays(muscles: list[Muscle], **options) -> Muscles:
    return compile_muscles(elbow(*muscles), ("humerus", "ulna"), **options)


def lengths(muscles: list[Muscle], fiber: np.ndarray, strain: np.ndarray) -> np.ndarray:
    """Musculotendon lengths of fibres of normalized length on tendons of a strain."""
    optimal, slack, pennation = (
        np.array([getattr(m, n) for m in muscles]) for n in ("optimal_fiber_length", "tendon_slack_length", "pennation")
    )
    height = optimal * np.sin(pennation)
    return slack * (1.0 + strain) + np.sqrt((fiber * optimal) ** 2 - height**2)


class Slider:
    """The muscles in OpenSim, each of its own length, all lengthening at one speed."""

    def __init__(self, opensim, muscles: list[Muscle], length: np.ndarray) -> None:
        opensim.Logger.setLevelString("off")
        self.model = opensim.Model()
        ground = self.model.getGround()
        body = opensim.Body("body", 1.0, opensim.Vec3(0), opensim.Inertia(1, 1, 1))
        self.model.addBody(body)
        joint = opensim.SliderJoint("slider", ground, body)
        joint.updCoordinate().setName("x")
        self.model.addJoint(joint)
        self.muscles = []
        for spec, size in zip(muscles, length, strict=True):
            m = getattr(opensim, spec.kind)()
            m.setName(spec.name)
            m.set_max_isometric_force(spec.max_isometric_force)
            m.set_optimal_fiber_length(spec.optimal_fiber_length)
            m.set_tendon_slack_length(spec.tendon_slack_length)
            m.set_pennation_angle_at_optimal(spec.pennation)
            m.set_max_contraction_velocity(spec.max_contraction_velocity)
            for name, value in spec.parameters:
                curve, _, last = name.rpartition(".")
                getattr(getattr(m, f"upd_{curve}")() if curve else m, f"set_{last}")(float(value))
                if name == "minimum_activation":
                    m.setMinControl(float(value))
            m.addNewPathPoint("origin", ground, opensim.Vec3(0))
            m.addNewPathPoint("insertion", body, opensim.Vec3(float(size) - 1.0, 0, 0))
            self.model.addForce(m)
            self.muscles.append(m)
        self.state = self.model.initSystem()
        self.model.getCoordinateSet().get(0).setValue(self.state, 1.0)

    def set(self, activation: np.ndarray, speed: float) -> None:
        self.model.getCoordinateSet().get(0).setSpeedValue(self.state, speed)
        for m, a in zip(self.muscles, activation, strict=True):
            m.setStateVariableValue(self.state, "activation", float(a))

    def equilibrium(self) -> np.ndarray:
        """Fibre lengths where OpenSim begins a simulation."""
        for m in self.muscles:
            m.computeInitialFiberEquilibrium(self.state)
        self.model.realizeVelocity(self.state)
        return np.array([m.getFiberLength(self.state) for m in self.muscles])

    def set_state(self, name: str, value: np.ndarray) -> None:
        for m, v in zip(self.muscles, value, strict=True):
            m.setStateVariableValue(self.state, name, float(v))

    def found(self) -> dict[str, np.ndarray]:
        self.model.realizeDynamics(self.state)
        get = {
            "tendon_force": "getTendonForce",
            "tendon_strain": "getTendonStrain",
            "fiber_length": "getFiberLength",
            "fiber_velocity": "getFiberVelocity",
            "cos_pennation": "getCosPennationAngle",
            "active": "getActiveFiberForceAlongTendon",
            "passive": "getPassiveFiberForceAlongTendon",
        }
        return {name: np.array([getattr(m, method)(self.state) for m in self.muscles]) for name, method in get.items()}

    def activation_rate(self, excitation: np.ndarray) -> np.ndarray:
        controls = self.model.updControls(self.state)
        for i, u in enumerate(excitation):
            controls.set(i, float(u))
        self.model.setControls(self.state, controls)
        self.model.realizeAcceleration(self.state)
        return np.array([m.getStateVariableDerivativeValue(self.state, "activation") for m in self.muscles])
