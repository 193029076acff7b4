"""`monomsk paths`: the model with polynomials in place of its muscle paths."""

import sys
from collections.abc import Sequence
from dataclasses import astuple, fields

import numpy as np
from jaxtyping import Float

from monomsk.cli.arguments import PolynomialPaths
from monomsk.errors import InputError, ModelError
from monomsk.io import atomic, osim_paths, osim_read, osim_write, results
from monomsk.kinetics import filtering
from monomsk.model.compile import compile_model
from monomsk.model.edit import with_paths
from monomsk.model.muscles import compile_muscles
from monomsk.model.spec import ModelSpec, PolynomialPath
from monomsk.muscles.path_errors import PathError, path_errors
from monomsk.muscles.path_fit import HIGHEST_ORDER, LOWEST_ORDER, MOST_COORDINATES, Fit, Goal, fit_paths
from monomsk.muscles.path_samples import Samples, across_ranges, around_motion, sample, varied
from monomsk.report import folder

NAMED = 5
"""Muscles to print, the worst first."""
MUCH_LEFT_OUT = 0.02
"""Share of postures that hardly count above which a muscle is worth a warning."""
MILLIMETRES = 1e3


def polynomial_paths(arguments: PolynomialPaths, command: Sequence[str] = ()) -> int:
    """Fit, write the model, the set of its paths and a table of errors, and print the worst. Returns the exit code, 0.

    Raises MonomskError.
    """
    _check(arguments)
    folder.check(arguments.out, overwrite=arguments.overwrite)
    spec = osim_read.read(arguments.model)
    motion = None if arguments.motion is None else results.read_motion(arguments.motion, spec)
    source = _Source(spec, arguments, None if motion is None else filtering.unwrap(motion.q, motion.rotational))
    if source.muscles.polynomials.count == source.muscles.count:
        raise ModelError(f"model {spec.name} has no muscle path with points that a polynomial could be fit to")
    fits: dict[str, Fit] = {}
    if arguments.paths is None:
        goal = Goal(arguments.length_tolerance, arguments.arm_tolerance, arguments.order)
        given, checks = source.drawn(arguments.samples, 0), source.drawn(arguments.samples // 2, 1)
        fits = fit_paths(source.model, source.muscles, source.coordinates, given, checks, goal)
        paths = {name: fit.path for name, fit in fits.items()}
    else:
        paths = osim_paths.read_path_set(arguments.paths)
    smooth = with_paths(spec, paths)
    postures = {"": source.drawn(arguments.samples // 2, 2)}
    if source.motion is not None:
        postures["motion_"] = source.at(source.motion)
    new = compile_muscles(smooth, source.model.body_names)
    errors = {
        of: path_errors(points, sample(source.model, new, points.q, source.coordinates), new.names, paths)
        for of, points in postures.items()
    }
    with folder.writing(arguments.out) as place:
        osim_write.write(place / "model.osim", smooth)
        osim_paths.write_path_set(place / "FunctionBasedPathSet.xml", smooth)
        atomic.write_text(place / "path_errors.csv", _table(paths, fits, errors))
    for text in (*(() if motion is None else motion.warnings), *_warnings(spec, paths, fits)):
        print(f"warning: {text}", file=sys.stderr)
    _tell(arguments, len(spec.muscles), paths, errors)
    return 0


class _Source:
    """The paths with points, wherever they are asked for."""

    def __init__(self, spec: ModelSpec, arguments: PolynomialPaths, motion: Float[np.ndarray, "time nq"] | None) -> None:
        self.model = compile_model(spec)
        self.muscles = compile_muscles(spec, self.model.body_names, opensim_compat=arguments.opensim_compat)
        self.motion, self.margin, self.seed = motion, arguments.margin, arguments.seed
        self.coordinates = varied(self.model, motion)

    def at(self, q: Float[np.ndarray, "sample nq"]) -> Samples:
        return sample(self.model, self.muscles, q, self.coordinates)

    def drawn(self, count: int, purpose: int) -> Samples:
        """Postures of their own for every purpose, 0 to 2."""
        seed = 3 * self.seed + purpose
        if self.motion is None:
            return self.at(across_ranges(self.model, self.coordinates, count, seed))
        return self.at(around_motion(self.model, self.coordinates, self.motion, self.margin, count, seed))


def _check(arguments: PolynomialPaths) -> None:
    allowed = {
        "order": (LOWEST_ORDER, HIGHEST_ORDER),
        "samples": (64, 65536),
        "margin": (1e-3, 3.2),
        "length_tolerance": (1e-7, 1.0),
        "arm_tolerance": (1e-7, 1.0),
        "seed": (0, 2**30),
    }
    for name, (low, high) in allowed.items():
        if not low <= (value := getattr(arguments, name)) <= high:
            raise InputError(f"--{name.replace('_', '-')} is {value:g}; it must lie between {low:g} and {high:g}")


def _table(paths: dict[str, PolynomialPath], fits: dict[str, Fit], errors: dict[str, tuple[PathError, ...]]) -> str:
    """A line a muscle: what its polynomial depends on, and its errors [m] on postures that it was not fit to, then along the motion."""
    figures = [field.name for field in fields(PathError)][1:]
    lines = [",".join(("muscle", "coordinates", "order", "left_out_percent", *(f"{of}{name}_m" for of in errors for name in figures)))]
    for rows in zip(*errors.values(), strict=True):
        path, fit = paths[rows[0].muscle], fits.get(rows[0].muscle)
        left_out = "" if fit is None else f"{100.0 * fit.left_out:.2f}"
        numbers = [f"{value:.3e}" for row in rows for value in astuple(row)[1:]]
        lines.append(",".join((rows[0].muscle, " ".join(path.coordinates), str(path.length.order), left_out, *numbers)))
    return "\n".join(lines) + "\n"


def _warnings(spec: ModelSpec, paths: dict[str, PolynomialPath], fits: dict[str, Fit]) -> list[str]:
    lines = [
        f"the path of {name} jumps, or begins inside a surface, in {100.0 * fit.left_out:.0f} % of the postures: there the polynomial "
        "goes on smoothly"
        for name, fit in fits.items()
        if fit.left_out > MUCH_LEFT_OUT
    ]
    kept = [m.name for m in spec.muscles if m.name not in paths and m.polynomial is None]
    if kept and fits:
        lines.append(f"paths that depend on no coordinate, or on more than {MOST_COORDINATES}, keep their points: {', '.join(kept)}")
    return lines


def _tell(arguments: PolynomialPaths, count: int, paths: dict[str, PolynomialPath], errors: dict[str, tuple[PathError, ...]]) -> None:
    of, found = list(errors.items())[-1]
    within = sum(e.length_rms <= arguments.length_tolerance and e.moment_arm_rms <= arguments.arm_tolerance for e in found)
    lengths, arms = (np.median([getattr(e, name) for e in found]) for name in ("length_rms", "moment_arm_rms"))
    print(
        f"{arguments.out}: {len(paths)} of {count} paths are polynomials, {within} of them within the tolerances; "
        f"median of the root mean square errors: lengths {MILLIMETRES * lengths:.3f} mm, moment arms {MILLIMETRES * arms:.3f} mm"
    )
    where = "along the motion" if of else "across the ranges"
    print(f"{'the worst ' + where + ' [mm]':32s} order  length: rms     99 %      max  moment arm: rms     99 %      max")
    for e in sorted(found, key=lambda e: -e.moment_arm_rms)[:NAMED]:
        numbers = [MILLIMETRES * value for value in astuple(e)[1:]]
        print(
            f"  {e.muscle:30s} {paths[e.muscle].length.order:5d}  {numbers[0]:11.3f}{numbers[1]:9.3f}{numbers[2]:9.3f}  "
            f"{numbers[3]:15.3f}{numbers[4]:9.3f}{numbers[5]:9.3f}"
        )
