"""Fingerprints of a relation's rows, computed by MySQL or MariaDB."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pymysql
from pymysql.cursors import SSCursor

from headwater.adapters.sources.declared import sql_extract
from headwater.adapters.sources.mysql import relations
from headwater.adapters.sources.mysql.canonical import canonical, digest, is_no_day, where_equal
from headwater.adapters.sources.mysql.carrying import CALENDAR, SourceColumn
from headwater.adapters.sources.mysql.cursors import Cursor
from headwater.adapters.sources.mysql.mysql_sql import column, dotted
from headwater.adapters.sources.mysql.session import Session
from headwater.adapters.sources.printing import HALF, UNHASHED, hashed_sum
from headwater.domain.errors import RequestError
from headwater.domain.schema import TableSchema
from headwater.domain.spec import TableSpec
from headwater.ports.connections import ConnectionInfo
from headwater.ports.reconciling import Bounds, Bucket, ComparedColumn, Comparison, PrintedRow

_ASKED_AT_ONCE = 1_000
_NO_SUCH_FUNCTION = 1305


@dataclass(frozen=True)
class MySqlRows:
    """``ports.reconciling.SourceRows`` over one transaction with a consistent snapshot, which the caller holds open."""

    session: Session
    table: TableSpec
    connection: ConnectionInfo

    @classmethod
    def check(cls, session: Session, table: TableSpec, connection: ConnectionInfo) -> None:
        """Rows that move while they are compared are compared as of one moment.

        :raises RequestError: for a table whose engine has no transactions, and at a server that has no md5.
        """
        _check_md5(session, table, connection)
        engine, transactions = relations.engine_of(session, relations.relation_of(table, connection))
        if engine is not None and not transactions:
            raise RequestError(
                f"table {table.name!r} cannot be compared: its engine shows no consistent snapshot",
                got=f"ENGINE = {engine}",
                allowed="an engine with transactions, such as InnoDB",
                remedy="Leave the table out, or let its owner convert it: `ALTER TABLE … ENGINE = InnoDB`.",
                facts=relations.facts_of_table(table, connection),
            )

    @cached_property
    def _columns(self) -> dict[str, SourceColumn]:
        return {item.name: item for item in relations.columns_of(self.session, self.table, self.connection)}

    @cached_property
    def _pair(self) -> tuple[str, str]:
        return relations.relation_of(self.table, self.connection)

    @property
    def relation(self) -> str:
        return ".".join(self._pair)

    @property
    def _from(self) -> str:
        return f"FROM {dotted(self._pair)} AS t"

    def schema(self) -> TableSchema:
        key = relations.primary_key(self.session, self._pair)
        return TableSchema(columns=tuple(item.column() for item in self._columns.values()), primary_key=key)

    def bounds(self, compared: Comparison) -> Bounds:
        if compared.watermark is None or compared.cursor is None:
            return Bounds(None, None)
        cursor = self._cursor(compared.cursor)
        low = cursor.below(compared.watermark, sql_extract(self.table).lag)
        return Bounds(cursor.ordinal(compared.watermark), cursor.ordinal(low))

    def unread_keys(self, compared: Comparison) -> Iterator[str]:
        query = f"SELECT {self._digest(compared.key)} {self._from} WHERE {self._unread(compared)}"
        return (str(row[0]) for row in self._streamed(query) if row[0] is not None)

    def buckets(self, compared: Comparison) -> dict[int, Bucket]:
        total = hashed_sum(half(self._digest(compared.columns), 1))
        query = (
            f"SELECT {self._bucket(compared)}, COUNT(*), {total} {self._from} "
            f"WHERE NOT ({self._unread(compared)}) GROUP BY 1"
        )
        found = {}
        for bucket, rows, hashes in self.session.all(query):
            self._check_hashed(int(hashes))
            found[int(bucket)] = Bucket(int(rows), int(hashes) % HALF)
        return found

    def rows(self, compared: Comparison, buckets: Collection[int]) -> list[PrintedRow]:
        listed = ", ".join(map(str, sorted(buckets)))
        wanted = f"{self._bucket(compared)} IN ({listed}) AND NOT ({self._unread(compared)})"
        return self._printed(compared, wanted) if buckets else []

    def rows_of(self, compared: Comparison, keys: Collection[tuple[str, ...]]) -> list[PrintedRow]:
        asked, found = sorted(keys), list[PrintedRow]()
        named = [self._columns[item.source] for item in compared.key]
        for first in range(0, len(asked), _ASKED_AT_ONCE):
            wanted = (
                " AND ".join(where_equal(item, text) for item, text in zip(named, key, strict=True))
                for key in asked[first : first + _ASKED_AT_ONCE]
            )
            found += self._printed(compared, " OR ".join(f"({one})" for one in wanted))
        # what a collation takes for equal is another key
        return [row for row in found if row.key in keys]

    def _printed(self, compared: Comparison, wanted: str) -> list[PrintedRow]:
        keys = ", ".join(canonical(self._columns[item.source], sql_extract(self.table)) for item in compared.key)
        cursor = "NULL" if compared.cursor is None else self._cursor(compared.cursor).as_ordinal()
        content = self._digest(compared.columns)
        query = f"SELECT {content}, {cursor}, {self._unread(compared)}, {keys} {self._from} WHERE {wanted}"
        found = []
        for content, ordinal, unread, *key in self.session.all(query):
            self._check_hashed(UNHASHED if content is None else 0)
            if None not in key:
                texts = tuple(map(str, key))
                found.append(PrintedRow(texts, content, None if ordinal is None else int(ordinal), bool(unread)))
        return found

    def _unread(self, compared: Comparison) -> str:
        """Rows that no run has read as they are now, or never takes; true or false."""
        parts = [f"{column(item.source)} IS NULL" for item in compared.key]
        if compared.watermark is not None and compared.cursor is not None:
            parts.append(f"({self._cursor(compared.cursor).inside(None, compared.watermark)}) IS NOT TRUE")
        days = [item for item in self._columns.values() if item.type in CALENDAR]
        if sql_extract(self.table).non_finite == "null":
            days = [item for item in days if item.name in self.table.key]
        return " OR ".join(f"({part})" for part in [*parts, *map(is_no_day, days)])

    def _cursor(self, item: ComparedColumn) -> Cursor:
        return Cursor(self._columns[item.source])

    def _bucket(self, compared: Comparison) -> str:
        return f"CAST(CONV(LEFT({self._digest(compared.key)}, 8), 16, 10) AS UNSIGNED) >> {32 - compared.bits}"

    def _digest(self, columns: Sequence[ComparedColumn]) -> str:
        return digest([self._columns[item.source] for item in columns], sql_extract(self.table))

    def _check_hashed(self, hashes: int) -> None:
        """:raises RequestError: when rows are longer than the server lets any text be, so that nothing hashes them."""
        if hashes < UNHASHED:
            return
        raise RequestError(
            f"rows of {self.relation} cannot be compared: the server makes no text of all their values",
            got=f"rows longer than max_allowed_packet = {self.session.one('SELECT @@max_allowed_packet')} bytes",
            remedy="Raise `max_allowed_packet` at the server, or leave the table out.",
            facts={"table": self.table.name, "connection": self.connection.id, "relation": self.relation},
        )

    def _streamed(self, query: str) -> Iterator[tuple[Any, ...]]:
        """Rows of which there may be as many as the relation has. Ask nothing else of the session meanwhile."""
        with self.session.raw.cursor(SSCursor) as found:
            found.execute(query)
            yield from found


def _check_md5(session: Session, table: TableSpec, connection: ConnectionInfo) -> None:
    """MySQL 9.6 and later compute md5 by a component only, and call one that is lacking an unknown function."""
    try:
        session.all("SELECT MD5('')")
    except pymysql.OperationalError as error:
        if error.args[0] != _NO_SUCH_FUNCTION:
            raise
    else:
        return
    raise RequestError(
        f"table {table.name!r} cannot be compared: the server computes no md5",
        got=f"version {session.version}",
        allowed="MariaDB, MySQL up to 9.5, or later ones with the component classic_hashing",
        remedy="Let its administrator run `INSTALL COMPONENT 'file://component_classic_hashing';` there, once.",
        facts=relations.facts_of_table(table, connection),
    )


def half(text: str, start: int) -> str:
    """Half of an md5 as a number."""
    return f"CAST(CONV(SUBSTR({text}, {start}, 16), 16, 10) AS DECIMAL(20,0))"
