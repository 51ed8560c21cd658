"""What a cursor's values say of a relation before a run reads it: how far it may go, and what is unusable (rule 6)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import pymysql

from headwater.adapters.sources.mysql.carrying import SourceColumn
from headwater.adapters.sources.mysql.cursors import Cursor, unusable_counts, zone_sums
from headwater.adapters.sources.mysql.mysql_sql import dotted, literal
from headwater.adapters.sources.mysql.session import Session
from headwater.adapters.sources.surveying import Survey, check_bearable
from headwater.domain.spec import SqlExtract, TableSpec

_OLDEST = """
SELECT TIMESTAMPDIFF(SECOND, MIN(trx_started), NOW()) FROM information_schema.innodb_trx
WHERE trx_is_read_only = 0 AND trx_mysql_thread_id <> CONNECTION_ID()
"""
"""Its times are local, whatever the session's zone; a transaction that has written nothing yet still may."""
_NEEDS_PROCESS = 1227
_MAY_SEE = """
SELECT COUNT(*) FROM information_schema.user_privileges WHERE privilege_type = 'PROCESS' AND grantee =
  CONCAT(QUOTE(SUBSTRING_INDEX(CURRENT_USER(), '@', 1)), '@', QUOTE(SUBSTRING_INDEX(CURRENT_USER(), '@', -1)))
"""
_SECOND = timedelta(seconds=1)
SETTLING = timedelta(seconds=1)
"""Newer rows wait for the next run: what InnoDB tells of transactions may be a tenth of a second old."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What is planned: one cursor of one relation."""

    session: Session
    table: TableSpec
    extract: SqlExtract
    relation: tuple[str, str]
    columns: tuple[SourceColumn, ...]
    cursor: Cursor

    @property
    def is_indexed(self) -> bool:
        """Whether an index begins with the cursor."""
        database, name = map(literal, self.relation)
        return bool(self.session.one(
            f"SELECT COUNT(*) FROM information_schema.statistics WHERE table_schema = {database} "  # noqa: S608 - made of literals
            f"AND table_name = {name} AND seq_in_index = 1 AND column_name = {literal(self.cursor.column.name)} "
            "AND index_type = 'BTREE'"
        ))  # fmt: skip

    def zone_digest(self, watermark: str, unusable: tuple[int, int] | None = None) -> str:
        """A text that changes when a row of (watermark - lag, watermark], or the number of unusable cursors, does.

        :param unusable: those numbers, where they are known already.
        """
        rows, total = 0, 0
        if self.extract.lag:
            low = self.cursor.below(watermark, self.extract.lag)
            rows, total = self.session.first(zone_sums(self.cursor, self.columns, self.relation, watermark, low))
        nulls, futures = unusable or self.session.first(unusable_counts(self.cursor, self.relation))
        return f"zone-v2:{rows}:{total or 0}:{nulls}:{futures}"


def survey(reading: Reading) -> Survey:
    """Look at the cursor, by its index where it has one.

    The greatest cursor is not in the future, and no open transaction can still undercut it.

    :raises SourceDataError: when there are unusable cursors and the policy is ``stop``.
    """
    cursor = reading.cursor
    nulls, futures = reading.session.first(unusable_counts(cursor, reading.relation))
    check_bearable(reading.table, reading.extract, ".".join(reading.relation), nulls, futures, "NULL or zero")
    highest = reading.session.one(
        f"SELECT CAST({cursor.name} AS CHAR) FROM {dotted(reading.relation)} AS t "  # noqa: S608 - made of quoted names and literals
        f"WHERE {_settled(reading)} AND {cursor.is_a_day()} ORDER BY {cursor.name} DESC LIMIT 1"
    )
    return Survey(int(nulls), int(futures), None if highest is None else str(highest))


def _settled(reading: Reading) -> str:
    """Cursors up to now and before every open transaction.

    Local times may be written in UTC or in the server's zone: the later reading of both is taken for "now", the
    earlier for "open since". A row stamped with the very start of an open transaction may still appear.
    """
    cursor, session = reading.cursor, reading.session
    if not cursor.is_time:
        return "TRUE"
    offset = timedelta(0) if cursor.column.type == "timestamptz" else session.local_offset
    now: datetime = session.one("SELECT UTC_TIMESTAMP(6)") - SETTLING
    parts = [cursor.inside_calendar(), f"{cursor.name} <= '{now + max(offset, timedelta(0))}'"]
    age_seconds = oldest_transaction_seconds(session)
    if age_seconds is not None:
        # whole seconds are all it tells
        since = now + SETTLING + min(offset, timedelta(0)) - timedelta(seconds=age_seconds) - _SECOND
        parts.append(f"{cursor.name} < '{since}'")
    return " AND ".join(parts)


def oldest_transaction_seconds(session: Session) -> int | None:
    """The age of the oldest transaction that may still write; None when there is none, or the login may not know.

    Without the right PROCESS transactions of others are hidden: then ``lag`` has to do.
    """
    session.all("SET SESSION time_zone = 'SYSTEM'")
    try:
        found = session.one(_OLDEST)
    except pymysql.MySQLError as error:
        if error.args[0] != _NEEDS_PROCESS:
            raise
        return None
    finally:
        session.all("SET SESSION time_zone = '+00:00'")
    return None if found is None else int(found)


def may_see_transactions(session: Session) -> bool:
    """Whether the login may know of transactions that are not its own."""
    return bool(session.one(_MAY_SEE))
