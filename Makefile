# Everything that a stranger runs. `make help` lists the targets.

PYTHON ?= python3
REPO ?= $(CURDIR)
MINUTES ?= 10
EVALUATION_MINUTES ?= 6
JSON ?=
REPOS ?=
OUTPUT ?=
PARTS ?=
# The tests know this one: it can be had without a hub, and is the smallest that writes code.
TEST_MODEL := qwen2.5-coder-0.5b-instruct-gguf

# Results go to stdout, all else to stderr, so that `make run JSON=1 | tail -n 1` is one JSON object.
VENV := .venv
BIN := $(VENV)/bin
CORE := $(VENV)/core.stamp
DEV := $(VENV)/dev.stamp
TRL ?= $(CURDIR)/build/trl
WHEEL_VENV := build/wheel-venv
WHEEL_DEV := $(WHEEL_VENV)/dev.stamp
PIP := -m pip --disable-pip-version-check install -qq
JSON_FLAG := $(if $(JSON),--json)
REPOS_FLAG := $(if $(REPOS),--repositories $(REPOS))
OUTPUT_FLAG := $(if $(OUTPUT),--output $(OUTPUT))
PARTS_FLAG := $(if $(PARTS),--parts $(PARTS))
# The interpreter with torch and vLLM, which is told that the core, and pytest, are in $(VENV).
RUNTIME_PYTHON := $(BIN)/python -P -m acclimate_server.runtime

# What a wheel can lack: a module, a data file, an entry point. What it does has been tested from the checkout.
WHEEL_TESTS := indexer/test_languages.py indexer/test_models.py server/test_cli.py server/test_editor_cli.py \
	server/test_protocol.py server/test_review_cli.py server/test_runtime_find.py

.DEFAULT_GOAL := help
.PHONY: help run setup test vsix extension-lint test-vscode lint types tests wheel-tests bench bench-indexer bench-context bench-recency bench-training bench-ablation bench-completion bench-harness bench-review gpu-check format

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1|/' | awk -F'|' '{printf "  %-18s %s\n", $$1, $$2}'
	@echo "Variables: REPO=path MINUTES=10 EVALUATION_MINUTES=6 JSON=1 REPOS='a b' OUTPUT=file.jsonl PARTS=a,b PYTHON=python3.12"

run: $(CORE) ## set everything up and adapt to REPO: mine, train, evaluate, show a completion
	@$(BIN)/acclimate adapt "$(REPO)" --minutes $(MINUTES) --evaluation-minutes $(EVALUATION_MINUTES) $(JSON_FLAG)

setup: $(DEV) ## install what the tests need: core, tools, runtime and base model
	@$(BIN)/acclimate doctor --fix --model $(TEST_MODEL) >&2 || [ $$? -eq 1 ]  # 1: it found something that hinders no test

test: lint types setup extension-lint tests wheel-tests ## lint, types, import contracts and all tests

lint: $(DEV)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/lint-imports

types: $(DEV)
	@$(BIN)/mypy
	@$(BIN)/basedpyright --pythonpath $(BIN)/python

tests: setup vsix
	@ACCLIMATE_NO_SKIPS=$(CI) $(RUNTIME_PYTHON) -P -m pytest

vsix: $(CORE) ## the VS Code extension: vscode-extension/dist/acclimate.vsix
	@cd vscode-extension && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >&2 && \
		ACCLIMATE_PYTHON="$(CURDIR)/$(BIN)/python" npm run -s package >&2

extension-lint: vsix
	@cd vscode-extension && npm test

test-vscode: setup vsix extension-lint ## the extension in a real VS Code; pictures in vscode-extension/build/shots
	@ACCLIMATE_NO_SKIPS=$(CI) $(RUNTIME_PYTHON) -P -m pytest tests/vscode

