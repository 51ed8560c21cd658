"""Airflow in pods of a node, by the values of `prod`; only for ``make node-test``, which has built node and image."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tests.integration.storage.secured_stores import serving as serving_stores
from tests.kubernetes.api_server_under_test import Cluster
from tests.kubernetes.conftest import rendered
from tests.kubernetes.node.installation import secrets, sources
from tests.kubernetes.node.installation.airflow_in_pods import AirflowInPods, items
from tests.kubernetes.node.installation.api import Api
from tests.kubernetes.node.installation.chart import NAMESPACE, AirflowChart
from tests.kubernetes.node.installation.outside import DATA, NAMES, Outside, serving
from tests.kubernetes.node.installation.sources import SOURCE
from tests.kubernetes.node.machine import Node
from tests.unit.helm_values.values import composed

from headwater.domain.names import TableName
from headwater.domain.run import RunKey

collect_ignore_glob = [] if "HEADWATER_NODE" in os.environ else ["test_*.py"]
ENVIRONMENT = "prod"
IMAGE = {"repository": "localhost/headwater-airflow", "tag": "latest", "pullPolicy": "Never"}
HOSTS = (*(f"{name}.{DATA}{end}" for name in NAMES for end in ("", ".svc")), "airflow-api-server")
READY_SECONDS = 400.0
ANOTHER = str(RunKey(installation="elsewhere", dag_id=SOURCE, run_id="another"))
"""Who holds a table that the run wants."""
LEASE_SECONDS = 1200.0
Manifest = dict[str, Any]


@pytest.fixture(scope="session")
def outside(tmp_path_factory: pytest.TempPathFactory, node: Node) -> Iterator[Outside]:
    assert node.cluster
    with serving_stores(HOSTS) as stores, serving(stores, tmp_path_factory.mktemp("git")) as made:
        for database in secrets.DATABASES:
            stores.postgres.make_database(database)
        for bucket in (secrets.WAREHOUSE, secrets.LOGS):
            stores.s3.client().create_bucket(Bucket=bucket)
        sources.fill(stores.postgres)
        sources.push(made.repository)
        yield made


@pytest.fixture(scope="session")
def airflow(cluster: Cluster, node: Node, outside: Outside) -> Iterator[AirflowInPods]:
    """With the migrations done and every component ready."""
    written = secrets.written(outside)
    values = composed("airflow", ENVIRONMENT) | {"images": {"airflow": IMAGE}}
    bundles = values["config"]["dag_processor"]
    (bundle,) = json.loads(bundles["dag_bundle_config_list"])
    bundle["kwargs"]["repo_url"] = outside.url
    bundles["dag_bundle_config_list"] = json.dumps([bundle])
    maps = [item for item in rendered(f"overlays/{ENVIRONMENT}/platform") if item["kind"] == "ConfigMap"]
    cluster.apply([*outside.manifests(), *maps, *written.manifests], dry=False)
    chart = AirflowChart(values)
    cluster.apply([*chart.manifests(), *_runtime(chart.image)], dry=False)
    node.processes.wait_for(partial(_up, cluster), "Airflow does not come up", READY_SECONDS)
    address = _address(cluster)
    api = Api(address, outside.stores.s3.authority.ca, secrets.ADMIN, written.password)
    yield AirflowInPods(api, cluster, node, outside)
    api.close()


@pytest.fixture(scope="session")
def run(airflow: AirflowInPods) -> str:
    """The first run of the source; somebody else holds one of its tables."""

    def look() -> bool | None:
        return any(item["dag_id"] == SOURCE for item in airflow.api.get("dags")["dags"]) or None

    airflow.node.processes.wait_for(look, "no DAG came", 240)
    with airflow.run_store() as store:
        store.acquire([TableName.parse(f"bronze.{SOURCE}.airlines")], ANOTHER, "somebody", LEASE_SECONDS)
    return airflow.api.trigger(SOURCE)


def _runtime(image: str) -> list[Manifest]:
    """Ours, with the image of the node: the migration of the run store, the watchdog from outside, the shell."""
    found = [item for item in rendered(f"overlays/{ENVIRONMENT}/runtime") if item["kind"] in {"Job", "CronJob"}]
    for item in found:
        spec = item["spec"]
        if item["kind"] == "CronJob":
            spec["suspend"] = True  # it passes when a test says so
            spec = spec["jobTemplate"]["spec"]
        pod = spec["template"]["spec"]
        for container in (*pod.get("initContainers", ()), *pod["containers"]):
            container |= {"image": image, "imagePullPolicy": "Never"}
    return found


def _up(cluster: Cluster) -> bool | None:
    """Whether each deployment has its pod and each job is through; what a pod died of is said at once."""
    found = items(cluster, "deployments,jobs,pods")
    for item in found:
        for status in item["status"].get("containerStatuses", ()):
            gone = status.get("lastState", {}).get("terminated") or {}
            assert status["restartCount"] < 3, f"{item['metadata']['name']}: {gone}\n{_said(cluster, item)}"
    waiting = [item for item in found if item["kind"] != "Pod" and not _is_done(item)]
    return None if waiting else True


def _is_done(item: Manifest) -> bool:
    return bool(item["status"].get("succeeded" if item["kind"] == "Job" else "readyReplicas"))


def _said(cluster: Cluster, pod: Manifest) -> str:
    name = pod["metadata"]["name"]
    return cluster.kubectl("logs", name, f"--namespace={NAMESPACE}", "--previous", "--tail=60", refused_is_fine=True)


def _address(cluster: Cluster) -> str:
    (pod,) = items(cluster, "pods", component="api-server")
    return str(pod["status"]["podIP"])


@pytest.fixture(autouse=True)
def told(airflow: AirflowInPods) -> Iterator[None]:
    """What pods said, when a test was told to keep it: ``HEADWATER_KEEP`` names a folder."""
    yield
    folder = os.environ.get("HEADWATER_KEEP")
    for pod in airflow.pods() if folder else ():
        name = pod["metadata"]["name"]
        Path(str(folder), f"{name}.log").write_text(airflow.said(name))
