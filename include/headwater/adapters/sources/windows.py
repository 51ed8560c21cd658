"""Deciding what one run reads of a relation, without reading its rows (rules 5, 6, 7)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Protocol

from headwater.adapters.sources.surveying import Survey
from headwater.domain.errors import RequestError
from headwater.domain.run import RunKind, RunRequest, Window
from headwater.domain.spec import SqlExtract, TableSpec
from headwater.domain.staging import TableState


class PlannedCursor(Protocol):
    """A cursor column, whose values are texts."""

    @property
    def is_time(self) -> bool: ...
    @property
    def described(self) -> tuple[str, str]:
        """Its name, and its type at the source."""
        ...

    def order(self, text: str) -> Any:
        """What values are compared by."""
        ...

    def before(self, moment: datetime) -> str:
        """The greatest value before an instant."""
        ...

    def below(self, watermark: str, lag: timedelta) -> str:
        """The watermark less the lag."""
        ...


class Zoned(Protocol):
    """A relation that tells whether its lag zone changed."""

    @property
    def extract(self) -> SqlExtract: ...
    def zone_digest(self, watermark: str, unusable: tuple[int, int] | None = None) -> str:
        """A text that changes when a row of (watermark - lag, watermark], or the number of unusable cursors, does."""
        ...


class Reading(Zoned, Protocol):
    """One cursor of one relation, of a source that can be asked."""

    @property
    def table(self) -> TableSpec: ...
    @property
    def cursor(self) -> PlannedCursor: ...


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
    return Window(kind="snapshot", digest=None if state is None or request.full_refresh else state.digest)


def plan_incremental(reading: Reading, found: Survey, state: TableState | None, request: RunRequest) -> Window:
    """The window (low, high] of a scheduled run, a backfill or a full refresh.

    Nothing is read when no cursor lies above the watermark and the lag zone is as the last run left it: a late
    commit changes its digest, and then the zone is read again.
    """
    cursor = reading.cursor
    scheduled = request.kind is RunKind.SCHEDULED
    facts = {"advances_watermark": scheduled, "null_cursors": found.nulls, "future_cursors": found.futures}
    if request.kind is RunKind.BACKFILL:
        return _backfill(reading, request, found.highest, facts)
    watermark = None if state is None else state.watermark
    if watermark is None or not scheduled:
        return bounded(None, found.highest, facts, "" if found.highest else "no row has a usable cursor")
    low = cursor.below(watermark, reading.extract.lag)
    if found.highest is not None and cursor.order(found.highest) > cursor.order(watermark):
        return bounded(low, found.highest, facts)
    if not zone_changed(reading, watermark, state.digest if state else None, found):
        return Window(kind="nothing", note=f"nothing above {watermark}", **facts)
    return bounded(low, watermark, facts, "late commits below the watermark")


def zone_changed(reading: Zoned, watermark: str, digest: str | None, found: Survey) -> bool:
    """Whether rows of the lag zone, or the number of unusable cursors, are other than the last run left them."""
    if digest is None:
        return bool(reading.extract.lag)
    return reading.zone_digest(watermark, (found.nulls, found.futures)) != digest


def zone_left(reading: Zoned, window: Window) -> str | None:
    """What the next plan compares the lag zone with; None where the watermark stays."""
    if not window.advances_watermark or window.high is None:
        return None
    # where the plan met no unusable cursor none was looked for: one that came since makes the next plan's digest differ
    return reading.zone_digest(window.high, None if window.null_cursors or window.future_cursors else (0, 0))


def bounded(low: str | None, high: str | None, facts: dict[str, Any], note: str = "") -> Window:
    """The window (low, high]; nothing is read without a high bound, unless some rows have no usable cursor."""
    # rows without a usable cursor still have to reach quarantine, so their presence makes a window
    if high is None and not facts["null_cursors"] and not facts["future_cursors"]:
        return Window(kind="nothing", note=note or "nothing to read", **facts)
    return Window(kind="incremental", low=low, high=high, note=note, **facts)


def _backfill(reading: Reading, request: RunRequest, highest: str | None, facts: dict[str, Any]) -> Window:
    """[from, to) as (what is just before from, what is just before to]. Later than now is never read.

    :raises RequestError: when the cursor is a number, which a window of time says nothing about.
    """
    cursor = reading.cursor
    if not cursor.is_time:
        name, kind = cursor.described
        raise RequestError(
            f"table {reading.table.name!r} has cursor {name!r} of type {kind}: a window of time does not apply",
            allowed="full_refresh, or leave the table out",
            facts={"table": reading.table.name, "column": name},
        )
    low = cursor.before(request.window_from) if request.window_from else None
    high = highest
    if request.window_to and high is not None:
        high = min(high, cursor.before(request.window_to), key=cursor.order)
    if high is None or (low is not None and cursor.order(high) <= cursor.order(low)):
        return Window(kind="nothing", note="no row in the window", **facts)
    return Window(kind="incremental", low=low, high=high, **facts)
