"""Forces along coordinates of an OpenSim document: stops, springs and sums of exponentials."""

import ast
import math
from xml.etree.ElementTree import Element, SubElement

from monomsk.errors import ModelError
from monomsk.io.osim_document import Document
from monomsk.io.osim_functions import number_text
from monomsk.model.spec import CoordinateExponential, CoordinateLimit, CoordinateSpring, Joint, ModelSpec, PassiveForce

KINDS = ("CoordinateLimitForce", "SpringGeneralizedForce", "ExpressionBasedCoordinateForce")

_DEGREE = math.pi / 180.0
_LIMIT = ("lower_limit", "upper_limit", "lower_stiffness", "upper_stiffness", "transition", "damping")
_LIMIT_DEFAULTS = (0.0, 0.0, 1.0, 1.0, 0.1, 0.001)
_PER_UNIT = ("lower_stiffness", "upper_stiffness", "damping")
"""Quantities per degree, and so divided where the others are multiplied."""


def read_passive(document: Document, joints: tuple[Joint, ...]) -> tuple[PassiveForce, ...]:
    """Forces along coordinates in the order of the file; an expression that is no sum of exponentials becomes a note.

    Raises:
        ModelError: a coordinate that no joint has, or a number that cannot be right.
    """
    rotational = {c.name: c.rotational for joint in joints for c in joint.coordinates}
    forces = list[PassiveForce]()
    for element in document.objects(document.model, "ForceSet"):
        if element.tag not in KINDS:
            continue
        coordinate = document.text(element, "coordinate").split("/")[-1]
        if coordinate not in rotational:
            raise document.error(element, f"acts on the coordinate '{coordinate}', which no joint has")
        force = _read_force(document, element, coordinate, rotational[coordinate])
        if force is not None:
            forces.append(force)
    return tuple(forces)


def _read_force(document: Document, element: Element, coordinate: str, rotational: bool) -> PassiveForce | None:
    name = element.get("name", "")
    applied = document.boolean(element, "appliesForce", True) and not document.boolean(element, "isDisabled", False)
    if element.tag == "SpringGeneralizedForce":
        stiffness, rest, damping = (document.number(element, tag, 0.0) for tag in ("stiffness", "rest_length", "viscosity"))
        return CoordinateSpring(name, coordinate, stiffness, rest, damping, applied)
    if element.tag == "CoordinateLimitForce":
        numbers = [document.number(element, tag, default) for tag, default in zip(_LIMIT, _LIMIT_DEFAULTS, strict=True)]
        if not numbers[4] > 0.0:
            raise document.error(element, f"<transition> is {numbers[4]:g}; it must be positive")
        return CoordinateLimit(name, coordinate, *_in_radians(numbers, rotational), applied=applied)
    text = document.text(element, "expression")
    try:
        exponentials, stiffness, damping = read_expression(text)
    except ModelError:
        document.note(f"force {name} is ignored; its expression '{text[:80]}' is no sum of exponentials, stiffness and damping")
        return None
    return CoordinateExponential(name, coordinate, exponentials, stiffness, damping, applied)


def _in_radians(numbers: list[float], rotational: bool, *, back: bool = False) -> list[float]:
    """Numbers of a stop from the units of the file, degrees for a rotation, or back into them."""
    unit = _DEGREE if rotational else 1.0
    return [v / unit if (tag in _PER_UNIT) != back else v * unit for tag, v in zip(_LIMIT, numbers, strict=True)]


def write_passive(parent: Element, spec: ModelSpec) -> None:
    """Append the elements of all forces along coordinates; degrees become what they were to rounding."""
    rotational = {c.name: c.rotational for c in spec.coordinates}
    for force in spec.passive:
        match force:
            case CoordinateLimit():
                kind, tags = "CoordinateLimitForce", _LIMIT
                own = [force.lower, force.upper, force.lower_stiffness, force.upper_stiffness, force.transition, force.damping]
                texts = [number_text(v) for v in _in_radians(own, rotational[force.coordinate], back=True)]
            case CoordinateSpring():
                kind, tags = "SpringGeneralizedForce", ("stiffness", "rest_length", "viscosity")
                texts = [number_text(v) for v in (force.stiffness, force.rest, force.damping)]
            case CoordinateExponential():
                kind, tags, texts = "ExpressionBasedCoordinateForce", ("expression",), [expression_text(force)]
        element = SubElement(parent, kind, name=force.name)
        SubElement(element, "appliesForce").text = "true" if force.applied else "false"
        SubElement(element, "coordinate").text = force.coordinate
        for tag, text in zip(tags, texts, strict=True):
            SubElement(element, tag).text = text


