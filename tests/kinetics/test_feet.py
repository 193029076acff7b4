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


def test_feet_without_spheres_are_refused() -> None:
    with pytest.raises(ModelError, match="_r and _l"):
        feet_of(replace(body(), contacts=()))
    with pytest.raises(ModelError, match="_r and _l"):
        feet_of(replace(body(), contacts=tuple(c for c in body().contacts if c.body.endswith("_r"))))
