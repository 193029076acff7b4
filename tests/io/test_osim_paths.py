"""FunctionBasedPaths in a model and in a file of their own, ours and OpenSim's."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from monomsk.errors import ModelError
from monomsk.io import osim_paths, osim_read, osim_write
from monomsk.io.body import load_body
from monomsk.model.edit import with_paths
from monomsk.model.polynomials import exponents
from monomsk.model.spec import ModelSpec, MultivariatePolynomial, PolynomialPath
from pendulums import elbow, muscle
from smooth_paths import paths, smooth

SUM = (
    "<MultivariatePolynomialFunction><coefficients>0.3 0.1 -0.2</coefficients>"
    "<dimension>1</dimension><order>2</order></MultivariatePolynomialFunction>"
)


def forearm() -> ModelSpec:
    ends = (("humerus", (0.05, 0.3, 0.0)), ("ulna", (0.05, -0.3, 0.0)))
    path = PolynomialPath(("flexion",), MultivariatePolynomial(1, 2, (0.3, 0.1, -0.2)))
    return with_paths(elbow(muscle("pointed", ends), muscle("smooth", ends)), {"smooth": path})


def written(folder: Path, replacement: str = SUM, *, was: str | None = None) -> Path:
    """A model whose one polynomial path has another length function, or other text."""
    path = folder / "model.osim"
    osim_write.write(path, forearm())
    text = " ".join(path.read_text(encoding="utf-8").split()).replace("> <", "><")
    was = was or SUM
    assert was in text
    path.write_text(text.replace(was, replacement), encoding="utf-8")
    return path


def test_what_is_written_reads_back(tmp_path: Path) -> None:
    for spec in (smooth(), forearm()):
        osim_write.write(tmp_path / "model.osim", spec)
        assert osim_read.read_with_notes(tmp_path / "model.osim") == (spec, ())
    osim_paths.write_path_set(tmp_path / "paths.xml", smooth())
    assert osim_paths.read_path_set(tmp_path / "paths.xml") == paths()


def test_a_path_may_stand_in_an_element_of_its_own(tmp_path: Path) -> None:
    path = written(tmp_path)
    text = path.read_text(encoding="utf-8")
    text = text.replace('<FunctionBasedPath name="path">', '<path><FunctionBasedPath name="any">')
    path.write_text(text.replace("</FunctionBasedPath>", "</FunctionBasedPath></path>"), encoding="utf-8")
    assert osim_read.read(path) == forearm()


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        ("<LinearFunction><coefficients>0.2 0.4</coefficients></LinearFunction>", (0.4, 0.2)),
        ("<PolynomialFunction><coefficients>0.1 0.2 0.4</coefficients></PolynomialFunction>", (0.4, 0.2, 0.1)),
        (f"<MultiplierFunction><function>{SUM}</function><scale>2</scale></MultiplierFunction>", (0.6, 0.2, -0.4)),
    ],
)
def test_other_polynomials_are_read_as_opensim_means_them(function: str, expected: tuple[float, ...], tmp_path: Path) -> None:
    path = written(tmp_path, function)
    read = osim_read.read(path).muscles[1].polynomial
    assert read is not None
    assert read.length.coefficients == expected
    opensim = pytest.importorskip("opensim")
    opensim.Logger.setLevelString("error")
    living = opensim.Model(str(path))
    state = living.initSystem()
    living.getCoordinateSet().get(0).setValue(state, 0.7)
    assert living.getMuscles().get("smooth").getLength(state) == pytest.approx(np.polyval(expected[::-1], 0.7), abs=1e-12)


@pytest.mark.parametrize(
    ("replacement", "was", "said"),
    [
        ("<Sine><amplitude>1</amplitude></Sine>", None, "path function of kind Sine; supported are"),
        (SUM.replace("0.1 -0.2", "0.1"), None, "2 coefficients stand where 3 are needed"),
        (SUM.replace("0.3 0.1", "0.3 nan"), None, "not finite"),
        ("", f"<length_function>{SUM}</length_function>", "has no length_function"),
        ("/jointset/elbow/turn", "/jointset/elbow/flexion", "uses the coordinate turn"),
        ("", "/jointset/elbow/flexion", "needs coordinates"),
    ],
)
def test_one_line_for_a_path_that_cannot_be_read(replacement: str, was: str | None, said: str, tmp_path: Path) -> None:
    path = written(tmp_path, replacement, was=was)
    with pytest.raises(ModelError, match=said) as error:
        osim_read.read(path)
    assert str(path) in str(error.value)


def test_a_file_that_is_no_set_of_paths(tmp_path: Path) -> None:
    osim_write.write(tmp_path / "model.osim", forearm())
    with pytest.raises(ModelError, match="FunctionBasedPathSet"):
        osim_paths.read_path_set(tmp_path / "model.osim")
    with pytest.raises(ModelError, match="cannot read"):
        osim_paths.read_path_set(tmp_path / "nowhere.xml")


def opensims_path(osim: Any, name: str, path: PolynomialPath) -> Any:
    """The same path, made by OpenSim."""

    def function(own: MultivariatePolynomial) -> Any:
        vector = osim.Vector(len(own.coefficients), 0.0)
        for i, value in enumerate(own.coefficients):
            vector[i] = value
        return osim.MultivariatePolynomialFunction(vector, own.dimension, own.order)

    made = osim.FunctionBasedPath()
    made.setName(name)
    joints = {c.name: j.name for j in smooth().joints for c in j.coordinates}
    places = osim.StdVectorString()
    for c in path.coordinates:
        places.append(f"/jointset/{joints[c]}/{c}")
    made.setCoordinatePaths(places)
    made.setLengthFunction(function(path.length))
    for arm in path.moment_arms:
        made.appendMomentArmFunction(function(arm))
    if path.speed is not None:
        made.setLengtheningSpeedFunction(function(path.speed))
    return made


def test_what_opensim_writes_is_read(osim: Any, tmp_path: Path) -> None:
    """Its own model with such paths, and its own set of them."""
    osim_write.write(tmp_path / "points.osim", with_points())
    model, collection = osim.Model(str(tmp_path / "points.osim")), osim.SetFunctionBasedPaths()
    model.initSystem()
    for name, path in paths().items():
        osim.Muscle.safeDownCast(model.getMuscles().get(name)).set_path(opensims_path(osim, "path", path))
        collection.cloneAndAppend(opensims_path(osim, f"/forceset/{name}", path))
    model.finalizeFromProperties()
    model.finalizeConnections()
    model.printToXML(str(tmp_path / "theirs.osim"))
    collection.printToXML(str(tmp_path / "theirs.xml"))
    assert {m.name: m.polynomial for m in osim_read.read(tmp_path / "theirs.osim").muscles} == paths()
    assert osim_paths.read_path_set(tmp_path / "theirs.xml") == paths()


def test_opensim_takes_our_set_of_paths(osim: Any, tmp_path: Path) -> None:
    osim_write.write(tmp_path / "points.osim", with_points())
    osim_paths.write_path_set(tmp_path / "paths.xml", smooth())
    processor = osim.ModelProcessor(str(tmp_path / "points.osim"))
    processor.append(osim.ModOpReplacePathsWithFunctionBasedPaths(str(tmp_path / "paths.xml")))
    model = processor.process()
    state = model.initSystem()
    for name, path in paths().items():
        at = np.array([model.getCoordinateSet().get(c).getValue(state) for c in path.coordinates])
        terms = zip(path.length.coefficients, exponents(path.length.dimension, path.length.order), strict=True)
        expected = sum(c * float(np.prod(at ** np.array(e))) for c, e in terms)
        assert model.getMuscles().get(name).getLength(state) == pytest.approx(expected, abs=1e-12)


def with_points() -> ModelSpec:
    """The muscles of `smooth` with the paths that they have in the shipped body."""
    spec = load_body()
    return replace(spec, muscles=tuple(m for m in spec.muscles if m.name in paths()))
