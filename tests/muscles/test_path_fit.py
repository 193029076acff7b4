"""Fits of polynomials: known answers from made-up samples, jumps, and the measured body over walking."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bodies import legs
from monomsk.io import osim_read
from monomsk.model.compile import compile_model
from monomsk.model.edit import with_paths
from monomsk.model.muscles import compile_muscles
from monomsk.model.polynomials import exponents
from monomsk.model.spec import ModelSpec, MultivariatePolynomial
from monomsk.muscles.path_errors import path_errors
from monomsk.muscles.path_fit import Goal, fit_paths
from monomsk.muscles.path_samples import Samples, across_ranges, around_motion, sample, varied
from pendulums import muscle

HIP = ("hip_flexion_r", "hip_adduction_r", "hip_rotation_r")
TRUE = MultivariatePolynomial(3, 3, tuple(0.3 / (1.0 + k) * (-1.0) ** k for k in range(20)))


def body() -> ModelSpec:
    return replace(legs(), muscles=(muscle("m", (("pelvis", (0.0, 0.0, 0.0)), ("femur_r", (0.0, -0.2, 0.0)))),))


def drawn(count: int, seed: int) -> Samples:
    """Postures of the body with the lengths and moment arms of a cubic polynomial of the hip's angles."""
    model = compile_model(body())
    coordinates = varied(model)
    q = across_ranges(model, coordinates, count, seed)
    at = q[:, [model.coordinate(name) for name in HIP]]
    length, slope = np.zeros(count), np.zeros((count, 3))
    for value, e in zip(TRUE.coefficients, exponents(3, 3), strict=True):
        length += value * np.prod(at ** np.array(e), axis=1)
        for k in range(3):
            lower = [p - (j == k) for j, p in enumerate(e)]
            if e[k]:
                slope[:, k] += value * e[k] * np.prod(at ** np.array(lower), axis=1)
    arm = np.zeros((count, len(coordinates), 1))
    for k, name in enumerate(HIP):
        arm[:, coordinates.index(model.coordinate(name)), 0] = -slope[:, k]
    return Samples(q, length[:, None], arm, np.ones((count, 1), bool))


def fitted(samples: Samples, checks: Samples, goal: Goal | None = None):
    model = compile_model(body())
    return fit_paths(model, compile_muscles(body(), model.body_names), varied(model), samples, checks, goal)


def test_a_polynomial_is_found_as_it_is() -> None:
    """The lowest order that will do, the coordinates that matter, and OpenSim's coefficients."""
    found = fitted(drawn(256, 0), drawn(128, 1))["m"]
    assert found.path.coordinates == HIP
    assert (found.path.length.dimension, found.path.length.order, found.left_out) == (3, 3, 0.0)
    np.testing.assert_allclose(found.path.length.coefficients, TRUE.coefficients, atol=1e-8)


def test_a_coarse_goal_takes_a_lower_order_and_a_low_limit_is_kept() -> None:
    assert fitted(drawn(256, 0), drawn(128, 1), Goal(1.0, 1.0))["m"].path.length.order == 2
    assert fitted(drawn(256, 0), drawn(128, 1), Goal(order=2))["m"].path.length.order == 2


def test_few_samples_do_not_make_a_high_order() -> None:
    """A path that no polynomial follows: with 30 postures there are 120 equations, enough for 20 terms and not for 35."""
    samples, checks = drawn(30, 0), drawn(30, 1)
    rough = np.random.default_rng(0).normal(scale=0.01, size=(2, 30, 1))
    samples, checks = (replace(s, length=s.length + r) for s, r in zip((samples, checks), rough, strict=True))
    assert fitted(samples, checks)["m"].path.length.order <= 3


def test_what_lies_beyond_a_jump_hardly_counts() -> None:
    clean, checks = drawn(512, 0), drawn(256, 1)
    away = np.zeros(512, bool)
    away[::40] = True
    jumping = replace(clean, length=clean.length + np.where(away, 0.03, 0.0)[:, None])
    found = fitted(jumping, checks)["m"]
    assert found.left_out == pytest.approx(away.mean())
    assert found.path.length.order == 3
    # Their weight is a hundredth: 30 mm × 1e-4 × the share of them.
    np.testing.assert_allclose(found.path.length.coefficients, TRUE.coefficients, atol=1e-6)


def test_paths_that_begin_inside_a_surface_hardly_count() -> None:
    clean = drawn(512, 0)
    inside = np.arange(512) % 5 == 0
    samples = replace(clean, length=clean.length - np.where(inside, 0.02, 0.0)[:, None], sound=~inside[:, None])
    found = fitted(samples, drawn(256, 1))["m"]
    assert found.left_out == pytest.approx(inside.mean())
    np.testing.assert_allclose(found.path.length.coefficients, TRUE.coefficients, atol=1e-4)


def test_a_path_that_depends_on_nothing_keeps_its_points() -> None:
    still = drawn(64, 0)
    assert fitted(replace(still, moment_arm=0.0 * still.moment_arm), still) == {}


def test_postures_fill_the_ranges_or_stay_around_the_motion() -> None:
    model = compile_model(body())
    coordinates = list(varied(model))
    low, high = np.clip(np.asarray(model.coordinate_range)[coordinates], -np.pi, np.pi).T
    q = across_ranges(model, tuple(coordinates), 256, 3)
    assert ((q[:, coordinates] >= low) & (q[:, coordinates] <= high)).all()
    assert (np.ptp(q[:, coordinates], 0) > 0.97 * (high - low)).all()
    np.testing.assert_array_equal(q, across_ranges(model, tuple(coordinates), 256, 3))
    assert (q != across_ranges(model, tuple(coordinates), 256, 4)).any()
    motion = np.tile(np.asarray(model.coordinate_default), (40, 1))
    knee, locked = model.coordinate("knee_angle_r"), model.coordinate("subtalar_angle_r")
    motion[:, knee] = np.linspace(-0.1, 1.0, 40)
    motion[:, locked] = np.linspace(0.0, 0.3, 40)
    assert locked in varied(model, motion)
    assert locked not in coordinates
    near = around_motion(model, varied(model, motion), motion, 0.1, 256, 0)
    # The knee's range begins at 0, which this motion passes.
    assert near[:, knee].min() == pytest.approx(-0.1)
    assert 1.05 < near[:, knee].max() <= 1.1
    hip = model.coordinate("hip_flexion_r")
    assert 0.05 < np.abs(near[:, hip] - motion[0, hip]).max() <= 0.1


def test_the_measured_body_over_walking(shared: Path) -> None:
    """Rajagopal2016, muscles of every kind of path, in postures of a walk that the polynomials were not fit to."""
    names = ("glmed1_r", "recfem_r", "tibant_r")
    spec = osim_read.read(shared / "data/models/Rajagopal2016.osim")
    spec = replace(spec, muscles=tuple(m for m in spec.muscles if m.name in names))
    model = compile_model(spec)
    muscles = compile_muscles(spec, model.body_names)
    with np.load(shared / "data/kinetics/train/HAM01__walk2.npz", allow_pickle=True) as trial:
        columns, values = [str(n) for n in trial["q_names"]], np.asarray(trial["q"], float)
    motion = np.tile(np.asarray(model.coordinate_default), (len(values), 1))
    for i, name in enumerate(model.coordinate_names):
        if name in columns:
            # Degrees, whatever the table of the trials says.
            motion[:, i] = (np.radians(1.0) if model.rotational[i] else 1.0) * values[:, columns.index(name)]
    coordinates = varied(model)
    fit_to, check = (
        sample(model, muscles, around_motion(model, coordinates, motion, 0.175, n, s), coordinates) for n, s in ((512, 0), (256, 1))
    )
    fits = fit_paths(model, muscles, coordinates, fit_to, check)
    smooth = compile_muscles(with_paths(spec, {name: fit.path for name, fit in fits.items()}), model.body_names)
    walk = sample(model, muscles, motion[::5], coordinates)
    for error in path_errors(walk, sample(model, smooth, walk.q, coordinates), muscles.names, names):
        assert error.length_rms < 1e-4, error
        assert error.length_max < 3e-4, error
        assert error.moment_arm_rms < 3e-4, error
        assert error.moment_arm_max < 1e-3, error
