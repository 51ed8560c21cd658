"""The extractor of relations in MySQL and MariaDB."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime

from headwater.adapters.sources.chunking import read_in_chunks
from headwater.adapters.sources.declared import sql_extract
from headwater.adapters.sources.drifting import fitting
from headwater.adapters.sources.mysql import relations
from headwater.adapters.sources.mysql.chunking import Chunked
from headwater.adapters.sources.mysql.cursors import Cursor
from headwater.adapters.sources.mysql.diagnosing import diagnosed
from headwater.adapters.sources.mysql.offers import list_relations
from headwater.adapters.sources.mysql.reading import BrokenOffError, read, warnings
from headwater.adapters.sources.mysql.session import Session, check_isolation, connect, explained
from headwater.adapters.sources.mysql.surveying import Reading, survey
from headwater.adapters.sources.mysql.work import Read
from headwater.adapters.sources.windows import plan_incremental, plan_snapshot
from headwater.domain.run import RunRequest, Window
from headwater.domain.schema import TableSchema
from headwater.domain.spec import TableSpec
from headwater.domain.staging import TableState
from headwater.ports.chunks import ChunkLedger
from headwater.ports.connections import ConnectionInfo
from headwater.ports.extractor import BatchStamp, Extracted, SourceRelation, unheard


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
        if window.kind == "nothing":
            return Extracted()
        told = progress or unheard
        return self._read(self._work(table, window, stamp, schema, folder), lambda work: read(work, told))

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
        """Read the window in chunks, each by one statement; in one piece where its columns have drifted.

        :raises SchemaDriftError: when the source's columns no longer fit ``schema``.
        :raises SourceDataError: for values the source itself cannot give.
        :raises StagingError: when another attempt has taken the read over.
        """
        rows = sql_extract(table).chunk_rows
        if rows is None or window.kind != "incremental":
            return self.extract(table, window, stamp, schema, folder, progress=progress)
        told, work = progress or unheard, self._work(table, window, stamp, schema, folder)
        reading = work.reading()
        if reading is None or any(column.judged_as for column in work.columns):
            return self._read(work, lambda work: read(work, told))
        with self._explained(table):
            told_before = list(warnings(work))
            if not reading.is_indexed:
                name = reading.cursor.column.name
                told_before.append(f"{table.name}: no index begins with cursor {name}: each chunk scans it all")
        for line in told_before:
            told(line)
        return self._read(work, lambda work: read_in_chunks(Chunked.of(work, reading, rows, told), chunks, told))

    def _work(self, table: TableSpec, window: Window, stamp: BatchStamp, schema: TableSchema, folder: str) -> Read:
        extract, relation = sql_extract(table), relations.relation_of(table, self._connection)
        facts = relations.facts_of_table(table, self._connection)
        with self._explained(table):
            columns = relations.columns_of(self._session(), table, self._connection)
            fit = fitting([column.column() for column in columns], table, schema, facts["relation"], facts)
            kept = tuple(replace(c, judged_as=fit.judged.get(c.name)) for c in columns if c.name not in fit.left_out)
            self._session().all(relations.probe(relation))
            check_isolation(self._session(), self._connection, facts)
            cursor = Cursor.of(table, extract, columns) if window.kind == "incremental" else None
        return Read(self._session(), self._connection, table, extract, relation, columns, kept, cursor, window, stamp,
                    schema, folder)  # fmt: skip

    def _read(self, work: Read, reading: Callable[[Read], Extracted]) -> Extracted:
        with self._explained(work.table):
            try:
                return reading(work)
            except BrokenOffError as error:
                broken_off = error
        self.close()
        with self._explained(work.table):
            failure = diagnosed(self._session(), broken_off.work, broken_off.reason, broken_off.seconds)
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
