"""Muscle paths that are polynomials of coordinates, as arrays: for every set of coordinates one table of coefficients."""

from collections.abc import Iterator

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from monomsk.errors import ModelError
from monomsk.model.spec import MultivariatePolynomial, PolynomialPath

Exponents = tuple[int, ...]
Terms = dict[Exponents, float]
"""Coefficient of every term that is not zero."""

SAME = 1e-9
"""Difference, over the largest coefficient, up to which two polynomials are one."""


class Block(eqx.Module):
    """Polynomials of the same arguments."""

    coefficients: Float[Array, "output term"]
    """Of the terms in the order of `graded`."""
    arguments: tuple[int, ...] = eqx.field(static=True)
    """Coordinates; from the number of coordinates on, their speeds."""
    order: int = eqx.field(static=True)


class PolynomialPaths(eqx.Module):
    """Paths as polynomials. The outputs of all blocks, one block after the other, are the values that `length` and `arm` point at."""

    blocks: tuple[Block, ...]
    length: Int[Array, " path"]
    """Which output is a path's length [m]."""
    arm: Int[Array, "path nq"]
    """Which one is its moment arm about each coordinate; one past the last for none."""
    speeds: tuple[Block, ...]
    """Lengthening speeds of the paths that have a function of their own for them, one output a block."""
    speed_of: tuple[int, ...] = eqx.field(static=True)
    """The path of each of these."""

    @property
    def count(self) -> int:
        """Number of paths."""
        return self.length.shape[0]

    @property
    def coordinates(self) -> tuple[int, ...]:
        """Coordinates that any of the paths depends on."""
        return tuple(sorted({a for block in self.blocks for a in block.arguments}))


def exponents(dimension: int, order: int) -> Iterator[Exponents]:
    """Exponents of all terms in OpenSim's order: counted up, the last argument's fastest, with sums up to the order."""
    if dimension == 0:
        yield ()
        return
    for first in range(order + 1):
        for rest in exponents(dimension - 1, order - first):
            yield (first, *rest)


def starts(dimension: int, order: int) -> Iterator[tuple[int, ...]]:
    """For every degree from 1 on: the first term of the degree below that each argument multiplies, up to the last one.

    Terms of a degree are those of the degree below times the first argument, then times the second, and so on. Each argument
    multiplies those whose first argument it is or comes before, so that no term comes twice.
    """
    first, size = (0,) * dimension, 1
    for _ in range(order):
        yield first
        lengths = [size - start for start in first]
        first = tuple(sum(lengths[:i]) for i in range(dimension))
        size = sum(lengths)


def graded(dimension: int, order: int) -> list[Exponents]:
    """Exponents of all terms, degree by degree, in the order in which `physics.polynomial_path` makes them."""
    degree: list[Exponents] = [(0,) * dimension]
    terms = [*degree]
    for first in starts(dimension, order):
        degree = [tuple(e + (k == a) for k, e in enumerate(t)) for a in range(dimension) for t in degree[first[a] :]]
        terms += degree
    return terms


def derivative(terms: Terms, argument: int) -> Terms:
    """Terms of the partial derivative."""
    return {
        tuple(e - (k == argument) for k, e in enumerate(powers)): powers[argument] * value
        for powers, value in terms.items()
        if powers[argument]
    }


