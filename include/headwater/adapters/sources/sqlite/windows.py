"""Deciding what one run reads of a relation (rules 5, 6, 7)."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from headwater.adapters.sources.duckdb_sql import quoted
from headwater.adapters.sources.sqlite.instants import shown
from headwater.adapters.sources.surveying import check_bearable
from headwater.domain.errors import RequestError, SpecError
from headwater.domain.run import RunKind, RunRequest, Window
from headwater.domain.schema import Column
from headwater.domain.spec import SqlExtract, TableSpec
from headwater.domain.staging import TableState

TIME_TYPES = ("date", "timestamp", "timestamptz")
_MICROSECOND, _DAY = timedelta(microseconds=1), timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Cursor:
    """The cursor of a relation, as SQL that is comparable: an integer, or an instant in one form."""

    session: sqlite3.Connection
    table: TableSpec
    extract: SqlExtract
    relation: str
    column: Column

    @classmethod
    def of(cls, session: sqlite3.Connection, table: TableSpec, relation: str, columns: tuple[Column, ...]) -> Cursor:
        """:raises SpecError: when the cursor has a type without order, or ``lag`` has no meaning for it."""
        extract = table.extract
        column = next((c for c in columns if isinstance(extract, SqlExtract) and c.name == extract.cursor), None)
        if not isinstance(extract, SqlExtract) or column is None or column.type not in (*TIME_TYPES, "long"):
            raise SpecError(
                f"table {table.name!r} needs a cursor column that grows",
                got=None if column is None else f"{column.name} of type {column.source_type}",
                allowed=f"a column of type {', '.join((*TIME_TYPES, 'integer'))}",
                facts={"table": table.name},
            )
        if extract.lag and column.type == "long":
            raise SpecError(
                f"table {table.name!r}: `lag` is a duration, but cursor {column.name!r} is a number",
                got=f"lag {extract.lag}",
                allowed="no lag, or a cursor of type date or timestamp",
                facts={"table": table.name, "column": column.name},
            )
        return cls(session, table, extract, relation, column)

    @property
    def is_time(self) -> bool:
        return self.column.type in TIME_TYPES

    @property
    def value(self) -> str:
        """SQL; NULL for what is stored as another type, or is no time."""
        name = quoted(self.column.name)
        return f"hw_instant({name})" if self.is_time else f"CASE typeof({name}) WHEN 'integer' THEN {name} END"

    def typed(self, text: str) -> str | int:
        return text if self.is_time else int(text)

    def one(self, select: str, *values: object) -> Any:
        row = self.session.execute(f"SELECT {select} FROM {quoted(self.relation)}", values).fetchone()  # noqa: S608 - made of quoted names and literals
        return row[0]

    def is_unusable(self, now: datetime) -> tuple[str, str]:
        """SQL conditions: the cursor is NULL; it lies more than a day ahead of this machine's clock."""
        future = f"coalesce({self.value} > '{shown(now + _DAY)}', false)" if self.is_time else "false"
        return f"{self.value} IS NULL", future

    def highest(self, now: datetime) -> str | None:
        """The greatest cursor that is not in the future. Local times may be of UTC or of this machine's zone."""
        if not self.is_time:
            found = self.one(f"max({self.value})")
        else:
            offset = timedelta(0) if self.column.type == "timestamptz" else now.astimezone().utcoffset() or timedelta(0)
            latest = shown(now + max(offset, timedelta(0)))
            found = self.one(f"max({self.value}) FILTER (WHERE {self.value} <= ?)", latest)
        return None if found is None else str(found)

    def zone_digest(self, watermark: str, now: datetime) -> str:
        """A text that changes when a row of (watermark - lag, watermark], or the number of unusable cursors, does."""
        nulls, futures = (self.one(f"count(*) FILTER (WHERE {rule})") for rule in self.is_unusable(now))
        total = rows = 0
        if self.extract.lag:
            query = f"SELECT * FROM {quoted(self.relation)} WHERE {self.value} > ? AND {self.value} <= ?"  # noqa: S608 - made of quoted names and literals
            for row in self.session.execute(query, (self.below(watermark), watermark)):
                total += int.from_bytes(sha256(repr(row).encode("utf-8", "surrogatepass")).digest()[:16], "big")
                rows += 1
        return f"zone-v1:{rows}:{total % (1 << 128)}:{nulls}:{futures}"

    def below(self, watermark: str) -> str:
        """The watermark less the lag."""
        if not self.extract.lag:
            return watermark
        return shown(datetime.fromisoformat(watermark).replace(tzinfo=UTC) - self.extract.lag)


def plan_incremental(cursor: Cursor, state: TableState | None, request: RunRequest, now: datetime) -> Window:
    """The window (low, high] of a scheduled run, a backfill or a full refresh."""
    nulls, futures = (int(cursor.one(f"count(*) FILTER (WHERE {rule})")) for rule in cursor.is_unusable(now))
    check_bearable(cursor.table, cursor.extract, cursor.relation, nulls, futures, "NULL or of another type")
    scheduled = request.kind is RunKind.SCHEDULED
    facts = {"advances_watermark": scheduled, "null_cursors": nulls, "future_cursors": futures}
    highest = cursor.highest(now)
    if request.kind is RunKind.BACKFILL:
        return _backfill(cursor, request, highest, facts)
    watermark = None if state is None else state.watermark
    if watermark is None or not scheduled:
        return _window(None, highest, facts)
    if highest is not None and cursor.typed(highest) > cursor.typed(watermark):  # type: ignore[operator]  # one cursor, one type
        return _window(cursor.below(watermark), highest, facts)
    digest = None if state is None else state.digest
    if digest == cursor.zone_digest(watermark, now) or (digest is None and not cursor.extract.lag):
        return Window(kind="nothing", note=f"nothing above {watermark}", **facts)
    note = "late commits below the watermark"
    return _window(cursor.below(watermark), watermark, facts).model_copy(update={"note": note})


def _window(low: str | None, high: str | None, facts: dict[str, Any]) -> Window:
    # rows without a usable cursor still have to reach quarantine, so their presence makes a window
    if high is None and not facts["null_cursors"] and not facts["future_cursors"]:
        return Window(kind="nothing", note="nothing to read", **facts)
    return Window(kind="incremental", low=low, high=high, **facts)


def _backfill(cursor: Cursor, request: RunRequest, highest: str | None, facts: dict[str, Any]) -> Window:
    """[from, to) as (from - 1 µs, to - 1 µs]: instants have microseconds at most. Later than now is never read."""
    if not cursor.is_time:
        raise RequestError(
            f"table {cursor.table.name!r} has cursor {cursor.column.name!r}, a number: a window of time does not apply",
            allowed="full_refresh, or leave the table out",
            facts={"table": cursor.table.name, "column": cursor.column.name},
        )
    low = shown(request.window_from - _MICROSECOND) if request.window_from else None
    high = highest
    if request.window_to and high is not None:
        high = min(high, shown(request.window_to - _MICROSECOND))
    if high is None or (low is not None and high <= low):
        return Window(kind="nothing", note="no row in the window", **facts)
    return Window(kind="incremental", low=low, high=high, **facts)
