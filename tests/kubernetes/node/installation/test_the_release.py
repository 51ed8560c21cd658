"""The run goes on in pods to its release, and people read that from a pod; after ``test_tasks_in_pods.py``."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.kubernetes.node.installation.airflow_in_pods import AirflowInPods
from tests.kubernetes.node.installation.sources import ROWS, SOURCE

RUN_SECONDS = 1200.0
STAGES = {
    "preflight", "plan_run", "extract_to_bronze0", "validate_bronze", "publish_bronze", "refine_to_silver",
    "validate_silver", "build_gold", "validate_gold", "publish", "emit_lineage", "close_run",
}  # fmt: skip
pytestmark = pytest.mark.timeout(1800)


def test_every_stage_of_a_run_does_its_work_in_a_pod_of_its_own(airflow: AirflowInPods, run: str) -> None:
    done = airflow.follow(SOURCE, run, RUN_SECONDS)
    assert {name: task["state"] for name, task in done.items()} == dict.fromkeys(STAGES, "success")
    assert len({task["hostname"] for task in done.values()}) == len(STAGES)


def test_the_run_released_every_table_it_carried(airflow: AirflowInPods, run: str) -> None:
    """Rule 19."""
    with airflow.run_store() as store:
        released = {item.table.dotted for release in store.current() for item in release.tables}
    assert run
    assert released == {f"bronze.{SOURCE}.airlines", f"silver.{SOURCE}.airlines", f"gold.{SOURCE}.initials"}


def test_released_rows_are_read_from_the_pod_for_the_command_line(airflow: AirflowInPods, run: str) -> None:
    """As docs/operations/roll-back.md has people get one."""
    assert run
    with airflow.job("headwater-shell", _is_ready) as shell:
        gold = airflow.run(shell, "shell", *_query(f"select initial, carriers from gold.{SOURCE}.initials order by 1"))
        silver = airflow.run(shell, "shell", *_query(f"select carrier, name from silver.{SOURCE}.airlines"))
    assert json.loads(gold) == [{"initial": "A", "carriers": 2}, {"initial": "J", "carriers": 1}]
    assert {row["carrier"]: row["name"] for row in json.loads(silver)} == ROWS


def test_lineage_left_the_pod_before_it_was_gone(airflow: AirflowInPods, run: str) -> None:
    assert "wait in" not in airflow.log(SOURCE, run, "emit_lineage")
    urns = {urn for urn, _ in airflow.outside.datahub.store.aspects}
    assert [urn for urn in urns if f"lake.gold.{SOURCE}__initials," in urn]


def test_the_watchdog_from_outside_airflow_passes(airflow: AirflowInPods) -> None:
    """The CronJob's own pod: repository, stores and Airflow's API, all of it from outside."""
    with airflow.job("headwater-watchdog", _is_through) as pod:
        said = airflow.said(pod)
    assert "answers" in said


def _query(sql: str) -> tuple[str, ...]:
    return ("headwater", "query", sql, "--json")


def _is_ready(pod: dict[str, Any]) -> bool:
    conditions = pod["status"].get("conditions", ())
    return any((item["type"], item["status"]) == ("Ready", "True") for item in conditions)


def _is_through(pod: dict[str, Any]) -> bool:
    return bool(pod["status"]["phase"] == "Succeeded")
