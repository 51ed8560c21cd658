"""An installation without Airflow and Spark, its lake made by hand."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr
from tests.integration.reconciling.lake_under_test import Lake
from tests.integration.sources.sources_under_test import Source, connection_of

from headwater.adapters.profile import write_profile
from headwater.adapters.run_store import SqlRunStore, migrate
from headwater.domain.settings import CatalogSettings, Settings, SparkSettings
from headwater.domain.spec import Silver, SqlExtract, TableSpec

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
    catalog = CatalogSettings(
        uri=SecretStr(f"sqlite:///{tmp_path}/lake/catalog.db"), jdbc_uri="", warehouse=str(tmp_path / "lake")
    )
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
