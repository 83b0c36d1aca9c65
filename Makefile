# Everything a checkout needs, from `git clone` on. Bare `make` lists the targets.
# Nothing is installed outside .venv and node_modules, except Chromium and OpenSMTPD in `make test` (see scripts/setup-tests).

# Our tools come last, so that a Node the machine already has is preferred to the one in .venv.
export PATH := $(PATH):$(CURDIR)/.venv/bin
PYTHON_IN_VENV := .venv/bin/python
READY := .venv/.ready
CODE := src tests benchmarks scripts
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help setup demo serve test check format bench docs

help: ## list these targets
	@echo "Heard: targets (the first two work on a fresh machine with git, make and Python 3.11 or newer)"
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)$$/\1|\2/' | awk -F'|' '{printf "  make %-8s %s\n", $$1, $$2}'

demo: setup ## set everything up, then serve an example workspace and say where to look
	@exec .venv/bin/heard demo $(ARGS)

test: setup ## set everything up, browser and Node included, and run every test (ARGS="-k ledger" narrows)
	@scripts/setup-tests
	@scripts/test $(ARGS)

setup: $(READY) ## make .venv with everything Heard needs; leaves .venv/bin/heard
	@echo "Ready: .venv/bin/heard --help"

$(READY): uv.lock pyproject.toml scripts/setup
	@scripts/setup
	@touch $@

serve: setup ## serve the data folder (HEARD_DATA, else ./heard-data) on http://localhost:8800
	@exec .venv/bin/heard serve $(ARGS)

check: setup ## lint, format, types and import order: what CI refuses
	.venv/bin/ruff check $(CODE)
	.venv/bin/ruff format --check $(CODE)
	.venv/bin/lint-imports
	.venv/bin/pyright

format: setup ## put the code into its one format and fix what can be fixed
	.venv/bin/ruff check --fix $(CODE)
	.venv/bin/ruff format $(CODE)

bench: setup ## run every benchmark: ours, the floor and a peer, side by side (takes minutes)
	@set -e; for file in $$(grep -l '__main__' benchmarks/*.py | grep -v floor_); do echo "== $$file"; $(PYTHON_IN_VENV) $$file; done

docs: setup ## write the generated reference pages, check that everything is documented, and build the site into ./site
	@$(PYTHON_IN_VENV) -m scripts.docs
	@.venv/bin/pytest -q tests/architecture/test_docs_site.py tests/architecture/test_documented*.py
	@NO_MKDOCS_2_WARNING=1 .venv/bin/mkdocs build --strict
	@echo "The site is in ./site: .venv/bin/mkdocs serve shows it on http://localhost:8000 and follows your changes"
