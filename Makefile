# Bare `make` lists the targets. Everything runs through uv with the locked set of uv.lock.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help setup demo demo-next demo-break demo-fix demo-stop check test lock requirements new-source options clean-demo dist image image-test k8s-test operators-test node-test restore-test yarn-test sbom demo-push monitoring monitoring-test dr-drill

HOME_FOLDER := $(or $(HEADWATER_HOME),.headwater)
TOOLS := $(HOME_FOLDER)/tools
UV_VERSION := 0.13.9
# An installed uv is used; else one is put into the home folder, with nothing but Python.
UV := $(or $(shell command -v uv 2>/dev/null),$(TOOLS)/bin/uv)
# Steps of alerts say `uv run …`: they find the same uv.
export PATH := $(PATH):$(abspath $(TOOLS)/bin)
# Where a shell forbids bytecode, as images of Python do, each of a demo's processes would compile every library anew.
export PYTHONDONTWRITEBYTECODE :=
RUN := $(UV) run --frozen --all-extras
# No header: it would name the file the export was written to.
EXPORT_ANY := $(UV) export --frozen --quiet --no-header --no-dev --no-emit-project
# Spark too: the engine `connect` runs it in the task's pod.
EXPORT := $(EXPORT_ANY) --extra airflow --extra spark --extra lineage --extra slack
EXPORT_SPARK := $(EXPORT_ANY) --extra spark
BASE_IMAGE ?=
REGISTRY ?= localhost
VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)
CHOICE ?= A
PODS ?= spark
NAME ?=
CONNECTION ?=

help: ## List the targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z0-9-]+:.*## / {printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(TOOLS)/bin/uv:
	@echo "installing uv $(UV_VERSION) into $(TOOLS)"
	@python3 -m venv $(TOOLS)
	@$(TOOLS)/bin/pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

setup: $(UV) ## Install everything locked, for running and for tests
	@$(UV) sync --frozen --all-extras --quiet

demo: setup ## Start everything, bring real flights to gold, serve until Ctrl-C (DEMO_EXIT=1: end when done)
	@exec $(RUN) --no-sync headwater demo serve

demo-next: setup ## While the demo serves: a month passes at the source
	@$(RUN) --no-sync headwater demo next

demo-break: setup ## While the demo serves: a batch that breaks a contract arrives
	@$(RUN) --no-sync headwater demo break

demo-fix: setup ## While the demo serves: do what the alert says (CHOICE=A, B or C)
	@$(RUN) --no-sync headwater demo fix --choice $(CHOICE)

demo-push: setup ## While the demo serves: deploy a source and changes of it by Git push
	@$(RUN) --no-sync headwater demo push

dr-drill: setup ## Lose the demo's databases on paper and restore them beside it: RPO, RTO, every row
	@$(RUN) --no-sync headwater dr-drill

demo-stop: setup ## Stop a demo that is serving
	@$(RUN) --no-sync headwater demo stop

new-source: setup ## Scaffold a source: make new-source NAME=orders CONNECTION=orders_db
	@$(RUN) --no-sync headwater new-source $(NAME) --connection $(CONNECTION)

options: setup ## Write the tables of options in the guides, after a change of the models
	@$(RUN) --no-sync headwater schema --guides docs/guides

monitoring: setup ## Write Prometheus rules and Grafana dashboards, after a change of the metrics
	@$(RUN) --no-sync headwater monitoring monitoring

