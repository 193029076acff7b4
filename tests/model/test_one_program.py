"""Plain calls are compiled once a shape; traced ones go through the function as it is written."""

import jax
import jax.numpy as jnp
import pytest

from monomsk.model.one_program import as_one_program


def test_plain_calls_of_one_shape_share_a_program_and_traced_ones_see_the_function() -> None:
    went_through: list[bool] = []

    @as_one_program
    def squares(x: jax.Array, *, times: int = 1) -> jax.Array:
        went_through.append(isinstance(x, jax.core.Tracer))
        return times * jnp.sum(x**2)

    assert [float(squares(jnp.array(v))) for v in ([1.0, 2.0], [3.0, 0.0])] == [5.0, 9.0]
    assert went_through == [True]
    assert float(squares(jnp.array([1.0, 2.0]), times=3)) == 15.0
    assert len(went_through) == 2
    assert jax.grad(squares)(jnp.array([1.0, 2.0])).tolist() == [2.0, 4.0]
    assert float(jax.jit(squares)(jnp.array([2.0]))) == 4.0
    assert len(went_through) == 4
    assert "pjit" not in str(jax.make_jaxpr(squares)(jnp.array([2.0]))).replace("jit[name=_", "")


def test_what_it_cannot_compute_is_said_as_by_the_function() -> None:
    with pytest.raises(TypeError):
        as_one_program(lambda x: x + 1.0)("word")
