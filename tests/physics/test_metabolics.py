"""Metabolic and mechanical power of muscles: OpenSim's probes, known answers, derivatives."""

from dataclasses import dataclass, replace
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from monomsk.io import osim_read
from monomsk.model.muscles import Muscles, compile_muscles
from monomsk.physics.metabolics import Bhargava2004, MetabolicPower, Umberger2010, basal_power, bhargava2004, tissue, umberger2010
from monomsk.physics.muscle_dynamics import muscle_dynamics
from monomsk.physics.muscle_power import Fibers, compliant_tendon_fibers, muscle_power, rigid_tendon_fibers
from slider_muscles import KINDS, Slider, as_arrays, lengths, random_muscles

COUNT = 12
PUBLISHED = {"use_bhargava_recruitment_model": False, "include_negative_mechanical_work": False, "forbid_negative_total_power": False}
UMBERGER = (
    Umberger2010(),
    Umberger2010(**PUBLISHED),
    Umberger2010(aerobic_factor=1.0, muscle_effort_scaling_factor=0.8, forbid_negative_total_power=False, enforce_minimum_heat_rate=False),
)
BHARGAVA = (
    Bhargava2004(),
    Bhargava2004(
        muscle_effort_scaling_factor=0.8,
        use_force_dependent_shortening_prop_constant=True,
        include_negative_mechanical_work=False,
        forbid_negative_total_power=False,
        enforce_minimum_heat_rate=False,
    ),
)
SMOOTH = (
    Bhargava2004(smooth=True),
    Bhargava2004(
        smooth=True,
        velocity_smoothing=3.0,
        power_smoothing=0.5,
        heat_rate_smoothing=0.2,
        use_force_dependent_shortening_prop_constant=True,
        include_negative_mechanical_work=False,
    ),
)
rigid, umberger, bhargava = (eqx.filter_jit(f) for f in (rigid_tendon_fibers, umberger2010, bhargava2004))


@eqx.filter_jit
def compliant(muscles: Muscles, activation, fiber, length, excitation) -> Fibers:
    return compliant_tendon_fibers(muscles, activation, muscle_dynamics(muscles, activation, fiber, length), excitation=excitation)


def set_options(theirs, ours: Umberger2010 | Bhargava2004) -> None:
    same = {
        "aerobic_factor",
        "muscle_effort_scaling_factor",
        "include_negative_mechanical_work",
        "forbid_negative_total_power",
        "use_force_dependent_shortening_prop_constant",
        "velocity_smoothing",
        "power_smoothing",
        "heat_rate_smoothing",
    }
    for name in same:
        if hasattr(ours, name) and hasattr(theirs, f"set_{name}"):
            getattr(theirs, f"set_{name}")(getattr(ours, name))
    if isinstance(ours, Umberger2010):
        theirs.set_use_Bhargava_recruitment_model(ours.use_bhargava_recruitment_model)
    theirs.set_enforce_minimum_heat_rate_per_muscle(ours.enforce_minimum_heat_rate)


SWITCHES = {
    Umberger2010: {"activation": "activation_maintenance", "shortening": "shortening", "work": "mechanical_work"},
    Bhargava2004: {"activation": "activation", "maintenance": "maintenance", "shortening": "shortening", "work": "mechanical_work"},
}
"""What OpenSim calls the parts."""


def size(found: MetabolicPower) -> np.ndarray:
    """What the parts amount to whatever their sign, to hold errors against [W]."""
    return sum(np.abs(np.asarray(part)) for part in (found.activation, found.maintenance, found.shortening, found.work))


