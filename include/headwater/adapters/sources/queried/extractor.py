"""The extractor of relations in any database whose own driver gives rows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from headwater.adapters.sources.declared import sql_extract
from headwater.adapters.sources.drifting import fitting
from headwater.adapters.sources.queried import relations
from headwater.adapters.sources.queried.cursors import Cursor
from headwater.adapters.sources.queried.database import Database, Session
from headwater.adapters.sources.queried.reading import Read, read
from headwater.adapters.sources.queried.surveying import Reading, survey
from headwater.adapters.sources.windows import plan_incremental, plan_snapshot
from headwater.domain.run import RunRequest, Window
from headwater.domain.schema import TableSchema
from headwater.domain.spec import TableSpec
from headwater.domain.staging import TableState
from headwater.ports.extractor import BatchStamp, Extracted, SourceRelation, unheard


class QueriedExtractor:
    """Extractor over one database; connects on first use and holds one session that only reads."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._open: Session | None = None

    def inspect(self, table: TableSpec) -> TableSchema:
        with self._database.explained(self._facts(table)):
            columns = relations.columns_of(self._session(), table, self._database)
            key = self._database.primary_key(self._session(), relations.relation_of(table, self._database))
        return TableSchema(columns=tuple(column.column() for column in columns), primary_key=key)

    def plan(
        self,
        table: TableSpec,
        state: TableState | None,
        ledger: bytes | None,  # noqa: ARG002 - the port's; a database needs no ledger
        request: RunRequest,
        now: datetime,  # noqa: ARG002 - the port's; a database has its own clock
    ) -> Window:
        extract, relation = sql_extract(table), relations.relation_of(table, self._database)
        with self._database.explained(self._facts(table)):
            columns = relations.columns_of(self._session(), table, self._database)
            if extract.mode == "snapshot":
                return plan_snapshot(table, state, request)
            cursor = Cursor.of(table, extract, columns, self._database)
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
        extract, relation = sql_extract(table), relations.relation_of(table, self._database)
        facts = self._facts(table)
        with self._database.explained(facts):
            columns = relations.columns_of(self._session(), table, self._database)
            offered = [column.column() for column in columns]
            fit = fitting(offered, table, schema, facts["relation"], facts)
            columns, read_as = tuple(c for c in columns if c.name not in fit.left_out), fit.read_as(offered)
            cursor = Cursor.of(table, extract, columns, self._database) if window.kind == "incremental" else None
            work = Read(self._session(), self._database, table, extract, relation, columns, read_as, cursor, window,
                        stamp, schema, folder, facts)  # fmt: skip
            try:
                return read(work, progress or unheard)
            except Exception:
                # its transaction may be open, or its connection gone
                self.close()
                raise

    def list_relations(self) -> tuple[SourceRelation, ...]:
        facts = {"relation": "its catalogue", "connection": self._database.connection.id}
        with self._database.explained(facts):
            return relations.list_relations(self._session(), self._database)

    def close(self) -> None:
        if self._open is not None:
            self._open.close()
            self._open = None

    def _session(self) -> Session:
        if self._open is None:
            self._open = self._database.connect()
        return self._open

    def _facts(self, table: TableSpec) -> dict[str, str]:
        return relations.facts_of_table(table, self._database)
