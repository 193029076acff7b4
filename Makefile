# make demo   create .venv, install monomsk, draw a walking mannequin, analyse its video (results in demo/)
# make test   create the same environment with the test extras; lint, types, layers and tests
# make clean  remove .venv and caches

SHELL := /bin/bash
VENV := .venv
BIN := $(VENV)/bin
KERNELS := $(wildcard src/monomsk/native/*.h src/monomsk/native/*.cc)
export PIP_DISABLE_PIP_VERSION_CHECK := 1

# A name on the PATH is not enough: pyenv's shims exist for versions that are not chosen, and answer with an error.
PYTHON ?= $(shell for python in python3.11 python3.12 python3 python; do \
	$$python -c 'import sys, venv; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))' 2>/dev/null && echo $$python && break; done)

.PHONY: demo test clean

demo: $(VENV)/.installed-demo
	$(BIN)/monomsk demo --out demo --overwrite

test: $(VENV)/.installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/lint-imports
	$(BIN)/pytest --numprocesses auto --maxprocesses 4 --dist loadfile

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "monomsk needs Python 3.11 or 3.12 (with its venv module) on the PATH, or: make PYTHON=/path/to/python" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

# Stamps: a second call installs nothing unless the dependencies or the kernels in C++ have changed.
$(VENV)/.installed-demo: pyproject.toml setup.py $(KERNELS) | $(BIN)/python
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

$(VENV)/.installed-test: pyproject.toml setup.py $(KERNELS) | $(BIN)/python
	$(BIN)/python -m pip install --quiet --editable ".[test]"
	touch $@ $(VENV)/.installed-demo

clean:
	rm -rf $(VENV) build dist src/*.egg-info src/monomsk/native/*.so .pytest_cache .ruff_cache .import_linter_cache
