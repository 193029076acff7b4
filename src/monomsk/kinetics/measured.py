"""Kinetics under what a person says acts on the body: measured forces take the place of the estimate where they were measured."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool

from monomsk.config import KineticsConfig, LoadsConfig
from monomsk.errors import InputError
from monomsk.kinetics import filtering
from monomsk.kinetics.applied_forces import attachment, burdened
from monomsk.kinetics.carrying import carried_forces
from monomsk.kinetics.feet import feet_of
from monomsk.kinetics.ground_forces import GroundForces
from monomsk.kinetics.mechanics import mechanics
from monomsk.kinetics.plates import LOADED, FootForces, at_times, correlation, found_offset, found_place, moved, on_feet, rotated
from monomsk.kinetics.quality import figure_warnings, quality
from monomsk.model.compile import compile_model
from monomsk.model.spec import ModelSpec
from monomsk.outside_loads import AppliedForce, Loads, Placing
from monomsk.types import Kinetics, Motion, Subject

Way = Callable[[tuple[AppliedForce, ...]], Kinetics]
"""An estimate of the kinetics while forces act besides the ground."""
ON_PLATE = 0.2
"""Share of a contact for which its foot must be on a plate; a step with less went beside it and keeps the estimate."""
SHORTEST = 0.1
"""Shorter contacts are no steps [s]."""
APART = 0.08
"""Distance of centres of pressure from the feet that is worth a warning (RMS) [m]."""
UNLIKE = 0.8
"""Correlation of vertical forces below which a warning is due."""
WHOLE = 0.98
"""Share of the frames from which a foot's force counts as measured throughout."""
HEAVIEST = 20.0
"""No ground pushes harder [body weights]."""
FARTHEST = 50.0
"""No plate lies further from the laboratory's origin [m]."""


@dataclass(frozen=True)
class Run:
    """The motion that the loads belong to."""

    motion: Motion
    spec: ModelSpec
    subject: Subject
    start: float
    """Time in the video at which the motion begins [s]."""


def under_loads(way: Way, loads: Loads, run: Run, kinetics: KineticsConfig, config: LoadsConfig) -> Kinetics:
    """The estimate with carried masses, and with measured forces where there are any.

    A foot's measured wrench replaces the estimated one in the frames in which it was measured, but for steps beside the plates; forces
    on other bodies act besides. Raises InputError as `check`, `plates.found_offset` and `plates.found_place`.
    """
    check(loads, run.spec, run.subject)
    carried = carried_forces(run.motion, run.spec, loads.carried, lowpass=kinetics.lowpass, start=run.start)
    estimate = way(carried)
    on_foot, others = by_foot(loads.forces, run.spec)
    if not loads.forces:
        return estimate
    step = float(run.motion.time[1] - run.motion.time[0])
    feet = on_feet(on_foot, step) if any(on_foot) else None
    placing = _placing(feet, estimate, others, run, config)
    if others:
        besides = tuple(_in_run(f, placing, run) for f in others)
        estimate = way((*carried, *besides))
    if feet is None:
        return replace(estimate, placing=placing)
    return _replaced(estimate, at_times(moved(feet, placing, run.start), run.motion.time), placing, run, kinetics)


def fixed(config: LoadsConfig, placing: Placing | None) -> LoadsConfig:
    """Settings that put the plates where they were found to be, for other motions of the same run."""
    if placing is None:
        return config
    return replace(config, loads_offset=placing.offset, loads_turn=math.degrees(placing.turn), loads_shift=placing.shift)


def check(loads: Loads, spec: ModelSpec, subject: Subject) -> None:
    """Raises InputError for forces that cannot be meant: unknown bodies, other units, another axis up, another sign."""
    names = {body.name for body in spec.bodies}
    for number, one in enumerate(loads.carried, 1):
        if one.body not in names:
            raise InputError(f"carried mass {number} names body {one.body!r}, which the model does not have")
    attachment(compile_model(spec), loads.forces)
    for of_foot in by_foot(loads.forces, spec)[0]:
        for force in of_foot:
            _check_plate(force, subject.mass * float(np.linalg.norm(spec.gravity)))


