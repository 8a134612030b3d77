# Every target does its own set-up on a fresh machine with Python 3.11 or newer.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
WORKERS ?= 2

.PHONY: help run kafka test check bench docs coverage clean

help: ## What there is to make
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

run: $(VENV)/.run ## Start everything in one process, with a sample town, on http://127.0.0.1:8000
	$(BIN)/civic-ledger serve --sample-town

kafka: $(VENV)/.run jars ## A broker with the topic of a log on 127.0.0.1:9092, kept in var/ (settable: PORT, TOPIC)
	$(BIN)/python -m deploy.kafka $(if $(PORT),--port $(PORT)) $(if $(TOPIC),--topic $(TOPIC))

test: $(VENV)/.dev browser jars go postgres check ## Lint, types, import rules and all tests
	$(BIN)/pytest -n $(WORKERS) --dist loadfile

check: $(VENV)/.dev ## Lint, types and import rules
	$(BIN)/ruff format --check deploy ledger projections services tests
	$(BIN)/ruff check deploy ledger projections services tests
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.dev jars postgres ## Measure, beside peers, and print a table (name parts in PARTS="decisions replay")
	$(BIN)/python -m tests.benchmarks $(PARTS)

docs: $(VENV)/.dev ## Write the pages that follow from the code
	$(BIN)/python docs/generate.py

coverage: $(VENV)/.dev ## The tests once more, with the lines and branches that they reach
	$(BIN)/pytest -n $(WORKERS) --dist loadfile --cov --cov-report=term-missing:skip-covered

.PHONY: browser jars go postgres
browser:
	deploy/install-debian chromium chromium
	deploy/install-debian kcat kcat

go: $(VENV)/.dev
	deploy/install-go $(BIN)/python

postgres:
	deploy/install-debian postgresql initdb

jars:
	deploy/install-debian default-jre-headless java
	deploy/install-debian maven mvn
	deploy/kafka/jars

clean: ## Remove what was set up (not the data in var/)
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[counting,postgres]'
	touch $@

$(VENV)/.dev: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[counting,audit,postgres,dev]'
	touch $@ $(VENV)/.run
