# make demo | test | lint | evidence | bench.  Needs Python 3.11 or newer and make; everything else goes into .venv.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python; do \
	$$p -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -q install -c constraints.txt

.PHONY: demo test lint evidence bench

demo: .venv/core
	@$(BIN)/caredrill demo --out demo

test: .venv/dev
	@$(BIN)/python -m pytest -p xdist -n 2 --dist worksteal -q

lint: .venv/dev
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

evidence: .venv/dev
	@$(BIN)/python tests/benchmarks/evidence.py

bench: .venv/dev .venv/peers/installed
	@$(BIN)/python tests/benchmarks/overhead.py
	@$(BIN)/python tests/benchmarks/peers.py
	@$(BIN)/python tests/benchmarks/impact_peer.py
	@$(BIN)/python tests/benchmarks/alignment.py
	@$(BIN)/python tests/benchmarks/generator.py
	@$(BIN)/python tests/benchmarks/scoring.py
	@$(BIN)/python tests/benchmarks/outputs.py

.venv/core: pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "needs Python 3.11 or newer with venv (Debian, Ubuntu: apt-get install python3-venv)"; exit 2; }
	@echo "installing into .venv (once)"
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(PIP) -e .
	@touch $@

.venv/dev: .venv/core
	@echo "installing what the tests need into .venv (once)"
	@$(PIP) -e ".[dev,course]"
	@touch $@

# otter-grader cannot be installed beside the pinned versions of this kit (wrapt).
.venv/peers/installed: .venv/core tests/benchmarks/peers-constraints.txt
	@echo "installing otter-grader and aedt-audit into .venv/peers, for the benchmarks beside them (once)"
	@test -x .venv/peers/bin/python || $(BIN)/python -m venv .venv/peers
	@.venv/peers/bin/python -m pip --disable-pip-version-check -q install \
		-c tests/benchmarks/peers-constraints.txt "otter-grader[grading]" aedt-audit
	@touch $@
