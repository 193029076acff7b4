"""The way from a video to muscle forces: its order, once, and one function that walks it.

    video ─► keypoints ─► markers ─► kinematics ─► kinetics ─► simulation ─► muscles ─► report

The report, and every file, is written from the Trial that comes out (`report.folder`).
"""

import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import get_args

from threadpoolctl import threadpool_limits

from monomsk.config import Config, KinematicsConfig, LoadsConfig, MeshConfig, Stage
from monomsk.errors import InputError
from monomsk.io import loads as load_files
from monomsk.io.body import load_anatomy, load_body
from monomsk.io.body_surface import read_surface
from monomsk.io.keypoint_files import read_recorded
from monomsk.io.mesh_files import read_mesh
from monomsk.io.osim_read import read_with_notes
from monomsk.keypoints import detect, find_people, recorded_keypoints
from monomsk.kinematics.classic import fit
from monomsk.kinematics.embodied import embody
from monomsk.kinetics import classic
from monomsk.kinetics import learned as dynamics
from monomsk.kinetics.feet import feet_of
from monomsk.kinetics.measured import Run, check, check_times, fixed, under_loads
from monomsk.kinetics.uncertainty import with_spread
from monomsk.markers import learned
from monomsk.markers.lift import lift
from monomsk.markers.mesh import lift_mesh, mesh_points, with_surface
from monomsk.markers.skel import with_angles
from monomsk.mesh_track import MeshTrack
from monomsk.model.edit import with_contacts_of
from monomsk.model.spec import ModelSpec
from monomsk.muscles.energetics import energetics
from monomsk.muscles.joint_loads import ground_forces, joint_loads
from monomsk.muscles.resize import with_fibres
from monomsk.muscles.static_optimization import solve
from monomsk.networks import dynamics_folder, fingerprint, load_dynamics, load_networks
from monomsk.outside_loads import AppliedForce, Loads
from monomsk.simulation.refinement import refine
from monomsk.types import Clip, Kinetics, Motion, Progress, Subject, Trial
from monomsk.video import check_steady, estimate_camera, frames, stills

STAGES: tuple[Stage, ...] = get_args(Stage)
"""The stages in the order in which they are done; the command line and the progress bars take it from here."""

StageProgress = Callable[[Stage, float], None]
"""Told which stage is at work and how much of it is done, from 0 to 1."""

LONG_SIDE = 1280
"""Larger pictures are shrunk to this before the pose estimator sees them [px]; it looks at 256 px of them."""


def analyze(
    clip: Clip,
    subject: Subject,
    config: Config | None = None,
    *,
    until: Stage = "report",
    progress: StageProgress = lambda stage, done: None,
) -> Trial:
    """Everything that can be known of the person in the clip, up to and including the stage `until`.

    Each stage adds what it makes, its seconds and its warnings to the Trial; what comes after `until` stays None.
    Raises what the stages raise: KeypointError (no person, or several), VideoError (moving camera), ModelError, SolveError,
    FormatError and InputError (a mesh that cannot be used).
    """
    trial = Trial(subject=subject, clip=clip, warnings=(*clip.warnings, *_doubts(subject)))
    return go_on(trial, config or Config(), until=until, progress=progress)


def go_on(trial: Trial, config: Config, *, until: Stage, progress: StageProgress = lambda stage, done: None) -> Trial:
    """The stages of a Trial that have not been done, up to and including `until`. Raises as `analyze`."""
    if until != "keypoints":
        _check(config)
    if trial.body is None and STAGES.index(until) >= STAGES.index("kinematics"):
        trial = _choose_body(trial, config)
    if STAGES.index(until) >= STAGES.index("kinetics"):
        _loads(trial, config)
    for stage in STAGES[: STAGES.index(until) + 1]:
        if stage in _WAY and stage not in trial.seconds:
            trial = _take(stage, trial, config, progress)
    return trial


def _take(stage: Stage, trial: Trial, config: Config, progress: StageProgress) -> Trial:
    """One stage of the way, timed."""
    progress(stage, 0.0)
    began = time.perf_counter()
    done = _WAY[stage](trial, config, partial(progress, stage))
    seconds = {**trial.seconds, stage: time.perf_counter() - began}
    warnings = tuple(dict.fromkeys((*trial.warnings, *done.warnings)))
    progress(stage, 1.0)
    return replace(done, seconds=seconds, warnings=warnings)


