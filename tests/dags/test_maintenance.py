"""The DAG that maintains tables: one task at a time, when the environment says, and alone with its mistakes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from airflow.dag_processing.dagbag import DagBag

from headwater.domain.maintenance import STEPS
from headwater_airflow.callbacks import report_failure

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:airflow.*")  # Airflow's own use of its own past
NAME = "headwater__maintenance"


def test_a_plan_then_a_task_per_group_one_at_a_time(repository: Path) -> None:
    bag = DagBag(repository / "dags" / "maintenance.py")
    assert bag.import_errors == {}
    dag: Any = bag.dags[NAME]
    assert (dag.max_active_tasks, dag.max_active_runs, dag.catchup) == (1, 1, False)
    assert dag.schedule.expression == "15 3 * * *"
    tasks = [(task.task_id, task.is_mapped) for task in dag.tasks]
    assert tasks == [("plan_maintenance", False), ("maintain", True), ("sweep_leftovers", False)]
    assert dag.get_task("maintain").upstream_task_ids == {"plan_maintenance"}
    assert dag.get_task("sweep_leftovers").upstream_task_ids == set(), "a table that fails keeps no leftovers"
    assert all(task.on_failure_callback == [report_failure] for task in dag.tasks)
    assert dag.params.get_param("steps").schema["items"]["enum"] == list(STEPS)


@pytest.mark.parametrize(("said", "expression"), [("0 1 * * 0", "0 1 * * 0"), ("manual", None)])
def test_the_environment_says_when(
    repository: Path, monkeypatch: pytest.MonkeyPatch, said: str, expression: str | None
) -> None:
    monkeypatch.setenv("HEADWATER_MAINTENANCE_SCHEDULE", said)
    dag: Any = DagBag(repository / "dags" / "maintenance.py").dags[NAME]
    assert getattr(dag.schedule, "expression", None) == expression


def test_a_wrong_schedule_takes_no_other_dag_away(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADWATER_MAINTENANCE_SCHEDULE", "every now and then")
    bag = DagBag(repository / "dags", bundle_path=repository / "dags", bundle_name="dags-folder")
    assert set(bag.import_errors) == {"maintenance.py"}
    assert "headwater_watchdog" in bag.dags
    assert NAME not in bag.dags


def test_at_task_start_it_is_built_only_when_wanted(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for wanted in (NAME, "headwater_watchdog"):
        monkeypatch.setenv("_AIRFLOW_PARSING_CONTEXT_DAG_ID", wanted)
        assert set(DagBag(repository / "dags").dags) == {wanted}
