"""A node that really runs the pods of our stages; only for ``make node-test``, which has built it and is inside."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from tests.kubernetes.api_server_under_test import Cluster
from tests.kubernetes.conftest import furnish
from tests.kubernetes.node.machine import Node, running
from tests.kubernetes.node.paused_jobs import PausedJob, end_paused
from tests.kubernetes.node.paused_jobs import paused_job as start_paused
from tests.kubernetes.node.relay import relayed
from tests.kubernetes.operators.spark_operator import SparkOperator
from tests.spark.conftest import lake, local_lake, remote, spark

from headwater.adapters.embedded.postgres import EmbeddedPostgres
from headwater.adapters.spark_applications.deferring import DeferringEngine
from headwater.adapters.spark_applications.engine import ApplicationEngine
from headwater.domain.job import JobSpec
from headwater.domain.names import Layer
from headwater.domain.settings import Settings
from headwater.domain.spark_settings import KubernetesSettings, SharedVolume, StageSize
from headwater_airflow.hooks.spark_applications import KubernetesApplications

collect_ignore_glob = [] if "HEADWATER_NODE" in os.environ else ["test_*.py"]
SPARK = "headwater-spark"
CLAIM = "warehouse"
__all__ = ["lake", "remote", "spark"]


@pytest.fixture(scope="session")
def environment() -> str:
    """The smaller one: pods of both are made alike."""
    return "dev"


@pytest.fixture(scope="session")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    servers, binaries, images = (Path(os.environ[f"HEADWATER_{name}"]) for name in ("API_SERVER", "NODE", "IMAGES"))
    with running(servers, binaries, images, tmp_path_factory.mktemp("node")) as made:
        yield made


@pytest.fixture(scope="session")
def cluster(node: Node, manifests: list[dict[str, Any]]) -> Cluster:
    """Of the node, with our namespaces, accounts and rights."""
    furnish(node.cluster, manifests)
    return node.cluster


@pytest.fixture(scope="session")
def settings(postgres_server: EmbeddedPostgres) -> Iterator[Settings]:
    """The lake of a volume: of root here, in folders that the group of the images' user may write.

    In production tasks and drivers are one user. Hadoop makes folders that only their maker may write, whatever the
    process would: those that several make tables in are there before.
    """
    before = os.umask(0o002)
    with local_lake(postgres_server) as made:
        home = Path(made.home)
        home.chmod(0o2775)
        for folder in ("events", *(f"warehouse/{layer.value}" for layer in Layer)):
            (home / folder).mkdir(parents=True)
        yield made
    os.umask(before)


@pytest.fixture(scope="session")
def in_pods(
    settings: Settings, cluster: Cluster, operator: SparkOperator, postgres_server: EmbeddedPostgres
) -> Iterator[Settings]:
    """The lake's profile with stages as SparkApplications; tasks sign in as the worker's account."""
    volume = SharedVolume(claim=CLAIM, path=settings.home)
    config = cluster.signed_in("headwater/headwater-worker", operator.folder).read_text()
    place = KubernetesSettings(image="localhost/headwater-spark:latest", connection="spark_cluster", volumes=(volume,))
    spark = settings.spark.model_copy(
        update={
            "mode": "kubernetes",
            "kubernetes": place,
            "sizes": {"default": StageSize(driver_memory="1g", executors=1, executor_memory="700m")},
            "event_log": (Path(settings.home) / "events").as_uri(),
            "conf": {
                "spark.eventLog.compress": "false",
                "spark.kubernetes.driver.request.cores": "200m",
                "spark.kubernetes.executor.request.cores": "200m",
            },
        }
    )
    with relayed(postgres_server.port) as door, pytest.MonkeyPatch.context() as patch:
        extra = {"conn_type": "kubernetes", "extra": {"kube_config": config}}
        patch.setenv("AIRFLOW_CONN_SPARK_CLUSTER", json.dumps(extra))
        cluster.apply([*_volume(settings.home), _stores(settings, door)], dry=False)
        yield settings.model_copy(update={"spark": spark})


@pytest.fixture
def engine(in_pods: Settings) -> ApplicationEngine:
    """As a task of its own has it."""
    return ApplicationEngine(in_pods, KubernetesApplications(in_pods), poll_seconds=0.5)


@pytest.fixture
def paused_job(in_pods: Settings, node: Node) -> Iterator[Callable[[JobSpec, str], PausedJob]]:
    """``paused_job(job, failpoint)`` starts a job in a task of its own and waits until its driver stopped there."""
    with ThreadPoolExecutor() as tasks:
        try:
            yield lambda job, point: start_paused(in_pods, job, point, node.processes, tasks)
        finally:
            end_paused()


@pytest.fixture
def deferring_engine(in_pods: Settings) -> DeferringEngine:
    return DeferringEngine(in_pods, KubernetesApplications(in_pods))


def _volume(path: str) -> list[dict[str, Any]]:
    """A volume that all pods write, as docs/operations/engines.md has it: here a folder of the node."""
    size, modes = {"storage": "10Gi"}, ["ReadWriteMany"]
    meta = {"name": CLAIM}
    volume = {"capacity": size, "accessModes": modes, "storageClassName": "", "hostPath": {"path": path}}
    claim = {"accessModes": modes, "storageClassName": "", "volumeName": CLAIM, "resources": {"requests": size}}
    return [
        {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": meta, "spec": volume},
        {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {**meta, "namespace": SPARK},
            "spec": claim,
        },
    ]


def _stores(settings: Settings, door: str) -> dict[str, Any]:
    database = urlsplit(settings.catalog.jdbc_uri.removeprefix("jdbc:")).path
    values = {
        "HEADWATER_CATALOG_JDBC_URI": f"jdbc:postgresql://{door}{database}",
        "HEADWATER_CATALOG_USER": str(settings.catalog.jdbc_user),
        "HEADWATER_CATALOG_PASSWORD": settings.catalog.jdbc_password.get_secret_value(),
    }
    data = {name: base64.b64encode(value.encode()).decode() for name, value in values.items()}
    meta = {"name": "headwater-stores", "namespace": SPARK}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": meta, "data": data}
