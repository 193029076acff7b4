from dataclasses import replace

import numpy as np
import pytest

from kinetics.motions import body
from monomsk.errors import ModelError
from monomsk.kinetics.feet import feet_of


def test_the_shipped_body_has_six_spheres_a_foot_on_its_heel_bodies() -> None:
    feet = feet_of(body())
    assert feet.bodies == ("calcn_r", "calcn_l")
    assert (np.bincount(feet.foot) == 6).all()
    assert set(feet.body[:6]) == {"calcn_r", "toes_r"}


def test_a_body_without_spheres_gets_the_usual_ones_in_its_size() -> None:
    own, usual = feet_of(body()), feet_of(replace(body(), contacts=()))
    assert usual.bodies == own.bodies
    np.testing.assert_allclose(usual.location.mean(0), own.location.mean(0), atol=0.02)
    np.testing.assert_allclose(usual.location[:6] * [1, 1, -1], usual.location[6:])


def test_feet_that_cannot_be_found_are_named() -> None:
    bare = replace(body(), contacts=(), bodies=tuple(b for b in body().bodies if b.name != "calcn_l"))
    with pytest.raises(ModelError, match="calcn_l"):
        feet_of(bare)
    with pytest.raises(ModelError, match="_r and _l"):
        feet_of(replace(body(), contacts=tuple(c for c in body().contacts if c.body.endswith("_r"))))
