"""Deciding what one run reads of a relation, without reading its rows (rules 5, 6, 7)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from psycopg import sql

from headwater.adapters.sources.postgres.carrying import SourceColumn
from headwater.adapters.sources.postgres.cursors import CURSOR_TYPES, Cursor, unusable_counts, zone_digest
from headwater.domain.errors import RequestError, SourceDataError, SpecError
from headwater.domain.run import RunKind, RunRequest, Window
from headwater.domain.spec import SqlExtract, TableSpec
from headwater.domain.staging import TableState

Session = psycopg.Connection[tuple[Any, ...]]

_MICROSECOND = timedelta(microseconds=1)
_NOW = sql.SQL("SELECT now()").format()
_OPEN_SINCE = sql.SQL("""
SELECT min(xact_start) FROM pg_stat_activity
WHERE datname = current_database() AND backend_type = 'client backend'
  AND application_name NOT IN ('headwater', 'pg_dump')
""").format()
"""Any open transaction may still write rows stamped with its start; sessions that only ever read are left out.
Without the role pg_read_all_stats the start of other logins' transactions is hidden: then ``lag`` has to do."""


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

    def source(self) -> sql.Identifier:
        return sql.Identifier(*self.relation)


def plan_snapshot(table: TableSpec, state: TableState | None, request: RunRequest) -> Window:
    """The whole relation; the published digest travels along unless everything is asked for again.

    :raises RequestError: for a backfill: a snapshot has no past (rule 7).
    """
    if request.kind is RunKind.BACKFILL:
        raise RequestError(
            f"table {table.name!r} is read as a snapshot: it has no past to backfill",
            got="a window",
            allowed="a run without a window, or full_refresh",
            remedy="Leave this table out of the backfill, or declare `extract: {mode: incremental, cursor: …}`.",
            facts={"table": table.name},
        )
    digest = None if state is None or request.full_refresh else state.digest
    return Window(kind="snapshot", digest=digest)


def open_reading(
    session: Session, table: TableSpec, relation: tuple[str, str], columns: tuple[SourceColumn, ...], time_zone: str
) -> Reading:
    """The reading of an incremental table.

    :raises SpecError: when the cursor has a type that has no order in time or number, or ``lag`` has no meaning for it.
    """
    extract = table.extract
    column = next((c for c in columns if isinstance(extract, SqlExtract) and c.name == extract.cursor), None)
    if not isinstance(extract, SqlExtract) or column is None or column.type not in CURSOR_TYPES:
        raise SpecError(
            f"table {table.name!r} needs a cursor column that grows",
            got=None if column is None else f"{column.name} of type {column.source_type}",
            allowed=f"a column of type {', '.join(CURSOR_TYPES)}",
            facts={"table": table.name},
        )
    cursor = Cursor(column)
    if extract.lag and not cursor.is_time:
        raise SpecError(
            f"table {table.name!r}: `lag` is a duration, but cursor {column.name!r} is a number",
            got=f"lag {extract.lag}",
            allowed="no lag, or a cursor of type date or timestamp",
            facts={"table": table.name, "column": column.name},
        )
    return Reading(session, table, extract, relation, cursor, time_zone)


def plan_incremental(reading: Reading, state: TableState | None, request: RunRequest) -> Window:
    """The window (low, high] of a scheduled run, a backfill or a full refresh.

    Nothing is read when no cursor lies above the watermark and the lag zone is as the last run left it: a late
    commit changes its digest, and then the zone is read again.
    """
    nulls, futures = _unusable(reading)
    scheduled = request.kind is RunKind.SCHEDULED
    facts = {"advances_watermark": scheduled, "null_cursors": nulls, "future_cursors": futures}
    if request.kind is RunKind.BACKFILL:
        return _backfill(reading, request, facts)
    highest = _highest(reading)
    watermark = None if state is None else state.watermark
    if watermark is None or not scheduled:
        return _window(None, highest, facts, "" if highest else "no row has a usable cursor")
    low = _below(reading, watermark)
    if highest is not None and _is_above(reading, highest, watermark):
        return _window(low, highest, facts)
    if not _zone_changed(reading, watermark, None if state is None else state.digest):
        return Window(kind="nothing", note=f"nothing above {watermark}", **facts)
    return _window(low, watermark, facts, "late commits below the watermark")


