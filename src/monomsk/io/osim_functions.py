"""Functions of a coordinate, to and from OpenSim's elements."""

from itertools import pairwise
from xml.etree.ElementTree import Element, SubElement

from monomsk.io.osim_document import Document
from monomsk.model.spec import Constant, Function, Linear, Polynomial, Spline, Step

SPLINES = ("SimmSpline", "NaturalCubicSpline", "PiecewiseLinearFunction")
SUPPORTED = ("Constant", "LinearFunction", "PolynomialFunction", *SPLINES, "StepFunction", "MultiplierFunction")


def read_function(document: Document, owner: Element, element: Element) -> tuple[Function, float]:
    """The function an element stands for and the gain in front of it (the product of nested MultiplierFunctions).

    Raises:
        ModelError: a kind of function that is not in SUPPORTED, or one whose numbers cannot be right.
    """
    if element.tag == "MultiplierFunction":
        inner = function_element(element)
        if inner is None:
            raise document.error(owner, "has a MultiplierFunction around nothing")
        function, gain = read_function(document, owner, inner)
        return function, gain * document.number(element, "scale", 1.0)
    if element.tag == "Constant":
        return Constant(document.number(element, "value", 0.0)), 1.0
    if element.tag == "LinearFunction":
        slope, intercept = document.pair(element, "coefficients", (1.0, 0.0))
        return Linear(slope, intercept), 1.0
    if element.tag == "PolynomialFunction":
        return Polynomial(document.numbers(element, "coefficients", default=(0.0,))), 1.0
    if element.tag == "StepFunction":
        start, end = document.number(element, "transition_start_time", 0.99), document.number(element, "transition_end_time", 1.01)
        if not end > start:
            raise document.error(owner, f"its StepFunction ends at {end:g}, which is not after its start at {start:g}")
        return Step(start, end, document.number(element, "start_value", 0.0), document.number(element, "end_value", 1.0)), 1.0
    if element.tag in SPLINES:
        x, y = document.numbers(element, "x"), document.numbers(element, "y")
        if len(x) != len(y) or len(x) < 2:
            raise document.error(owner, f"its {element.tag} needs as many x as y, two at least ({len(x)} and {len(y)} given)")
        if any(b <= a for a, b in pairwise(x)):
            raise document.error(owner, f"the x of its {element.tag} do not increase")
        # OpenSim 4 has no other natural spline: it reads the old name as the new one.
        return Spline("SimmSpline" if element.tag == "NaturalCubicSpline" else element.tag, x, y), 1.0
    raise document.error(owner, f"has a function of kind {element.tag}; supported are {', '.join(SUPPORTED)}")


def function_element(element: Element | None) -> Element | None:
    """The function inside an element: its child named `function`, bare or wrapped, or the only child there is."""
    if element is None:
        return None
    wrapper = element.find("function")
    if wrapper is not None:
        return wrapper[0] if len(wrapper) else None
    for child in element:
        if child.tag in SUPPORTED or child.get("name") == "function":
            return child
    others = [child for child in element if child.tag not in ("coordinates", "axis", "scale")]
    return others[0] if others else None


def write_function(parent: Element, function: Function, gain: float = 1.0, *, name: str | None = None) -> None:
    """Append the element of a function; a gain other than one becomes a MultiplierFunction around it."""
    attributes = {} if name is None else {"name": name}
    if gain != 1.0:
        multiplier = SubElement(parent, "MultiplierFunction", attributes)
        write_function(SubElement(multiplier, "function"), function, name="function")
        SubElement(multiplier, "scale").text = number_text(gain)
        return
    match function:
        case Constant(value):
            SubElement(SubElement(parent, "Constant", attributes), "value").text = number_text(value)
        case Linear(slope, intercept):
            SubElement(SubElement(parent, "LinearFunction", attributes), "coefficients").text = vector_text((slope, intercept))
        case Polynomial(coefficients):
            SubElement(SubElement(parent, "PolynomialFunction", attributes), "coefficients").text = vector_text(coefficients)
        case Step(start, end, start_value, end_value):
            step = SubElement(parent, "StepFunction", attributes)
            tags = ("transition_start_time", "transition_end_time", "start_value", "end_value")
            for tag, value in zip(tags, (start, end, start_value, end_value), strict=True):
                SubElement(step, tag).text = number_text(value)
        case Spline(kind, x, y):
            spline = SubElement(parent, kind, attributes)
            SubElement(spline, "x").text = vector_text(x)
            SubElement(spline, "y").text = vector_text(y)


def number_text(value: float) -> str:
    """The shortest text that reads back as the same number, in the manner of OpenSim (`1`, `-Inf`)."""
    value = float(value)
    if value in (float("inf"), -float("inf")):
        return "Inf" if value > 0 else "-Inf"
    if value.is_integer() and abs(value) < 1e15 and not (value == 0 and str(value).startswith("-")):
        return str(int(value))
    return repr(value)


def vector_text(values: tuple[float, ...]) -> str:
    """Numbers with blanks between them."""
    return " ".join(number_text(value) for value in values)
