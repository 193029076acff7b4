"""Models in the layout of OpenSim 2 and 3 are read as OpenSim 4 converts them."""

import gzip
import re
from pathlib import Path
from typing import Any

import pytest

from monomsk.errors import ModelError
from monomsk.io import osim_read

OLD = """<?xml version="1.0"?>
<OpenSimDocument Version="30000"><Model name="old"><gravity>0 -9.81 0</gravity>
<BodySet><objects>
<Body name="ground"><mass>0</mass><Joint/></Body>
<Body name="thigh"><mass>8</mass><mass_center>0 -0.2 0</mass_center>
<inertia_xx>0.1</inertia_xx><inertia_yy>0.2</inertia_yy><inertia_zz>0.25</inertia_zz>
<inertia_xy>0.01</inertia_xy><inertia_xz>0.02</inertia_xz><inertia_yz>0.03</inertia_yz>
<Joint><PinJoint name="hip"><parent_body>ground</parent_body>
<location_in_parent>0 1 0</location_in_parent><orientation_in_parent>0.1 0 0</orientation_in_parent>
<location>0 0.5 0</location><orientation>0 0 0.2</orientation>
<CoordinateSet><objects>
<Coordinate name="hip_flexion"><default_value>0.1</default_value><range>-1 2</range></Coordinate></objects></CoordinateSet>
<reverse>false</reverse></PinJoint></Joint>
<VisibleObject><GeometrySet><objects>
<DisplayGeometry><geometry_file>femur.vtp</geometry_file><scale_factors>1 2 1</scale_factors></DisplayGeometry></objects></GeometrySet>
<scale_factors>1.1 1 1</scale_factors></VisibleObject></Body>
</objects></BodySet>
<ForceSet><objects><Thelen2003Muscle name="m"><GeometryPath><PathPointSet><objects>
<PathPoint name="a"><location>0 0 0</location><body>ground</body></PathPoint>
<ConditionalPathPoint name="b"><location>0 0.1 0</location><body>thigh</body><coordinate>hip_flexion</coordinate>
<range>0 1</range></ConditionalPathPoint>
</objects></PathPointSet></GeometryPath>
<max_isometric_force>100</max_isometric_force><pennation_angle>0.2</pennation_angle></Thelen2003Muscle></objects></ForceSet>
<MarkerSet><objects><Marker name="k"><body>thigh</body><location>1 2 3</location></Marker></objects></MarkerSet>
</Model></OpenSimDocument>"""


def read(text: str, folder: Path) -> Any:
    (folder / "old.osim").write_text(text)
    return osim_read.read(folder / "old.osim")


def test_the_old_layout(tmp_path: Path) -> None:
    spec = read(OLD, tmp_path)
    (body,), (joint,), (muscle,) = spec.bodies, spec.joints, spec.muscles
    assert body.inertia == (0.1, 0.2, 0.25, 0.01, 0.02, 0.03)
    assert body.meshes == (("femur.vtp", (1.1, 2.0, 1.0)),)
    assert (joint.parent, joint.child, joint.kind) == ("ground", "thigh", "PinJoint")
    assert (joint.parent_frame.translation, joint.parent_frame.orientation) == ((0.0, 1.0, 0.0), (0.1, 0.0, 0.0))
    assert (joint.child_frame.translation, joint.child_frame.orientation) == ((0.0, 0.5, 0.0), (0.0, 0.0, 0.2))
    assert (joint.coordinates[0].range, joint.coordinates[0].default) == ((-1.0, 2.0), 0.1)
    assert [point.body for point in muscle.points] == ["ground", "thigh"]
    assert (muscle.points[1].coordinate, muscle.points[1].range, muscle.pennation) == ("hip_flexion", (0.0, 1.0), 0.2)
    assert (spec.markers[0].body, spec.markers[0].location) == ("thigh", (1.0, 2.0, 3.0))


def test_a_reversed_joint_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="reverse"):
        read(OLD.replace("<reverse>false", "<reverse>true"), tmp_path)


def test_opensim_1_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="OpenSim 1"):
        read(OLD.replace("30000", "10905"), tmp_path)


def test_a_model_of_opensim_2_is_read_as_opensim_converts_it(shared: Path, osim: Any, tmp_path: Path) -> None:
    packed = shared / "data/kinetics/models/JA1.osim.gz"
    # OpenSim 4.6 refuses this file for its minimum controls; without them it takes it.
    (tmp_path / "old.osim").write_text(re.sub(r"<min_control>.*?</min_control>", "", gzip.decompress(packed.read_bytes()).decode()))
    model = osim.Model(str(tmp_path / "old.osim"))
    model.finalizeConnections()
    model.printToXML(str(tmp_path / "new.osim"))
    ours, notes = osim_read.read_with_notes(packed)
    theirs = osim_read.read(tmp_path / "new.osim")
    for field in ("bodies", "joints", "couplers", "markers", "wraps", "muscles", "gravity"):
        assert getattr(ours, field) == getattr(theirs, field), field
    assert len(ours.muscles) == 92
    assert any("min_control" in note for note in notes)