class Probes:
    """OpenSim's probes of the parts and the sum, with the options given."""

    def __init__(self, opensim, model, names: list[str], slow: np.ndarray, options: tuple[Umberger2010 | Bhargava2004, ...]) -> None:
        self.probes = {}
        for i, chosen in enumerate(options):
            kind = type(chosen)
            for part in (*SWITCHES[kind], "total"):
                probe = getattr(opensim, f"{kind.__name__}MuscleMetabolicsProbe")()
                probe.setName(f"{kind.__name__}_{i}_{part}")
                probe.set_report_total_metabolics_only(False)
                set_options(probe, chosen)
                for other, switch in SWITCHES[kind].items():
                    getattr(probe, f"set_{switch}_rate_on")(part in (other, "total"))
                model.addProbe(probe)
                for name, share in zip(names, slow, strict=True):
                    constants = () if kind is Umberger2010 else (40.0, 133.0, 74.0, 111.0)
                    probe.addMuscle(name, float(share), *constants)
                self.probes[i, part] = probe

    def values(self, state) -> dict[tuple[int, str], np.ndarray]:
        """Basal power, then that of the muscles."""
        outputs = {key: probe.getProbeOutputs(state) for key, probe in self.probes.items()}
        return {key: np.array([output.get(i) for i in range(1, output.size())]) for key, output in outputs.items()}


@dataclass
class Case:
    """Muscles of one kind in OpenSim and as arrays, at states of many activations, lengths and speeds."""

    slider: Slider
    muscles: Muscles
    slow: np.ndarray
    probes: dict[type, Probes]
    smoothed: list
    stiff: bool
    length: np.ndarray
    activation: np.ndarray
    excitation: np.ndarray

    def states(self):
        """OpenSim realized, our fibres, and the musculotendon speed, of one state after the other."""
        fiber = None if self.stiff else self._balanced()
        for speed, activation in ((0.0, self.activation), (-0.25, 0.7 * self.activation), (0.2, np.minimum(1.3 * self.activation, 1.0))):
            self.slider.set(activation, speed)
            state, model = self.slider.state, self.slider.model
            controls = model.updControls(state)
            for i, value in enumerate(self.excitation):
                controls.set(i, float(value))
            model.setControls(state, controls)
            model.realizeReport(state)
            both = jnp.asarray(self.length), jnp.full(COUNT, speed)
            arrays = jnp.asarray(activation), jnp.asarray(self.excitation)
            if self.stiff:
                yield state, rigid(self.muscles, arrays[0], *both, excitation=arrays[1]), both[1]
            else:
                yield state, compliant(self.muscles, arrays[0], fiber, both[0], arrays[1]), both[1]

    def _balanced(self) -> np.ndarray:
        self.slider.set(self.activation, 0.0)
        return self.slider.equilibrium()


@pytest.fixture(
    scope="module",
    params=[
        (kind, stiff) for kind in KINDS for stiff in (False, True) if (kind, stiff) != (KINDS[1], True)
    ],  # OpenSim has no such Thelen's
    ids=lambda p: f"{p[0][:6]}-{'rigid' if p[1] else 'compliant'}",
)
def case(request: pytest.FixtureRequest) -> Case:
    opensim = pytest.importorskip("opensim")
    kind, stiff = request.param
    spec, rng = random_muscles(kind, COUNT, 11), np.random.default_rng(12)
    length = lengths(spec, rng.uniform(0.7, 1.35, COUNT), np.zeros(COUNT) if stiff else rng.uniform(0.0, 0.05, COUNT))
    activation, excitation, slow = (rng.uniform(low, high, COUNT) for low, high in ((0.03, 1.0), (0.0, 1.0), (0.05, 0.95)))
    slider = Slider(opensim, spec, length)
    for m in slider.muscles:
        m.set_ignore_tendon_compliance(stiff)
    names = [m.name for m in spec]
    probes = {type(o[0]): Probes(opensim, slider.model, names, slow, o) for o in (UMBERGER, BHARGAVA)}
    smoothed = []
    for i, chosen in enumerate(SMOOTH):
        component = opensim.Bhargava2004SmoothedMuscleMetabolics()
        component.setName(f"smooth{i}")
        component.set_use_smoothing(True)
        set_options(component, chosen)
        for m, share in zip(slider.muscles, slow, strict=True):
            component.addMuscle(m.getName(), m, float(share), 250e3)
        slider.model.addComponent(component)
        smoothed.append(component)
    slider.model.finalizeConnections()
    slider.state = slider.model.initSystem()
    slider.model.getCoordinateSet().get(0).setValue(slider.state, 1.0)
    muscles = as_arrays(spec, opensim_compat=not stiff)
    return Case(slider, muscles, slow, probes, smoothed, stiff, length, activation, excitation)


def test_metabolic_power_is_opensims(case: Case) -> None:
    flesh = tissue(case.muscles, jnp.asarray(case.slow))
    forbidden = 0
    for state, fibers, _ in case.states():
        basal = float(basal_power(jnp.array(case.slider.model.getTotalMass(state))))
        for method, options in ((umberger, UMBERGER), (bhargava, BHARGAVA)):
            theirs = case.probes[type(options[0])].values(state)
            for i, chosen in enumerate(options):
                ours = method(flesh, fibers, chosen)
                for part in (part for number, part in theirs if number == i):
                    error = np.abs(np.asarray(getattr(ours, part)) - theirs[i, part][1:]) / size(ours)
                    assert error.max() < 1e-8, (chosen, part)
                assert theirs[i, "total"][0] == pytest.approx(basal, rel=1e-12)
            forbidden += int((np.abs(theirs[0, "total"][1:]) < 1e-9).sum())
        for chosen, component in zip(SMOOTH, case.smoothed, strict=True):
            ours = bhargava(flesh, fibers, chosen)
            theirs = [component.getMuscleMetabolicRate(state, m.getAbsolutePathString()) for m in case.slider.muscles]
            assert (np.abs(np.asarray(ours.total) - theirs) / size(ours)).max() < 1e-8
    # Some muscles would have given energy back.
    assert forbidden > 0


def test_mechanical_power_is_opensims(case: Case) -> None:
    for state, fibers, speed in case.states():
        power = muscle_power(fibers, speed)
        get = {
            name: np.array([getattr(m, f"get{name}Power")(state) for m in case.slider.muscles])
            for name in ("FiberActive", "Tendon", "Muscle")
        }
        elastic = np.array([m.getFiberPassivePower(state) for m in case.slider.muscles])
        expected = {"active": get["FiberActive"], "passive": elastic, "tendon": get["Tendon"], "musculotendon": get["Muscle"]}
        ours = {name: np.asarray(getattr(power, name)) for name in expected}
        # OpenSim counts the damping of Millard's muscles to the active power; the others here have none.
        ours["active"] = ours["active"] + np.asarray(power.damping)
        scale = np.asarray(case.muscles.max_isometric_force) * 0.5
        for name, value in expected.items():
            assert np.abs((ours[name] - value) / scale).max() < 1e-8, name
        parts = power.active + power.passive + power.damping + power.tendon
        np.testing.assert_allclose(parts, power.musculotendon, atol=1e-8 * float(scale.max()))
        assert (np.asarray(power.damping) <= 0.0).all()
        assert case.muscles.kind[0] != 0 or float(speed[0]) == 0.0 or (np.asarray(power.damping) < 0.0).any()


