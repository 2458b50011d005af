# Two commands do everything: `make plan` and `make test`. Python >= 3.11 and make are all they need.
# `make plan SCENARIO=my-city/scenario.toml OUT=results` answers a question of your own.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --quiet --disable-pip-version-check

.PHONY: plan test test-heavy app bench pictures clean

plan: $(VENV)/installed
	$(BIN)/walkshed plan $(if $(SCENARIO),"$(SCENARIO)") $(if $(OUT),--out "$(OUT)")

app: $(VENV)/installed
	$(BIN)/walkshed app

test: $(VENV)/installed-test
	$(BIN)/ruff check . && $(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest --numprocesses auto -m "not heavy"

test-heavy: $(VENV)/installed-test
	$(BIN)/python -m pytest -m heavy

bench: $(VENV)/installed-bench
	$(BIN)/python tests/bench

pictures: $(VENV)/installed-test
	$(BIN)/python tests/pictures

# A virtual environment that could not be made whole is taken away again, so that the next try starts afresh.
$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "walkshed needs Python 3.11 or later: make PYTHON=python3.11 ...")'
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "On Debian: apt install python3-venv" >&2; exit 1; }

$(VENV)/installed: $(VENV)/bin/python pyproject.toml constraints.txt
	@echo "Installing walkshed into $(VENV): a few minutes, once"
	$(PIP) install --constraint constraints.txt --editable .
	@touch $@

$(VENV)/installed-test: $(VENV)/installed
	$(PIP) install --constraint constraints.txt --editable ".[test]"
	@touch $@

$(VENV)/installed-bench: $(VENV)/installed-test
	$(PIP) install --constraint constraints.txt --editable ".[bench]"
	@touch $@

clean:
	rm -rf $(VENV) out build dist
