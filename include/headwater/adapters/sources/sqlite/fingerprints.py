"""Fingerprints of a relation's rows in SQLite, which has no hashes: made here, of what an extract would take."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from headwater.adapters.duckdb.sql import literal
from headwater.adapters.sources.declared import sql_extract
from headwater.adapters.sources.printing import HALF
from headwater.adapters.sources.sqlite import relations
from headwater.adapters.sources.sqlite.cursors import Cursor
from headwater.adapters.sources.sqlite.judging import ASIDE, judged
from headwater.domain.canonical_text import key_digest
from headwater.domain.schema import TableSchema
from headwater.domain.spec import TableSpec
from headwater.ports.reconciling import Bounds, Bucket, Comparison, PrintedRow

if TYPE_CHECKING:
    import duckdb

_EPOCH, _MICROSECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)
_FETCHED = 50_000


@dataclass
class SqliteRows:
    """``ports.reconciling.SourceRows``: rows typed by the code that extracts them, hashed by the lake's engine.

    What an extract would set aside is not compared. The snapshot is let go of once its rows were read.

    :param scratch: an empty folder of its own.
    """

    session: sqlite3.Connection
    table: TableSpec
    connection: str
    engine: duckdb.DuckDBPyConnection
    scratch: Path
    _printed: Comparison | None = field(default=None, init=False)

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
        return Bounds(_ordinal(cursor, compared.watermark), _ordinal(cursor, low))

    def unread_keys(self, compared: Comparison) -> Iterator[str]:
        found = self.engine.execute(f"SELECT digest FROM {self._prints(compared)} WHERE unread")  # noqa: S608 - a file of ours
        # the engine is asked nothing else meanwhile: digests are loaded into the lake's
        while rows := found.fetchmany(_FETCHED):
            yield from (str(row[0]) for row in rows)

    def buckets(self, compared: Comparison) -> dict[int, Bucket]:
        half = "sum(('0x' || content[1:16])::UBIGINT)"
        query = f"SELECT bucket, count(*), {half} FROM {self._prints(compared)} WHERE NOT unread GROUP BY 1"  # noqa: S608 - as above
        return {row[0]: Bucket(row[1], int(row[2]) % HALF) for row in self.engine.execute(query).fetchall()}

    def rows(self, compared: Comparison, buckets: Collection[int]) -> list[PrintedRow]:
        listed = ", ".join(map(str, sorted(buckets)))
        return self._found(self._prints(compared), f"bucket IN ({listed}) AND NOT unread") if buckets else []

    def rows_of(self, compared: Comparison, keys: Collection[tuple[str, ...]]) -> list[PrintedRow]:
        import pyarrow as pa

        if not keys:
            return []
        prints = self._prints(compared) if self._printed == compared else self._print(compared, keys)
        types = [column.type for column in compared.key]
        self.engine.register("asked", pa.table({"digest": [key_digest(key, types) for key in keys]}))
        return self._found(prints, "digest IN (SELECT digest FROM asked)")

    def _found(self, prints: str, condition: str) -> list[PrintedRow]:
        query = f"SELECT content, ordinal, unread, key FROM {prints} WHERE {condition}"  # noqa: S608 - a file of ours
        rows = self.engine.execute(query).fetchall()
        return [PrintedRow(tuple(key), content, ordinal, unread) for content, ordinal, unread, key in rows]

    def _prints(self, compared: Comparison) -> str:
        """The print of each row with a sound key, to select from: made once, of one snapshot."""
        if self._printed != compared:
            self._print(compared)
            self._printed = compared
        return self._file

    @property
    def _file(self) -> str:
        return literal(str(self.scratch / "prints.parquet"))

    def _print(self, compared: Comparison, keys: Collection[tuple[str, ...]] | None = None) -> str:
        """Print rows anew. :param keys: those with other keys may be left out."""
        texts, named = self.scratch / "texts.parquet", compared.by_source
        rows = judged(self.session, self.table, self.schema().columns, self.engine, texts, keys)
        ordinal, high = rows.ordinal(named.cursor), self.bounds(compared).high
        beyond = "false" if high is None else f"coalesce({ordinal} > {high}, true)"
        query = (
            f"SELECT {rows.bucket(named)} AS bucket, {rows.digest(named.key)} AS digest, "  # noqa: S608 - made of quoted names and literals
            f"{rows.digest(named.columns)} AS content, {ordinal} AS ordinal, b.{ASIDE} OR {beyond} AS unread, "
            f"[{rows.texts(named.key)}] AS key FROM ({rows.select}) b"
        )
        self.engine.execute(f"COPY ({query}) TO {self._file} (FORMAT parquet, COMPRESSION lz4)")
        texts.unlink()
        return self._file


def _ordinal(cursor: Cursor, value: str) -> int:
    """A cursor value as ``PrintedRow.cursor``."""
    if not cursor.is_time:
        return int(value)
    return (datetime.fromisoformat(value).replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND
