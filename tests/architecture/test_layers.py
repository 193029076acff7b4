"""Imports go one way: the contract of pyproject.toml, kept by import-linter."""

import subprocess
import sys
from pathlib import Path

LINT = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(config_filename='pyproject.toml', no_cache=True))"


def test_imports_go_down(repository: Path) -> None:
    # In a process of its own: libraries that other tests import log to streams that pytest has closed.
    done = subprocess.run([sys.executable, "-c", LINT], cwd=repository, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