def test_metabolic_power_is_opensims_on_a_whole_body(shared: Path) -> None:
    """Rajagopal2016, all 80 muscles, in the middle of a stride."""
    opensim = pytest.importorskip("opensim")
    opensim.Logger.setLevelString("off")
    file = shared / "data/models/Rajagopal2016.osim"
    if not file.is_file():
        pytest.skip("no Rajagopal2016 in the shared data")
    spec, model = osim_read.read(file), opensim.Model(str(file))
    muscles = compile_muscles(spec, tuple(b.name for b in spec.bodies))
    count, rng = muscles.count, np.random.default_rng(5)
    theirs = [model.getMuscles().get(name) for name in muscles.names]
    for m in theirs:
        m.set_ignore_tendon_compliance(True)
    slow = rng.uniform(0.1, 0.9, count)
    probes = [Probes(opensim, model, list(muscles.names), slow, (option,)) for option in (Umberger2010(), Bhargava2004())]
    state = model.initSystem()
    for name, angle, speed in (
        ("hip_flexion_r", 0.4, -2.0),
        ("knee_angle_r", 0.6, 4.0),
        ("ankle_angle_r", 0.1, -3.0),
        ("knee_angle_l", 0.2, -2.0),
    ):
        model.getCoordinateSet().get(name).setValue(state, angle, False)
        model.getCoordinateSet().get(name).setSpeedValue(state, speed)
    activation = rng.uniform(0.02, 0.9, count)
    for m, a in zip(theirs, activation, strict=True):
        m.setActivation(state, float(a))
    model.assemble(state)
    controls = model.updControls(state)
    actuators = model.getActuators()
    for i in range(actuators.getSize()):
        if actuators.get(i).getName() in muscles.names:
            controls.set(i, float(activation[muscles.names.index(actuators.get(i).getName())]))
    model.setControls(state, controls)
    model.realizeReport(state)
    length, speed = (np.array([getattr(m, f"get{what}")(state) for m in theirs]) for what in ("Length", "LengtheningSpeed"))
    fibers = rigid(muscles, jnp.asarray(activation), jnp.asarray(length), jnp.asarray(speed))
    flesh = tissue(muscles, jnp.asarray(slow))
    for method, probe in zip((umberger, bhargava), probes, strict=True):
        ours = method(flesh, fibers)
        for (_, part), value in probe.values(state).items():
            assert (np.abs(np.asarray(getattr(ours, part)) - value[1:]) / size(ours)).max() < 1e-8, part
    assert float(basal_power(jnp.array(spec.mass))) == pytest.approx(1.2 * spec.mass)


def at(activation: float, length: float, velocity: float, excitation: float | None = None) -> tuple[Fibers, Muscles]:
    """Three muscles alike, at normalized length and velocity [1/s]."""
    muscles = as_arrays([replace(m, pennation=0.0, optimal_fiber_length=0.1) for m in random_muscles(KINDS[0], 3, 1)])
    optimal, slack = muscles.optimal_fiber_length, muscles.tendon_slack_length
    excitations = None if excitation is None else jnp.full(3, excitation)
    speed = velocity * optimal
    return rigid(
        muscles, jnp.full(3, activation), slack + length * optimal, speed, excitation=excitations, passive=False, damping=False
    ), muscles


def test_known_answers() -> None:
    still, muscles = at(1.0, 1.0, 0.0)
    flesh = tissue(muscles, jnp.full(3, 0.5), specific_tension=500e3)
    expected = muscles.max_isometric_force / 500e3 * 1059.7 * muscles.optimal_fiber_length
    np.testing.assert_allclose(flesh.mass, expected, rtol=1e-12)
    burnt = umberger(flesh, still, Umberger2010())
    # At full excitation all fibres work: 1.5 × (25 + 128 × 0.5) W/kg, and no work without speed.
    np.testing.assert_allclose(burnt.total / flesh.mass, 133.5, rtol=1e-12)
    assert np.abs(np.asarray(burnt.work)).max() == np.abs(np.asarray(burnt.shortening)).max() == 0.0
    burnt = bhargava(flesh, still, Bhargava2004())
    np.testing.assert_allclose(burnt.total / flesh.mass, 0.5 * (40.0 + 133.0 + 74.0 + 111.0), rtol=1e-12)
    shortens, lengthens = at(0.5, 1.0, -2.0)[0], at(0.5, 1.0, 2.0)[0]
    for method in (umberger, bhargava):
        assert (np.asarray(method(flesh, shortens).work) > 0.0).all()
        assert (np.asarray(method(flesh, lengthens).work) < 0.0).all()
        assert (np.asarray(method(flesh, lengthens).total) > -1e-9).all()
        assert (np.asarray(method(flesh, shortens).total) > np.asarray(method(flesh, lengthens).total)).all()
    # Energy given back where that is allowed: a quarter of the work heats in shortening only.
    back = bhargava(flesh, lengthens, Bhargava2004(forbid_negative_total_power=False, enforce_minimum_heat_rate=False))
    np.testing.assert_allclose(back.total, back.activation + back.maintenance + back.work, rtol=1e-12)


