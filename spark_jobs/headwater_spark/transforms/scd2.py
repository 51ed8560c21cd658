"""``scd2``: half-open versions of every key, and a record of what was believed when (rule 35).

``events → versions`` is one derivation. In order, the open version joins it as the first event; a key with an event
that is not later than the last one its open version knows is derived again from all its bronze events. Versions are
then compared with the current belief: an open version that ended gets its ``valid_to``; any other belief that no longer
holds is ended by ``batch_out`` and never rewritten.
Deletions are versions too, marked ``_hw_deleted`` and hidden from readers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pyspark.sql import DataFrame

from headwater.domain.names import SCD2_COLUMNS
from headwater.domain.spec import Silver
from headwater_spark.tables.sql_text import listed, literal, quoted
from headwater_spark.tables.touched_rows import TouchedRows
from headwater_spark.tables.views import as_view, query
from headwater_spark.transforms.row_hash import hash_expression

INSERT, DELETE, CLOSE, END, REFRESH = "insert", "delete", "close", "end", "refresh"
EARLIEST = "0001-01-01 00:00:00"
"""Time of an event that tells none: it comes before all others, as a NULL sequence does (rule 27)."""
EVENT_COLUMNS = ("_hw_position", "_hw_batch", "_hw_deleted", "_hw_hash", "_hw_event_at")


@dataclass(frozen=True, slots=True)
class History:
    """How the versions of one table are made, in silver's names."""

    key: tuple[str, ...]
    silver: Silver
    columns: tuple[str, ...]
    """Business columns."""
    planned_at: str

    @property
    def is_ordered(self) -> bool:
        """Whether events can only come in order: their time is that of the run that read them."""
        return not self.is_change_stream and self.silver.valid_from is None and self.silver.sequence_by is None

    @property
    def is_change_stream(self) -> bool:
        """Changes are ordered by position; the source's clock may step back, valid times never do."""
        return self.silver.mode == "cdc"

    @property
    def instant(self) -> str:
        """The expression of an event's time."""
        if self.is_change_stream:
            return "_hw_event_at"
        declared = self.silver.valid_from or self.silver.sequence_by
        return f"CAST({quoted(declared)} AS TIMESTAMP)" if declared else "_hw_extracted_at"

    @property
    def order(self) -> str:
        """The expression that orders events of one instant."""
        sequence = quoted(self.silver.sequence_by) if self.silver.sequence_by else "NULL"
        return f"struct({sequence} AS sequence, _hw_position AS position)"

    def tracked(self, frame: DataFrame) -> str:
        """The expression of the hash that opens a version when it changes.

        Where all columns are tracked it is the row's own: of one key, that changes with the others alone.
        """
        if not self.silver.track:
            return "_hw_hash"
        return hash_expression([(name, frame.schema[name].dataType) for name in self.silver.track])


def as_events(rows: DataFrame, history: History) -> DataFrame:
    """Bronze events with what the derivation needs: time, order, tracked hash.

    :param rows: with ``_hw_whole``: the row comes with all events of its key.
    """
    timed = rows.selectExpr(
        "*" if "_hw_event_at" not in rows.columns else "* EXCEPT (_hw_event_at)",
        "_hw_op = 'd' AS _hw_deleted",
        f"coalesce({history.instant}, TIMESTAMP {literal(EARLIEST)}) AS _hw_event_at",
    )
    kept = [*history.columns, *EVENT_COLUMNS]
    return timed.selectExpr(
        *(quoted(name) for name in kept),
        "_hw_event_at AS hw_from",
        f"{history.order} AS hw_order",
        f"IF(_hw_deleted, 'deleted', {history.tracked(rows)}) AS hw_tracked",
        "false AS hw_known",
        "_hw_whole AS hw_whole",
    )


def believed(touched: TouchedRows, history: History, *, anew: bool) -> DataFrame:
    """What the table believes now of the events' keys; in order, only an open version matters.

    :param anew: versions are derived from all events: a closed one that is believed already must not be added again.
    """
    only_open = history.is_ordered and not anew
    return touched.rows("batch_out IS NULL AND valid_to IS NULL" if only_open else "batch_out IS NULL")


