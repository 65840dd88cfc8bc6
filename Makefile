# contribd. `make` lists the targets.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

DESTDIR ?=
PREFIX ?= /opt/contribd
UNITS ?= /etc/systemd/system
INSTALLED := contribd.service contribd@.service contribd-seal.service contribd-seal.timer contribd-export.service \
  contribd-export.timer
CONFIG ?= /etc/contribd

.DEFAULT_GOAL := help

.PHONY: help
help: ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "contribd needs Python 3.11 or newer; say: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $@

.PHONY: setup
setup: $(READY) ## A virtual environment in .venv with everything pinned by constraints.txt

.PHONY: demo
demo: setup ## Set up, then show the whole job on this machine
	$(BIN)/contribd demo

.PHONY: test
test: setup ## Set up, then run all tests (integration too where Java 17 and Maven are present)
	@status=0; \
	echo "Tests that need nothing but Python, on all cores"; \
	$(BIN)/python -m pytest --ignore=tests/integration --numprocesses auto --dist loadgroup || status=1; \
	echo "Tests on the real things, one after the other"; \
	$(BIN)/python -m pytest tests/integration || status=1; \
	exit $$status

.PHONY: check
check: format-check lint types test ## Format, lint, types and tests: what must be clean before a commit

SEEDS ?= 1000
START ?= 0
JOBS ?= $(shell nproc)
SEED ?=

.PHONY: simulate
simulate: setup ## Seeded runs of the daemon through every fault: SEEDS=10000 START=0 JOBS=2, or SEED=4711 for one, told whole
	$(BIN)/python -m tests.simulation.world.command $(if $(SEED),--seed $(SEED) --verbose,--seeds $(SEEDS) --start $(START) --jobs $(JOBS))

OPTIONS ?=

.PHONY: chaos
chaos: setup ## The long run of faults on three brokers, daemons and the vendor's provider (Java 17, Maven; 20 minutes; OPTIONS="--plan curves": 3)
	$(BIN)/python -m tests.integration.rigs.chaos $(OPTIONS)

.PHONY: reloads
reloads: setup ## A thousand reloads under load, half of them refused; every result is mapped anew (Java 17, Maven; a minute; OPTIONS="--reloads 100")
	$(BIN)/python -m tests.integration.rigs.reloads $(OPTIONS)

.PHONY: soak
soak: setup ## An hour at 1,000 records a second with page, top and Prometheus, then verified (Java 17, Maven, Chromium; OPTIONS="--seconds 600")
	$(BIN)/python -m tests.integration.rigs.soak $(OPTIONS)

.PHONY: bench
bench: setup ## Measure speed, cost and scale against references (Java 17, Maven; under an hour): build/bench/performance.json
	$(BIN)/python -m tests.bench

.PHONY: screenshots
screenshots: setup ## Pictures of page and live views for the documents, of the demo: docs/page*.png, docs/top*.svg, docs/tap*.svg (Chromium; a minute)
	$(BIN)/python -m tests.terminal.screenshots

.PHONY: newest-kafka
newest-kafka: ## The streams' tests on the newest kafka-python, pre-releases too: which names it lacks, what passes
	rm -rf build/newest-kafka && $(PYTHON) -m venv build/newest-kafka
	build/newest-kafka/bin/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	build/newest-kafka/bin/python -m pip install --quiet --disable-pip-version-check --pre --upgrade --no-deps kafka-python
	@status=0; build/newest-kafka/bin/python -m pytest -q tests/streams > build/newest-kafka/tests.txt 2>&1 || status=$$?; \
	  cat build/newest-kafka/tests.txt; \
	  build/newest-kafka/bin/python -c 'import kafka; print("kafka-python", kafka.__version__, end=": ")'; \
	  grep -E '^ERROR: |(passed|failed|error).* in ' build/newest-kafka/tests.txt | tail -n 1; exit $$status

.PHONY: format
format: setup ## Format the code
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

.PHONY: format-check
format-check: setup
	$(BIN)/ruff format --check

.PHONY: lint
lint: setup
	$(BIN)/ruff check

.PHONY: types
types: setup
	$(BIN)/mypy

.PHONY: lock
lock: ## Pin the newest versions of all dependencies in constraints.txt
	rm -rf build/lock && $(PYTHON) -m venv build/lock
	build/lock/bin/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	{ echo "# Every dependency, pinned; made by \`make lock\`."; \
	  build/lock/bin/python -m pip freeze --exclude-editable; } > constraints.txt

.PHONY: install
install: ## Install into PREFIX with its units and a starting configuration (as root)
	$(PYTHON) -m venv $(DESTDIR)$(PREFIX)
	$(DESTDIR)$(PREFIX)/bin/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt '.[export,seal]'
	install -d $(DESTDIR)$(UNITS) $(DESTDIR)$(CONFIG)/mappings
	for unit in $(INSTALLED); do \
	  sed 's|/opt/contribd|$(PREFIX)|g' systemd/$$unit > $(DESTDIR)$(UNITS)/$$unit; done
	test -e $(DESTDIR)$(CONFIG)/contribd.yaml || \
	  { install -m 0644 config/contribd.yaml $(DESTDIR)$(CONFIG)/ && install -m 0644 config/mappings/*.yaml $(DESTDIR)$(CONFIG)/mappings/; }

.PHONY: uninstall
uninstall: ## Remove what install put there; the configuration stays
	rm -rf $(DESTDIR)$(PREFIX) $(addprefix $(DESTDIR)$(UNITS)/,$(INSTALLED))

.PHONY: clean
clean: ## Remove everything that was built or downloaded here
	rm -rf $(VENV) build dist .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis daemon/*.egg-info
	find . -name __pycache__ -prune -exec rm -rf {} +
