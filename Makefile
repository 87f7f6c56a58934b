# The commands of this project. `make demo` and `make test` need nothing done before; `make help` lists all.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules --no-print-directory
BIN := .venv/bin
STAMP := .venv/.installed
# Arguments for demo and test, e.g. `make test ARGS="tests/unit -x"`, `make demo ARGS="--people 20 --keep-open"`.
ARGS ?=
# The whole run takes two processes, each with servers of its own; not where servers are given: the tests empty those.
GIVEN := $(ENVOI_TEST_REDIS_URL)$(ENVOI_TEST_DATABASE_URL)
PARALLEL := $(if $(ARGS)$(GIVEN),,-n 2)

.PHONY: help
help: ## list these commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' Makefile

.PHONY: install
install: $(STAMP) ## make .venv with all that the other commands need

$(STAMP): requirements/dev.txt requirements/uv.txt requirements/install.sh pyproject.toml
	@requirements/install.sh
	@touch $@

.PHONY: demo
demo: $(STAMP) ## see it work: every part on this machine, messages into a sandbox, a verdict
	@$(BIN)/python -m envoi demo $(ARGS)

.PHONY: test
test: $(STAMP) ## run all tests, on a real Redis and a real PostgreSQL
	@$(BIN)/python -m pytest $(PARALLEL) $(ARGS)

.PHONY: lint
lint: $(STAMP) ## check style and formatting
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

.PHONY: type
type: $(STAMP) ## check types
	@$(BIN)/mypy

.PHONY: audit
audit: ## ask whether a locked package has a known vulnerability (online; status 3: could not be asked)
	@$(if $(wildcard $(BIN)/python),$(BIN)/python,python3) requirements/audit.py

.PHONY: bench
bench: .bench/.installed ## measure Envoi against what others would use, side by side (minutes)
	@$(BIN)/python -m benchmarks $(ARGS)

.bench/.installed: $(STAMP) requirements/bench-gevent.txt requirements/bench-arq.txt requirements/install-bench.sh \
		benchmarks/bullmq/package-lock.json
	@requirements/install-bench.sh
	@touch $@

.PHONY: faults
faults: $(STAMP) ## prove the guarantees: every fault alone and mixed, 100,000 jobs each (hours; ARGS="--jobs 2000")
	@$(BIN)/python -m tests.faults $(ARGS)

.PHONY: format
format: $(STAMP) ## put files into the one format, and repair what can be repaired safely
	@$(BIN)/ruff check --fix-only .
	@$(BIN)/ruff format .

.PHONY: lock
lock: $(STAMP) ## lock the newest allowed packages anew, with hashes
	@requirements/compile.sh
