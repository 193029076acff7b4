"""`monomsk train`: the networks learn from a corpus of motion."""

import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from monomsk.cli.arguments import Train
from monomsk.errors import InputError, OutputError
from monomsk.io.atomic import write_text
from monomsk.io.config_file import read_settings, toml_text

if TYPE_CHECKING:
    from monomsk.datasets.corpus import MotionClip, Origin
    from monomsk.kinematics.transformer import KinematicsTransformer
    from monomsk.kinetics.transformer import DynamicsTransformer
    from monomsk.markers.transformer import MarkerTransformer
    from monomsk.training.dynamics import DynamicsTraining
    from monomsk.training.kinematics import KinematicsTraining
    from monomsk.training.markers import MarkersTraining

    Training = MarkersTraining | KinematicsTraining | DynamicsTraining
    AnyNetwork = MarkerTransformer | KinematicsTransformer | DynamicsTransformer


def train(arguments: Train, command: Sequence[str] = ()) -> int:
    """Train, and write weights, card, curves and settings. Returns the exit code, 0.

    Raises InputError for settings, a corpus, laboratory data or a lifting network that are not there or cannot be used, and OutputError.
    """
    _join(arguments)
    from monomsk.networks import save_network

    config = _settings(arguments)
    folder = arguments.out / f"{arguments.network}_training"
    began = time.perf_counter()
    last: dict[str, float] = {}

    def tell(step: int, figures: dict[str, float]) -> None:
        last.update(figures)
        told = ", ".join(f"{name} {value:.4g}" for name, value in figures.items())
        print(f"step {step} of {config.schedule.steps}, {time.perf_counter() - began:.0f} s: {told}", file=sys.stderr, flush=True)

    network, recordings = _taught(arguments, config, folder, tell)
    about = _about(arguments, config, recordings, last)
    path = save_network(arguments.out, network, about)
    print(f"{path}: {path.stat().st_size / 1e6:.1f} MB after {config.schedule.steps} steps, {time.perf_counter() - began:.0f} s")
    return 0


def _taught(arguments: Train, config: "Training", folder: Path, tell: Any) -> "tuple[AnyNetwork, list[tuple[Origin, float]]]":
    """The trained network, and what it learnt from: origins, and how long each lasts [s]."""
    from monomsk.training.dynamics import DynamicsTraining

    if isinstance(config, DynamicsTraining):
        return _taught_by_plates(arguments, config, folder, tell)
    from monomsk.datasets.corpus import read_corpus
    from monomsk.datasets.upright import levelled

    clips = read_corpus(arguments.corpus, split="train", commercial=not arguments.research)
    if not clips:
        raise InputError(f"{arguments.corpus} has no clips to train on: make them with `monomsk corpus`, or add --research")
    _open(folder, config)
    return _trained(arguments, config, levelled(clips), folder, tell), [(c.origin, len(c.time) / c.rate) for c in clips]


