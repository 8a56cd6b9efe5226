# `make help` says what can be done here. Each target sets up what it needs, from the pins in requirements/.

PYTHON ?= python3
PYTHON310 ?= python3.10

export PIP_DISABLE_PIP_VERSION_CHECK := 1
export RASA_TELEMETRY_ENABLED := false
export NO_MKDOCS_2_WARNING := 1
# Some machines tell Python to keep nothing that it compiled: each process would compile all anew.
unexport PYTHONDONTWRITEBYTECODE

RUN := .venv/bin/python

# Long runs of tests are spread over so many WORKERS: most tests wait for a server or a clock.
# So many JOBS go on at once before, such as checks.
WORKERS ?= 3
JOBS ?= 4
SPREAD := -n $(WORKERS) --dist loadgroup --no-loadscope-reorder

# The environments. The file that a rule makes says: installed from the pins as they stand.
# What a machine lacks, the tests that need it skip, and the last line of `make test` says how to get
# it; with PS7_TESTS_COMPLETE they fail instead.
RASA := .venv-rasa/ready
FLOOR := .venv-floor/ready
MUTANTS := .venv-mutants/ready
CHECKOV := .venv-checkov/ready
SITE := .venv-site/ready
WEBCHAT := examples/webchat/node_modules/.ready
BROWSER := tests/webchat/node_modules/.ready
BACKEND := examples/backend/node_modules/.ready

# One that is named on the command line is used, or nothing is.
find_python = PYTHON="$(PYTHON)" ONLY="$(findstring command,$(origin PYTHON))" scripts/find-python 3.10 3.13
find_python310 = PYTHON="$(PYTHON310)" ONLY="$(findstring command,$(origin PYTHON310))" scripts/find-python 3.10 3.10
# A link leads to the environment of another tree, which `venv --clear` would empty.
new_environment = if [ -L $(@D) ]; then echo "$(@D) is a link, and its pins are older: make it where it leads" >&2; exit 1; fi && \
    "$$python" -m venv --clear $(@D)
make_environment = $(new_environment) && $(install_pins)
install_pins = $(install) $< && touch $@
# Most of what Rasa installs is never imported: Python compiles what is, when it is.
install = $(@D)/bin/python -m pip install --quiet --no-compile --use-pep517 --requirement

.DELETE_ON_ERROR:
.PHONY: help demo chat webchat monitoring check test release-check lint types imports plugin around unit host conversation attacks floor matrix mutants fuzz soak outage rush lookups bench scale wheel pins rules images compose format hooks site clean distclean

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' Makefile | while IFS='|' read -r target does; do \
	    printf '  make %-13s %s\n' "$$target" "$$does"; done

demo: .venv/runtime ## a short conversation for a handful of customers, through the real action server
	@$(RUN) examples/demo.py

chat: .venv/runtime $(RASA) ## the example bot in this terminal, with everything it needs; FAULTS=1: PS7's faults are listed
	@$(RUN) examples/oss-bot/chat.py $(if $(FAULTS),--faults)

webchat: $(WEBCHAT) .venv/runtime $(RASA) ## the example bot in a browser, and what it knows; SIGNED=1: signed arrivals only
	@$(RUN) -m examples.webchat $(if $(SIGNED),--signed)

monitoring: .venv/dev ## PS7 goes away and comes back under a real Prometheus, and alerts fire
	@$(RUN) -m examples.monitoring

check: .venv/dev ## the fast gate, under a minute: checks, and every test that is not marked slow
	+@$(MAKE) --silent --jobs $(JOBS) --output-sync lint types imports
	@$(RUN) -m pytest -q -m "not slow and not conversation and not release and not floor" $(SPREAD)

test: export PS7_TESTS_SKIPPED := $(CURDIR)/.pytest_cache/skipped
test: ## lint, types, imports, secrets, plugin, floor and around, whichever fails: what .ci/run calls
	@mkdir -p .pytest_cache && rm -f $(PS7_TESTS_SKIPPED) $(ENDED)
	@made=; \
	if [ -n "$$PS7_TESTS_COMPLETE" ] || $(find_python310) >/dev/null; then made="$(RASA) $(FLOOR)"; fi; \
	if [ -n "$$PS7_TESTS_COMPLETE" ] || command -v npm >/dev/null; then made="$$made $(WEBCHAT) $(BROWSER) $(BACKEND)"; fi; \
	$(MAKE) --silent --jobs $(JOBS) .legs ENVIRONMENTS="$$made"
	@$(RUN) -m tests.support.needs $(PS7_TESTS_SKIPPED) $(ENDED)

