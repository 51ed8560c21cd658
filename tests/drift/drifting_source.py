"""Runs of the real plan, extract and publish stages over a source that changes, with a catalog in memory."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import uuid4

import duckdb
import psycopg
from tests.drift.drifts import Drift
from tests.integration.sources.mariadb_under_test import MariaDb
from tests.integration.sources.sources_under_test import connection_of
from tests.unit.services.stages.world import World

from headwater.adapters.embedded.postgres import EmbeddedPostgres
from headwater.adapters.memory import MemoryCatalog
from headwater.adapters.sources.opening import open_extractor
from headwater.domain.errors import SchemaDriftError
from headwater.domain.names import TableName
from headwater.domain.schema import Column, TableSchema
from headwater.domain.spec import FilesExtract, Owner, Schedule, Silver, SourceSpec, SqlExtract, TableSpec
from headwater.ports.catalog import DataFile, TableHead
from headwater.ports.connections import ConnectionInfo

ENDINGS = {"csv": "csv", "jsonl": "jsonl", "parquet": "parquet"}
FIRST = {
    "csv": "id,note,n\n1,a,1\n",
    "jsonl": '{"id": 1, "note": "a", "n": 1}\n',
    "parquet": "i - 1 AS id, 'a' AS note, 1 AS n",
}
DATABASE = "drifting_source"


class FileCatalog(MemoryCatalog):
    """Tables in memory whose data files lie in a folder."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder
        self.staged: dict[str, list[str]] = {}

    def head(self, table: TableName) -> TableHead | None:
        head = super().head(table)
        return None if head is None else self._placed(head)

    def create(self, table: TableName, schema: TableSchema) -> TableHead:
        return self._placed(super().create(table, schema))

    def evolve(self, table: TableName, add: Sequence[Column], widen: Mapping[str, str]) -> TableHead:
        decimals = {name: kind for name, kind in widen.items() if kind.startswith("decimal")}
        found = self._table(table)
        found.set_columns(
            tuple(c.model_copy(update={"type": decimals.get(c.name, c.type)}) for c in found.schema.columns)
        )
        return self._placed(super().evolve(table, add, widen))

    def stage_files(self, table: TableName, branch: str, files: Sequence[DataFile], summary: Mapping[str, str]) -> int:
        self.staged[table.layer.value] = [file.path for file in files]
        return super().stage_files(table, branch, files, summary)

    def stage_new_rows(
        self, table: TableName, branch: str, files: Sequence[DataFile], key: str, summary: Mapping[str, str]
    ) -> int | None:
        self.staged[table.layer.value] = [file.path for file in files]
        return super().stage_new_rows(table, branch, files, key, summary)

    def _placed(self, head: TableHead) -> TableHead:
        return head.model_copy(update={"location": str(self.folder / head.table.layer.value)})


class DriftingWorld(World):
    """The stages' world with real extractors."""

    def __init__(self, spec: SourceSpec, connection: ConnectionInfo, folder: Path) -> None:
        super().__init__(spec)
        self.files, self.connection = FileCatalog(folder), connection
        self.catalog = self.engine.catalog = self.files

    def resolve(self, connection_id: str) -> ConnectionInfo:
        return self.connection

    def open_extractor(self, table: TableSpec, connection_id: str) -> Any:
        return open_extractor(table, self.connection)


class DriftingSource:
    """One source for one drift, read twice: before and after."""

    def __init__(self, server: EmbeddedPostgres, mariadb: MariaDb, folder: Path) -> None:
        self.server, self.mariadb, self.folder = server, mariadb, folder

    def after(self, drift: Drift, policy: str) -> str:
        """The outcome of the second run, in the words of the table."""
        connection = self._connection(drift)
        world = DriftingWorld(_spec(drift, policy), connection, self.folder / "lake")
        self._put(drift, 1, drift.first or FIRST[drift.kind], connection)
        world.bronze("one")
        world.close("one")
        assert world.reported == []
        self._put(drift, 2, drift.then, connection)
        world.files.staged.clear()
        try:
            world.bronze("two")
        except SchemaDriftError:
            assert world.reported == []
            return "stop"
        told = [failure.facts["changes"] for failure in world.reported if failure.kind == "notice"]
        return "; ".join([*_rows(world.files.staged), *(f"told: {changes}" for changes in told)])

    def _connection(self, drift: Drift) -> ConnectionInfo:
        if drift.kind == "postgres":
            self.server.create_databases([DATABASE])
            url = self.server.url(DATABASE)
            with psycopg.connect(url, autocommit=True) as session:
                session.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
            return connection_of(url)
        if drift.kind == "mariadb":
            return self.mariadb.connection.model_copy(update={"schema_": self.mariadb.make_database()})
        if drift.kind == "sqlite":
            return ConnectionInfo(id="shop_db", kind="sqlite", host=str(self.folder / "shop.db"))
        (self.folder / "landing" / "in").mkdir(parents=True)
        return ConnectionInfo(id="shop_db", kind="fs", extra={"path": str(self.folder / "landing")})

    def _put(self, drift: Drift, number: int, content: tuple[str, ...] | str, connection: ConnectionInfo) -> None:
        if isinstance(content, str):
            path = self.folder / "landing" / "in" / f"{number}.{ENDINGS[drift.kind]}"
            if drift.kind == "parquet":
                with duckdb.connect() as engine:
                    rows = "VALUES (2), (3)" if number > 1 else "VALUES (2)"
                    engine.execute(f"COPY (SELECT {content} FROM ({rows}) AS t(i)) TO '{path}'")
            else:
                path.write_text(content)
            os.utime(path, (0, number))
        elif drift.kind == "mariadb":
            self.mariadb.sql(*content, database=connection.schema_)
        elif drift.kind == "sqlite":
            with closing(sqlite3.connect(connection.host)) as database, database:
                for statement in content:
                    database.execute(statement)
        else:
            with psycopg.connect(self.server.url(DATABASE), autocommit=True) as session:
                for statement in content:
                    session.execute(statement.encode())


def _spec(drift: Drift, policy: str) -> SourceSpec:
    in_database = drift.kind in ("postgres", "mariadb", "sqlite")
    files = {"path": "in", "format": drift.kind, "columns": {"id": "int", "note": "string", "n": "int"}}
    table = TableSpec(
        name="orders",
        key=("id",),
        extract=SqlExtract() if in_database else FilesExtract.model_validate(files),
        silver=Silver(mode="upsert"),
        drift=policy,
    )
    return SourceSpec(
        name="shop",
        file="dags/sources/shop.yaml",
        description="Orders.",
        owner=Owner(team="sales"),
        schedule=Schedule(manual=True),
        connection="shop_db",
        tables=(table,),
        contracts={f"{layer}.shop.orders": uuid4().hex for layer in ("bronze", "silver")},
    )


def _rows(staged: Mapping[str, list[str]]) -> list[str]:
    found = []
    with duckdb.connect() as engine:
        if staged.get("bronze"):
            ids = engine.execute("SELECT id FROM read_parquet(?) ORDER BY 1", [staged["bronze"]]).fetchall()
            found.append(f"bronze: {', '.join(str(row[0]) for row in ids)}")
        if staged.get("quarantine"):
            rules = engine.execute("SELECT _hw_rules FROM read_parquet(?) ORDER BY 1", [staged["quarantine"]])
            found.append(f"aside: {', '.join(str(row[0]) for row in rules.fetchall())}")
    return found
