"""Weights on disk."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from monomsk.errors import FormatError
from monomsk.io.weights import read_tree, write_tree

TREE = {"a": jnp.arange(6.0, dtype=jnp.float32).reshape(2, 3), "b": [jnp.array(3, jnp.int32)]}


def test_a_tree_comes_back(tmp_path):
    write_tree(tmp_path / "w", TREE)
    like = jax.tree.map(lambda a: jax.ShapeDtypeStruct(a.shape, a.dtype), TREE)
    back = read_tree(tmp_path / "w", like)
    assert all(np.array_equal(x, y) and x.dtype == y.dtype for x, y in zip(jax.tree.leaves(back), jax.tree.leaves(TREE), strict=True))


def test_half_precision_is_read_as_what_is_wanted(tmp_path):
    write_tree(tmp_path / "full", {"a": TREE["a"] / 3.0})
    write_tree(tmp_path / "half", {"a": TREE["a"] / 3.0}, half=True)
    assert (tmp_path / "half").stat().st_size < (tmp_path / "full").stat().st_size
    back = read_tree(tmp_path / "half", {"a": TREE["a"]})["a"]
    assert back.dtype == jnp.float32
    assert np.asarray(back) == pytest.approx(np.asarray(TREE["a"]) / 3.0, rel=1e-3)


@pytest.mark.parametrize(
    ("like", "told"),
    [({"a": TREE["a"][:1], "b": TREE["b"]}, "shape"), ({**TREE, "c": jnp.zeros(2)}, "nothing"), ({"a": TREE["a"]}, "more than")],
)
def test_another_networks_weights_are_refused(tmp_path, like, told):
    write_tree(tmp_path / "w", TREE)
    with pytest.raises(FormatError, match=told):
        read_tree(tmp_path / "w", like)


def test_a_damaged_file_is_refused(tmp_path):
    write_tree(tmp_path / "w", TREE)
    (tmp_path / "w").write_bytes((tmp_path / "w").read_bytes()[:-9])
    with pytest.raises(FormatError, match="not a file of weights"):
        read_tree(tmp_path / "w", TREE)
