"""Muscle paths that are polynomials of coordinates: OpenSim's FunctionBasedPath, in a model or in a file of their own.

Such a file is what OpenSim's PolynomialPathFitter writes (`…_FunctionBasedPathSet.xml`) and what its
ModOpReplacePathsWithFunctionBasedPaths reads. Polynomials of one argument, linear functions and multiples of these are read
as what they are, polynomials; what is written has one kind of function.
"""

import posixpath
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from monomsk.errors import ModelError
from monomsk.io.atomic import write_text
from monomsk.io.osim_document import Document
from monomsk.io.osim_functions import function_element, number_text, vector_text
from monomsk.io.xml_tree import load_xml
from monomsk.model.polynomials import check_polynomial
from monomsk.model.spec import ModelSpec, MultivariatePolynomial, PolynomialPath

FUNCTIONS = ("MultivariatePolynomialFunction", "LinearFunction", "PolynomialFunction", "MultiplierFunction")
_SET = "Set_FunctionBasedPath_"
_VERSION = 40600


def read_polynomial_path(document: Document, owner: Element, path: Element) -> PolynomialPath:
    """The path of a FunctionBasedPath element.

    Raises:
        ModelError: no length function, one that is no polynomial, or functions that do not fit the coordinates.
    """
    names = tuple(posixpath.basename(word) for word in document.text(path, "coordinate_paths").split())
    length = function_element(path.find("length_function"))
    if length is None:
        raise document.error(owner, "its FunctionBasedPath has no length_function")
    arms = path.find("moment_arm_functions")
    speed = function_element(path.find("lengthening_speed_function"))
    found = PolynomialPath(
        coordinates=names,
        length=_read_function(document, owner, length, len(names)),
        moment_arms=() if arms is None else tuple(_read_function(document, owner, arm, len(names)) for arm in arms),
        speed=None if speed is None else _read_function(document, owner, speed, 2 * len(names)),
    )
    check_polynomial(f"{document.path}: {owner.tag} {owner.get('name', '')}", found)
    return found


def _read_function(document: Document, owner: Element, element: Element, dimension: int) -> MultivariatePolynomial:
    if element.tag == "MultiplierFunction":
        inner = function_element(element)
        if inner is None:
            raise document.error(owner, "has a MultiplierFunction around nothing")
        function, gain = _read_function(document, owner, inner, dimension), document.number(element, "scale", 1.0)
        return MultivariatePolynomial(function.dimension, function.order, tuple(gain * value for value in function.coefficients))
    if element.tag not in FUNCTIONS:
        raise document.error(owner, f"has a path function of kind {element.tag}; supported are {', '.join(FUNCTIONS)}")
    values = document.numbers(element, "coefficients")
    if element.tag == "MultivariatePolynomialFunction":
        size, order = (int(document.number(element, tag)) for tag in ("dimension", "order"))
        return MultivariatePolynomial(size, order, values)
    if element.tag == "LinearFunction":
        # Slopes in the order of the arguments, then the constant.
        return MultivariatePolynomial(len(values) - 1, 1, (values[-1], *reversed(values[:-1])))
    # A polynomial of one argument has its highest power first.
    return MultivariatePolynomial(1, len(values) - 1, tuple(reversed(values)))


def write_polynomial_path(parent: Element, path: PolynomialPath, joints: dict[str, str], *, name: str) -> None:
    """Append the element of a path; `joints` are the joints of the coordinates."""
    element = SubElement(parent, "FunctionBasedPath", name=name)
    SubElement(element, "coordinate_paths").text = " ".join(f"/jointset/{joints[c]}/{c}" for c in path.coordinates)
    _write_function(SubElement(element, "length_function"), path.length)
    if path.moment_arms:
        arms = SubElement(element, "moment_arm_functions")
        for function in path.moment_arms:
            _write_function(arms, function)
    if path.speed is not None:
        _write_function(SubElement(element, "lengthening_speed_function"), path.speed)


def _write_function(parent: Element, function: MultivariatePolynomial) -> None:
    element = SubElement(parent, "MultivariatePolynomialFunction")
    SubElement(element, "coefficients").text = vector_text(function.coefficients)
    SubElement(element, "dimension").text = number_text(function.dimension)
    SubElement(element, "order").text = number_text(function.order)


def read_path_set(path: Path | str) -> dict[str, PolynomialPath]:
    """The paths of a FunctionBasedPathSet file, by the names of their muscles.

    Raises:
        ModelError: the file is missing, damaged, not such a set, or holds a path that cannot be read.
    """
    path = Path(path)
    root = load_xml(path, ModelError)
    found = root.find(_SET)
    if root.tag != "OpenSimDocument" or found is None:
        raise ModelError(f"{path} has no <{_SET}>; give a FunctionBasedPathSet, as OpenSim's PolynomialPathFitter writes")
    document = Document(path, 0, found)
    elements = list(found.iterfind("objects/FunctionBasedPath"))
    return {posixpath.basename(e.get("name", "")): read_polynomial_path(document, e, e) for e in elements}


def write_path_set(path: Path | str, spec: ModelSpec) -> None:
    """Write the polynomial paths of a model's muscles as a FunctionBasedPathSet.

    Raises:
        OutputError: the file cannot be written.
    """
    document = Element("OpenSimDocument", Version=str(_VERSION))
    objects = SubElement(SubElement(document, _SET), "objects")
    joints = {coordinate.name: joint.name for joint in spec.joints for coordinate in joint.coordinates}
    for muscle in spec.muscles:
        if muscle.polynomial is not None:
            write_polynomial_path(objects, muscle.polynomial, joints, name=f"/forceset/{muscle.name}")
    ElementTree.indent(document, " ")
    write_text(Path(path), '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(document, encoding="unicode") + "\n")
