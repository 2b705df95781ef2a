# The commands a person must know. `make help` lists them.
PROFILE ?= quick
JOBS ?= $(shell python3 -c 'import os; print(os.cpu_count() or 1)' 2>/dev/null || echo 1)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
export PYTHONUNBUFFERED := 1
.DEFAULT_GOAL := help
.PHONY: help env book test bench real notebooks clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo "  variables:     PROFILE=smoke|quick|real|paper (now $(PROFILE))  JOBS=notebooks at a time (now $(JOBS))"

env: $(READY) ## make .venv with the exact versions of constraints.txt (5 GB, some minutes)

$(READY): pyproject.toml constraints.txt
	@for python in $(PYTHON) python3.11 python3.12 python3.13 python3; do \
	  if $$python -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; \
	  then chosen=$$python; break; fi; done; \
	if [ -z "$$chosen" ]; then \
	  echo 'env: Python 3.11 to 3.13 with venv is needed, none was found; install one or run make env PYTHON=/path/to/python'; exit 1; fi; \
	echo "env: $$($$chosen --version), installing into $(VENV)"; $$chosen -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[book,dev,oracles]'
	@touch $@

book: env ## execute what changed of a profile and build the site
	@$(BIN)/blindspots book --profile $(PROFILE) --jobs $(JOBS)

test: env ## the whole test suite
	@$(BIN)/python -m pytest -n $(JOBS) --dist loadfile

bench: env ## compare speed with the peers; prints medians and ratios
	@$(BIN)/python -m pytest benchmarks -p no:xdist

real: env ## run the real profile on the data below BLINDSPOTS_DATA
	@$(BIN)/blindspots book --profile real --jobs $(JOBS)

notebooks: env ## write every notebook as .ipynb beside its source
	@$(BIN)/blindspots notebooks

clean: ## remove everything that was built, except the environment
	rm -rf _build .snakemake book/notebooks .pytest_cache .ruff_cache
