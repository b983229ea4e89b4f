# Everything runs in .venv, which is made from the lock the first time it is needed.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
OLDEST := .venvs/oldest
ARGS   ?=
# Tests start hundreds of processes. Without bytecode, which the installer does not make, each would
# compile what it imports anew.
export PYTHONDONTWRITEBYTECODE :=
# One thread for each test process: the tests run in one process more than there are cores
# (tests/conftest.py). Each takes a run of neighbours, which share what they make, and takes from
# others when it is done.
export OMP_NUM_THREADS ?= 1
PROCESSES := -n auto --dist worksteal

.PHONY: help venv kernels browsers lint types test test-all test-oldest demo site bench lock build clean

help:
	@echo "make test         lint, types and tests"
	@echo "make test-all     the same with the exhaustive sweeps (minutes)"
	@echo "make test-oldest  the tests with the oldest releases, of models and parameters a part"
	@echo "make demo         train, upload, serve, predict three ways"
	@echo "make site         build the examples' sites into build/sites"
	@echo "make bench        every benchmark; results in benchmarks/results/"
	@echo "make lint lock build clean"

# $(call install,VENV,ARGUMENTS): uv is fast but does not read pip's configuration, so pip is next.
install = $(1)/bin/uv pip install --quiet --python $(1)/bin/python $(2) || $(1)/bin/python -m pip install --quiet $(2)
# $(call create,VENV): a virtual environment with uv in it, at the lock's version.
create = $(PYTHON) -m venv $(1) && $(1)/bin/python -m pip install --quiet "$$(grep -o '^uv==[^ ]*' requirements-dev.txt)"

$(VENV)/.locked: requirements-dev.txt
	test -x $(BIN)/uv || { $(call create,$(VENV)); }
	$(call install,$(VENV),--require-hashes -r requirements-dev.txt)
	touch $@

# Building the package compiles the kernels, with the compiler of this environment.
$(VENV)/.made: $(VENV)/.locked pyproject.toml hatch_build.py
	$(call install,$(VENV),--no-deps --no-build-isolation -e .)
	touch $@

venv: $(VENV)/.made

kernels: venv
	@$(BIN)/python sclbl/kernels/build.py > /dev/null

# Two browsers, JavaScriptCore and what drives them, for the tests of pages.
browsers: $(VENV)/.locked
	@$(BIN)/python tests/web/install.py

lint: $(VENV)/.locked
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(VENV)/.locked
	$(BIN)/mypy

test: lint types kernels browsers
	$(BIN)/pytest $(PROCESSES) $(ARGS)

test-all: lint types kernels browsers
	$(BIN)/pytest $(PROCESSES) -m "exhaustive or not exhaustive" $(ARGS)

$(OLDEST)/.made: requirements-oldest.txt pyproject.toml hatch_build.py
	test -x $(OLDEST)/bin/uv || { $(call create,$(OLDEST)); }
	$(call install,$(OLDEST),--require-hashes -r requirements-oldest.txt)
	$(call install,$(OLDEST),--no-deps --no-build-isolation -e .)
	touch $@

# Of the models one of each class, of other parameters every third: what they change is the same with
# other releases.
# What an old release says of a newer one that it works with is not ours to mend. Browsers and
# engines of JavaScript are the same whatever is installed for Python.
test-oldest: $(OLDEST)/.made
	$(OLDEST)/bin/python sclbl/kernels/build.py > /dev/null
	$(OLDEST)/bin/pytest $(PROCESSES) --one-of-each -m "not exhaustive and not browser" -W "ignore:'click:DeprecationWarning" $(ARGS)

demo: kernels
	@$(BIN)/python demo/run.py

site: kernels
	@$(BIN)/python -m examples.build build/sites

bench: kernels
	$(call install,$(VENV),--require-hashes -r requirements-bench.txt)
	for script in $(filter-out benchmarks/_% benchmarks/before_after.py,$(wildcard benchmarks/*.py)); do $(BIN)/python $$script || exit 1; done

# LOCK=--upgrade takes the newest release of everything; without it nothing moves that need not.
LOCK ?=
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate

lock:
	$(COMPILE) $(LOCK) --extra dev pyproject.toml -o requirements-dev.txt
	$(COMPILE) $(LOCK) --extra dev --extra bench -c requirements-dev.txt pyproject.toml -o requirements-bench.txt
	$(COMPILE) $(LOCK) --extra dev --resolution lowest-direct pyproject.toml -o requirements-oldest.txt

build: venv
	$(BIN)/uv build --quiet --out-dir dist .

clean:
	rm -rf .venv .venvs dist build .demo .pytest_cache .mypy_cache .ruff_cache .hypothesis
	rm -f sclbl/kernels/*.bc sclbl/kernels/*.o sclbl/kernels/*.by
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
