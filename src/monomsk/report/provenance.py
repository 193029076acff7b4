"""How a result came about, so that it can be made again: versions, fingerprints, seconds, warnings, the command."""

import importlib.util
import os
import platform
import subprocess
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from monomsk import __version__
from monomsk.io.weights import sha256
from monomsk.report.summary import placing_figures
from monomsk.types import Trial

PACKAGES = ("numpy", "scipy", "jax", "jaxlib", "equinox", "av", "mediapipe", "plotly")


def provenance(trial: Trial, command: Sequence[str] = (), inputs: Sequence[Path] = ()) -> dict[str, Any]:
    """Everything that decided the result but the settings, which config.toml holds.

    `command` is the command line after the program's name; `inputs` are files that a person gave besides the video.
    """
    return {
        "monomsk": __version__,
        "commit": commit(),
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        "cpus": os.cpu_count(),
        "packages": dict(_versions()),
        "command": " ".join(["monomsk", *map(_without_home, command)]),
        "sha256": {**_inputs(trial, inputs), **_networks(trial)},
        **_placing(trial),
        "seconds": {stage: round(seconds, 3) for stage, seconds in trial.seconds.items()},
        "warnings": list(trial.warnings),
    }


def _versions() -> Iterator[tuple[str, str]]:
    for name in PACKAGES:
        try:
            yield name, version(name)
        except PackageNotFoundError:
            continue


def commit() -> str | None:
    """The commit of the source tree that monomsk runs from; None when it was installed as a package."""
    here = Path(__file__).resolve()
    try:
        # ls-files fails where the file is not under version control: an environment inside somebody's own repository.
        subprocess.run(["git", "ls-files", "--error-unmatch", here.name], cwd=here.parent, capture_output=True, check=True, timeout=5)
        commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=here.parent, capture_output=True, check=True, timeout=5, text=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return commit.stdout.strip()


def _inputs(trial: Trial, inputs: Sequence[Path]) -> dict[str, str]:
    paths = ([] if trial.clip is None else [trial.clip.path]) + list(inputs)
    return {path.name: sha256(path) for path in paths if path.is_file()}


def _placing(trial: Trial) -> dict[str, Any]:
    """How measured forces were brought into the run, where there are any."""
    if trial.kinetics is None or trial.kinetics.placing is None:
        return {}
    return {"external_loads": placing_figures(trial.kinetics)}


def _networks(trial: Trial) -> dict[str, str]:
    """Fingerprints of the weights of the lifting and kinematics networks, and of the pose networks when they found the keypoints."""
    if trial.keypoints is None or trial.keypoints.source != "mediapipe":
        return dict(trial.networks)
    package = importlib.util.find_spec("mediapipe")
    if package is None or package.origin is None:
        return dict(trial.networks)
    pose = sorted(Path(package.origin).parent.glob("modules/pose_*/pose_*.tflite"))
    return {**{path.name: sha256(path) for path in pose}, **trial.networks}


def _without_home(word: str) -> str:
    """The same word without the person's name, which the path of a home folder tells."""
    home = str(Path.home())
    return word.replace(home, "~") if len(home) > 1 else word
