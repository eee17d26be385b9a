# Every target makes .venv from uv.lock first, if it is missing or out of date. Needs Python 3.11 or newer, no more.

PYTHON ?= python3
BIN := .venv/bin
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help setup peers demo test lint format bench chaos fuzz canary mutants levels docs clean

help:  ## list the targets
	@sed -nE 's/^([a-z-]+):.*  ## (.*)/  make \1|\2/p' $(MAKEFILE_LIST) | while IFS='|' read -r target text; do \
		printf '%-14s %s\n' "$$target" "$$text"; done

setup:  ## make .venv from uv.lock (every other target does it by itself)
	@$(PYTHON) tools/setup.py

peers: setup  ## install what some tests speak with: other SOAP implementations (as root) and a Singer tap
	@$(PYTHON) tools/peers.py --install
	@$(PYTHON) tools/singer_peer.py

demo: setup  ## four municipalities, two nights, with sandboxes in place of the real systems
	@$(BIN)/samspil demo $(ARGS)

test: setup  ## run the tests; ARGS="tests/samspil -x" runs some of them
	@$(BIN)/python -m pytest $(or $(ARGS),-n auto)

lint: setup  ## check style and types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/mypy tools

format: setup  ## put the code into the project's style
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

bench: setup  ## measure a night's work; the figures are printed
	@$(BIN)/python -m benchmarks $(ARGS)

chaos: setup  ## kill, cut and starve the hub a thousand times on each database; nothing may be lost or doubled
	@$(BIN)/python -m chaos $(ARGS)

fuzz: setup  ## mangle inputs for every parser; none may crash, hang or lose anything
	@$(BIN)/python -m fuzz $(ARGS)

canary: setup  ## look for the canary person wherever a night, Airflow and crashes leave anything, at debug level
	@$(BIN)/python -m samspil.testing.canary $(ARGS)

mutants: setup  ## break connectors in every way the conformance kit knows; it must notice each
	@$(BIN)/python -m samspil.testing.mutants $(ARGS)

levels: setup  ## try every connector with the conformance kit and keep what passed (make peers first)
	@SAMSPIL_PEERS=required $(BIN)/python -m pytest -n auto tests/connectors -k conformance \
		--samspil-results connectors/conformance.json

docs: setup  ## write the generated pages under docs/ anew
	@$(BIN)/python tools/docs.py

clean:  ## remove what the other targets made, .venv included
	@rm -rf .venv build .pytest_cache .mypy_cache .ruff_cache .hypothesis *.egg-info
