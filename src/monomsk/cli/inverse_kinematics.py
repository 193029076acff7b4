"""`monomsk ik`: the motion that measured markers show."""

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from monomsk.cli.arguments import InverseKinematics
from monomsk.cli.laboratory import read_markers
from monomsk.io import ik_tasks, osim_read, results, storage
from monomsk.kinematics.tracking import Task, Tracking, track
from monomsk.report import folder


def inverse_kinematics(arguments: InverseKinematics, command: Sequence[str] = ()) -> int:
    """Write kinematics.mot and ik_marker_errors.sto; say how near the markers are. Returns the exit code, 0.

    Raises MonomskError.
    """
    folder.check(arguments.out, overwrite=arguments.overwrite)
    spec = replace(osim_read.read(arguments.model), muscles=(), wraps=())
    markers = read_markers(arguments.markers, arguments.up, arguments.start, arguments.end)
    if arguments.tasks is None:
        found = track(markers, spec)
    else:
        tasks = ik_tasks.read(arguments.tasks)
        found = track(
            markers,
            spec,
            # As in OpenSim: tasks for coordinates alone leave all markers as they are.
            marker_tasks={name: Task(weight) for name, weight in tasks.markers.items()} or None,
            coordinate_tasks={name: Task(weight, value) for name, (weight, value) in tasks.coordinates.items()},
        )
    with folder.writing(arguments.out) as place:
        results.write_motion(place / "kinematics.mot", found.motion)
        _write_errors(place / "ik_marker_errors.sto", found)
    for text in found.motion.warnings:
        print(f"warning: {text}", file=sys.stderr)
    figures, worst = found.motion.quality, int(np.nanargmax(np.sqrt(np.nanmean(found.error**2, axis=0))))
    print(
        f"{arguments.out}: {len(found.motion.time)} frames, marker error {1e3 * figures['marker_rms_m']:.1f} mm (RMS), "
        f"{1e3 * figures['marker_max_m']:.0f} mm at most, largest on the whole at {found.names[worst]}"
    )
    return 0


def _write_errors(path: Path, found: Tracking) -> None:
    """The columns of OpenSim's `_ik_marker_errors.sto`, and the distance of every marker [m]; 0 where none is there."""
    squares = np.nan_to_num(found.error) ** 2
    count = np.maximum(np.isfinite(found.error).sum(axis=1), 1)
    summary = np.stack([squares.sum(axis=1), np.sqrt(squares.sum(axis=1) / count), np.sqrt(squares.max(axis=1))], axis=1)
    names = ("total_squared_error", "marker_error_RMS", "marker_error_max", *found.names)
    storage.write(
        path,
        storage.Table(found.motion.time, names, np.concatenate([summary, np.sqrt(squares)], axis=1), name="Model Marker Errors from IK"),
    )
