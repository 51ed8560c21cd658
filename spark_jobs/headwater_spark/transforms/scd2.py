"""``scd2``: half-open versions of every key, and a record of what was believed when (rule 35).

``events → versions`` is one derivation. In order, the open version joins it as the first event; a key with a late
event is derived again from all its bronze events. Versions are then compared with the current belief: an open version
that ended gets its ``valid_to``; any other belief that no longer holds is ended by ``batch_out`` and never rewritten.
Deletions are versions too, marked ``_hw_deleted`` and hidden from readers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pyspark.sql import DataFrame

from headwater.domain.names import SCD2_COLUMNS
from headwater.domain.spec import Silver
from headwater_spark.tables.sql_text import listed, literal, quoted
from headwater_spark.tables.views import as_view
from headwater_spark.transforms.row_hash import hash_expression

ACTION = "_hw_action"
INSERT, DELETE, CLOSE, END = "insert", "delete", "close", "end"
_EVENT_COLUMNS = ("_hw_position", "_hw_batch", "_hw_deleted", "_hw_hash")


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
        return self.silver.valid_from is None and self.silver.sequence_by is None

    @property
    def instant(self) -> str:
        """The expression of an event's time."""
        declared = self.silver.valid_from or self.silver.sequence_by
        return f"CAST({quoted(declared)} AS TIMESTAMP)" if declared else "_hw_extracted_at"

    def tracked(self, frame: DataFrame) -> str:
        """The expression of the hash that opens a version when it changes."""
        names = self.silver.track or tuple(name for name in self.columns if name not in self.key)
        return hash_expression([(name, frame.schema[name].dataType) for name in names])


def as_events(rows: DataFrame, history: History) -> DataFrame:
    """Bronze events with what the derivation needs: time, order, tracked hash. NULL times count as first."""
    sequence = quoted(history.silver.sequence_by) if history.silver.sequence_by else "NULL"
    kept = [*history.columns, *_EVENT_COLUMNS]
    return rows.selectExpr("*", "_hw_op = 'd' AS _hw_deleted").selectExpr(
        *(quoted(name) for name in kept),
        f"coalesce({history.instant}, _hw_extracted_at) AS hw_at",
        f"struct({sequence} AS sequence, _hw_position AS position) AS hw_order",
        f"IF(_hw_deleted, 'deleted', {history.tracked(rows)}) AS hw_tracked",
        "false AS hw_known",
    )


def open_versions(target: str, history: History, rows: DataFrame) -> DataFrame:
    """The open versions of the keys of ``rows``, as the first event of each."""
    session = rows.sparkSession
    view = as_view(rows, "keys")
    table = session.table(target)
    sequence = quoted(history.silver.sequence_by) if history.silver.sequence_by else "NULL"
    return (
        table.where("batch_out IS NULL AND valid_to IS NULL")
        .join(session.sql(f"SELECT DISTINCT {listed(history.key)} FROM {view}"), list(history.key), "left_semi")  # noqa: S608
        .selectExpr(
            *(quoted(name) for name in [*history.columns, *_EVENT_COLUMNS]),
            "valid_from AS hw_at",
            f"struct({sequence} AS sequence, _hw_position AS position) AS hw_order",
            f"IF(_hw_deleted, 'deleted', {history.tracked(table)}) AS hw_tracked",
            "true AS hw_known",
        )
    )


def derive_versions(events: DataFrame, history: History) -> DataFrame:
    """Versions of every key: runs of events with one tracked content, the last event of a run giving the row.

    Of events of one key at one instant only the last counts; an empty interval never appears.
    """
    view = as_view(events, "events")
    keys = f"PARTITION BY {listed(history.key)}"
    first = history.silver.initial_valid_from
    start = "hw_from" if first is None else f"IF(hw_first, CAST({literal(first)} AS TIMESTAMP), hw_from)"
    columns = listed([*history.columns, *_EVENT_COLUMNS])
    return events.sparkSession.sql(
        f"WITH last_at AS (SELECT *, row_number() OVER ({keys}, hw_at ORDER BY hw_order DESC) AS n, "  # noqa: S608
        f"bool_or(hw_known) OVER ({keys}) AS hw_held FROM {view}), "
        f"marked AS (SELECT *, coalesce(hw_tracked <> lag(hw_tracked) OVER ({keys} ORDER BY hw_at), true) AS opens "
        f"FROM last_at WHERE n = 1), "
        f"numbered AS (SELECT *, sum(int(opens)) OVER ({keys} ORDER BY hw_at) AS run FROM marked), "
        f"runs AS (SELECT *, min(hw_at) OVER ({keys}, run) AS hw_from, "
        f"row_number() OVER ({keys}, run ORDER BY hw_at DESC) AS back FROM numbered), "
        f"versions AS (SELECT *, lead(hw_from) OVER ({keys} ORDER BY run) AS hw_to, "
        f"run = 1 AND NOT hw_held AS hw_first FROM runs WHERE back = 1) "
        f"SELECT {columns}, {start} AS valid_from, hw_to AS valid_to FROM versions"
    )