def check_times(loads: Loads, start: float, end: float, config: LoadsConfig) -> None:
    """Raises InputError when a force was measured at no time of the clip, which lasts from `start` to `end` in the video [s]."""
    if config.loads_offset == "auto":
        return
    offset = config.loads_offset or 0.0
    for force in loads.forces:
        if force.time[-1] + offset < start or force.time[0] + offset > end:
            span = f"from {force.time[0] + offset:g} to {force.time[-1] + offset:g} s of the video"
            raise InputError(
                f"external force {force.name} was measured {span}, which is analysed from {start:g} to {end:g} s: "
                f"check --loads-offset ({offset:g} s)"
            )


def by_foot(
    forces: tuple[AppliedForce, ...], spec: ModelSpec
) -> tuple[tuple[tuple[AppliedForce, ...], tuple[AppliedForce, ...]], tuple[AppliedForce, ...]]:
    """Forces on the right foot, on the left one, and on anything else. All bodies with contact spheres are feet."""
    feet = feet_of(spec)
    of = {body: int(foot) for body, foot in zip(feet.body, feet.foot, strict=True)}
    sides = tuple(tuple(f for f in forces if of.get(f.body.split("/")[-1]) == side) for side in (0, 1))
    return (sides[0], sides[1]), tuple(f for f in forces if f.body.split("/")[-1] not in of)


def _check_plate(force: AppliedForce, weight: float) -> None:
    frames = {force.force_frame.split("/")[-1], force.point_frame.split("/")[-1]}
    if frames != {"ground"}:
        raise InputError(
            f"external force {force.name} on a foot must be given in the axes of the ground, not of {(frames - {'ground'}).pop()}"
        )
    size = np.abs(force.force)
    main = int(size.sum(0).argmax())
    if main != 1 and size[:, main].max() > LOADED:
        axis = "XYZ"[main]
        raise InputError(f"external force {force.name} acts mostly along {axis}, but Y must point up: turn the file's axes")
    up = force.force[:, 1]
    if up.sum() < 0.0:
        raise InputError(f"external force {force.name} pulls downwards: it must be the force on the person, upwards positive")
    if up.max() > HEAVIEST * weight:
        raise InputError(
            f"external force {force.name} reaches {up.max():.0f} N, {up.max() / weight:.0f} body weights: it must be in newtons"
        )
    if 0.0 < up.max() < 5.0:
        raise InputError(
            f"external force {force.name} never exceeds {up.max():.3g} N: it must be in newtons, not kilonewtons or body weights"
        )
    if (far := float(np.abs(force.point[up > LOADED]).max(initial=0.0))) > FARTHEST:
        raise InputError(f"external force {force.name} acts {far:.0f} m from the origin: its points must be in metres, not millimetres")


def _placing(feet: FootForces | None, estimate: Kinetics, others: tuple[AppliedForce, ...], run: Run, config: LoadsConfig) -> Placing:
    """Clock and frame of the plates, given or found."""
    turn = None if config.loads_turn is None else math.radians(config.loads_turn)
    shift, given = config.loads_shift, config.loads_offset
    if feet is None:
        if given == "auto":
            raise InputError("--loads-offset auto needs forces on the feet: give the offset in seconds")
        if any("ground" in (f.force_frame, f.point_frame) for f in others) and (turn is None or shift is None):
            raise InputError(
                f"external force {others[0].name} acts on no foot, so its place is not known: give --loads-turn and --loads-shift"
            )
        return Placing(given or 0.0, "not given" if given is None else "given", turn or 0.0, "given", shift or (0.0, 0.0, 0.0), "given",
                       math.nan, math.nan)  # fmt: skip
    offset = found_offset(feet, estimate, run.start) if given == "auto" else (given or 0.0)
    here = at_times(replace(feet, time=feet.time + offset - run.start), estimate.time)
    found = found_place(here, estimate, turn, shift)
    return Placing(
        offset=offset,
        offset_from="not given" if given is None else "auto" if given == "auto" else "given",
        turn=found[0],
        turn_from="feet" if turn is None else "given",
        shift=found[1],
        shift_from="feet" if shift is None else "given",
        distance=found[2],
        correlation=correlation(here, estimate)[0],
    )


