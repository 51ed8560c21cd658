"""``reconcile`` over an installation, by hand and as a task: its answer, and the incident it opens and closes."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk import DAG
from airflow.sdk.exceptions import AirflowFailException
from pydantic import SecretStr
from tests.integration.reconciling.lake_under_test import Lake
from tests.integration.sources.sources_under_test import Source, connection_of
from typer.testing import CliRunner

from headwater.adapters.profile import write_profile
from headwater.adapters.run_store import SqlRunStore, migrate
from headwater.cli.main import app
from headwater.domain.names import Layer
from headwater.domain.settings import CatalogSettings, Settings, SparkSettings
from headwater.domain.spec import Silver, SqlExtract, TableSpec
from headwater_airflow.callbacks import _reported_already
from headwater_airflow.operators.reconciling import ReconcileTableOperator

RUNNER = CliRunner()
ROOT = Path(__file__).resolve().parents[3]
ORDERS = TableSpec(
    name="orders",
    key=("id",),
    extract=SqlExtract.model_validate({"mode": "incremental", "cursor": "updated_at", "lag": "1h"}),
    silver=Silver(mode="upsert", sequence_by="updated_at"),
)
YAML = """
description: Orders of the shop.
owner: {team: sales, email: [sales@example.com]}
schedule: {every: 1d}
connection: shop_db
tables:
  orders:
    key: [id]
    extract: {mode: incremental, cursor: updated_at, lag: 1h}
    silver: {mode: upsert, sequence_by: updated_at}
"""
CONTRACT = "dataset: lake/{layer}/shop__orders\nchecks:\n  - row_count:\ncolumns:\n  - name: id\n"
MAKE = """
CREATE TABLE orders AS SELECT n AS id, n * 2 AS total,
  timestamptz '2025-01-01 00:00:00+00' + n * interval '1 minute' AS updated_at FROM generate_series(1, 300) AS n
"""


@pytest.fixture
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("repository")
    shutil.copytree(ROOT / "include" / "runbooks", root / "include" / "runbooks")
    for layer in ("bronze", "silver"):
        contract = root / "include" / "contracts" / layer / "shop" / "orders.yml"
        contract.parent.mkdir(parents=True)
        contract.write_text(CONTRACT.format(layer=layer))
    (root / "dags" / "sources").mkdir(parents=True)
    (root / "dags" / "sources" / "shop.yaml").write_text(YAML)
    return root


@pytest.fixture
def lake(
    repository: Path, postgres_database: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Lake]:
    """An installation by its profile, and a source, each in a database of its own."""
    catalog = CatalogSettings(uri=SecretStr("sqlite://"), jdbc_uri="", warehouse=str(tmp_path))
    store_url = postgres_database()
    settings = Settings(
        home=str(tmp_path),
        repository=str(repository),
        run_store=SecretStr(store_url),
        catalog=catalog,
        spark=SparkSettings(jars=""),
    )
    write_profile(settings, tmp_path / "profile.yaml")
    url = postgres_database(None)
    monkeypatch.setenv("HEADWATER_PROFILE", str(tmp_path / "profile.yaml"))
    monkeypatch.setenv("HEADWATER_REPOSITORY", str(repository))
    monkeypatch.setenv("AIRFLOW_CONN_SHOP_DB", url.replace("postgresql://", "postgres://"))
    source = Source(connection_of(url), url, tmp_path / "extracts")
    source.sql(MAKE)
    migrate(store_url)
    store = SqlRunStore(store_url)
    made = Lake(source, ORDERS, tmp_path / "lake", runs=store)
    made.run()
    yield made
    made.catalog.close()
    store.close()


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
