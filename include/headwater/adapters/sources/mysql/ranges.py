"""Ranges of a relation's rows by their cursor, printed in MySQL's SQL and purged in MariaDB's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from headwater.adapters.sources.mysql import relations
from headwater.adapters.sources.mysql.cursors import Cursor
from headwater.adapters.sources.mysql.fingerprints import MySqlRows, half
from headwater.adapters.sources.mysql.keyset import Keyset
from headwater.adapters.sources.mysql.mysql_sql import dotted, literal
from headwater.adapters.sources.mysql.session import Session
from headwater.adapters.sources.printing import HALF, hashed_sum, ranged, ranges_up_to, summed
from headwater.domain.errors import RequestError
from headwater.domain.spec import TableSpec
from headwater.ports.chunks import Bound
from headwater.ports.connections import ConnectionInfo
from headwater.ports.offloading import CursorRange, Partition, RangePrint
from headwater.ports.reconciling import Comparison

_PURGE = """BEGIN NOT ATOMIC
  DECLARE zone VARCHAR(64) DEFAULT @@time_zone;
  DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; SET time_zone = zone; RESIGNAL; END;
  SET time_zone = '+00:00';
  START TRANSACTION;
  DELETE t FROM {relation} AS t WHERE {condition};
  IF ROW_COUNT() <> {rows} THEN
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'nothing was purged: another number of rows than {rows}';
  END IF;
  COMMIT;
  SET time_zone = zone;
END"""
"""As a text that is executed: no client has to be told that the semicolons in it end nothing."""


@dataclass(frozen=True)
class MySqlRanges(MySqlRows):
    """``ports.offloading.RangedSource`` over one consistent snapshot, which the caller holds open."""

    @classmethod
    def check(cls, session: Session, table: TableSpec, connection: ConnectionInfo) -> None:
        """:raises RequestError: for a server that cannot delete and count in one statement."""
        if not session.is_mariadb:
            raise RequestError(
                f"history of table {table.name!r} cannot be offloaded: the server is MySQL",
                got=f"version {session.version}",
                allowed="MariaDB 10.6 and later: a statement of it deletes a range only if it holds what was verified",
                remedy="`headwater reconcile` compares the table; what may be purged is for its owner to decide.",
                facts=relations.facts_of_table(table, connection),
            )
        super().check(session, table, connection)

    def ordinal_of(self, compared: Comparison, text: str) -> int:
        return self._ranged(compared).ordinal(self._value(compared, text))

    def ranges(self, compared: Comparison, before: str, rows: int) -> Sequence[CursorRange]:
        cursor = self._ranged(compared)
        inside = f"{cursor.name} < {cursor.value(self._value(compared, before))}"
        inside += f" AND {cursor.inside_calendar()}" if cursor.is_time else ""
        last = self.session.one(
            f"SELECT CAST({cursor.name} AS CHAR) {self._from} WHERE {inside} AND {cursor.is_a_day()} "
            f"ORDER BY {cursor.name} DESC LIMIT 1"
        )
        keyset = Keyset(cursor)

        def after(low: Bound | None) -> Bound | None:
            return keyset.bound_after(self.session.all, self._pair, inside, low, rows)

        return ranges_up_to(last, after, cursor.ordinal)

    def print_of(self, compared: Comparison, item: CursorRange) -> RangePrint:
        content, unfit = self._digest(compared.columns), self._unread(compared)
        fit = [f"CASE WHEN {unfit} THEN 0 ELSE {half(content, start)} END" for start in (1, 17)]
        rows, left, upper, lower = self.session.first(
            f"SELECT COUNT(*), SUM({unfit}), {hashed_sum(fit[0])}, SUM({fit[1]}) "
            f"{self._from} WHERE {self._inside(compared, item)}"
        )
        self._check_hashed(int(upper or 0))
        unread = int(left or 0)
        return RangePrint(int(rows) - unread, summed(int(upper or 0) % HALF, lower), unread)

    def digests_of(self, compared: Comparison, item: CursorRange) -> Iterator[str]:
        query = (
            f"SELECT {self._digest(compared.columns)} {self._from} "
            f"WHERE {self._inside(compared, item)} AND NOT ({self._unread(compared)})"
        )
        return (str(row[0]) for row in self._streamed(query))

    def purge(self, compared: Comparison, item: CursorRange, rows: int) -> str:
        block = _PURGE.format(relation=dotted(self._pair), condition=self._inside(compared, item), rows=rows)
        return f"EXECUTE IMMEDIATE {literal(block)};"

    def partitions(self, compared: Comparison, before: str) -> Sequence[Partition]:  # noqa: ARG002 - the port's
        """None: MariaDB's partitions leave by another statement, which takes no count back."""
        return ()

    def _ranged(self, compared: Comparison) -> Cursor:
        return self._cursor(ranged(compared))

    def _inside(self, compared: Comparison, item: CursorRange) -> str:
        return self._ranged(compared).inside(item.low, item.high)

    def _value(self, compared: Comparison, text: str) -> str:
        """A bound as the cursor's own type has it: of a day, the whole of it."""
        cursor = self._ranged(compared)
        return cursor.shown(datetime.fromisoformat(text)) if cursor.is_time else str(int(text))
