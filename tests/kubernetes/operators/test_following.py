"""What tasks and dashboards see of stages at a real Spark operator, while the test writes what a kubelet would."""

from __future__ import annotations

import json
import re
from functools import partial

import pytest
from pydantic import SecretStr
from tests.kubernetes.api_server_under_test import Cluster
from tests.kubernetes.operators.spark_operator import SparkOperator, wait_for
from tests.kubernetes.operators.stages import Manifest, found, say, stage

from headwater.adapters.spark_applications.applications import ApplicationState, Phase
from headwater.domain.settings import CatalogSettings, Settings, SparkSettings
from headwater.domain.spark_settings import KubernetesSettings
from headwater_airflow.hooks.spark_applications import KubernetesApplications


@pytest.fixture
def tasks(cluster: Cluster, operator: SparkOperator, monkeypatch: pytest.MonkeyPatch) -> KubernetesApplications:
    """What a task follows applications with, signed in as the worker's account by an Airflow connection."""
    config = cluster.signed_in("headwater/headwater-worker", operator.folder).read_text()
    extra = {"conn_type": "kubernetes", "extra": {"kube_config": config}}
    monkeypatch.setenv("AIRFLOW_CONN_SPARK_CLUSTER", json.dumps(extra))
    place = KubernetesSettings(image="spark:1", connection="spark_cluster")
    spark = SparkSettings(jars="j", mode="kubernetes", kubernetes=place)
    catalog = CatalogSettings(uri=SecretStr("x"), jdbc_uri="y", warehouse="file:///w")
    return KubernetesApplications(
        Settings(home="h", repository="r", run_store=SecretStr("x"), catalog=catalog, spark=spark)
    )


def is_seen(tasks: KubernetesApplications, application: Manifest, phase: Phase) -> ApplicationState | None:
    state = tasks.look({key: application["metadata"][key] for key in ("namespace", "name")})
    return state if state.phase == phase else None


def test_a_driver_that_ends_is_seen_by_its_task_and_counted(
    cluster: Cluster, application: Manifest, driver: Manifest, operator: SparkOperator, tasks: KubernetesApplications
) -> None:
    pod = driver["metadata"]["name"]
    wait_for(partial(is_seen, tasks, application, "starting"), operator, "it does not start")
    say(cluster, pod, phase="Running")
    wait_for(partial(is_seen, tasks, application, "running"), operator, "it does not run")
    assert told(operator, "spark_application_running_count") == "1"
    say(cluster, pod, phase="Succeeded")
    ended = wait_for(partial(is_seen, tasks, application, "ended"), operator, "it does not end")
    assert (ended.facts or {})["state"] == "COMPLETED"
    assert told(operator, "spark_application_success_count") == "1"
    assert told(operator, "spark_application_running_count") == "0"


def test_why_a_driver_died_is_seen_by_its_task_and_counted(
    cluster: Cluster, environment: str, operator: SparkOperator, tasks: KubernetesApplications
) -> None:
    made = stage(environment, "validate")
    made["metadata"]["name"] = "flights-that-fail"
    made["metadata"]["labels"]["app_type"] = "refine"
    cluster.apply([made], dry=False)
    pod = f"{made['metadata']['name']}-driver"
    wait_for(partial(found, cluster, "pod", pod), operator, f"there is no pod {pod}")
    killed = {"exitCode": 137, "reason": "OOMKilled"}
    container = {"name": "spark-kubernetes-driver", "image": "i", "imageID": "", "ready": False, "restartCount": 0}
    say(cluster, pod, phase="Failed", containerStatuses=[{**container, "state": {"terminated": killed}}])
    ended = wait_for(partial(is_seen, tasks, made, "ended"), operator, "it does not end")
    facts = ended.facts or {}
    assert (facts["state"], facts["exit_status"]) == ("FAILED", "137")
    assert "OOMKilled" in ended.why
    assert told(operator, "spark_application_failure_count") == "1"


def told(operator: SparkOperator, metric: str) -> str:
    """What the operator's metrics say of our stage."""
    (value,) = re.findall(rf'^{metric}{{app_type="refine"}} (\S+)$', operator.metrics(), re.MULTILINE)
    return str(value)
