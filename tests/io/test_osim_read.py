"""Good models of all sorts are read; bad ones are refused in one line."""

import gzip
import warnings
from pathlib import Path

import pytest

from monomsk.errors import ModelError
from monomsk.io import osim_read, osim_write
from monomsk.model.spec import ModelSpec, Spline

NAMES = (
    "LaiArnoldModified2017_contacts",
    "LaiArnoldModified2017_poly_withArms_weldHand_generic",
    "LaiUhlrich2022",
    "Rajagopal2016",
    "RajagopalLaiUhlrich2023",
    "arm26",
    "gait10dof18musc",
    "gait2392_thelen2003muscle",
)


@pytest.fixture
def text(everything: ModelSpec) -> str:
    return osim_write.document_text(everything)


def refused(text: str | bytes, folder: Path) -> str:
    """The one line that a bad file is refused with."""
    path = folder / "bad.osim"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(ModelError) as caught:
        osim_read.read(path)
    message = str(caught.value)
    assert "\n" not in message
    assert str(path) in message
    return message


@pytest.mark.parametrize("name", NAMES)
def test_published_models_make_the_round_trip(name: str, shared: Path, tmp_path: Path) -> None:
    spec = osim_read.read(shared / f"data/models/{name}.osim")
    osim_write.write(tmp_path / "model.osim", spec)
    assert osim_read.read(tmp_path / "model.osim") == spec


def test_scaled_models_make_the_round_trip(shared: Path, tmp_path: Path) -> None:
    paths = sorted((shared / "data/kinetics/models").glob("*.osim.gz"))
    assert len(paths) > 50
    for path in paths:
        spec = osim_read.read(path)
        osim_write.write(tmp_path / "model.osim", spec)
        assert osim_read.read(tmp_path / "model.osim") == spec, path.name


def test_counts_of_a_published_model(shared: Path) -> None:
    spec, notes = osim_read.read_with_notes(shared / "data/models/gait2392_thelen2003muscle.osim")
    points = [point for muscle in spec.muscles for point in muscle.points]
    assert (len(spec.bodies), len(spec.coordinates), len(spec.muscles), len(points)) == (12, 23, 92, 288 + 26 + 8)
    assert (sum(p.coordinate is not None for p in points), sum(p.moving is not None for p in points)) == (26, 8)
    assert notes == ()


def test_what_is_not_used_is_noted(shared: Path) -> None:
    notes = osim_read.read_with_notes(shared / "data/kinetics/models/HAM18_walk.osim.gz")[1]
    assert notes == ("2 ExpressionBasedBushingForce of the model are ignored",)


def test_parents_come_first(text: str, everything: ModelSpec, tmp_path: Path) -> None:
    start, end = text.index('<JointSet name="jointset">'), text.index("</JointSet>")
    first = text.index("<WeldJoint", start)
    last = text.index("<CustomJoint", start)
    objects_end = text.rindex("</objects>", start, end)
    turned = text[:first] + text[last:objects_end] + text[first:last] + text[objects_end:]
    (tmp_path / "turned.osim").write_text(turned)
    assert osim_read.read(tmp_path / "turned.osim") == everything


def test_gzip_is_read(text: str, everything: ModelSpec, tmp_path: Path) -> None:
    (tmp_path / "model.osim.gz").write_bytes(gzip.compress(text.encode()))
    assert osim_read.read(tmp_path / "model.osim.gz") == everything


def test_offset_frames_are_composed(text: str, tmp_path: Path) -> None:
    """A marker on a frame, which hangs on a frame, that is turned a quarter about Y."""
    frames = (
        '<components><PhysicalOffsetFrame name="outer"><socket_parent>/bodyset/shank</socket_parent>'
        "<translation>1 2 3</translation><orientation>0 1.5707963267948966 0</orientation>"
        '<components><PhysicalOffsetFrame name="inner"><socket_parent>..</socket_parent>'
        "<translation>0.5 0 0</translation><orientation>0 0 0</orientation></PhysicalOffsetFrame></components>"
        "</PhysicalOffsetFrame></components>"
    )
    changed = text.replace('<Body name="shank">', f'<Body name="shank">{frames}')
    marker = changed.index('<Marker name="M1">')
    changed = changed[:marker] + changed[marker:].replace("/bodyset/shank", "/bodyset/shank/outer/inner", 1)
    (tmp_path / "model.osim").write_text(changed)
    read = osim_read.read(tmp_path / "model.osim").markers[0]
    # The marker is at (0, 0.1, 0.05) of the inner frame; x turns to -z and z to x.
    assert read.body == "shank"
    assert read.location == pytest.approx((1.05, 2.1, 2.5), abs=1e-14)


def test_defaults_fill_what_an_object_does_not_say(text: str, tmp_path: Path) -> None:
    changed = text.replace("<Af>0.3</Af>", "").replace(
        '<Ground name="ground">', '<defaults><Thelen2003Muscle><Af>0.77</Af></Thelen2003Muscle></defaults><Ground name="ground">'
    )
    (tmp_path / "model.osim").write_text(changed)
    assert osim_read.read(tmp_path / "model.osim").muscles[1].parameters == (("Af", 0.77),)


def test_the_natural_spline_is_opensims_simm_spline(text: str, tmp_path: Path) -> None:
    (tmp_path / "model.osim").write_text(text.replace("SimmSpline", "NaturalCubicSpline"))
    function = osim_read.read(tmp_path / "model.osim").joints[-1].translations[0].function
    assert isinstance(function, Spline)
    assert function.kind == "SimmSpline"


