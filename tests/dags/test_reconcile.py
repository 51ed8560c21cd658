"""A source that declares when it is compared has a second DAG; nothing else of it changes."""

from __future__ import annotations

from pathlib import Path

import pytest
from airflow.dag_processing.dagbag import DagBag

from headwater_airflow.callbacks import report_failure

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:airflow.*")  # Airflow's own use of its own past


@pytest.fixture
def dags(repository: Path) -> Path:
    file = repository / "dags" / "sources" / "flights.yaml"
    file.write_text(file.read_text() + "reconcile: {schedule: {cron: '0 3 * * 0'}, tables: [flights, planes]}\n")
    return repository / "dags"


def test_a_task_per_table_one_at_a_time_with_the_policies_of_the_house(dags: Path) -> None:
    bag = DagBag(dags)
    assert bag.import_errors == {}
    assert set(bag.dags) >= {"flights", "flights__reconcile", "weather"}
    assert "weather__reconcile" not in bag.dags
    dag = bag.dags["flights__reconcile"]
    assert (dag.max_active_tasks, dag.max_active_runs, dag.catchup) == (1, 1, False)
    assert "reconcile" in dag.tags
    assert "`flights`, `planes`" in (dag.doc_md or "")
    [task] = dag.tasks
    assert (task.task_id, task.is_mapped, task.owner) == ("reconcile", True, "aviation-data")
    assert task.on_failure_callback == [report_failure]


def test_at_task_start_only_the_wanted_one_of_a_file_is_built(dags: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for wanted in ("flights__reconcile", "flights"):
        monkeypatch.setenv("_AIRFLOW_PARSING_CONTEXT_DAG_ID", wanted)
        assert set(DagBag(dags).dags) == {wanted}
