"""The source tree as the rules see it: files and their syntax."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "monomsk"
FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Source:
    """A Python file."""

    path: Path
    text: str
    tree: ast.Module

    @property
    def name(self) -> str:
        return str(self.path.relative_to(ROOT))

    @property
    def layer(self) -> str:
        """The first part of the path below the package: a folder's name, or a module's."""
        return self.path.relative_to(PACKAGE).parts[0].removesuffix(".py")

    def functions(self) -> Iterator[FunctionNode]:
        return (node for node in ast.walk(self.tree) if isinstance(node, FunctionNode))


@cache
def sources(*folders: str) -> tuple[Source, ...]:
    """Every Python file below the named folders of the repository."""
    found = sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))
    return tuple(Source(path, text := path.read_text(encoding="utf-8"), ast.parse(text, str(path))) for path in found)


def package() -> tuple[Source, ...]:
    return sources("src/monomsk")


def everything() -> tuple[Source, ...]:
    return sources("src/monomsk", "tests", "benchmarks", "tools")


def imported(node: ast.AST) -> Iterator[str]:
    """The modules that an import statement names."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
        yield node.module


def at_import(tree: ast.Module) -> Iterator[ast.stmt]:
    """Statements that run when the module is imported: not those inside functions or `if TYPE_CHECKING`."""
    stack: list[ast.stmt] = list(tree.body)
    while stack:
        node = stack.pop()
        yield node
        if isinstance(node, FunctionNode) or (isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)):
            continue
        stack += [child for child in ast.iter_child_nodes(node) if isinstance(child, ast.stmt)]