def _find_keypoints(trial: Trial, config: Config, progress: Progress) -> Trial:
    """Clip → Camera (lens and gravity), Keypoints: those of the pictures, or recorded ones."""
    clip = check_steady(_clip(trial), config.video)
    camera = estimate_camera(clip, config.camera)
    if config.keypoints.keypoints is not None:
        recorded = read_recorded(config.keypoints.keypoints, config.keypoints.format)
        keypoints = recorded_keypoints(recorded, config.keypoints.format or "npz", clip, config.keypoints)
    else:
        people = find_people(clip, stills(clip), config.keypoints)
        keypoints = detect(clip, frames(clip, long_side=LONG_SIDE), config.keypoints, people=people, progress=progress)
    warnings = (*clip.warnings, *camera.warnings, *keypoints.warnings)
    return replace(trial, clip=clip, camera=camera, keypoints=keypoints, warnings=warnings)


def _choose_body(trial: Trial, config: Config) -> Trial:
    """The body before it is scaled: a model that will not do is told before the work begins."""
    body, notes = (load_body(), ()) if config.kinematics.model is None else read_with_notes(config.kinematics.model)
    load_anatomy().anchors_on(body)
    return replace(trial, body=with_contacts_of(body, load_body()), warnings=(*trial.warnings, *notes))


def _lift_markers(trial: Trial, config: Config, progress: Progress) -> Trial:
    """Keypoints → Markers, and the Camera placed in the ground frame."""
    assert trial.keypoints is not None
    assert trial.camera is not None
    if config.mesh.mesh is not None:
        track = _read_track(config.mesh, config.mesh.mesh)
        markers, camera, keypoints = lift_mesh(trial.keypoints, track, _clip(trial), trial.camera, trial.subject)
        return replace(trial, markers=markers, camera=camera, keypoints=keypoints, warnings=camera.warnings)
    if config.kinematics.kinematics == "classic":
        markers, camera = lift(trial.keypoints, trial.camera, trial.subject)
        return replace(trial, markers=markers, camera=camera, warnings=camera.warnings)
    networks = load_networks(config.kinematics.weights)
    markers, camera = learned.lift(trial.keypoints, trial.camera, trial.subject, networks.markers)
    return replace(trial, markers=markers, camera=camera, networks=networks.fingerprints, warnings=camera.warnings)


def _fit_body(trial: Trial, config: Config, progress: Progress) -> Trial:
    """Markers and Keypoints → Motion, the scaled body, the Camera as fitted, and the body's own Markers."""
    assert trial.body is not None
    # Where a mesh says how the body lies, it is what the fit starts from and is held by.
    way = "classic" if config.mesh.mesh is not None else config.kinematics.kinematics
    network = None if way == "classic" else load_networks(config.kinematics.weights).kinematics
    if way == "learned" and network is not None:
        fitted = embody(trial, load_anatomy(), network)
    else:
        fitted = fit(trial, load_anatomy(), _kinematics(config), network=network, progress=progress)
    sized, motion = with_fibres(fitted.body, trial.body), fitted.motion
    return replace(trial, motion=motion, body=sized, camera=fitted.camera, markers=fitted.markers, warnings=motion.warnings)


def _estimate_forces(trial: Trial, config: Config, progress: Progress) -> Trial:
    """Motion → Kinetics."""
    assert trial.motion is not None
    assert trial.body is not None
    motion, body, loads = trial.motion, trial.body, _loads(trial, config)
    estimate, networks, told = _way_to_forces(body, config)

    def way(motion: Motion, chosen: LoadsConfig) -> Kinetics:
        def plain(outside: tuple[AppliedForce, ...]) -> Kinetics:
            return estimate(motion, body, trial.subject, config.kinetics, outside=outside)

        run = Run(motion, body, trial.subject, _start(trial))
        return plain(()) if loads is None else under_loads(plain, loads, run, config.kinetics, chosen)

    # Small factorisations by the hundred: threads of the linear algebra library only wait for each other there.
    with threadpool_limits(limits=1, user_api="blas"):
        kinetics = way(motion, config.loads)
        progress(0.3)
        found = fixed(config.loads, kinetics.placing)
        kinetics = with_spread(kinetics, motion, lambda drawn: way(drawn, found), trial.subject)
    return replace(trial, kinetics=kinetics, networks={**trial.networks, **networks}, warnings=(*told, *kinetics.warnings))


def _way_to_forces(body: ModelSpec, config: Config) -> tuple[Callable[..., Kinetics], dict[str, str], tuple[str, ...]]:
    """What estimates forces, the fingerprint of its network, and a warning where the network does not know the body."""
    if config.kinetics.kinetics == "classic":
        return classic.estimate, {}, ()
    folder = dynamics_folder(config.kinematics.weights)
    network, _ = load_dynamics(folder)
    if unknown := dynamics.unknown(network, body):
        told = f"forces are those of --kinetics classic: the body has no {', '.join(unknown)}, which the network wants to see"
        return classic.estimate, {}, (told,)
    return partial(dynamics.estimate, network=network), fingerprint(folder, "dynamics"), ()


