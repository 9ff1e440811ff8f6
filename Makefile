# Two commands do all the set-up: `make run` and `make test`. `make help` lists the rest.
PYTHON ?= python3.11
VENV   := .venv
BIN    := $(VENV)/bin
SHELL  := /bin/bash
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help

.PHONY: help
help:  ## what there is to do
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

# The lock files carry the hash of every file that may be installed; pip refuses anything else.
$(VENV)/.run: requirements.lock pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "Baton needs Python 3.11: install it, or say which one: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)"; exit 2; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --no-index -e .
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.run
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements-dev.lock
	@touch $@

.PHONY: setup dev
setup: $(VENV)/.run  ## make .venv from the lock file
dev: $(VENV)/.dev    ## the same, with the tools for tests and checks

.PHONY: run
run: setup  ## Baton on this machine: embedded servers, demo traffic, a live view
	@$(BIN)/baton up --demo

.PHONY: test
test: dev  ## unit, contract and functional tests (under ten minutes)
	$(BIN)/python -m pytest -m "not faults and not real_kafka" --durations=15

.PHONY: integration
integration: dev  ## what only real Apache Kafka can show (Docker, or Java and Maven)
	$(BIN)/python -m pytest -m "real_kafka and not faults"

.PHONY: faults faults-few faults-each soak
faults: dev  ## kill, freeze and cut off everything in turn, on real Kafka and PostgreSQL (minutes)
	$(BIN)/python -m pytest -m faults -s -o faulthandler_timeout=0

faults-few: dev  ## five of them on the whole path, the same each time
	$(BIN)/python -m pytest -m faults -k a_few_faults -s -o faulthandler_timeout=0

faults-each: setup  ## every kind alone on every stage, ingest, scoring and routing among them (a quarter of an hour)
	@$(BIN)/python -m tests.faults --each

soak: setup  ## the same at random for SOAK_MINUTES (60), with SOAK_SEED, which is drawn and printed where none is given
	@$(BIN)/python -m tests.faults --minutes $(or $(SOAK_MINUTES),60) $(if $(SOAK_SEED),--seed $(SOAK_SEED))

.PHONY: bench bench-lock
bench: setup  ## CPU an event, beside Faust, Quix Streams, FastStream, Kafka Streams (BENCH_EVENTS, BENCH_ROUNDS)
	@$(BIN)/python -m bench

.PHONY: bench-restore
bench-restore: setup  ## a million keys of state: read from Kafka, from this machine's files, by RocksDB (BENCH_KEYS, BENCH_ROUNDS)
	@$(BIN)/python -m bench.restore

.PHONY: bench-path bench-path-trace bench-path-chain bench-idle bench-growth
bench-path: setup  ## events a second, and how long a lead takes from the door to its queue (eight minutes)
	@$(BIN)/python -m bench.path

bench-path-trace: setup  ## the same of single events, leg by leg
	@$(BIN)/python -m bench.path --trace --seconds 20

bench-path-chain: setup  ## the least that it could take: bare loops in a row, without any work
	@$(BIN)/python -m bench.path --chain

bench-idle: setup  ## what an idle `baton up` spends
	@$(BIN)/python -m bench.path --idle

bench-growth: setup  ## whether an event costs more with more leads and more partitions
	@$(BIN)/python -m bench.path --growth

bench-lock: dev
	$(BIN)/python -m pip install --quiet uv
	for peer in faust quix faststream rocksdict; do $(BIN)/uv pip compile bench/peers/$$peer/requirements.in --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --custom-compile-command "make bench-lock" -q -o bench/peers/$$peer/requirements.lock; done

.PHONY: lint
lint: dev  ## format, lint, types, import rules, schema freshness
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/baton export-schemas --check

.PHONY: format
format: dev  ## let Ruff write the code's form
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

.PHONY: lock
lock: dev  ## write the lock files anew from pyproject.toml
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile pyproject.toml --extra embedded --extra build --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --custom-compile-command "make lock" -o requirements.lock
	$(BIN)/uv pip compile pyproject.toml --extra embedded --extra build --extra dev --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --custom-compile-command "make lock" -c requirements.lock -o requirements-dev.lock
