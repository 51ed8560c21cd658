"""Ranges of a relation's rows by their cursor, printed here and purged in SQLite's SQL."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from headwater.adapters.duckdb.sql import literal, quoted
from headwater.adapters.sources.declared import sql_extract
from headwater.adapters.sources.printing import ranged, summed
from headwater.adapters.sources.sqlite import relations
from headwater.adapters.sources.sqlite.cursors import Cursor
from headwater.adapters.sources.sqlite.fingerprints import SqliteRows, ordinal
from headwater.adapters.sources.sqlite.instants import shown
from headwater.adapters.sources.sqlite.judging import records
from headwater.adapters.sources.sqlite.reading import one_snapshot
from headwater.adapters.sources.texts import TextFile
from headwater.domain.errors import RequestError
from headwater.ports.offloading import CursorRange, Partition, RangePrint
from headwater.ports.reconciling import Comparison

_FETCHED = 50_000
_PURGE = """DELETE FROM {relation} WHERE {condition} AND (
  SELECT CASE count(*) WHEN {rows} THEN 1 ELSE json('nothing was purged: rows now: ' || count(*)) END
  FROM {relation} WHERE {condition});"""
"""SQLite has no procedures. A text that is no JSON ends the statement, which then has deleted nothing."""


@dataclass
class SqliteRanges(SqliteRows):
    """``ports.offloading.RangedSource`` over one snapshot, which is let go of once its rows were read."""

    def ordinal_of(self, compared: Comparison, text: str) -> int:  # noqa: ARG002 - the port's
        return ordinal(self._cursor, self._value(text))

    def ranges(self, compared: Comparison, before: str, rows: int) -> Sequence[CursorRange]:
        bound = self._sql(self._value(before))
        query = f"SELECT value, count(*) FROM {self._cursors(compared)} WHERE value < {bound} GROUP BY 1 ORDER BY 1"  # noqa: S608 - a file of ours
        counted, found, low, held = self.engine.execute(query), list[CursorRange](), None, 0
        last: str | None = None
        while some := counted.fetchmany(_FETCHED):
            for value, count in some:
                last, held = str(value), held + int(count)
                if held >= rows:
                    found.append(self._range(low, last))
                    low, held = last, 0
        return found if last in (None, low) else [*found, self._range(low, str(last))]

    def print_of(self, compared: Comparison, item: CursorRange) -> RangePrint:
        halves = (f"sum(('0x' || content[{place}])::UBIGINT)::VARCHAR" for place in ("1:16", "17:32"))
        query = f"SELECT count(*), {', '.join(halves)} FROM {self._prints(compared)} WHERE {_fit(item)}"  # noqa: S608 - as above
        rows, upper, lower = self._first(query)
        [whole] = self._first(f"SELECT count(*) FROM {self._cursors(compared)} WHERE {self._inside(item)}")  # noqa: S608 - as above
        return RangePrint(int(rows), summed(upper, lower), int(whole) - int(rows))

    def digests_of(self, compared: Comparison, item: CursorRange) -> Iterator[str]:
        found = self.engine.execute(f"SELECT content FROM {self._prints(compared)} WHERE {_fit(item)}")  # noqa: S608 - as above
        while rows := found.fetchmany(_FETCHED):
            yield from (str(row[0]) for row in rows)

    def purge(self, compared: Comparison, item: CursorRange, rows: int) -> str:
        """:raises RequestError: when the cursor's texts have another order than its times."""
        relation, low, high = quoted(relations.relation_of(self.table)), item.low, item.high
        name, stored = quoted(ranged(compared).source), "integer"
        if self._cursor.is_time:
            low, high, stored = *self._texts(compared, item, rows), "text"
        above = "" if low is None else f"{name} > {self._sql(low)} COLLATE BINARY AND "
        condition = f"typeof({name}) = '{stored}' AND {above}{name} <= {self._sql(high)} COLLATE BINARY"
        return _PURGE.format(relation=relation, condition=condition, rows=rows)

    def partitions(self, compared: Comparison, before: str) -> Sequence[Partition]:  # noqa: ARG002 - the port's
        """None: SQLite has no partitions."""
        return ()

    def read(self, target: TextFile, compared: Comparison, keys: Collection[tuple[str, ...]] | None) -> None:
        """Beside the rows, the cursor of every row, whether or not an extract would take it."""
        relation, columns = relations.relation_of(self.table), self.schema().columns
        name = quoted(ranged(compared).source)
        with one_snapshot(self.session):
            for record in records(self.session, self.table, columns, keys):
                target.add(relation, record)
            query = (
                f"SELECT {self._cursor.value}, CASE typeof({name}) WHEN 'text' THEN {name} END FROM {quoted(relation)}"  # noqa: S608 - identifiers are quoted
            )
            _store(self.session.execute(query), self._cursor_file, is_time=self._cursor.is_time)

    def _texts(self, compared: Comparison, item: CursorRange, rows: int) -> tuple[str | None, str]:
        """What a range is bounded by in the texts the relation has, once they are seen to bound the same rows."""
        cursors = self._cursors(compared)
        high, low = (
            self._first(f"SELECT max(stored) FROM {cursors} WHERE value <= {self._sql(text)}")[0] if text else None  # noqa: S608 - as above
            for text in (item.high, item.low)
        )
        above = "" if low is None else f"stored > {literal(str(low))} AND "
        among = f"{above}stored <= {literal(str(high))}"
        found = self._first(f"SELECT count(*), count(*) FILTER ({self._inside(item)}) FROM {cursors} WHERE {among}")  # noqa: S608 - as above
        if found != (rows, rows):
            raise RequestError(
                f"history of table {self.table.name!r} cannot be purged: its cursor does not sort as its times do",
                got=f"{found[0]:,} rows whose texts lie up to {high!r}, {rows:,} rows whose times do",
                allowed="times of one form, such as 2020-01-31 12:00:00, and all in one zone",
                remedy="Write the column in one form at the source, let a run read it, and offload again.",
                facts={"table": self.table.name, "relation": self.relation},
            )
        return None if low is None else str(low), str(high)

    @property
    def _cursor(self) -> Cursor:
        return Cursor.of(self.table, sql_extract(self.table), self.schema().columns)

    @property
    def _cursor_file(self) -> Path:
        return self.scratch / "cursors.parquet"

    def _cursors(self, compared: Comparison) -> str:
        """The cursor of each row, and its text, to select from."""
        self._prints(compared)
        return literal(str(self._cursor_file))

    def _range(self, low: str | None, high: str) -> CursorRange:
        return CursorRange(low, high, None if low is None else ordinal(self._cursor, low), ordinal(self._cursor, high))

    def _inside(self, item: CursorRange) -> str:
        above = "" if item.low is None else f"value > {self._sql(item.low)} AND "
        return f"({above}value <= {self._sql(item.high)})"

    def _value(self, text: str) -> str:
        """A bound as the cursor's values are compared."""
        if not self._cursor.is_time:
            return str(int(text))
        moment = datetime.fromisoformat(text)
        return shown(moment if moment.tzinfo else moment.replace(tzinfo=UTC))

    def _sql(self, text: str) -> str:
        return literal(text) if self._cursor.is_time else str(int(text))

    def _first(self, query: str) -> tuple[str | int, ...]:
        return self.engine.execute(query).fetchone() or ()


def _fit(item: CursorRange) -> str:
    above = "" if item.above is None else f"ordinal > {item.above} AND "
    return f"NOT unread AND {above}ordinal <= {item.upto}"


def _store(found: sqlite3.Cursor, path: Path, *, is_time: bool) -> None:
    """Values and texts of cursors, bounded in memory."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema({"value": pa.string() if is_time else pa.int64(), "stored": pa.string()})
    with pq.ParquetWriter(path, schema) as writer:
        while rows := found.fetchmany(_FETCHED):
            values, stored = zip(*rows, strict=True)
            writer.write_batch(pa.record_batch([pa.array(values, schema[0].type), pa.array(stored)], schema=schema))
