"""Fingerprints of a relation's rows in SQLite, which has no hashes: made here, of what an extract would take."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from headwater.adapters.sources.declared import sql_extract
from headwater.adapters.sources.printed import ReadRows
from headwater.adapters.sources.sqlite import relations
from headwater.adapters.sources.sqlite.cursors import Cursor
from headwater.adapters.sources.sqlite.judging import records
from headwater.adapters.sources.sqlite.reading import one_snapshot
from headwater.adapters.sources.texts import TextFile
from headwater.domain.schema import TableSchema
from headwater.ports.reconciling import Bounds, Comparison

_EPOCH, _MICROSECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)


@dataclass
class SqliteRows(ReadRows):
    """The snapshot is let go of once its rows were read."""

    session: sqlite3.Connection
    connection: str

    @property
    def relation(self) -> str:
        return f"main.{relations.relation_of(self.table)}"

    def schema(self) -> TableSchema:
        facts = {"table": self.table.name, "relation": self.relation, "connection": self.connection}
        return relations.schema_of(self.session, self.table, facts)

    def bounds(self, compared: Comparison) -> Bounds:
        extract = sql_extract(self.table)
        if compared.watermark is None or compared.cursor is None:
            return Bounds(None, None)
        cursor = Cursor.of(self.table, extract, self.schema().columns)
        low = cursor.below(compared.watermark, extract.lag)
        return Bounds(ordinal(cursor, compared.watermark), ordinal(cursor, low))

    def read(
        self,
        target: TextFile,
        compared: Comparison,  # noqa: ARG002 - all columns are read, whichever are compared
        keys: Collection[tuple[str, ...]] | None,
    ) -> None:
        with one_snapshot(self.session):
            for record in records(self.session, self.table, self.schema().columns, keys):
                target.add(relations.relation_of(self.table), record)


def ordinal(cursor: Cursor, value: str) -> int:
    """A cursor value as ``PrintedRow.cursor``."""
    if not cursor.is_time:
        return int(value)
    return (datetime.fromisoformat(value).replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND
