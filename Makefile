# Pulse: `make help` lists what there is.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := 0.13.9
COMPILE = $(BIN)/uv pip compile -q --universal --python-version 3.11 --no-emit-index-url --no-header --no-annotate --generate-hashes
INSTALL = $(BIN)/uv pip install -q -p $(BIN)/python

# Nothing phones home, whichever tool runs.
export DO_NOT_TRACK := 1
export DAGSTER_DISABLE_TELEMETRY := 1
export DBT_SEND_ANONYMOUS_USAGE_STATS := false
export DAGSTER_HOME ?= $(CURDIR)/dagster_home
# Python's compiled files are kept: each of many processes would compile all of it again.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help refresh demo test e2e proof bench spark check format ui lock clean setup setup-dev

help: ## List the commands
	@grep -hE '^[a-z][a-z0-9-]*:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

refresh: setup ## Build, check and publish everything (ARGS=--offline makes no network requests)
	@$(BIN)/pulse refresh $(ARGS)

demo: setup ## The whole platform on made-up files, in demo/, watermarked everywhere
	@$(BIN)/python -m demonstration

test: setup-dev ## The fast tests, offline
	@$(BIN)/python -m pytest -m "not slow" -n 2 --dist loadgroup $(ARGS)

e2e: setup-dev ## The slow tests: whole refreshes, kills, browsers
	@$(BIN)/python -m pytest -m slow -n 2 --dist loadgroup --durations=40 $(ARGS)

proof: setup-dev ## The statistics against published figures and by simulation
	@$(BIN)/python -m tests.proof

bench: setup-dev ## Times and memory, as ratios
	@$(BIN)/python -m tests.benchmarks $(ARGS)

spark: $(VENV)/.spark ## The same models on Spark, every mart compared with DuckDB's (needs Java 17; ARGS=--cluster)
	@$(BIN)/python -m tests.spark $(ARGS)

ui: setup ## The Dagster web page and daemon on http://127.0.0.1:3000
	@$(BIN)/pulse ui

check: setup-dev ## Lint, format, types, SQL lint
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/yamllint -s .
	@$(BIN)/sqlfluff lint --processes 2 --disable-progress-bar -q dbt_project/models dbt_project/macros

format: setup-dev ## Put code and SQL in the house style
	@$(BIN)/ruff check --fix -q . ; $(BIN)/ruff format -q . ; $(BIN)/sqlfluff fix -q dbt_project/models

lock: $(VENV)/bin/uv ## Resolve the pins of pyproject.toml anew, with a hash for every file
	@$(COMPILE) pyproject.toml -o requirements.txt
	@$(COMPILE) --extra server -c requirements.txt pyproject.toml -o requirements-server.txt
	@$(COMPILE) --extra server --extra dev --extra microdata -c requirements-server.txt pyproject.toml -o requirements-dev.txt
	@$(COMPILE) --extra server --extra dev --extra microdata --extra spark -c requirements-dev.txt pyproject.toml -o requirements-spark.txt

clean: ## Remove the environment and builds; landed files and releases stay
	@rm -rf $(VENV) build dbt_project/target

setup: $(VENV)/.runtime
setup-dev: $(VENV)/.dev

$(VENV)/bin/uv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
		{ echo "Pulse needs Python 3.11 or newer; found: $$($(PYTHON) --version 2>&1). Try: make PYTHON=python3.11"; exit 1; }
	@echo "setting up $(VENV) (once)"
	@$(PYTHON) -m venv $(VENV) || \
		{ rm -rf $(VENV); echo "The venv module is missing: install it (Debian: apt-get install python3-venv)"; exit 1; }
	@$(BIN)/python -m pip install -q --disable-pip-version-check uv==$(UV)

# A development environment holds the runtime too: it is not taken apart by `make refresh`.
$(VENV)/.runtime: requirements.txt pyproject.toml | $(VENV)/bin/uv
	@$(INSTALL) --compile-bytecode --require-hashes -r requirements.txt
	@$(INSTALL) --no-deps -e .
	@touch $@

$(VENV)/.dev: requirements-dev.txt $(VENV)/.runtime
	@$(INSTALL) --compile-bytecode --require-hashes -r requirements-dev.txt
	@touch $@

$(VENV)/.spark: requirements-spark.txt $(VENV)/.dev
	@$(INSTALL) --compile-bytecode --require-hashes -r requirements-spark.txt
	@touch $@
