"""Is the simulated noise right? python benchmarks/detector_noise.py --corpus DIR [--clips N] [--seed S] [--plot FILE] [--pictures DIR].

Clips of the corpus, one of each activity before one is taken twice, are drawn as films of a mannequin by simulated cameras, put through
MediaPipe, and seen by `datasets.seeing` from the same cameras (`--draws` times each). Prints errors side by side, in shares of the
stature [%]: as found / as simulated. `--pictures` keeps three frames of every film, with the true points in white and those found in
green (right) and red (left).
"""

import argparse
from collections import defaultdict
from pathlib import Path

import numpy as np

from monomsk.datasets.corpus import Entry, read_clip, read_index
from monomsk.datasets.rendered import RATE, SHORTEST, Rendered, hidden, render
from monomsk.errors import InputError, KeypointError
from monomsk.evaluation.detecting import detected, simulated
from monomsk.evaluation.keypoint_errors import GROUPS, Row, View, describe, find_definition, find_exchanges, put_right

BEARINGS = {"from the front": (0.0, 60.0), "from aside": (60.0, 120.0), "from behind": (120.0, 181.0)}
"""Of the pelvis to the way to the camera [°]."""
Pair = tuple[View, list[View]]
"""As found, and as simulated."""


def main() -> None:
    options = _options()
    tell(collect(options), options.plot)


def collect(options: argparse.Namespace) -> list[Pair]:
    """Films, one after the other, as found and as simulated."""
    pairs: list[Pair] = []
    for number, entry in enumerate(_chosen(options.corpus, options.split, options.seed)):
        if len(pairs) == options.clips:
            break
        pair = _pair(options, entry, 1000 * options.seed + number)
        if pair is not None:
            pairs.append(pair)
    return pairs


def tell(pairs: list[Pair], plot: Path | None) -> None:
    """Print the tables."""
    found, made = [view for view, _ in pairs], [view for _, views in pairs for view in views]
    _tell_exchanges(found, made)
    found, made = ([put_right(v, find_exchanges(v)) for v in views] for views in (found, made))
    definition = find_definition(found)
    print("\nour points → MediaPipe's, in the axes of the body that carries them (forward, up, outward) [mm]:")
    print("; ".join(f"{part} {' '.join(f'{1e3 * x:+.0f}' for x in shift)}" for part, shift in definition.items()))
    rows = {group: (describe(found, parts, definition), describe(made, parts)) for group, parts in GROUPS.items()}
    raw = {group: describe(found, parts) for group, parts in GROUPS.items()}
    _tell_errors(rows, raw)
    split = {
        (group, covered): (describe(found, parts, definition, hidden=covered), describe(made, parts, hidden=covered))
        for group, parts in GROUPS.items()
        for covered in (False, True)
    }
    _tell_hidden(split)
    if plot is not None:
        _plot(plot, rows, split)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--split", default="test")
    parser.add_argument("--clips", type=int, default=16)
    parser.add_argument("--draws", type=int, default=8)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--plot", type=Path)
    parser.add_argument("--pictures", type=Path)
    return parser.parse_args()


def _chosen(corpus: Path, split: str, seed: int) -> list[Entry]:
    """Clips in the order in which they are tried: one of every activity, then a second one of every activity, and so on."""
    by_activity: dict[str, list[Entry]] = defaultdict(list)
    for entry in read_index(corpus):
        if entry.split == split and entry.seconds * RATE >= SHORTEST:
            by_activity[entry.activity].append(entry)
    random = np.random.default_rng(seed)
    mixed = [[entries[i] for i in random.permutation(len(entries))] for _, entries in sorted(by_activity.items())]
    rounds = [[entries[turn] for entries in mixed if turn < len(entries)] for turn in range(max(map(len, mixed), default=0))]
    return [each[i] for each in rounds for i in random.permutation(len(each))]


def _pair(options: argparse.Namespace, entry: Entry, seed: int) -> Pair | None:
    try:
        film = render(read_clip(options.corpus / entry.file), seed)
        covered = hidden(film)
        kept: dict[int, np.ndarray] = {}
        view = detected(film, covered, lambda index, picture: kept.update({index: picture}) if index % 30 == 15 else None)
    except (InputError, KeypointError) as error:
        print(f"left out: {error}")
        return None
    turned, stature = np.degrees(film.facing.mean()), film.stature.mean()
    print(f"{entry.source} {entry.activity}: {len(film.time)} frames, {turned:.0f}° from the front, {stature:.0f} px tall, ", end="")
    off = np.linalg.norm(put_right(view, find_exchanges(view)).error(), axis=-1)
    print(f"median error {100.0 * np.nanmedian(off):.1f} %", flush=True)
    if options.pictures is not None:
        _keep(options.pictures / f"{seed}_{entry.activity}.png", film, view, kept)
    return view, [simulated(film, covered, 100 * seed + draw) for draw in range(options.draws)]


