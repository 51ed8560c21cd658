"""Airflow in pods by the values of `prod`: components, tasks in pods of their own, one that waits in the triggerer.

One run of a source is followed from its start to its release, so the tests stand in its order, here and in
``test_the_release.py``.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.kubernetes.node.installation.airflow_in_pods import OVER, AirflowInPods
from tests.kubernetes.node.installation.conftest import ANOTHER
from tests.kubernetes.node.installation.secrets import WAREHOUSE
from tests.kubernetes.node.installation.sources import SOURCE

WATCHDOG = "headwater_watchdog"
pytestmark = pytest.mark.timeout(1800)


def test_the_bundle_becomes_dags_without_an_import_error(airflow: AirflowInPods, run: str) -> None:
    """Rule 43."""
    assert run
    assert airflow.api.get("importErrors")["import_errors"] == []
    assert {SOURCE, WATCHDOG, "headwater__maintenance"} <= {dag["dag_id"] for dag in airflow.api.get("dags")["dags"]}


def test_a_task_runs_in_a_pod_of_its_own_as_the_workers_account(airflow: AirflowInPods, run: str) -> None:
    def look() -> dict[str, Any] | None:
        return next(iter(airflow.pods(dag_id=SOURCE, task_id="preflight")), None)

    pod = airflow.node.processes.wait_for(look, "no pod was made for preflight")
    assert pod["spec"]["serviceAccountName"] == "headwater-worker"
    assert pod["metadata"]["labels"]["kubernetes_executor"] == "True", "docs/operations/upgrade.md asks for it"
    done = airflow.ended(SOURCE, run, "preflight")
    assert done["state"] == "success", airflow.log(SOURCE, run, "preflight")
    assert done["hostname"] == pod["metadata"]["name"]


def test_a_task_that_waits_for_a_lease_waits_in_the_triggerer(airflow: AirflowInPods, run: str) -> None:
    """Rule 23."""

    def look() -> dict[str, Any] | None:
        found = airflow.api.tasks(SOURCE, run)["plan_run"]
        assert found["state"] not in OVER, "it did not wait"
        return found if found["state"] == "deferred" and found["triggerer_job"] else None

    waiting = airflow.node.processes.wait_for(look, "plan_run does not wait")
    assert waiting["trigger"]["classpath"].endswith("LeaseTrigger")
    airflow.node.processes.wait_for(lambda: None if _working(airflow) else True, "a pod stays with the task that waits")
    assert airflow.api.tasks(SOURCE, run)["plan_run"]["state"] == "deferred"
    with airflow.run_store() as store:
        store.release_leases(ANOTHER)
    assert airflow.ended(SOURCE, run, "plan_run")["state"] == "success"


def test_the_watchdog_asks_airflow_over_tls_from_a_pod(airflow: AirflowInPods) -> None:
    """Switched on as the deployment guide has people do it."""
    airflow.run("deploy/airflow-api-server", "api-server", "airflow", "dags", "unpause", WATCHDOG)
    made = airflow.node.processes.wait_for(lambda: next(iter(airflow.api.runs(WATCHDOG)), None), "no pass begins")
    assert airflow.ended(WATCHDOG, made, "watch_runs")["state"] == "success"
    airflow.api.switch(WATCHDOG, on=False)
    said = airflow.api.get(f"dags/{WATCHDOG}/dagRuns/{made}/taskInstances/watch_runs/xcomEntries/return_value")
    value = said["value"]
    report = json.loads(value) if isinstance(value, str) else value
    assert report["airflow"] == "answers"


def test_the_doctor_in_the_api_servers_pod_finds_nothing_wrong(airflow: AirflowInPods) -> None:
    """As the deployment guide has people ask after the installation."""
    said = airflow.run("deploy/airflow-api-server", "api-server", "headwater", "doctor")
    assert "every part is healthy" in said
    assert "✗" not in said


def test_a_table_is_extracted_into_the_bucket_of_the_warehouse(airflow: AirflowInPods, run: str) -> None:
    """Over TLS, as the profile of clusters has it: from Postgres, into S3, and said in the catalog."""
    assert airflow.ended(SOURCE, run, "extract_to_bronze0")["state"] == "success"
    client = airflow.outside.stores.s3.client()
    found = client.list_objects_v2(Bucket=WAREHOUSE).get("Contents", ())
    assert [item["Key"] for item in found if item["Key"].endswith(".parquet")]


def test_a_log_is_in_the_bucket_when_its_pod_is_gone(airflow: AirflowInPods, run: str) -> None:
    assert "plan of carriers" in airflow.log(SOURCE, run, "plan_run")


def _working(airflow: AirflowInPods) -> list[dict[str, Any]]:
    """Pods of the source's tasks that have not ended."""
    return [pod for pod in airflow.pods(dag_id=SOURCE) if pod["status"]["phase"] in {"Pending", "Running"}]
