"""The extractor of relations in MySQL and MariaDB."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime

from headwater.adapters.sources.declared import sql_extract
from headwater.adapters.sources.drifting import fitting
from headwater.adapters.sources.mysql import relations
from headwater.adapters.sources.mysql.cursors import Cursor
from headwater.adapters.sources.mysql.diagnosing import diagnosed
from headwater.adapters.sources.mysql.offers import list_relations
from headwater.adapters.sources.mysql.reading import read
from headwater.adapters.sources.mysql.session import Session, check_isolation, connect, explained
from headwater.adapters.sources.mysql.surveying import Reading, survey
from headwater.adapters.sources.mysql.work import Read
from headwater.adapters.sources.refusing import redact
from headwater.adapters.sources.windows import plan_incremental, plan_snapshot
from headwater.domain.run import RunRequest, Window
from headwater.domain.schema import TableSchema
from headwater.domain.spec import TableSpec
from headwater.domain.staging import TableState
from headwater.ports.connections import ConnectionInfo
from headwater.ports.extractor import BatchStamp, Extracted, SourceRelation


class MySqlExtractor:
    """Extractor over one server; connects on first use and holds one read-only session."""

    def __init__(self, connection: ConnectionInfo) -> None:
        self._connection = connection
        self._open: Session | None = None

    def inspect(self, table: TableSpec) -> TableSchema:
        with self._explained(table):
            columns = relations.columns_of(self._session(), table, self._connection)
            key = relations.primary_key(self._session(), relations.relation_of(table, self._connection))
        return TableSchema(columns=tuple(column.column() for column in columns), primary_key=key)

    def plan(
        self,
        table: TableSpec,
        state: TableState | None,
        ledger: bytes | None,  # noqa: ARG002 - the port's; a database needs no ledger
        request: RunRequest,
        now: datetime,  # noqa: ARG002 - the port's; a database has its own clock
    ) -> Window:
        extract, relation = sql_extract(table), relations.relation_of(table, self._connection)
        with self._explained(table):
            columns = relations.columns_of(self._session(), table, self._connection)
            if extract.mode == "snapshot":
                return plan_snapshot(table, state, request)
            cursor = Cursor.of(table, extract, columns)
            reading = Reading(self._session(), table, extract, relation, columns, cursor)
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
        """Read the window as it is at one moment of the source.

        :raises SchemaDriftError: when the source's columns no longer fit ``schema``.
        :raises SourceDataError: for values the source itself cannot give.
        """
        import duckdb

        if window.kind == "nothing":
            return Extracted()
        extract, relation = sql_extract(table), relations.relation_of(table, self._connection)
        facts = relations.facts_of_table(table, self._connection)
        with self._explained(table):
            columns = relations.columns_of(self._session(), table, self._connection)
            fit = fitting([column.column() for column in columns], table, schema, facts["relation"], facts)
            kept = tuple(replace(c, judged_as=fit.judged.get(c.name)) for c in columns if c.name not in fit.left_out)
            self._session().all(relations.probe(relation))
            check_isolation(self._session(), self._connection, facts)
            cursor = Cursor.of(table, extract, columns) if window.kind == "incremental" else None
            work = Read(self._session(), self._connection, table, extract, relation, columns, kept, cursor, window,
                        stamp, schema, folder)  # fmt: skip
            started = time.monotonic()
            try:
                return read(work, progress or (lambda _: None))
            except duckdb.Error as error:
                reason = redact(str(error), self._connection)
        # outside the except block: DuckDB's error quotes the whole statement and must not travel along
        self.close()
        with self._explained(table):
            failure = diagnosed(self._session(), work, reason, time.monotonic() - started)
        raise failure

    def list_relations(self) -> tuple[SourceRelation, ...]:
        return list_relations(self._session())

    def close(self) -> None:
        if self._open is not None:
            self._open.close()
            self._open = None

    def _session(self) -> Session:
        if self._open is None:
            self._open = connect(self._connection)
        return self._open

    def _explained(self, table: TableSpec) -> AbstractContextManager[None]:
        return explained(self._connection, relations.facts_of_table(table, self._connection))
