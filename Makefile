# contribd. `make` lists the targets.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUNS := $(VENV)/.runs
READY := $(VENV)/.ready

DESTDIR ?=
PREFIX ?= /opt/contribd
UNITS ?= /etc/systemd/system
INSTALLED := $(notdir $(wildcard systemd/contribd*))
CONFIG ?= /etc/contribd

.DEFAULT_GOAL := help

.PHONY: help
help: ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

$(RUNS): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "contribd needs Python 3.11 or newer; say: make PYTHON=python3.12 ...")'
	@echo "installing into $(VENV): half a minute or more"
	$(PYTHON) -m venv $(VENV)
	$(PIP_INSTALL) --editable '.[demo,top]'
	@touch $@

$(READY): $(RUNS)
	@echo "installing what tests, documents and packages need: half a minute or more"
	$(PIP_INSTALL) --editable '.[dev]'
	@touch $@

.PHONY: setup
setup: $(READY) ## A virtual environment in .venv with everything pinned by constraints.txt

.PHONY: demo
demo: $(RUNS) ## Set up what it needs, then show the whole job on this machine
	$(BIN)/contribd demo

# One process more than there are cores: the tests on the real things mostly wait. Each takes whole files, whose tests
# share what they start. Contribd is started some hundred times: an environment that forbids bytecode would have it
# compiled each time.
.PHONY: test
test: export PYTHONDONTWRITEBYTECODE =
test: setup ## Set up, then run all tests (integration too where Java 17 and Maven are present)
	$(BIN)/python -m pytest --numprocesses $$(($$(nproc) + 1)) --dist loadfile --no-loadscope-reorder

.PHONY: check
check: format-check lint types test ## Format, lint, types and tests: what must be clean before a commit

SEEDS ?= 1000
START ?= 0
JOBS ?= $(shell nproc)
SEED ?=

.PHONY: simulate
simulate: setup ## Seeded runs of the daemon through every fault: SEEDS=10000 START=0 JOBS=2, or SEED=4711 for one, told whole
	$(BIN)/python -m tests.simulation.world.command $(if $(SEED),--seed $(SEED) --verbose,--seeds $(SEEDS) --start $(START) --jobs $(JOBS))

.PHONY: docs
docs: setup ## The documents as a site (build/docs/html) and as man pages (build/docs/man), without a network
	$(BIN)/sphinx-build -W --keep-going --quiet --doctree-dir build/docs/doctrees -b html docs build/docs/html
	$(BIN)/sphinx-build -W --keep-going --quiet --doctree-dir build/docs/doctrees -b man docs build/docs/man

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
lock: ## Pin the newest versions of all dependencies in constraints.txt, and by hash in packaging/requirements.txt
	rm -rf build/lock && $(PYTHON) -m venv build/lock
	build/lock/bin/python -m pip install --quiet --disable-pip-version-check --editable '.[dev,release]'
	{ echo "# Every dependency, pinned; made by \`make lock\`."; \
	  build/lock/bin/python -m pip freeze --exclude-editable; } > constraints.txt
	build/lock/bin/python -m pip install --quiet --disable-pip-version-check uv
	build/lock/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --constraint constraints.txt \
	  --extra export --extra seal --extra top --custom-compile-command 'make lock' --output-file packaging/requirements.txt pyproject.toml

export TOOLS := $(CURDIR)/$(BIN)
export SYSTEM_PYTHON ?= /usr/bin/python3
BUNDLE_PYTHONS ?=
WORK := build/packages

.PHONY: dist
dist: setup ## Wheel and sdist in dist/: the same bytes from the same sources, wherever they are built
	packaging/dist.sh

.PHONY: packages
packages: dist ## deb and rpm in dist/, for hosts with this host's Python (SYSTEM_PYTHON=/usr/bin/python3)
	rm -rf $(WORK)/tree $(WORK)/wheelhouse $(WORK)/man
	packaging/packages.sh dist $(WORK)

.PHONY: bundle
bundle: dist ## A tar file in dist/ for hosts without any package index (BUNDLE_PYTHONS="3.12 3.13": for these, too)
	rm -rf $(WORK)/wheelhouse
	packaging/bundle.sh dist $(WORK) $(BUNDLE_PYTHONS)

RELEASE_TOOLS := build/release/.ready

$(RELEASE_TOOLS): pyproject.toml constraints.txt
	rm -rf build/release && $(PYTHON) -m venv build/release
	build/release/bin/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt '.[release]'
	@touch $@

.PHONY: sbom
sbom: packages $(RELEASE_TOOLS) ## What the packages are made of, as CycloneDX JSON in dist/
	TOOLS=$(CURDIR)/build/release/bin packaging/sbom.sh dist $(WORK)

.PHONY: audit-dependencies
audit-dependencies: $(RELEASE_TOOLS) ## Known vulnerabilities of what the packages are made of (asks PyPI's advisory database)
	@build/release/bin/pip-audit --strict --progress-spinner off --disable-pip --require-hashes --requirement packaging/requirements.txt || \
	  { echo "audit-dependencies: either PyPI's advisory database knows of something, or it could not be asked (see above)"; exit 1; }

.PHONY: install
install: ## Install into PREFIX with its units and a starting configuration (as root)
	$(PYTHON) -m venv $(DESTDIR)$(PREFIX)
	$(DESTDIR)$(PREFIX)/bin/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt '.[export,seal]'
	DESTDIR=$(DESTDIR) PREFIX=$(PREFIX) UNITS=$(UNITS) CONFIG=$(CONFIG) packaging/place.sh .

.PHONY: uninstall
uninstall: ## Remove what install put there; the configuration stays
	rm -rf $(DESTDIR)$(PREFIX) $(addprefix $(DESTDIR)$(UNITS)/,$(INSTALLED))

.PHONY: clean
clean: ## Remove everything that was built or downloaded here
	rm -rf $(VENV) build dist .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis daemon/*.egg-info
	find . -name __pycache__ -prune -exec rm -rf {} +