def expression_text(force: CoordinateExponential) -> str:
    """The expression as OpenSim writes it, in q and qdot and without blanks."""
    terms = [f"({number_text(gain)})*exp(({number_text(rate)})*(q-({number_text(offset)})))" for gain, rate, offset in force.exponentials]
    terms += [f"({number_text(-k)})*{name}" for k, name in ((force.stiffness, "q"), (force.damping, "qdot")) if k]
    return "+".join(terms) or "0"


def read_expression(text: str) -> tuple[tuple[tuple[float, float, float], ...], float, float]:
    """Exponentials (gain, rate, offset), stiffness and damping of an expression in q and qdot.

    Raises:
        ModelError: it is not a sum of numbers, multiples of q and qdot, and multiples of exp(a · q + b).
    """
    try:
        terms = _terms(ast.parse(text, mode="eval").body)
    except (SyntaxError, ValueError, RecursionError, ArithmeticError) as cause:
        raise ModelError(f"the expression '{text[:80]}' is no sum of exponentials, stiffness and damping") from cause
    exponentials = tuple(key for key in terms if isinstance(key, tuple))
    constant = ((terms["1"], 0.0, 0.0),) if terms.get("1") else ()
    return (*((terms[key], *key) for key in exponentials), *constant), -terms.get("q", 0.0), -terms.get("qdot", 0.0)


_Terms = dict[str | tuple[float, float], float]
"""Factors of 1, q, qdot and of exponentials, these known by rate and offset."""


def _terms(node: ast.expr) -> _Terms:
    """The expression multiplied out; ValueError where it is of another form."""
    match node:
        case ast.Constant(value=int() | float() as value):
            return {"1": float(value)}
        case ast.Name(id="q" | "qdot" as name):
            return {name: 1.0}
        case ast.UnaryOp(op=ast.USub(), operand=inner):
            return _times(_terms(inner), -1.0)
        case ast.UnaryOp(op=ast.UAdd(), operand=inner):
            return _terms(inner)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return _plus(_terms(left), _terms(right))
        case ast.BinOp(left=left, op=ast.Sub(), right=right):
            return _plus(_terms(left), _times(_terms(right), -1.0))
        case ast.BinOp(left=left, op=ast.Mult(), right=right):
            first, second = _terms(left), _terms(right)
            return _times(second, first["1"]) if set(first) == {"1"} else _times(first, _number(second))
        case ast.BinOp(left=left, op=ast.Div(), right=right):
            return _times(_terms(left), 1.0 / _number(_terms(right)))
        case ast.Call(func=ast.Name(id="exp"), args=[inner], keywords=[]):
            return _exponential(inner)
        case _:
            raise ValueError(ast.dump(node))


def _exponential(node: ast.expr) -> _Terms:
    """exp(factor · (slope · q + constant)) as exp(rate · (q − offset)); a factor in front stays apart, so that numbers stay as written."""
    factor, inner = 1.0, _terms(node)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult) and set(_terms(node.left)) == {"1"}:
        factor, inner = _number(_terms(node.left)), _terms(node.right)
    if not set(inner) <= {"1", "q"}:
        raise ValueError("exp of something that is not straight in q")
    slope, constant = inner.get("q", 0.0), inner.get("1", 0.0)
    rate = factor * slope
    return {(rate, 0.0 - constant / slope): 1.0} if rate else {"1": math.exp(factor * constant)}


def _number(terms: _Terms) -> float:
    if set(terms) != {"1"}:
        raise ValueError("a product or quotient of variables")
    return terms["1"]


def _times(terms: _Terms, factor: float) -> _Terms:
    return {key: factor * value for key, value in terms.items()}


def _plus(first: _Terms, second: _Terms) -> _Terms:
    return {key: first.get(key, 0.0) + second.get(key, 0.0) for key in (*first, *(k for k in second if k not in first))}
