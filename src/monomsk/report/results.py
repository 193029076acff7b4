"""Every file of a trial, each by the writer of its format."""

import json
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from monomsk.config import Config
from monomsk.io import config_file, external_loads, grf, keypoints_npz, muscle_tables, osim_write, results, trc
from monomsk.io import loads as load_files
from monomsk.report.folder import writing
from monomsk.report.page import page
from monomsk.report.provenance import provenance
from monomsk.report.summary import summary
from monomsk.types import Trial


def write_results(trial: Trial, folder: Path, config: Config, *, report: bool = True, command: Sequence[str] = ()) -> list[str]:
    """Write what is known of the trial into the folder and return the names of the files.

    Stages that were not done have no files; `report` is whether to make report.html. `command` goes into the provenance.
    Raises OutputError when they cannot be written; then the folder is as it was.
    """
    began = time.perf_counter()
    with writing(folder) as place:
        _write_tables(trial, place)
        write_json(place / "summary.json", summary(trial))
        (place / "config.toml").write_text(config_file.config_text(config, trial.subject), encoding="utf-8", newline="\n")
        if report:
            (place / "report.html").write_text(page(trial, _names(place)), encoding="utf-8", newline="\n")
            trial = replace(trial, seconds={**trial.seconds, "report": time.perf_counter() - began})
        names = [*_names(place), "provenance.json"]
        account = {**provenance(trial, command, _inputs(config)), "files": names}
        write_json(place / "provenance.json", account)
    return names


def _write_tables(trial: Trial, place: Path) -> None:
    if trial.keypoints is not None:
        keypoints_npz.write(place / "keypoints.npz", trial.keypoints)
    if trial.markers is not None:
        trc.write(place / "markers.trc", trial.markers)
    if trial.body is not None:
        osim_write.write(place / "model.osim", trial.body)
    if trial.motion is not None:
        results.write_motion(place / "kinematics.mot", trial.motion)
        if trial.motion.sigma is not None:
            results.write_motion_sd(place / "kinematics_sd.sto", trial.motion)
    if trial.kinetics is not None:
        results.write_kinetics(place / "kinetics.sto", trial.kinetics)
        grf.write(place / "grf.mot", trial.kinetics)
        if trial.kinetics.tau_sigma is not None:
            results.write_kinetics_sd(place / "kinetics_sd.sto", trial.kinetics)
        if trial.kinetics.force_sigma is not None:
            grf.write_sd(place / "grf_sd.sto", trial.kinetics)
        forces = (*external_loads.ground_forces(trial.kinetics.bodies), *external_loads.besides(trial.kinetics.outside))
        external_loads.write(place / "external_loads.xml", "grf.mot", forces)
    if trial.muscles is not None:
        results.write_activations(place / "muscle_activations.sto", trial.muscles)
        results.write_muscle_forces(place / "muscle_forces.sto", trial.muscles)
    if trial.loads is not None:
        muscle_tables.write_joint_loads(place / "joint_reactions.sto", trial.loads)
    if trial.energetics is not None:
        muscle_tables.write_energetics(place, trial.energetics)


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write a dictionary as JSON that a person can read."""
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8", newline="\n")


def _names(place: Path) -> list[str]:
    return sorted(path.name for path in place.iterdir())


def _inputs(config: Config) -> list[Path]:
    """Files that the settings name."""
    mesh = (config.mesh.mesh, config.mesh.body_model)
    loads = () if config.loads.external_loads is None else load_files.files(config.loads.external_loads)
    named = (config.camera.camera, config.keypoints.keypoints, *mesh, config.kinematics.model, *loads)
    return [path for path in named if path is not None]
