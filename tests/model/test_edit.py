"""Contact spheres for bodies that have none. (Writing scaled numbers back is proved in test_scale.)"""

from dataclasses import replace

import numpy as np
import pytest

from bodies import legs
from monomsk.errors import ModelError
from monomsk.model.edit import with_contacts_of


def test_a_body_with_spheres_keeps_them():
    assert with_contacts_of(legs(), legs()) is legs()


def test_borrowed_spheres_have_the_size_of_the_foot():
    small = tuple(
        replace(j, parent_frame=replace(j.parent_frame, translation=tuple(0.5 * v for v in j.parent_frame.translation)))
        if j.child.startswith("toes")
        else j
        for j in legs().joints
    )
    given = with_contacts_of(replace(legs(), contacts=(), joints=small), legs())
    for own, donor in zip(given.contacts, legs().contacts, strict=True):
        np.testing.assert_allclose(own.location, 0.5 * np.array(donor.location))
        assert own.radius == pytest.approx(0.5 * donor.radius)
        assert own.body == donor.body


def test_a_foot_without_toes_carries_all_spheres_on_its_heel():
    whole = tuple(j for j in legs().joints if not j.child.startswith("toes"))
    bodies = tuple(b for b in legs().bodies if not b.name.startswith("toes"))
    given = with_contacts_of(replace(legs(), contacts=(), joints=whole, bodies=bodies), legs())
    assert {c.body for c in given.contacts} == {"calcn_r", "calcn_l"}
    assert max(c.location[0] for c in given.contacts) > 0.2


def test_feet_of_other_names_are_refused():
    other = tuple(replace(b, name="foot_r") if b.name == "calcn_r" else b for b in legs().bodies)
    with pytest.raises(ModelError, match="no body 'calcn_r'"):
        with_contacts_of(replace(legs(), contacts=(), bodies=other), legs())
