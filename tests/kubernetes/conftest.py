"""One API server per environment, with what all else stands on; only for ``make k8s-test``, which has built it.

The Spark operator of our values works on it where it was built, too: ``make operators-test``, ``make node-test``.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.kubernetes.api_server_under_test import Cluster, serving
from tests.kubernetes.definitions import definitions
from tests.kubernetes.operators.spark_operator import SparkOperator, operating

# its server is built in minutes, and asked for by naming its folder: otherwise there is no such test
collect_ignore_glob = [] if "HEADWATER_API_SERVER" in os.environ else ["test_*.py"]
DEPLOY = Path(__file__).parents[2] / "deploy"
FIRST = ("Namespace", "ServiceAccount", "Role", "RoleBinding")
"""What is really made, because the rest is judged by it."""


def rendered(folder: str) -> list[dict[str, Any]]:
    """What kubectl makes of a folder of kustomize's."""
    told = subprocess.run(["kubectl", "kustomize", str(DEPLOY / folder)], capture_output=True, text=True, check=True)
    return [item for item in yaml.safe_load_all(told.stdout) if item]


@pytest.fixture(scope="session", params=["dev", "prod"])
def environment(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="session")
def manifests(environment: str) -> list[dict[str, Any]]:
    """Everything of ours that Argo CD would apply."""
    folders = [f"overlays/{environment}/{part}" for part in ("platform", "kafka", "runtime")]
    return [item for folder in [*folders, f"argocd/{environment}"] for item in rendered(folder)]


@pytest.fixture(scope="session")
def cluster(
    environment: str, manifests: list[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Cluster]:
    """With the operators' definitions, our namespaces, accounts and rights."""
    binaries = Path(os.environ["HEADWATER_API_SERVER"])
    with serving(binaries, tmp_path_factory.mktemp(environment)) as made:
        furnish(made, manifests)
        yield made


@pytest.fixture(scope="session")
def operator(cluster: Cluster, environment: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkOperator]:
    """At work on the cluster of the suite that asks for it."""
    binaries = Path(os.environ["HEADWATER_OPERATORS"])
    with operating(binaries, cluster, environment, tmp_path_factory.mktemp("operator")) as made:
        yield made


def furnish(made: Cluster, manifests: list[dict[str, Any]]) -> None:
    """Give an empty cluster the operators' definitions, our namespaces, accounts and rights."""
    made.apply(definitions(os.environ.get("HEADWATER_DEFINITIONS")), dry=False)
    _await_definitions(made)
    argocd = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "argocd"}}
    for kind in FIRST:
        items = [item for item in manifests if item["kind"] == kind]
        made.apply(items + [argocd] * (kind == "Namespace"), dry=False)


def _await_definitions(made: Cluster) -> None:
    """Until each is served. ``kubectl wait`` gives up at one that has no conditions yet."""
    until = time.monotonic() + 60
    while True:
        items = json.loads(made.kubectl("get", "customresourcedefinitions", "--output=json"))["items"]
        if all(_is_established(item) for item in items):
            return
        assert time.monotonic() < until, "the server does not come to serve the definitions"
        time.sleep(0.2)


def _is_established(definition: dict[str, Any]) -> bool:
    conditions = definition.get("status", {}).get("conditions") or ()
    return any((item["type"], item["status"]) == ("Established", "True") for item in conditions)