def _tell_exchanges(found: list[View], made: list[View]) -> None:
    print(f"\nsides exchanged, after the repairs [% of frames in which it can be told]\n{'':16s}{'legs':>14s}{'arms':>14s}{'frames':>9s}")
    for name, (low, high) in {"all": (0.0, 181.0), **BEARINGS}.items():
        cells, count = [], 0
        for part in ("legs", "arms"):
            shares = []
            for views in (found, made):
                asked = [(np.degrees(v.facing) >= low) & (np.degrees(v.facing) < high) for v in views]
                states = np.concatenate([getattr(find_exchanges(v), part)[mask] for v, mask in zip(views, asked, strict=True)])
                shares.append(100.0 * np.nanmean(states) if np.isfinite(states).any() else np.nan)
                count = len(states) if views is found else count
            cells.append("{:6.1f}/{:5.1f}".format(*shares))
        print(f"{name:16s}" + "".join(f"{cell:>14s}" for cell in cells) + f"{count:9d}")


COLUMNS = {
    "bias": 100.0,
    "astray": 100.0,
    "slow": 100.0,
    "memory": 1.0,
    "white": 100.0,
    "outliers": 100.0,
    "size": 100.0,
    "burst": 1.0,
    "missing": 100.0,
    "stated": 100.0,
}
"""What is printed, and by what it is multiplied."""


def _tell_errors(rows: dict[str, tuple[Row, Row]], raw: dict[str, Row]) -> None:
    print("\nfound/simulated [%]; bias without, and before (all), what the definition explains; astray: outliers all the time;")
    print("memory and bursts [frames] at 60 Hz")
    print(f"{'':10s}{'bias all':>9s}" + "".join(f"{name:>13s}" for name in COLUMNS))
    for group, pair in rows.items():
        cells = [_cell(pair, name, scale) for name, scale in COLUMNS.items()]
        print(f"{group:10s}{100.0 * raw[group].bias:9.2f}" + "".join(f"{cell:>13s}" for cell in cells))


def _cell(pair: tuple[Row, Row], name: str, scale: float) -> str:
    one, other = (scale * getattr(row, name) for row in pair)
    return f"{one:.2f}/{other:.2f}"


def _tell_hidden(split: dict[tuple[str, bool], tuple[Row, Row]]) -> None:
    names = ("spread", "outliers", "size", "stated")
    print("\nby whether the body hides the point; spread about the bias, outliers left out [%]")
    print(f"{'':18s}{'points':>8s}" + "".join(f"{name:>13s}" for name in names))
    for (group, covered), pair in split.items():
        cells = "".join(f"{_cell(pair, name, 100.0):>13s}" for name in names)
        print(f"{group:10s}{'hidden' if covered else 'plain':>8s}{pair[0].count:8d}" + cells)


def _keep(path: Path, film: Rendered, view: View, kept: dict[int, np.ndarray]) -> None:
    """Frames side by side with the points."""
    from PIL import Image, ImageDraw

    path.parent.mkdir(parents=True, exist_ok=True)
    strip = []
    for index, picture in kept.items():
        image = Image.fromarray(picture)
        draw = ImageDraw.Draw(image)
        for k, name in enumerate(view.names):
            for points, color, reach in ((view.true, "white", 1.5), (view.found, "lime" if name.endswith("_r") else "red", 2.5)):
                x, y = points[index, k] * film.stature[index] + np.array(film.scene.camera.center)
                if view.seen[index, k] or color == "white":
                    draw.ellipse([x - reach, y - reach, x + reach, y + reach], fill=color)
        strip.append(np.asarray(image))
    Image.fromarray(np.concatenate(strip, 1)).save(path)


def _plot(path: Path, rows: dict[str, tuple[Row, Row]], split: dict[tuple[str, bool], tuple[Row, Row]]) -> None:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    panels = [(name, {g: [100.0 * getattr(r, name) for r in pair] for g, pair in rows.items()}) for name in ("bias", "slow", "outliers")]
    for covered, word in ((False, "plain"), (True, "hidden")):
        panels.append((f"spread, {word}", {g: [100.0 * r.spread for r in pair] for (g, c), pair in split.items() if c == covered}))
    figure, axes = plt.subplots(1, len(panels), figsize=(3.2 * len(panels), 3.4))
    for axis, (title, bars) in zip(axes, panels, strict=True):
        values = np.array(list(bars.values()))
        place = np.arange(len(values))
        axis.bar(place - 0.2, values[:, 0], 0.4, label="MediaPipe on the mannequin")
        axis.bar(place + 0.2, values[:, 1], 0.4, label="simulated")
        axis.set(title=f"{title} [%]")
        axis.set_xticks(place, list(bars), rotation=60)
    axes[0].legend(fontsize=7)
    figure.tight_layout()
    figure.savefig(path, dpi=110)


if __name__ == "__main__":
    main()
