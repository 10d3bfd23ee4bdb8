# Everything a newcomer runs. Each target installs what it needs first.
PYTHON ?= python3
VENV := .venv
READ := .venv-read
BIN := $(VENV)/bin
DEMO_HOME ?= demo

.PHONY: demo test test-read checks install clean help

help:
	@echo "make demo       install, then show the whole journey on this machine"
	@echo "make test       install, then run every check and every test"
	@echo "make test-read  the read side's tests where torch is absent"
	@echo "make checks     format, lint, types and import contracts alone"
	@echo "make clean      remove both environments and the demo"

$(VENV)/.installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[generate,dev]'
	touch $@

$(READ)/.installed: pyproject.toml
	$(PYTHON) -m venv $(READ)
	$(READ)/bin/pip install --quiet --disable-pip-version-check --editable '.[test]'
	touch $@

install: $(VENV)/.installed

demo: install
	$(BIN)/countermark --home $(DEMO_HOME) demo

checks: install
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Each test runs once: those that need no extra where onnxruntime and torch are absent.
test: checks test-read
	$(BIN)/python -m pytest -m "gates or generate or dev"

test-read: $(READ)/.installed
	$(READ)/bin/python -m pytest -m "not gates and not generate and not dev"

clean:
	rm -rf $(VENV) $(READ) $(DEMO_HOME)
