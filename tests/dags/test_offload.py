"""The form that asks what of a table's history can leave its source."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from airflow.dag_processing.dagbag import DagBag

from headwater.domain.names import OPERATIONS
from headwater_airflow.callbacks import report_failure

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:airflow.*")  # Airflow's own use of its own past
NAME = "headwater__offload"


def test_one_task_that_only_its_form_starts(repository: Path) -> None:
    bag = DagBag(repository / "dags" / "operations.py")
    assert bag.import_errors == {}
    dag: Any = bag.dags[NAME]
    assert (dag.schedule, dag.max_active_runs) == (None, 1)
    [task] = dag.tasks
    assert (task.task_id, task.retries, task.on_failure_callback) == ("verify_offload", 0, [report_failure])
    assert list(dag.params) == ["table", "before", "reason"]
    form = {name: dag.params.get_param(name) for name in dag.params}
    assert all(not form[name].has_value for name in ("table", "before"))
    assert form["table"].resolve("shop.orders") == "shop.orders"
    with pytest.raises(ValueError, match="does not match"):
        form["table"].resolve("orders; DROP")


def test_every_dag_of_ours_but_the_watchdog_is_watched(repository: Path) -> None:
    ours = {name for name in DagBag(repository / "dags").dags if name.startswith("headwater__")}
    assert ours == set(OPERATIONS)


def test_at_task_start_it_is_built_only_when_wanted(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for wanted in (NAME, "headwater_watchdog"):
        monkeypatch.setenv("_AIRFLOW_PARSING_CONTEXT_DAG_ID", wanted)
        assert set(DagBag(repository / "dags").dags) == {wanted}