def _taught_by_plates(
    arguments: Train, config: "DynamicsTraining", folder: Path, tell: Any
) -> "tuple[DynamicsTransformer, list[tuple[Origin, float]]]":
    import numpy as np

    from monomsk.datasets import laboratory
    from monomsk.datasets.corpus import read_corpus
    from monomsk.datasets.lessons import Copies, kept_imitations, kept_lessons
    from monomsk.networks import folder_of, load_dynamics
    from monomsk.training.dynamics import coordinates, train_dynamics

    if arguments.root is None:
        raise InputError("train dynamics needs --root, the laboratory data with the force plates: the folder of kinetics/trials.csv")
    root = arguments.root / "kinetics"
    table = laboratory.read_table(root / "trials.csv")
    rows = tuple(row for row in table if row.split == "train" and (row.commercial_use or arguments.research))
    _open(folder, config)
    place, how = folder / "lessons", Copies(config.copies, config.schedule.seed)

    def told(text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    lessons = kept_lessons(place, (arguments.corpus, root), rows, coordinates(), how, told)
    taken = {row.source for row in table}
    clips = [c for c in read_corpus(arguments.corpus, split="train", commercial=not arguments.research) if c.origin.source not in taken]
    chosen = [clips[i] for i in np.linspace(0, len(clips) - 1, min(config.imitations, len(clips))).round().astype(int)]
    lessons += kept_imitations(place, chosen, coordinates(), how, told)
    begun = None if arguments.start is None else load_dynamics(folder_of(arguments.start))[0]
    network = train_dynamics(lessons, config, folder, tell, begun)
    trials = {(one.origin.source, one.origin.person, one.origin.name): one for one in lessons}
    return network, [(one.origin, float(one.effort.time[-1])) for one in trials.values()]


def _open(folder: Path, config: "Training") -> None:
    """Make the folder of a training, with its settings. Raises OutputError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot make the folder {folder}: {error.strerror}") from error
    write_text(folder / "config.toml", toml_text(asdict(config)))


def _join(arguments: Train) -> None:
    """With the other machines, before anything touches a device."""
    if arguments.coordinator is None:
        if arguments.machines != 1:
            raise InputError("several machines need --coordinator HOST:PORT, the address of the first of them")
        return
    if not 0 <= arguments.machine < arguments.machines:
        raise InputError(f"--machine {arguments.machine} is not one of {arguments.machines}: count from 0")
    import jax

    jax.distributed.initialize(arguments.coordinator, arguments.machines, arguments.machine)


def _settings(arguments: Train) -> "Training":
    from monomsk.training.dynamics import DynamicsTraining
    from monomsk.training.kinematics import KinematicsTraining
    from monomsk.training.markers import MarkersTraining

    kinds = {"markers": MarkersTraining, "kinematics": KinematicsTraining, "dynamics": DynamicsTraining}
    kind = kinds[arguments.network]
    return kind() if arguments.config is None else read_settings(arguments.config, kind)


def _trained(
    arguments: Train, config: "MarkersTraining | KinematicsTraining", clips: "Sequence[MotionClip]", folder: Path, tell: Any
) -> "MarkerTransformer | KinematicsTransformer":
    from monomsk.networks import folder_of, load_kinematics, load_markers
    from monomsk.training.kinematics import KinematicsTraining, train_kinematics
    from monomsk.training.markers import train_markers

    begun = None if arguments.start is None else folder_of(arguments.start)
    if isinstance(config, KinematicsTraining):
        lifting, _ = load_markers(arguments.out)
        return train_kinematics(clips, lifting, config, folder, tell, begun and load_kinematics(begun)[0])
    return train_markers(clips, config, folder, tell, begun and load_markers(begun)[0])


def _about(
    arguments: Train, config: "Training", recordings: "list[tuple[Origin, float]]", last: dict[str, float]
) -> dict[str, dict[str, Any]]:
    """What the card says beside the network's form."""
    from monomsk.io.weights import read_card, sha256
    from monomsk.kinetics.learned import FRAMES
    from monomsk.networks import folder_of
    from monomsk.report.provenance import commit
    from monomsk.training.dynamics import DynamicsTraining

    sources: dict[tuple[str, str, bool], list[float]] = defaultdict(list)
    for origin, seconds in recordings:
        sources[origin.source, origin.licence, origin.commercial_use].append(seconds)
    ordered = sorted(sources.items())
    commercial, begun = all(commercial for (_, _, commercial), _ in ordered), {}
    if arguments.start is not None:
        path = folder_of(arguments.start) / f"{arguments.network}.toml"
        card = read_card(path)
        commercial &= card["use"]["commercial"]
        before = card["training"]
        begun = {
            "begun_with_sha256": sha256(path.with_suffix(".safetensors")),
            "steps_before": before["steps"] + before.get("steps_before", 0),
        }
    return {
        "use": {"commercial": commercial, "licence": "Apache-2.0"},
        "training": {
            "commit": commit(),
            "seed": config.schedule.seed,
            "steps": config.schedule.steps,
            "batch": config.schedule.batch,
            "frames": FRAMES if isinstance(config, DynamicsTraining) else config.windows.frames,
            **begun,
        },
        "data": {
            "source": [source for (source, _, _), _ in ordered],
            "licence": [licence for (_, licence, _), _ in ordered],
            "clips": [len(group) for _, group in ordered],
            "minutes": [round(sum(group) / 60.0, 2) for _, group in ordered],
        },
        "figures_at_the_end": {name: round(value, 5) for name, value in last.items()},
    }
