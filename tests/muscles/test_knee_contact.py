"""How condyles share the load of a knee."""

from dataclasses import replace

import numpy as np
import pytest

from monomsk.errors import InputError
from monomsk.model.spec import ModelSpec
from monomsk.muscles.knee_contact import knee_contact
from monomsk.types import JointLoads
from pendulums import elbow

N = 5
D = 0.05


def knee(side: str) -> ModelSpec:
    spec = elbow()
    joint = spec.joints[1]
    coordinate = replace(joint.coordinates[0], name=f"knee_angle_{side}")
    axes = (replace(joint.rotations[0], coordinate=coordinate.name), *joint.rotations[1:])
    return replace(spec, joints=(spec.joints[0], replace(joint, name=f"knee_{side}", rotations=axes, coordinates=(coordinate,))))


def pressed(side: str, places: dict[float, float]) -> JointLoads:
    """Compressions [N] at places along the tibia's Z axis [m]."""
    force = np.array([30.0, -sum(places.values()), -20.0])
    moment = sum(np.cross([0.0, 0.0, z], [0.0, -c, 0.0]) for z, c in places.items()) + np.array([0.0, 5.0, 0.0])
    here = np.zeros((N, 1, 3))
    return JointLoads(np.arange(N) / 10.0, (f"knee_{side}",), ("ulna",), ("ulna",), here + force, here + moment, here)


@pytest.mark.parametrize(("side", "medial"), [("r", -0.5 * D), ("l", 0.5 * D)])
def test_what_presses_at_the_two_points_is_found_there(side: str, medial: float) -> None:
    found = knee_contact(pressed(side, {medial: 900.0, -medial: 400.0}), knee(side), D)
    assert found.names == (f"knee_{side}_medial", f"knee_{side}_lateral")
    np.testing.assert_allclose(found.force, [[900.0, 400.0]] * N, atol=1e-9)
    assert found.warnings == ()


def test_a_condyle_that_would_have_to_pull_is_told_with_the_times() -> None:
    found = knee_contact(pressed("r", {-0.5 * D - 0.01: 500.0}), knee("r"), D)
    np.testing.assert_allclose(found.force, [[600.0, -100.0]] * N, atol=1e-9)
    (line,) = found.warnings
    assert "lateral condyle of knee_r would have to pull with up to 100 N, at 0.00–0.40 s" in line


def test_what_cannot_be_is_said() -> None:
    loads = pressed("r", {0.0: 500.0})
    with pytest.raises(InputError, match="45 m apart"):
        knee_contact(loads, knee("r"), 45.0)
    with pytest.raises(InputError, match="leave out --on and --frame"):
        knee_contact(replace(loads, frames=("ground",)), knee("r"), D)
    with pytest.raises(InputError, match="leave out --on and --frame"):
        knee_contact(replace(loads, bodies=("humerus",), frames=("humerus",)), knee("r"), D)
    with pytest.raises(InputError, match="no knee"):
        knee_contact(replace(loads, names=("elbow",)), elbow(), D)