def compile_polynomials(paths: list[tuple[str, PolynomialPath]], coordinates: dict[str, int]) -> PolynomialPaths:
    """Compile the paths of muscles, given with their names. Raises ModelError for functions that do not fit their coordinates."""
    for name, path in paths:
        check_polynomial(f"muscle {name}", path)
        unknown = [c for c in path.coordinates if c not in coordinates]
        if unknown:
            raise ModelError(f"muscle {name}: its path follows coordinate {unknown[0]!r}, which the model does not have")
    arguments = [tuple(sorted(coordinates[c] for c in path.coordinates)) for _, path in paths]
    kept = [[coordinates[c] for c in path.coordinates] for _, path in paths]
    length, arm = [0] * len(paths), [[-1] * len(coordinates) for _ in paths]
    blocks: list[Block] = []
    outputs = 0
    for chosen in sorted(set(arguments)):
        members = [i for i, own in enumerate(arguments) if own == chosen]
        rows: list[Terms] = []
        for i in members:
            length[i] = outputs + len(rows)
            rows.append(_terms(paths[i][1].length, kept[i], chosen))
            for k, (argument, terms) in enumerate(zip(chosen, _arms(paths[i][1], kept[i], chosen), strict=True)):
                arm[i][argument] = length[i] + 1 + k
                rows.append(terms)
        blocks.append(_block(rows, chosen))
        outputs += len(rows)
    own = _own_speeds([path for _, path in paths], kept, len(coordinates))
    return PolynomialPaths(
        blocks=tuple(blocks),
        length=jnp.array(length, int),
        arm=jnp.array([[outputs if k < 0 else k for k in row] for row in arm], int).reshape(len(paths), len(coordinates)),
        speeds=tuple(block for _, block in own),
        speed_of=tuple(i for i, _ in own),
    )


def check_polynomial(owner: str, path: PolynomialPath) -> None:
    """Raise ModelError, with the owner's name, where functions and coordinates do not fit each other."""
    size = len(path.coordinates)
    if not size or len(set(path.coordinates)) < size:
        raise ModelError(f"{owner}: its FunctionBasedPath needs coordinates, each once, not {' '.join(path.coordinates) or 'none'}")
    if path.moment_arms and len(path.moment_arms) != size:
        raise ModelError(f"{owner}: {len(path.moment_arms)} moment arm functions do not fit {size} coordinates")
    functions = [(path.length, size), *((f, size) for f in path.moment_arms), *([] if path.speed is None else [(path.speed, 2 * size)])]
    for function, dimension in functions:
        if function.dimension != dimension:
            raise ModelError(f"{owner}: a function of {function.dimension} arguments stands where its path needs one of {dimension}")
        wanted = sum(1 for _ in exponents(function.dimension, function.order))
        if len(function.coefficients) != wanted:
            raise ModelError(f"{owner}: {len(function.coefficients)} coefficients stand where {wanted} are needed")


def _terms(function: MultivariatePolynomial, arguments: list[int], chosen: tuple[int, ...]) -> Terms:
    """Terms with the arguments in the order chosen."""
    place = [arguments.index(a) for a in chosen]
    every = zip(exponents(function.dimension, function.order), function.coefficients, strict=True)
    return {tuple(powers[k] for k in place): value for powers, value in every if value}


def _arms(path: PolynomialPath, arguments: list[int], chosen: tuple[int, ...]) -> list[Terms]:
    """Moment arms about the arguments in the order chosen: the path's own functions, or −dL/dq."""
    if path.moment_arms:
        return [_terms(path.moment_arms[arguments.index(a)], arguments, chosen) for a in chosen]
    length = _terms(path.length, arguments, chosen)
    return [{powers: -value for powers, value in derivative(length, k).items()} for k in range(len(chosen))]


def _own_speeds(paths: list[PolynomialPath], arguments: list[list[int]], nq: int) -> list[tuple[int, Block]]:
    """Functions of lengthening speeds that say something else than the moment arms do."""
    own: list[tuple[int, Block]] = []
    for i, (path, here) in enumerate(zip(paths, arguments, strict=True)):
        if path.speed is None:
            continue
        both = [*here, *(nq + a for a in here)]
        stated = _terms(path.speed, both, tuple(both))
        implied: Terms = {}
        for k, arm in enumerate(_arms(path, here, tuple(here))):
            implied |= {(*powers, *(int(j == k) for j in range(len(here)))): -value for powers, value in arm.items()}
        size = max((abs(v) for v in (*stated.values(), *implied.values())), default=0.0)
        if any(abs(stated.get(t, 0.0) - implied.get(t, 0.0)) > SAME * size for t in {**stated, **implied}):
            own.append((i, _block([stated], tuple(both))))
    return own


def _block(rows: list[Terms], arguments: tuple[int, ...]) -> Block:
    order = max((sum(powers) for terms in rows for powers in terms), default=0)
    columns = graded(len(arguments), order)
    return Block(jnp.array([[terms.get(powers, 0.0) for powers in columns] for terms in rows], float), arguments, order)
