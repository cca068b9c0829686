# Few verbs. `make demo` and `make test` are all that a new machine needs: Python 3.11 or newer with venv, and make.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
NAME   ?= house
PIP    := $(BIN)/python -m pip --disable-pip-version-check

.PHONY: demo test test-long test-all check bench venv venv-dev docs lock clean

demo: venv            ## the main job on the demo's data; stays up for looking around
	$(BIN)/cornicen demo

test: check           ## lint, types, import rules and all tests but the long ones
	PYTEST_ADDOPTS="$(PYTEST_ADDOPTS)" $(BIN)/python -m pytest -n 2 -m "not long"

test-long: venv-dev   ## the long suites
	PYTEST_ADDOPTS="$(PYTEST_ADDOPTS)" $(BIN)/python -m pytest -n 2 -m "long"

test-all: test test-long  ## everything

check: venv-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: venv-dev       ## make bench NAME=house
	$(BIN)/python -m bench $(NAME)

venv: $(VENV)/.made
venv-dev: $(VENV)/.made-dev

$(VENV)/.python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
	  { echo "Cornicen needs Python 3.11 or newer: '$(PYTHON)' is not. Install it, or say 'make PYTHON=/path/to/python3.11'." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	  { echo "This Python has no venv: install it first (on Debian: apt-get install python3-venv)." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.made: $(VENV)/.python requirements.lock pyproject.toml
	$(PIP) install --quiet --require-hashes --requirement requirements.lock
	PATH="$(abspath $(BIN)):$$PATH" $(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.made-dev: $(VENV)/.made requirements-dev.lock
	$(PIP) install --quiet --require-hashes --requirement requirements-dev.lock
	@touch $@

lock:                 ## for maintainers, who have uv: move the locks
	uv pip compile --quiet --universal --generate-hashes --no-annotate --no-header --no-emit-index-url --no-emit-find-links \
	  --extra demo --group build pyproject.toml --output-file requirements.lock $(UPGRADE)
	uv pip compile --quiet --universal --generate-hashes --no-annotate --no-header --no-emit-index-url --no-emit-find-links \
	  --all-extras --group dev --group build --constraints requirements.lock pyproject.toml --output-file requirements-dev.lock $(UPGRADE)

clean:
	rm -rf $(VENV) dist build .mypy_cache .ruff_cache .import_linter_cache .hypothesis
