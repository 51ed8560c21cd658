"""The extractor of relations in SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import datetime

from headwater.adapters.sources.declared import sql_extract
from headwater.adapters.sources.drifting import fitting
from headwater.adapters.sources.sqlite import relations
from headwater.adapters.sources.sqlite.cursors import Cursor
from headwater.adapters.sources.sqlite.reading import Read, read
from headwater.adapters.sources.sqlite.session import connect, explained
from headwater.adapters.sources.sqlite.surveying import Reading, survey
from headwater.adapters.sources.windows import plan_incremental, plan_snapshot
from headwater.domain.run import RunRequest, Window
from headwater.domain.schema import TableSchema
from headwater.domain.spec import TableSpec
from headwater.domain.staging import TableState
from headwater.ports.connections import ConnectionInfo
from headwater.ports.extractor import BatchStamp, Extracted, SourceRelation, unheard


class SqliteExtractor:
    """Extractor over one database file. Opens it at its first use; ``close`` ends the session."""

    def __init__(self, connection: ConnectionInfo) -> None:
        self._connection = connection
        self._open: sqlite3.Connection | None = None

    def inspect(self, table: TableSpec) -> TableSchema:
        with explained(self._connection, self._facts(table)):
            return relations.schema_of(self._session(), table, self._facts(table))

    def plan(
        self,
        table: TableSpec,
        state: TableState | None,
        ledger: bytes | None,  # noqa: ARG002 - the port's; a database needs no ledger
        request: RunRequest,
        now: datetime,
    ) -> Window:
        """:raises RequestError: for a backfill of a snapshot, or of a cursor that is a number."""
        extract, offered = sql_extract(table), self.inspect(table)
        if extract.mode == "snapshot":
            return plan_snapshot(table, state, request)
        cursor = Cursor.of(table, extract, offered.columns)
        with explained(self._connection, self._facts(table)):
            reading = Reading(self._session(), table, extract, relations.relation_of(table), cursor, now)
            return plan_incremental(reading, survey(reading), state, request)

    def extract(
        self,
        table: TableSpec,
        window: Window,
        stamp: BatchStamp,
        schema: TableSchema,
        folder: str,
        ledger: bytes | None = None,  # noqa: ARG002 - the port's; a database needs no ledger
        progress: Callable[[str], None] | None = None,
    ) -> Extracted:
        """Read the window from one snapshot of the source.

        :raises SchemaDriftError: when the source's columns no longer fit ``schema``.
        """
        if window.kind == "nothing":
            return Extracted()
        offered, facts = self.inspect(table), self._facts(table)
        columns = fitting(offered.columns, table, schema, facts["relation"], facts).read_as(offered.columns)
        extract, relation = sql_extract(table), relations.relation_of(table)
        cursor = Cursor.of(table, extract, offered.columns) if window.kind == "incremental" else None
        work = Read(self._session(), table, extract, relation, columns, cursor, window, stamp, schema, folder, facts)
        with explained(self._connection, facts):
            return read(work, progress or unheard)

    def list_relations(self) -> tuple[SourceRelation, ...]:
        return relations.list_relations(self._session())

    def close(self) -> None:
        if self._open is not None:
            self._open.close()
            self._open = None

    def _session(self) -> sqlite3.Connection:
        if self._open is None:
            self._open = connect(self._connection)
        return self._open

    def _facts(self, table: TableSpec) -> dict[str, str]:
        return {"table": table.name, "relation": relations.relation_of(table), "connection": self._connection.id}
