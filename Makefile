# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Each target is one call of tests/gates; look there for what it does. Works from a path with blanks.
PYTHON ?= python3
SHELL := /bin/sh

.DEFAULT_GOAL := help
.PHONY: help demo test test-unit test-integration fuzz cuts kerberos awx matrix bench fleet chaos pages gates sanity lint docs-lint docsite \
	yamllint spelling reuse ruff mypy changelog artifact dist ee clean

help: ## say what each target does
	@echo "make TARGET, with TARGET one of"
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-17s %s\n", $$1, $$2 }' Makefile

demo: ## show the whole job on four simulated Exchange hosts (nothing is left running)
test: ## unit and integration tests, in less than ten minutes
test-unit: ## only the tests that start nothing
test-integration: ## only the tests that run ansible-playbook against the lab
fuzz: ## each parser for a minute with atheris, then the laws with many examples (hours; ARGS="--seconds 9 xml", ARGS=FILE)
cuts: ## disturb a change, a restart and a maintenance at each of their requests, in each way (an hour; `make test` does some of it)
kerberos: ## the tests with a real Kerberos realm (needs krb5-kdc; otherwise says SKIPPED)
awx: ## the tests with awx.awx, and the longer jobs of AWX (installs the package ansible, which has it)
matrix: ## the tests on every ansible-core from 2.16 (with the oldest libraries) to 2.22
bench: ## count requests, bytes and seconds per host (ARGS="--hosts 1 --forks 5": a short one)
fleet: ## three controllers at once at many DAGs, some servers faulty (ARGS="--dags 5 --members 3": a short one)
chaos: ## kill controllers of small fleets at seeded requests, and see what the next run makes of it (ARGS="--kills 500 --seed 7")
pages: ## write the tables and the picture of the guides (ARGS=--results: after make test and make kerberos; ARGS=--check)
gates: ## every check below
sanity: ## ansible-test sanity of what users get, on ansible-core 2.16, 2.19 and 2.21
lint: ## ansible-lint, profile production, strict
docs-lint: ## antsibull-docs on modules, role and playbooks
docsite: ## build the site of the guides and the documentation of modules
yamllint: ## yamllint on every YAML file
spelling: ## codespell on documents, comments and messages
reuse: ## reuse: every file has a licence
ruff: ## ruff: lint and format
mypy: ## mypy, strict
changelog: ## antsibull-changelog on the fragments
artifact: ## build the collection, check what is in it, install it and try it
dist: ## the artifact for a release, bit for bit the same whoever builds a commit
ee: ## prepare the execution environment, and check what is in it (needs no container engine)
clean: ## remove all that these targets made (.venv and .cache)

demo test test-unit test-integration fuzz cuts kerberos awx matrix bench fleet chaos pages gates sanity lint docs-lint docsite yamllint spelling \
reuse ruff mypy changelog artifact dist ee clean:
	@"$(PYTHON)" -m tests.gates $@ $(ARGS)
