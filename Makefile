# Works with the make of macOS (3.81) and any POSIX sh; tools/with.sh makes the environment.

DATA ?= data/sample
QUARTER ?=
export DATA QUARTER

with := sh tools/with.sh requirements.lock
with_tests := sh tools/with.sh requirements-test.lock
tests := pytest -n 2 --dist loadfile --no-loadscope-reorder

.DEFAULT_GOAL := help
.PHONY: help report test test-all lab check bench golden docs look env lock clean

help: ## what make can do
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' Makefile

report: ## the report of a quarter: make report DATA="my company" QUARTER=2026Q3 (empty: the last complete one)
	@$(with) abm run "$$DATA" $${QUARTER:+--quarter "$$QUARTER"}

test: ## the quick tests; one whose tool is not on this machine is skipped, counted and named
	@$(with_tests) $(tests) -m "not slow"

test-all: check ## every check and every test; any skip fails; PROVED=yes leaves out what `make test` has just passed
	@$(with_tests) $(tests) --no-skips $(if $(PROVED),-m slow)

lab: ## JupyterLab in notebooks/
	@$(with) jupyter lab --notebook-dir=notebooks

check: ## style, types, one-way imports, notebooks without outputs
	@$(with_tests) ruff check .
	@$(with_tests) ruff format --check .
	@$(with_tests) mypy
	@$(with_tests) lint-imports
	@$(with_tests) find notebooks -name '*.ipynb' -not -path '*/.*' -exec nbstripout --verify --keep-id {} +
	@$(with_tests) python -m abm_lib.cli metrics docs --check

bench: ## the benchmarks, with the last figures
	@$(with_tests) python benchmarks/run.py

golden: ## write the golden files anew; read the difference before it is committed
	@$(with_tests) pytest tests/test_golden.py --update-golden

docs: ## write docs/metrics.md, requirements.md and settings.md anew
	@$(with) python -m abm_lib.cli metrics docs

look: ## pictures of the pages, for a look by eye
	@$(with_tests) python tests/look.py

env: ## make or renew the environment for development
	@$(with_tests) python --version

lock: ## pin again what pyproject.toml asks for (developers); UPGRADE=--upgrade takes the newest (needs uv)
	uv pip compile $(pinned) --group build -o requirements.lock pyproject.toml
	uv pip compile $(pinned) --group build --all-extras -c requirements.lock -o requirements-test.lock pyproject.toml

pinned = --quiet --universal --python-version 3.11 --generate-hashes --no-header $(UPGRADE)

clean: ## remove caches and build leftovers; the reports and .venv stay
	rm -rf build dist *.egg-info .pytest_cache .ruff_cache .mypy_cache .hypothesis .import_linter_cache
	find . -name .venv -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +
