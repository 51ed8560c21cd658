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
from headwater.adapters.sources.postgres.partitions import partitions_of
from headwater.adapters.sources.printing import ranged, ranges_up_to, summed
from headwater.ports.chunks import Bound
from headwater.ports.offloading import CursorRange, Partition, RangePrint
from headwater.ports.reconciling import Comparison

_FETCHED = 50_000
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
        cursor = self._ranged(compared)
        inside = sql.SQL("{} < {}").format(cursor.name, cursor.value(before))
        last = self.session.execute(
            sql.SQL("SELECT max({})::text FROM {} AS t WHERE {}").format(cursor.name, self._relation, inside)
        ).fetchone()
        keyset, relation = Keyset(cursor), relations.relation_of(self.table)

        def after(low: Bound | None) -> Bound | None:
            return bound_of(self.session.execute(keyset.nth(relation, inside, low, rows)).fetchall())

        return ranges_up_to(last[0] if last else None, after, lambda text: self.ordinal_of(compared, text))

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

    def partitions(self, compared: Comparison, before: str) -> Iterator[Partition]:
        cursor = self._ranged(compared)
        ordinal = self.as_ordinal(cursor, cursor.name)
        return partitions_of(self.session, relations.relation_of(self.table), cursor, before, ordinal)

    def _ranged(self, compared: Comparison) -> Cursor:
        return self._cursor(ranged(compared))

    def _inside(self, compared: Comparison, item: CursorRange) -> sql.Composed:
        return self._ranged(compared).inside(item.low, item.high)
