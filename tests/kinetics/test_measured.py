"""Measured forces and carried masses: in the right place and time, instead of the estimate, and told where they cannot be meant."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from kinetics.motions import RATE, body, gait, motion, subject
from monomsk.config import KineticsConfig, LoadsConfig
from monomsk.errors import InputError
from monomsk.io import external_loads, grf
from monomsk.kinetics import filtering
from monomsk.kinetics.applied_forces import burdened
from monomsk.kinetics.carrying import carried_forces
from monomsk.kinetics.classic import estimate
from monomsk.kinetics.feet import feet_of
from monomsk.kinetics.measured import Run, check, check_times, counted, under_loads
from monomsk.kinetics.mechanics import mechanics
from monomsk.kinetics.plates import FootForces, at_times, found_offset, found_place, on_feet, rotated
from monomsk.model.compile import compile_model
from monomsk.model.spec import Body
from monomsk.outside_loads import AppliedForce, CarriedMass, Loads
from monomsk.types import Kinetics, Motion

CONFIG = KineticsConfig()
TURN, SHIFT = 0.7, np.array([1.0, 0.0, -2.0])
BODIES = ("calcn_r", "calcn_l")
BAG = CarriedMass("hand_r", 5.0, (0.0, -0.2, 0.05))


def run(of: Motion) -> Run:
    return Run(of, body(), subject(), 0.0)


def loaded(of: Motion, loads: Loads, config: LoadsConfig | None = None) -> Kinetics:
    def way(outside: tuple[AppliedForce, ...]) -> Kinetics:
        return estimate(of, body(), subject(), CONFIG, outside=outside)

    return under_loads(way, loads, run(of), CONFIG, config or LoadsConfig())


@pytest.fixture(scope="module")
def walking() -> Kinetics:
    return estimate(gait(260), body(), subject(), CONFIG)


def in_laboratory(kinetics: Kinetics) -> tuple[AppliedForce, ...]:
    """The forces on the feet as plates of another frame tell them, whose clock began ten seconds before."""
    there = partial(rotated, turn=-TURN)
    return tuple(
        AppliedForce(f"plate_{i}", b, kinetics.time + 10.0, there(kinetics.force[:, i]), there(kinetics.cop[:, i] - SHIFT),
                     there(kinetics.moment[:, i]))
        for i, b in enumerate(BODIES)
    )  # fmt: skip


def test_who_stands_carries_what_the_hand_holds() -> None:
    standing = motion(150)
    found = loaded(standing, Loads(carried=(BAG,)))
    np.testing.assert_allclose(found.force[..., 1].sum(1), (body().mass + BAG.mass) * 9.80665, rtol=2e-3)
    root = [found.names.index(f"pelvis_{a}") for a in ("tx", "ty", "tz")]
    np.testing.assert_allclose(found.tau[:, root], 0.0, atol=5.0)


def test_a_carried_mass_is_a_heavier_body() -> None:
    walk = gait(120, seed=3)
    hand = next(b for b in body().bodies if b.name == BAG.body)
    heavy = replace(body(), bodies=tuple(_with(b) if b is hand else b for b in body().bodies))
    rates = filtering.rates(walk.time, walk.q, CONFIG.lowpass)
    plain, truth = (mechanics(compile_model(spec), feet_of(spec), rates) for spec in (body(), heavy))
    forces = carried_forces(walk, body(), (BAG,), lowpass=CONFIG.lowpass)
    found = burdened(plain, compile_model(body()), forces, walk.time)
    np.testing.assert_allclose(found.tau, truth.tau, atol=1e-6)
    moment = truth.wrench[:, :3] + np.cross(truth.center - plain.center, truth.wrench[:, 3:])
    np.testing.assert_allclose(found.wrench, np.concatenate([moment, truth.wrench[:, 3:]], 1), atol=1e-6)


def _with(hand: Body) -> Body:
    """The hand and the bag as one body."""
    mass, place = hand.mass + BAG.mass, np.array(BAG.location)
    center = (hand.mass * np.array(hand.mass_center) + BAG.mass * place) / mass
    inertia = np.array(hand.inertia)
    for part, at in ((hand.mass, np.array(hand.mass_center)), (BAG.mass, place)):
        x, y, z = at - center
        inertia += part * np.array([y * y + z * z, x * x + z * z, x * x + y * y, -x * y, -x * z, -y * z])
    return replace(hand, mass=mass, mass_center=tuple(map(float, center)), inertia=tuple(map(float, inertia)))


def test_it_is_carried_only_while_it_is_held() -> None:
    found = loaded(motion(150), Loads(carried=(replace(BAG, begin=0.5, end=1.0),)))
    np.testing.assert_array_equal(found.outside[0].force[:, 1] < -1.0, (found.time >= 0.5) & (found.time <= 1.0))
    with pytest.raises(InputError, match="carried at no time"):
        loaded(motion(20), Loads(carried=(replace(BAG, begin=9.0),)))


def test_plates_are_found_by_the_feet_and_take_the_place_of_the_estimate(walking: Kinetics) -> None:
    stronger = tuple(replace(f, force=1.1 * f.force) for f in in_laboratory(walking))
    found = loaded(gait(260), Loads(stronger), LoadsConfig(loads_offset=-10.0))
    assert found.placing is not None
    assert found.placing.turn == pytest.approx(TURN, abs=0.02)
    np.testing.assert_allclose(found.placing.shift, SHIFT, atol=0.02)
    assert (found.placing.turn_from, found.placing.offset_from) == ("feet", "given")
    assert found.placing.distance < 0.02
    assert found.measured is not None
    assert found.measured.mean() > 0.95
    error = np.abs(found.force - 1.1 * walking.force)[20:-20]
    assert error.mean() < 0.01 * body().mass * 9.80665
    # What the plates say too much, the root must hold.
    lift = found.names.index("pelvis_ty")
    np.testing.assert_allclose((walking.tau - found.tau)[:, lift], (found.force - walking.force).sum(1)[:, 1], atol=1e-6)


def test_written_forces_give_the_written_moments(walking: Kinetics, tmp_path: Path) -> None:
    found = loaded(gait(260), Loads(in_laboratory(walking), (BAG,)), LoadsConfig(loads_offset=-10.0))
    grf.write(tmp_path / "grf.mot", found)
    forces = (*external_loads.ground_forces(found.bodies), *external_loads.besides(found.outside))
    external_loads.write(tmp_path / "external_loads.xml", "grf.mot", forces)
    rates = filtering.rates(found.time, gait(260).q, CONFIG.lowpass)
    model = compile_model(body())
    plain = mechanics(model, feet_of(body()), rates)
    again = burdened(plain, model, external_loads.read_applied(tmp_path / "external_loads.xml"), found.time)
    np.testing.assert_allclose(again.tau, found.tau, atol=1e-3)


def hops(frames: int) -> Kinetics:
    """Forces alone of somebody who lands at odd times."""
    time = np.arange(frames) / RATE
    up = sum(600.0 * np.exp(-0.5 * ((time - at) / 0.08) ** 2) for at in (0.5, 1.1, 2.0, 2.3))
    force = np.zeros((frames, 2, 3))
    force[:, 0, 1], force[:, 1, 1] = up, 0.8 * np.roll(up, 3)
    cop = np.zeros((frames, 2, 3))
    cop[:, 1, 0] = np.linspace(0.0, 1.0, frames)
    none = np.zeros((frames, 0))
    return Kinetics(time, (), np.zeros(0, bool), none, none, ("calcn_r", "calcn_l"), force, cop, np.zeros_like(force), force[..., 1] > 20.0)


def plates_of(kinetics: Kinetics, later: float) -> FootForces:
    return FootForces(kinetics.time + later, kinetics.force, kinetics.cop, kinetics.moment, np.ones(kinetics.force.shape[:2], bool))


def test_the_offset_is_found_where_forces_do_not_repeat() -> None:
    assert found_offset(plates_of(hops(300), 4.0), hops(300), 1.5) == pytest.approx(1.5 - 4.0, abs=1e-9)
    steady = hops(300)
    steady.force[..., 1] = (300.0 + 300.0 * np.sin(2.0 * np.pi * steady.time / 0.5))[:, None]
    with pytest.raises(InputError, match="fit equally well"):
        found_offset(plates_of(steady, 0.0), steady, 0.0)
    other = hops(300)
    other.force[..., 1] = np.random.default_rng(0).uniform(0.0, 600.0, (300, 2))
    with pytest.raises(InputError, match="at no offset"):
        found_offset(plates_of(hops(300), 0.0), other, 0.0)


def test_one_place_tells_no_direction() -> None:
    still = hops(300)
    still.cop[:] = 0.3
    with pytest.raises(InputError, match="give --loads-turn"):
        found_place(plates_of(still, 0.0), still, None, None)
    assert found_place(plates_of(still, 0.0), still, 0.5, None)[2] == pytest.approx(0.0, abs=1e-12)
    nobody = plates_of(still, 0.0)
    nobody.force[:] = 0.0
    with pytest.raises(InputError, match="no foot stands on a plate"):
        found_place(nobody, still, None, None)


def test_a_step_beside_the_plates_keeps_the_estimate() -> None:
    contact = np.zeros((100, 2), bool)
    contact[10:40, 0] = contact[60:90, 0] = contact[30:70, 1] = True
    plates = plates_of(hops(100), 0.0)
    plates.force[..., 1] = 100.0 * contact
    plates.force[60:90, 0] = 0.0
    measured, beside = counted(contact, plates, RATE)
    assert beside == (1, 0)
    assert not measured[60:90, 0].any()
    assert measured[:60].all()


def test_times_between_and_beyond_the_measured_ones() -> None:
    feet = at_times(plates_of(hops(300), 0.0), np.array([-0.1, 0.5, 0.505, 3.5]))
    np.testing.assert_array_equal(feet.known.all(1), [False, True, True, False])
    np.testing.assert_allclose(feet.force[2], 0.5 * (hops(300).force[50] + hops(300).force[51]))


def test_two_plates_under_a_foot_are_one_force() -> None:
    time = np.arange(0.0, 1.0, 0.01)
    up = np.tile([0.0, 400.0, 0.0], (len(time), 1))
    parts = tuple(AppliedForce(f"p{x}", "calcn_r", time, up, np.tile([x, 0.0, 0.2], (len(time), 1)), 0.0 * up) for x in (0.0, 0.1))
    feet = on_feet((parts, ()), 1.0 / 30.0)
    np.testing.assert_allclose(feet.force[:, 0], [[0.0, 800.0, 0.0]] * len(feet.time), atol=1e-6)
    np.testing.assert_allclose(feet.cop[:, 0], [[0.05, 0.0, 0.2]] * len(feet.time), atol=1e-9)
    assert not feet.known[:, 1].any()


def _plate(force: tuple[float, float, float], point: tuple[float, float, float] = (0.0, 0.0, 0.0), **other: str) -> AppliedForce:
    time = np.arange(10) / 10.0
    rows = [np.tile(v, (10, 1)).astype(float) for v in (force, point, (0.0, 0.0, 0.0))]
    return AppliedForce(other.pop("name", "plate"), other.pop("body", "calcn_r"), time, *rows, **other)


@pytest.mark.parametrize(
    ("force", "message"),
    [
        (_plate((0.0, 700.0, 0.0), body="foot"), "names body 'foot'"),
        (_plate((0.0, 30.0, 700.0)), "mostly along Z, but Y must point up"),
        (_plate((0.0, -700.0, 0.0)), "pulls downwards"),
        (_plate((0.0, 0.7, 0.0)), "never exceeds 0.7 N"),
        (_plate((0.0, 70000.0, 0.0)), "it must be in newtons"),
        (_plate((0.0, 700.0, 0.0), (900.0, 0.0, 300.0)), "metres, not millimetres"),
        (_plate((0.0, 700.0, 0.0), force_frame="calcn_r"), "axes of the ground, not of calcn_r"),
    ],
)
def test_what_cannot_be_meant_is_said(force: AppliedForce, message: str) -> None:
    with pytest.raises(InputError, match=message):
        check(Loads((force,)), body(), subject())


def test_other_bodies_and_other_times_are_said() -> None:
    with pytest.raises(InputError, match="carried mass 1 names body 'claw'"):
        check(Loads(carried=(replace(BAG, body="claw"),)), body(), subject())
    loads = Loads((_plate((0.0, 700.0, 0.0)),))
    check_times(loads, 0.5, 3.0, LoadsConfig())
    with pytest.raises(InputError, match="check --loads-offset"):
        check_times(loads, 2.0, 3.0, LoadsConfig())
    check_times(loads, 2.0, 3.0, LoadsConfig(loads_offset=1.5))


def test_a_force_on_the_hand_needs_its_place() -> None:
    push = _plate((0.0, 0.0, 20.0), body="hand_r", name="rail")
    with pytest.raises(InputError, match="rail acts on no foot"):
        loaded(motion(60), Loads((push,)))
    found = loaded(motion(60), Loads((push,)), LoadsConfig(loads_turn=90.0, loads_shift=(0.0, 0.0, 0.0)))
    np.testing.assert_allclose(found.outside[0].force[5], [20.0, 0.0, 0.0], atol=1e-12)
    assert found.measured is None
