"""Airflow in pods by the values of `prod`: components, tasks in pods of their own, one that waits in the triggerer.

One run of a source is followed from its start to its first rows in bronze, so the tests stand in its order.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from tests.kubernetes.node.installation.conftest import AirflowInPods
from tests.kubernetes.node.installation.secrets import LOGS, WAREHOUSE
from tests.kubernetes.node.installation.sources import SOURCE

from headwater.adapters.run_store import SqlRunStore
from headwater.domain.names import TableName
from headwater.domain.run import RunKey

WATCHDOG = "headwater_watchdog"
OVER = {"success", "failed", "upstream_failed", "skipped"}
ANOTHER = str(RunKey(installation="elsewhere", dag_id=SOURCE, run_id="another"))
"""Who holds a table that the run wants."""
LEASE_SECONDS = 1200.0
pytestmark = pytest.mark.timeout(1800)


@contextmanager
def run_store(airflow: AirflowInPods) -> Iterator[SqlRunStore]:
    postgres = airflow.outside.stores.postgres
    store = SqlRunStore(f"{postgres.url('run_store')}?sslmode=verify-full&sslrootcert={postgres.authority.ca}")
    try:
        yield store
    finally:
        store.close()


@pytest.fixture(scope="module")
def run(airflow: AirflowInPods) -> str:
    """The first run of the source; somebody else holds one of its tables."""
    airflow.node.processes.wait_for(lambda: SOURCE in _dags(airflow) or None, "no DAG came", 240)
    with run_store(airflow) as store:
        store.acquire([TableName.parse(f"bronze.{SOURCE}.airlines")], ANOTHER, "somebody", LEASE_SECONDS)
    return airflow.api.trigger(SOURCE)


def _dags(airflow: AirflowInPods) -> set[str]:
    return {item["dag_id"] for item in airflow.api.get("dags")["dags"]}


def test_the_bundle_becomes_dags_without_an_import_error(airflow: AirflowInPods, run: str) -> None:
    """Rule 43."""
    assert run
    assert airflow.api.get("importErrors")["import_errors"] == []
    assert {SOURCE, WATCHDOG, "headwater__maintenance"} <= _dags(airflow)


def test_a_task_runs_in_a_pod_of_its_own_as_the_workers_account(airflow: AirflowInPods, run: str) -> None:
    def look() -> dict[str, Any] | None:
        return next(iter(airflow.pods(dag_id=SOURCE, task_id="preflight")), None)

    pod = airflow.node.processes.wait_for(look, "no pod was made for preflight")
    assert pod["spec"]["serviceAccountName"] == "headwater-worker"
    assert pod["metadata"]["labels"]["kubernetes_executor"] == "True", "docs/operations/upgrade.md asks for it"
    done = _ended(airflow, SOURCE, run, "preflight")
    assert done["state"] == "success", _log(airflow, run, "preflight")
    assert done["hostname"] == pod["metadata"]["name"]


def test_a_task_that_waits_for_a_lease_waits_in_the_triggerer(airflow: AirflowInPods, run: str) -> None:
    """Rule 23."""

    def look() -> dict[str, Any] | None:
        found = airflow.api.tasks(SOURCE, run)["plan_run"]
        assert found["state"] not in OVER, "it did not wait"
        return found if found["state"] == "deferred" and found["triggerer_job"] else None

    waiting = airflow.node.processes.wait_for(look, "plan_run does not wait")
    assert waiting["trigger"]["classpath"].endswith("LeaseTrigger")
    assert [pod for pod in airflow.pods(dag_id=SOURCE) if pod["status"]["phase"] == "Running"] == []
    with run_store(airflow) as store:
        store.release_leases(ANOTHER)
    assert _ended(airflow, SOURCE, run, "plan_run")["state"] == "success"


def test_the_watchdog_asks_airflow_over_tls_from_a_pod(airflow: AirflowInPods) -> None:
    made = airflow.api.trigger(WATCHDOG)
    (task,) = airflow.api.tasks(WATCHDOG, made)
    assert _ended(airflow, WATCHDOG, made, task)["state"] == "success"
    said = airflow.api.get(f"dags/{WATCHDOG}/dagRuns/{made}/taskInstances/{task}/xcomEntries/return_value")
    value = said["value"]
    report = json.loads(value) if isinstance(value, str) else value
    assert report["airflow"] == "answers"


def test_the_doctor_in_the_api_servers_pod_finds_nothing_wrong(airflow: AirflowInPods) -> None:
    """As the deployment guide has people ask after the installation."""
    where = ("--namespace=headwater", "deploy/airflow-api-server", "--container=api-server")
    said = airflow.cluster.kubectl("exec", *where, "--", "headwater", "doctor")
    assert "every part is healthy" in said
    assert "✗" not in said


def test_a_table_is_extracted_into_the_bucket_of_the_warehouse(airflow: AirflowInPods, run: str) -> None:
    """Over TLS, as the profile of clusters has it: from Postgres, into S3, and said in the catalog."""
    assert _ended(airflow, SOURCE, run, "extract_to_bronze0")["state"] == "success"
    client = airflow.outside.stores.s3.client()
    found = client.list_objects_v2(Bucket=WAREHOUSE).get("Contents", ())
    assert [item["Key"] for item in found if item["Key"].endswith(".parquet")]


def test_a_log_is_in_the_bucket_when_its_pod_is_gone(airflow: AirflowInPods, run: str) -> None:
    assert "plan of carriers" in _log(airflow, run, "plan_run")


def _ended(airflow: AirflowInPods, dag: str, run: str, task: str, seconds: float = 300.0) -> dict[str, Any]:
    def look() -> dict[str, Any] | None:
        found = airflow.api.tasks(dag, run).get(task)
        return found if found and found["state"] in OVER else None

    return airflow.node.processes.wait_for(look, f"{task} does not end", seconds)


def _log(airflow: AirflowInPods, run: str, task: str) -> str:
    """What the bucket has of a task's first try."""
    client = airflow.outside.stores.s3.client()
    key = f"airflow/dag_id={SOURCE}/run_id={run}/task_id={task}/attempt=1.log"
    return str(client.get_object(Bucket=LOGS, Key=key)["Body"].read().decode())
