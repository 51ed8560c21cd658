"""The chain is the same for every source and every product, with the ids people and alerts name."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk import DAG
from airflow.serialization.serialized_objects import DagSerialization

from headwater_airflow.callbacks import report_failure

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:airflow.*")  # Airflow's own use of its own past

ROOT = Path(__file__).resolve().parents[2]
TO_SILVER = [
    ("preflight", [], "all_success"),
    ("plan_run", ["preflight"], "all_success"),
    ("extract_to_bronze", ["plan_run"], "all_success"),
    ("validate_bronze", ["extract_to_bronze"], "all_done_min_one_success"),
    ("publish_bronze", ["validate_bronze"], "all_success"),
    ("refine_to_silver", ["publish_bronze"], "all_success"),
    ("validate_silver", ["refine_to_silver"], "all_success"),
]
GOLDEN = {
    "flights": [
        *TO_SILVER,
        ("build_gold", ["validate_silver"], "all_success"),
        ("validate_gold", ["build_gold"], "all_success"),
        ("publish", ["validate_gold", "validate_silver"], "all_done_min_one_success"),
        ("emit_lineage", ["publish"], "all_success"),
    ],
    "weather": [
        *TO_SILVER,
        ("publish", ["validate_silver"], "all_done_min_one_success"),
        ("emit_lineage", ["publish"], "all_success"),
    ],
    "flight_delays_by_weather": [
        ("preflight", [], "all_success"),
        ("plan_run", ["preflight"], "all_success"),
        ("build_gold", ["plan_run"], "all_success"),
        ("validate_gold", ["build_gold"], "all_success"),
        ("publish", ["validate_gold"], "all_done_min_one_success"),
        ("emit_lineage", ["publish"], "all_success"),
    ],
}


@pytest.fixture(scope="module")
def dags() -> dict[str, DAG]:
    bag = DagBag(ROOT / "dags")
    assert bag.import_errors == {}
    assert set(bag.dags) == {*GOLDEN, "headwater_watchdog", "headwater__maintenance", "headwater__offload"}
    return bag.dags


@pytest.mark.parametrize("dag_id", GOLDEN)
def test_the_chain_is_exactly_this(dags: dict[str, DAG], dag_id: str) -> None:
    found = [(t.task_id, sorted(t.upstream_task_ids), str(t.trigger_rule.value)) for t in dags[dag_id].tasks]
    assert found == [*GOLDEN[dag_id], ("close_run", ["emit_lineage"], "all_done")]


def test_every_dag_keeps_the_policies(dags: dict[str, DAG]) -> None:
    for dag in dags.values():
        assert dag.catchup is False
        assert dag.doc_md
        assert dag.description
        assert dag.tags
        assert dag.is_paused_upon_creation is True
        for task in dag.tasks:
            assert task.owner not in {"", "airflow"}
            assert task.on_failure_callback == [report_failure]
            assert task.execution_timeout is not None
            if dag.dag_id in GOLDEN:
                assert (task.retries, task.retry_exponential_backoff) == (2, 2.0)


def test_tables_are_expanded_by_name_over_what_was_planned(dags: dict[str, DAG]) -> None:
    extract = dags["flights"].get_task("extract_to_bronze")
    assert extract.is_mapped
    assert extract.map_index_template == "{{ task.table }}"


def test_a_product_runs_when_any_of_its_inputs_releases(dags: dict[str, DAG]) -> None:
    condition: Any = dags["flight_delays_by_weather"].timetable.asset_condition
    assert type(condition).__name__ == "AssetAny"
    uris = {asset.uri for asset in condition.objects}
    # Airflow ends a URI without a path in a slash, here and in the events of a publish alike
    assert uris == {"iceberg://lake.silver.flights__flights/", "iceberg://lake.silver.weather__observations/"}


def test_the_page_of_a_dag_says_what_when_who_and_which_tables(dags: dict[str, DAG]) -> None:
    text = dags["flights"].doc_md or ""
    for part in ("every 1 day", "aviation-data@example.com", "`flights_db`", "`silver.flights.airlines`", "scd2"):
        assert part in text


def test_the_form_offers_the_tables_and_nothing_that_is_a_secret_or_sql(dags: dict[str, DAG]) -> None:
    params = dags["flights"].params
    of_all = {"full_refresh", "rebuild", "rebuild_from", "dry_run", "reason"}
    assert set(params) == {"tables", "window_from", "window_to", *of_all}
    assert params.get_param("tables").schema["items"]["enum"] == ["flights", "airlines", "airports", "planes"]
    assert set(dags["flight_delays_by_weather"].params) == of_all


def test_no_task_carries_a_copy_of_the_form(dags: dict[str, DAG]) -> None:
    """Airflow validates every copy each time it serializes the DAG: twelve copies took 25 times as long."""
    assert [task.task_id for dag in dags.values() for task in dag.tasks if task.params] == []


def test_two_parses_give_the_same_dag_version(dags: dict[str, DAG]) -> None:
    again = DagBag(ROOT / "dags").dags
    for dag_id in GOLDEN:
        assert DagSerialization.to_dict(dags[dag_id]) == DagSerialization.to_dict(again[dag_id])


def test_at_task_start_only_the_one_dag_is_built(dags: dict[str, DAG], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_AIRFLOW_PARSING_CONTEXT_DAG_ID", "weather")
    assert set(DagBag(ROOT / "dags").dags) == {"weather"}


LIGHT = """
import runpy, socket, sqlite3, sys
def refuse(*_, **__): raise AssertionError("parsing touched a database")
import airflow.sdk
heavy = {"pyspark", "pyiceberg", "soda_core", "datahub", "pandas", "kubernetes", "duckdb", "pyarrow", "sqlglot"}
before = heavy & set(sys.modules)
socket.socket.connect = refuse
sqlite3.connect = refuse
found = runpy.run_path(sys.argv[1])
loaded = (heavy & set(sys.modules)) - before
assert not loaded, loaded
assert "boto3" not in sys.modules, "an asset was made"
print(sorted(name for name, value in found.items() if isinstance(value, airflow.sdk.DAG)))
"""


def test_parsing_stays_light() -> None:
    """No heavy library and no database: what a DAG file costs every thirty seconds and at every task start."""
    command = [sys.executable, "-W", "ignore", "-c", LIGHT, str(ROOT / "dags" / "sources.py")]
    done = subprocess.run(command, capture_output=True, text=True, env=dict(os.environ), check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "['flights', 'weather']"
