"""The Spark operator of our values at work on the API server; only for ``make operators-test``, which has built it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.kubernetes.api_server_under_test import Cluster
from tests.kubernetes.operators.spark_operator import SparkOperator, operating, wait_for
from tests.kubernetes.operators.stages import Manifest, found, stage

collect_ignore_glob = [] if "HEADWATER_OPERATORS" in os.environ else ["test_*.py"]


@pytest.fixture(scope="session")
def operator(cluster: Cluster, environment: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkOperator]:
    binaries = Path(os.environ["HEADWATER_OPERATORS"])
    with operating(binaries, cluster, environment, tmp_path_factory.mktemp("operator")) as made:
        yield made


@pytest.fixture(scope="session")
def application(cluster: Cluster, environment: str, operator: SparkOperator) -> Manifest:
    """A stage that the worker's account made."""
    made = stage(environment)
    worker = Cluster(cluster.signed_in("headwater/headwater-worker", operator.folder))
    worker.apply([made], dry=False)
    return made


@pytest.fixture(scope="session")
def driver(cluster: Cluster, application: Manifest, operator: SparkOperator) -> Manifest:
    """The pod that the operator made of it, by spark-submit and its webhook, let in by its namespace."""
    name = f"{application['metadata']['name']}-driver"
    return wait_for(lambda: found(cluster, "pod", name), operator, f"there is no pod {name}")
