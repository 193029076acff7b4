"""Terms of polynomials: OpenSim's order, the order in which they are made, and derivatives."""

import math

import jax.numpy as jnp
import pytest

from monomsk.errors import ModelError
from monomsk.model.compile import compile_model
from monomsk.model.edit import with_numbers, with_paths
from monomsk.model.muscles import compile_muscles
from monomsk.model.polynomials import derivative, exponents, graded
from monomsk.model.scale import scale_muscles
from monomsk.model.spec import ModelSpec, MultivariatePolynomial, PolynomialPath
from pendulums import elbow, muscle


def bent(path: PolynomialPath) -> ModelSpec:
    return with_paths(elbow(muscle("m", (("humerus", (0.0, 0.1, 0.0)), ("ulna", (0.0, -0.1, 0.0))))), {"m": path})


def test_exponents_count_up_from_the_last_argument() -> None:
    """The table in OpenSim's MultivariatePolynomialFunction.h, for three arguments and third order."""
    expected = "000 001 002 003 010 011 012 020 021 030 100 101 102 110 111 120 200 201 210 300"
    assert ["".join(map(str, e)) for e in exponents(3, 3)] == expected.split()


@pytest.mark.parametrize(("dimension", "order"), [(1, 0), (1, 9), (2, 4), (3, 5), (6, 3)])
def test_every_term_is_made_once_and_lower_orders_come_first(dimension: int, order: int) -> None:
    terms = graded(dimension, order)
    assert len(terms) == math.comb(dimension + order, order)
    assert set(terms) == set(exponents(dimension, order))
    assert [sum(t) for t in terms] == sorted(sum(t) for t in terms)


def test_a_derivative() -> None:
    assert derivative({(2, 1): 3.0, (0, 4): 5.0, (1, 0): 7.0}, 0) == {(1, 1): 6.0, (0, 0): 7.0}


@pytest.mark.parametrize(
    ("path", "said"),
    [
        (PolynomialPath(("flexion",), MultivariatePolynomial(1, 2, (1.0, 2.0))), "2 coefficients stand where 3"),
        (PolynomialPath(("flexion",), MultivariatePolynomial(2, 1, (1.0, 2.0, 3.0))), "2 arguments stands where its path needs one of 1"),
        (PolynomialPath(("hip",), MultivariatePolynomial(1, 0, (1.0,))), "coordinate 'hip'"),
        (PolynomialPath((), MultivariatePolynomial(0, 0, (1.0,))), "needs coordinates"),
        (PolynomialPath(("flexion",) * 2, MultivariatePolynomial(2, 0, (1.0,))), "each once"),
        (PolynomialPath(("flexion",), MultivariatePolynomial(1, 0, (1.0,)), (MultivariatePolynomial(1, 0, (1.0,)),) * 2), "2 moment arm"),
    ],
)
def test_one_line_for_a_path_that_cannot_be(path: PolynomialPath, said: str) -> None:
    with pytest.raises(ModelError, match=said):
        compile_muscles(bent(path), ("humerus", "ulna"))


def test_polynomials_do_not_follow_a_stretched_body() -> None:
    spec = bent(PolynomialPath(("flexion",), MultivariatePolynomial(1, 1, (0.3, 0.02))))
    model = compile_model(spec)
    assert with_numbers(spec, model, jnp.ones((2, 3))).muscles == spec.muscles
    with pytest.raises(ModelError, match="path of muscle m is a polynomial"):
        with_numbers(spec, model, jnp.full((2, 3), 1.1))
    with pytest.raises(ModelError, match="cannot follow a stretched body"):
        scale_muscles(compile_muscles(spec, model.body_names), jnp.ones((2, 3)))
    with pytest.raises(ModelError, match="no muscle 'other'"):
        with_paths(spec, {"other": PolynomialPath(("flexion",), MultivariatePolynomial(1, 0, (1.0,)))})
