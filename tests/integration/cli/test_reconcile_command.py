"""``reconcile`` over an installation, by hand and as a task: its answer, and the incident it opens and closes."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk import DAG
from airflow.sdk.exceptions import AirflowFailException
from tests.integration.reconciling.lake_under_test import Lake
from typer.testing import CliRunner

from headwater.cli.main import app
from headwater.domain.names import Layer
from headwater_airflow.callbacks import _reported_already
from headwater_airflow.operators.reconciling import ReconcileTableOperator

RUNNER = CliRunner()


def reconciled(expected_status: int) -> Any:
    done = RUNNER.invoke(app, ["reconcile", "shop", "--json"])
    assert done.exit_code == expected_status, done.output
    [table] = json.loads(done.stdout)
    return table


def test_a_loss_is_an_exit_status_an_incident_with_its_steps_and_closed_when_mended(lake: Lake) -> None:
    assert reconciled(0)["counts"] == {}
    whole = lake.rows(Layer.SILVER)
    lake.damage("SELECT * FROM silver WHERE id NOT IN (7, 70)")
    table = reconciled(1)
    assert (table["table"], table["counts"], table["equal"]) == ("silver.shop.orders", {"loss": 2}, False)
    assert [item["key"] for item in table["differences"]] == [{"id": "7"}, {"id": "70"}]
    shown = RUNNER.invoke(app, ["incidents", str(table["incident"])]).stdout
    assert "uv run headwater rebuild silver.shop.orders --wait" in shown.replace("\n", " ")
    for_people = RUNNER.invoke(app, ["reconcile", "shop", "--table", "orders"])
    assert for_people.exit_code == 1
    assert "bronze has the row, silver has not" in for_people.stdout
    lake.replace(whole, lake.batch)
    assert reconciled(0)["incident"] is None
    assert json.loads(RUNNER.invoke(app, ["incidents", "--json"]).stdout) == []


def test_the_task_is_red_for_a_loss_and_its_incident_is_told_once(lake: Lake, repository: Path) -> None:
    with DAG("shop__reconcile", schedule=None) as dag:
        task = ReconcileTableOperator(
            task_id="reconcile", file="dags/sources/shop.yaml", pipeline="shop", table="orders"
        )
    dag.fileloc = str(repository / "dags" / "sources.py")
    instance = SimpleNamespace(dag_id=dag.dag_id, run_id="r1", task_id="reconcile", map_index=0, try_number=1)
    context: Any = {"ti": instance, "task": task, "dag": dag}
    assert task.execute(context) == {"table": "silver.shop.orders", "rows": 300, "differences": "none"}
    lake.damage("SELECT * FROM silver WHERE id <> 7")
    with pytest.raises(AirflowFailException, match="1 loss") as red:
        task.execute(context)
    assert _reported_already(red.value)
    [incident] = json.loads(RUNNER.invoke(app, ["incidents", "--json"]).stdout)
    assert (incident["pipeline"], incident["table"], incident["cause"]) == (
        "shop",
        "silver.shop.orders",
        "source_differs",
    )


def test_a_table_that_is_none_is_named_and_its_neighbours_are_compared(lake: Lake) -> None:
    done = RUNNER.invoke(app, ["reconcile", "shop", "--table", "order", "--table", "orders", "--json"])
    assert done.exit_code == 1
    assert "shop has no table 'order'" in done.stderr
    [table] = json.loads(done.stdout)
    assert (table["table"], table["equal"]) == ("silver.shop.orders", True)