def _make_consistent(trial: Trial, config: Config, progress: Progress) -> Trial:
    """Motion and Kinetics → the same two, dynamically consistent; without being asked to, as they were."""
    if config.simulation.simulation == "none":
        return replace(trial, warnings=())
    assert trial.motion is not None
    assert trial.kinetics is not None
    assert trial.body is not None
    motion, kinetics = refine(trial.motion, trial.kinetics, trial.body, trial.subject, progress)
    return replace(trial, motion=motion, kinetics=kinetics, warnings=kinetics.warnings)


def _share_among_muscles(trial: Trial, config: Config, progress: Progress) -> Trial:
    """Kinetics → MuscleActivity, JointLoads, Energetics."""
    assert trial.kinetics is not None
    assert trial.body is not None
    muscles = solve(trial.kinetics, trial.body, config.muscles, progress)
    loads = joint_loads(trial.kinetics, ground_forces(trial.kinetics, trial.body), muscles, trial.body, config.muscles)
    power = energetics(trial.kinetics, muscles, trial.body, trial.subject.mass, config.muscles)
    return replace(trial, muscles=muscles, loads=loads, energetics=power, warnings=(*muscles.warnings, *power.warnings))


def _loads(trial: Trial, config: Config) -> Loads | None:
    """What is known to act on the body, of which nothing can be wrong that shows without the motion; None where nothing is.

    Raises FormatError and InputError.
    """
    chosen = config.loads
    if chosen.external_loads is None:
        if chosen != LoadsConfig():
            raise InputError("--loads-offset, --loads-turn and --loads-shift are for --external-loads: give that, or leave them out")
        return None
    if config.simulation.simulation != "none":
        raise InputError("--simulation refined knows of no forces but its own: leave it or --external-loads out")
    assert trial.body is not None
    loads = load_files.read(chosen.external_loads, feet_of(trial.body).bodies)
    check(loads, trial.body, trial.subject)
    check_times(loads, _start(trial), _start(trial) + float(_clip(trial).time[-1]), chosen)
    return loads


def _start(trial: Trial) -> float:
    """Time in the video at which the stretch begins [s], slow motion undone."""
    return 0.0 if trial.clip is None else trial.clip.start * trial.clip.time_scale


def _check(config: Config) -> None:
    """A mesh or weights that will not do are told before the work begins."""
    mesh = config.mesh
    if mesh.mesh is not None:
        if config.kinematics.kinematics == "learned":
            raise InputError("--kinematics learned has no use for a --mesh: leave one of them out")
        mesh_points(_read_track(mesh, mesh.mesh))
    elif mesh.body_model is not None:
        raise InputError("--body-model is for the mesh of another program: give that with --mesh, or leave the body model out")
    if mesh.mesh is None and config.kinematics.kinematics != "classic":
        load_networks(config.kinematics.weights)
    if config.kinetics.kinetics == "learned":
        load_dynamics(dynamics_folder(config.kinematics.weights))


def _read_track(config: MeshConfig, path: Path) -> MeshTrack:
    """The mesh, with the points of the user's own body model if one is given, or of the shipped body where angles of SKEL pose it."""
    track = read_mesh(path, config.mesh_format, config.mesh_person)
    if config.body_model is None:
        return track if track.angles is None else with_angles(track, load_body(), load_anatomy())
    surface, topology = read_surface(config.body_model, 0 if track.shape is None else track.shape.shape[-1])
    return with_surface(track, surface, topology)


def _kinematics(config: Config) -> KinematicsConfig:
    """The settings of the fit; a mesh's depth is trusted more than the estimator's."""
    if config.mesh.mesh is None:
        return config.kinematics
    return replace(config.kinematics, depth_sigma=config.mesh.mesh_depth_sigma)


def _clip(trial: Trial) -> Clip:
    assert trial.clip is not None
    return trial.clip


def _doubts(subject: Subject) -> tuple[str, ...]:
    bmi = subject.body_mass_index
    if bmi <= 45.0:
        return ()
    pounds = subject.mass * 0.45359237
    return (f"mass {subject.mass:g} kg with height {subject.height:g} m gives BMI {bmi:.0f}: if that is pounds, write {pounds:.1f}",)


_WAY: dict[Stage, Callable[[Trial, Config, Progress], Trial]] = {
    "keypoints": _find_keypoints,
    "markers": _lift_markers,
    "kinematics": _fit_body,
    "kinetics": _estimate_forces,
    "simulation": _make_consistent,
    "muscles": _share_among_muscles,
}
"""What each stage does to the Trial."""
