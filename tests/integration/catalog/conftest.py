"""The catalogs a behaviour must hold on, finished files for them, and staged attempts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.integration.storage.secured_stores import SecuredStores

from headwater.adapters.embedded.postgres import EmbeddedPostgres
from headwater.adapters.iceberg import IcebergCatalog
from headwater.adapters.memory import MemoryCatalog
from headwater.domain.names import Layer, TableName
from headwater.domain.release import Move
from headwater.domain.schema import Column, TableSchema
from headwater.domain.settings import CatalogSettings
from headwater.domain.staging import TableState, branch_of, new_attempt
from headwater.ports.catalog import Catalog, DataFile


@pytest.fixture
def schema() -> TableSchema:
    return TableSchema(columns=(Column(name="id", type="int"), Column(name="name", type="string", required=True)))


@pytest.fixture(scope="session")
def settings(postgres_server: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory) -> CatalogSettings:
    """One catalog for the session; every test has table names of its own."""
    database = f"catalog_{uuid4().hex}"
    postgres_server.create_databases([database])
    warehouse = tmp_path_factory.mktemp("warehouse")
    return CatalogSettings(uri=postgres_server.url(database, "psycopg"), jdbc_uri="", warehouse=f"file://{warehouse}")


@pytest.fixture
def iceberg(settings: CatalogSettings) -> Iterator[IcebergCatalog]:
    catalog = IcebergCatalog(settings)
    yield catalog
    catalog.close()


@pytest.fixture(scope="session")
def secured_settings(secured_stores: SecuredStores) -> CatalogSettings:
    """A warehouse in S3 and a catalog behind TLS and a password, for the session."""
    return secured_stores.catalog()


@pytest.fixture
def secured(secured_settings: CatalogSettings) -> Iterator[IcebergCatalog]:
    catalog = IcebergCatalog(secured_settings)
    yield catalog
    catalog.close()


@pytest.fixture(params=["memory", "iceberg", "secured"])
def catalog(request: pytest.FixtureRequest) -> Catalog:
    if request.param == "memory":
        return MemoryCatalog()
    iceberg: IcebergCatalog = request.getfixturevalue(request.param)
    return iceberg


@pytest.fixture
def table() -> TableName:
    return TableName(layer=Layer.BRONZE, source=f"shop_{uuid4().hex}", table="orders")


@pytest.fixture
def new_file(tmp_path: Path) -> Callable[[list[int]], DataFile]:
    """A finished Parquet file whose columns carry the field ids of ``schema``."""
    fields = [
        pa.field("id", pa.int32(), metadata={"PARQUET:field_id": "1"}),
        pa.field("name", pa.string(), metadata={"PARQUET:field_id": "2"}),
    ]

    def write(ids: list[int]) -> DataFile:
        path = tmp_path / f"{uuid4().hex}.parquet"
        pq.write_table(pa.table([ids, [f"n{i}" for i in ids]], schema=pa.schema(fields)), path)
        return DataFile(path=str(path), rows=len(ids), size_bytes=path.stat().st_size)

    return write


@pytest.fixture
def stage(catalog: Catalog, schema: TableSchema, new_file: Callable[[list[int]], DataFile]) -> Callable[..., Move]:
    """A fresh attempt that staged ``ids``, as the move that would publish it."""

    def run(table: TableName, ids: list[int], run_key: str = "k") -> Move:
        base = catalog.create(table, schema).main
        branch = branch_of(new_attempt())
        catalog.cut_branch(table, branch, base)
        staged = catalog.stage_files(table, branch, [new_file(ids)], {"headwater.run-key": run_key})
        state = TableState(run_key=run_key, spec_hash="s")
        return Move(table=table, base=base, target=staged, branch=branch, state=state)

    return run
