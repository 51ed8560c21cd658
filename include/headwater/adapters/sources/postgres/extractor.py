"""The extractor of relations in PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any

import psycopg

from headwater.adapters.sources.chunking import read_in_chunks
from headwater.adapters.sources.declared import sql_extract
from headwater.adapters.sources.drifting import fitting
from headwater.adapters.sources.postgres import relations
from headwater.adapters.sources.postgres.chunking import Chunked
from headwater.adapters.sources.postgres.diagnosing import check_readable
from headwater.adapters.sources.postgres.offers import list_relations
from headwater.adapters.sources.postgres.reading import read
from headwater.adapters.sources.postgres.session import connect, explained
from headwater.adapters.sources.postgres.windows import open_reading, plan_incremental
from headwater.adapters.sources.postgres.work import Read
from headwater.adapters.sources.refusing import facts_of, redact
from headwater.adapters.sources.windows import plan_snapshot
from headwater.domain.errors import SourceUnreachableError
from headwater.domain.run import RunRequest, Window
from headwater.domain.schema import TableSchema
from headwater.domain.spec import TableSpec
from headwater.domain.staging import TableState
from headwater.ports.chunks import ChunkLedger
from headwater.ports.connections import ConnectionInfo
from headwater.ports.extractor import BatchStamp, Extracted, SourceRelation, unheard


class PostgresExtractor:
    """Extractor over one database; connects on first use and holds one read-only session."""

    def __init__(self, connection: ConnectionInfo) -> None:
        self._connection = connection
        self._open: psycopg.Connection[tuple[Any, ...]] | None = None
        self._time_zone = "UTC"

    def inspect(self, table: TableSpec) -> TableSchema:
        with self._explained(table):
            columns = relations.columns_of(self._session(), table, self._connection.id)
            key = relations.primary_key_of(self._session(), table, self._connection.id)
        return TableSchema(columns=tuple(column.column() for column in columns), primary_key=key)

    def plan(
        self,
        table: TableSpec,
        state: TableState | None,
        ledger: bytes | None,  # noqa: ARG002 - the port's; a database needs no ledger
        request: RunRequest,
        now: datetime,  # noqa: ARG002 - the port's; a database has its own clock
    ) -> Window:
        extract = sql_extract(table)
        with self._explained(table):
            columns = relations.columns_of(self._session(), table, self._connection.id)
            if extract.mode == "snapshot":
                return plan_snapshot(table, state, request)
            relation = relations.relation_of(table)
            reading = open_reading(self._session(), table, relation, columns, self._time_zone)
            return plan_incremental(reading, state, request)

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
        :raises SourceDataError: for values the source itself cannot give, naming the column.
        """
        if window.kind == "nothing":
            return Extracted()
        return self._read(
            self._work(table, window, stamp, schema, folder), lambda work: read(work, progress or unheard)
        )

    def extract_in_chunks(
        self,
        table: TableSpec,
        window: Window,
        stamp: BatchStamp,
        schema: TableSchema,
        folder: str,
        chunks: ChunkLedger,
        progress: Callable[[str], None] | None = None,
    ) -> Extracted:
        """Read the window in chunks, each from one snapshot; in one piece where its columns have drifted.

        :raises SchemaDriftError: when the source's columns no longer fit ``schema``.
        :raises SourceDataError: for values the source itself cannot give, naming the column.
        :raises StagingError: when another attempt has taken the read over.
        """
        rows = sql_extract(table).chunk_rows
        if rows is None or window.kind != "incremental":
            return self.extract(table, window, stamp, schema, folder, progress=progress)
        told, work = progress or unheard, self._work(table, window, stamp, schema, folder)
        if work.judged:
            return self._read(work, lambda work: read(work, told))
        with self._explained(table):
            reading = open_reading(self._session(), table, work.relation, work.columns, self._time_zone)
            if not reading.is_indexed:
                told(f"{table.name}: no index begins with cursor {reading.cursor.column.name}: each chunk scans it all")
        return self._read(work, lambda work: read_in_chunks(Chunked.of(work, rows), chunks, told))

    def _work(self, table: TableSpec, window: Window, stamp: BatchStamp, schema: TableSchema, folder: str) -> Read:
        relation = relations.relation_of(table)
        with self._explained(table):
            columns = relations.columns_of(self._session(), table, self._connection.id)
        facts = {"table": table.name, "relation": ".".join(relation), "connection": self._connection.id}
        fit = fitting([column.column() for column in columns], table, schema, ".".join(relation), facts)
        columns = tuple(column for column in columns if column.name not in fit.left_out)
        return Read(
            table, sql_extract(table), self._connection, relation, columns, window, stamp, schema, folder, fit.judged
        )

    def _read(self, work: Read, reading: Callable[[Read], Extracted]) -> Extracted:
        import duckdb

        try:
            return reading(work)
        except duckdb.Error as error:
            reason = redact(str(error), self._connection)
        # outside the except block: DuckDB's error may quote the connection string and must not travel along
        self._diagnose(work, reason)
        raise SourceUnreachableError(
            f"reading {work.facts['relation']} was interrupted",
            got=reason.splitlines()[0],
            remedy="The run reads the same window again when it is retried.",
            facts={**work.facts, **facts_of(self._connection)},
        )

    def list_relations(self) -> tuple[SourceRelation, ...]:
        return list_relations(self._session())

    def close(self) -> None:
        if self._open is not None:
            self._open.close()
            self._open = None

    def _session(self) -> psycopg.Connection[tuple[Any, ...]]:
        if self._open is None:
            self._open = connect(self._connection)
            zone = self._open.execute("SELECT current_setting('TimeZone')").fetchone()
            self._time_zone = str(zone[0]) if zone else "UTC"
            self._open.execute("SET TimeZone = 'UTC'")
        return self._open

    def _explained(self, table: TableSpec) -> AbstractContextManager[None]:
        return explained(self._connection, table.name, ".".join(relations.relation_of(table)))

    def _diagnose(self, work: Read, reason: str) -> None:
        """Find out, over a new session, why a read broke off; returns when the source looks healthy."""
        self.close()
        with self._explained(work.table):
            columns = relations.columns_of(self._session(), work.table, self._connection.id)
            found = [column.column() for column in columns]
            fitting(found, work.table, work.schema, work.facts["relation"], work.facts)
            self._session().execute(relations.probe(work.table))
            check_readable(self._session(), work, reason)