# From outside the checkout, so that only the installed wheel can be imported.
wheel-tests: $(WHEEL_DEV)
	@rm -rf build/wheel && mkdir -p build/wheel
	@$(BIN)/python -m pip --disable-pip-version-check wheel -qq --no-deps --wheel-dir build/wheel .
	@git ls-files indexer training server | cut -d/ -f2- | LC_ALL=C sort > build/wheel/tracked
	@$(BIN)/python -m zipfile -l build/wheel/*.whl | cut -d' ' -f1 | LC_ALL=C sort > build/wheel/packed
	@! LC_ALL=C comm -23 build/wheel/tracked build/wheel/packed | grep '^' || { echo "The wheel lacks these files." >&2; exit 1; }
	@$(WHEEL_VENV)/bin/python $(PIP) --no-deps --force-reinstall build/wheel/*.whl
	@cd build/wheel && "$(CURDIR)/$(WHEEL_VENV)/bin/python" -P -c \
		"import acclimate_server, sys; sys.exit('site-packages' not in acclimate_server.__file__)"
	@cd build/wheel && ACCLIMATE_NO_SKIPS=$(CI) "$(CURDIR)/$(WHEEL_VENV)/bin/python" -P -m pytest \
		-c "$(CURDIR)/pyproject.toml" --rootdir "$(CURDIR)" -m "not engine and not tensor and not gpu" \
		$(WHEEL_TESTS:%="$(CURDIR)/tests/%")

bench: setup $(TRL)/trl.stamp ## all benchmarks in one run; REPOS='a b' names real repositories
	@ACCLIMATE_TRL="$(TRL)" $(RUNTIME_PYTHON) -P benchmarks $(JSON_FLAG) $(REPOS_FLAG)

bench-indexer: setup ## mining against a bare parse
	@$(RUNTIME_PYTHON) -P benchmarks indexer $(JSON_FLAG) $(REPOS_FLAG)

bench-context: setup ## retrieval against bm25s, and against embeddings where ACCLIMATE_EMBEDDING_MODEL names some
	@$(RUNTIME_PYTHON) -P benchmarks context $(JSON_FLAG) $(REPOS_FLAG)

bench-recency: setup ## what it brings to prefer the documents that were edited last
	@$(RUNTIME_PYTHON) -P benchmarks recency $(JSON_FLAG) $(REPOS_FLAG)

bench-training: setup $(TRL)/trl.stamp ## the trainer against the plain public loop and TRL's
	@ACCLIMATE_TRL="$(TRL)" $(RUNTIME_PYTHON) -P benchmarks training $(JSON_FLAG) $(REPOS_FLAG)

bench-ablation: setup ## what the recipe's defaults rest on, at equal training time; takes hours, goes on when repeated
	@$(RUNTIME_PYTHON) -P benchmarks ablation $(JSON_FLAG) $(REPOS_FLAG) $(OUTPUT_FLAG)

gpu-check: setup ## what only a GPU can show: training, sharing with the engine, swapping adapters; ten minutes
	@$(RUNTIME_PYTHON) -P benchmarks gpu $(JSON_FLAG)

bench-completion: setup ## what completion saves, what it costs the engine, what the server adds; PARTS=trace,overhead for some
	@$(RUNTIME_PYTHON) -P benchmarks completion $(JSON_FLAG) $(REPOS_FLAG) $(PARTS_FLAG)

bench-harness: setup ## our prompts, cut and metrics against what is published about the model on human-eval
	@$(RUNTIME_PYTHON) -P benchmarks harness $(JSON_FLAG)

bench-review: setup ## how often reviews are right on the history of REPOS='a b'; PARTS=replay,seeded for some
	@$(RUNTIME_PYTHON) -P benchmarks review $(JSON_FLAG) $(REPOS_FLAG) $(PARTS_FLAG)

# Beside the runtime, not in it: the benchmark of the trainer is all that knows TRL, and does without where it must.
$(TRL)/trl.stamp: benchmarks/trl.txt | setup
	@echo "Installing TRL into $(TRL)" >&2
	@if $(RUNTIME_PYTHON) $(PIP) --no-deps --upgrade --target "$(TRL)" --requirement $<; then \
		touch $@; else echo "TRL could not be installed: its column stays empty" >&2; fi

format: $(DEV) ## format the code
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

# The preflight says what will be installed; it needs nothing but a Python, and stops where nothing could work.
$(CORE): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11, 3.12 or 3.13 is needed: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 3; }
	@PYTHONPATH=server $(PYTHON) -P -m acclimate_server.runtime.preflight
	@echo "Installing the core into $(VENV)" >&2
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python $(PIP) --editable .
	@touch $@

$(DEV): $(CORE)
	@echo "Installing the tools that check and test into $(VENV)" >&2
	@$(BIN)/python $(PIP) --editable '.[dev]'
	@touch $@

$(WHEEL_DEV): pyproject.toml $(DEV)
	@echo "Installing what the wheel's tests need into $(WHEEL_VENV)" >&2
	@$(PYTHON) -m venv --clear $(WHEEL_VENV)
	@$(WHEEL_VENV)/bin/python $(PIP) '.[dev]'
	@touch $@