def scd2_actions(versions: DataFrame, target: str, history: History, *, whole: bool) -> DataFrame:
    """What has to be done so that the current belief of the versions' keys becomes these versions.

    :param whole: the versions are the keys' complete history; otherwise they begin with the open version.
    """
    view = as_view(versions, "versions")
    keys = listed(history.key)
    belief = "batch_out IS NULL" if whole else "batch_out IS NULL AND valid_to IS NULL"
    joined = " AND ".join(f"v.{quoted(name)} = b.{quoted(name)}" for name in [*history.key, "valid_from"])
    content = "v._hw_hash = b._hw_hash AND v._hw_deleted = b._hw_deleted"
    unchanged = f"coalesce({content} AND v.valid_to <=> b.valid_to, false)"
    closes = f"coalesce({content} AND b.valid_to IS NULL AND v.valid_to IS NOT NULL, false)"
    columns = [*history.columns, *_EVENT_COLUMNS]
    ended = ", ".join(f"{prefixed} AS {quoted(name)}" for name, prefixed in _prefixed(columns, "b."))
    made = ", ".join(f"{prefixed} AS {quoted(name)}" for name, prefixed in _prefixed(columns, "v."))
    return versions.sparkSession.sql(
        f"WITH b AS (SELECT * FROM {target} t LEFT SEMI JOIN (SELECT DISTINCT {keys} FROM {view}) k "  # noqa: S608
        f"USING ({keys}) WHERE {belief}), "
        f"ends AS (SELECT {ended}, b.valid_from, IF({closes}, v.valid_to, b.valid_to) AS valid_to, "
        f"b.valid_from AS hw_matches, IF({closes}, '{CLOSE}', '{END}') AS {ACTION} "
        f"FROM b LEFT JOIN {view} v ON {joined} WHERE NOT {unchanged}), "
        f"makes AS (SELECT {made}, v.valid_from, v.valid_to, CAST(NULL AS TIMESTAMP) AS hw_matches, "
        f"IF(v._hw_deleted, '{DELETE}', '{INSERT}') AS {ACTION} "
        f"FROM {view} v LEFT JOIN b ON {joined} WHERE NOT {unchanged} AND NOT {closes}) "
        f"SELECT * FROM ends UNION ALL SELECT * FROM makes"
    )


def _prefixed(names: Sequence[str], prefix: str) -> list[tuple[str, str]]:
    return [(name, prefix + quoted(name)) for name in names]


def merge_statement(
    target: str, actions: str, history: History, columns: Sequence[str], batch: int, run_key: str
) -> str:
    """One MERGE for closing, ending and inserting. ``batch_in`` and ``batch_out`` are the run's planned_at."""
    joined = " AND ".join(f"t.{quoted(name)} = s.{quoted(name)}" for name in history.key)
    written = f"TIMESTAMP {literal(history.planned_at)}"
    given = {
        "_hw_changed_batch": str(batch),
        "_hw_run_key": literal(run_key),
        "is_current": "s.valid_to IS NULL AND NOT s._hw_deleted",
        "batch_in": written,
        "batch_out": "CAST(NULL AS TIMESTAMP)",
    }
    values = ", ".join(given.get(name, f"s.{quoted(name)}") for name in columns)
    return (
        f"MERGE INTO {target} t USING {actions} s "  # noqa: S608
        f"ON {joined} AND t.valid_from = s.hw_matches AND t.batch_out IS NULL "
        f"WHEN MATCHED AND s.{ACTION} = '{CLOSE}' THEN UPDATE SET t.valid_to = s.valid_to, t.is_current = false, "
        f"t._hw_changed_batch = {batch}, t._hw_run_key = {literal(run_key)} "
        f"WHEN MATCHED THEN UPDATE SET t.batch_out = {written}, t.is_current = false, "
        f"t._hw_changed_batch = {batch}, t._hw_run_key = {literal(run_key)} "
        f"WHEN NOT MATCHED THEN INSERT ({listed(columns)}) VALUES ({values})"
    )


def scd2_types() -> dict[str, str]:
    """Types of the columns that scd2 adds."""
    return {name: "boolean" if name == "is_current" else "timestamp" for name in SCD2_COLUMNS}
