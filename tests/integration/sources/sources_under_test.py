"""A source database, driven the way plan_run and extract_to_bronze drive it, and readers of what came out."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import duckdb
import psycopg
from pydantic import SecretStr

from headwater.adapters.sources.opening import open_extractor
from headwater.domain.run import RunRequest, Window
from headwater.domain.schema import BRONZE_SYSTEM_COLUMNS, TableSchema
from headwater.domain.spec import Silver, SqlExtract, TableSpec
from headwater.domain.staging import TableState
from headwater.ports.connections import ConnectionInfo
from headwater.ports.extractor import BatchStamp, Extracted

PLANNED_AT = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)


def sql_table(name: str = "flights", key: tuple[str, ...] = ("id",), **extract: Any) -> TableSpec:
    return TableSpec(name=name, key=key, extract=SqlExtract(**extract), silver=Silver(mode="upsert"))


def live_schema(offered: TableSchema) -> TableSchema:
    """What the catalog would answer after creating the table: every column numbered."""
    columns = [*offered.columns, *BRONZE_SYSTEM_COLUMNS]
    return TableSchema(columns=tuple(c.model_copy(update={"field_id": n}) for n, c in enumerate(columns, 1)))


def rows_of(extracted: Extracted, columns: str) -> list[Any]:
    """The rows in the files, as DuckDB reads them, in order of position."""
    if not extracted.files:
        return []
    paths = [file.path for file in extracted.files]
    with duckdb.connect() as engine:
        return engine.execute(f"SELECT {columns} FROM read_parquet({paths}) ORDER BY _hw_position").fetchall()


def rejects_of(extracted: Extracted) -> list[dict[str, Any]]:
    if not extracted.rejects:
        return []
    paths = [file.path for file in extracted.rejects]
    with duckdb.connect() as engine:
        found = engine.execute(f"SELECT * FROM read_parquet({paths}) ORDER BY _hw_position")
        names = [item[0] for item in found.description or ()]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


@dataclass
class Source:
    """One source database, driven the way plan_run and extract_to_bronze drive an extractor."""

    info: ConnectionInfo
    url: str
    folder: Path
    states: dict[str, TableState] = field(default_factory=dict)

    def sql(self, *statements: str) -> None:
        with psycopg.connect(self.url, autocommit=True) as session:
            for statement in statements:
                session.execute(statement.encode())

    def inspect(self, table: TableSpec) -> TableSchema:
        extractor = open_extractor(table, self.info)
        try:
            return extractor.inspect(table)
        finally:
            extractor.close()

    def plan(self, table: TableSpec, request: RunRequest | None = None) -> Window:
        extractor = open_extractor(table, self.info)
        try:
            state = self.states.get(table.name)
            return extractor.plan(table, state, None, request or RunRequest(), PLANNED_AT)
        finally:
            extractor.close()

    def extract(self, table: TableSpec, window: Window, schema: TableSchema | None = None) -> Extracted:
        extractor = open_extractor(table, self.info)
        stamp = BatchStamp(run_key="i/flights/r1", planned_at=PLANNED_AT, batch=7, attempt=uuid4().hex)
        try:
            live = schema or live_schema(extractor.inspect(table))
            return extractor.extract(table, window, stamp, live, str(self.folder))
        finally:
            extractor.close()

    def run(self, table: TableSpec, request: RunRequest | None = None) -> tuple[Window, Extracted]:
        """Plan, extract, and publish the state."""
        window = self.plan(table, request)
        extracted = self.extract(table, window)
        old = self.states.get(table.name) or TableState(run_key="i/flights/r1", spec_hash="h")
        changes = {"watermark": extracted.watermark or old.watermark, "digest": extracted.digest or old.digest}
        self.states[table.name] = old.model_copy(update=changes)
        return window, extracted


def connection_of(url: str, **changes: Any) -> ConnectionInfo:
    parts = urlsplit(url)
    values: dict[str, Any] = {
        "id": "flights_db",
        "kind": "postgres",
        "host": parts.hostname,
        "port": parts.port,
        "login": parts.username,
        "password": SecretStr(parts.password or ""),
        "schema_": parts.path.removeprefix("/"),
    }
    return ConnectionInfo(**(values | changes))