monitoring-test: setup ## Unit tests of the Prometheus rules (needs promtool, as in Debian's package prometheus)
	@promtool check rules monitoring/prometheus/*.rules.yaml
	@promtool test rules monitoring/prometheus/*.tests.yaml

check: setup ## The whole gate but the tests: locks, format, lint, types, layers, YAML, sources, links
	@$(UV) lock --check --quiet
	@$(EXPORT) | diff -u requirements.txt - || { echo "requirements.txt is old: make requirements"; exit 1; }
	@$(EXPORT_SPARK) | diff -u requirements-spark.txt - || { echo "requirements-spark.txt is old: make requirements"; exit 1; }
	@$(RUN) --no-sync ruff format --check .
	@$(RUN) --no-sync ruff check .
	@$(RUN) --no-sync mypy include plugins/headwater_airflow spark_jobs tests helm-values/derive_keys.py image/licences.py deploy/*.py
	@$(RUN) --no-sync lint-imports
	@$(RUN) --no-sync yamllint --strict .
	@$(RUN) --no-sync headwater validate
	@$(RUN) --no-sync deploy/check
	@$(RUN) --no-sync pytest -q tests/architecture

test: setup ## Run all tests
	@$(RUN) --no-sync pytest --numprocesses 2 --no-loadscope-reorder

lock: $(UV) ## Resolve dependencies again
	@$(UV) lock

requirements: $(UV) ## Write requirements.txt and requirements-spark.txt with hashes, for images built by pip
	@$(EXPORT) > requirements.txt
	@$(EXPORT_SPARK) > requirements-spark.txt

dist: $(UV)
	@rm -rf dist
	@$(UV) build --quiet --wheel --out-dir dist

image: dist ## Build both images by buildah: make image BASE_IMAGE=…@sha256:… REGISTRY=registry.example.com/headwater
	@test -n "$(BASE_IMAGE)" || { echo "name the base by digest: make image BASE_IMAGE=<image>@sha256:<digest>"; exit 1; }
	@for target in airflow spark; do buildah build --format docker --build-arg BASE_IMAGE=$(BASE_IMAGE) \
	  --target $$target --tag $(REGISTRY)/$$target:$(VERSION) .; done

image-test: dist ## Build both images on a base of this machine's own making, and run `headwater doctor` inside (root)
	@image/test

k8s-test: setup ## Ask a real Kubernetes API server what it says of our manifests (needs go, kubectl; 4 minutes the first time)
	@command -v kubectl >/dev/null || { echo "make k8s-test needs kubectl 1.31 or newer"; exit 1; }
	@deploy/api-server/build $(HOME_FOLDER)/api-server
	@HEADWATER_API_SERVER=$(abspath $(HOME_FOLDER)/api-server) $(RUN) --no-sync pytest -q tests/kubernetes

operators-test: setup ## k8s-test with a real Spark operator at work on our stages (needs go, kubectl; 15 minutes the first time)
	@command -v kubectl >/dev/null || { echo "make operators-test needs kubectl 1.31 or newer"; exit 1; }
	@deploy/api-server/build $(HOME_FOLDER)/api-server
	@deploy/operators/build $(HOME_FOLDER)/operators
	@HEADWATER_API_SERVER=$(abspath $(HOME_FOLDER)/api-server) HEADWATER_OPERATORS=$(abspath $(HOME_FOLDER)/operators) \
	  HEADWATER_DEFINITIONS=$(abspath $(HOME_FOLDER)/operators/spark-operator-chart/crds) \
	  $(RUN) --no-sync pytest -q tests/kubernetes

yarn-test: setup ## The engine submit on a real YARN of this machine's own (fetches 50 MB of Hadoop's jars the first time)
	@HEADWATER_YARN=1 $(RUN) --no-sync pytest -q tests/spark/engines/test_engines.py tests/spark/engines/test_yarn.py -k yarn

node-test: setup dist ## A stage in the pods of a real node, or with PODS=airflow Airflow and its tasks (root; programs and times: docs/operations/deploy.md)
	@for tool in kubectl containerd ctr runc ip buildah debootstrap; do command -v $$tool >/dev/null || \
	  { echo "make node-test needs $$tool: docs/operations/deploy.md names the packages"; exit 1; }; done
	@deploy/api-server/build $(HOME_FOLDER)/api-server
	@deploy/operators/build $(HOME_FOLDER)/operators
	@deploy/node/build $(HOME_FOLDER)/node
	@TARGETS=$(PODS) image/test
	@TARGETS=$(PODS) deploy/node/images $(HOME_FOLDER)/images
	@$(RUN) --no-sync python -c "from headwater.adapters.embedded.jars import ensure_jars; ensure_jars()"
	@HEADWATER_API_SERVER=$(abspath $(HOME_FOLDER)/api-server) HEADWATER_OPERATORS=$(abspath $(HOME_FOLDER)/operators) \
	  HEADWATER_DEFINITIONS=$(abspath $(HOME_FOLDER)/operators/spark-operator-chart/crds) \
	  HEADWATER_NODE=$(abspath $(HOME_FOLDER)/node) HEADWATER_IMAGES=$(abspath $(HOME_FOLDER)/images) \
	  deploy/node/inside $(RUN) --no-sync pytest -q $(if $(filter airflow,$(PODS)),tests/kubernetes/node/installation,$(wildcard tests/kubernetes/node/test_*.py))

restore-test: setup ## Postgres by its real operator on a real node: backed up, and restored to an instant (root; docs/operations/deploy.md)
	@for tool in kubectl containerd ctr runc ip iptables buildah debootstrap; do command -v $$tool >/dev/null || \
	  { echo "make restore-test needs $$tool: docs/operations/deploy.md names the packages"; exit 1; }; done
	@deploy/api-server/build $(HOME_FOLDER)/api-server
	@deploy/operators/build $(HOME_FOLDER)/operators cloudnative-pg plugin-barman-cloud
	@deploy/operators/charts $(HOME_FOLDER)/charts $(HOME_FOLDER)/operators/helm
	@deploy/node/build $(HOME_FOLDER)/node kube-proxy
	@TARGETS= deploy/node/images $(HOME_FOLDER)/postgres-images
	@deploy/node/postgres-images $(HOME_FOLDER)/operators $(HOME_FOLDER)/postgres-images
	@HEADWATER_API_SERVER=$(abspath $(HOME_FOLDER)/api-server) HEADWATER_OPERATORS=$(abspath $(HOME_FOLDER)/operators) \
	  HEADWATER_NODE=$(abspath $(HOME_FOLDER)/node) HEADWATER_IMAGES=$(abspath $(HOME_FOLDER)/postgres-images) \
	  HEADWATER_CHARTS=$(abspath $(HOME_FOLDER)/charts) \
	  deploy/node/inside $(RUN) --no-sync pytest -q tests/kubernetes/node/database

sbom: $(UV) ## List what the images hold, with versions and hashes: dist/headwater.cdx.json (CycloneDX)
	@mkdir -p dist
	@$(EXPORT_ANY) --extra airflow --extra spark --extra lineage --extra slack --format cyclonedx1.5 \
	  --preview-features sbom-export > dist/headwater.cdx.json
