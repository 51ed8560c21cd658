"""Deciding what one run reads of a relation, without reading its rows (rules 5, 6, 7)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from psycopg import sql

from headwater.adapters.sources.choosing import cursor_column
from headwater.adapters.sources.declared import sql_extract
from headwater.adapters.sources.postgres.carrying import SourceColumn
from headwater.adapters.sources.postgres.cursors import CURSOR_TYPES, TIME_TYPES, Cursor
from headwater.adapters.sources.postgres.surveying import Reading, Session, survey
from headwater.adapters.sources.windows import bounded, zone_changed
from headwater.domain.errors import RequestError
from headwater.domain.run import RunKind, RunRequest, Window
from headwater.domain.spec import TableSpec
from headwater.domain.staging import TableState

_MICROSECOND = timedelta(microseconds=1)


def open_reading(
    session: Session, table: TableSpec, relation: tuple[str, str], columns: tuple[SourceColumn, ...], time_zone: str
) -> Reading:
    """The reading of an incremental table.

    :raises SpecError: when the cursor has a type that has no order in time or number, or ``lag`` has no meaning for it.
    """
    extract = sql_extract(table)
    column = cursor_column(
        table, extract, columns,
        is_time=lambda found: found.type in TIME_TYPES, counts=lambda found: found.type in CURSOR_TYPES,
        times="date, timestamp or timestamptz", numbers="a whole number",
    )  # fmt: skip
    return Reading(session, table, extract, relation, Cursor(column), time_zone)


def plan_incremental(reading: Reading, state: TableState | None, request: RunRequest) -> Window:
    """The window (low, high] of a scheduled run, a backfill or a full refresh.

    Nothing is read when no cursor lies above the watermark and the lag zone is as the last run left it: a late
    commit changes its digest, and then the zone is read again.
    """
    found = survey(reading)
    scheduled = request.kind is RunKind.SCHEDULED
    facts = {"advances_watermark": scheduled, "null_cursors": found.nulls, "future_cursors": found.futures}
    if request.kind is RunKind.BACKFILL:
        return _backfill(reading, request, found.highest, facts)
    highest = found.highest
    watermark = None if state is None else state.watermark
    if watermark is None or not scheduled:
        return bounded(None, highest, facts, "" if highest else "no row has a usable cursor")
    low = _below(reading, watermark)
    if highest is not None and _is_above(reading, highest, watermark):
        return bounded(low, highest, facts)
    if not zone_changed(reading, watermark, state.digest if state else None, found):
        return Window(kind="nothing", note=f"nothing above {watermark}", **facts)
    return bounded(low, watermark, facts, "late commits below the watermark")


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


def _backfill(reading: Reading, request: RunRequest, high: str | None, facts: dict[str, Any]) -> Window:
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
    if request.window_to and high is not None and _is_above(reading, high, before(request.window_to)):
        high = before(request.window_to)
    if high is None or (low is not None and not _is_above(reading, high, low)):
        return Window(kind="nothing", note="no row in the window", **facts)
    return Window(kind="incremental", low=low, high=high, **facts)
