"""What a cursor's values say of a relation before a run reads it: how far it may go, and what is unusable (rule 6)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from headwater.adapters.sources.postgres.cursors import Cursor, unusable_counts, zone_digest
from headwater.adapters.sources.surveying import Survey, check_bearable
from headwater.domain.spec import SqlExtract, TableSpec

Session = psycopg.Connection[tuple[Any, ...]]

_NOW = sql.SQL("SELECT now()").format()
_OPEN_SINCE = sql.SQL("""
SELECT min(xact_start) FROM pg_stat_activity
WHERE datname = current_database() AND backend_type = 'client backend'
  AND application_name NOT IN ('headwater', 'pg_dump')
""").format()
"""Any open transaction may still write rows stamped with its start; sessions that only ever read are left out.
Without the role pg_read_all_stats the start of other logins' transactions is hidden: then ``lag`` has to do."""
_LEADS_AN_INDEX = """
SELECT EXISTS (
  SELECT FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am m ON m.oid = c.relam
  JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
  WHERE i.indrelid = to_regclass({})::oid AND a.attname = {} AND i.indisvalid AND i.indpred IS NULL
    AND m.amname = 'btree')
"""


@dataclass(frozen=True, slots=True)
class Reading:
    """What is planned: one cursor of one relation."""

    session: Session
    table: TableSpec
    extract: SqlExtract
    relation: tuple[str, str]
    cursor: Cursor
    time_zone: str

    @property
    def lag_seconds(self) -> int:
        return int(self.extract.lag.total_seconds())

    def one(self, query: sql.Composed) -> Any:
        row = self.session.execute(query).fetchone()
        return None if row is None else row[0]

    def zone_digest(self, watermark: str, unusable: tuple[int, int] | None = None) -> str:
        """A text that changes when a row of (watermark - lag, watermark], or the number of unusable cursors, does.

        :param unusable: those numbers, where they are known already.
        """
        return str(self.one(zone_digest(self.cursor, self.relation, watermark, self.lag_seconds, unusable)))

    def source(self) -> sql.Identifier:
        return sql.Identifier(*self.relation)

    @property
    def is_indexed(self) -> bool:
        """Whether the source finds the cursor's extremes without reading the relation."""
        query = sql.SQL(_LEADS_AN_INDEX)
        return bool(
            self.one(query.format(sql.Literal(self.source().as_string()), sql.Literal(self.cursor.column.name)))
        )


def survey(reading: Reading) -> Survey:
    """Look at the cursor: by its index where it has one, else in a single pass over the relation.

    The greatest cursor is not in the future, and no open transaction can still undercut it.

    :raises SourceDataError: when there are unusable cursors and the policy is ``stop``.
    """
    cursor, source = reading.cursor, reading.source()
    settled = _settled(reading) if cursor.is_time else sql.SQL("true")
    if reading.is_indexed:
        highest = reading.one(
            sql.SQL("SELECT max({})::text FROM {} AS t WHERE {}").format(cursor.name, source, settled)
        )
        counted = reading.session.execute(unusable_counts(cursor, reading.relation)).fetchone()
        nulls, futures = counted or (0, 0)
    else:
        passed = sql.SQL(
            "SELECT count(*) FILTER (WHERE {}), count(*) FILTER (WHERE {}), "
            "(max({}) FILTER (WHERE {}))::text FROM {} AS t"
        ).format(cursor.is_null(), cursor.is_future(), cursor.name, settled, source)
        nulls, futures, highest = reading.session.execute(passed).fetchone() or (0, 0, None)
    check_bearable(reading.table, reading.extract, ".".join(reading.relation), nulls, futures)
    return Survey(nulls, futures, highest)


def _settled(reading: Reading) -> sql.Composable:
    """Cursors up to now and before every open transaction.

    Local time stamps may be written in UTC or in the server's zone: the later reading of both is taken for "now",
    the earlier for "open since". A row stamped with the very start of an open transaction may still appear.
    """
    cursor, local = reading.cursor, sql.SQL("({}::timestamptz AT TIME ZONE {})")
    zones = ("UTC",) if cursor.column.type == "timestamptz" else ("UTC", reading.time_zone)

    def instants(moment: str) -> sql.Composable:
        return sql.SQL(", ").join(local.format(sql.Literal(moment), sql.Literal(zone)) for zone in zones)

    now, since = (str(moment) if moment else None for moment in (reading.one(_NOW), reading.one(_OPEN_SINCE)))
    parts = [sql.SQL("{} <= {}").format(cursor.name, cursor.typed(sql.SQL("greatest({})").format(instants(str(now)))))]
    if since is not None:
        earliest = cursor.typed(sql.SQL("least({})").format(instants(since)))
        parts.append(sql.SQL("{} < {}").format(cursor.name, earliest))
    return sql.SQL(" AND ").join(parts)
