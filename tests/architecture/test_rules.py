"""The rules of the house, each with the files that break it."""

import ast
import re
import sys
from collections.abc import Iterator

import pytest

from architecture.sources import ROOT, at_import, everything, imported, package

LAYERS_OF_ARRAYS = {"spatial", "model", "physics", "nn"}
LAYERS_WITH_FILES = {"io", "video", "report", "cli", "viewer", "datasets", "cache"}
HEAVY = {"mediapipe", "cv2", "onnxruntime", "opensim", "pyvista", "vtk", "ray", "plotly", "av", "torch", "matplotlib"}
ALLOWED_FOR_ARRAYS = {"jax", "equinox", "jaxtyping", "diffrax", "optimistix", "lineax", "optax", "monomsk"}
VAGUE = {"utils", "util", "common", "helpers", "helper", "core", "base", "manager", "misc"}


def test_files_are_short() -> None:
    long = [f"{source.name}: {lines} lines" for source in everything() if (lines := source.text.count("\n")) > 400]
    assert not long, long


def test_functions_are_short() -> None:
    def length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
        return (node.end_lineno or node.lineno) - node.lineno + 1

    long = [f"{s.name}:{f.lineno} {f.name}: {length(f)} lines" for s in everything() for f in s.functions() if length(f) > 60]
    assert not long, long


def test_functions_take_few_arguments() -> None:
    def count(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
        names = [a.arg for a in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]
        return len([name for name in names if name not in ("self", "cls")])

    many = [f"{s.name}:{f.lineno} {f.name}: {count(f)} arguments" for s in everything() for f in s.functions() if count(f) > 8]
    assert not many, many


def test_names_say_what_is_inside() -> None:
    vague = [source.name for source in everything() for part in source.path.relative_to(ROOT).parts if part.removesuffix(".py") in VAGUE]
    assert not vague, vague


def test_expected_errors_are_named() -> None:
    broad = [
        f"{source.name}:{node.lineno}"
        for source in everything()
        for node in ast.walk(source.tree)
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or any(word in ast.unparse(node.type).split(".") for word in ("Exception", "BaseException")))
    ]
    assert not broad, broad


def test_nothing_pretends() -> None:
    pretending = [
        f"{source.name}:{node.lineno}"
        for source in package()
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Raise) and node.exc is not None and "NotImplementedError" in ast.unparse(node.exc)
    ]
    assert not pretending, pretending
    promised = [source.name for source in package() if re.search(r"\b(TODO|FIXME|XXX)\b", source.text)]
    assert not promised, promised


def _at_import() -> Iterator[tuple[str, str]]:
    for source in package():
        for node in at_import(source.tree):
            for module in imported(node):
                yield source.name, module.partition(".")[0]


def test_heavy_libraries_are_imported_where_they_are_needed() -> None:
    heavy = [f"{name} imports {module}" for name, module in _at_import() if module in HEAVY]
    assert not heavy, heavy


def test_array_layers_use_jax_alone() -> None:
    others = [
        f"{source.name}:{getattr(node, 'lineno', 0)} imports {module}"
        for source in package()
        if source.layer in LAYERS_OF_ARRAYS
        for node in ast.walk(source.tree)
        for module in imported(node)
        if module.partition(".")[0] not in ALLOWED_FOR_ARRAYS | set(sys.stdlib_module_names)
    ]
    assert not others, others


@pytest.mark.parametrize("device", ["cpu", "gpu", "cuda"])
def test_array_layers_name_no_device(device: str) -> None:
    named = [
        f"{source.name}:{node.lineno}"
        for source in package()
        if source.layer in LAYERS_OF_ARRAYS
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Constant) and node.value == device
    ]
    assert not named, named


def _opens_a_file(node: ast.AST) -> bool:
    if not isinstance(node, ast.Call):
        return False
    if isinstance(node.func, ast.Name):
        return node.func.id == "open"
    methods = {"open", "read_text", "read_bytes", "write_text", "write_bytes", "savez", "savez_compressed", "loadtxt", "savetxt"}
    if not isinstance(node.func, ast.Attribute) or node.func.attr not in methods:
        return False
    # Data that ships inside the package is part of the program, not a file of the person's.
    return "files(" not in ast.unparse(node.func.value)


def test_only_some_layers_open_files() -> None:
    opening = [
        f"{source.name}:{getattr(node, 'lineno', 0)}"
        for source in package()
        if source.layer not in LAYERS_WITH_FILES
        for node in ast.walk(source.tree)
        if _opens_a_file(node)
    ]
    assert not opening, opening


def test_everything_public_has_a_docstring() -> None:
    """Ruff's D1 asks for the same; here it cannot be switched off by a comment."""
    missing: list[str] = []
    for source in package():
        if source.text.strip() and ast.get_docstring(source.tree) is None:
            missing.append(source.name)
        for node in source.tree.body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_") and ast.get_docstring(node) is None:
                missing.append(f"{source.name}:{node.lineno} {node.name}")
    assert not missing, missing


def test_arrays_of_public_functions_have_shapes() -> None:
    """In the layers of arrays an annotation says the shape (`Float[Array, "3 3"]`), never `Array` alone."""
    bare: list[str] = []
    for source in package():
        if source.layer not in LAYERS_OF_ARRAYS:
            continue
        for node in source.tree.body:
            if not isinstance(node, ast.FunctionDef) or node.name.startswith("_"):
                continue
            arguments = (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)
            for annotation in [*(a.annotation for a in arguments), node.returns]:
                if annotation is None:
                    bare.append(f"{source.name}:{node.lineno} {node.name}: an annotation is missing")
                elif re.search(r"(?<!\[)\b(?:jax\.)?Array\b", ast.unparse(annotation)):
                    bare.append(f"{source.name}:{node.lineno} {node.name}: {ast.unparse(annotation)}")
    assert not bare, bare
