"""Settings: one name each, a help text each."""

import ast
from dataclasses import MISSING, fields
from pathlib import Path
from typing import get_type_hints

import pytest

from monomsk.cli.arguments import Run
from monomsk.config import Config

STAGES = get_type_hints(Config)
SETTINGS = [(stage, field) for stage, kind in STAGES.items() for field in fields(kind)]


def test_no_two_settings_share_a_flag() -> None:
    """Flags are flat (`--focal`, not `--camera.focal`), so a name belongs to one stage only."""
    names = [field.name for _, field in SETTINGS] + [field.name for field in fields(Run) if field.name != "settings"]
    twice = sorted({name for name in names if names.count(name) > 1})
    assert not twice, twice


@pytest.mark.parametrize(("stage", "field"), SETTINGS, ids=lambda value: getattr(value, "name", value))
def test_every_setting_has_a_default(stage: str, field) -> None:
    assert field.default is not MISSING or field.default_factory is not MISSING, f"{stage}.{field.name}"


def test_every_setting_says_what_it_is(repository: Path) -> None:
    tree = ast.parse((repository / "src/monomsk/config.py").read_text(encoding="utf-8"))
    silent = []
    for node in (n for n in tree.body if isinstance(n, ast.ClassDef) and n.name != "Config"):
        for here, following in zip(node.body, [*node.body[1:], None], strict=True):
            told = isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant)
            if isinstance(here, ast.AnnAssign) and not told:
                silent.append(f"{node.name}.{ast.unparse(here.target)}")
    assert not silent, silent