def _zone_changed(reading: Reading, watermark: str, digest: str | None) -> bool:
    """Whether rows of the lag zone, or the number of unusable cursors, are other than the last run left them."""
    if digest is None:
        return reading.lag_seconds > 0
    return bool(reading.one(zone_digest(reading.cursor, reading.relation, watermark, reading.lag_seconds)) != digest)


def _window(low: str | None, high: str | None, facts: dict[str, Any], note: str = "") -> Window:
    # rows without a usable cursor still have to reach quarantine, so their presence makes a window
    if high is None and not facts["null_cursors"] and not facts["future_cursors"]:
        return Window(kind="nothing", note=note or "nothing to read", **facts)
    return Window(kind="incremental", low=low, high=high, note=note, **facts)


def _unusable(reading: Reading) -> tuple[int, int]:
    """How many rows have a NULL cursor, and how many one in the future (rule 6).

    :raises SourceDataError: when there are any and the policy is ``stop``.
    """
    counted = reading.session.execute(unusable_counts(reading.cursor, reading.relation)).fetchone()
    nulls, futures = counted or (0, 0)
    if reading.extract.bad_cursor == "stop" and (nulls or futures):
        name, relation = reading.cursor.column.name, ".".join(reading.relation)
        raise SourceDataError(
            f"{nulls + futures} rows of {relation} have no usable cursor {name!r}",
            got=f"{nulls} NULL, {futures} in the future",
            allowed="none, by `bad_cursor: stop`",
            remedy=f"Correct {name!r} at the source, or set `bad_cursor: quarantine`.",
            facts={"table": reading.table.name, "relation": relation, "column": name, "count": str(nulls + futures)},
        )
    return nulls, futures


def _highest(reading: Reading) -> str | None:
    """The greatest cursor that is not in the future and that no open transaction can still undercut (rule 6)."""
    bound: sql.Composable = sql.SQL("true")
    if reading.cursor.is_time:
        bound = _settled(reading)
    query = sql.SQL("SELECT max({})::text FROM {} AS t WHERE {}").format(reading.cursor.name, reading.source(), bound)
    highest: str | None = reading.one(query)
    return highest


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


def _is_above(reading: Reading, value: str, watermark: str) -> bool:
    cursor = reading.cursor
    return bool(reading.one(sql.SQL("SELECT {} > {}").format(cursor.value(value), cursor.value(watermark))))


def _below(reading: Reading, watermark: str) -> str:
    """The watermark less the lag, as the source writes it."""
    value: sql.Composable = reading.cursor.value(watermark)
    if reading.lag_seconds:
        seconds = sql.Literal(f"{reading.lag_seconds} s")
        value = reading.cursor.typed(sql.SQL("{} - interval {}").format(value, seconds))
    return str(reading.one(sql.SQL("SELECT {}::text").format(value)))


def _backfill(reading: Reading, request: RunRequest, facts: dict[str, Any]) -> Window:
    """[from, to) as (from - 1 µs, to - 1 µs]: cursors have microseconds at most. Later than now is never read.

    :raises RequestError: when the cursor is a number, which a window of time says nothing about.
    """
    cursor = reading.cursor
    if not cursor.is_time:
        raise RequestError(
            f"table {reading.table.name!r} has cursor {cursor.column.name!r} of type {cursor.column.source_type}: "
            "a window of time does not apply",
            allowed="full_refresh, or leave the table out",
            facts={"table": reading.table.name, "column": cursor.column.name},
        )

    def before(moment: datetime) -> str:
        text = (moment.astimezone(UTC) - _MICROSECOND).isoformat(sep=" ", timespec="microseconds")
        plain = text if cursor.column.type == "timestamptz" else text.removesuffix("+00:00")
        return str(reading.one(sql.SQL("SELECT {}::text").format(cursor.value(plain))))

    low = before(request.window_from) if request.window_from else None
    high = _highest(reading)
    if request.window_to and high is not None and _is_above(reading, high, before(request.window_to)):
        high = before(request.window_to)
    if high is None or (low is not None and not _is_above(reading, high, low)):
        return Window(kind="nothing", note="no row in the window", **facts)
    return Window(kind="incremental", low=low, high=high, **facts)
