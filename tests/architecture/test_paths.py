"""What the README, the Makefile, the metadata and continuous integration name is there; no path of one machine is."""

import re

import pytest

from architecture.sources import ROOT, everything

NAMING = ["README.md", "Makefile", "pyproject.toml", ".ci/run", *sorted(str(p.relative_to(ROOT)) for p in (ROOT / "docs").glob("*.md"))]
PATH = re.compile(r"(?<![\w/.-])((?:src|tests|docs|benchmarks|tools|\.ci)/[\w./-]*[\w])")
LINK = re.compile(r"\]\(((?!https?:|#|mailto:)[^)#\s]+)")
ONE_MACHINE = re.compile(r"(?<![\w.])(?:/work/|/home/\w|/root/|/Users/\w|[A-Z]:\\\\?Users)")


@pytest.mark.parametrize("name", NAMING)
def test_named_paths_exist(name: str) -> None:
    file = ROOT / name
    text = file.read_text(encoding="utf-8")
    paths = {ROOT / path for path in PATH.findall(text) if "*" not in path}
    if name.endswith(".md"):
        paths |= {(file.parent / link).resolve() for link in LINK.findall(text)}
    missing = sorted(str(path) for path in paths if not path.exists() and "egg-info" not in str(path))
    assert not missing, missing


def test_no_path_of_one_machine() -> None:
    here = __file__
    texts = {source.name: source.text for source in everything() if str(source.path) != here}
    texts |= {name: (ROOT / name).read_text(encoding="utf-8") for name in NAMING}
    found = [f"{name}: {match.group(0)}" for name, text in texts.items() for match in ONE_MACHINE.finditer(text)]
    assert not found, found


def test_the_make_targets_of_the_readme_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"`?make (\w+)", (ROOT / "README.md").read_text(encoding="utf-8")):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
