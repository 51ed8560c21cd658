"""Ranges of a relation's rows by their cursor, printed and purged in PostgreSQL's SQL."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from psycopg import sql

from headwater.adapters.sources.chunking import bound_of
from headwater.adapters.sources.postgres import relations
from headwater.adapters.sources.postgres.cursors import Cursor
from headwater.adapters.sources.postgres.fingerprints import PostgresRows
from headwater.adapters.sources.postgres.keyset import Keyset
from headwater.ports.offloading import CursorRange, RangePrint
from headwater.ports.reconciling import ComparedColumn, Comparison

_FETCHED = 50_000
_HALF = 1 << 64
_PURGE = """DO $purge$ DECLARE gone bigint; BEGIN
  DELETE FROM {relation} AS t WHERE {condition};
  GET DIAGNOSTICS gone = ROW_COUNT;
  IF gone <> {rows} THEN RAISE EXCEPTION 'nothing was purged: % rows instead of {rows}', gone; END IF;
END $purge$;"""


@dataclass(frozen=True)
class PostgresRanges(PostgresRows):
    """``ports.offloading.RangedSource`` over one repeatable-read transaction, which the caller holds open in UTC."""

    def ordinal_of(self, compared: Comparison, text: str) -> int:
        cursor = self._ranged(compared)
        row = self.session.execute(sql.SQL("SELECT {}").format(self.as_ordinal(cursor, cursor.value(text)))).fetchone()
        return int(row[0]) if row else 0

    def ranges(self, compared: Comparison, before: str, rows: int) -> Sequence[CursorRange]:
        cursor, found = self._ranged(compared), []
        inside = sql.SQL("{} < {}").format(cursor.name, cursor.value(before))
        last = self.session.execute(
            sql.SQL("SELECT max({})::text FROM {} AS t WHERE {}").format(cursor.name, self._relation, inside)
        ).fetchone()
        low: str | None = None
        while last and last[0] is not None and low != last[0]:
            after = None if low is None else (low,)
            relation = relations.relation_of(self.table)
            query = Keyset(cursor).nth(relation, inside, after, rows)
            bound = bound_of(self.session.execute(query).fetchall())
            high = last[0] if bound is None else bound[0]
            above = None if low is None else self.ordinal_of(compared, low)
            found.append(CursorRange(low, high, above, self.ordinal_of(compared, high)))
            low = high
        return found

    def print_of(self, compared: Comparison, item: CursorRange) -> RangePrint:
        content, unfit = self._content(compared), self._unread(compared)
        halves = [
            sql.SQL("sum(('x' || substr({}, {}, 16))::bit(64)::bigint) FILTER (WHERE NOT unfit)").format(
                sql.Identifier("md5"), sql.Literal(start)
            )
            for start in (1, 17)
        ]
        query = sql.SQL(
            "SELECT count(*) FILTER (WHERE NOT unfit), count(*) FILTER (WHERE unfit), ({})::text, ({})::text "
            "FROM (SELECT {} AS md5, ({}) AS unfit FROM {} AS t WHERE {} OFFSET 0) AS printed"
        ).format(*halves, content, unfit, self._relation, self._inside(compared, item))
        rows, left, upper, lower = self.session.execute(query).fetchone() or (0, 0, None, None)
        return RangePrint(int(rows), summed(upper, lower), int(left))

    def digests_of(self, compared: Comparison, item: CursorRange) -> Iterator[str]:
        query = sql.SQL("SELECT {} FROM {} AS t WHERE {} AND NOT ({})").format(
            self._content(compared), self._relation, self._inside(compared, item), self._unread(compared)
        )
        with self.session.cursor(name="headwater_range") as found:
            found.itersize = _FETCHED
            found.execute(query)
            for row in found:
                yield str(row[0])

    def purge(self, compared: Comparison, item: CursorRange, rows: int) -> str:
        statement = sql.SQL(_PURGE).format(
            relation=self._relation, condition=self._inside(compared, item), rows=sql.Literal(rows)
        )
        return statement.as_string()

    def _ranged(self, compared: Comparison) -> Cursor:
        cursor: ComparedColumn | None = compared.cursor
        if cursor is None:
            raise TypeError(f"{self.table.name} has no cursor that is compared")
        return self._cursor(cursor)

    def _inside(self, compared: Comparison, item: CursorRange) -> sql.Composed:
        return self._ranged(compared).inside(item.low, item.high)


def summed(upper: str | None, lower: str | None) -> int:
    """Sums of the upper and the lower halves, as one number of 128 bits."""
    return (int(upper or 0) % _HALF) << 64 | (int(lower or 0) % _HALF)
