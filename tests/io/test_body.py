"""The shipped body holds the published figures, and OpenSim sees the same body in it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from monomsk.io import osim_read, osim_write
from monomsk.io.body import load_body

FIELDS = ("bodies", "joints", "couplers", "markers", "wraps", "muscles", "gravity")


def test_it_is_the_body_it_is_said_to_be() -> None:
    body = load_body()
    assert (len(body.bodies), len(body.coordinates), len(body.muscles)) == (22, 39, 80)
    assert (len(body.wraps), len(body.markers), len(body.couplers)) == (44, 66, 2)
    assert body.mass == pytest.approx(75.337, abs=1e-9)
    feet = [contact.body for contact in body.contacts]
    assert [feet.count(name) for name in ("calcn_r", "toes_r", "calcn_l", "toes_l")] == [4, 2, 4, 2]
    locked = {coordinate.name for coordinate in body.coordinates if coordinate.locked}
    assert locked == {f"{name}_{side}" for name in ("subtalar_angle", "mtp_angle", "wrist_flex", "wrist_dev") for side in "rl"}
    # The ground forces of a result folder come in a file; spheres that push as well would count them twice.
    assert not any(contact.applied for contact in body.contacts)


def test_spheres_of_the_feet_mirror_each_other() -> None:
    spheres = {contact.name: contact for contact in load_body().contacts}
    for name, sphere in spheres.items():
        x, y, z = sphere.location
        mirrored = {"r": "l", "l": "r"}[name[-1]]
        assert spheres[name[:-1] + mirrored].location == (x, y, -z)
        assert sphere.radius == 0.032


def test_every_figure_is_the_published_one(shared: Path) -> None:
    body = load_body()
    published = osim_read.read(shared / "data/models/RajagopalLaiUhlrich2023.osim")
    contacts = osim_read.read(shared / "data/models/LaiArnoldModified2017_contacts.osim").contacts
    for field in FIELDS:
        assert getattr(body, field) == getattr(published, field), field
    assert body.contacts == tuple(replace(contact, applied=False) for contact in contacts)


def test_the_file_is_what_our_writer_writes(repository: Path) -> None:
    path = repository / "src/monomsk/data/body/monomsk_body.osim"
    assert path.read_text(encoding="utf-8") == osim_write.document_text(load_body())
    assert b"<!--" not in path.read_bytes()


def test_opensim_opens_it(osim: Any, repository: Path) -> None:
    model = osim.Model(str(repository / "src/monomsk/data/body/monomsk_body.osim"))
    state = model.initSystem()
    assert model.getTotalMass(state) == pytest.approx(75.337, abs=1e-9)
    assert model.getNumCoordinates() == 39
    assert model.getMuscles().getSize() == 80
