BIN := .venv/bin
PYTHON ?= python3
export DO_NOT_TRACK := 1
LOCK = $(BIN)/uv pip compile --quiet --upgrade --universal --generate-hashes --no-emit-index-url \
	--no-emit-find-links --python-version 3.11 --custom-compile-command "make lock"
BOARDS = $(filter-out charts/meta.yml,$(wildcard charts/*.yml))

.DEFAULT_GOAL := help

.PHONY: help
help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-13s %s\n", $$1, $$2}'

.PHONY: setup
setup: .venv/.complete profiles.yml ## Prepare .venv from the lock file, and profiles.yml

.venv/.complete: requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14) and "Python 3.11, 3.12 or 3.13 is needed: make PYTHON=python3.12 …")'
	$(PYTHON) -m venv --clear .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --upgrade pip
	$(BIN)/pip install --quiet --require-hashes --requirement requirements.lock
	$(BIN)/pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

profiles.yml:
	cp profiles.yml.example $@

.PHONY: run
run: setup ## Load the configured account (or the sandbox), build, publish, show what came out
	$(BIN)/testio-loader sandbox --unless-configured $(BIN)/testio-loader load
	$(BIN)/dbt --quiet build --exclude-resource-type unit_test
	@$(BIN)/dbt --quiet run-operation summary
	@$(BIN)/testio-loader publish --to published/testio.duckdb

DEMO = TESTIO_DUCKDB_PATH=demo.duckdb

.PHONY: demo
demo: setup ## Play 30 days of the sandbox into demo.duckdb, build it, and serve its boards on this machine
	rm -rf demo.duckdb demo.duckdb.* .testio/demo.duckdb
	$(DEMO) $(BIN)/testio-loader sandbox --days 30 --tests 200 --bugs 2000 --destination duckdb \
		$(BIN)/dbt --quiet build --exclude-resource-type unit_test
	@$(DEMO) $(BIN)/dbt --quiet run-operation summary
	$(DEMO) $(BIN)/dct serve

.PHONY: test
test: setup ## Run the tests that every change needs: style, types, units, loads, generated accounts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest
	@echo "All tests passed. make test-all runs the slow ones, PostgreSQL and Spark as well."

.PHONY: test-slow
test-slow: setup ## Run the slow tests: SQL style, faults, kills, publications, metrics, boards, documents
	$(BIN)/sqlfluff lint models tests
	$(BIN)/pytest -m "slow and not postgres and not spark"

.PHONY: test-postgres
test-postgres: setup ## Test loads and models on a PostgreSQL server of their own, against DuckDB
	$(BIN)/pytest -m postgres --dist loadfile

.PHONY: test-spark
test-spark: .venv/.spark profiles.yml ## Test the models on a Spark cluster of their own, against DuckDB
	$(BIN)/pytest -m spark --dist loadfile

.venv/.spark: .venv/.complete requirements-spark.lock .venv/spark4/.complete .venv/databricks/.complete
	$(BIN)/pip install --quiet --require-hashes --requirement requirements-spark.lock
	touch $@

# What wants other versions than the rest has an environment of its own.
.venv/%/.complete: requirements-%.lock .venv/.complete
	$(PYTHON) -m venv --clear $(@D)
	$(@D)/bin/pip install --quiet --disable-pip-version-check --upgrade pip
	$(@D)/bin/pip install --quiet --require-hashes --requirement $<
	touch $@

.PHONY: test-all
test-all: test test-slow test-postgres test-spark ## Run all tests

.PHONY: fuzz
fuzz: setup ## Test 5,000 generated accounts, and show the smallest one that breaks something
	FUZZ_ACCOUNTS=5000 FUZZ_SHRINK=1 $(BIN)/pytest --numprocesses 0 --maxfail 4 tests/python/models/test_generated_accounts.py

.PHONY: docs
docs: setup ## Generate the site that describes the warehouse, as one page
	$(BIN)/dbt --quiet docs generate --static
	@echo "The site is target/static_index.html; what make run has not built yet is described without types."

.PHONY: built
built: setup
	@$(BIN)/dbt --quiet parse
	@$(BIN)/dct query testio "select count(*) from {{ ref('product_quality') }}" >/dev/null 2>&1 || \
		{ echo "There is no built warehouse: run make run first." >&2; exit 1; }

.PHONY: dashboard
dashboard: built ## Serve the boards on this machine, and say where
	$(BIN)/dct serve

.PHONY: report
report: built ## Write each board into reports/, as one HTML page and as PDF, to hand to someone
	$(BIN)/dct render $(BOARDS) --no-warnings --format html --output 'reports/{stem}.html'
	$(BIN)/dct render $(BOARDS) --no-warnings --format pdf --output 'reports/{stem}.pdf'

.PHONY: bench
bench: setup ## Measure loads, builds and queries of accounts of all sizes, into benchmarks/RESULTS.md
	$(BIN)/python -m benchmarks

.PHONY: lock
lock: ## Resolve the dependencies anew into requirements.lock, and those of Spark, Spark 4 and Databricks into theirs
	$(LOCK) --extra dbt --extra postgres --extra iceberg --extra charts --extra dev --output-file requirements.lock pyproject.toml
	$(LOCK) --extra spark --constraint requirements.lock --output-file requirements-spark.lock pyproject.toml
	echo 'dbt-spark>=1.11,<1.12 pyspark[connect]>=4.1,<4.2' | tr ' ' '\n' | $(LOCK) --constraint requirements.lock --output-file requirements-spark4.lock -
	echo 'dbt-databricks>=1.11,<1.12' | $(LOCK) --output-file requirements-databricks.lock -

.PHONY: clean
clean: ## Remove what was built, all but the warehouse and profiles.yml
	rm -rf .venv target logs reports .mypy_cache .ruff_cache .pytest_cache