# Its legs. The checks run side by side, the tests after them one by one. An environment is made
# meanwhile, and only what needs it waits. How a leg ended is noted: a red one stops no other.
ENDED := .pytest_cache/legs
CHECKS := .leg-lint .leg-types .leg-imports .leg-secrets
ENVIRONMENTS :=
MADE := $(ENVIRONMENTS:%=.leg-%)
note = && echo "passed $*" >>$(ENDED) || echo "failed $*" >>$(ENDED)

.legs: .venv/dev $(MADE) .leg-around
.leg-around: .leg-plugin $(MADE) $(if $(filter $(FLOOR),$(ENVIRONMENTS)),.leg-floor)
.leg-floor: .leg-plugin .leg-$(FLOOR)
.leg-plugin: $(CHECKS)
$(CHECKS): .venv/dev
$(CHECKS): .leg-%:
	+@$(MAKE) --silent --output-sync $* $(note)
.leg-plugin .leg-floor .leg-around: .leg-%:
	+@$(MAKE) --silent $* $(note)
$(MADE): .leg-%:
	+@$(MAKE) --silent $* || echo "failed $*" >>$(ENDED)

release-check: .venv/dev $(CHECKOV) $(SITE) $(RASA) $(FLOOR) ## what not every change needs: manifests, image, every wheel and cell
	@$(RUN) -m nox && $(RUN) -m pytest -m release $(SPREAD)
	@$(RUN) -m tests.container images compose

lint: .venv/dev ## rules and formatting (ruff)
	@$(RUN) -m ruff check && $(RUN) -m ruff format --check

types: .venv/dev ## mypy --strict
	+@$(MAKE) --silent .types-ours .types-bots

.types-ours:
	@$(RUN) -m mypy
.types-bots:
	@for bot in oss-bot oss-bot-session-start calm-bot; do MYPYPATH=examples/$$bot/tests \
	    $(RUN) -m mypy --cache-dir .mypy_cache/bots $$(find -L examples/$$bot/actions examples/$$bot/tests \
	    -name '*.py' ! -path '*/actions/__init__.py') || exit 1; done

imports: .venv/dev ## which module may import which (import-linter)
	@.venv/bin/lint-imports --no-logo

plugin: .venv/dev ## the plugin's tests, and 100 % branch coverage
	@$(RUN) -m pytest -m "not release and not floor" tests/unit tests/host --cov $(SPREAD)

around: .venv/dev ## the tests of all that is around it
	@$(RUN) -m pytest --ignore tests/unit --ignore tests/host $(SPREAD)

unit: .venv/dev ## the pure tests: seconds
	@$(RUN) -m pytest tests/unit

host: .venv/dev ## the tests with the real rasa_sdk
	@$(RUN) -m pytest tests/host

conversation: .venv/dev $(RASA) ## the tests with a real Rasa bot
	@$(RUN) -m pytest tests/conversation tests/security/rasa

attacks: .venv/dev ## every attack on the actions
	@$(RUN) -m pytest tests/security --ignore=tests/security/rasa

floor: $(FLOOR) ## what a version can change, on the oldest versions that pyproject.toml allows
	@.venv-floor/bin/python -m pytest -m versions tests/unit tests/host $(SPREAD)

matrix: .venv/dev ## every rasa-sdk on every Python over every transport (nox): docs/figures.md
	@$(RUN) -m nox

mutants: $(MUTANTS) ## planted bugs, and mutation testing of the pure modules and of http: some minutes; goes on where it was stopped
	@.venv-mutants/bin/python -m tests.mutants.planted && .venv-mutants/bin/python -m tests.mutants.run

fuzz: .venv/dev ## 200,000 made-up answers and metadata, 2,000 folders, a million steps of conversations: 90 minutes
	@PS7_FUZZ_EXAMPLES=200000 $(RUN) -m pytest --timeout 0 tests/faults/test_fuzz.py
	@PS7_FUZZ_FOLDERS=2000 $(RUN) -m pytest tests/host/test_cli_fuzz.py
	@PS7_MODEL_STEPS=1000000 $(RUN) -m pytest --timeout 0 tests/model/test_walks.py

