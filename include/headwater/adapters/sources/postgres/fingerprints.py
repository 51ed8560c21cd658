"""Fingerprints of a relation's rows, computed by PostgreSQL."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import psycopg
from psycopg import sql

from headwater.adapters.sources.declared import sql_extract
from headwater.adapters.sources.postgres import relations
from headwater.adapters.sources.postgres.canonical import canonical, expression, hashed, joined, typed_key
from headwater.adapters.sources.postgres.carrying import SourceColumn
from headwater.adapters.sources.postgres.cursors import Cursor
from headwater.adapters.sources.printing import HALF
from headwater.domain.schema import TableSchema
from headwater.domain.spec import TableSpec
from headwater.ports.reconciling import Bounds, Bucket, ComparedColumn, Comparison, PrintedRow

Session = psycopg.Connection[tuple[Any, ...]]
_FETCHED = 50_000
_ASKED_AT_ONCE = 1_000


@dataclass(frozen=True)
class PostgresRows:
    """``ports.reconciling.SourceRows`` over one repeatable-read transaction, which the caller holds open in UTC."""

    session: Session
    table: TableSpec
    connection: str

    @cached_property
    def _columns(self) -> dict[str, SourceColumn]:
        return {item.name: item for item in relations.columns_of(self.session, self.table, self.connection)}

    @cached_property
    def _is_utf8(self) -> bool:
        row = self.session.execute("SELECT getdatabaseencoding() IN ('UTF8', 'SQL_ASCII')").fetchone()
        return bool(row and row[0])

    @property
    def _relation(self) -> sql.Identifier:
        return sql.Identifier(*relations.relation_of(self.table))

    @property
    def relation(self) -> str:
        return ".".join(relations.relation_of(self.table))

    def schema(self) -> TableSchema:
        key = relations.primary_key_of(self.session, self.table, self.connection)
        return TableSchema(columns=tuple(item.column() for item in self._columns.values()), primary_key=key)

    def bounds(self, compared: Comparison) -> Bounds:
        if compared.watermark is None or compared.cursor is None:
            return Bounds(None, None)
        cursor = self._cursor(compared.cursor)
        high: sql.Composable = cursor.value(compared.watermark)
        seconds = int(sql_extract(self.table).lag.total_seconds())
        low = high
        if seconds:
            low = cursor.typed(sql.SQL("{} - interval {}").format(high, sql.Literal(f"{seconds} s")))
        row = self.session.execute(
            sql.SQL("SELECT {}, {}").format(_ordinal(cursor, high), _ordinal(cursor, low))
        ).fetchone()
        return Bounds(*row) if row else Bounds(None, None)

    def unread_keys(self, compared: Comparison) -> Iterator[str]:
        query = sql.SQL("SELECT {} FROM {} AS t WHERE {}").format(
            self._key_digest(compared), self._relation, self._unread(compared)
        )
        # a cursor at the server: there may be as many as rows
        with self.session.cursor(name="headwater_unread") as found:
            found.itersize = _FETCHED
            found.execute(query)
            for row in found:
                if row[0] is not None:
                    yield str(row[0])

    def buckets(self, compared: Comparison) -> dict[int, Bucket]:
        half = sql.SQL("('x' || substr({}, 1, 16))::bit(64)::bigint").format(self._content(compared))
        query = sql.SQL("SELECT {}, count(*), sum({})::text FROM {} AS t WHERE NOT ({}) GROUP BY 1").format(
            self._bucket(compared), half, self._relation, self._unread(compared)
        )
        return {row[0]: Bucket(row[1], int(row[2]) % HALF) for row in self.session.execute(query)}

    def rows(self, compared: Comparison, buckets: Collection[int]) -> list[PrintedRow]:
        wanted = sql.SQL("{} = ANY ({}) AND NOT ({})").format(
            self._bucket(compared), sql.Literal(sorted(buckets)), self._unread(compared)
        )
        return self._printed(compared, wanted) if buckets else []

    def rows_of(self, compared: Comparison, keys: Collection[tuple[str, ...]]) -> list[PrintedRow]:
        asked, found = sorted(keys), []
        names = sql.SQL(", ").join(typed_key(self._columns[column.source])[0] for column in compared.key)
        casts = [typed_key(self._columns[column.source])[1] for column in compared.key]
        for first in range(0, len(asked), _ASKED_AT_ONCE):
            rows = (
                sql.SQL("({})").format(
                    sql.SQL(", ").join(
                        sql.SQL("{}::{}").format(sql.Literal(text), cast) for text, cast in zip(key, casts, strict=True)
                    )
                )
                for key in asked[first : first + _ASKED_AT_ONCE]
            )
            found += self._printed(compared, sql.SQL("({}) IN ({})").format(names, sql.SQL(", ").join(rows)))
        return found

    def _printed(self, compared: Comparison, wanted: sql.Composable) -> list[PrintedRow]:
        extract = sql_extract(self.table)
        keys = [canonical(self._columns[column.source], extract) for column in compared.key]
        cursor: sql.Composable = sql.SQL("NULL::bigint")
        if compared.cursor is not None:
            found = self._cursor(compared.cursor)
            cursor = _ordinal(found, found.name)
        query = sql.SQL("SELECT {}, {}, {}, {} FROM {} AS t WHERE {}").format(
            self._content(compared), cursor, self._unread(compared), sql.SQL(", ").join(keys), self._relation, wanted
        )
        rows = self.session.execute(query)
        return [PrintedRow(tuple(row[3:]), row[0], row[1], row[2]) for row in rows if None not in row[3:]]

    def _unread(self, compared: Comparison) -> sql.Composed:
        """Rows that no run has read as they are now, or never takes; true or false."""
        keys = (sql.Identifier("t", column.source) for column in compared.key)
        parts: list[sql.Composable] = [sql.SQL("{} IS NULL").format(key) for key in keys]
        if compared.watermark is not None and compared.cursor is not None:
            inside = self._cursor(compared.cursor).inside(None, compared.watermark)
            parts.append(sql.SQL("NOT ({})").format(inside))
        if sql_extract(self.table).non_finite != "null":
            parts += [unfit for column in self._columns.values() if (unfit := column.uncarriable()) is not None]
        return sql.SQL(" OR ").join(sql.SQL("({})").format(part) for part in parts)

    def _cursor(self, column: ComparedColumn) -> Cursor:
        return Cursor(self._columns[column.source])

    def as_ordinal(self, cursor: Cursor, value: sql.Composable) -> sql.Composable:
        """A cursor value as ``PrintedRow.cursor``."""
        return _ordinal(cursor, value)

    def _bucket(self, compared: Comparison) -> sql.Composed:
        return sql.SQL("(('x' || substr({}, 1, 8))::bit(32)::bigint >> {})::int").format(
            self._key_digest(compared), sql.Literal(32 - compared.bits)
        )

    def _key_digest(self, compared: Comparison) -> sql.Composed:
        return self._digest(compared.key)

    def _content(self, compared: Comparison) -> sql.Composed:
        return self._digest(compared.columns)

    def _digest(self, columns: Sequence[ComparedColumn]) -> sql.Composed:
        extract = sql_extract(self.table)
        pieces = [expression(self._columns[column.source], extract) for column in columns]
        return hashed(joined(pieces), as_it_is=self._is_utf8)


def _ordinal(cursor: Cursor, value: sql.Composable) -> sql.Composable:
    """A cursor value as ``PrintedRow.cursor``; NULL for an infinity."""
    if not cursor.is_time:
        return sql.SQL("({})::bigint").format(value)
    micros = sql.SQL("(extract(epoch FROM {}) * 1000000)::bigint").format(value)
    return sql.SQL("CASE WHEN isfinite({}) THEN {} END").format(value, micros)
