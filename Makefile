# Everything a person or a machine does with this project. `make help` lists it.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
.PHONY: help demo up test lint tests test-services bench screenshots lock clean

# Any Python from 3.11 on; PYTHON=/path/to/python chooses one.
PYTHONS = $(PYTHON) python3 python3.14 python3.13 python3.12 python3.11 python
BIN = .venv/bin
PIP = $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes
UV ?= uv
LOCK = $(UV) pip compile pyproject.toml --quiet --generate-hashes --universal --python-version 3.11 \
	--custom-compile-command "make lock"
PYTEST = $(BIN)/python -m pytest -n 2 --dist loadgroup

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1|/p' Makefile | while IFS='|' read -r name what; do printf '  make %-15s %s\n' "$$name" "$$what"; done

demo: .venv/runtime ## everything with a sandbox in place of OpenRouter; prints a sign-in link (PORT=8000)
	@exec $(BIN)/python -m dashboard.supervisor demo

up: .venv/runtime ## everything against the real OpenRouter, configured by .env (see .env.example)
	@exec $(BIN)/python -m dashboard.supervisor up

test: lint tests ## lint, types, architecture, templates and all tests, on SQLite; needs no service

lint: .venv/test
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/djlint --lint --quiet templates

tests: .venv/test
	env -u DATABASE_URL -u CELERY_BROKER_URL -u CACHE_URL -u RABBITMQ_URL $(PYTEST)

test-services: .venv/test ## the tests on DATABASE_URL (PostgreSQL) and CELERY_BROKER_URL (Redis), workers on RABBITMQ_URL too
	@: $${DATABASE_URL:?names a PostgreSQL database, such as postgres://user@127.0.0.1:5432/test}
	@: $${CELERY_BROKER_URL:?names a Redis, such as redis://127.0.0.1:6379/5}
	@: $${RABBITMQ_URL:?names a RabbitMQ, such as amqp://guest:guest@127.0.0.1:5672//}
	$(PYTEST) -m "not axe"
	CELERY_BROKER_URL="$$RABBITMQ_URL" $(PYTEST) -m worker

bench: .venv/test ## the measurements of docs/performance.md; writes var/bench.json
	$(BIN)/python -m tests.bench

screenshots: .venv/test ## the README's pictures, taken from the running product
	$(BIN)/python -m tests.screenshots

lock: ## resolve the dependencies anew into requirements*.txt (needs uv)
	$(LOCK) --output-file requirements.txt
	$(LOCK) --group test --output-file requirements-test.txt

clean: ## remove the installed packages and caches; the data in var/ stays
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find dashboard orgadmin tests -name __pycache__ -prune -exec rm -rf {} +

# The stamps make a second run instant. The test packages contain the others at the same versions.
.venv/runtime: requirements.txt | .venv/bin/python
	@echo "Installing the locked dependencies (once; about a minute)"
	@$(PIP) -r requirements.txt
	@touch $@

.venv/test: requirements-test.txt | .venv/bin/python
	@echo "Installing the locked dependencies and test tools (once; a minute or two)"
	@$(PIP) -r requirements-test.txt
	@touch $@ .venv/runtime

.venv/bin/python:
	@for python in $(PYTHONS); do \
		if "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
			echo "Making .venv with $$("$$python" --version)"; \
			"$$python" -m venv .venv && exit 0; \
			echo "$$python could not make a virtual environment (Debian and Ubuntu: install python3-venv)." >&2; \
			rm -rf .venv; exit 1; \
		fi; \
	done; echo "Python 3.11 or newer is needed; PYTHON=/path/to/python names one." >&2; exit 1
