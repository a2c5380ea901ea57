PYTHON ?= python3
BIN := .venv/bin
SCHEMA := experiments/configs/autoevol.schema.json

.PHONY: help setup demo test check fuzz faults bench search recipes scores pages clean

help:  ## list the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/'

setup: .venv/.ready  ## make .venv and install everything; does nothing when it is up to date

.venv/.ready: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "AutoEvol needs Python 3.11 or newer; say make PYTHON=python3.11")'
	@test -d src/autoevol/program/. || { echo "src/autoevol/program is a file and should be a link; clone again with: git clone -c core.symlinks=true"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	@touch $@

demo: setup  ## evolve a real seed set with a 1.5B model in this process (3 to 8 minutes; the first time the set-up and the model come on top)
	$(BIN)/autoevol run experiments/configs/quickstart.yaml

test: setup  ## run all tests, those on the real model included (-m 'not local' leaves them out)
	$(BIN)/python -m pytest -q -n 2 --dist loadfile $(PYTEST)

check: setup  ## format, lint, types, layers, house rules, generated pages
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m tests.support.house
	@$(BIN)/autoevol schema | cmp -s - $(SCHEMA) && $(BIN)/autoevol schema --markdown | cmp -s - docs/config.md || { echo "the schema or docs/config.md is not up to date: make pages"; exit 1; }

pages: setup  ## write the config's JSON Schema and docs/config.md again
	$(BIN)/autoevol schema > .pages && mv .pages $(SCHEMA)
	$(BIN)/autoevol schema --markdown > .pages && mv .pages docs/config.md

fuzz: setup  ## 500 mutations of every shipped config (4 minutes), then 150 drawn runs with faults and kills (20 minutes)
	MUTATIONS=500 $(BIN)/python -m pytest -q -n 2 tests/experiments/cli/test_mutated_configs.py
	$(BIN)/python -m benchmarks.fuzz --runs 150

faults: setup  ## kill runs with kill -9, 20 times in every phase, and hold their accounts against an undisturbed run's
	$(BIN)/python -m benchmarks.faults --seeds 20

bench: setup  ## time and memory of the bulk phase and of the whole command, against a plain script
	$(BIN)/python -m benchmarks.engine
	$(BIN)/python -m benchmarks.command

search: setup  ## searches in the simulated world, 200 runs each (half an hour)
	$(BIN)/python -m benchmarks.search

recipes: setup  ## the published systems' configs on the local model, six seeds each
	$(BIN)/python -m benchmarks.recipes

scores: setup  ## add what `train`, `evaluate` and the scores `ifd` and `reward` need to .venv; install torch's CPU build there first if you have no GPU
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[scores,evaluate]'

clean:  ## remove the environment and the caches; runs/ and mlflow.db stay
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
