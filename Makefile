# `make demo` and `make test` need git, make and Python >= 3.11 (uv is used where it is on PATH); nothing else.
.DEFAULT_GOAL := help
.PHONY: help demo test e2e chaos check format docs lock bench bench-fleet clean install install-dev

BIN := .venv/bin
DEMO_SECRET := .reconciler/secrets/webapp/mysql_pass

help: ## This list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: install $(DEMO_SECRET) ## Bring the example fleet to its state and keep watching; ONCE=1 ends when it is there
	@$(BIN)/reconcile $(if $(ONCE),apply --yes,watch)

# Six workers, since many tests wait. Each of them imports every test; what they would all compile is compiled before.
TESTS := $(BIN)/pytest -q --ignore tests/e2e
test: install-dev ## All tests that need no real host
	@unset PYTHONDONTWRITEBYTECODE; [ -d tests/property/__pycache__ ] || $(TESTS) --collect-only >/dev/null; \
		$(TESTS) -n 6 --dist worksteal

e2e: install-dev ## Tests on real hosts, booted on this machine (root); ARGS="-k web" chooses
	@$(BIN)/python -m tests.e2e $(BIN)/python -m pytest -q tests/e2e $(ARGS)

chaos: install-dev ## Runs of jobs under faults, audited; RUNS=20000 HOSTS=200 are the usual ones, SEED=n repeats the faults
	@$(BIN)/python -m tests.chaos $(if $(RUNS),--runs $(RUNS)) $(if $(HOSTS),--hosts $(HOSTS)) $(if $(SEED),--seed $(SEED)) $(ARGS)

check: install-dev ## Format, lint, types, import contracts, docs
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/pytest -q tests/docs

format: install-dev ## Put the code into its format and mend what ruff can mend
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

bench: install-dev ## Measure, and write docs/benchmarks.md
	@.ci/venv .bench tests/bench/requirements.lock
	@unset PYTHONDONTWRITEBYTECODE; $(BIN)/python -m tests.bench

bench-fleet: install-dev ## Measure over SSH on real hosts, beside pyinfra and Ansible (root); adds to docs/benchmarks.md
	@.ci/venv .bench tests/bench/requirements.lock
	@unset PYTHONDONTWRITEBYTECODE; $(BIN)/python -m tests.e2e $(BIN)/python -m tests.bench.hosts $(ARGS)

COMPILE := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--no-emit-find-links --no-header --no-annotate $(if $(UPGRADE),--upgrade)

docs: install-dev ## Write the reference pages that are made from the code
	@$(BIN)/python -m tests.docs.generated

lock: ## Pin the versions anew (needs uv); UPGRADE=1 takes the newest
	$(COMPILE) pyproject.toml --group build -o requirements.lock
	$(COMPILE) --group agent -c requirements.lock -o reconciler/enrolment/agent.lock
	$(COMPILE) --group dev -c requirements.lock -o .ci/requirements.lock
	$(COMPILE) --group bench -o tests/bench/requirements.lock

clean: ## Remove the environments and caches (not .reconciler)
	rm -rf .venv .bench .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis dist
	find . -name __pycache__ -prune -exec rm -rf {} +

install: ## .venv with the locked versions and this checkout
	@.ci/venv .venv requirements.lock

install-dev:
	@.ci/venv .venv requirements.lock .ci/requirements.lock

$(DEMO_SECRET):
	@umask 077 && mkdir -p $(@D) && head -c 18 /dev/urandom | base64 >$@