def _in_run(force: AppliedForce, placing: Placing, run: Run) -> AppliedForce:
    """The force in the run's clock and frame, at the motion's frames; vectors in the axes of bodies stay as they are."""
    time = run.motion.time
    at = time + run.start - placing.offset
    inside = ((at >= force.time[0]) & (at <= force.time[-1]))[:, None]
    push, point, torque = (np.stack([np.interp(at, force.time, c) for c in v.T], 1) for v in (force.force, force.point, force.torque))
    if force.force_frame.split("/")[-1] == "ground":
        push, torque = rotated(push, placing.turn), rotated(torque, placing.turn)
    if force.point_frame.split("/")[-1] == "ground":
        point = rotated(point, placing.turn) + np.array(placing.shift)
    return replace(force, time=time, force=inside * push, point=point, torque=inside * torque)


def _replaced(estimate: Kinetics, plates: FootForces, placing: Placing, run: Run, config: KineticsConfig) -> Kinetics:
    """The estimate with the plates' wrenches where they were measured, and joint moments that belong to them."""
    rate = filtering.sampling_rate(run.motion.time)
    measured, beside = counted(estimate.contact, plates, rate)
    there = measured[..., None]
    stands = there & plates.loaded[..., None]
    force, moment = np.where(there, plates.force, estimate.force), np.where(there, plates.moment, estimate.moment)
    forces = GroundForces(force, np.where(stands, plates.cop, estimate.cop), moment, np.where(measured, plates.loaded, estimate.contact))
    model, feet = compile_model(run.spec), feet_of(run.spec)
    rates = filtering.rates(run.motion.time, filtering.unwrap(run.motion.q, run.motion.rotational), config.lowpass)
    state = burdened(mechanics(model, feet, rates), model, estimate.outside, run.motion.time)
    applied = np.concatenate([np.cross(forces.cop, forces.force) + forces.moment, forces.force], axis=-1)
    tau = state.tau - np.einsum("tfqi,tfi->tq", state.jacobian, applied)
    left = state.wrench - applied.sum(axis=1)
    figures = quality(forces, left[:, 3:], tau[:, [i for i in model.root if model.rotational[i]]], run.subject)
    kept = [w for w in estimate.warnings if w not in figure_warnings(estimate.quality)]
    return replace(
        estimate, tau=tau, force=forces.force, cop=forces.cop, moment=forces.moment, contact=forces.contact, quality=figures,
        warnings=(*figure_warnings(figures), *kept, *_doubts(measured, beside, placing)), measured=measured, placing=placing,
    )  # fmt: skip


def counted(
    contact: Bool[np.ndarray, "time foot"], plates: FootForces, rate: float
) -> tuple[Bool[np.ndarray, "time foot"], tuple[int, int]]:
    """Where the plates' word counts, and how many steps of each foot went beside them."""
    measured, beside = plates.known.copy(), [0, 0]
    for foot in (0, 1):
        edges = np.flatnonzero(np.diff(np.concatenate([[0], contact[:, foot].astype(int), [0]])))
        for begin, end in edges.reshape(-1, 2):
            known = plates.known[begin:end, foot]
            if known.any() and (known & plates.loaded[begin:end, foot]).sum() < ON_PLATE * known.sum():
                measured[begin:end, foot] = False
                beside[foot] += (end - begin) / rate > SHORTEST
    return measured, (beside[0], beside[1])


def _doubts(measured: Bool[np.ndarray, "time foot"], beside: tuple[int, int], placing: Placing) -> tuple[str, ...]:
    """What a person should know before using forces that were measured in part."""
    told = []
    for foot, side in enumerate(("right", "left")):
        if beside[foot]:
            told.append(f"{beside[foot]} contacts of the {side} foot went beside the force plates and keep estimated forces")
        if measured[:, foot].mean() < WHOLE:
            told.append(f"the {side} foot's force is measured in {100.0 * measured[:, foot].mean():.0f} % of the frames, else estimated")
    if placing.distance > APART:
        told.append(
            f"the measured centres of pressure lie {100.0 * placing.distance:.0f} cm from the estimated ones (RMS): moments of ankle and "
            "knee may be wrong by as much times the vertical force"
        )
    if placing.correlation < UNLIKE:
        told.append(
            f"the measured vertical forces are unlike the estimated ones (correlation {placing.correlation:.2f}): check --loads-offset and "
            "which plate is which foot"
        )
    return tuple(told)
