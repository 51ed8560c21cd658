"""A release of one table of two rows in S3."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.integration.storage.secured_stores import SecuredStores

from headwater.adapters.iceberg import IcebergCatalog
from headwater.domain.names import Layer, TableName
from headwater.domain.release import Move, Release, ReleasedTable
from headwater.domain.schema import Column, TableSchema
from headwater.domain.settings import CatalogSettings
from headwater.domain.staging import TableState
from headwater.ports.catalog import DataFile


@pytest.fixture
def secured_release(secured_stores: SecuredStores, tmp_path: Path) -> tuple[CatalogSettings, Release]:
    settings = secured_stores.catalog()
    catalog, table = IcebergCatalog(settings), TableName(layer=Layer.BRONZE, source="shop", table="orders")
    head = catalog.create(table, TableSchema(columns=(Column(name="id", type="int"),)))
    catalog.cut_branch(table, "b", head.main)
    path = tmp_path / "a.parquet"
    schema = pa.schema([pa.field("id", pa.int32(), metadata={"PARQUET:field_id": "1"})])
    pq.write_table(pa.table([[1, 2]], schema=schema), path)
    file = DataFile(path=str(path), rows=2, size_bytes=path.stat().st_size)
    staged = catalog.stage_files(table, "b", [file], {"headwater.run-key": "k"})
    state = TableState(run_key="k", spec_hash="s")
    places = catalog.publish([Move(table=table, base=head.main, target=staged, branch="b", state=state)])
    catalog.close()
    location = places[table.dotted]
    item = ReleasedTable(table=table, snapshot_id=staged, metadata_location=location, rows=2, state=state)
    now = datetime.now(UTC)
    release = Release(
        id="r-1", run_key="k", pipeline="shop", kind="bronze", status="published", created_at=now, published_at=now,
        tables=(item,),
    )  # fmt: skip
    return settings, release