@pytest.mark.parametrize("kind", ["ConstantCurvatureJoint", "ScapulothoracicJoint"])
def test_an_unsupported_joint_is_named(kind: str, text: str, tmp_path: Path) -> None:
    message = refused(text.replace("<BallJoint", f"<{kind}").replace("</BallJoint", f"</{kind}"), tmp_path)
    assert kind in message
    assert "joint_5" in message
    assert "CustomJoint" in message


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("<mass>1</mass>", "<mass>nan</mass>", "not finite"),
        ("<mass>1</mass>", "<mass>heavy</mass>", "should hold numbers"),
        ("<mass>1</mass>", "<mass>-1</mass>", "negative"),
        ("<mass>1</mass>", "", "missing"),
        ("<location>0.1 0 0</location>", "<location>0.1 0</location>", "three numbers"),
        ("<PolynomialFunction", "<GCVSpline", "mismatched tag"),
        ("SimmSpline", "GCVSpline", "GCVSpline"),
        ("<transition_end_time>0.3<", "<transition_end_time>-1<", "not after its start"),
        ("<radii_x_y_z>0.1 ", "<radii_x_y_z>0 ", "radii of its ellipsoid must be positive"),
        ("<transition>0.01<", "<transition>0<", "must be positive"),
        ("<coordinate>knee_turn<", "<coordinate>elbow<", "acts on the coordinate 'elbow'"),
        ("<x>-2 -1 0 0.5</x>", "<x>-2 -1 -1 0.5</x>", "do not increase"),
        ("<x>-2 -1 0 0.5</x>", "<x>-2 -1 0</x>", "as many x as y"),
        ("<coordinates>knee_turn</coordinates>", "<coordinates>knee_turn knee_angle</coordinates>", "2 coordinates"),
        ("<coordinates>knee_turn</coordinates>", "<coordinates>elbow</coordinates>", "elbow"),
        ("<independent_coordinate_names>knee_angle", "<independent_coordinate_names>elbow", "elbow"),
        ("<wrap_object>cylinder", "<wrap_object>cone", "cone"),
        ("/bodyset/body_0<", "/bodyset/nobody<", "no body or offset frame"),
        ("<clamped>true", "<clamped>maybe", "true or false"),
        ("WrapTorus", "WrapCone", "WrapCone"),
        ('Version="40000"', 'Version="new"', "version"),
        ("Model", "Tool", "without a <Model>"),
        ("OpenSimDocument", "robot", "not an OpenSim document"),
    ],
)
def test_bad_contents_are_refused(old: str, new: str, expected: str, text: str, tmp_path: Path) -> None:
    assert old in text
    assert expected in refused(text.replace(old, new), tmp_path)


def test_names_must_be_unique(text: str, everything: ModelSpec, tmp_path: Path) -> None:
    again = '<Body name="shank"><mass>1</mass></Body><Body name="shank">'
    assert "two bodies have the same name" in refused(text.replace('<Body name="shank">', again), tmp_path)
    assert "two muscles are called 'vasti'" in refused(text.replace('name="soleus"', 'name="vasti"'), tmp_path)
    assert "two coordinates are called 'knee_turn'" in refused(text.replace('"PinJoint_0"', '"knee_turn"'), tmp_path)
    (tmp_path / "model.osim").write_text(text.replace('<Marker name="M2"', '<Marker name="M1"'))
    spec, notes = osim_read.read_with_notes(tmp_path / "model.osim")
    assert spec.markers == everything.markers[:1]
    assert notes == ("a second marker called M1 is ignored",)


def test_bodies_must_hang_together(text: str, tmp_path: Path) -> None:
    assert "no joint holds the body loose" in refused(
        text.replace('<Body name="shank">', '<Body name="loose"><mass>1</mass></Body><Body name="shank">'), tmp_path
    )
    assert "do not lead back to the ground" in refused(
        text.replace("<socket_parent>/ground</socket_parent>", "<socket_parent>/bodyset/shank</socket_parent>"), tmp_path
    )  # fmt: skip


def test_an_entity_bomb_is_not_lit(text: str, tmp_path: Path) -> None:
    bomb = '<!DOCTYPE x [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;&a;">]>'
    declaration, rest = text.split("\n", 1)
    assert "document type" in refused(f"{declaration}\n{bomb}\n{rest}".replace("Somebody", "&b;"), tmp_path)
    assert "document type" in refused(f"{bomb}{rest}".encode("utf-16"), tmp_path)


def test_damaged_files_are_refused(text: str, tmp_path: Path) -> None:
    assert "not a whole XML file" in refused(text[: len(text) // 2], tmp_path)
    assert "not a whole XML file" in refused("a,b,c\n1,2,3\n", tmp_path)
    assert "not a whole XML file" in refused("", tmp_path)
    assert "damaged gzip" in refused(gzip.compress(text.encode())[:-100], tmp_path)
    assert "larger than" in refused(gzip.compress(b" " * (65 * 2**20)), tmp_path)
    with pytest.raises(ModelError, match="No such file"):
        osim_read.read(tmp_path / "absent.osim")


def test_any_truncation_is_refused_and_warns_of_nothing(text: str, tmp_path: Path) -> None:
    path = tmp_path / "cut.osim"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for end in range(0, len(text) - 20, 997):
            path.write_text(text[:end])
            with pytest.raises(ModelError):
                osim_read.read(path)
