"""Forces along coordinates in files."""

import math
from pathlib import Path

import pytest

from monomsk.errors import ModelError
from monomsk.io import osim_read, osim_write
from monomsk.io.osim_passive import expression_text, read_expression
from monomsk.model.spec import CoordinateExponential, CoordinateLimit, ModelSpec

PUBLISHED = {
    "6.09*exp(33.94*(-q-0.13))-11.03*exp(-11.33*(-q+2.40))-0.1*qdot": (((6.09, -33.94, -0.13), (-11.03, 11.33, 2.4)), 0.0, 0.1),
    "6.09*exp(-6.94*(q-0.30))-11.03*exp(11.33*(q-2.40))-1.0*qdot": (((6.09, -6.94, 0.3), (-11.03, 11.33, 2.4)), 0.0, 1.0),
    "-0.43*exp(14.94*(q-0.15))+0.43*exp(-14.93*(q+0.15))-1.0*qdot": (((-0.43, 14.94, 0.15), (0.43, -14.93, -0.15)), 0.0, 1.0),
    "-25.0*q-2.0*qdot": ((), 25.0, 2.0),
    "-0.1*qdot": ((), 0.0, 0.1),
    "2+exp(q/2)*3-qdot": (((3.0, 0.5, 0.0), (2.0, 0.0, 0.0)), 0.0, 1.0),
}


@pytest.mark.parametrize("text", PUBLISHED)
def test_expressions_of_published_models(text: str) -> None:
    exponentials, stiffness, damping = read_expression(text)
    assert exponentials == PUBLISHED[text][0]
    assert (stiffness, damping) == PUBLISHED[text][1:]
    again = expression_text(CoordinateExponential("f", "q", exponentials, stiffness, damping))
    assert read_expression(again) == (exponentials, stiffness, damping)
    assert " " not in again


@pytest.mark.parametrize(
    "text", ["sin(q)", "q*qdot", "exp(qdot)", "exp(q)*q", "q^2", "q+", "", "1/0", "exp(q*q)", "exp(1e9)", "__import__('os')"]
)
def test_other_expressions_are_refused(text: str) -> None:
    with pytest.raises(ModelError, match="no sum of exponentials"):
        read_expression(text)


def test_a_force_of_another_form_is_noted(everything: ModelSpec, tmp_path: Path) -> None:
    text = osim_write.document_text(everything)
    start = text.index("<expression>")
    end = text.index("</expression>")
    (tmp_path / "model.osim").write_text(text[:start] + "<expression>sin(q)" + text[end:])
    spec, notes = osim_read.read_with_notes(tmp_path / "model.osim")
    assert spec.passive == everything.passive[:-1]
    assert len(notes) == 1
    assert "force tissue is ignored" in notes[0]


def test_files_hold_degrees(everything: ModelSpec) -> None:
    text = osim_write.document_text(everything)
    stop = text[text.index('<CoordinateLimitForce name="stop">') :]
    for tag, value in (("lower_limit", -120.0), ("upper_stiffness", 10.0), ("damping", 0.5), ("transition", 2.0)):
        written = float(stop.partition(f"<{tag}>")[2].partition("<")[0])
        assert math.isclose(written, value, rel_tol=1e-15)


def test_opensims_own_defaults(everything: ModelSpec, tmp_path: Path) -> None:
    """What a file leaves out: OpenSim's default object, taken as degrees."""
    text = osim_write.document_text(everything)
    start, end = text.index("<CoordinateLimitForce"), text.index("</CoordinateLimitForce>")
    (tmp_path / "model.osim").write_text(
        text[:start] + '<CoordinateLimitForce name="bare"><coordinate>knee_angle</coordinate>' + text[end:]
    )
    read = osim_read.read(tmp_path / "model.osim").passive[0]
    degree = math.pi / 180.0
    assert read == CoordinateLimit("bare", "knee_angle", 0.0, 0.0, 1.0 / degree, 1.0 / degree, 0.1 * degree, 0.001 / degree)
