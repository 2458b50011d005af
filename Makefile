# Two commands do everything: `make plan` and `make test`. Python >= 3.11 and make are all they need.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --quiet --disable-pip-version-check

.PHONY: plan test test-heavy app bench pictures clean

plan: $(VENV)/installed
	$(BIN)/walkshed plan $(SCENARIO)

app: $(VENV)/installed
	$(BIN)/streamlit run app.py

test: $(VENV)/installed-test
	$(BIN)/ruff check . && $(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -m "not heavy"

test-heavy: $(VENV)/installed-test
	$(BIN)/python -m pytest -m heavy

bench: $(VENV)/installed-bench
	$(BIN)/python tests/bench

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/installed: $(VENV)/bin/python pyproject.toml constraints.txt
	$(PIP) install --constraint constraints.txt --editable .
	touch $@

$(VENV)/installed-test: $(VENV)/installed
	$(PIP) install --constraint constraints.txt --editable ".[test]"
	touch $@

$(VENV)/installed-bench: $(VENV)/installed-test
	$(PIP) install --constraint constraints.txt --editable ".[bench]"
	touch $@

clean:
	rm -rf $(VENV) out build dist
