# make demo | test | lint | evidence | bench | pages.  Needs Python 3.11 or newer and make; everything else goes into .venv.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python; do \
	$$p -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -q install -c constraints.txt

.PHONY: demo test lint evidence bench pages

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

pages: .venv/dev .venv/pages/installed
	@$(BIN)/python tests/benchmarks/pages.py --full --shots shots --out docs/evidence/pages.md

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

# Opens pages in the system's browser; none is downloaded.
.venv/pages/installed: .venv/core tests/benchmarks/pages-constraints.txt
	@echo "installing playwright into .venv/pages, to look at pages with (once)"
	@test -x .venv/pages/bin/python || $(BIN)/python -m venv .venv/pages
	@.venv/pages/bin/python -m pip --disable-pip-version-check -q install \
		-c tests/benchmarks/pages-constraints.txt playwright axe-playwright-python pypdf
	@touch $@