@pytest.mark.parametrize("method", [umberger, bhargava], ids=["umberger", "bhargava"])
def test_resting_muscles_give_the_least_heat(method) -> None:
    resting, muscles = at(0.0, 0.9, 0.0)
    flesh = tissue(muscles, jnp.full(3, 0.4))
    np.testing.assert_allclose(method(flesh, resting).total, flesh.mass, rtol=1e-12)
    without = replace(UMBERGER[0] if method is umberger else BHARGAVA[0], enforce_minimum_heat_rate=False)
    np.testing.assert_allclose(method(flesh, resting, without).total, 0.0, atol=1e-15)


def test_fast_fibres_are_recruited_last() -> None:
    weak, muscles = at(0.1, 1.0, 0.0)
    flesh = tissue(muscles, jnp.full(3, 0.5))
    recruited, in_proportion = (umberger(flesh, weak, option).total for option in (UMBERGER[0], UMBERGER[1]))
    assert (np.asarray(recruited) < 0.5 * np.asarray(in_proportion)).all()


@pytest.mark.parametrize(
    ("method", "options"), [(umberger2010, UMBERGER[0]), (bhargava2004, BHARGAVA[0]), (bhargava2004, SMOOTH[0])], ids=["u", "b", "smooth"]
)
def test_derivatives_against_differences(method, options) -> None:
    spec = random_muscles(KINDS[0], COUNT, 21)
    muscles, rng = as_arrays(spec), np.random.default_rng(22)
    flesh = tissue(muscles, jnp.asarray(rng.uniform(0.1, 0.9, COUNT)))
    # Away from steps: fibres clearly shorter or longer than optimal, that clearly shorten.
    fiber = np.where(rng.uniform(size=COUNT) < 0.5, rng.uniform(0.75, 0.95, COUNT), rng.uniform(1.05, 1.3, COUNT))
    x = jnp.asarray(np.stack([rng.uniform(0.2, 0.9, COUNT), lengths(spec, fiber, np.zeros(COUNT)), rng.uniform(-0.15, -0.05, COUNT)]))

    @jax.jit
    def total(x: jax.Array) -> jax.Array:
        return method(flesh, rigid_tendon_fibers(muscles, *x, excitation=0.9 * x[0]), options).total.sum()

    slope, h = jax.jit(jax.grad(total))(x), 1e-6
    for row in range(3):
        step = jnp.zeros_like(x).at[row].set(h)
        difference = float((total(x + step) - total(x - step)) / (2 * h))
        assert float(slope[row].sum()) == pytest.approx(difference, rel=1e-5)
    assert np.isfinite(np.asarray(jax.jit(jax.grad(total))(x.at[0].set(0.0)))).all()


def test_batching_equals_a_loop() -> None:
    spec = random_muscles(KINDS[0], COUNT, 31)
    muscles, rng = as_arrays(spec), np.random.default_rng(32)
    flesh = tissue(muscles, jnp.full(COUNT, 0.6))
    length = jnp.asarray(np.stack([lengths(spec, rng.uniform(0.7, 1.3, COUNT), np.zeros(COUNT)) for _ in range(4)]))
    activation, speed = jnp.asarray(rng.uniform(0.0, 1.0, (4, COUNT))), jnp.asarray(rng.uniform(-0.3, 0.3, (4, COUNT)))
    for method in (umberger, bhargava):
        together = method(flesh, rigid(muscles, activation, length, speed)).total
        one_by_one = [method(flesh, rigid(muscles, activation[i], length[i], speed[i])).total for i in range(4)]
        np.testing.assert_allclose(together, np.stack(one_by_one), rtol=1e-12, atol=1e-10)