# The runs that give docs/figures.md its figures; WRITE=--write keeps them in benchmarks/results.
soak: .venv/dev ## 200,000 turns of mixed customers and faults: does anything grow?
	@$(RUN) -m benchmarks.soak $(WRITE)

outage: .venv/dev ## PS7 goes dark for a minute, under load, in two ways
	@$(RUN) -m benchmarks.outage $(WRITE)

rush: .venv/dev ## more customers than a slow PS7 has room for; BEFORE=path: another tree beside it
	@$(RUN) -m benchmarks.rush $(if $(BEFORE),--before $(BEFORE)) $(WRITE)

lookups: .venv/dev ## lookups at a PS7 that fails, refuses or repeats itself, and what one costs; BEFORE=path: another tree beside it
	@$(RUN) -m benchmarks.lookups $(if $(BEFORE),--before $(BEFORE)) $(WRITE)

bench: .venv/dev $(RASA) ## what the plugin costs: a turn in Rasa without it and with it, and the action server alone: 15 minutes
	@$(RUN) -m benchmarks $(WRITE)

scale: .venv/dev $(RASA) ## conversations on PostgreSQL, Redis, nginx and two of each server, which are killed, upgraded and given new keys; BEFORE=path: another tree beside it
	@$(RUN) -m benchmarks.scale $(if $(BEFORE),--before $(BEFORE)) $(WRITE)

wheel: .venv/dev ## the wheel and the sdist, into dist/: the same bytes wherever they are built
	@$(RUN) -m hatchling build

pins: .venv/dev ## the images' pins anew (container.txt, rasa-container.txt, telemetry.txt): asks the package index for hashes
	@made=$$($(RUN) scripts/hash_pins.py requirements/runtime.txt) && echo "$$made" >requirements/container.txt
	@made=$$($(RUN) scripts/hash_pins.py requirements/rasa.txt 3.10 x86_64) && echo "$$made" >requirements/rasa-container.txt
	@made=$$($(RUN) scripts/hash_pins.py examples/monitoring/requirements.txt) && echo "$$made" >requirements/telemetry.txt

RULES := examples/deploy/kubernetes/components/telemetry/rules.yaml

rules: ## the alerts anew as a PrometheusRule for Kubernetes, from examples/monitoring/rules.yml
	@{ printf '%s\n' '# Made by `make rules`: do not edit.' 'apiVersion: monitoring.coreos.com/v1' 'kind: PrometheusRule' \
	    'metadata:' '  name: ps7' 'spec:' && sed -e '/^#/d' -e 's/^\(.\)/  \1/' examples/monitoring/rules.yml; } >$(RULES)

images: .venv/dev ## builds the action server's images and runs them, with podman: 4 minutes, as root
	@$(RUN) -m tests.container images

compose: .venv/dev ## examples/deploy/compose.yaml on a Docker engine: under load, servers and stores break and versions change: 25 minutes, as root
	@$(RUN) -m tests.container compose

format: .venv/dev ## put the code into shape, as far as ruff can
	@$(RUN) -m ruff format && $(RUN) -m ruff check --fix

hooks: .venv/dev ## let git run the quick checks before each commit (pre-commit)
	@.venv/bin/pre-commit install

site: $(SITE) ## the documents as a site with search, into dist/site; fails if a link or a page is lost
	@.venv-site/bin/mkdocs build --strict --config-file docs/site/mkdocs.yml
	@echo "Look at it: python3 -m http.server --bind 127.0.0.1 --directory dist/site"

clean: ## remove what the tools left behind
	rm -rf .coverage* .hypothesis .*_cache dist .rasa examples/*/.rasa examples/*/models
	find . -name '.venv*' -prune -o -name __pycache__ -prune -exec rm -rf {} +

distclean: clean ## … and the environments
	rm -rf .venv .venv-checkov .venv-site .venv-rasa .venv-floor .venv-matrix .venv-mutants .venv-release examples/*/node_modules tests/*/node_modules

