"""Two tables on S3 and a catalog behind TLS, each staged with one row, and what their mains show."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.integration.storage.secured_stores import SecuredStores

from headwater.adapters.iceberg import IcebergCatalog
from headwater.domain.names import Layer, TableName
from headwater.domain.release import Move
from headwater.domain.schema import Column, TableSchema
from headwater.domain.settings import CatalogSettings
from headwater.domain.staging import TableState, branch_of, new_attempt
from headwater.ports.catalog import DataFile

SCHEMA = TableSchema(columns=(Column(name="id", type="int"),))


class Tables:
    """Tables of one pipeline in one catalog."""

    def __init__(self, catalog: IcebergCatalog, folder: Path) -> None:
        self.catalog, self._folder = catalog, folder
        source = f"p{uuid4().hex}"
        self.names = [TableName(layer=Layer.SILVER, source=source, table=f"t{number}") for number in range(2)]

    def file(self, row: int) -> DataFile:
        path = self._folder / f"{uuid4().hex}.parquet"
        schema = pa.schema([pa.field("id", pa.int32(), metadata={"PARQUET:field_id": "1"})])
        pq.write_table(pa.table([[row]], schema=schema), path)
        return DataFile(path=str(path), rows=1, size_bytes=path.stat().st_size)

    def cut(self, table: TableName) -> tuple[int | None, str]:
        """Base and a fresh attempt's branch."""
        base, branch = self.catalog.create(table, SCHEMA).main, branch_of(new_attempt())
        self.catalog.cut_branch(table, branch, base)
        return base, branch

    def stage(self, row: int) -> list[Move]:
        return [self._stage(table, row) for table in self.names]

    def _stage(self, table: TableName, row: int) -> Move:
        base, branch = self.cut(table)
        staged = self.catalog.stage_files(table, branch, [self.file(row)], {"headwater.run-key": f"r{row}"})
        state = TableState(run_key=f"r{row}", spec_hash="s", batch=row)
        return Move(table=table, base=base, target=staged, branch=branch, state=state)

    def rows(self, table: TableName, branch: str = "main") -> list[int]:
        loaded = self.catalog._lake.load_table(table.identifier)
        found = loaded.snapshot_by_name(branch)
        assert found is not None
        return sorted(loaded.scan(snapshot_id=found.snapshot_id).to_arrow()["id"].to_pylist())


@pytest.fixture
def open_tables(tmp_path: Path) -> Iterator[Callable[[CatalogSettings], Tables]]:
    opened: list[IcebergCatalog] = []

    def run(settings: CatalogSettings) -> Tables:
        opened.append(IcebergCatalog(settings))
        return Tables(opened[-1], tmp_path)

    yield run
    for catalog in opened:
        catalog.close()


@pytest.fixture
def tables(secured_stores: SecuredStores, open_tables: Callable[[CatalogSettings], Tables]) -> Tables:
    return open_tables(secured_stores.catalog())
