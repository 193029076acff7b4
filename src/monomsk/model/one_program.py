"""Functions of a body that are often called by themselves: each as one compiled program."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

import equinox as eqx
import jax
from jax.core import Tracer

Given = ParamSpec("Given")
Result = TypeVar("Result")


def as_one_program(function: Callable[Given, Result]) -> Callable[Given, Result]:
    """The function, compiled as a whole where it is called outside of `jax.jit` and its like; inside, it is as it was written.

    JAX compiles every operation of a function that is called plainly by itself: those of forward kinematics are some hundred
    programs, which takes longer than one of all. Numbers that are no arrays become part of the program.
    """
    compiled = eqx.filter_jit(function)

    @wraps(function)
    def called(*arguments: Given.args, **named: Given.kwargs) -> Result:
        traced = any(isinstance(leaf, Tracer) for leaf in jax.tree.leaves((arguments, named)))
        return function(*arguments, **named) if traced else compiled(*arguments, **named)

    return called
