"""``offload`` over an installation: its answer, the report it keeps, and what it refuses."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk import DAG
from airflow.sdk.exceptions import AirflowFailException
from tests.integration.reconciling.lake_under_test import Lake
from typer.testing import CliRunner

from headwater.adapters.platform import open_platform
from headwater.cli.main import app
from headwater.domain.offload import OffloadReport
from headwater_airflow.callbacks import _reported_already
from headwater_airflow.operators.offloading import VerifyOffloadOperator

RUNNER = CliRunner()
ASKED = ["offload", "shop.orders", "--before", "2025-01-01T02:00:00Z"]


def test_what_readers_see_is_reported_and_the_report_is_kept(lake: Lake) -> None:
    """Rule 29: a file beside the metadata. Nothing is read where nothing is lacking: there is no Airflow here."""
    done = RUNNER.invoke(app, [*ASKED, "--json"])
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert (told["table"], told["rows"], told["verified"], len(told["ranges"])) == ("silver.shop.orders", 119, True, 1)
    assert "/bronze/" in told["stored"]
    kept = OffloadReport.model_validate_json(Path(told["stored"].removeprefix("file://")).read_bytes())
    assert kept.ranges[0].purge == told["ranges"][0]["purge"]
    for_people = RUNNER.invoke(app, ASKED)
    assert for_people.exit_code == 0
    assert "IF gone <> 119 THEN RAISE" in for_people.stdout
    assert "119 of 119 rows" in for_people.stdout.replace("\n", " ")
    lake.source.sql(told["ranges"][0]["purge"])
    assert "The source has no row before that." in RUNNER.invoke(app, ASKED).stdout


def test_what_readers_lack_ends_with_1_and_has_no_statement(lake: Lake) -> None:
    lake.damage("SELECT * FROM silver WHERE id <> 7")
    done = RUNNER.invoke(app, [*ASKED, "--no-read"])
    assert done.exit_code == 1
    assert "1 rows are not in the lake as they are" in done.stdout.replace("\n", " ")
    assert "DELETE" not in done.stdout


def test_without_a_run_to_read_what_is_lacking_it_says_what_is_missing(lake: Lake) -> None:
    """The run is Airflow's, and this installation has none."""
    lake.damage("SELECT * FROM silver WHERE id <> 7")
    done = RUNNER.invoke(app, ASKED)
    assert done.exit_code == 1
    assert "airflow_down" in done.stderr


def test_the_task_of_the_form_is_red_until_all_of_it_can_leave(lake: Lake, repository: Path) -> None:
    """Its message is the run that reads what is lacking; nobody is alerted of an answer to a question of his own."""
    with DAG("headwater__offload", schedule=None) as dag:
        task = VerifyOffloadOperator(task_id="verify_offload")
    dag.fileloc = str(repository / "dags" / "operations.py")
    instance = SimpleNamespace(
        dag_id=dag.dag_id, run_id="manual__1", task_id=task.task_id, map_index=-1, try_number=1, log_url=None
    )
    context: Any = {"ti": instance, "params": {"table": "shop.orders", "before": "2025-01-01T02:00:00Z"}}
    done = task.execute(context)
    assert (done["table"], done["rows"]) == ("silver.shop.orders", 119)
    assert Path(done["report"].removeprefix("file://")).exists()
    lake.damage("SELECT * FROM silver WHERE id <> 7")
    with pytest.raises(AirflowFailException, match="cannot all leave its source") as red:
        task.execute(context)
    assert '"window_to": "2025-01-01T02:00:00+00:00"' in str(red.value)
    assert _reported_already(red.value)
    with pytest.raises(AirflowFailException, match="shop has no table"):
        task.execute(context | {"params": {"table": "shop.order", "before": "2025-01-01"}})
    with closing(open_platform()) as platform:
        noted = platform.incidents.list(status="closed", pipeline=dag.dag_id)
        assert {(item.cause, item.closed_why) for item in noted} == {("request_invalid", "told to whoever asked")}
        assert platform.incidents.list(status="open") == ()