def against_open(events: DataFrame, held: DataFrame, history: History) -> DataFrame:
    """The events with ``hw_late``: not later than the last one that the open version of their key knows.

    Events that say the same at the same time as that one are left out.

    :param held: what ``believed`` gave.
    """
    view, table, keys = as_view(events, "events"), as_view(held, "held"), listed(history.key)
    same = "e._hw_event_at = o.at AND e._hw_hash = o._hw_hash AND e._hw_deleted = o._hw_deleted"
    return query(
        events.sparkSession,
        f"WITH o AS (SELECT {keys}, coalesce(_hw_event_at, valid_from) AS at, _hw_hash, _hw_deleted FROM {table} "  # noqa: S608 - made of quoted names and literals
        f"WHERE valid_to IS NULL) "
        f"SELECT e.*, coalesce(e._hw_event_at <= o.at, false) AS hw_late FROM {view} e LEFT JOIN o "
        f"ON {equal(history.key, 'e.', 'o.')} WHERE NOT coalesce({same}, false)",
    )


def open_versions(held: DataFrame, history: History, rows: DataFrame) -> DataFrame:
    """The open versions of the keys of ``rows``, as the first event of each."""
    return (
        held.where("valid_to IS NULL")
        .join(rows.select(*map(quoted, history.key)).distinct(), list(history.key), "left_semi")
        .selectExpr(
            *(quoted(name) for name in [*history.columns, *EVENT_COLUMNS[:-1]]),
            "coalesce(_hw_event_at, valid_from) AS _hw_event_at",
            "valid_from AS hw_from",
            f"{history.order} AS hw_order",
            f"IF(_hw_deleted, 'deleted', {history.tracked(held)}) AS hw_tracked",
            "true AS hw_known",
            "false AS hw_whole",
        )
    )


def derive_versions(events: DataFrame, history: History) -> DataFrame:
    """Versions of every key: runs of events with one tracked content, the last event of a run giving the row.

    Of events of one key at one instant only the last counts; an empty interval never appears. All of it is told by
    the events before and after one in the order of time, so that one sort serves every step.
    """
    view = as_view(events, "events")
    keys = f"PARTITION BY {listed(history.key)}"
    first = history.silver.initial_valid_from
    start = "hw_from" if first is None else f"IF(hw_first, CAST({literal(first)} AS TIMESTAMP), hw_from)"
    columns = listed([*history.columns, *EVENT_COLUMNS])
    reached = f"max(_hw_event_at) OVER ({keys} ORDER BY hw_order ROWS UNBOUNDED PRECEDING)"
    last = reached if history.is_change_stream else "_hw_event_at"
    return query(
        events.sparkSession,
        f"WITH timed AS (SELECT * EXCEPT (_hw_event_at, hw_from), {last} AS _hw_event_at, "  # noqa: S608 - made of quoted names and literals
        f"IF(hw_known, hw_from, {last}) AS hw_at FROM {view}), "
        f"seen AS (SELECT *, lead(hw_at) OVER ({keys} ORDER BY hw_at, hw_order) AS hw_next, "
        f"bool_or(hw_known) OVER ({keys}) AS hw_held FROM timed), "
        f"marked AS (SELECT *, coalesce(hw_tracked <> lag(hw_tracked) OVER ({keys} ORDER BY hw_at), true) AS opens "
        f"FROM seen WHERE NOT (hw_at <=> hw_next)), "
        f"runs AS (SELECT *, coalesce(lead(opens) OVER ({keys} ORDER BY hw_at), true) AS ends, "
        f"sum(int(opens)) OVER ({keys} ORDER BY hw_at) = 1 AND NOT hw_held AS hw_first, "
        f"max(IF(opens, hw_at, NULL)) OVER ({keys} ORDER BY hw_at) AS hw_from FROM marked) "
        f"SELECT {columns}, hw_whole, {start} AS valid_from, hw_next AS valid_to FROM runs WHERE ends",
    )


def scd2_types() -> dict[str, str]:
    """Types of the columns that scd2 adds; ``_hw_event_at`` is the time of the last event a version knows."""
    types = {name: "boolean" if name == "is_current" else "timestamp" for name in SCD2_COLUMNS}
    return types | {"_hw_event_at": "timestamp"}


def equal(names: Sequence[str], left: str, right: str) -> str:
    """SQL of equal columns on both sides of a join."""
    return " AND ".join(f"{left}{quoted(name)} = {right}{quoted(name)}" for name in names)
