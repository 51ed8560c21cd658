"""Fingerprints of a relation's rows, where its database hashes none: made here, of what an extract would take."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from headwater.adapters.sources.declared import sql_extract
from headwater.adapters.sources.printed import ReadRows
from headwater.adapters.sources.queried import relations
from headwater.adapters.sources.queried.columns import QueriedColumn, instant
from headwater.adapters.sources.queried.cursors import Cursor
from headwater.adapters.sources.queried.database import Database, Session
from headwater.adapters.sources.queried.statements import dotted, projected
from headwater.adapters.sources.storing import keyed_record
from headwater.adapters.sources.texts import TextFile
from headwater.domain.schema import Column, TableSchema
from headwater.ports.reconciling import Bounds, Comparison

_EPOCH, _MICROSECOND = datetime(1970, 1, 1), timedelta(microseconds=1)  # noqa: DTZ001 - texts of the source have no zone
_ASKED_AT_ONCE = 500


@dataclass
class QueriedRows(ReadRows):
    """Rows of one moment, which the caller holds open."""

    session: Session
    database: Database

    @property
    def relation(self) -> str:
        return ".".join(self.pair)

    @cached_property
    def pair(self) -> tuple[str, str]:
        return relations.relation_of(self.table, self.database)

    @cached_property
    def columns(self) -> dict[str, QueriedColumn]:
        return {item.name: item for item in relations.columns_of(self.session, self.table, self.database)}

    def schema(self) -> TableSchema:
        key = self.database.primary_key(self.session, self.pair)
        return TableSchema(columns=tuple(item.column() for item in self.columns.values()), primary_key=key)

    def bounds(self, compared: Comparison) -> Bounds:
        cursor = self.cursor(compared)
        if cursor is None or compared.watermark is None:
            return Bounds(None, None)
        low = cursor.below(compared.watermark, sql_extract(self.table).lag)
        return Bounds(_ordinal(cursor, compared.watermark), _ordinal(cursor, low))

    def cursor(self, compared: Comparison) -> Cursor | None:
        """The cursor that a watermark is of; None where the relation is read whole."""
        if compared.cursor is None:
            return None
        return Cursor.of(self.table, sql_extract(self.table), tuple(self.columns.values()), self.database)

    def read(
        self,
        target: TextFile,
        compared: Comparison,
        keys: Collection[tuple[str, ...]] | None,
    ) -> None:
        for condition in ("1 = 1",) if keys is None else self.among(compared, keys):
            self.read_where(target, condition)

    def read_where(self, target: TextFile, condition: str, more: Sequence[tuple[Column, str]] = ()) -> None:
        """Rows for which a condition holds. :param more: texts to read beside their values."""
        policy, own = sql_extract(self.table).non_finite, self.columns.values()
        values = [*(projected(item, self.database, policy) for item in own), *(text for _, text in more)]
        columns = [*(item.column() for item in own), *(column for column, _ in more)]
        query = f"SELECT {', '.join(values)} FROM {dotted(self.database, self.pair)} t WHERE {condition}"  # noqa: S608 - made of quoted names and literals
        for batch in self.session.batches(query):
            for row in batch:
                target.add(self.relation, keyed_record(target.written + 1, row, columns, self.table.key))

    def among(self, compared: Comparison, keys: Collection[tuple[str, ...]]) -> Iterable[str]:
        """Conditions that hold of every row with one of the keys, and that an index may answer."""
        asked, named = sorted(keys), [self.columns[item.source] for item in compared.key]
        for first in range(0, len(asked), _ASKED_AT_ONCE):
            rows = (
                " AND ".join(self.database.equal(item, text) for item, text in zip(named, key, strict=True))
                for key in asked[first : first + _ASKED_AT_ONCE]
            )
            yield " OR ".join(f"({row})" for row in rows)


def _ordinal(cursor: Cursor, value: str) -> int:
    """A cursor value as ``PrintedRow.cursor``: what lies below a microsecond is in no lake."""
    if cursor.column.counts:
        return int(value, 16)
    return (instant(value) - _EPOCH) // _MICROSECOND if cursor.is_time else int(value)
