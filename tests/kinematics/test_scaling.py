"""People of known size, scaled to by the markers that they wore."""

from dataclasses import replace
from functools import cache

import jax.numpy as jnp
import numpy as np
import pytest

from monomsk.errors import InputError
from monomsk.io.body import load_anatomy, load_body
from monomsk.kinematics.scaling import Scaled, scale_to_markers
from monomsk.model.compile import compile_model
from monomsk.model.model import complete
from monomsk.model.scale import scale_model
from monomsk.model.spec import ModelSpec
from monomsk.physics.forward_kinematics import forward_kinematics, marker_positions
from monomsk.types import Markers, Subject

SIZES = {"pelvis_width": 1.08, "thigh": 0.93, "shank": 1.1, "foot": 1.05, "upper_arm": 0.95, "torso": 1.04}
MASS = 66.0
MISPLACED = ("RTH1", "LTH2", "RTB1", "LTB3")
"""Markers of clusters, which are worn anywhere."""


@cache
def body() -> ModelSpec:
    return replace(load_body(), muscles=(), wraps=())


@cache
def person() -> Subject:
    """With the stature of a body of these sizes."""
    points = tuple(a for a in load_anatomy().anchors if a.name in ("head_top", "sole_r"))
    model = compile_model(body().with_markers(points))
    _, segments = load_anatomy().segments_of(model)
    sized = scale_model(model, segments.factors(model, jnp.log(jnp.array([SIZES.get(name, 1.0) for name in segments.names]))), MASS)
    at = marker_positions(sized, forward_kinematics(sized, complete(sized, sized.coordinate_default)))
    return Subject(height=abs(float(at[0, 1] - at[1, 1])), mass=MASS)


@cache
def standing() -> tuple[Markers, np.ndarray]:
    """Markers of somebody of `SIZES` who stands a little bent, and the true factors."""
    model = compile_model(body())
    _, segments = load_anatomy().segments_of(model)
    factors = segments.factors(model, jnp.log(jnp.array([SIZES.get(name, 1.0) for name in segments.names])))
    sized = scale_model(model, factors, MASS)
    q = model.coordinate_default
    for name, value in {"pelvis_tilt": 0.1, "hip_flexion_r": 0.2, "knee_angle_r": 0.15, "arm_add_r": -0.4, "elbow_flex_l": 0.3}.items():
        q = q.at[model.coordinate(name)].set(value)
    at = np.asarray(marker_positions(sized, forward_kinematics(sized, complete(model, q))))
    rng = np.random.default_rng(0)
    xyz = at + rng.normal(0.0, 0.004, at.shape)
    for name in MISPLACED:
        xyz[model.marker_names.index(name)] += [0.0, 0.12, 0.06]
    frames = np.stack([xyz] * 5) + rng.normal(0.0, 0.001, (5, *at.shape))
    return Markers(np.arange(5) / 100.0, model.marker_names, frames, np.full(frames.shape[:2], 0.005)), np.asarray(factors)


@cache
def scaled() -> Scaled:
    return scale_to_markers(standing()[0], body(), person(), load_anatomy())


def test_sizes_are_found_though_clusters_sit_elsewhere() -> None:
    model = compile_model(body())
    truth = standing()[1]
    for name in ("femur_r", "tibia_l", "calcn_r", "humerus_r"):
        np.testing.assert_allclose(scaled().factors[model.body(name), 1], truth[model.body(name), 1], rtol=0.025)
    assert scaled().factors[model.body("pelvis"), 2] == pytest.approx(1.08, abs=0.04)


def test_the_mass_is_the_stated_one_and_markers_sit_where_they_were_worn() -> None:
    found = scaled()
    assert found.body.mass == pytest.approx(MASS)
    assert np.median(found.error[1]) < 0.002
    assert found.error[0][[found.names.index(n) for n in MISPLACED]].min() > 0.08
    named = next(text for text in found.warnings if "far from their places" in text)
    assert all(name in named for name in MISPLACED)
    assert named.count("cm)") < 8


def test_fixed_markers_stay() -> None:
    markers = tuple(replace(m, fixed=m.name == "RTH1") for m in body().markers)
    found = scale_to_markers(standing()[0], body().with_markers(markers), person(), load_anatomy())
    before = np.array(next(m.location for m in body().markers if m.name == "RTH1"))
    model = compile_model(body())
    after = np.array(next(m.location for m in found.body.markers if m.name == "RTH1"))
    np.testing.assert_allclose(after, before * found.factors[model.body("femur_r")], rtol=1e-6)


def test_somebody_who_lies_is_refused_with_the_axis_that_is_up() -> None:
    markers, _ = standing()
    turned = np.stack([markers.xyz[..., 0], -markers.xyz[..., 2], markers.xyz[..., 1]], axis=-1)
    with pytest.raises(InputError, match="say so with --up z"):
        scale_to_markers(replace(markers, xyz=turned), body(), person(), load_anatomy())
