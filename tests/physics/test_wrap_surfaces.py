"""Spheres, ellipsoids and tori of random size, place and side against OpenSim, alone and with points between."""

from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest

from monomsk.io import osim_write
from monomsk.model.compile import compile_model
from monomsk.model.muscles import METHODS, compile_muscles
from monomsk.model.spec import ModelSpec, PathWrap, Wrap
from monomsk.physics.muscle import FRAMES, muscle_states
from pendulums import elbow, muscle

SIDES = ("all", "x", "-x", "y", "-y", "z", "-z")
ANGLES = np.linspace(-1.2, 1.2, 7)
SIZES = {"WrapSphere": (0.03, 0.08, 1), "WrapEllipsoid": (0.03, 0.09, 3), "WrapTorus": (0.01, 0.03, 1), "WrapCylinder": (0.03, 0.06, 1)}


def made_up(kind: str, count: int, seed: int, *, via: bool) -> ModelSpec:
    """Muscles along an arm, each with a surface of its own somewhere in the way."""
    rng = np.random.default_rng(seed)
    wraps, muscles = [], []
    for i in range(count):
        low, high, n = SIZES[kind]
        size = tuple(float(v) for v in rng.uniform(low, high, n))
        size = (*size, *{"WrapTorus": (float(rng.uniform(0.05, 0.1)),), "WrapCylinder": (0.4,)}.get(kind, ()))
        place, turn = (tuple(float(v) for v in rng.uniform(-s, s, 3)) for s in (0.03, 1.0))
        wraps.append(Wrap(f"w{i}", kind, "humerus", place, turn, size, quadrant=str(rng.choice(SIDES))))
        points = [("humerus", (rng.uniform(-0.1, 0.1), 0.25, rng.uniform(-0.1, 0.1)))]
        if via:
            points.append(("ulna", (0.12 * rng.choice([-1, 1]), rng.uniform(-0.15, 0.0), rng.uniform(-0.1, 0.1))))
        points.append(("ulna", (rng.uniform(-0.1, 0.1), -0.25, rng.uniform(-0.1, 0.1))))
        use = PathWrap(f"w{i}", (1, 2) if via and i % 3 == 0 else (-1, -1), METHODS[i % 3])
        muscles.append(muscle(f"m{i}", tuple((b, tuple(float(v) for v in p)) for b, p in points), wraps=(use,)))
    return elbow(*muscles, wraps=tuple(wraps))


def living(opensim, path: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    opensim.Logger.setLevelString("off")
    model = opensim.Model(str(path))
    state = model.initSystem()
    flexion = model.getCoordinateSet().get("flexion")
    muscles = [model.getMuscles().get(i) for i in range(model.getMuscles().getSize())]
    length, arm, bent = [], [], []
    for angle in ANGLES:
        flexion.setValue(state, float(angle))
        model.realizePosition(state)
        length.append([m.getLength(state) for m in muscles])
        bent.append(
            [m.getGeometryPath().getCurrentPath(state).getSize() > m.getGeometryPath().getPathPointSet().getSize() for m in muscles]
        )
        arm.append([m.computeMomentArm(state, flexion) for m in muscles])
    return np.array(length), np.array(arm), np.array(bent)


@pytest.mark.parametrize("via", [False, True])
@pytest.mark.parametrize("kind", ["WrapSphere", "WrapEllipsoid", "WrapTorus", "WrapCylinder"])
def test_equals_the_living_opensim(tmp_path: Path, kind: str, via: bool) -> None:
    opensim = pytest.importorskip("opensim")
    spec = made_up(kind, 40, 11, via=via)
    osim_write.write(tmp_path / "arm.osim", spec)
    length, arm, bent = living(opensim, tmp_path / "arm.osim")
    model = compile_model(spec)
    q = jnp.zeros((FRAMES, 1)).at[: len(ANGLES), 0].set(ANGLES)
    found = muscle_states(model, compile_muscles(spec, model.body_names, opensim_compat=True), q, jnp.zeros_like(q))
    assert bent.mean() > 0.1
    # Where an arc is short and far from the axis that it is measured at, OpenSim's length of an ellipsoid's arc is no number.
    known = np.isfinite(length)
    assert known.mean() > 0.98
    off = np.abs(np.asarray(found.length)[: len(ANGLES)] - length)[known]
    assert np.mean(off < 1e-5) > 0.99
    assert np.mean(np.abs(np.asarray(found.moment_arm)[: len(ANGLES), :, 0] - arm) < 1e-4) > 0.99
    assert np.isfinite(np.asarray(found.length)).all()


def pairs(kinds: tuple[str, str], count: int, seed: int) -> ModelSpec:
    """Muscles along an arm, each over one surface on either bone."""
    rng = np.random.default_rng(seed)
    wraps, muscles = [], []
    for i in range(count):
        for k, (kind, body) in enumerate(zip(kinds, ("humerus", "ulna"), strict=True)):
            low, high, n = SIZES[kind]
            size = tuple(float(v) for v in rng.uniform(low, high, n))
            size = (*size, *{"WrapTorus": (float(rng.uniform(0.05, 0.1)),), "WrapCylinder": (0.4,)}.get(kind, ()))
            x, y, z = (float(v) for v in rng.uniform(-0.03, 0.03, 3))
            turn = tuple(float(v) for v in rng.uniform(-1.0, 1.0, 3))
            wraps.append(Wrap(f"w{i}_{k}", kind, body, (x, y + (0.1, -0.1)[k], z), turn, size, quadrant=str(rng.choice(SIDES))))
        ends = [(b, (float(rng.uniform(-0.1, 0.1)), y, float(rng.uniform(-0.1, 0.1)))) for b, y in (("humerus", 0.25), ("ulna", -0.25))]
        muscles.append(muscle(f"m{i}", tuple(ends), wraps=(PathWrap(f"w{i}_0"), PathWrap(f"w{i}_1"))))
    return elbow(*muscles, wraps=tuple(wraps))


@pytest.mark.parametrize(("kind", "share", "near"), [("WrapCylinder", 1.0, 1e-9), ("WrapTorus", 0.95, 1e-5)])
def test_two_surfaces_on_a_path_equal_the_living_opensim(tmp_path: Path, kind: str, share: float, near: float) -> None:
    """The tangent points slide as OpenSim's, and the straight pieces are as old as OpenSim's. Passes over tori need not settle."""
    opensim = pytest.importorskip("opensim")
    spec = pairs((kind, kind), 30, 5)
    osim_write.write(tmp_path / "arm.osim", spec)
    length, arm, bent = living(opensim, tmp_path / "arm.osim")
    model = compile_model(spec)
    q = jnp.zeros((FRAMES, 1)).at[: len(ANGLES), 0].set(ANGLES)
    found = muscle_states(model, compile_muscles(spec, model.body_names, opensim_compat=True), q, jnp.zeros_like(q))
    assert bent.mean() > 0.5
    assert np.mean(np.abs(np.asarray(found.length)[: len(ANGLES)] - length) < near) >= share
    assert np.mean(np.abs(np.asarray(found.moment_arm)[: len(ANGLES), :, 0] - arm) < 10.0 * near) >= share
