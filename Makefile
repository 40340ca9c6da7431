# Continuum in two commands: `make run` and `make test`. What they write lies in .venv/ and .data/.

.PHONY: run test check bench faults fuzz timing mutation openapi clean format lint types imports migrations contract rights processes tests-environment
.NOTPARALLEL:

# CONTINUUM_VENV may name an environment elsewhere, for several clones to share.
CONTINUUM_VENV ?= .venv
JOBS = auto
PY = "$(CONTINUUM_VENV)/bin/python"
export CONTINUUM_VENV
# Modules are compiled into the environment, never beside the sources; a start that compiles each time is a slow one.
unexport PYTHONDONTWRITEBYTECODE
export RUFF_CACHE_DIR = $(PYTHONPYCACHEPREFIX)/ruff
export MYPY_CACHE_DIR = $(PYTHONPYCACHEPREFIX)/mypy
export HYPOTHESIS_STORAGE_DIRECTORY = $(PYTHONPYCACHEPREFIX)/hypothesis
export PYTHONPYCACHEPREFIX = $(if $(filter /%,$(CONTINUUM_VENV)),,$(CURDIR)/)$(CONTINUUM_VENV)/cache

run:
	@.ci/environment requirements.txt
	@exec $(PY) -m api.cli run

# What `contract`, `rights`, `migrations` and `processes` ask is left to them.
PROCESSES = tests/faults tests/run/test_make_run.py
ASKED_THERE = $(addprefix --ignore=,tests/contract tests/matrix tests/run/test_migrations.py $(PROCESSES))
test: tests-environment
	@$(PY) -m pytest -q -n $(JOBS) --dist loadfile --no-loadscope-reorder -p no:schemathesis $(ASKED_THERE)

check: format lint types imports migrations contract rights processes test

bench: tests-environment
	@.ci/environment tests/bench/requirements.txt
	@exec $(PY) -m tests.bench

faults: tests-environment
	@exec $(PY) -m tests.faults

fuzz: tests-environment
	@FUZZ=100 $(PY) -m pytest -q -n $(JOBS) tests/contract/every_operation.py

timing: tests-environment
	@$(PY) -m tests.timing

mutation: tests-environment
	@.ci/environment tests/mutation/requirements.txt
	@exec $(PY) -m tests.mutation

openapi:
	@.ci/environment requirements.txt
	@$(PY) -m api.cli openapi

clean:
	@rm -rf .venv .data tests/contract/node_modules

tests-environment:
	@.ci/environment tests/requirements.txt

format: tests-environment
	@$(PY) -m ruff format --check --quiet .

lint: tests-environment
	@$(PY) -m ruff check --quiet .

types: tests-environment
	@$(PY) -m mypy

imports: tests-environment
	@$(PY) -c 'from importlinter.cli import lint_imports_command as check; check(["--no-cache"])'

migrations: tests-environment
	@$(PY) -m pytest -v --no-header tests/run/test_migrations.py

processes: tests-environment
	@$(PY) -m pytest -q -n 2 --dist loadfile -p no:schemathesis $(PROCESSES)

rights: tests-environment
	@$(PY) -m pytest -q -n $(JOBS) --dist loadfile -p no:schemathesis tests/matrix

contract: tests-environment
	@$(PY) -m tests.contract.node
	@$(PY) -m pytest -q -n $(JOBS) --dist loadfile tests/contract/[tew]*_*.py
