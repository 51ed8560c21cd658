"""A stage that the Spark operator was given; only for ``make operators-test``, which has built the operator."""

from __future__ import annotations

import os

import pytest
from tests.kubernetes.api_server_under_test import Cluster
from tests.kubernetes.operators.spark_operator import SparkOperator, wait_for
from tests.kubernetes.operators.stages import Manifest, found, stage

collect_ignore_glob = [] if "HEADWATER_OPERATORS" in os.environ else ["test_*.py"]


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