.venv/runtime: requirements/runtime.txt
	@python=$$($(find_python)) && echo "Setting up .venv: half a minute, once" && $(make_environment)

.venv/dev: requirements/dev.txt .venv/runtime
	@echo "Adding the tools for checks and tests to .venv" && $(install_pins)

# What the plugin needs comes second: pip refuses the two at once, and would warn of the newer pydantic.
$(RASA): requirements/rasa.txt requirements/in-rasa.txt examples/channels/requirements.txt
	@python=$$($(find_python310)) && echo "Setting up .venv-rasa, a real Rasa: two minutes and 3 GB, once" && \
	    $(new_environment) && $(install) $< && \
	    $(install) $(word 2,$^) --no-warn-conflicts && $(install) $(word 3,$^) --no-warn-conflicts && touch $@

$(FLOOR): requirements/floor.txt
	@python=$$($(find_python310)) && echo "Setting up .venv-floor, the oldest versions: half a minute, once" && $(make_environment)

$(MUTANTS): requirements/mutants.txt requirements/dev.txt
	@python=$$($(find_python)) && echo "Setting up .venv-mutants: a minute, once" && $(make_environment)

$(CHECKOV): requirements/checkov.txt
	@python=$$(PYTHON="$(PYTHON)" scripts/find-python 3.11 3.13) && echo "Setting up .venv-checkov: half a minute, once" && $(make_environment)

$(SITE): requirements/site.txt
	@python=$$(PYTHON="$(PYTHON)" scripts/find-python 3.11 3.13) && echo "Setting up .venv-site: half a minute, once" && $(make_environment)

%/node_modules/.ready: %/package.json
	@command -v npm >/dev/null || { echo "npm is missing: it comes with Node.js, https://nodejs.org (Debian: apt-get install npm)" >&2; exit 1; }
	@echo "Fetching from npm what $* needs: seconds, once"
	@cd $* && npm install --no-package-lock --no-audit --no-fund --ignore-scripts --loglevel=error >/dev/null && touch node_modules/.ready

# What a team looks for around a release. The tools for it have an environment of their own.
.PHONY: secrets audit digests sbom release

RELEASE := .venv-release/ready

release-check: $(RELEASE)

# A file is looked through once: which had nothing, with what is in them, is kept for the next time.
CLEAN := .secrets_cache/clean

$(CLEAN): requirements/dev.txt scripts/made_up_secrets.py
	@mkdir -p $(@D) && : >$@

secrets: .venv/dev $(CLEAN) ## no key or password in any file (detect-secrets), but those that scripts/made_up_secrets.py knows
	@git ls-files -z | xargs -0 sh -c 'for each; do shift; [ -d "$$each" ] || set -- "$$@" "$$each"; done; cksum "$$@"' sh | \
	    LC_ALL=C sort >$(CLEAN).now && test -s $(CLEAN).now
	@LC_ALL=C comm -13 $(CLEAN) $(CLEAN).now | cut -d ' ' -f 3- | tr '\n' '\0' | xargs -0 -n 64 -P $(WORKERS) \
	    .venv/bin/detect-secrets-hook --no-verify --filter "file://scripts/made_up_secrets.py::is_made_up"
	@mv $(CLEAN).now $(CLEAN)

audit: $(RELEASE) ## known vulnerabilities in what the image pins (pip-audit): asks an advisory database, so CI does not run it
	@.venv-release/bin/pip-audit --strict --disable-pip --require-hashes \
	    --requirement requirements/container.txt --requirement requirements/telemetry.txt

digests: .venv/runtime ## base images pinned by digest, in both Dockerfiles and examples/deploy: asks their registries
	@$(RUN) scripts/pin_images.py Dockerfile examples/deploy

sbom: $(RELEASE) ## what the image is made of (CycloneDX), into dist/: the same bytes wherever it is made
	@scripts/make-sbom .venv-release/bin/cyclonedx-py dist

release: .venv/dev $(RELEASE) ## check, test, build, commit and tag: make release VERSION=x.y.z. CONTRIBUTING.md says what comes before and after
	@$(RUN) scripts/release.py "$(VERSION)"

$(RELEASE): requirements/release.txt
	@python=$$($(find_python)) && echo "Setting up .venv-release: half a minute, once" && $(make_environment)
