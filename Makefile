# Two commands do all the set-up: `make demo` and `make test`. The environment is built once and reused.
PYTHON ?= $(shell for candidate in python3.12 python3.13 python3 $(HOME)/.pyenv/versions/3.12*/bin/python; do \
	"$$candidate" -c 'import sys, venv; sys.exit(sys.version_info < (3, 12))' 2>/dev/null && echo "$$candidate" && break; done)
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

# For the tests that take longer than anybody waits: see docs/testing.md.
MINUTES ?= 60

.PHONY: demo test test-fast lint limits soak fuzz mutants compat docs-check clean

demo: $(STAMP)
	$(BIN)/softgrasp-demo

test: $(STAMP)
	$(BIN)/python -m pytest

test-fast: $(STAMP)
	$(BIN)/python -m pytest -m "not slow"

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Every command in README, docs and the heads of hub_configs, from another folder with the package installed.
docs-check: $(STAMP)
	SOFTGRASP_DOCS=all $(BIN)/python -m pytest -q tests/docs

limits: $(STAMP)
	SOFTGRASP_LIMIT_ACTIONS=10000 $(BIN)/python -m pytest -q tests/wire_limits

soak: $(STAMP)
	$(BIN)/python benchmarks/soak.py --minutes=$(MINUTES)

fuzz: $(STAMP)
	SOFTGRASP_FUZZ_MINUTES=$(MINUTES) $(BIN)/python -m pytest -q tests/fuzz

mutants: $(STAMP)
	$(BIN)/python -m pip install --quiet --target $(VENV)/mutmut mutmut
	$(BIN)/python benchmarks/mutants.py --mutmut=$(VENV)/mutmut

# The oldest and the newest MuJoCo that are allowed, each in a folder of its own before the environment's.
COMPAT_MUJOCO ?= 3.5.* 4.*
COMPAT_TESTS ?= tests/simulation tests/envs tests/test_lerobot_internals.py tests/test_running_command.py

compat: $(STAMP)
	@for version in $(COMPAT_MUJOCO); do \
		folder="$(VENV)/compat/$${version%.*}"; \
		$(BIN)/python -m pip install --quiet --upgrade --no-deps --target "$$folder" "mujoco==$$version" || exit 1; \
		echo "MuJoCo $$version"; \
		PYTHONPATH="$$folder" $(BIN)/python -m pytest -q -m "not slow" $(COMPAT_TESTS) || exit 1; \
	done

$(STAMP): pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "Python 3.12 or newer is needed and none was found; run: make $(MAKECMDGOALS) PYTHON=/path/to/python3.12"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --constraint constraints.txt --editable ".[dev]"
	@# For the test of the RealSense camera, in a folder of its own: in the environment itself pyrealsense2 would end every
	@# command of LeRobot where the system has no libusb. Where there is no wheel of it, that test is skipped.
	-$(BIN)/python -m pip install --quiet --constraint constraints.txt --target $(VENV)/realsense pyrealsense2 libusb-package
	touch $(STAMP)

clean:
	rm -rf $(VENV) outputs
